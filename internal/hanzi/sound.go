package hanzi

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed data/sounds.txt
var soundsData string

// sounds maps a character, less first, to the number of its syllable; 0 is unknown. Syllables that many speakers do not tell apart when they
// type (zh and z, ch and c, sh and s, -ng and -n) have one number.
var sounds = sync.OnceValue(func() *[last - first + 1]uint16 {
	var t [last - first + 1]uint16
	numbers := map[string]uint16{}
	for line := range strings.Lines(soundsData) {
		syllable, chars, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || syllable == "#" {
			continue
		}
		if len(syllable) > 2 && syllable[1] == 'h' {
			syllable = syllable[:1] + syllable[2:]
		}
		syllable = strings.TrimSuffix(syllable, "g")
		if numbers[syllable] == 0 {
			numbers[syllable] = uint16(len(numbers) + 1)
		}
		for _, r := range chars {
			t[r-first] = numbers[syllable]
		}
	}
	return &t
})

// SameSound reports whether two simplified characters are said alike, apart from the tone, in their commonest readings: whoever types by
// sound takes one for the other.
func SameSound(a, b rune) bool {
	if a < first || a > last || b < first || b > last {
		return false
	}
	t := sounds()
	return t[a-first] != 0 && t[a-first] == t[b-first]
}
