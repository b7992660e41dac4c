package bot

import (
	"regexp"
	"slices"
	"strings"
)

// rows are the keys of a keyboard as they lie side by side.
var rows = []string{"qwertyuiop", "asdfghjkl", "zxcvbnm"}

// leastHammered is how many neighbouring keys in a row no word has.
const leastHammered = 5

var noVowel = regexp.MustCompile(`^[b-df-hj-np-tv-xz]{6,}$`)

// hammered reports whether a text is nothing but keys hit at random: asdfghjkl, 啊啊啊啊, xxxxx.
func hammered(r *reading) bool {
	if len(r.toks) == 0 {
		return false
	}
	han := 0
	for _, t := range r.toks {
		if t.han && t.text == r.toks[0].text {
			han++
		}
	}
	return han == len(r.toks) && han >= 4 || !slices.ContainsFunc(r.toks, func(t token) bool { return t.han || !atRandom(t.text) })
}

func atRandom(word string) bool {
	if len(word) >= 4 && strings.Count(word, word[:1]) == len(word) && !(word[0] >= '0' && word[0] <= '9') || noVowel.MatchString(word) {
		return true
	}
	for _, row := range rows {
		for i := 0; i+leastHammered <= len(row); i++ {
			if strings.Contains(word, row[i:i+leastHammered]) {
				return true
			}
		}
	}
	return false
}
