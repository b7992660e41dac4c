package knowledge

import (
	"cmp"
	"context"
	"hash/fnv"
	"slices"
	"time"

	"hotline/knowledge/calibrate"
)

// Asked is a question whose right articles are known.
type Asked struct {
	Question string
	Lang     string
	Right    []Doc
}

// strayShare is the weight of a question whose article is taken away, so that nothing is right: of what citizens ask, one in five is taken to be
// about something that no article says.
const strayShare = 0.25

// Trials asks each question twice: without the stored question that it is itself, which says whether the score finds the right article; and without
// its articles, which says what a question scores that nothing answers. The corpus is not changed: what is left of an article is judged beside it.
// Errors: ctx's own.
func (c *Corpus) Trials(ctx context.Context, all []Asked, t Thresholds) ([]calibrate.Pair, error) {
	out := make([]calibrate.Pair, 0, 2*len(all))
	for _, a := range all {
		began := time.Now()
		left := make(map[string]*profile, len(a.Right))
		for _, d := range a.Right {
			d.Questions = slices.DeleteFunc(slices.Clone(d.Questions), func(q string) bool { return q == a.Question })
			left[d.ID] = newProfile(d)
		}
		known, none := c.tryAll(a, left)
		add := func(js []tried, weight float64) {
			p := calibrate.Pair{Weight: weight}
			if len(js) > 0 {
				_, ok := left[js[0].id]
				p.Score, p.Right = js[0].score, ok && weight == 1
				p.Shared = len(js) > 1 && js[1].score >= t.Close && js[0].score-js[1].score <= t.Margin
			}
			out = append(out, p)
		}
		add(known, 1)
		add(none, strayShare)
		select { // as long as it took: whoever asks meanwhile comes first
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Since(began)):
		}
	}
	return out, nil
}

type tried struct {
	id          string
	score, rank float64
}

// tryAll judges what the corpus proposes: with what is left of the right articles, and without them. The best score comes first, then the order of
// the search, as it does for an answer.
func (c *Corpus) tryAll(a Asked, left map[string]*profile) (known, none []tried) {
	hits := c.Propose(Query{Text: a.Question, Lang: questionLang(a.Question, a.Lang), Limit: Proposals + len(left)})
	q := c.Question(a.Question)
	scan := q.scan()
	least := 0.0
	for _, h := range hits {
		if left[h.ID] != nil {
			continue
		}
		if least = h.Score; len(none) < Proposals {
			if p := c.kept(h.ID); p != nil {
				none = q.try(none, p)
			}
		}
	}
	known = slices.Clone(none)
	for _, p := range left {
		if s := scan.score(p); s > 0 && (len(none) < Proposals || s >= least) { // it is found without the question it was asked by
			known = q.try(known, p)
		}
	}
	return bestFirst(known), bestFirst(none)
}

func (q *Question) try(list []tried, p *profile) []tried {
	m := q.measure(p)
	if r := m.rankOf(); r > 0 {
		list = append(list, tried{p.id, q.score(m), r})
	}
	return list
}

func bestFirst(list []tried) []tried {
	slices.SortFunc(list, func(a, b tried) int { return cmp.Or(cmp.Compare(b.rank, a.rank), cmp.Compare(a.id, b.id)) })
	best := 0
	for i, t := range list {
		if t.score > list[best].score {
			best = i
		}
	}
	if best > 0 {
		t := list[best]
		copy(list[1:best+1], list[:best])
		list[0] = t
	}
	return list
}

// sample takes at most so many of the stored questions of documents for everybody: the same ones for the same documents, whatever their order.
type sample struct {
	most int
	list []sampled
}

type sampled struct {
	Asked
	at uint64
}

func (s *sample) add(docs []Doc) {
	for _, d := range docs {
		if d.Audience == AudienceStaff {
			continue
		}
		for _, q := range d.Questions {
			s.list = append(s.list, sampled{Asked{Question: q, Lang: d.Lang, Right: []Doc{d}}, lot(d.ID, q)})
		}
	}
	slices.SortFunc(s.list, func(a, b sampled) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.Question, b.Question)) })
	if len(s.list) > s.most {
		clear(s.list[s.most:])
		s.list = s.list[:s.most]
	}
}

// StoredQuestions are at most so many of the stored questions of documents for everybody, drawn by lot, the same each time.
func StoredQuestions(docs []Doc, most int) []Asked {
	s := sample{most: most}
	s.add(docs)
	out := make([]Asked, len(s.list))
	for i, one := range s.list {
		out[i] = one.Asked
	}
	return out
}

func lot(id, question string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(id + "\x00" + question))
	x := h.Sum64() // the last bytes hardly reach the high bits: stir
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	return x ^ x>>33
}

// Fitted is what trials taught.
type Fitted struct {
	Curve calibrate.Curve  `json:"curve,omitempty"`
	Table []calibrate.Step `json:"table,omitempty"`
	// Bins and Error are of the half that a curve of the other half was tried on.
	Bins  []calibrate.Bin `json:"bins,omitempty"`
	Error float64         `json:"error,omitempty"`
}

// Learn fits trials, in the order that Trials gave them: with and without its article a question stays in one half.
func Learn(pairs []calibrate.Pair) Fitted {
	var a, b []calibrate.Pair
	for i, p := range pairs {
		if i/2%2 == 0 {
			a = append(a, p)
		} else {
			b = append(b, p)
		}
	}
	f := Fitted{Curve: calibrate.Fit(pairs), Table: calibrate.Table(pairs)}
	f.Bins, f.Error = calibrate.Reliability(calibrate.Fit(a), b)
	return f
}
