package knowledge

import (
	"math"
	"regexp"
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
	sections := Sections(v.Body)
	i, share := mostAbout(question, sections)
	if i < 0 {
		return Section{}, 0
	}
	return sections[i], share
}

// Saturation and the weight of length when sections of one article are ranked: BM25's own, length counting half. On 847 questions that head a
// section of 200 pages, with the heads taken out of the text, the right section comes first for 34 %, for 22 % when words are only counted.
const (
	sectionSaturation = 1.2
	sectionLength     = 0.5
)

// mostAbout finds the section that says most about a question: what stands in every section of an article tells none of them apart. It gives -1 when
// none shares anything with it.
func mostAbout(question string, sections []Section) (best int, share float64) {
	terms := subject("", question)
	counts := make([]map[string]int, len(sections))
	in := map[string]float64{}
	lengths, mean := make([]float64, len(sections)), 0.0
	for i, s := range sections {
		counts[i] = map[string]int{}
		for _, t := range Analyze(s.Heading + "\n" + PlainText(s.Text)) {
			counts[i][t.Text]++
			lengths[i]++
		}
		for w := range counts[i] {
			in[w]++
		}
		mean += lengths[i] / float64(len(sections))
	}
	best, most, n := -1, 0.0, float64(len(sections))
	for i := range sections {
		score, covered, all := 0.0, 0.0, 0.0
		for _, t := range terms {
			all += t.decide
			tf := float64(counts[i][t.Text])
			if tf == 0 {
				continue
			}
			covered += t.decide
			rare := math.Log(1 + (n-in[t.Text]+.5)/(in[t.Text]+.5))
			score += t.decide * rare * tf * (sectionSaturation + 1) / (tf + sectionSaturation*(1-sectionLength+sectionLength*lengths[i]/mean))
		}
		if score > most {
			best, most, share = i, score, covered/all
		}
	}
	return best, share
}

// besideShare is how much of a question a paragraph must say that the short answer does not, to be told with it.
const besideShare = 0.4

// Beside gives the paragraph of a version that says of a question what its title and short answer leave out, and its heading. It reports false when
// there is none.
func Beside(question string, v Version) (Section, bool) {
	told, short := map[string]bool{}, AnswerText(v)
	for _, t := range Analyze(v.Title + "\n" + short) {
		told[t.Text] = true
	}
	var paragraphs []Section
	for _, s := range Sections(v.Body) {
		for _, text := range paragraphsOf(s.Text) {
			if !announces(text) { // of nothing that follows
				paragraphs = append(paragraphs, Section{Heading: s.Heading, Text: text})
			}
		}
	}
	i, _ := mostAbout(question, paragraphs)
	if i < 0 || strings.Contains(short, paragraphs[i].Text) {
		return Section{}, false
	}
	has := map[string]bool{}
	for _, t := range Analyze(paragraphs[i].Heading + "\n" + PlainText(paragraphs[i].Text)) {
		has[t.Text] = true
	}
	more, all := 0.0, 0.0
	for _, t := range subject("", question) {
		all += t.decide
		if has[t.Text] && !told[t.Text] {
			more += t.decide
		}
	}
	return paragraphs[i], all > 0 && more/all >= besideShare
}

// listItem is the beginning of an item, or of what is indented below one.
var listItem = regexp.MustCompile(`^(?:[-*+•]|[0-9]{1,9}[.)])[ \t]|^(?: {2,}|\t)`)

func announces(para string) bool {
	para = strings.TrimSpace(para)
	return strings.HasSuffix(para, ":") || strings.HasSuffix(para, "：")
}

// paragraphsOf cuts the Markdown of a section at its empty lines, but no list and no code apart: "2. Pay." means nothing without the rest. What ends in a colon
// belongs to what it announces.
func paragraphsOf(md string) []string {
	var out []string
	announced, listed, fenced := false, false, false
	for para := range strings.SplitSeq(md, "\n\n") {
		para = strings.Trim(para, "\n")
		if strings.TrimSpace(para) == "" && !fenced {
			continue
		}
		item := listItem.MatchString(para)
		if n := len(out); n > 0 && (announced || fenced || listed && item) {
			out[n-1] += "\n\n" + para
		} else {
			out = append(out, strings.TrimSpace(para))
		}
		announced = announces(para)
		listed = item || listItem.MatchString(para[strings.LastIndexByte(para, '\n')+1:])
		if (strings.Count(para, "```")+strings.Count(para, "~~~"))%2 == 1 {
			fenced = !fenced
		}
	}
	return out
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
