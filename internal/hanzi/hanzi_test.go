package hanzi_test

import (
	"testing"
	"unicode/utf8"

	"hotline/internal/hanzi"
)

func TestSimplify(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"請問居住證怎麼辦？":          "请问居住证怎么办？",
		"臺灣 passport 護照\xff": "台湾 passport 护照\xff",
		"已经是简体":              "已经是简体",
		"":                   "",
		"ひらがな 한글":            "ひらがな 한글",
	} {
		got := hanzi.Simplify(text)
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
		if len(got) != len(text) {
			t.Errorf("%q: %d bytes, want %d", text, len(got), len(text))
		}
	}
}

// A simplified character must not be turned into another one: then two texts that are written alike would still differ.
func TestWhatIsSimplifiedStays(t *testing.T) {
	t.Parallel()
	for r := rune(0x3400); r <= 0x9FFF; r++ {
		s := hanzi.SimplifyRune(r)
		if hanzi.SimplifyRune(s) != s {
			t.Errorf("%c → %c → %c", r, s, hanzi.SimplifyRune(s))
		}
		if utf8.RuneLen(s) != utf8.RuneLen(r) {
			t.Errorf("%c → %c has another length", r, s)
		}
	}
}

func TestSameSound(t *testing.T) {
	t.Parallel()
	for pair, want := range map[string]bool{"主住": true, "正证": true, "兆照": true, "深身": true, "四是": true, "居住": false, "主a": false, "  ": false, "龘龘": false} {
		rs := []rune(pair)
		if got := hanzi.SameSound(rs[0], rs[1]); got != want {
			t.Errorf("%s: %v", pair, got)
		}
	}
}
