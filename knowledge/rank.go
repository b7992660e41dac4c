package knowledge

import (
	"cmp"
	"slices"
)

// Proposals is how many articles an index is asked for when the best few are
// wanted: enough that the deciding score rarely misses one, few enough to be
// read again in one query.
const Proposals = 30

// Ranked is a judged document.
type Ranked struct {
	Doc   Doc
	Score float64 // the deciding score, 0..1: how well the document answers
	Rank  float64 // order among documents of one search
}

// Rank judges documents against a question and orders them, best first and
// equals by ID. Documents that share no term with the question are left out.
func (c *Corpus) Rank(question string, docs []Doc) []Ranked {
	q := c.Question(question)
	out := make([]Ranked, 0, len(docs))
	for _, d := range docs {
		m := q.measure(c.profileOf(d))
		if r := m.rankOf(); r > 0 {
			out = append(out, Ranked{Doc: d, Score: m.score(), Rank: r})
		}
	}
	slices.SortFunc(out, func(a, b Ranked) int {
		return cmp.Or(cmp.Compare(b.Rank, a.Rank), cmp.Compare(a.Doc.ID, b.Doc.ID))
	})
	return out
}

// Score judges one document: 0 when it has nothing to do with the question,
// near 1 when it is an article for exactly this question. It is pure: it
// depends on the question, the document and the corpus only.
func (c *Corpus) Score(question string, d Doc) float64 {
	return c.Question(question).measure(c.profileOf(d)).score()
}
