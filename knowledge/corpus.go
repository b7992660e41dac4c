package knowledge

import (
	"hash/fnv"
	"math"
	"slices"
	"sync"
)

// Corpus knows how often each term occurs over all articles, and keeps each
// article's terms, so that judging a proposal costs no analysis. It takes
// about 2 to 4 KB of memory an article. It is safe for concurrent use.
type Corpus struct {
	mu    sync.RWMutex
	docs  map[string]*profile
	df    map[uint32]int32 // term → documents that hold it
	vocab map[string]int32 // unstemmed words, to correct typing errors
	spell map[spellKey][]string
	total float64 // sum of profile lengths
	syn   *Synonyms
}

// NewCorpus makes an empty corpus.
func NewCorpus() *Corpus {
	return &Corpus{docs: map[string]*profile{}, df: map[uint32]int32{}, vocab: map[string]int32{}, spell: map[spellKey][]string{}, syn: NewSynonyms(nil)}
}

// profile is what scoring needs of one document.
type profile struct {
	version int
	lang    string
	terms   []termFreq   // ordered by hash
	heads   [][]headTerm // the distinct terms of title and each question, ordered by hash
	length  float64
	words   []string // distinct unstemmed words that can be confused
}

// termFreq counts a term by the part of the document it stands in.
type termFreq struct {
	hash                   uint32
	head, tag, brief, body uint8
}

func hashTerm(t string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(t))
	return h.Sum32()
}

// Weights of a document's parts: how much more an occurrence there says than
// one in the body. Titles and questions are compared as wholes besides (see
// likeness), so their words need no weight of their own; a title that all
// articles of a collection share in part would only add noise.
const (
	headWeight  = 1.0
	tagWeight   = 3.0 // keywords
	briefWeight = 1.0
)

// maxBody bounds the bytes of a body that are analysed.
const maxBody = 64 << 10

func newProfile(d Doc) *profile {
	p := &profile{version: d.Version, lang: BaseLang(d.Lang)}
	m := map[string]*termFreq{}
	seen := map[string]bool{}
	add := func(text string, part func(*termFreq) *uint8) {
		ts := Analyze(text)
		for _, t := range ts {
			f := m[t.Text]
			if f == nil {
				f = &termFreq{hash: hashTerm(t.Text)}
				m[t.Text] = f
			}
			if t.Kind == Word && spellable(t.Word) && !seen[t.Word] {
				seen[t.Word] = true
				p.words = append(p.words, t.Word)
			}
			if c := part(f); *c < math.MaxUint8 {
				*c++
			}
		}
		p.length += float64(len(ts))
	}
	addHead := func(q string) {
		add(q, func(f *termFreq) *uint8 { return &f.head })
		if hs := headTerms(q); len(hs) > 0 {
			p.heads = append(p.heads, hs)
		}
	}
	addHead(d.Title)
	for _, q := range d.Questions {
		addHead(q)
	}
	for _, k := range d.Keywords {
		add(k, func(f *termFreq) *uint8 { return &f.tag })
	}
	add(d.Summary, func(f *termFreq) *uint8 { return &f.brief })
	body := d.Body
	if len(body) > maxBody {
		body = body[:maxBody]
	}
	add(body, func(f *termFreq) *uint8 { return &f.body })
	p.terms = make([]termFreq, 0, len(m))
	for _, f := range m {
		p.terms = append(p.terms, *f)
	}
	slices.SortFunc(p.terms, func(a, b termFreq) int { return cmpHash(a.hash, b.hash) })
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

func (p *profile) find(h uint32) (termFreq, bool) {
	i, ok := slices.BinarySearchFunc(p.terms, h, func(f termFreq, h uint32) int { return cmpHash(f.hash, h) })
	if !ok {
		return termFreq{}, false
	}
	return p.terms[i], true
}

// Put adds documents or replaces those of the same ID.
func (c *Corpus) Put(docs ...Doc) {
	ps := make([]*profile, len(docs))
	for i, d := range docs {
		ps[i] = newProfile(d)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, p := range ps {
		c.remove(docs[i].ID)
		c.docs[docs[i].ID] = p
		c.total += p.length
		for _, t := range p.terms {
			c.df[t.hash]++
		}
		for _, w := range p.words {
			if c.vocab[w]++; c.vocab[w] == 1 {
				k := keyOf(w, 0)
				c.spell[k] = append(c.spell[k], w)
			}
		}
		p.words = slices.Clip(p.words)
	}
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
	c.total -= p.length
	for _, t := range p.terms {
		if c.df[t.hash]--; c.df[t.hash] <= 0 {
			delete(c.df, t.hash)
		}
	}
	for _, w := range p.words {
		if c.vocab[w]--; c.vocab[w] > 0 {
			continue
		}
		delete(c.vocab, w)
		k := keyOf(w, 0)
		c.spell[k] = slices.DeleteFunc(c.spell[k], func(o string) bool { return o == w })
		if len(c.spell[k]) == 0 {
			delete(c.spell, k)
		}
	}
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
func (c *Corpus) idf(h uint32) float64 {
	n := math.Max(smallCorpus, float64(len(c.docs)))
	df := math.Max(1, float64(c.df[h]))
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
