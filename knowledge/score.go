package knowledge

import (
	"math"
	"slices"
)

// Question is a citizen's question prepared for judging documents. It holds
// the statistics of the moment it was made.
type Question struct {
	corpus *Corpus
	units  []unit
	weight float64 // sum of the units' weights
	rank   float64 // sum of the units' ranking weights
	scale  float64 // see pairSlack
	avgLen float64
	syns   []synUnit
}

// unit is one distinct term of the question.
type unit struct {
	hash   uint32
	idf    float64
	weight float64 // importance for deciding: kind × rarity
	rank   float64 // importance for ranking
	alt    uint32  // spelling correction, 0 if none
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
	ws := subject(text)
	c.mu.RLock()
	defer c.mu.RUnlock()
	q := &Question{corpus: c, avgLen: 1, scale: 1}
	pairs := 0.0
	if n := len(c.docs); n > 0 {
		q.avgLen = c.total / float64(n)
	}
	for _, w := range ws {
		h := hashTerm(w.Text)
		u := unit{hash: h}
		if w.Kind == Word && c.df[h] == 0 {
			if v := c.correct(w.Word); v != "" {
				u.alt = hashTerm(stemOf(v))
			}
		}
		if u.alt != 0 {
			u.idf = c.idf(u.alt)
		} else {
			u.idf = c.idf(h)
		}
		u.weight = w.decide * u.idf
		u.rank = w.Weight * math.Pow(u.idf, rarityPower)
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
	q.addSynonyms(text)
	return q
}

func (q *Question) addSynonyms(text string) {
	ts := Analyze(text)
	for _, e := range q.corpus.syn.Expand(ts) {
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
	case f.head > 0:
		return headCover
	case f.tag > 0:
		return tagCover
	case f.brief > 0:
		return briefCover
	case f.body > 0:
		// a word that keeps coming back is nearer to the subject
		return bodyCover + 0.15*(1-1/float64(f.body))
	}
	return 0
}

// measures of one document against a question.
type measures struct {
	mass  float64 // ≥ 0, nats: how much the matching terms say
	cover float64 // 0..1, weighted share of the question's terms the document holds
	like  float64 // 0..1, likeness to the nearest title or stored question
	bm25  float64 // 0..1, BM25 with field weights as a share of its supremum
}

const (
	bm25K1 = 1.2
	bm25B  = 0.75
	// rarityPower lets rare terms count somewhat more than BM25 does, as
	// questions are longer than keyword queries and hold more filling.
	rarityPower = 1.25
)

func (q *Question) measure(p *profile) measures {
	var m measures
	if q.rank == 0 {
		return m
	}
	norm := bm25K1 * (1 - bm25B + bm25B*p.length/q.avgLen)
	covers := make([]float64, len(q.units))
	for i, u := range q.units {
		f, ok := p.find(u.hash)
		penalty := 1.0
		if !ok && u.alt != 0 {
			f, ok = p.find(u.alt)
			penalty = spellPenalty
		}
		if !ok {
			continue
		}
		covers[i] = penalty * cover(f)
		tf := headWeight*float64(f.head) + tagWeight*float64(f.tag) + briefWeight*float64(f.brief) + float64(f.body)
		m.bm25 += penalty * u.rank * tf / (tf + norm)
	}
	for _, s := range q.syns {
		q.applySynonym(p, s, covers, &m, norm)
	}
	for i, u := range q.units {
		m.mass += u.weight * covers[i]
	}
	if q.weight > 0 {
		m.cover = m.mass / q.weight
	}
	m.bm25 /= q.rank
	m.like = q.likeness(p)
	return m
}

func (q *Question) applySynonym(p *profile, s synUnit, covers []float64, m *measures, norm float64) {
	best := 0.0
	for _, alt := range s.alternates {
		least := 1.0
		for _, h := range alt {
			f, _ := p.find(h)
			least = math.Min(least, cover(f))
		}
		if len(alt) > 0 {
			best = math.Max(best, least*synonymPenalty)
		}
	}
	for _, i := range s.units {
		if gain := best - covers[i]; gain > 0 {
			covers[i] = best
			m.bm25 += gain * q.units[i].rank / (1 + norm)
		}
	}
}

// rankOf orders documents for a search.
func (m measures) rankOf() float64 { return m.bm25 + likeRank*m.like*m.like*m.like }

// likeRank is what a title or stored question that is the question itself
// adds to a document's place in a search. Cubed, because a title that shares a
// common word says nothing, and one that is nearly the question says it all.
const likeRank = 0.4

// likeness compares the question with the title and each stored question:
// the weight both share over the weight of both (Dice).
func (q *Question) likeness(p *profile) float64 {
	best := 0.0
	q.corpus.mu.RLock()
	defer q.corpus.mu.RUnlock()
	for _, head := range p.heads {
		var total, shared float64
		for _, t := range head {
			total += float64(t.weight) * q.corpus.idf(t.hash)
		}
		for _, u := range q.units {
			if hasTerm(head, u.hash) {
				shared += u.weight
			} else if u.alt != 0 && hasTerm(head, u.alt) {
				shared += u.weight * spellPenalty
			}
		}
		if sum := total + q.weight; sum > 0 {
			best = math.Max(best, 2*shared/sum)
		}
	}
	return math.Min(1, best)
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
	found := q.scale * (0.8*m.bm25 + 0.2*m.like)
	asked := m.like * m.like * m.like // a stored question that is nearly this one settles it
	return math.Min(1, math.Max(found, asked)*evidence)
}

// enoughMass is the information, in nats, whose match counts as two thirds of
// proof: about one rare word.
const enoughMass = 2.5
