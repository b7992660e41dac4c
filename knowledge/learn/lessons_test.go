package learn_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/knowledge"
	"hotline/knowledge/learn"
)

func TestConfirmedQuestionsGrowTheEvaluationSet(t *testing.T) {
	t.Parallel()
	s := open(t)
	ctx := context.Background()
	e := s.publish("en", knowledge.Text{Title: "Beehives", Summary: "Register them.", Body: "x"})
	for range 2 {
		k := s.tell(bees, "en", knowledge.Answered, func(k *knowledge.Told) { k.Article, k.Version = e.Article.ID, 1 })
		s.queue(func(b *pgx.Batch) {
			knowledge.QueueHelped(b, k.Conversation, e.Article.ID, bees, true, s.clock.Now())
		})
		s.follow()
		s.follow()
	}
	if err := s.AddPair(ctx, s.editor(), "call 13812345678 about bees", e.Article.ID); err != nil {
		t.Fatal(err)
	}
	list, err := s.Pairs(ctx, s.editor().Actor, learn.Pair{}, 10)
	s.must(err)
	at := slices.IndexFunc(list, func(p learn.Pair) bool { return p.Source == "helped" })
	if len(list) != 2 || list[at].Votes != 2 || list[at].Question != bees || list[at].Title != "Beehives" || strings.Contains(list[1-at].Question, "138") {
		t.Fatalf("%+v", list)
	}
	s.must(s.KeepPair(ctx, s.editor(), list[1-at].ID, false))
	for name, err := range map[string]error{
		"an operator": s.KeepPair(ctx, s.staff("operator", "operator"), list[0].ID, false),
		"a stranger":  s.RemovePair(ctx, s.staff("handler-util", "editor"), list[0].ID),
		"no article":  s.AddPair(ctx, s.editor(), bees, uuid.New()),
		"a word":      s.AddPair(ctx, s.editor(), "bee", e.Article.ID),
	} {
		if err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	var out bytes.Buffer
	n, err := s.WritePairs(ctx, s.editor().Actor, &out)
	var line struct {
		Text     string
		Lang     string
		Relevant []string
	}
	if err != nil || n != 1 || json.Unmarshal(out.Bytes(), &line) != nil || line.Text != bees || line.Lang != "en" || !slices.Equal(line.Relevant, []string{e.Article.ID.String()}) {
		t.Errorf("%d lines: %s, %v", n, out.String(), err)
	}
	s.must(s.RemovePair(ctx, s.editor(), list[1-at].ID))
}

func TestThePreviewTellsWhatAPublicationDoes(t *testing.T) {
	t.Parallel()
	s := open(t)
	ctx := context.Background()
	library := s.publish("en", knowledge.Text{Title: "Library opening hours", Summary: "The library is open from nine to six.", Body: "Closed on Mondays."})
	s.must(s.AddPair(ctx, s.editor(), "When is the library open?", library.Article.ID))
	s.tell(bees, "en", knowledge.None)
	s.tell("When is the library open?", "en", knowledge.Answered)

	// A new article answers what was asked in vain.
	draft, err := s.knowledge.Create(ctx, s.editor(), knowledge.Article{Lang: "en"}, knowledge.Text{Title: "Registering a beehive", Body: "Tell the department where the beehive stands.", Questions: []string{bees}})
	s.must(err)
	f, err := s.Forecast(ctx, draft.Article.ID)
	if err != nil || f.Pairs != 1 || f.Questions != 1 || len(f.Effects) != 1 || f.Effects[0].Kind != learn.Answers || f.Effects[0].Question != bees || f.Worse() != 0 {
		t.Fatalf("%+v, %v", f, err)
	}
	s.must(s.MayPublish(ctx, s.reviewer(), draft.Version.Ref(), false, ""))

	// The same article grabs the library's question: worse, and it needs a reason.
	text := draft.Version.Text
	text.Title, text.Questions = "When is the library open?", append(text.Questions, "When is the library open?")
	draft, err = s.knowledge.Save(ctx, s.editor(), draft.Version.Ref(), text)
	s.must(err)
	f, err = s.Forecast(ctx, draft.Article.ID)
	if err != nil || f.Worse() != 1 || f.Effects[0].Kind != learn.Answers && f.Effects[0].Kind != learn.Wrong && f.Effects[0].Kind != learn.Worse {
		t.Fatalf("%+v, %v", f, err)
	}
	if err := s.MayPublish(ctx, s.reviewer(), draft.Version.Ref(), true, ""); !errors.Is(err, learn.ErrWorse) {
		t.Errorf("without a reason: %v", err)
	}
	s.must(s.MayPublish(ctx, s.reviewer(), draft.Version.Ref(), true, "the library moved"))
	// What is served has not changed meanwhile, and publishing does what was foretold.
	if a, err := s.knowledge.Answer(ctx, "When is the library open?", "en"); err != nil || a.Outcome != knowledge.Answered || a.Citations[0].Article != library.Article.ID.String() {
		t.Errorf("%+v, %v", a, err)
	}
	after := f.Effects[slices.IndexFunc(f.Effects, func(o learn.Outlook) bool { return o.Pair })].After
	s.release(draft)
	a, err := s.knowledge.Answer(ctx, "When is the library open?", "en")
	if err != nil || a.Outcome != after.Outcome || a.Citations[0].Article != after.Article.String() {
		t.Errorf("foretold %+v, and it is %+v, %v", after, a, err)
	}
}

func TestPraisedAnswersBecomeDraftsOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	ctx := context.Background()
	p := learn.Praise{Source: "ticket", ID: uuid.New(), Lang: "en", Agency: s.city.Agencies["dept-environment"], Grade: 5, Names: []string{"Zhang Wei"},
		Question: "This is Zhang Wei, 13812345678. Where can I register a beehive?", Answer: "Dear Zhang Wei, register it at the environment department, desk 4."}
	for range 2 {
		s.must(s.Propose(ctx, p))
	}
	s.must(s.Propose(ctx, learn.Praise{Source: "chat", ID: uuid.New(), Lang: "en", Question: "thanks?", Answer: "Welcome!", Grade: 5}))
	list, err := s.Proposals(ctx, s.editor().Actor, "open", learn.Proposal{}, 10)
	if err != nil || len(list) != 1 || strings.Contains(list[0].Question+list[0].Answer, "Zhang") || strings.Contains(list[0].Question, "138123") {
		t.Fatalf("%+v, %v", list, err)
	}
	if err := s.Reject(ctx, s.editor(), list[0].ID, ""); !errors.Is(err, learn.ErrReason) {
		t.Errorf("rejected without a reason: %v", err)
	}
	if _, err := s.Accept(ctx, s.staff("handler-util", "editor"), list[0].ID); !errors.Is(err, learn.ErrNotFound) {
		t.Errorf("another agency: %v", err)
	}
	e, err := s.Accept(ctx, s.editor(), list[0].ID)
	if err != nil || !strings.Contains(e.Version.Body, "desk 4") || e.Version.State != knowledge.Drafted || e.Article.Owner != p.Agency {
		t.Fatalf("%+v, %v", e, err)
	}
	if err := s.Reject(ctx, s.editor(), list[0].ID, "too late"); !errors.Is(err, learn.ErrDecided) {
		t.Errorf("decided twice: %v", err)
	}
	// What an article says already is nobody's work.
	s.publish("en", knowledge.Text{Title: "Where can I register a beehive?", Body: "At the environment department."})
	s.must(s.Propose(ctx, learn.Praise{Source: "chat", ID: uuid.New(), Lang: "en", Question: bees, Answer: "At the environment department, desk 4.", Grade: 4}))
	if list, err := s.Proposals(ctx, s.editor().Actor, "open", learn.Proposal{}, 10); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestTheGradeOfATicketIsAWordOnWhatStaffTold(t *testing.T) {
	t.Parallel()
	s := open(t)
	ticket := uuid.New()
	s.tell("bins?", "en", knowledge.Answered, func(k *knowledge.Told) { k.By, k.Ticket = knowledge.ByStaff, ticket })
	s.tell("bins?", "en", knowledge.Answered, func(k *knowledge.Told) { k.Ticket = ticket })
	word := func() (n int) {
		s.must(db.ReadTx(context.Background(), s.pool, db.System(), func(tx db.Tx) error {
			return tx.QueryRow(context.Background(), `select count(*) from answers where helped is false`).Scan(&n)
		}))
		return n
	}
	s.must(s.Grade(context.Background(), ticket, 3))
	if n := word(); n != 0 {
		t.Errorf("the middle grade speaks of %d", n)
	}
	s.must(s.Grade(context.Background(), ticket, 1))
	if n := word(); n != 1 {
		t.Errorf("a bad grade speaks of %d", n)
	}
}

func TestTheFiguresCountEachQuestionOnce(t *testing.T) {
	t.Parallel()
	s := open(t) // Tuesday, 10 March 2026
	ctx := context.Background()
	yes, no := true, false
	article := s.publish("en", knowledge.Text{Title: "Bins", Body: "Out on Mondays."})
	told := func(helped *bool) func(*knowledge.Told) {
		return func(k *knowledge.Told) { k.Article, k.Version, k.Helped = article.Article.ID, 1, helped }
	}
	s.tell("bins?", "en", knowledge.Answered, told(&yes))
	s.tell("bins when?", "en", knowledge.Answered, told(&no))
	s.tell("bins where?", "en", knowledge.Choices)
	k := s.tell("moon?", "en", knowledge.None)
	s.tell("moon?", "en", knowledge.HandedOff, func(h *knowledge.Told) { h.Conversation, h.Follows = k.Conversation, true })
	s.tell("bins?", "en", knowledge.Answered, told(nil), func(f *knowledge.Told) { f.Follows = true })
	s.tell("月亮？", "zh-CN", knowledge.None, func(k *knowledge.Told) { k.By, k.Channel, k.Conversation = knowledge.ByPortal, "portal", uuid.Nil })
	s.tell("by staff", "en", knowledge.Answered, func(k *knowledge.Told) { k.By = knowledge.ByStaff })
	s.clock.Advance(7 * 24 * time.Hour)
	s.tell("bins?", "en", knowledge.Answered, told(nil))
	s.follow()
	f := learn.FigureFilter{From: time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC), To: s.clock.Now().Add(time.Hour)}
	weeks, err := s.Figures(ctx, s.editor().Actor, f)
	if err != nil || len(weeks) != 2 {
		t.Fatalf("%+v, %v", weeks, err)
	}
	want := learn.Week{From: weeks[0].From, Questions: 5, Covered: 3, Rated: 2, Helped: 1, Chats: 5, Contained: 4, Handed: 1, Opened: 3}
	if weeks[0] != want || weeks[1].Questions != 1 || weeks[0].From.Weekday() != time.Monday {
		t.Errorf("%+v\nwanted %+v", weeks[0], want)
	}
	f.Lang = "zh"
	if weeks, err := s.Figures(ctx, s.editor().Actor, f); err != nil || weeks[0].Questions != 1 || weeks[0].Chats != 0 {
		t.Errorf("in Chinese: %+v, %v", weeks, err)
	}
	f.Lang, f.Channel = "", "web"
	for list, n := range map[learn.Behind]int{learn.AllQuestions: 5, learn.Covered: 4, learn.Unanswered: 1, learn.Useless: 1, learn.Helpful: 1, learn.HandedOver: 1} {
		rows, err := s.Rows(ctx, s.editor().Actor, f, list, "", 10)
		if err != nil || len(rows) != n {
			t.Errorf("%s: %d of %d, %v", list, len(rows), n, err)
		}
	}
	if _, err := s.Rows(ctx, s.editor().Actor, f, "1=1", "", 10); !errors.Is(err, learn.ErrNotFound) {
		t.Errorf("an unknown list: %v", err)
	}
	s.clock.Advance(30 * 31 * 24 * time.Hour)
	if n, err := s.Forget(ctx); err != nil || n != 9 {
		t.Errorf("forgot %d, %v", n, err)
	}
}
