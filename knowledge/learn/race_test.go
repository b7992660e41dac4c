package learn_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"hotline/internal/testkit"
	"hotline/knowledge"
	"hotline/knowledge/learn"
)

// While an editor makes one gap of two, questions come in and citizens say that an answer did not help: both are done, and every question is in the gap that is left.
func TestQuestionsThatComeWhileGapsAreMergedAreInTheOneThatIsLeft(t *testing.T) {
	t.Parallel()
	s := open(t)
	ctx := t.Context()
	s.tell("beekeeping licence form", "en", knowledge.None)
	s.tell("eagle insurance", "en", knowledge.None)
	s.follow()
	var from, into learn.Gap
	for _, g := range s.gaps(learn.Open) {
		if g.Title == "eagle insurance" {
			into = g
		} else {
			from = g
		}
	}
	e := s.publish("en", knowledge.Text{Title: "Bees", Body: "Bees need flowers."})
	told := s.tell("beekeeping licence form", "en", knowledge.Answered, func(t *knowledge.Told) { t.Article, t.Version = e.Article.ID, 1 })
	s.follow() // it is about the gap, and has not helped anybody yet
	s.queue(func(b *pgx.Batch) {
		knowledge.QueueHelped(b, told.Conversation, e.Article.ID, told.Question, false, s.clock.Now())
	})
	s.tell("the form of a beekeeping licence", "en", knowledge.None)
	last := from.ID
	if into.ID.String() > last.String() {
		last = into.ID
	}
	writing := testkit.Hold(t, testkit.OwnerPool(t, s.pool), `select from gaps where id = $1 for update`, last)
	merged := writing.Start(1, func() error { return s.MergeGap(ctx, s.editor(), from.ID, into.ID, "") })
	followed := writing.Start(2, func() error { _, err := s.Step(ctx); return err })
	writing.LetGo()
	if err := errors.Join(<-merged, <-followed); err != nil {
		t.Fatal(err)
	}
	if got := s.gaps(learn.Open); len(got) != 1 || got[0].ID != into.ID || got[0].Size != 4 {
		t.Errorf("%+v", got)
	}
}
