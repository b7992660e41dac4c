// Package cluster puts questions that ask for the same thing together, as they come in.
//
// A question is a bag of features: its analysed words, their neighbours and the character n-grams of its letters, each weighed by its rarity
// among the questions seen (TF-IDF). It joins the cluster whose middle is nearest when it is near enough, and begins one of its own
// otherwise; Merge brings together what has grown towards each other. The same questions in the same order give the same clusters.
//
// Work is bounded: a question has at most maxFeatures features, the common ones among them lead nowhere where more than maxLook clusters hold them,
// and a cluster is described by its maxCentre heaviest features at most twice over, however many questions it has.
//
// The package is pure: no database, no clock, no package of the house.
package cluster

import (
	"cmp"
	"hash/fnv"
	"math"
	"slices"
)

// Text is a question to place.
type Text struct {
	Lang  string   // questions of different languages never share a cluster
	Terms []string // analysed: stems, or characters with their pairs
	Chars string   // folded letters without punctuation, for n-grams; "" where Terms are characters already
}

// Thresholds of likeness, 0 to 1.
const (
	joinAt  = 0.33 // a question joins a cluster
	mergeAt = 0.55 // two clusters become one
)

// Bounds of the work for one question.
const (
	maxFeatures = 48  // of one question
	maxCentre   = 96  // of one cluster
	maxLook     = 200 // clusters looked at for one feature
	rareShare   = 10  // features that lead to clusters
)

// Clusters holds what was placed. It is not safe for concurrent use.
type Clusters struct {
	df    map[uint64]int32
	texts int
	all   []*Cluster
	post  map[uint64]*posting
	score []float32 // scratch, by cluster
}

// posting is the clusters whose middle holds a feature, with its weight there.
type posting struct {
	ids     []int32
	weights []float32
}

// Cluster is questions that ask for the same thing.
type Cluster struct {
	Lang string
	Size int
	Into int              // index of the cluster it was merged into, or -1
	at   map[uint64]int32 // feature → where the cluster stands in the posting
	norm float64
}

// New makes an empty set.
func New() *Clusters { return &Clusters{df: map[uint64]int32{}, post: map[uint64]*posting{}} }

// Len is how many clusters were begun, merged ones included.
func (c *Clusters) Len() int { return len(c.all) }

// Get returns the cluster of an index.
func (c *Clusters) Get(i int) Cluster { return *c.all[i] }

type feature struct {
	hash   uint64
	weight float64
}

func hash(lang, kind, s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(lang))
	h.Write([]byte(kind))
	h.Write([]byte(s))
	return h.Sum64()
}

// Weights of the kinds of features.
const (
	termWeight = 1.0
	pairWeight = 0.8
	gramWeight = 0.3
)

// counts gives the distinct features of a text with their weight before rarity, in order of first appearance.
func (t Text) counts() []feature {
	at := map[uint64]int{}
	var out []feature
	add := func(h uint64, w float64) {
		if i, ok := at[h]; ok {
			out[i].weight += w / 2 // a second time says less
			return
		}
		at[h] = len(out)
		out = append(out, feature{h, w})
	}
	for i, w := range t.Terms {
		add(hash(t.Lang, "t", w), termWeight)
		if i > 0 && t.Chars != "" {
			add(hash(t.Lang, "p", t.Terms[i-1]+" "+w), pairWeight)
		}
	}
	r := []rune(t.Chars)
	for i := 0; i+4 <= len(r); i++ {
		add(hash(t.Lang, "g", string(r[i:i+4])), gramWeight)
	}
	return out
}

// vector weighs the features by rarity, keeps the heaviest and gives them length one.
func (c *Clusters) vector(fs []feature) []feature {
	n := math.Max(200, float64(c.texts))
	for i, f := range fs {
		df := math.Max(1, float64(c.df[f.hash]))
		fs[i].weight *= math.Log(1 + n/df)
	}
	slices.SortStableFunc(fs, func(a, b feature) int { return cmp.Compare(b.weight, a.weight) })
	fs = fs[:min(len(fs), maxFeatures)]
	sum := 0.0
	for _, f := range fs {
		sum += f.weight * f.weight
	}
	if sum == 0 {
		return nil
	}
	for i := range fs {
		fs[i].weight /= math.Sqrt(sum)
	}
	return fs
}

// Add places a question and returns the index of its cluster, or -1 for one that says nothing.
func (c *Clusters) Add(t Text) int {
	fs := t.counts()
	if len(fs) == 0 {
		return -1
	}
	c.texts++
	for _, f := range fs {
		c.df[f.hash]++
	}
	v := c.vector(fs)
	best, like := c.nearest(v, -1)
	if best < 0 || like < joinAt {
		return c.begin(t.Lang, v)
	}
	c.put(best, v, 1)
	return best
}

// Near returns the cluster that a question would join, without placing it.
func (c *Clusters) Near(t Text) (int, bool) {
	fs := t.counts()
	if len(fs) == 0 {
		return -1, false
	}
	best, like := c.nearest(c.vector(fs), -1)
	return best, best >= 0 && like >= joinAt
}

// Put places a question into a cluster that is known already: what was decided before a restart, or by a person. i is that of Add, Begin.
func (c *Clusters) Put(i int, t Text) {
	fs := t.counts()
	if len(fs) == 0 {
		return
	}
	c.texts++
	for _, f := range fs {
		c.df[f.hash]++
	}
	c.put(c.root(i), c.vector(fs), 1)
}

// Begin makes an empty cluster for Put.
func (c *Clusters) Begin(lang string) int {
	c.all = append(c.all, &Cluster{Lang: lang, Into: -1, at: map[uint64]int32{}})
	c.score = append(c.score, 0)
	return len(c.all) - 1
}

func (c *Clusters) begin(lang string, v []feature) int {
	i := c.Begin(lang)
	c.put(i, v, 1)
	return i
}

// root follows merges.
func (c *Clusters) root(i int) int {
	for c.all[i].Into >= 0 {
		i = c.all[i].Into
	}
	return i
}

// put adds a vector to a cluster's middle.
func (c *Clusters) put(i int, v []feature, size int) {
	k := c.all[i]
	k.Size += size
	square := k.norm * k.norm
	for _, f := range v {
		p := c.post[f.hash]
		if p == nil {
			p = &posting{}
			c.post[f.hash] = p
		}
		n, ok := k.at[f.hash]
		if !ok {
			n = int32(len(p.ids))
			k.at[f.hash] = n
			p.ids, p.weights = append(p.ids, int32(i)), append(p.weights, 0)
		}
		was := float64(p.weights[n])
		p.weights[n] += float32(f.weight)
		square += (was+f.weight)*(was+f.weight) - was*was
	}
	k.norm = math.Sqrt(square)
	if len(k.at) > 2*maxCentre {
		c.trim(i)
	}
}

// drop takes a cluster out of a posting.
func (c *Clusters) drop(k *Cluster, hash uint64) {
	p, n := c.post[hash], k.at[hash]
	last := int32(len(p.ids) - 1)
	if n != last {
		p.ids[n], p.weights[n] = p.ids[last], p.weights[last]
		c.all[p.ids[n]].at[hash] = n
	}
	p.ids, p.weights = p.ids[:last], p.weights[:last]
	delete(k.at, hash)
	if last == 0 {
		delete(c.post, hash)
	}
}

// trim keeps the heaviest features of a cluster.
func (c *Clusters) trim(i int) {
	k := c.all[i]
	for _, f := range c.features(k)[maxCentre:] {
		k.norm = math.Sqrt(max(0, k.norm*k.norm-f.weight*f.weight))
		c.drop(k, f.hash)
	}
}

// features of a cluster, heaviest first.
func (c *Clusters) features(k *Cluster) []feature {
	fs := make([]feature, 0, len(k.at))
	for h, n := range k.at {
		fs = append(fs, feature{h, float64(c.post[h].weights[n])})
	}
	slices.SortFunc(fs, func(a, b feature) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.hash, b.hash))
	})
	return fs
}

// nearest finds the cluster most like a vector, leaving one out.
func (c *Clusters) nearest(v []feature, except int) (best int, like float64) {
	best = -1
	var touched []int32
	for n, f := range v {
		p := c.post[f.hash]
		if p == nil || n >= rareShare && len(p.ids) > maxLook {
			continue
		}
		for n, id := range p.ids {
			if c.score[id] == 0 {
				touched = append(touched, id)
			}
			c.score[id] += float32(f.weight) * p.weights[n]
		}
	}
	for _, id := range touched {
		l := float64(c.score[id]) / c.all[id].norm
		c.score[id] = 0
		if int(id) != except && (l > like || l == like && int(id) < best) {
			best, like = int(id), l
		}
	}
	return best, like
}

// Merge brings clusters together that have become alike; the smaller joins the larger. It returns the indexes that were merged, each with the one it
// went into. keep, which may be nil, tells of clusters that must stay what they are.
func (c *Clusters) Merge(keep func(i int) bool) [][2]int {
	var out [][2]int
	order := make([]int, 0, len(c.all))
	for i, k := range c.all {
		if k.Into < 0 && k.Size > 0 && (keep == nil || !keep(i)) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(c.all[a].Size, c.all[b].Size) })
	for _, i := range order {
		k := c.all[i]
		fs := c.features(k)
		fs = fs[:min(len(fs), maxFeatures)]
		for n := range fs {
			fs[n].weight /= k.norm
		}
		best, like := c.nearest(fs, i)
		if best < 0 || like < mergeAt || c.all[best].Size < k.Size {
			continue
		}
		c.join(i, best)
		out = append(out, [2]int{i, best})
	}
	return out
}

// Join merges a cluster into another as a person wants it.
func (c *Clusters) Join(i, into int) {
	if i, into = c.root(i), c.root(into); i != into {
		c.join(i, into)
	}
}

func (c *Clusters) join(i, into int) {
	k := c.all[i]
	fs := c.features(k)
	for _, f := range fs {
		c.drop(k, f.hash)
	}
	c.put(into, fs, k.Size)
	k.Into, k.at = into, nil
}
