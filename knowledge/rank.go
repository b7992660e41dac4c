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
	candidates := make([]candidate, len(docs))
	for i := range docs {
		candidates[i] = candidate{id: docs[i].ID, version: docs[i].Version, doc: func() Doc { return docs[i] }}
	}
	js := c.judge(question, candidates)
	out := make([]Ranked, len(js))
	for i, j := range js {
		out[i] = Ranked{Doc: docs[j.at], Score: j.score, Rank: j.rank}
	}
	return out
}

// candidate is a document to judge. Its text is asked for only when the corpus
// does not hold this version of it.
type candidate struct {
	id      string
	version int
	doc     func() Doc
}

// judgement is about candidates[at].
type judgement struct {
	at          int
	score, rank float64
}

func (c *Corpus) judge(question string, candidates []candidate) []judgement {
	q := c.Question(question)
	out := make([]judgement, 0, len(candidates))
	for i, d := range candidates {
		m := q.measure(c.profileOf(d.id, d.version, d.doc))
		if r := m.rankOf(); r > 0 {
			out = append(out, judgement{at: i, score: q.score(m), rank: r})
		}
	}
	slices.SortFunc(out, func(a, b judgement) int {
		return cmp.Or(cmp.Compare(b.rank, a.rank), cmp.Compare(candidates[a.at].id, candidates[b.at].id))
	})
	return out
}

// Score judges one document: 0 when it has nothing to do with the question,
// near 1 when it is an article for exactly this question. It is pure: it
// depends on the question, the document and the corpus only.
func (c *Corpus) Score(question string, d Doc) float64 {
	q := c.Question(question)
	return q.score(q.measure(c.profileOf(d.ID, d.Version, func() Doc { return d })))
}
