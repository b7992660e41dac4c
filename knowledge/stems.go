package knowledge

import (
	"slices"
	"strings"
)

// Stems rewrites a text for an engine that splits words but does not stem
// them: words of alphabetic scripts are folded, freed of function words and
// stemmed, runs of Chinese characters stay as they are. A
// blank stands between them. All languages are cut as English is: such an
// engine only proposes, and is asked without knowing in which language.
func Stems(text string) string {
	var b strings.Builder
	end := -1 // of the run of characters before
	for _, t := range Analyze(text) {
		switch t.Kind {
		case Pair:
			continue // its characters are there too
		case Char:
			if t.Start != end && b.Len() > 0 {
				b.WriteByte(' ')
			}
			end = t.End
		default:
			if b.Len() > 0 {
				b.WriteByte(' ')
			}
			end = -1
		}
		b.WriteString(t.Text)
	}
	return b.String()
}

// SearchWords gives what a question is about, for such an engine: stemmed
// words, and runs of Chinese characters without what only makes a question of
// them. It is empty for a question without searchable terms.
func SearchWords(text string) []string {
	if len(subject("", text)) == 0 {
		return nil
	}
	words := strings.Fields(Stems(unframe(text)))
	return slices.DeleteFunc(words, func(w string) bool { return softChars[w] })
}

// FunctionCharacters are the characters that tell nothing of a subject, in
// order.
func FunctionCharacters() []string {
	out := make([]string, 0, len(softChars))
	for c := range softChars {
		out = append(out, c)
	}
	slices.Sort(out)
	return out
}
