package knowledge_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/internal/testkit"
	"hotline/knowledge"
)

// notices lists what an agency was told, by role and kind, the oldest first; that a text waits for review is left out.
func (d *desk) notices(t testing.TB, article uuid.UUID) []string {
	t.Helper()
	rows, err := testkit.OwnerPool(t, d.pool).Query(t.Context(), `select a.code || ' ' || n.role || ' ' || n.type || coalesce(' ' || (n.data->>'reason'), '')
		from notifications n join agencies a on a.id = n.agency_id where n.data->>'article' = $1 and n.type <> 'article_review' order by n.created_at, n.id`, article.String())
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

func (d *desk) owner(t testing.TB, sql string, args ...any) {
	t.Helper()
	if _, err := testkit.OwnerPool(t, d.pool).Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

func (d *desk) look(t testing.TB) int {
	t.Helper()
	return must[int](t)(d.LookAround(t.Context()))
}

func (d *desk) reasons(t testing.TB, id uuid.UUID) []knowledge.Reason {
	t.Helper()
	return must[[]knowledge.Reason](t)(d.AlertsOf(t.Context(), d.editor(), id))
}

func TestOwnersAreToldOnceWhatBecomesStale(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	ok := must[knowledge.Entry](t)
	env := d.city.Agencies["dept-environment"]
	d.owner(t, `update users set roles = roles || '{editor}' where id = $1`, d.city.Users["handler-env"])
	old := d.publish(t, knowledge.Article{Owner: env}, passport)
	d.clock.Set(*at(t, "2027-03-09T15:59:00Z")) // a year later but for a day
	if d.look(t) != 0 {
		t.Errorf("stale a day early: %v", d.reasons(t, old.Article.ID))
	}
	d.clock.Set(*at(t, "2027-03-09T16:00:00Z"))
	if d.look(t) != 1 || d.look(t) != 0 || !slices.Equal(d.reasons(t, old.Article.ID), []knowledge.Reason{knowledge.ReviewDue}) {
		t.Errorf("after twelve months: %v", d.reasons(t, old.Article.ID))
	}
	if got := d.notices(t, old.Article.ID); !slices.Equal(got, []string{"dept-environment editor article_stale review"}) {
		t.Errorf("told %q", got)
	}
	// Somebody looks at it; twelve months begin anew.
	old = ok(d.Confirm(ctx, d.editor(), old.Version.Ref()))
	if len(d.reasons(t, old.Article.ID)) != 0 || d.look(t) != 0 {
		t.Error("confirmed, and still on the list")
	}
	// An interval and a day of its own.
	head := old.Article
	head.ReviewMonths = 1
	old = ok(d.SaveHead(ctx, d.staff("reviewer", "reviewer"), old.Version.Ref(), head))
	d.clock.Advance(31 * 24 * time.Hour)
	if d.look(t) != 1 {
		t.Error("its own interval does not count")
	}

	// About to end, and disliked.
	soon := passport
	last := d.clock.Now().AddDate(0, 0, 20)
	soon.ValidTo = &last
	ending := d.publish(t, knowledge.Article{}, soon)
	bad := d.publish(t, knowledge.Article{}, passport)
	for i := range 12 {
		if err := d.Feedback(ctx, bad.Article.ID, 1, i%2 == 0, "", "portal"); err != nil {
			t.Fatal(err)
		}
	}
	if n := d.look(t); n != 2 || !slices.Equal(d.reasons(t, ending.Article.ID), []knowledge.Reason{knowledge.Expiring}) || !slices.Equal(d.reasons(t, bad.Article.ID), []knowledge.Reason{knowledge.Negative}) {
		t.Errorf("%d new: %v %v", n, d.reasons(t, ending.Article.ID), d.reasons(t, bad.Article.ID))
	}
	// A new text begins with a clean slate.
	better := passport
	better.Body += "\n\nNow with the fee."
	d.approve(t, ok(d.Save(ctx, d.editor(), bad.Version.Ref(), better)), knowledge.When{})
	d.look(t)
	if got := d.reasons(t, bad.Article.ID); len(got) != 0 {
		t.Errorf("the new text is blamed for the old one: %v", got)
	}
	if n := must[knowledge.Counts](t)(d.Counts(ctx, d.editor(), uuid.Nil)); n.Stale != 2 {
		t.Errorf("counted %+v", n)
	}
	list := must[[]knowledge.Alert](t)(d.Alerts(ctx, d.editor(), "", uuid.Nil, knowledge.AlertCursor{}, 1))
	if len(list) != 1 {
		t.Fatalf("%d on the first page", len(list))
	}
	rest := must[[]knowledge.Alert](t)(d.Alerts(ctx, d.editor(), "", uuid.Nil, knowledge.AlertCursor{Since: list[0].Since, Article: list[0].Article.ID, Reason: list[0].Reason}, 10))
	if len(rest) != 1 || rest[0].Article.ID == list[0].Article.ID {
		t.Errorf("the second page has %d", len(rest))
	}
	other := d.agencyStaff("dept-utilities", "editor")
	if got := must[[]knowledge.Alert](t)(d.Alerts(ctx, other, "", uuid.Nil, knowledge.AlertCursor{}, 10)); len(got) != 0 {
		t.Errorf("another agency sees %d alerts", len(got))
	}
}

func TestACorrectionHasAClock(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	env := d.city.Agencies["dept-environment"]
	d.owner(t, `update users set roles = roles || '{editor,reviewer}' where id = $1`, d.city.Users["handler-env"])
	d.Deadline = func(from time.Time, days int) time.Time { return from.AddDate(0, 0, 2*days) } // every other day is a working day
	e := d.publish(t, knowledge.Article{Owner: env}, passport)
	c := must[knowledge.Correction](t)(d.Dispute(ctx, d.staff("operator", "operator"), e.Article.ID, "the fee is 20"))
	begin := d.clock.Now()
	if !c.DueAt.Equal(begin.AddDate(0, 0, 10)) {
		t.Fatalf("due %s", c.DueAt)
	}
	steps := []struct {
		after time.Duration
		want  string
	}{
		{7 * 24 * time.Hour, ""},
		{8 * 24 * time.Hour, "dept-environment reviewer article_correction_reminder"},
		{10 * 24 * time.Hour, "dept-environment reviewer article_correction_late"},
		{13 * 24 * time.Hour, ""},
		{14 * 24 * time.Hour, "dept-environment head article_correction_head"},
		{99 * 24 * time.Hour, ""},
	}
	told := d.notices(t, e.Article.ID)
	if !slices.Equal(told, []string{"dept-environment editor article_correction", "dept-environment reviewer article_correction"}) {
		t.Errorf("told at once: %q", told)
	}
	for _, s := range steps {
		d.clock.Set(begin.Add(s.after))
		d.sweep(t)
		now := d.notices(t, e.Article.ID)
		if got := strings.Join(now[len(told):], ","); got != s.want {
			t.Errorf("after %s: %q, want %q", s.after, got, s.want)
		}
		told = now
	}
	running := must[[]knowledge.CorrectionEntry](t)(d.RunningCorrections(ctx, env, time.Time{}, uuid.Nil, 10))
	if len(running) != 1 || running[0].Stage != "escalated" || running[0].Title != passport.Title {
		t.Errorf("running %+v", running)
	}
	// Agreeing does not stop the clock, a text without the error does.
	if err := d.DecideCorrection(ctx, d.reviewer(), c.ID, true); err != nil {
		t.Fatal(err)
	}
	if n := must[knowledge.Counts](t)(d.Counts(ctx, d.editor(), uuid.Nil)); n.Corrections != 1 || n.Overdue != 1 {
		t.Errorf("counted %+v", n)
	}
	next := passport
	next.Summary = "The fee is 20."
	e = d.approve(t, must[knowledge.Entry](t)(d.Save(ctx, d.editor(), e.Version.Ref(), next)), knowledge.When{})
	if n := must[knowledge.Counts](t)(d.Counts(ctx, d.editor(), uuid.Nil)); n.Corrections != 0 || e.Article.Disputed {
		t.Errorf("after the new text %+v", n)
	}
	// Of one that is rejected in time nobody hears more.
	c = must[knowledge.Correction](t)(d.Dispute(ctx, d.staff("operator", "operator"), e.Article.ID, "no"))
	if err := d.DecideCorrection(ctx, d.reviewer(), c.ID, false); err != nil {
		t.Fatal(err)
	}
	told = d.notices(t, e.Article.ID)
	d.clock.Advance(100 * 24 * time.Hour)
	if d.sweep(t); len(d.notices(t, e.Article.ID)) != len(told) {
		t.Error("a settled correction climbed the ladder")
	}
}

func TestATranslationFollowsItsOriginal(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	ok := must[knowledge.Entry](t)
	o := d.publish(t, knowledge.Article{Topic: "travel", Services: []string{"T-UTL-001"}}, passport)
	tr := ok(d.Translate(ctx, d.editor(), o.Article.ID, "zh-CN"))
	if tr.Article.Source != o.Article.ID || tr.Version.BasedOn != 1 || tr.Article.Topic != "travel" || !slices.Equal(tr.Article.Services, o.Article.Services) || tr.Version.Title != passport.Title {
		t.Fatalf("translation %+v", tr)
	}
	for name, try := range map[string]struct {
		of   uuid.UUID
		lang string
		want error
	}{
		"the same language": {o.Article.ID, "en", knowledge.ErrSameLang},
		"twice":             {o.Article.ID, "zh-CN", knowledge.ErrTranslated},
		"of a translation":  {tr.Article.ID, "zh-CN", knowledge.ErrTranslated},
		"not a language":    {o.Article.ID, "klingon!", knowledge.ErrLang},
	} {
		if _, err := d.Translate(ctx, d.editor(), try.of, try.lang); !errors.Is(err, try.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := d.Translate(ctx, d.agencyStaff("dept-utilities", "editor"), o.Article.ID, "fr"); !errors.Is(err, knowledge.ErrNotOwner) {
		t.Errorf("translated by another agency: %v", err)
	}
	zh := knowledge.Text{Title: "护照换发", Summary: "携带两张照片。", Body: "十天办结。"}
	tr = d.approve(t, ok(d.Save(ctx, d.editor(), tr.Version.Ref(), zh)), knowledge.When{})
	if got := must[[]knowledge.Entry](t)(d.Translations(ctx, tr.Article.Key, false)); len(got) != 2 {
		t.Errorf("the portal knows %d languages", len(got))
	}
	behind := func() bool {
		t.Helper()
		d.look(t)
		s := must[[]knowledge.Sibling](t)(d.Siblings(ctx, tr.Article.Key))
		if len(s) != 2 || !s[0].Original || s[1].Original {
			t.Fatalf("siblings %+v", s)
		}
		if s[1].Behind != slices.Contains(d.reasons(t, tr.Article.ID), knowledge.Behind) {
			t.Error("page and board disagree")
		}
		return s[1].Behind
	}
	if behind() {
		t.Error("behind from the start")
	}
	next := passport
	next.Body += "\n\nThe fee is 20."
	o = ok(d.Save(ctx, d.editor(), o.Version.Ref(), next))
	if behind() {
		t.Error("a draft of the original makes the translation old")
	}
	o = d.approve(t, o, knowledge.When{})
	if !behind() {
		t.Error("the original moved on, and nobody sees it")
	}
	tr = ok(d.StillRight(ctx, d.editor(), tr.Version.Ref(), 2))
	if behind() {
		t.Error("said to be right, and still behind")
	}
	// The next change is translated; until it is published the translation is behind.
	next.Title = "Passports"
	d.approve(t, ok(d.Save(ctx, d.editor(), o.Version.Ref(), next)), knowledge.When{})
	tr = ok(d.Save(ctx, d.editor(), must[knowledge.Version](t)(d.Version(ctx, tr.Article.ID, tr.Version.Number)).Ref(), zh))
	tr = ok(d.Follow(ctx, d.editor(), tr.Version.Ref(), 3))
	if !behind() {
		t.Error("a draft of the translation ended the flag")
	}
	d.approve(t, must[knowledge.Entry](t)(d.Save(ctx, d.editor(), must[knowledge.Version](t)(d.Version(ctx, tr.Article.ID, tr.Version.Number)).Ref(), zh)), knowledge.When{})
	if behind() {
		t.Error("the new translation is behind")
	}
	if _, err := d.StillRight(ctx, d.editor(), o.Version.Ref(), 1); err == nil {
		t.Error("an original follows something")
	}
}

func TestTheRulesAreData(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	n := must[knowledge.Settings](t)(d.Settings(ctx))
	if n.ReviewMonths != 12 || n.CorrectionDays != 5 {
		t.Errorf("defaults %+v", n)
	}
	admin := d.staff("administrator", "administrator")
	n.CorrectionDays = 0
	if err := d.SaveSettings(ctx, admin, n); !errors.Is(err, knowledge.ErrSettings) {
		t.Errorf("no days at all: %v", err)
	}
	n.CorrectionDays = 3
	if err := d.SaveSettings(ctx, d.editor(), n); !errors.Is(err, knowledge.ErrNotAdmin) {
		t.Errorf("by an editor: %v", err)
	}
	if err := d.SaveSettings(ctx, admin, n); err != nil {
		t.Fatal(err)
	}
	if err := d.SaveSettings(ctx, admin, n); !errors.Is(err, knowledge.ErrSettingsChanged) {
		t.Errorf("twice from the same page: %v", err)
	}
	e := d.publish(t, knowledge.Article{}, passport)
	c := must[knowledge.Correction](t)(d.Dispute(ctx, d.staff("operator", "operator"), e.Article.ID, "no"))
	if !c.DueAt.Equal(d.clock.Now().AddDate(0, 0, 3)) {
		t.Errorf("due %s", c.DueAt)
	}
}

func TestTheWallsOfAlertsAndSettings(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	e := d.publish(t, knowledge.Article{Owner: d.city.Agencies["dept-environment"]}, passport)
	d.owner(t, `insert into article_alerts (article_id, reason, owner_id, since) values ($1, 'review', $2, now())`, e.Article.ID, e.Article.Owner)
	for who, want := range map[string]int{"handler-env": 1, "handler-util": 0, "operator": 1} {
		var n int
		if err := db.ReadTx(ctx, d.pool, d.city.Staff(who), func(tx db.Tx) error {
			return tx.QueryRow(ctx, `select count(*) from article_alerts`).Scan(&n)
		}); err != nil || n != want {
			t.Errorf("%s sees %d, %v", who, n, err)
		}
	}
	for _, sql := range []string{`update knowledge_settings set review_months = 1`, `delete from article_alerts`} {
		if err := db.WithTx(ctx, d.pool, d.city.Staff("administrator"), func(tx db.Tx) error {
			tag, err := tx.Exec(ctx, sql)
			if err == nil && tag.RowsAffected() != 0 {
				t.Errorf("%s: changed %d", sql, tag.RowsAffected())
			}
			return err
		}); err != nil {
			t.Error(err)
		}
	}
}

func TestWhomAChangeOfAnArticleConcernsIsTold(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	ok := must[knowledge.Entry](t)
	env := d.city.Agencies["dept-environment"]
	d.owner(t, `update users set roles = roles || '{editor}' where id = $1`, d.city.Users["handler-env"])
	var a uuid.UUID
	told := func(want ...string) {
		t.Helper()
		rows, err := testkit.OwnerPool(t, d.pool).Query(ctx, `delete from notifications n using agencies a where a.id = n.agency_id and n.data->>'article' = $1
			returning a.code || ' ' || coalesce((select name from users where id = n.user_id), n.role) || ' ' || n.type`, a.String())
		if err != nil {
			t.Fatal(err)
		}
		got, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if slices.Sort(got); err != nil || !slices.Equal(got, want) {
			t.Errorf("told %q, want %q (%v)", got, want, err)
		}
	}
	name := func(user string) string {
		var s string
		if err := d.pool.QueryRow(ctx, `select name from users where id = $1`, d.city.Users[user]).Scan(&s); err != nil {
			t.Fatal(err)
		}
		return s
	}

	writer := d.staff("handler-env", "handler", "editor")
	e := ok(d.Create(ctx, writer, knowledge.Article{Lang: "en", Owner: env}, passport))
	a = e.Article.ID
	e = ok(d.Submit(ctx, writer, e.Version.Ref())) // the agency has no reviewer: the hotline's are asked
	told("hotline reviewer article_review")
	e = ok(d.Refuse(ctx, d.reviewer(), e.Version.Ref(), "Which office?"))
	told("dept-environment " + name("handler-env") + " article_refused")
	d.owner(t, `update users set roles = roles || '{reviewer}' where id = $1`, d.city.Users["handler-env"])
	e = ok(d.Submit(ctx, writer, e.Version.Ref()))
	told("dept-environment reviewer article_review")
	e = ok(d.Publish(ctx, d.reviewer(), e.Version.Ref()))
	told()

	filed := func(user, text string) uuid.UUID {
		t.Helper()
		c := must[knowledge.Correction](t)(d.Dispute(ctx, d.staff(user, "operator"), a, text))
		told("dept-environment editor article_correction", "dept-environment reviewer article_correction")
		return c.ID
	}
	if err := d.DecideCorrection(ctx, d.reviewer(), filed("operator", "It takes twelve days."), false); err != nil {
		t.Fatal(err)
	}
	told("hotline " + name("operator") + " article_correction_rejected")
	first := filed("operator", "It takes twelve days.")
	again := must[knowledge.Correction](t)(d.Dispute(ctx, d.staff("operator", "operator"), a, " It takes twelve days. "))
	told()
	if again.ID != first || len(must[[]knowledge.Correction](t)(d.Corrections(ctx, a))) != 2 {
		t.Errorf("pressed twice it is another correction: %+v", again)
	}
	filed("operator", "It costs nothing.") // one notice of the end is enough
	e = ok(d.Save(ctx, writer, e.Version.Ref(), passport))
	e = ok(d.Submit(ctx, writer, e.Version.Ref()))
	told("dept-environment reviewer article_review")
	ok(d.Publish(ctx, d.reviewer(), e.Version.Ref()))
	told("hotline " + name("operator") + " article_correction_settled")

	// Who follows a link to it meanwhile hears that it is being checked; who types an address hears nothing.
	if _, err := d.BySlug(ctx, "no-such-page", false); !errors.Is(err, knowledge.ErrNotFound) {
		t.Errorf("no page: %v", err)
	}
	filed("operator", "It takes ten days.")
	if _, err := d.BySlug(ctx, e.Article.Slug, false); !errors.Is(err, knowledge.ErrInCheck) {
		t.Errorf("disputed: %v", err)
	}

	// The wall: staff tell other agencies of articles, of nothing else.
	actor := d.city.Staff("handler-env")
	send := func(kind string, article uuid.UUID) error {
		return db.WithTx(ctx, d.pool, actor, func(tx db.Tx) error {
			_, err := tx.Exec(ctx, `insert into notifications (id, agency_id, role, type, data) values ($1, $2, 'editor', $3, jsonb_build_object('article', $4::uuid))`,
				db.NewID(), d.city.Agencies["hotline"], kind, article)
			return err
		})
	}
	if err := send("article_review", a); err != nil {
		t.Error(err)
	}
	if send("dispatched", a) == nil || send("article_review", uuid.New()) == nil {
		t.Error("the wall lets a notice of another agency through")
	}
}

// What a change answers is off the list at once, not at the next look.
func TestAlertsEndWithWhatAnswersThem(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	ok := must[knowledge.Entry](t)
	submitted := func(e knowledge.Entry) knowledge.Entry {
		t.Helper()
		return ok(d.Submit(ctx, d.editor(), e.Version.Ref()))
	}

	o := d.publish(t, knowledge.Article{}, passport)
	tr := ok(d.Translate(ctx, d.editor(), o.Article.ID, "zh-CN"))
	tr = ok(d.Publish(ctx, d.reviewer(), submitted(tr).Version.Ref()))
	changed := passport
	changed.Summary = "Bring three photos."
	ok(d.Publish(ctx, d.reviewer(), submitted(ok(d.Save(ctx, d.editor(), o.Version.Ref(), changed))).Version.Ref()))
	if d.look(t); !slices.Equal(d.reasons(t, tr.Article.ID), []knowledge.Reason{knowledge.Behind}) {
		t.Fatalf("a new original: %v", d.reasons(t, tr.Article.ID))
	}
	tr = ok(d.Save(ctx, d.editor(), tr.Version.Ref(), changed))
	tr = ok(d.Follow(ctx, d.editor(), tr.Version.Ref(), 2))
	if tr = submitted(tr); !slices.Equal(d.reasons(t, tr.Article.ID), []knowledge.Reason{knowledge.Behind}) {
		t.Errorf("translated, and not published yet: %v", d.reasons(t, tr.Article.ID))
	}
	ok(d.Publish(ctx, d.reviewer(), tr.Version.Ref()))
	if got := d.reasons(t, tr.Article.ID); len(got) != 0 {
		t.Errorf("brought up to date, and still %v", got)
	}

	soon := d.clock.Now().Add(time.Hour)
	ends := d.publish(t, knowledge.Article{}, knowledge.Text{Title: "Market on Sunday", Body: "On the square."})
	next := submitted(ok(d.Save(ctx, d.editor(), ends.Version.Ref(), ends.Version.Text)))
	ok(d.Approve(ctx, d.reviewer(), next.Version.Ref(), knowledge.When{Until: &soon}))
	if d.look(t); !slices.Equal(d.reasons(t, ends.Article.ID), []knowledge.Reason{knowledge.Expiring}) {
		t.Fatalf("an hour before its end: %v", d.reasons(t, ends.Article.ID))
	}
	d.clock.Advance(2 * time.Hour)
	if d.sweep(t); len(d.reasons(t, ends.Article.ID)) != 0 {
		t.Errorf("ended, and still %v", d.reasons(t, ends.Article.ID))
	}
}
