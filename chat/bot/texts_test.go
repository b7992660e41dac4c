package bot

import (
	"regexp"
	"slices"
	"testing"
)

var placeholder = regexp.MustCompile(`\{[a-z_]+\}`)

func TestEveryLanguageHasTheSameKeysAndPlaceholders(t *testing.T) {
	t.Parallel()
	tx, err := loadTexts(dataFS)
	if err != nil {
		t.Fatal(err)
	}
	if len(tx) < 2 {
		t.Fatalf("languages: %v", tx.langs())
	}
	for _, lang := range tx.langs() {
		for key, text := range tx[fallback] {
			other, ok := tx[lang][key]
			if !ok || other == "" && text != "" && key != "joint" {
				t.Errorf("%s lacks %q", lang, key)
				continue
			}
			a, b := placeholder.FindAllString(text, -1), placeholder.FindAllString(other, -1)
			slices.Sort(a)
			slices.Sort(b)
			// A date is written with the month's name in one language and need not be in another.
			if a, b = slices.Compact(a), slices.Compact(b); key != "date" && !slices.Equal(a, b) {
				t.Errorf("%s %q: placeholders %v, in %s %v", lang, key, b, fallback, a)
			}
		}
		for key := range tx[lang] {
			if _, ok := tx[fallback][key]; !ok {
				t.Errorf("%s has %q, %s has not", lang, key, fallback)
			}
		}
	}
}

func TestEveryLanguageHasCuesForEveryAct(t *testing.T) {
	t.Parallel()
	l, err := loadLexicon(dataFS)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := loadTexts(dataFS)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(l.langs, tx.langs()) {
		t.Fatalf("cues for %v, texts for %v", l.langs, tx.langs())
	}
	classes, err := cueClasses(dataFS)
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range l.langs {
		if !slices.Equal(classes[lang], classes[fallback]) {
			for _, c := range classes[fallback] {
				if !slices.Contains(classes[lang], c) {
					t.Errorf("%s has no cues for %q", lang, c)
				}
			}
			for _, c := range classes[lang] {
				if !slices.Contains(classes[fallback], c) {
					t.Errorf("%s has cues for %q, %s has not", lang, c, fallback)
				}
			}
		}
	}
	for _, s := range Scopes() {
		for _, part := range []string{"reason", "basis", "channel"} {
			if !tx.has("en", "scope."+string(s)+"."+part) {
				t.Errorf("scope %s has no %s", s, part)
			}
		}
	}
}
