// Package vector finds the nearest of many vectors by looking at all of them,
// fast enough for a hundred thousand: no index to build, tune or rebuild, and
// nothing is missed because of one.
//
// A vector is kept as one byte for each dimension in contiguous memory. A first
// pass multiplies six bits of each, four dimensions in one machine
// multiplication; the best few hundred are compared again with the question's
// own numbers. Lengths do not matter: nearness is the cosine.
//
// It is pure: no database, no network.
package vector

import (
	"cmp"
	"encoding/binary"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// Code is a vector as it is kept and stored: each byte is a dimension, 128 is
// zero, and the largest is one away from it by 127.
type Code []byte

// Encode gives the code of a vector. A vector of zeros has a code that is near
// to nothing.
func Encode(v []float32) Code {
	top := float32(0)
	for _, x := range v {
		if x < 0 {
			x = -x
		}
		if x > top && !math.IsInf(float64(x), 0) {
			top = x
		}
	}
	out := make(Code, len(v))
	for i, x := range v {
		out[i] = 128
		if top > 0 && x == x { // not a number counts as nothing
			out[i] = byte(128 + math.Round(float64(min(top, max(-top, x))/top*127)))
		}
	}
	return out
}

// Hit is one of the nearest.
type Hit struct {
	ID    string
	Score float64 // cosine, -1..1
}

// Set is vectors of one length, several of which may have one id. It is not
// safe for writing while others read or write.
type Set struct {
	dim   int
	width int // dim rounded up to a whole step
	codes []byte
	sums  []int32   // of the six bits of each
	norms []float32 // lengths of the codes
	ids   []string
	at    map[string][]int
	outlines
}

// step is how many dimensions one turn of the first pass takes.
const step = 16

// NewSet makes an empty set.
func NewSet(dim int) *Set {
	return &Set{dim: dim, width: (dim + step - 1) / step * step, at: map[string][]int{}}
}

// Dim is the length of the set's vectors.
func (s *Set) Dim() int { return s.dim }

// Len is the number of vectors.
func (s *Set) Len() int { return len(s.ids) }

// Has reports whether an id has vectors.
func (s *Set) Has(id string) bool { return len(s.at[id]) > 0 }

// Put replaces the vectors of an id. Codes of another length are left out.
func (s *Set) Put(id string, codes ...Code) {
	s.Delete(id)
	for _, c := range codes {
		if len(c) != s.dim {
			continue
		}
		from := len(s.codes)
		s.codes = append(s.codes, c...)
		for range s.width - s.dim {
			s.codes = append(s.codes, 128)
		}
		sum, norm := int32(0), 0.0
		for _, b := range s.codes[from:] {
			sum += int32(b >> 2)
			norm += float64(int(b)-128) * float64(int(b)-128)
		}
		s.at[id] = append(s.at[id], len(s.ids))
		s.ids, s.sums, s.norms = append(s.ids, id), append(s.sums, sum), append(s.norms, float32(math.Sqrt(norm)))
		s.outline()
	}
}

// Delete removes the vectors of an id.
func (s *Set) Delete(id string) {
	for len(s.at[id]) > 0 {
		own := s.at[id]
		i, last := own[len(own)-1], len(s.ids)-1
		s.at[id] = own[:len(own)-1]
		if i != last {
			copy(s.codes[i*s.width:(i+1)*s.width], s.codes[last*s.width:])
			s.ids[i], s.sums[i], s.norms[i] = s.ids[last], s.sums[last], s.norms[last]
			moved := s.at[s.ids[i]]
			moved[slices.Index(moved, last)] = i
		}
		s.move(last, i)
		s.codes, s.ids, s.sums, s.norms = s.codes[:last*s.width], s.ids[:last], s.sums[:last], s.norms[:last]
	}
	delete(s.at, id)
}

// looked is how many vectors are compared again, for each that is wanted.
const looked = 8

// Search returns the ids nearest to q, best first and each once. A q of another
// length finds nothing.
func (s *Set) Search(q []float32, limit int) []Hit {
	if len(q) != s.dim || limit <= 0 || len(s.ids) == 0 {
		return nil
	}
	qn := 0.0
	for _, x := range q {
		qn += float64(x) * float64(x)
	}
	if qn == 0 || math.IsNaN(qn) || math.IsInf(qn, 0) {
		return nil
	}
	best := map[string]float64{}
	for _, r := range s.rough(Encode(q), s.glance(q, math.Sqrt(qn), limit*looked), limit*looked) {
		if s.norms[r.at] == 0 {
			continue
		}
		dot := float32(0)
		for i, b := range s.codes[r.at*s.width : r.at*s.width+s.dim] {
			dot += q[i] * float32(int(b)-128)
		}
		score := float64(dot) / math.Sqrt(qn) / float64(s.norms[r.at])
		if old, ok := best[s.ids[r.at]]; !ok || score > old {
			best[s.ids[r.at]] = score
		}
	}
	out := make([]Hit, 0, len(best))
	for id, score := range best {
		out = append(out, Hit{id, score})
	}
	slices.SortFunc(out, func(a, b Hit) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID)) })
	return out[:min(limit, len(out))]
}

type place struct {
	at    int
	score float32
}

func byScore(a, b place) int { return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.at, b.at)) }

// rough finds the vectors that are probably nearest, of those at some places; nil means all.
func (s *Set) rough(q Code, at []int32, most int) []place {
	packed, sum := pack(q, s.width)
	n := len(s.ids)
	if at != nil {
		n = len(at)
	}
	var mu sync.Mutex
	var all []place
	floor := float32(math.Inf(-1))
	inParts(n, func(from, to int) {
		mu.Lock()
		least := floor
		mu.Unlock()
		var own []place
		for k := from; k < to; k++ {
			i := k
			if at != nil {
				i = int(at[k])
			}
			// (u-32)·(q-32), summed: the halves are taken off afterwards.
			dot := int32(product(s.codes[i*s.width:(i+1)*s.width], packed)) - 32*s.sums[i] - 32*sum + 1024*int32(s.width)
			if score := float32(dot) / max(1, s.norms[i]); score > least {
				own = append(own, place{i, score})
			}
		}
		mu.Lock()
		defer mu.Unlock()
		if all = append(all, own...); len(all) > 2*most {
			slices.SortFunc(all, byScore)
			all = all[:most]
			floor = all[most-1].score
		}
	})
	slices.SortFunc(all, byScore)
	return all[:min(most, len(all))]
}

// stretch is how many vectors a core takes at a time.
const stretch = 512

// inParts calls f for stretches of 0..n, on all cores.
func inParts(n int, f func(from, to int)) {
	parts := (n + stretch - 1) / stretch
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), parts) {
		wg.Go(func() {
			for part := int(next.Add(1)) - 1; part < parts; part = int(next.Add(1)) - 1 {
				f(part*stretch, min(n, (part+1)*stretch))
			}
		})
	}
	wg.Wait()
}

// six picks the upper six bits of every other byte of a word, each in a field of 16 bits.
const six = 0x003F003F003F003F

// pack lays a question out so that one multiplication of a word's fields sums four products in its upper 16 bits: in reverse order.
func pack(q Code, width int) (packed []uint64, sum int32) {
	at := func(i int) uint64 {
		if i < len(q) {
			return uint64(q[i] >> 2)
		}
		return 128 >> 2
	}
	for i := range width {
		sum += int32(at(i))
	}
	for w := 0; w < width; w += 8 {
		for first := range 2 { // even bytes, then odd ones
			packed = append(packed, at(w+first+6)|at(w+first+4)<<16|at(w+first+2)<<32|at(w+first)<<48)
		}
	}
	return packed, sum
}

// product sums the products of six bits of each dimension. Four products of four fit into 16 bits: 4·4·63² < 2¹⁶.
func product(code []byte, q []uint64) (sum uint64) {
	for len(code) >= step && len(q) >= 4 {
		a, b := binary.LittleEndian.Uint64(code), binary.LittleEndian.Uint64(code[8:])
		sum += (a>>2&six*q[0] + a>>10&six*q[1] + b>>2&six*q[2] + b>>10&six*q[3]) >> 48
		code, q = code[step:], q[4:]
	}
	return sum
}
