package vector_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"hotline/knowledge/vector"
)

// clustered makes vectors as embeddings lie: around centres, all in much the same direction.
func clustered(r *rand.Rand, n, dim int) [][]float32 {
	common := make([]float64, dim)
	for i := range common {
		common[i] = r.NormFloat64() * 0.5
	}
	var centres [][]float64
	for range max(1, n/50) {
		c := make([]float64, dim)
		for i := range c {
			c[i] = common[i] + r.NormFloat64()
		}
		centres = append(centres, c)
	}
	out := make([][]float32, n)
	for k := range out {
		c := centres[r.IntN(len(centres))]
		out[k] = make([]float32, dim)
		for i := range out[k] {
			out[k][i] = float32((c[i] + 0.7*r.NormFloat64()) * 0.03)
		}
	}
	return out
}

// layered makes vectors that differ in few ways, the first of which count most, and point in one direction.
func layered(r *rand.Rand, n, dim int) [][]float32 {
	const ways = 20
	axes := make([][]float32, ways+1)
	for k := range axes {
		axes[k] = make([]float32, dim)
		for i := range axes[k] {
			axes[k][i] = float32(r.NormFloat64())
		}
	}
	out := make([][]float32, n)
	for k := range out {
		out[k] = make([]float32, dim)
		for a, axis := range axes {
			weight := float32(3)
			if a > 0 {
				weight = float32(r.NormFloat64() * 2 / math.Sqrt(float64(a)))
			}
			for i := range axis {
				out[k][i] += weight * axis[i]
			}
		}
		for i := range out[k] {
			out[k][i] += float32(0.3 * r.NormFloat64())
		}
	}
	return out
}

func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		ab += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	return ab / math.Sqrt(aa*bb)
}

// What is found is what a comparison of all numbers finds, nearly always.
func TestNearestAreFound(t *testing.T) {
	t.Parallel()
	for _, dim := range []int{3, 16, 100, 384} {
		r := rand.New(rand.NewPCG(1, uint64(dim)))
		vs := clustered(r, 3000, dim)
		s := vector.NewSet(dim)
		for i, v := range vs {
			s.Put(fmt.Sprintf("%04d", i), vector.Encode(v))
		}
		hit, asked := 0, 0
		for range 20 {
			q := slices.Clone(vs[r.IntN(len(vs))])
			for i := range q {
				q[i] += float32(r.NormFloat64() * 0.01)
			}
			order := make([]int, len(vs))
			for i := range order {
				order[i] = i
			}
			slices.SortFunc(order, func(a, b int) int { return cmp.Compare(cosine(vs[b], q), cosine(vs[a], q)) })
			got := s.Search(q, 30)
			if len(got) != 30 {
				t.Fatalf("%d of 30 found", len(got))
			}
			if dim >= 100 && got[0].ID != fmt.Sprintf("%04d", order[0]) {
				t.Errorf("dim %d: the nearest is %s, want %04d", dim, got[0].ID, order[0])
			}
			if d := math.Abs(got[0].Score - cosine(vs[order[0]], q)); d > 0.01 {
				t.Errorf("dim %d: the cosine is off by %f", dim, d)
			}
			for _, h := range got {
				asked++
				if slices.ContainsFunc(order[:30], func(i int) bool { return fmt.Sprintf("%04d", i) == h.ID }) {
					hit++
				}
			}
		}
		if share := float64(hit) / float64(asked); dim >= 16 && share < 0.95 {
			t.Errorf("dim %d: %.3f of the nearest are found", dim, share)
		}
	}
}

// In a large set most vectors are passed over by their outlines: the ten nearest are found all the same, also when half of the set is gone.
func TestNearestOfManyAreFound(t *testing.T) {
	t.Parallel()
	const n, asked = 9_000, 12
	for name, make := range map[string]func(r *rand.Rand, n, dim int) [][]float32{"clustered": clustered, "layered": layered} {
		for _, dim := range []int{300, 512} {
			t.Run(fmt.Sprint(name, dim), func(t *testing.T) {
				t.Parallel()
				r := rand.New(rand.NewPCG(3, uint64(dim)))
				vs := make(r, n, dim)
				s := vector.NewSet(dim)
				for i, v := range vs {
					s.Put(fmt.Sprint(i), vector.Encode(v))
				}
				for _, every := range []int{1, 2} {
					hit := 0
					for range asked {
						q := slices.Clone(vs[r.IntN(n)])
						for i := range q {
							q[i] += float32(math.Abs(float64(q[i])) * 0.5 * r.NormFloat64())
						}
						tenth := nearest(vs, q, every, 10)
						for _, h := range s.Search(q, 30)[:10] {
							i, err := strconv.Atoi(h.ID)
							if err == nil && i%every == 0 && cosine(vs[i], q) > tenth-0.0005 { // nearer than a byte a dimension can tell
								hit++
							}
						}
					}
					if share := float64(hit) / (10 * asked); share < 0.99 {
						t.Errorf("one in %d left: %.3f of the ten nearest are found", every, share)
					}
					for i := range vs {
						if i%2 == 1 {
							s.Delete(fmt.Sprint(i))
						}
					}
				}
				if s.Len() != n/2 {
					t.Errorf("%d left", s.Len())
				}
			})
		}
	}
}

// nearest is the cosine of the last of the nearest among every so-manieth vector, by all their numbers.
func nearest(vs [][]float32, q []float32, every, most int) float64 {
	var scores []float64
	for i := 0; i < len(vs); i += every {
		scores = append(scores, cosine(vs[i], q))
	}
	slices.Sort(scores)
	return scores[len(scores)-most]
}

func TestPutReplacesAndDeletes(t *testing.T) {
	t.Parallel()
	s := vector.NewSet(4)
	x, y := vector.Encode([]float32{1, 0, 0, 0}), vector.Encode([]float32{0, 1, 0, 0})
	s.Put("a", x, y)
	s.Put("b", y)
	s.Put("c", vector.Encode([]float32{1, 2, 3})) // of another model
	if s.Len() != 3 {
		t.Errorf("%d vectors", s.Len())
	}
	if got := s.Search([]float32{2, 0.1, 0, 0}, 5); len(got) != 2 || got[0].ID != "a" {
		t.Errorf("found %v: each id once, the nearest first", got)
	}
	s.Put("a", y)
	if got := s.Search([]float32{1, 0, 0, 0}, 5); len(got) != 2 || got[0].Score > 0.1 {
		t.Errorf("the replaced vector is found: %v", got)
	}
	s.Delete("a")
	s.Delete("a")
	if got := s.Search([]float32{0, 1, 0, 0}, 5); len(got) != 1 || got[0].ID != "b" || got[0].Score < 0.99 {
		t.Errorf("found %v", got)
	}
}

func TestOddVectors(t *testing.T) {
	t.Parallel()
	s := vector.NewSet(3)
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	s.Put("zero", vector.Encode([]float32{0, 0, 0}))
	s.Put("nan", vector.Encode([]float32{nan, 1, inf}))
	for _, q := range [][]float32{{0, 0, 0}, {nan, 0, 0}, {inf, 0, 0}, {1, 2}, nil} {
		if got := s.Search(q, 3); len(got) != 0 {
			t.Errorf("%v finds %v", q, got)
		}
	}
	for _, h := range s.Search([]float32{1, 1, 1}, 3) {
		if h.ID == "zero" || math.IsNaN(h.Score) {
			t.Errorf("found %+v", h)
		}
	}
}

// BenchmarkScan looks through 100,000 vectors. The budget is 30 ms.
func BenchmarkScan(b *testing.B) {
	for _, dim := range []int{384, 1536} {
		b.Run(fmt.Sprint(dim), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 2))
			vs := clustered(r, 2000, dim)
			s := vector.NewSet(dim)
			for i := range 100_000 {
				v := vs[i%len(vs)]
				v[i%dim] += 0.01
				s.Put(fmt.Sprint(i), vector.Encode(v))
			}
			for i := 0; b.Loop(); i++ {
				if len(s.Search(vs[i%len(vs)], 30)) != 30 {
					b.Fatal("not found")
				}
			}
		})
	}
}
