package knowledge

import (
	"cmp"
	"slices"
	"sync"
)

// Propose gives the articles that may answer a question, best first. It adds up
// what the postings of the question's rarest terms say of each document, and
// looks closer at the best and at those that were asked just this. Where no
// language is asked for, each is searched in its own words.
func (c *Corpus) Propose(q Query) []Hit {
	if q.Limit <= 0 {
		q.Limit = DefaultLimit
	}
	lang := BaseLang(q.Lang)
	if lang == "" {
		lang = DetectLang(q.Text)
	}
	question := c.Question(q.Text)
	var hits []Hit
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, r := range question.readings(lang) {
		scan := r.scan()
		if len(scan.terms) == 0 {
			continue
		}
		wanted := func(p *profile) bool {
			return (p.lang == lang || lang == "" && tongueName(p.lang) == r.lang) && (!p.staff || q.Audience == AudienceStaff)
		}
		for _, p := range c.likely(scan, lang, closer*q.Limit, wanted) {
			hits = append(hits, Hit{ID: p.id, Version: p.version, Score: scan.score(p)})
		}
	}
	slices.SortFunc(hits, compareHits)
	return hits[:min(q.Limit, len(hits))]
}

// closer is how many documents are looked at for each that is wanted: the
// postings know a length from when the document came, and no parts.
const closer = 4

// likely gives the documents of which the postings say most, and those whose title or stored question is the question.
func (c *Corpus) likely(scan scan, lang string, most int, wanted func(*profile) bool) []*profile {
	top := best{limit: most}
	sums := c.sums(scan, lang)
	for at, sum := range sums {
		if sum <= 0 || float64(sum) < top.floor {
			continue
		}
		if p := c.list[at]; wanted(p) {
			top.add(Hit{ID: p.id, Score: float64(sum)})
		}
	}
	clear(sums)
	sumsPool.Put(&sums)
	out := make([]*profile, 0, len(top.hits))
	for _, h := range top.hits {
		out = append(out, c.docs[h.ID])
	}
	for _, at := range c.headings.rarest(scan.whole) {
		if p := c.list[at.place()]; wanted(p) && scan.is(p) && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// sumsPool keeps the sums of searches, a number for each document, all zero.
var sumsPool sync.Pool

// sums adds up what the postings say of each place.
func (c *Corpus) sums(s scan, lang string) []float32 {
	var sums []float32
	if kept, ok := sumsPool.Get().(*[]float32); ok && cap(*kept) >= len(c.list) {
		sums = (*kept)[:len(c.list)]
	} else {
		sums = make([]float32, len(c.list))
	}
	k1 := float32(bm25K1)
	if by, ok := s.langs[lang]; ok {
		k1 = float32(by.k1)
	}
	for _, t := range s.terms {
		rank := float32(t.rank)
		for _, p := range c.terms.of(t.hash) {
			at := p.place()
			said := p.says()
			sums[at] += rank * said / (said + k1*c.sizes[at])
		}
	}
	return sums
}

func compareHits(a, b Hit) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID)) }

// best keeps the best hits of many, and a few more.
type best struct {
	limit int
	hits  []Hit
	floor float64 // what scores less is not among them
}

func (b *best) add(h Hit) {
	if b.hits = append(b.hits, h); len(b.hits) >= 2*b.limit+64 {
		slices.SortFunc(b.hits, compareHits)
		b.hits = b.hits[:b.limit]
		b.floor = b.hits[b.limit-1].Score
	}
}

// scan is a question reduced to what is worth looking for in every document.
type scan struct {
	terms []scanTerm
	all   float64  // more than a document says of them
	whole []uint32 // the terms by which a title or stored question is this question
	langs map[string]saturation
}

type scanTerm struct {
	hash uint32
	rank float64
}

// Bounds of a scan: it looks for the terms that tell most, and after the first of them only for as many as walk so many postings.
const (
	scanTerms    = 32
	scanFirst    = 6
	scanPostings = 100_000
)

// scan leaves out what no document holds: in a long Chinese question the pairs that lie across the border of two words would be its rarest terms.
func (q *Question) scan() scan {
	s := scan{langs: q.langs}
	units := slices.DeleteFunc(slices.Clone(q.units), func(u unit) bool { return u.held == 0 })
	slices.SortStableFunc(units, func(a, b unit) int { return cmp.Compare(b.rank, a.rank) })
	walked := 0
	for i, u := range units {
		if walked += u.held; i == scanTerms || i >= scanFirst && walked > scanPostings {
			break
		}
		s.terms = append(s.terms, scanTerm{u.known(), u.rank})
	}
	for _, u := range q.units {
		if u.weight > 0 {
			s.whole = append(s.whole, u.hash)
		}
	}
	for _, y := range q.syns {
		rank := 0.0
		for _, i := range y.units {
			rank = max(rank, q.units[i].rank)
		}
		for _, alt := range y.alternates {
			for _, h := range alt {
				s.terms = append(s.terms, scanTerm{h, rank * synonymPenalty / float64(len(alt))})
			}
		}
	}
	for _, t := range s.terms {
		s.all += t.rank
	}
	return s
}

// is reports whether the title or a stored question of a document says just what was asked.
func (s scan) is(p *profile) bool {
	return slices.ContainsFunc(p.heads, func(head []headTerm) bool {
		return len(head) == len(s.whole) && !slices.ContainsFunc(s.whole, func(h uint32) bool { return !hasTerm(head, h) })
	})
}

func (s scan) score(p *profile) (sum float64) {
	by, known := s.langs[p.lang]
	if !known {
		return 0
	}
	for _, t := range s.terms {
		if f, ok := p.find(t.hash); ok {
			sum += t.rank * saturate(by.occurrences(p, f.n).fielded, by.k1)
		}
	}
	if s.is(p) {
		sum += s.all
	}
	return sum
}
