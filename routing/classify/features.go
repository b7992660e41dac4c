package classify

import (
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"hotline/internal/hanzi"
)

// maxRunes bounds the work a single text can cause. What a complaint is about
// stands in its first paragraphs.
const maxRunes = 2000

// block is one family of features. Each family is normalised on its own, so
// that the many character n-grams do not drown the few words.
type block uint64

const (
	blockWords block = iota
	blockChars
	numBlocks
)

// shape is how features are cut and weighed.
type shape struct {
	grams int     // longest character n-gram
	chars float64 // share of character n-grams in the squared length of a vector
}

var (
	written = shape{grams: 4, chars: 0.5}
	typed   = shape{grams: 5, chars: 0.85} // see Matcher
)

func (s shape) share(b block) float64 {
	if b == blockChars {
		return s.chars
	}
	return 1 - s.chars
}

// minGram is the shortest character n-gram, in runes. Inside Latin words the
// n-gram includes one padding rune at either end of the word.
const minGram = 2

// token is a maximal run of letters or digits, or one Han character.
type token struct {
	text string
	han  bool
}

// tokens folds width, case, compatibility forms and traditional characters, and cuts text into tokens.
// A token that follows the one before it without anything between them is not
// told apart from one that does: "噪音 扰民" and "噪音扰民" mean the same.
func tokens(text string) []token {
	text = fold(text)
	var out []token
	start := -1
	for i, r := range text {
		switch {
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai):
			if start >= 0 {
				out = append(out, token{text: text[start:i]})
				start = -1
			}
			out = append(out, token{text: text[i : i+utf8.RuneLen(r)], han: true})
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
			if start < 0 {
				start = i
			}
		default:
			if start >= 0 {
				out = append(out, token{text: text[start:i]})
				start = -1
			}
		}
	}
	if start >= 0 {
		out = append(out, token{text: text[start:]})
	}
	return out
}

func fold(text string) string {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, " ")
	}
	if len(text) > maxRunes {
		n := 0
		for i := range text {
			if n == maxRunes {
				text = text[:i]
				break
			}
			n++
		}
	}
	return hanzi.Simplify(strings.ToLower(norm.NFKC.String(text)))
}

// FNV-1a, 64 bits: the low bit of every feature hash names its block.
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

func hashString(h uint64, s string) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * fnvPrime
	}
	return h
}

func (b block) mark(h uint64) uint64 { return h<<1 | uint64(b) }

func blockOf(h uint64) block { return block(h & 1) }

// hashes returns the features of a text, repeated as often as they occur.
func hashes(text string, grams int) []uint64 {
	toks := tokens(text)
	out := make([]uint64, 0, 2*len(text))
	for i, t := range toks {
		one := hashString(fnvOffset, t.text)
		out = append(out, blockWords.mark(one))
		if i+1 < len(toks) {
			out = append(out, blockWords.mark(hashString(hashString(one, "\x1f"), toks[i+1].text)))
		}
		if !t.han {
			out = appendWordGrams(out, t.text, grams)
		}
	}
	for i := 0; i < len(toks); {
		if !toks[i].han {
			i++
			continue
		}
		end := i
		for end < len(toks) && toks[end].han {
			end++
		}
		out = appendHanGrams(out, toks[i:end], grams)
		i = end
	}
	return out
}

// appendWordGrams adds the n-grams of one word, its ends marked by "_".
func appendWordGrams(out []uint64, word string, grams int) []uint64 {
	padded := "_" + word + "_"
	starts := make([]int, 0, len(padded)+1)
	for i := range padded {
		starts = append(starts, i)
	}
	starts = append(starts, len(padded))
	runes := len(starts) - 1
	for n := minGram; n <= grams; n++ {
		for i := 0; i+n <= runes; i++ {
			out = append(out, blockChars.mark(hashString(fnvOffset, padded[starts[i]:starts[i+n]])))
		}
	}
	return out
}

// appendHanGrams adds the n-grams of a run of Han characters. Single
// characters are words already.
func appendHanGrams(out []uint64, run []token, grams int) []uint64 {
	for i := range run {
		h := uint64(fnvOffset)
		for n := 1; n <= grams && i+n <= len(run); n++ {
			h = hashString(h, run[i+n-1].text)
			if n >= minGram {
				out = append(out, blockChars.mark(h))
			}
		}
	}
	return out
}

// count is one distinct feature of a text and how often it occurs.
type count struct {
	hash uint64
	n    int
}

func counts(text string, grams int) []count {
	hs := hashes(text, grams)
	slices.Sort(hs)
	var out []count
	for i := 0; i < len(hs); {
		j := i + 1
		for j < len(hs) && hs[j] == hs[i] {
			j++
		}
		out = append(out, count{hs[i], j - i})
		i = j
	}
	return out
}

// vocabulary maps the features seen in training to columns and knows how rare
// each is.
type vocabulary struct {
	shape   shape
	hashes  []uint64 // sorted; a map would take four times the memory
	columns []uint32 // of the hash at the same place
	idf     []float32
	// unseen is the idf of a feature that no training text has. It counts in
	// what is known of a text, so that foreign words lower the score.
	unseen float64
}

// vector is a sparse row, columns in no particular order.
type vector []cell

type cell struct {
	col uint32
	val float32
}

func newVocabulary(docs [][]count, sh shape) *vocabulary {
	df := make(map[uint64]int)
	var order []uint64 // first occurrence first: the column numbers are stable
	for _, d := range docs {
		for _, c := range d {
			if df[c.hash] == 0 {
				order = append(order, c.hash)
			}
			df[c.hash]++
		}
	}
	n := float64(len(docs))
	v := &vocabulary{
		shape:   sh,
		hashes:  slices.Sorted(slices.Values(order)),
		columns: make([]uint32, len(order)),
		idf:     make([]float32, len(order)),
		unseen:  (math.Log(1+n) + 1),
	}
	for i, h := range order {
		at, _ := slices.BinarySearch(v.hashes, h)
		v.columns[at] = uint32(i)
		v.idf[i] = float32(math.Log((1+n)/(1+float64(df[h]))) + 1)
	}
	return v
}

// vectorOf weights by (1+log tf)·idf and makes each block a unit vector. known
// is the share of the text's weight that lies in features of the vocabulary, size the
// length of its vector before its blocks become unit vectors, with the features that
// training has not seen.
func (v *vocabulary) vectorOf(doc []count) (row vector, known, size float64) {
	var sum [numBlocks]float64
	var seen, unseen float64
	row = make(vector, 0, len(doc))
	blocks := make([]block, 0, len(doc))
	for _, c := range doc {
		tf := 1 + math.Log(float64(c.n))
		at, ok := slices.BinarySearch(v.hashes, c.hash)
		if !ok {
			unseen += tf * tf * v.unseen * v.unseen
			continue
		}
		col := v.columns[at]
		w := tf * float64(v.idf[col])
		b := blockOf(c.hash)
		sum[b] += w * w
		seen += w * w
		row = append(row, cell{col, float32(w)})
		blocks = append(blocks, b)
	}
	if seen == 0 {
		return row, 0, math.Sqrt(unseen)
	}
	var scale [numBlocks]float64
	for b, s := range sum {
		if s > 0 {
			scale[b] = math.Sqrt(v.shape.share(block(b)) / s)
		}
	}
	for i, b := range blocks {
		row[i].val = float32(float64(row[i].val) * scale[b])
	}
	return row, math.Sqrt(seen / (seen + unseen)), math.Sqrt(seen + unseen)
}
