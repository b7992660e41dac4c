package vector

import (
	"math"
	"math/bits"
)

// outlines are what a large set is looked through by first: one bit for each
// dimension, whether a vector lies above or below the middle of all. How many
// bits of two vectors differ tells the angle between what is left of them when
// the middle is taken off, and so their cosine, nearly. Embeddings all point in
// much the same direction, so without the middle most bits would be the same.
type outlines struct {
	words  int // of 64 bits, for each vector
	drawn  int // vectors when the middle was taken; 0: there are no outlines
	middle []float32
	bits   []uint64
	apart  []float32 // length of what is left without the middle
	along  []float32 // product with the middle
}

// Bounds of looking at outlines first.
const (
	// manyVectors of at least longVectors dimensions are where it begins to pay; fewer bits would tell too little.
	manyVectors = 8192
	longVectors = 256
	// closer is the share of the vectors that is looked at again after their outlines, one in so many. Where neighbours lie much nearer than the
	// rest, as texts about one thing do, a hundredth would be enough.
	closer = 16
	// sampled is how many vectors the middle is taken of.
	sampled = 2048
)

// outline keeps the outlines up when a vector was added at the end.
func (s *Set) outline() {
	o, n := &s.outlines, len(s.ids)
	switch {
	case s.dim < longVectors:
	case n >= max(manyVectors, 2*o.drawn): // the middle may have moved
		s.redraw()
	case o.drawn > 0:
		o.bits = append(o.bits, make([]uint64, o.words)...)
		o.apart, o.along = append(o.apart, 0), append(o.along, 0)
		s.draw(n - 1)
	}
}

// redraw makes all outlines anew around the middle of the present vectors.
func (s *Set) redraw() {
	o, n := &s.outlines, len(s.ids)
	o.drawn, o.words, o.middle = n, (s.dim+63)/64, make([]float32, s.dim)
	looked := float32(0)
	for i := 0; i < n; i += max(1, n/sampled) {
		if s.norms[i] == 0 {
			continue
		}
		for k, b := range s.codes[i*s.width : i*s.width+s.dim] {
			o.middle[k] += float32(int(b)-128) / s.norms[i]
		}
		looked++
	}
	for k := range o.middle {
		o.middle[k] /= max(1, looked)
	}
	o.bits, o.apart, o.along = make([]uint64, n*o.words), make([]float32, n), make([]float32, n)
	inParts(n, func(from, to int) {
		for i := from; i < to; i++ {
			s.draw(i)
		}
	})
}

// draw writes the outline of vector i.
func (s *Set) draw(i int) {
	o := &s.outlines
	own := o.bits[i*o.words : (i+1)*o.words]
	clear(own)
	scale := 1 / max(1, s.norms[i])
	var apart, along float32
	for k, b := range s.codes[i*s.width : i*s.width+s.dim] {
		v := float32(int(b)-128) * scale
		x := v - o.middle[k]
		own[k/64] |= uint64(math.Float32bits(-x)>>31) << (k % 64)
		apart += x * x
		along += v * o.middle[k]
	}
	o.apart[i], o.along[i] = float32(math.Sqrt(float64(apart))), along
}

// move puts the outline of the last vector in the place of another, and drops it at the end.
func (o *outlines) move(last, i int) {
	if o.drawn == 0 {
		return
	}
	copy(o.bits[i*o.words:(i+1)*o.words], o.bits[last*o.words:])
	o.apart[i], o.along[i] = o.apart[last], o.along[last]
	o.bits, o.apart, o.along = o.bits[:last*o.words], o.apart[:last], o.along[:last]
}

// buckets are how finely nearness by outlines is told apart.
const buckets = 4096

// glance gives the places of the vectors whose outlines are nearest to a question, a share of all but at least so many; nil where there are no outlines.
func (s *Set) glance(q []float32, norm float64, least int) []int32 {
	o, n := &s.outlines, len(s.ids)
	if o.drawn == 0 {
		return nil
	}
	own := make([]uint64, o.words)
	apart := 0.0
	for k, m := range o.middle {
		x := q[k]/float32(norm) - m
		own[k/64] |= uint64(math.Float32bits(-x)>>31) << (k % 64)
		apart += float64(x) * float64(x)
	}
	cosines := make([]float32, s.dim+1) // of what is left, by how many bits differ, times its length
	for h := range cosines {
		cosines[h] = float32(math.Sqrt(apart) * math.Cos(math.Pi*float64(h)/float64(s.dim)))
	}
	at := make([]uint16, n) // bucket of each
	inParts(n, func(from, to int) {
		for i := from; i < to; i++ {
			differ := 0
			for k, w := range o.bits[i*o.words : (i+1)*o.words] {
				differ += bits.OnesCount64(w ^ own[k])
			}
			near := o.apart[i]*cosines[differ] + o.along[i]
			at[i] = uint16(min(buckets-1, max(0, (1+near)*(buckets/2))))
		}
	})
	var held [buckets]int
	for _, b := range at {
		held[b]++
	}
	floor, sum := buckets, 0
	for floor > 0 && sum < max(least, n/closer) {
		floor--
		sum += held[floor]
	}
	out := make([]int32, 0, sum)
	for i, b := range at {
		if int(b) >= floor {
			out = append(out, int32(i))
		}
	}
	return out
}
