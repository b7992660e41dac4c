package knowledge

import (
	"regexp"
	"strings"

	"hotline/knowledge/cluster"
)

// hiddenMark is what redaction puts in the place of personal data.
var hiddenMark = regexp.MustCompile(`\[[A-Z_]+_\d+\]`)

// ClusterText prepares a question for being put together with others: without what only makes it a question, and without what was hidden in it.
func ClusterText(question, lang string) cluster.Text {
	text := hiddenMark.ReplaceAllString(question, " ")
	t := cluster.Text{Lang: BaseLang(lang)}
	if l := DetectLang(text); l != "" {
		t.Lang = l
	}
	var chars strings.Builder
	for _, q := range subject(t.Lang, text) {
		if q.decide == 0 {
			continue
		}
		t.Terms = append(t.Terms, q.Text)
		if q.Kind == Word {
			chars.WriteString(" " + q.Word + " ")
		}
	}
	t.Chars = chars.String()
	return t
}
