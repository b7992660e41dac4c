package learn_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/knowledge"
	"hotline/knowledge/learn"
)

const (
	bees  = "Where can I register a beehive?"
	bees2 = "How do I get my beehive registered in the city"
)

func TestTheSameQuestionInOtherWordsIsOneGapUntilItIsAnswered(t *testing.T) {
	t.Parallel()
	s := open(t)
	ctx := context.Background()
	first := s.tell(bees, "en", knowledge.None)
	s.tell("Is there a fee for walking on the moon?", "en", knowledge.None)
	s.follow()
	s.tell(bees2, "en", knowledge.None, func(k *knowledge.Told) { k.Conversation = first.Conversation })
	s.tell(bees, "en", knowledge.None)
	s.tell(bees, "en", knowledge.HandedOff, func(k *knowledge.Told) { k.Conversation, k.Follows = first.Conversation, true })
	s.follow(s.node()) // another node takes over: it knows the gaps from the database
	open := s.gaps(learn.Open)
	if len(open) != 2 || open[0].Size != 3 || open[0].Conversations != 2 || open[0].HandedOff != 1 || open[0].Week != 3 || open[0].Agency != s.city.Agencies["dept-environment"] {
		t.Fatalf("%+v", open)
	}
	e, err := s.Draft(ctx, s.editor(), open[0].ID, "to be written")
	if err != nil || e.Version.Title != bees || !slices.Contains(e.Version.Questions, bees2) || e.Article.Owner != open[0].Agency {
		t.Fatalf("%+v, %v", e, err)
	}
	if _, err := s.Draft(ctx, s.editor(), open[0].ID, "again"); !errors.Is(err, learn.ErrDecided) {
		t.Errorf("a second draft: %v", err)
	}
	s.follow()
	if got := s.gaps(learn.Drafted); len(got) != 1 {
		t.Fatalf("a draft closes nothing: %+v", got)
	}
	text := e.Version.Text
	text.Body, text.Summary = "Register a beehive at the environment department.", "Register it at the environment department."
	e, err = s.knowledge.Save(ctx, s.editor(), e.Version.Ref(), text)
	s.must(err)
	s.release(e)
	s.follow()
	closed := s.gaps(learn.Closed)
	if len(closed) != 1 || closed[0].Article != e.Article.ID || closed[0].Since != 0 {
		t.Fatalf("%+v", closed)
	}
	// Asked again, and answered: the gap stays closed and counts it.
	s.tell("register my beehive", "en", knowledge.Answered, func(k *knowledge.Told) { k.Article, k.Version = e.Article.ID, 1 })
	s.follow()
	if got := s.gaps(learn.Closed); got[0].Since != 1 || got[0].Size != 3 {
		t.Errorf("%+v", got[0])
	}
	// Asked again, and the answer did not help: it is open again.
	useless := false
	s.tell(bees2, "en", knowledge.Answered, func(k *knowledge.Told) { k.Article, k.Version, k.Helped = e.Article.ID, 1, &useless })
	s.follow(s.node())
	if got := s.gaps(learn.Open); len(got) != 2 || got[0].Size != 4 {
		t.Errorf("%+v", got)
	}
}

func TestAnAnswerThatDidNotHelpIsAGapThatOnlyAnotherTextCloses(t *testing.T) {
	t.Parallel()
	s := open(t)
	e := s.publish("en", knowledge.Text{Title: "Beehives", Summary: "Bees are nice.", Body: "x", Questions: []string{bees}})
	k := s.tell(bees, "en", knowledge.Answered, func(k *knowledge.Told) { k.Article, k.Version = e.Article.ID, 1 })
	s.follow()
	if got := s.gaps(learn.Open); len(got) != 0 {
		t.Fatalf("an answer without a word on it: %+v", got)
	}
	s.queue(func(b *pgx.Batch) {
		knowledge.QueueHelped(b, k.Conversation, e.Article.ID, bees, false, s.clock.Now())
	})
	s.clock.Advance(1e12)
	s.follow()
	if got := s.gaps(learn.Open); len(got) != 1 || got[0].Size != 1 {
		t.Fatalf("%+v", got)
	}
	text := e.Version.Text
	text.Summary = "Register them at the environment department."
	next, err := s.knowledge.Save(context.Background(), s.editor(), e.Version.Ref(), text)
	s.must(err)
	s.release(next)
	s.follow()
	if got := s.gaps(learn.Closed); len(got) != 1 || got[0].Version != 2 {
		t.Errorf("%+v", got)
	}
}

func TestAQuestionIsStoredWithAnArticleAndReviewed(t *testing.T) {
	t.Parallel()
	s := open(t)
	e := s.publish("en", knowledge.Text{Title: "Keeping insects", Body: "Tell the environment department."})
	s.tell(bees, "en", knowledge.None)
	s.follow()
	gap := s.gaps(learn.Open)[0]
	got, err := s.AddQuestion(context.Background(), s.editor(), gap.ID, e.Article.ID, bees)
	if err != nil || got.Version.State != knowledge.InReview || !slices.Contains(got.Version.Questions, bees) || got.Article.Live != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	got, err = s.knowledge.Publish(context.Background(), s.reviewer(), got.Version.Ref())
	s.must(err)
	s.clock.Advance(1e12)
	s.follow()
	if closed := s.gaps(learn.Closed); len(closed) != 1 || closed[0].Version != 2 {
		t.Errorf("%+v", closed)
	}
	if _, err := s.AddQuestion(context.Background(), s.editor(), gap.ID, e.Article.ID, strings.Repeat("x", 500)); !errors.Is(err, learn.ErrQuestion) {
		t.Errorf("a letter as a question: %v", err)
	}
}

func TestEditorsDecideAboutWhatTheySee(t *testing.T) {
	t.Parallel()
	s := open(t)
	ctx := context.Background()
	for _, q := range []string{bees, "beekeeping licence for hobbyists, which form?", "小区里可以养蜂吗"} {
		s.tell(q, "en", knowledge.None)
	}
	s.follow()
	list := s.gaps(learn.Open)
	if len(list) != 3 {
		t.Fatalf("%+v", list)
	}
	gap := func(part string) learn.Gap {
		return list[slices.IndexFunc(list, func(g learn.Gap) bool { return strings.Contains(g.Title, part) })]
	}
	hive, licence, chinese := gap("beehive"), gap("licence"), gap("养蜂")
	stranger := s.staff("handler-util", "editor")
	for name, err := range map[string]error{
		"an operator":       s.Dismiss(ctx, s.staff("operator", "operator"), hive.ID, "no"),
		"another agency":    s.Dismiss(ctx, stranger, hive.ID, "no"),
		"without a reason":  s.Dismiss(ctx, s.editor(), hive.ID, ""),
		"itself":            s.MergeGap(ctx, s.editor(), hive.ID, hive.ID, ""),
		"another language":  s.MergeGap(ctx, s.editor(), hive.ID, chinese.ID, ""),
		"an unknown agency": s.Assign(ctx, s.editor(), hive.ID, uuid.New()),
	} {
		if err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	s.must(s.Dismiss(ctx, s.staff("head-env", "editor"), chinese.ID, "the same as on the portal")) // its own
	if _, examples, _, err := s.Gap(ctx, stranger.Actor, hive.ID); !errors.Is(err, learn.ErrNotFound) || len(examples) > 0 {
		t.Errorf("another agency sees it: %v", err)
	}
	s.must(s.Assign(ctx, s.editor(), hive.ID, s.city.Agencies["dept-utilities"]))
	if _, examples, _, err := s.Gap(ctx, stranger.Actor, hive.ID); err != nil || len(examples) != 1 {
		t.Errorf("those it was assigned to see %d: %v", len(examples), err)
	}
	s.must(s.MergeGap(ctx, s.editor(), licence.ID, hive.ID, "both ask for the form"))
	s.tell("beekeeping licence, hobbyists: form?", "en", knowledge.None)
	s.follow()
	if got := s.gaps(learn.Open); len(got) != 1 || got[0].ID != hive.ID || got[0].Size != 3 {
		t.Errorf("%+v", got)
	}
	s.must(s.Reopen(ctx, s.editor(), chinese.ID))
	if n, err := s.GapCounts(ctx, s.editor().Actor); err != nil || n[learn.Open] != 2 || n[learn.Dismissed] != 0 {
		t.Errorf("%v, %v", n, err)
	}
	for table, actor := range map[string]db.Actor{"gaps": {}, "answers": db.Citizen(uuid.New()), "proposals": stranger.Actor, "eval_pairs": stranger.Actor} {
		s.must(db.ReadTx(ctx, s.pool, actor, func(tx db.Tx) error {
			var n int
			if err := tx.QueryRow(ctx, `select count(*) from `+table).Scan(&n); err != nil || n != 0 {
				t.Errorf("%d rows of %s are seen: %v", n, table, err)
			}
			return nil
		}))
	}
}

func TestPagesOfGaps(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, q := range []string{"aardvark passports", "beaver dams", "camel parking", "dolphin taxes", "eagle insurance"} {
		s.tell(q, "en", knowledge.None)
	}
	s.tell("beaver dams?", "en", knowledge.None)
	s.follow()
	var names []string
	f := learn.GapFilter{Limit: 2}
	for {
		page, err := s.Gaps(context.Background(), s.editor().Actor, f)
		s.must(err)
		for _, g := range page {
			names = append(names, g.Title)
		}
		if len(page) < 2 {
			break
		}
		f.After = page[1]
	}
	slices.Sort(names[1:])
	if strings.Join(names, ",") != "beaver dams,aardvark passports,camel parking,dolphin taxes,eagle insurance" {
		t.Errorf("%q", names)
	}
}
