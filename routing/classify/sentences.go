package classify

import "strings"

// A long text teaches as a whole, and again by each of its sentences: the
// texts of catalogues and articles are long, while citizens write a line.
// Counts are in tokens, of which each Han character is one.
const (
	minSentence  = 4
	minRest      = 30 // after the first sentence, for a text to count as long
	maxSentences = 40
)

const sentenceEnds = "\n.?!。？！；"

// sentences returns the sentences of a long text, none of a short one. The
// first is its lead, which states the subject.
func sentences(text string) []string {
	text = strings.TrimSpace(text)
	end := strings.IndexAny(text, sentenceEnds)
	if end < 0 || len(tokens(text[end:])) < minRest {
		return nil
	}
	var out []string
	for s := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune(sentenceEnds, r) }) {
		if len(tokens(s)) >= minSentence {
			out = append(out, s)
			if len(out) == maxSentences {
				break
			}
		}
	}
	return out
}
