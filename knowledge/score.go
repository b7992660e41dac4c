package knowledge

import (
	"maps"
	"math"
	"slices"
)

// Question is a citizen's question prepared for judging documents. It holds
// the statistics of the moment it was made.
type Question struct {
	corpus *Corpus
	lang   string               // in whose words it is read, see tongueName
	others map[string]*Question // the same in the words of other languages that the corpus has
	units  []unit
	weight float64 // sum of the units' weights
	rank   float64 // sum of the units' ranking weights
	scale  float64 // see pairSlack
	syns   []synUnit
	sides  []side
	langs  map[string]saturation
}

// unit is one distinct term of the question.
type unit struct {
	hash   uint32
	idf    float64
	weight float64 // importance for deciding: kind × rarity
	rank   float64 // importance for ranking: √occurrences × rarity
	alt    uint32  // spelling correction, 0 if none
	held   int     // documents that hold it, or its correction
}

// side is two words that stand side by side in the question.
type side struct {
	first, second uint32
	weight        float64
}

// synUnit lets an expression of the question be covered by another one.
type synUnit struct {
	units      []int
	alternates [][]uint32
}

const (
	spellPenalty   = 0.8 // a corrected word counts this much
	synonymPenalty = 0.9
)

// Question prepares text. The same question over the same corpus always
// gives the same scores.
func (c *Corpus) Question(text string) *Question {
	c.mu.RLock()
	defer c.mu.RUnlock()
	respelled := c.respellHan(unframe(text))
	q := c.questionIn("", text, respelled)
	for lang := range c.langs {
		if name := tongueName(lang); name != "" && q.others[name] == nil {
			if q.others == nil {
				q.others = map[string]*Question{}
			}
			q.others[name] = c.questionIn(name, text, respelled)
		}
	}
	return q
}

// in gives the question in the words of a language.
func (q *Question) in(lang string) *Question {
	if o := q.others[tongueName(lang)]; o != nil {
		return o
	}
	return q
}

// readings are those of the question that documents in a language are found by; of any language, where it is "".
func (q *Question) readings(lang string) []*Question {
	if lang != "" || len(q.others) == 0 {
		return []*Question{q.in(lang)}
	}
	out := []*Question{q}
	for _, name := range slices.Sorted(maps.Keys(q.others)) {
		out = append(out, q.others[name])
	}
	return out
}

// questionIn reads text in a language; for respelled see respellHan. The caller holds the lock.
func (c *Corpus) questionIn(lang, text, respelled string) *Question {
	ws := subject(lang, text)
	q := &Question{corpus: c, lang: lang, scale: 1, langs: c.saturations()}
	pairs := 0.0
	for _, w := range ws {
		u := unit{hash: hashTerm(w.Text)}
		if meant := c.meant(lang, w.Term, respelled); meant != "" {
			u.alt = hashTerm(meant)
		}
		u.held = c.terms.count(u.known())
		u.idf = c.rarity(u.held)
		u.weight = w.decide * u.idf
		u.rank = math.Sqrt(w.Times) * u.idf
		if w.Kind == Char {
			u.rank *= charRank
		}
		q.units = append(q.units, u)
		q.weight += u.weight
		if w.Kind == Pair {
			pairs += u.weight
		}
		q.rank += u.rank
	}
	if q.weight > 0 {
		q.scale += pairSlack * pairs / q.weight
	}
	q.addSides(text)
	q.addSynonyms(text)
	return q
}

// known is the term by which the unit is found in documents that do not hold
// it as it was written.
func (u unit) known() uint32 {
	if u.alt != 0 {
		return u.alt
	}
	return u.hash
}

// charRank is how much more a single character of a script without spaces says
// for ranking than its pairs would have it: lay questions and the words of an
// authority often share half a word (房租 and 租金).
const charRank = 1.3

// sideWeight is what two words side by side add, as a share of what each says
// alone: documents about "driving licence" hold it as it stands.
const sideWeight = 0.3

func (q *Question) addSides(text string) {
	at := make(map[uint32]int, len(q.units))
	for i, u := range q.units {
		at[u.hash] = i
	}
	last := -1
	for _, t := range AnalyzeIn(q.lang, unframe(text)) {
		i, ok := at[hashTerm(t.Text)]
		if t.Kind != Word || !ok {
			last = -1
			continue
		}
		if last >= 0 {
			a, b := q.units[last], q.units[i]
			d := side{a.known(), b.known(), sideWeight * (a.rank + b.rank) / 2}
			if !slices.ContainsFunc(q.sides, func(o side) bool { return o.first == d.first && o.second == d.second }) {
				q.sides = append(q.sides, d)
			}
		}
		last = i
	}
}

func (q *Question) addSynonyms(text string) {
	ts := AnalyzeIn(q.lang, text)
	for _, e := range q.corpus.syn.Expand(q.lang, ts) {
		var s synUnit
		for _, t := range ts[e.From:e.To] {
			h := hashTerm(t.Text)
			if i := slices.IndexFunc(q.units, func(u unit) bool { return u.hash == h }); i >= 0 {
				s.units = append(s.units, i)
			}
		}
		for _, a := range e.Alternates {
			var hs []uint32
			for _, t := range a {
				if t.Kind != Char || len(a) == 1 {
					hs = append(hs, hashTerm(t.Text))
				}
			}
			s.alternates = append(s.alternates, hs)
		}
		if len(s.units) > 0 {
			q.syns = append(q.syns, s)
		}
	}
}

// Empty reports a question without a single term to judge by.
func (q *Question) Empty() bool { return len(q.units) == 0 }

// Parts of the score. A term in a title or keyword is what the article is
// about; one that a body merely mentions is not.
const (
	headCover  = 1.0
	tagCover   = 1.0
	briefCover = 0.8
	bodyCover  = 0.55
)

func cover(f termFreq) float64 {
	switch {
	case f.n[head] > 0 || f.n[asked] > 0:
		return headCover
	case f.n[tag] > 0:
		return tagCover
	case f.n[brief] > 0:
		return briefCover
	case f.n[body] > 0:
		// a word that keeps coming back is nearer to the subject
		return bodyCover + 0.15*(1-1/float64(f.n[body]))
	}
	return 0
}

// measures of one document against a question.
type measures struct {
	mass  float64 // ≥ 0, nats: how much the matching terms say
	like  float64 // 0..1, likeness to the nearest title or stored question
	found float64 // 0..1, BM25F as a share of its supremum, comparable between collections
	rank  float64 // the same as fits the collection, and what stands side by side
	near  float64 // what likeness adds to rank
}

// BM25F (Robertson, Zaragoza and Taylor, CIKM 2004): the occurrences of a term
// in each part, normalised by the part's length, add up before they saturate.
const (
	bm25K1 = 1.2
	bm25B  = 0.75
	// A long text in a script without spaces holds most common characters by
	// chance, so there its length counts more against it when ranking.
	unspacedB = 0.9
	// Where articles are longer than this many terms on average, k1 grows with
	// their length, up to the limit: in a long article a word of the subject
	// comes back ten times, and one that is only mentioned three times.
	roomyTerms = 250
	maxK1      = 6
)

// saturation is how occurrences turn into evidence in one language.
type saturation struct {
	k1  float64
	b   float64
	avg [parts]float64
	all float64 // sum of avg
	// asked is how much the words of stored questions count, 0..1: in full until one document is measured.
	asked float64
}

func (c *Corpus) saturations() map[string]saturation {
	out := make(map[string]saturation, len(c.langs))
	for lang, l := range c.langs {
		s := saturation{b: lengthWeight(lang), asked: 1}
		for i, sum := range l.sum {
			s.avg[i] = sum / math.Max(1, float64(l.docs))
			s.all += s.avg[i]
		}
		s.k1 = math.Min(maxK1, bm25K1*math.Max(1, s.all/roomyTerms))
		out[lang] = s
	}
	return out
}

// lengthWeight is BM25's b for ranking.
func lengthWeight(lang string) float64 {
	switch lang {
	case "zh", "ja", "ko":
		return unspacedB
	}
	return bm25B
}

// occurrences of a term in a document, normalised by length; those in stored
// questions are not, see spoken.
type occurrences struct {
	fielded float64 // each part by its own weight and length, for ranking
	plain   float64 // over the whole text, for deciding
}

func (o occurrences) times(f float64) occurrences { return occurrences{o.fielded * f, o.plain * f} }

func (o occurrences) with(f func(a, b float64) float64, v occurrences) occurrences {
	return occurrences{f(o.fielded, v.fielded), f(o.plain, v.plain)}
}

func (s saturation) occurrences(p *profile, n [parts]uint8) (o occurrences) {
	for i, k := range n {
		if k > 0 {
			said := spoken(i, k)
			if i == asked {
				said *= s.asked
			} else {
				said /= relative(p.length[i], s.avg[i], s.b)
			}
			o.fielded += said
			o.plain += plainWeight[i] * float64(k)
		}
	}
	o.plain /= relative(p.size(), s.all, bm25B)
	return o
}

// relative is a length against the average, as BM25 divides by it.
func relative(length, average, b float64) float64 {
	return 1 - b + b*length/math.Max(1, average)
}

func (q *Question) measure(p *profile) measures {
	q = q.in(p.lang)
	var m measures
	if q.rank == 0 {
		return m
	}
	s, ok := q.langs[p.lang]
	if !ok { // the corpus has no document of this language: this one is its measure
		s = saturation{k1: bm25K1, b: lengthWeight(p.lang), avg: p.length, all: p.size()}
	}
	title, asks := q.likeness(p)
	s.asked = math.Min(1, math.Pow(asks/nearAsked, 2))
	covers, said := make([]float64, len(q.units)), make([]occurrences, len(q.units))
	for i, u := range q.units {
		f, ok := p.find(u.hash)
		penalty := 1.0
		if !ok && u.alt != 0 {
			f, ok = p.find(u.alt)
			penalty = spellPenalty
		}
		if ok {
			covers[i], said[i] = penalty*cover(f), s.occurrences(p, f.n).times(penalty)
		}
	}
	for _, y := range q.syns {
		y.apply(p, s, covers, said)
	}
	for i, u := range q.units {
		m.mass += u.weight * covers[i]
		m.found += u.rank * saturate(said[i].plain, bm25K1)
		m.rank += u.rank * saturate(said[i].fielded, s.k1)
	}
	for _, d := range q.sides {
		m.rank += d.weight * saturate(s.occurrences(p, p.sideBySide(d)).fielded, s.k1)
	}
	m.found /= q.rank
	m.rank /= q.rank
	m.like = math.Max(title, asks)
	m.near = likeRank * math.Max(math.Pow(title, 3), math.Pow(asks, 6))
	if m.like > same {
		m.near += sameRank
	}
	return m
}

func saturate(tf, k1 float64) float64 { return tf / (tf + k1) }

// sideBySide counts two words next to each other.
func (p *profile) sideBySide(d side) (n [parts]uint8) {
	first, one := p.find(d.first)
	second, other := p.find(d.second)
	if !one || !other {
		return n
	}
	for i, order := range p.order {
		if first.n[i] == 0 || second.n[i] == 0 {
			continue
		}
		for k := 1; k < len(order); k++ {
			if order[k] == d.second && order[k-1] == d.first && n[i] < math.MaxUint8 {
				n[i]++
			}
		}
	}
	return n
}

// apply lets a document that holds an alternate count as one that holds the
// expression itself, nearly.
func (y synUnit) apply(p *profile, s saturation, covers []float64, said []occurrences) {
	covered, best := 0.0, occurrences{}
	for _, alt := range y.alternates {
		if len(alt) == 0 {
			continue
		}
		c, o := 1.0, occurrences{math.Inf(1), math.Inf(1)}
		for _, h := range alt {
			f, _ := p.find(h)
			c, o = math.Min(c, cover(f)), o.with(math.Min, s.occurrences(p, f.n))
		}
		covered, best = math.Max(covered, c*synonymPenalty), best.with(math.Max, o.times(synonymPenalty))
	}
	for _, i := range y.units {
		covers[i], said[i] = math.Max(covers[i], covered), said[i].with(math.Max, best)
	}
}

// rankOf orders documents for a search.
func (m measures) rankOf() float64 { return m.rank + m.near }

const (
	// likeRank is what a title or stored question that is the question itself
	// adds to a document's place in a search. Cubed, because a title that shares
	// a common word says nothing, and one that is nearly the question says it
	// all; to the sixth for stored questions, as an article has many of them and
	// its neighbours may have none.
	likeRank = 0.2
	// sameRank is what it adds when both are made of the same terms, more than all
	// else together: who asks what was stored means the article it was stored with.
	sameRank = 1.5
	same     = 1 - 1e-4
	// nearAsked is the likeness of the nearest stored question from which on the
	// words of all of them count in full for ranking.
	nearAsked = 0.3
)

// likeness compares the question with the title and with each stored question,
// of which the nearest counts: the weight both share over the weight of both
// (Dice).
func (q *Question) likeness(p *profile) (title, asks float64) {
	q.corpus.mu.RLock()
	defer q.corpus.mu.RUnlock()
	for i, head := range p.heads {
		var total, shared float64
		for _, u := range q.units {
			if hasTerm(head, u.hash) {
				shared += u.weight
			} else if u.alt != 0 && hasTerm(head, u.alt) {
				shared += u.weight * spellPenalty
			}
		}
		if shared == 0 {
			continue
		}
		for _, t := range head {
			total += float64(t.weight) * q.corpus.idf(t.hash)
		}
		sum := total + q.weight
		if sum <= 0 {
			continue
		}
		like := math.Min(1, 2*shared/sum)
		if i < p.asks {
			title = like
		} else {
			asks = math.Max(asks, like)
		}
	}
	return title, asks
}

func hasTerm(head []headTerm, h uint32) bool {
	_, ok := slices.BinarySearchFunc(head, h, func(t headTerm, h uint32) int { return cmpHash(t.hash, h) })
	return ok
}

// pairSlack makes up for the character pairs of a Chinese question that lie
// across the border of two words: they are found only where the article puts
// the same two words side by side, which no English question is asked for.
const pairSlack = 0.15

// score combines the measures into how well the document answers. The last
// factor asks for evidence: a question of one vague word that happens to occur
// is no proof, however completely it is covered.
func (q *Question) score(m measures) float64 {
	evidence := 1 - math.Exp(-m.mass/enoughMass)
	found := q.scale * (0.8*m.found + 0.2*m.like)
	asked := m.like * m.like * m.like // a stored question that is nearly this one settles it
	return math.Min(1, math.Max(found, asked)*evidence)
}

// enoughMass is the information, in nats, whose match counts as two thirds of
// proof: about one rare word.
const enoughMass = 2.5
