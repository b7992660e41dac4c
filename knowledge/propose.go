package knowledge

import (
	"cmp"
	"slices"
	"sync"
)

// Propose is what an Index does, from the corpus alone: it looks at every
// document for the question's rarest terms. It costs tens of milliseconds in a
// hundred thousand articles, where an engine takes a few, and needs nothing
// but this process, so it stands in while an engine is filled or away.
func (c *Corpus) Propose(q Query) []Hit {
	if q.Limit <= 0 {
		q.Limit = DefaultLimit
	}
	lang := BaseLang(q.Lang)
	if lang == "" {
		lang = DetectLang(q.Text)
	}
	scan := c.Question(q.Text).scan()
	if len(scan.terms) == 0 {
		return nil
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	var mu sync.Mutex
	var hits []Hit
	const stretch = 4096
	each((len(c.list)+stretch-1)/stretch, 2, func(i int) {
		own := best{limit: q.Limit}
		for _, p := range c.list[i*stretch : min(len(c.list), (i+1)*stretch)] {
			if lang != "" && p.lang != lang || p.staff && q.Audience != AudienceStaff {
				continue
			}
			if s := scan.score(p); s > 0 {
				own.add(Hit{ID: p.id, Version: p.version, Score: s})
			}
		}
		mu.Lock()
		hits = append(hits, own.hits...)
		mu.Unlock()
	})
	slices.SortFunc(hits, compareHits)
	return hits[:min(q.Limit, len(hits))]
}

func compareHits(a, b Hit) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID)) }

// best keeps the best hits of many.
type best struct {
	limit int
	hits  []Hit
}

func (b *best) add(h Hit) {
	if b.hits = append(b.hits, h); len(b.hits) >= 2*b.limit+64 {
		slices.SortFunc(b.hits, compareHits)
		b.hits = b.hits[:b.limit]
	}
}

// scan is a question reduced to what is worth looking for in every document.
type scan struct {
	terms []scanTerm
	langs map[string]saturation
}

type scanTerm struct {
	hash uint32
	rank float64
}

// scanTerms bounds the terms that are looked for, the ones that tell most.
const scanTerms = 8

func (q *Question) scan() scan {
	s := scan{langs: q.langs}
	for _, u := range q.units {
		s.terms = append(s.terms, scanTerm{u.known(), u.rank})
	}
	slices.SortStableFunc(s.terms, func(a, b scanTerm) int { return cmp.Compare(b.rank, a.rank) })
	s.terms = s.terms[:min(scanTerms, len(s.terms))]
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
	return s
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
	return sum
}
