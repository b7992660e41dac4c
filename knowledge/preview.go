package knowledge

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Trial is a question that a text which is not published yet is tried on.
type Trial struct {
	Question string
	Lang     string
	Want     uuid.UUID // the article that is known to be right; uuid.Nil when nobody knows
}

// Verdict is what a citizen would be told.
type Verdict struct {
	Outcome Outcome
	Article uuid.UUID // the first; uuid.Nil for none
	Choices []uuid.UUID
	Score   float64
}

// Effect is what a publication does to the answer to one question.
type Effect struct {
	Trial
	Before, After Verdict
}

// same reports whether a citizen would be told the same.
func (v Verdict) same(o Verdict) bool {
	return v.Outcome == o.Outcome && slices.Equal(v.Choices, o.Choices)
}

// Preview tells which questions would be answered otherwise if a text were published for its article now. Errors: the database's.
func (s *Service) Preview(ctx context.Context, e Entry, trials []Trial) ([]Effect, error) {
	return s.PreviewAll(ctx, []Entry{e}, trials)
}

// PreviewAll is Preview for texts that are published together. Nothing is changed: the texts are judged beside the corpus as it is, by their words
// alone, so only questions that they or the texts they replace say something to are asked at all. Errors: the database's, the context's.
func (s *Service) PreviewAll(ctx context.Context, texts []Entry, trials []Trial) ([]Effect, error) {
	next := make(map[uuid.UUID]*profile, len(texts))
	var touched []*profile // by the publication: what comes and what goes
	for _, e := range texts {
		if e.Version.Audience != AudiencePublic && e.Version.Audience != "" {
			e.Version.Text = Text{} // the bot will not have it
		}
		p := newProfile(e.Article.doc(e.Version))
		next[e.Article.ID] = p
		touched = append(touched, p)
		if before := s.corpus().kept(e.Article.ID.String()); before != nil {
			touched = append(touched, before)
		}
	}
	type asked struct {
		trial int
		hits  []uuid.UUID
	}
	var list []asked
	var ids []uuid.UUID
	for i, t := range trials {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		q := s.corpus().Question(cutQuestion(t.Question))
		th := s.ThresholdsOf(questionLang(t.Question, t.Lang))
		least := th.Close - th.Margin
		if !slices.ContainsFunc(touched, func(p *profile) bool { return q.score(q.measure(p)) >= least }) {
			continue // none of the texts has a part in the answer
		}
		hits, err := s.propose(ctx, Query{Text: cutQuestion(t.Question), Lang: questionLang(t.Question, t.Lang), Audience: AudiencePublic, Limit: Proposals})
		if err != nil {
			return nil, fmt.Errorf("preview: %w", err)
		}
		a := asked{trial: i}
		for _, h := range hits {
			if x, err := uuid.Parse(h.ID); err == nil {
				a.hits = append(a.hits, x)
			}
		}
		ids = append(ids, a.hits...)
		list = append(list, a)
	}
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	rows, err := s.Pool.Query(ctx, sqlServableVersions, s.today(), false, s.Clock.Now(), slices.Compact(ids))
	if err != nil {
		return nil, fmt.Errorf("preview: %w", err)
	}
	live, err := pgx.CollectRows(rows, pgx.RowToStructByPos[liveVersion])
	if err != nil {
		return nil, fmt.Errorf("preview: %w", err)
	}
	servable := make(map[uuid.UUID]int, len(live))
	for _, v := range live {
		servable[v.ID] = v.Version
	}
	var out []Effect
	for _, a := range list {
		t := trials[a.trial]
		f := Effect{Trial: t, Before: s.verdict(t, a.hits, servable, nil), After: s.verdict(t, a.hits, servable, next)}
		if !f.Before.same(f.After) {
			out = append(out, f)
		}
	}
	return out, nil
}

// verdict is Answer over profiles: with the texts that are to come in the place of their articles' own.
func (s *Service) verdict(t Trial, hits []uuid.UUID, servable map[uuid.UUID]int, next map[uuid.UUID]*profile) Verdict {
	q := s.corpus().Question(cutQuestion(t.Question))
	type one struct {
		found
		rank float64
	}
	var all []one
	add := func(id uuid.UUID, p *profile) {
		if p == nil {
			return
		}
		if m := q.measure(p); m.rankOf() > 0 {
			all = append(all, one{found{id, q.score(m)}, m.rankOf()})
		}
	}
	for _, id := range hits {
		if _, ok := servable[id]; ok && next[id] == nil {
			add(id, s.corpus().kept(id.String()))
		}
	}
	lang := questionLang(t.Question, t.Lang)
	for id, p := range next {
		if lang == "" || lang == p.lang {
			add(id, p)
		}
	}
	slices.SortFunc(all, func(a, b one) int {
		switch {
		case a.rank > b.rank:
			return -1
		case a.rank < b.rank:
			return 1
		}
		return slices.Compare(a.id[:], b.id[:])
	})
	fs := make([]found, len(all))
	for i, o := range all {
		fs[i] = o.found
	}
	fs = byScore(fs)
	scores := make([]float64, len(fs))
	for i, f := range fs {
		scores[i] = f.score
	}
	v := Verdict{Outcome: None}
	if len(fs) == 0 {
		return v
	}
	v.Score = math.Round(fs[0].score*1000) / 1000
	var n int
	v.Outcome, n = s.ThresholdsOf(questionLang(t.Question, t.Lang)).Decide(scores)
	for _, f := range fs[:n] {
		v.Choices = append(v.Choices, f.id)
	}
	if n > 0 {
		v.Article = v.Choices[0]
	}
	return v
}

// kept is the profile of a document as the corpus has it; nil for none.
func (c *Corpus) kept(id string) *profile {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.docs[id]
}
