package knowledge

import (
	"hash/fnv"
	"io"
	"maps"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// Corpus knows how often each term occurs over all articles, and keeps each
// article's terms, so that judging a proposal costs no analysis. It takes
// about 2 to 4 KB of memory an article. It is safe for concurrent use.
type Corpus struct {
	mu    sync.RWMutex
	docs  map[string]*profile
	list  []*profile // the same by their places, in the order in which they came; nil where one was removed
	sizes []float32  // of each place, the document's length, stored questions aside, against the average when it came
	terms postings
	vocab vocabulary
	langs map[string]*lengths
	syn   *Synonyms
	// headings is of titles and stored questions alone.
	headings headings
}

// NewCorpus makes an empty corpus.
func NewCorpus() *Corpus {
	return &Corpus{docs: map[string]*profile{}, terms: newPostings(), vocab: newVocabulary(), langs: map[string]*lengths{}, syn: NewSynonyms(nil), headings: newHeadings()}
}

// Parts of a document.
const (
	head  = iota // title
	asked        // stored questions
	tag          // keywords
	brief
	body
	parts
)

// partWeight is how much more an occurrence in a part says than one in the
// body. Stored questions see spoken.
var partWeight = [parts]float64{head: 3, asked: 0.5, tag: 3, brief: 1, body: 1}

// plainWeight is the same for deciding, where titles and questions are compared
// as wholes besides (see likeness), so their words need no weight of their own.
var plainWeight = [parts]float64{head: 1, asked: 1, tag: 3, brief: 1, body: 1}

// profile is what scoring needs of one document.
type profile struct {
	id      string
	at      int // place in the corpus's list
	version int
	sum     uint64 // of the document's text and filters, see sumOf
	lang    string
	staff   bool           // for staff only
	hashes  []uint32       // of the terms, in order
	counts  [][parts]uint8 // of the same; beside them, because together they take a third more room
	heads   [][]headTerm   // the distinct terms of title and each question, ordered by hash
	asks    int            // where stored questions begin among heads
	length  [parts]float64
	// order is the sequence of the words of each part, as term hashes, to find
	// words that stand side by side; 0 ends a text. Scripts without spaces have
	// character pairs for that.
	order [parts][]uint32
	// pairs are the distinct pairs of such characters in title, questions and
	// keywords, to correct wrong ones with.
	pairs []pair
	words words
}

// words of a document as they are written, without repeats: those that can be confused, and those of title and questions. The corpus knows them by
// number and forgets them as texts.
type words struct {
	spelled, heading         []string
	spelledByNo, headingByNo []uint32
}

// termFreq counts a term by the part of the document it stands in.
type termFreq struct {
	hash uint32
	n    [parts]uint8
}

// says is how often a document says a term, each part by its weight, apart from lengths.
func says(n [parts]uint8) (sum float64) {
	for i, k := range n {
		sum += spoken(i, k)
	}
	return sum
}

// spoken is what k occurrences in a part say. Stored questions say a word once
// at half the weight of the body, and at most twice that however many they are;
// their length counts neither. Like the words of a title, ten learned questions
// would bring an article to the front of every question that shares a common
// word with them, and past articles that nobody was taught. Where none of them
// is like the question they say less still, see nearAsked.
func spoken(part int, k uint8) float64 {
	if part == asked && k > 0 {
		return partWeight[asked] * (2 - 1/float64(k))
	}
	return partWeight[part] * float64(k)
}

// lengths sums the lengths of one language's documents: an English word and a
// Chinese character are different units.
type lengths struct {
	docs int
	sum  [parts]float64
}

// average length of a document without its stored questions.
func (l *lengths) average() float64 {
	return written(l.sum) / math.Max(1, float64(l.docs))
}

// written is a length without stored questions, which count by no length.
func written(l [parts]float64) float64 { return l[head] + l[tag] + l[brief] + l[body] }

func (l *lengths) add(p *profile, sign int) {
	l.docs += sign
	for i := range l.sum {
		l.sum[i] += float64(sign) * p.length[i]
	}
}

func hashTerm(t string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(t))
	return h.Sum32()
}

// maxBody bounds the bytes of a body that are analysed.
const maxBody = 64 << 10

func newProfile(d Doc) *profile {
	p := &profile{id: d.ID, version: d.Version, sum: sumOf(d), lang: BaseLang(d.Lang), staff: d.Audience == AudienceStaff}
	m := map[string]*termFreq{}
	seen := map[string]bool{}
	add := func(text string, part int) {
		ts := AnalyzeIn(p.lang, text)
		for _, t := range ts {
			f := m[t.Text]
			if f == nil {
				f = &termFreq{hash: hashTerm(t.Text)}
				m[t.Text] = f
			}
			first := f.n[head]|f.n[asked]|f.n[tag] == 0
			if f.n[part] < math.MaxUint8 {
				f.n[part]++
			}
			if t.Kind == Pair && part <= tag && first {
				p.pairs = append(p.pairs, pair([]rune(t.Text)))
			}
			if t.Kind != Word {
				continue
			}
			p.order[part] = append(p.order[part], f.hash)
			if (part == head || part == asked) && !slices.Contains(p.words.heading, t.Word) {
				p.words.heading = append(p.words.heading, t.Word)
			}
			if spellable(t.Word) && !seen[t.Word] {
				seen[t.Word] = true
				p.words.spelled = append(p.words.spelled, t.Word)
			}
		}
		if len(p.order[part]) > 0 {
			p.order[part] = append(p.order[part], 0)
		}
		p.length[part] += float64(len(ts))
	}
	for i, q := range append([]string{d.Title}, d.Questions...) {
		add(q, min(i, asked)) // head, then asked
		if hs := headTerms(p.lang, q); len(hs) > 0 {
			p.heads = append(p.heads, hs)
		}
		if i == 0 {
			p.asks = len(p.heads)
		}
	}
	for _, k := range d.Keywords {
		add(k, tag)
	}
	add(d.Summary, brief)
	add(d.Body[:min(len(d.Body), maxBody)], body)
	terms := slices.SortedFunc(maps.Values(m), func(a, b *termFreq) int { return cmpHash(a.hash, b.hash) })
	p.hashes, p.counts = make([]uint32, len(terms)), make([][parts]uint8, len(terms))
	for i, f := range terms {
		p.hashes[i], p.counts[i] = f.hash, f.n
	}
	for i, o := range p.order {
		p.order[i] = slices.Clone(o) // without the room it grew in
	}
	p.pairs = slices.Clone(p.pairs)
	return p
}

func cmpHash(a, b uint32) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// size is the length of the whole document.
func (p *profile) size() float64 {
	return written(p.length) + p.length[asked]
}

func (p *profile) find(h uint32) (termFreq, bool) {
	i, ok := slices.BinarySearch(p.hashes, h)
	if !ok {
		return termFreq{}, false
	}
	return termFreq{h, p.counts[i]}, true
}

// Put adds documents or replaces those of the same ID.
func (c *Corpus) Put(docs ...Doc) { c.put(runtime.GOMAXPROCS(0), docs) }

// atOnce is how many documents are taken in before searches that wait are let in: half a millisecond's.
const atOnce = 8

// put analyses documents on so many cores and takes them in.
func (c *Corpus) put(cores int, docs []Doc) {
	if len(docs) == 0 {
		return
	}
	ps := make([]*profile, len(docs))
	each(cores, len(docs), 16, func(i int) { ps[i] = newProfile(docs[i]) })
	c.measure(ps)
	for some := range slices.Chunk(ps, atOnce) {
		c.take(some)
	}
}

// measure counts the lengths of documents that are to come.
func (c *Corpus) measure(ps []*profile) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range ps {
		l := c.langs[p.lang]
		if l == nil {
			l = &lengths{}
			c.langs[p.lang] = l
		}
		l.add(p, 1)
	}
}

func (c *Corpus) take(ps []*profile) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range ps {
		c.remove(p.id)
		c.add(p)
	}
}

// add takes in a profile whose lengths are counted already.
func (c *Corpus) add(p *profile) {
	c.docs[p.id] = p
	p.at = len(c.list)
	c.list, c.sizes = append(c.list, p), append(c.sizes, float32(relative(written(p.length), c.langs[p.lang].average(), bm25B)))
	for i, h := range p.hashes {
		c.terms.add(h, newPosting(p.at, says(p.counts[i])))
	}
	p.words = words{spelledByNo: c.vocab.number(p.words.spelled), headingByNo: c.vocab.number(p.words.heading)}
	c.vocab.hold(p.words.spelledByNo)
	c.headings.add(p, &c.vocab)
}

// each calls f for 0..n-1, on so many cores where there are at least few of them for each.
func each(cores, n, few int, f func(i int)) {
	workers := min(cores, n/few)
	if workers < 2 {
		for i := range n {
			f(i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}

// Delete removes documents; unknown ids are ignored.
func (c *Corpus) Delete(ids ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range ids {
		c.remove(id)
	}
}

// Len returns the number of documents.
func (c *Corpus) Len() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.docs)
}

// SetSynonyms replaces all synonym groups.
func (c *Corpus) SetSynonyms(groups []SynonymGroup) {
	s := NewSynonyms(groups)
	c.mu.Lock()
	c.syn = s
	c.mu.Unlock()
}

func (c *Corpus) remove(id string) {
	p := c.docs[id]
	if p == nil {
		return
	}
	delete(c.docs, id)
	c.headings.remove(p, &c.vocab)
	for _, h := range p.hashes {
		c.terms.remove(h, p.at)
	}
	c.vocab.release(p.words.spelledByNo)
	c.langs[p.lang].add(p, -1)
	if c.list[p.at] = nil; len(c.list) > 2*len(c.docs)+roomyList {
		c.squeeze()
	}
}

// roomyList is how many places may be empty, however few documents there are.
const roomyList = 1000

// squeeze takes the empty places out of the list.
func (c *Corpus) squeeze() {
	to := make([]int, len(c.list))
	list, sizes := make([]*profile, 0, len(c.docs)), make([]float32, 0, len(c.docs))
	for at, p := range c.list {
		if p != nil {
			to[at], p.at = len(list), len(list)
			list, sizes = append(list, p), append(sizes, c.sizes[at])
		}
	}
	c.list, c.sizes = list, sizes
	c.terms.renumber(to)
	c.headings.docs.renumber(to)
}

// sumOf tells documents apart that differ in anything searched or filtered by.
func sumOf(d Doc) uint64 {
	h := fnv.New64a()
	add := func(ss ...string) {
		for _, s := range ss {
			io.WriteString(h, s)
			h.Write([]byte{0})
		}
		h.Write([]byte{1})
	}
	add(d.Lang, d.Audience, d.Title, d.Summary, d.Body)
	add(d.Keywords...)
	add(d.Questions...)
	return h.Sum64()
}

// holds reports whether the corpus has this version of a document.
func (c *Corpus) holds(id string, version int) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	p := c.docs[id]
	return p != nil && p.version == version
}

// changed returns those of the documents that the corpus has otherwise or not
// at all.
func (c *Corpus) changed(docs []Doc) []Doc {
	out := make([]Doc, 0, len(docs))
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, d := range docs {
		if p := c.docs[d.ID]; p == nil || p.version != d.Version || p.sum != sumOf(d) {
			out = append(out, d)
		}
	}
	return out
}

// profileOf returns the kept profile of a document, or a fresh one when the
// corpus has another version or none.
func (c *Corpus) profileOf(id string, version int, doc func() Doc) *profile {
	c.mu.RLock()
	p := c.docs[id]
	c.mu.RUnlock()
	if p != nil && p.version == version {
		return p
	}
	return newProfile(doc())
}

// smallCorpus is the number of documents below which rarity is reckoned as if
// there were that many: among six articles no word looks rare, yet a question
// that matches a title is as good a match as among six hundred.
const smallCorpus = 100

// idf is the rarity of a term, in nats. An unknown term counts like one that
// a single document holds.
func (c *Corpus) idf(h uint32) float64 { return c.rarity(c.terms.count(h)) }

// rarity is the same for a term that so many documents hold.
func (c *Corpus) rarity(docs int) float64 {
	n := math.Max(smallCorpus, float64(len(c.docs)))
	df := math.Max(1, float64(docs))
	return math.Log(1 + (n-df+0.5)/(df+0.5))
}

// ids returns the set of documents.
func (c *Corpus) ids() map[string]bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	out := make(map[string]bool, len(c.docs))
	for id := range c.docs {
		out[id] = true
	}
	return out
}
