package knowledge

import "slices"

// vocabulary numbers the words of all documents, which would take more memory
// than everything else when each document had its own, and knows which of
// them to correct typing errors with. A word keeps its number for good.
type vocabulary struct {
	numbers map[string]uint32
	words   []vocable
	spell   map[spellKey][]uint32 // words that some document holds
}

type vocable struct {
	word string
	docs int32 // that hold it, where it can be spelled
}

func newVocabulary() vocabulary {
	return vocabulary{numbers: map[string]uint32{}, spell: map[spellKey][]uint32{}}
}

// number gives each word its number.
func (v *vocabulary) number(words []string) []uint32 {
	if len(words) == 0 {
		return nil
	}
	out := make([]uint32, len(words))
	for i, w := range words {
		n, known := v.numbers[w]
		if !known {
			n = uint32(len(v.words))
			v.numbers[w] = n
			v.words = append(v.words, vocable{word: w})
		}
		out[i] = n
	}
	return out
}

// hold and release count a document that holds the words.
func (v *vocabulary) hold(words []uint32) {
	for _, n := range words {
		if v.words[n].docs++; v.words[n].docs == 1 {
			k := keyOf(v.words[n].word, 0)
			v.spell[k] = append(v.spell[k], n)
		}
	}
}

func (v *vocabulary) release(words []uint32) {
	for _, n := range words {
		if v.words[n].docs--; v.words[n].docs > 0 {
			continue
		}
		k := keyOf(v.words[n].word, 0)
		if v.spell[k] = slices.DeleteFunc(v.spell[k], func(o uint32) bool { return o == n }); len(v.spell[k]) == 0 {
			delete(v.spell, k)
		}
	}
}
