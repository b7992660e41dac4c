package figures_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"hotline/internal/i18n"
	"hotline/tickets/measures"
	"hotline/web/figures"
)

var update = flag.Bool("update", false, "rewrite the table in docs/measures.md")

// table writes the measures as the documentation shows them.
func table() string {
	words := i18n.MustLoad()
	en, zh := figures.Words{Bundle: words, Lang: "en", Set: measures.Default()}, figures.Words{Bundle: words, Lang: "zh-CN", Set: measures.Default()}
	names := func(of []measures.Counter) string {
		var out []string
		for _, c := range of {
			out = append(out, "`"+c.String()+"`")
		}
		return strings.Join(out, " ")
	}
	var b strings.Builder
	for _, g := range measures.Groups() {
		fmt.Fprintf(&b, "\n### %s · %s\n\n| code | measure | formula | part | whole | left out |\n| --- | --- | --- | --- | --- | --- |\n", en.Group(g), zh.Group(g))
		for _, m := range measures.All() {
			if m.Group != g {
				continue
			}
			part, whole := m.Parts(measures.Default())
			var left []string
			for _, l := range m.Left {
				left = append(left, en.Reason(l.Reason)+" ("+names(l.Of)+")")
			}
			fmt.Fprintf(&b, "| `%s` | %s · %s | %s<br>%s | %s | %s | %s |\n", m.Code, en.Name(m.Code), zh.Name(m.Code), en.Formula(m.Code), zh.Formula(m.Code), names(part), names(whole), strings.Join(left, ", "))
		}
	}
	return b.String() + "\n"
}

// TestDocsHaveTheFormulasOfTheCode: the page is true on the day it is read.
func TestDocsHaveTheFormulasOfTheCode(t *testing.T) {
	t.Parallel()
	const path, begin, end = "../../docs/measures.md", "begin -->\n", "<!-- generated: end -->"
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	i, j := strings.Index(text, begin), strings.Index(text, end)
	if i < 0 || j < i {
		t.Fatal("docs/measures.md has no place for the table")
	}
	want := text[:i+len(begin)] + table() + text[j:]
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if text != want {
		t.Error("docs/measures.md is not what the code says; run: go test ./web/figures -run Docs -update")
	}
}

// TestEveryMeasureHasWords: a formula is published with its number, in every language, without a hole in it.
func TestEveryMeasureHasWords(t *testing.T) {
	t.Parallel()
	words := i18n.MustLoad()
	for _, lang := range words.Languages() {
		w := figures.Words{Bundle: words, Lang: lang, Set: measures.Default()}
		check := func(key, text string) {
			t.Helper()
			if text == "" || strings.Contains(text, "measures.") || strings.ContainsAny(text, "{}") {
				t.Errorf("%s: %s says %q", lang, key, text)
			}
		}
		for _, m := range measures.All() {
			check(m.Code, w.Name(m.Code))
			check(m.Code, w.Formula(m.Code))
			for _, l := range m.Left {
				check(l.Reason, w.Reason(l.Reason))
			}
		}
		for _, g := range measures.Groups() {
			check(g, w.Group(g))
		}
		for _, f := range measures.Failures() {
			check(string(f), w.Failure(f))
		}
	}
}
