package knowledge_test

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/knowledge"
)

func (d *desk) sweep(t testing.TB) knowledge.Swept {
	t.Helper()
	return must[knowledge.Swept](t)(d.Sweep(t.Context()))
}

func at(t testing.TB, s string) *time.Time {
	t.Helper()
	v := must[time.Time](t)(time.Parse(time.RFC3339, s))
	return &v
}

func (d *desk) approve(t testing.TB, e knowledge.Entry, w knowledge.When) knowledge.Entry {
	t.Helper()
	ok := must[knowledge.Entry](t)
	return ok(d.Approve(t.Context(), d.reviewer(), ok(d.Submit(t.Context(), d.editor(), e.Version.Ref())).Version.Ref(), w))
}

func TestAScheduledVersionGoesLiveByItselfAndOnce(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	ok := must[knowledge.Entry](t)
	e := d.publish(t, knowledge.Article{}, passport)
	next := passport
	next.Title = "Renewing a passport in five days"
	e = d.approve(t, ok(d.Save(ctx, d.editor(), e.Version.Ref(), next)), knowledge.When{From: at(t, "2026-03-12T09:30:00+08:00"), Until: at(t, "2026-03-20T18:00:00+08:00")})
	if e.Version.State != knowledge.Scheduled || e.Article.Live != 1 {
		t.Fatalf("approved for later: %+v", e)
	}
	if _, err := d.Save(ctx, d.editor(), e.Version.Ref(), passport); !errors.Is(err, knowledge.ErrState) {
		t.Errorf("a reviewed text was changed before its day: %v", err)
	}
	if got := d.sweep(t); got.Published != 0 || !got.Next.Equal(*e.Version.PublishAt) {
		t.Errorf("swept %+v", got)
	}
	d.clock.Set(e.Version.PublishAt.Add(-time.Second))
	d.sweep(t)
	if got := d.found(t, "renew passport"); !slices.Equal(got, []string{"Renewing a passport v1"}) {
		t.Errorf("a second before: %v", got)
	}

	// Nobody ran when the moment came; then several nodes start at once.
	d.clock.Set(e.Version.PublishAt.Add(6 * time.Hour))
	var nodes sync.WaitGroup
	done := make([]int, 4)
	for i := range done {
		node := d.node(t)
		nodes.Go(func() {
			if swept, err := node.Sweep(ctx); err == nil {
				done[i] = swept.Published
			}
		})
	}
	nodes.Wait()
	if n := done[0] + done[1] + done[2] + done[3]; n != 1 {
		t.Errorf("published %d times", n)
	}
	if err := d.Load(ctx); err != nil {
		t.Fatal(err)
	}
	if got := d.found(t, "renew passport"); !slices.Equal(got, []string{"Renewing a passport in five days v2"}) {
		t.Errorf("after its moment: %v", got)
	}
	v := must[knowledge.Version](t)(d.Version(ctx, e.Article.ID, 2))
	if v.State != knowledge.Published || v.Reviewer != d.city.Users["reviewer"] || v.PublishedAt == nil {
		t.Errorf("went live as %+v", v)
	}

	// It is served no more from the named minute on, also before the sweep comes by.
	d.clock.Set(*at(t, "2026-03-20T18:00:00+08:00"))
	if got := d.found(t, "renew passport"); len(got) != 0 {
		t.Errorf("after its last minute: %v", got)
	}
	if got := d.sweep(t); got.Expired != 1 {
		t.Errorf("swept %+v", got)
	}
	if v := must[knowledge.Version](t)(d.Version(ctx, e.Article.ID, 2)); v.State != knowledge.Expired {
		t.Errorf("is %s", v.State)
	}
}

// A node that looks a moment before another commits must find the version gone,
// not the article free again.
func TestManyVersionsOfOneMomentEachGoLiveOnce(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	const texts = 24
	var next knowledge.Entry
	for range texts {
		e := must[knowledge.Entry](t)(d.Create(ctx, d.editor(), knowledge.Article{Lang: "en"}, passport))
		next = d.approve(t, e, knowledge.When{From: at(t, "2026-03-12T09:30:00+08:00")})
	}
	d.clock.Set(*next.Version.PublishAt)
	var nodes sync.WaitGroup
	var published atomic.Int64
	for range 6 {
		node := d.node(t)
		nodes.Go(func() {
			swept, err := node.Sweep(ctx)
			if err != nil {
				t.Error(err)
			}
			published.Add(int64(swept.Published))
		})
	}
	nodes.Wait()
	if n := published.Load(); n != texts {
		t.Errorf("%d versions were published %d times", texts, n)
	}
}

func TestAFirstValidDayToComeIsASchedule(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	text := passport
	day := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	text.ValidFrom = &day
	e := d.publish(t, knowledge.Article{}, text)
	if e.Version.State != knowledge.Scheduled || !e.Version.PublishAt.Equal(*at(t, "2026-04-01T00:00:00+08:00")) {
		t.Fatalf("%+v", e.Version)
	}
	d.clock.Set(*at(t, "2026-03-31T23:59:59+08:00"))
	if d.sweep(t).Published != 0 {
		t.Error("live before its day")
	}
	d.clock.Advance(time.Second)
	if d.sweep(t).Published != 1 || len(d.found(t, "renew passport")) != 1 {
		t.Error("not live at midnight")
	}
}

func TestASchedule(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	ok := must[knowledge.Entry](t)
	e := ok(d.Create(ctx, d.editor(), knowledge.Article{Lang: "en"}, passport))
	e = ok(d.Submit(ctx, d.editor(), e.Version.Ref()))
	for name, w := range map[string]knowledge.When{
		"ends before it begins": {From: at(t, "2026-03-12T00:00:00Z"), Until: at(t, "2026-03-11T00:00:00Z")},
		"ended already":         {Until: at(t, "2026-03-10T01:00:00Z")},
	} {
		if _, err := d.Approve(ctx, d.reviewer(), e.Version.Ref(), w); !errors.Is(err, knowledge.ErrSchedule) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := d.Approve(ctx, d.editor(), e.Version.Ref(), knowledge.When{}); !errors.Is(err, knowledge.ErrNotReviewer) {
		t.Errorf("by an editor: %v", err)
	}
	e = ok(d.Approve(ctx, d.reviewer(), e.Version.Ref(), knowledge.When{From: at(t, "2026-03-12T00:00:00Z")}))
	e = ok(d.Approve(ctx, d.reviewer(), e.Version.Ref(), knowledge.When{From: at(t, "2026-03-13T00:00:00Z")}))
	d.clock.Set(*at(t, "2026-03-12T12:00:00Z"))
	if d.sweep(t).Published != 0 {
		t.Error("the first date still counts")
	}
	e = ok(d.Recall(ctx, d.editor(), e.Version.Ref()))
	d.clock.Set(*at(t, "2026-03-14T12:00:00Z"))
	if d.sweep(t).Published != 0 || e.Version.State != knowledge.Drafted {
		t.Error("a text that was taken back went live")
	}
	late := passport
	day := time.Date(2026, 3, 12, 0, 0, 0, 0, time.UTC)
	late.ValidTo = &day
	e = ok(d.Save(ctx, d.editor(), e.Version.Ref(), late))
	e = ok(d.Submit(ctx, d.editor(), e.Version.Ref()))
	if _, err := d.Publish(ctx, d.reviewer(), e.Version.Ref()); !errors.Is(err, knowledge.ErrValidity) {
		t.Errorf("a text whose days are over: %v", err)
	}
}

func TestAnOldVersionComesBackAsADraft(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	ok := must[knowledge.Entry](t)
	first := passport
	until := time.Date(2026, 3, 11, 0, 0, 0, 0, time.UTC)
	first.ValidTo = &until
	e := d.publish(t, knowledge.Article{}, first)
	second := passport
	second.Title, second.Body = "Another title", "Another text"
	e = d.approve(t, ok(d.Save(ctx, d.editor(), e.Version.Ref(), second)), knowledge.When{})
	third := second
	third.Title = "Half written"
	e = ok(d.Save(ctx, d.editor(), e.Version.Ref(), third))
	d.clock.Set(*at(t, "2026-03-20T00:00:00Z"))
	e = ok(d.Restore(ctx, d.editor(), e.Version.Ref(), 1))
	v := e.Version
	if v.Number != 4 || v.State != knowledge.Drafted || v.Restored != 1 || v.Title != first.Title || v.Body != first.Body || v.ValidTo != nil || e.Article.Live != 2 {
		t.Errorf("restored %+v", v)
	}
	all := must[[]knowledge.Version](t)(d.Versions(ctx, e.Article.ID))
	var titles []string
	for _, x := range all {
		titles = append(titles, x.Title+" "+string(x.State))
	}
	if want := []string{first.Title + " draft", "Half written superseded", "Another title published", first.Title + " superseded"}; !slices.Equal(titles, want) {
		t.Errorf("history: %q", titles)
	}
	e = ok(d.Submit(ctx, d.editor(), v.Ref()))
	if _, err := d.Restore(ctx, d.editor(), e.Version.Ref(), 2); !errors.Is(err, knowledge.ErrState) {
		t.Errorf("restored over a text in review: %v", err)
	}
}

func TestTheAudienceIsReviewedLikeTheText(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	ok := must[knowledge.Entry](t)
	e := d.publish(t, knowledge.Article{Audience: knowledge.AudienceStaff}, passport)
	wider := passport
	wider.Audience = knowledge.AudiencePublic
	e = ok(d.Save(ctx, d.editor(), e.Version.Ref(), wider))
	if got := d.found(t, "renew passport"); len(got) != 0 || e.Article.Audience != knowledge.AudienceStaff {
		t.Errorf("a draft opened the article to everybody: %v", got)
	}
	d.approve(t, e, knowledge.When{})
	if got := d.found(t, "renew passport"); len(got) != 1 {
		t.Errorf("reviewed, found %v", got)
	}
}

// agencyStaff is a member of another agency than the hotline.
func (d *desk) agencyStaff(agency string, roles ...string) knowledge.Staff {
	return knowledge.Staff{Actor: db.Staff(d.city.Users["handler-env"], d.city.Agencies[agency], false, false), Roles: roles}
}

func TestEditorsOfAnAgencyWorkOnItsArticles(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	ok := must[knowledge.Entry](t)
	env, editor := d.city.Agencies["dept-environment"], d.agencyStaff("dept-environment", "editor")
	other, reviewer := d.agencyStaff("dept-utilities", "editor", "reviewer"), d.agencyStaff("dept-environment", "reviewer")
	reviewer.Actor = db.Staff(d.city.Users["head-env"], env, false, false)

	e := ok(d.Create(ctx, editor, knowledge.Article{Lang: "en"}, passport))
	if e.Article.Owner != env {
		t.Fatalf("owner %s", e.Article.Owner)
	}
	if _, err := d.Create(ctx, editor, knowledge.Article{Lang: "en", Owner: d.city.Agencies["dept-utilities"]}, passport); !errors.Is(err, knowledge.ErrNotOwner) {
		t.Errorf("made an article of another agency: %v", err)
	}
	ref := e.Version.Ref()
	for name, try := range map[string]func() error{
		"save":    func() error { _, err := d.Save(ctx, other, ref, passport); return err },
		"head":    func() error { _, err := d.SaveHead(ctx, other, ref, e.Article); return err },
		"submit":  func() error { _, err := d.Submit(ctx, other, ref); return err },
		"restore": func() error { _, err := d.Restore(ctx, other, ref, 1); return err },
	} {
		if err := try(); !errors.Is(err, knowledge.ErrNotOwner) {
			t.Errorf("%s by another agency: %v", name, err)
		}
	}
	given := e.Article
	given.Owner = d.city.Agencies["dept-utilities"]
	if _, err := d.SaveHead(ctx, editor, ref, given); !errors.Is(err, knowledge.ErrNotOwner) {
		t.Errorf("gave an article away: %v", err)
	}
	e = ok(d.Submit(ctx, editor, ref))
	if _, err := d.Publish(ctx, other, e.Version.Ref()); !errors.Is(err, knowledge.ErrNotReviewer) {
		t.Errorf("published by another agency's reviewer: %v", err)
	}
	e = ok(d.Publish(ctx, reviewer, e.Version.Ref()))
	c := must[knowledge.Correction](t)(d.Dispute(ctx, other, e.Article.ID, "the fee is wrong"))
	if err := d.DecideCorrection(ctx, other, c.ID, false); !errors.Is(err, knowledge.ErrNotReviewer) {
		t.Errorf("decided by another agency: %v", err)
	}
	if err := d.DecideCorrection(ctx, reviewer, c.ID, false); err != nil {
		t.Error(err)
	}
	e = ok(d.Save(ctx, d.editor(), must[knowledge.Version](t)(d.Version(ctx, e.Article.ID, 1)).Ref(), passport))
	if e.Version.Number != 2 {
		t.Error("the hotline's editor cannot change an agency's article")
	}
	if other.May(e.Article) != (knowledge.May{}) || editor.May(e.Article) != (knowledge.May{Edit: true}) || d.reviewer().May(e.Article) != (knowledge.May{Edit: true, Review: true}) {
		t.Error("May says something else")
	}
}

// The second wall: code that forgot to ask changes nothing.
func TestTheWallsOfArticles(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	e := must[knowledge.Entry](t)(d.Create(ctx, d.agencyStaff("dept-environment", "editor"), knowledge.Article{Lang: "en"}, passport))
	must[knowledge.Entry](t)(d.Submit(ctx, d.editor(), e.Version.Ref()))
	changes := []string{`update articles set topic = 'x' where id = $1`, `update article_versions set title = 'x' where article_id = $1`, `delete from article_versions where article_id = $1`}
	count := func(who db.Actor, sql string) (n int64) {
		roll := errors.New("undo")
		err := db.WithTx(ctx, d.pool, who, func(tx db.Tx) error {
			tag, err := tx.Exec(ctx, sql, e.Article.ID)
			if n = tag.RowsAffected(); err != nil {
				return err
			}
			return roll
		})
		if !errors.Is(err, roll) {
			t.Fatal(err)
		}
		return n
	}
	for _, sql := range changes {
		for who, a := range map[string]db.Actor{"another agency": d.city.Staff("handler-util"), "nobody": {}, "a citizen": db.Citizen(uuid.New())} {
			if n := count(a, sql); n != 0 {
				t.Errorf("%s: %s changed %d", sql, who, n)
			}
		}
		for who, a := range map[string]db.Actor{"the owner": d.city.Staff("handler-env"), "the hotline": d.city.Staff("editor"), "the program": db.System()} {
			if n := count(a, sql); n == 0 {
				t.Errorf("%s: %s changed nothing", sql, who)
			}
		}
	}
	file := func(who db.Actor, user uuid.UUID) error {
		return db.WithTx(ctx, d.pool, who, func(tx db.Tx) error {
			_, err := tx.Exec(ctx, `insert into article_corrections (id, article_id, version, user_id, text) values ($1, $2, 1, $3, 'wrong')`, db.NewID(), e.Article.ID, user)
			return err
		})
	}
	if err := file(d.city.Staff("handler-util"), d.city.Users["handler-util"]); err != nil {
		t.Errorf("staff cannot file a correction: %v", err)
	}
	if err := file(d.city.Staff("handler-util"), d.city.Users["handler-env"]); err == nil {
		t.Error("a correction in another name")
	}
}
