package knowledge

import (
	"slices"
	"strings"
	"unicode"
)

// Matched gives the words of a question that a text holds too, as the question writes them, without repeats: why a search proposes it.
// Neighbouring Chinese characters come as one expression.
func Matched(question, text string) []string {
	has := map[string]bool{}
	for _, t := range Analyze(text) {
		has[t.Text] = true
	}
	bare := unframe(question)
	lone := map[string]float64{}
	for _, t := range subject("", bare) {
		lone[t.Text] = t.decide
	}
	var out []string
	seen := map[string]bool{}
	start, end := 0, -1 // of the expression that is being put together
	flush := func() {
		if end < 0 {
			return
		}
		word := question[start:end]
		if key := strings.ToLower(word); !seen[key] {
			seen[key] = true
			out = append(out, word)
		}
		end = -1
	}
	for _, t := range Analyze(bare) {
		if !has[t.Text] || lone[t.Text] < charWeight || t.Kind == Char && lone[t.Text] < loneWeight {
			continue
		}
		if end < 0 || t.Start >= end {
			flush()
			start = t.Start
		}
		end = max(end, t.End)
	}
	flush()
	return out
}

// Passage gives the section of a version that says most about a question, and the share of the question that it covers, 0 to 1. There is
// none (an empty Section) when no section shares anything with the question.
func Passage(question string, v Version) (Section, float64) {
	terms := subject("", question)
	var all float64
	for _, t := range terms {
		all += t.decide
	}
	var best Section
	share := 0.0
	for _, s := range Sections(v.Body) {
		has := map[string]bool{}
		for _, t := range Analyze(s.Heading + "\n" + PlainText(s.Text)) {
			has[t.Text] = true
		}
		sum := 0.0
		for _, t := range terms {
			if has[t.Text] {
				sum += t.decide
			}
		}
		if all > 0 && sum/all > share {
			best, share = s, sum/all
		}
	}
	return best, share
}

// passageShare is how much of a question a section must cover to be added to the article's short answer.
const passageShare = 0.25

// passageColumns bounds a section in a draft; a Han character takes two.
const passageColumns = 1000

// Draft answers a question in a version's own words: its short answer, and the section that says most about the question.
func Draft(question string, v Version) string {
	section, share := Passage(question, v)
	text := PlainText(section.Text)
	if cut := advance(text, 0, passageColumns); cut < len(text) {
		if i := strings.LastIndexByte(text[:cut], '\n'); i > cut/3 {
			text = text[:i]
		} else {
			text = text[:wordEnd(text, cut)] + " …"
		}
	}
	switch {
	case share < passageShare || text == "":
		return AnswerText(v)
	case v.Summary == "" || strings.Contains(text, v.Summary):
		return text
	case strings.Contains(v.Summary, text):
		return v.Summary
	}
	return v.Summary + "\n\n" + text
}

// Edited says how much of a text that was offered is missing from what was sent: 0 when it stands there word for word, whatever was
// written around it, and 1 when nothing of it is left. Spaces and line ends do not count.
func Edited(offered, sent string) float64 {
	a, b := tokens(offered), tokens(sent)
	if len(a) == 0 || strings.Contains(joined(b), joined(a)) {
		return 0
	}
	// The longest common subsequence, a row at a time.
	row := make([]int, len(b)+1)
	for _, x := range a {
		diagonal := 0
		for j, y := range b {
			above := row[j+1]
			if x == y {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(above, row[j])
			}
			diagonal = above
		}
	}
	// Something was changed, so it is never 0.
	return max(0.01, 1-float64(row[len(b)])/float64(len(a)))
}

func joined(tokens []string) string { return "\x00" + strings.Join(tokens, "\x00") + "\x00" }

// maxTokens bounds the comparison of two texts: about three million steps.
const maxTokens = 1800

// tokens are words, single characters of scripts without spaces, and marks.
func tokens(s string) []string {
	var out []string
	word := -1
	for i, r := range s {
		wordy := (unicode.IsLetter(r) || unicode.IsDigit(r)) && !unspaced(r)
		if wordy {
			if word < 0 {
				word = i
			}
			continue
		}
		if word >= 0 {
			out = append(out, s[word:i])
			word = -1
		}
		if !unicode.IsSpace(r) {
			out = append(out, string(r))
		}
	}
	if word >= 0 {
		out = append(out, s[word:])
	}
	return slices.Clip(out[:min(len(out), maxTokens)])
}
