package knowledge

import (
	"strings"
	"unicode"
)

// BaseLang reduces a BCP 47 tag to the language that search distinguishes:
// "zh-CN", "zh_Hans" and "zh" are one, as are "en-GB" and "en".
func BaseLang(tag string) string {
	tag = strings.ToLower(strings.TrimSpace(tag))
	if i := strings.IndexAny(tag, "-_"); i >= 0 {
		tag = tag[:i]
	}
	return tag
}

// DetectLang tells Chinese from other text by its script: "zh" when Han
// characters carry at least as much of the text as Latin words do, otherwise
// the empty string. A Chinese question that names "ETC" stays Chinese.
func DetectLang(text string) string {
	han, words := 0, 0
	inWord := false
	for _, r := range text {
		switch {
		case unicode.Is(unicode.Han, r):
			han++
			inWord = false
		case unicode.IsLetter(r):
			if !inWord {
				words++
			}
			inWord = true
		default:
			inWord = false
		}
	}
	// A Chinese word is about two characters long.
	if han > 0 && han >= 2*words {
		return "zh"
	}
	return ""
}
