package tickets_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"hotline/internal/db"
	"hotline/internal/errs"
	"hotline/tickets"
	"hotline/tickets/sla"
)

// edit saves and publishes a change of a policy set or calendar, as an administrator does in the console.
func edit[T any](o *office, kind, code string, parse func([]byte) (T, error), change func(*T)) int {
	o.Helper()
	admin := o.as("administrator")
	now, err := o.Setting(o.Context(), admin, kind, code)
	if err != nil {
		o.Fatal(err)
	}
	v, err := parse(now.Editing())
	if err != nil {
		o.Fatal(err)
	}
	change(&v)
	body, err := json.Marshal(v)
	if err != nil {
		o.Fatal(err)
	}
	if err := o.SaveDraft(o.Context(), admin, kind, code, body, now.DraftEdit); err != nil {
		o.Fatal(err)
	}
	version, err := o.Publish(o.Context(), admin, kind, code, now.DraftEdit+1, "test")
	if err != nil {
		o.Fatal(err)
	}
	return version
}

func (o *office) policies(change func(*sla.Set)) int {
	return edit(o, tickets.SettingPolicies, "tiny", sla.ParseSetDoc, change)
}

// recompute runs the work that the last change asked for to its end.
func (o *office) recompute(batch int) tickets.Recomputation {
	o.Helper()
	o.clock.Advance(tickets.RecomputeDelay)
	var last tickets.Recomputation
	for range 10_000 {
		job, done, err := o.Recompute(o.Context(), batch)
		if err != nil {
			o.Fatal(err)
		}
		if !job.RequestedAt.IsZero() {
			last = job
		}
		if done {
			return last
		}
	}
	o.Fatal("the recomputation never ends")
	return last
}

func (o *office) clockOf(k tickets.Ticket, name string) tickets.ClockView {
	o.Helper()
	list, err := o.Clocks(o.Context(), tickets.System(), k.ID)
	if err != nil {
		o.Fatal(err)
	}
	for _, c := range list {
		if c.Name == name {
			return c
		}
	}
	o.Fatalf("%s has no clock %s", k.Number, name)
	return tickets.ClockView{}
}

func (o *office) entries(k tickets.Ticket, kind string) []tickets.Event {
	o.Helper()
	all, err := o.Timeline(o.Context(), tickets.System(), k.ID)
	if err != nil {
		o.Fatal(err)
	}
	return slices.DeleteFunc(all, func(e tickets.Event) bool { return e.Type != kind })
}

func setClock(set *sla.Set, policy string, name sla.ClockName, span sla.Span) {
	for i := range set.Policies {
		if set.Policies[i].Code == policy {
			set.Policies[i].Clocks[name] = span
		}
	}
}

func loaded(t *testing.T) *office {
	o := open(t)
	if err := o.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestPublishingTheNextYearMovesProvisionalDeadlinesLaterOnly(t *testing.T) {
	t.Parallel()
	o := loaded(t)
	o.at("2026-12-31 10:00")
	k := o.file()
	before := *k.PromisedAt // Thursday the 7th, by ordinary weeks
	if !o.clockOf(k, "resolve").Provisional {
		t.Fatal("nothing is provisional")
	}
	edit(o, tickets.SettingCalendar, "cn", sla.ParseCalendarDoc, func(d *sla.CalendarDoc) {
		d.AddYear(0, "test")
		if err := d.Set(sla.Day{Year: 2027, Month: 1, Dom: 1}, sla.Day{Year: 2027, Month: 1, Dom: 4}, sla.DayOff, "元旦"); err != nil {
			t.Fatal(err)
		}
	})
	job := o.recompute(10)
	if job.State != "done" || job.Later == 0 || job.Earlier != 0 || job.Looked != job.Total {
		t.Errorf("%+v", job)
	}
	k = must(o.ByID(t.Context(), o.as("dispatcher"), k.ID))
	if want := before.AddDate(0, 0, 4); !k.PromisedAt.Equal(want) {
		t.Errorf("promised %s, then %s, want %s", before, k.PromisedAt, want)
	}
	if got := o.entries(k, tickets.EntryRecomputed); len(got) == 0 || !slices.ContainsFunc(got, func(e tickets.Event) bool {
		return e.Public && e.Data.Clock == "resolve" && e.Data.Was.Equal(before) && e.Data.DueAt.Equal(*k.PromisedAt)
	}) {
		t.Errorf("the history says %+v", got)
	}
	for _, c := range must(o.Clocks(t.Context(), o.as("dispatcher"), k.ID)) {
		if c.Provisional {
			t.Errorf("%s is still provisional", c.Name)
		}
	}
	if err := o.VerifyHistory(t.Context(), o.as("supervisor"), k.ID); err != nil {
		t.Error(err)
	}
	o.gapFree()
}

func TestANewPolicyMovesOpenClocksButNeverAPromise(t *testing.T) {
	t.Parallel()
	o := loaded(t)
	signing, working := o.dispatched(), o.inProgress()
	waiting := o.must("handler-env", o.inProgress(), tickets.AskCitizen, tickets.Fields{Text: "Which floor?"})
	over := o.must("citizen", o.dispatched(), tickets.Withdraw, tickets.Fields{})
	promised, sign := *working.PromisedAt, o.clockOf(signing, "sign").DueAt
	version := o.policies(func(set *sla.Set) {
		setClock(set, "complaint", sla.Resolve, sla.Span{N: 2, Unit: sla.WorkingDays}) // were 5
		setClock(set, "default", sla.Sign, sla.Span{N: 2, Unit: sla.HoursUnit})        // was a working day
		setClock(set, "default", sla.FirstReply, sla.Span{N: 3, Unit: sla.WorkingDays})
	})
	if version != 1 {
		t.Errorf("version %d", version)
	}
	if job, done, err := o.Recompute(t.Context(), 3); err != nil || !done || job.State != "" {
		t.Fatalf("began before every node can know: %+v %v", job, err)
	}
	job := o.recompute(3)
	// Four tickets were filed, three are open: three promises are held, one signature is due earlier, two first replies later (the third is over), and
	// the pause is as it was.
	if job.Held != 3 || job.Earlier != 1 || job.Later != 2 || job.Unchanged != 1 || job.Looked != 7 || job.Total != 7 {
		t.Errorf("%+v", job)
	}
	working = must(o.ByID(t.Context(), tickets.System(), working.ID))
	if !working.PromisedAt.Equal(promised) || len(o.entries(working, tickets.EntryRecomputed)) != 1 {
		t.Errorf("promised %s, now %s", promised, working.PromisedAt)
	}
	got := o.clockOf(signing, "sign").DueAt
	if want := tuesday.Add(2 * time.Hour); !got.Equal(want) || !got.Before(sign) {
		t.Errorf("to be signed by %s, then %s, want %s", sign, got, want)
	}
	signing = must(o.ByID(t.Context(), tickets.System(), signing.ID))
	if !signing.DueAt.Equal(got) || !signing.SignDueAt.Equal(got) {
		t.Errorf("the ticket itself says %s and %s", signing.DueAt, signing.SignDueAt)
	}
	for _, e := range o.entries(signing, tickets.EntryRecomputed) {
		if e.Public {
			t.Errorf("the citizen is told of the agency's clock: %+v", e)
		}
	}
	if len(o.entries(over, tickets.EntryRecomputed)) != 0 {
		t.Error("a ticket that is over was touched")
	}
	// The pause goes on, and its end gives the citizen no earlier date than was told.
	o.clock.Advance(24 * time.Hour)
	waiting = o.must("citizen", must(o.ByID(t.Context(), tickets.System(), waiting.ID)), tickets.CitizenReply, tickets.Fields{Text: "The third."})
	if !waiting.PromisedAt.After(promised) {
		t.Errorf("after the pause %s, promised was %s", waiting.PromisedAt, promised)
	}
	// New tickets take the new spans.
	if k := o.file(); !k.PromisedAt.Before(promised.AddDate(0, 0, 1)) {
		t.Errorf("a new ticket is promised for %s", k.PromisedAt)
	}
}

func TestAPreviewSaysWhatThePublicationThenDoes(t *testing.T) {
	t.Parallel()
	o := loaded(t)
	for range 5 {
		o.dispatched()
	}
	admin := o.as("administrator")
	now := must(o.Setting(t.Context(), admin, tickets.SettingPolicies, "tiny"))
	set := must(now.Set())
	setClock(&set, "default", sla.Sign, sla.Span{N: 3, Unit: sla.WorkingDays})
	setClock(&set, "complaint", sla.Resolve, sla.Span{N: 1, Unit: sla.WorkingDays})
	body := must(json.Marshal(set))
	if err := o.SaveDraft(t.Context(), admin, tickets.SettingPolicies, "tiny", body, 0); err != nil {
		t.Fatal(err)
	}
	p, err := o.Preview(t.Context(), admin, tickets.SettingPolicies, "tiny", time.Minute)
	if err != nil || !p.Complete || p.Citizens != 0 || p.Later != 5 || p.Held != 5 || p.Looked != 15 || len(p.Samples) != 5 || p.Largest != 48*time.Hour {
		t.Fatalf("%+v %v", p, err)
	}
	if n := len(o.entries(must(o.ByNumber(t.Context(), tickets.System(), p.Samples[0].Number)), tickets.EntryRecomputed)); n != 0 {
		t.Error("a preview changed something")
	}
	if _, err := o.Publish(t.Context(), admin, tickets.SettingPolicies, "tiny", 1, ""); err != nil {
		t.Fatal(err)
	}
	job := o.recompute(100)
	// The later time to sign is also the one that agencies are measured by.
	for _, s := range p.Samples {
		k := must(o.ByNumber(t.Context(), tickets.System(), s.Number))
		if way := must(o.Assignments(t.Context(), tickets.System(), k.ID)); len(way) != 1 || way[0].SignDueAt == nil || !way[0].SignDueAt.Equal(*k.SignDueAt) {
			t.Errorf("%s is signed by %s, and measured by %+v", s.Number, k.SignDueAt, way)
		}
	}
	p.Tally.Looked = job.Looked
	if job.Tally != p.Tally {
		t.Errorf("previewed %+v, done %+v", p.Tally, job.Tally)
	}
	// More time is told to whoever was promised less, and the administrator knows to how many.
	setClock(&set, "complaint", sla.Resolve, sla.Span{N: 9, Unit: sla.WorkingDays})
	if err := o.SaveDraft(t.Context(), admin, tickets.SettingPolicies, "tiny", must(json.Marshal(set)), 0); err != nil {
		t.Fatal(err)
	}
	if p, err := o.Preview(t.Context(), admin, tickets.SettingPolicies, "tiny", time.Minute); err != nil || p.Citizens != 5 {
		t.Errorf("%d citizens are told: %v", p.Citizens, err)
	}
}

func TestPoliciesAreVersionedAndGuarded(t *testing.T) {
	t.Parallel()
	o := loaded(t)
	ctx, admin := t.Context(), o.as("administrator")
	for _, user := range []string{"supervisor", "dispatcher", "head-env"} {
		if _, err := o.Setting(ctx, o.as(user), tickets.SettingPolicies, "tiny"); !errors.Is(err, tickets.ErrForbidden) {
			t.Errorf("%s: %v", user, err)
		}
		if err := o.SaveDraft(ctx, o.as(user), tickets.SettingPolicies, "tiny", []byte(`{}`), 0); !errors.Is(err, tickets.ErrForbidden) {
			t.Errorf("%s: %v", user, err)
		}
	}
	shipped := must(o.Setting(ctx, admin, tickets.SettingPolicies, "tiny"))
	var problem *sla.Problem
	if err := o.SaveDraft(ctx, admin, tickets.SettingPolicies, "tiny", []byte(`{"policies":[{"code":"x","kind":"help"}]}`), 0); !errors.As(err, &problem) || problem.Code != "no_default" {
		t.Errorf("%v", err)
	}
	if _, err := o.Publish(ctx, admin, tickets.SettingPolicies, "tiny", 0, ""); !errors.Is(err, tickets.ErrNoDraft) {
		t.Errorf("%v", err)
	}
	o.policies(func(set *sla.Set) { set.Limits.Extensions = 2 })
	if got := o.Settings().MaxExtensions; got != 2 {
		t.Errorf("%d extensions after publishing", got)
	}
	// Two people edit: the second to save, and the second to publish, hear of it.
	now := must(o.Setting(ctx, admin, tickets.SettingPolicies, "tiny"))
	if err := o.SaveDraft(ctx, admin, tickets.SettingPolicies, "tiny", now.Body, 0); err != nil {
		t.Fatal(err)
	}
	if err := o.SaveDraft(ctx, admin, tickets.SettingPolicies, "tiny", now.Body, 0); !errors.Is(err, tickets.ErrSettingStale) {
		t.Errorf("%v", err)
	}
	if err := o.SaveDraft(ctx, admin, tickets.SettingPolicies, "tiny", now.Body, 1); err != nil {
		t.Error(err)
	}
	if _, err := o.Publish(ctx, admin, tickets.SettingPolicies, "tiny", 1, ""); !errors.Is(err, tickets.ErrSettingStale) {
		t.Errorf("%v", err)
	}
	if err := o.DiscardDraft(ctx, admin, tickets.SettingPolicies, "tiny"); err != nil {
		t.Fatal(err)
	}
	// What was shipped can be restored.
	list := must(o.SettingVersions(ctx, admin, tickets.SettingPolicies, "tiny", 10))
	if len(list) != 2 || list[0].Version != 1 || list[0].ChangedBy != o.city.Users["administrator"] || list[1].Version != 0 || list[1].ChangedBy.String() != "00000000-0000-0000-0000-000000000000" {
		t.Fatalf("%+v", list)
	}
	old := must(o.SettingVersion(ctx, admin, tickets.SettingPolicies, "tiny", 0))
	if err := o.SaveDraft(ctx, admin, tickets.SettingPolicies, "tiny", old.Body, 0); err != nil {
		t.Fatal(err)
	}
	if v, err := o.Publish(ctx, admin, tickets.SettingPolicies, "tiny", 1, "back"); err != nil || v != 2 {
		t.Errorf("%d %v", v, err)
	}
	back := must(o.Setting(ctx, admin, tickets.SettingPolicies, "tiny"))
	if string(tickets.IndentJSON(back.Kind, back.Body)) != string(tickets.IndentJSON(shipped.Kind, shipped.Body)) {
		t.Errorf("%s", back.Body)
	}
	if got := o.Settings().MaxExtensions; got != 1 {
		t.Errorf("%d extensions after restoring", got)
	}
	if _, err := o.SettingVersion(ctx, admin, tickets.SettingPolicies, "tiny", 99); errs.KindOf(err) != errs.NotFound {
		t.Errorf("%v", err)
	}
}

// TestOtherNodesFollow: a second node works by the new rules at its next look, and starts no clock under old ones after that.
func TestOtherNodesFollow(t *testing.T) {
	t.Parallel()
	o := loaded(t)
	other := o.service()
	if err := other.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.policies(func(set *sla.Set) { set.Limits.RevisitTries = 7 })
	if got := other.Settings().RevisitTries; got != 3 {
		t.Fatalf("%d before its look", got)
	}
	if err := other.CatchUp(t.Context()); err != nil || other.Settings().RevisitTries != 7 {
		t.Errorf("%d, %v", other.Settings().RevisitTries, err)
	}
}

func TestARecomputationIsSharedAndSurvivesItsNode(t *testing.T) {
	t.Parallel()
	o := loaded(t)
	for range 30 {
		o.dispatched()
	}
	o.policies(func(set *sla.Set) { setClock(set, "default", sla.Sign, sla.Span{N: 2, Unit: sla.WorkingDays}) })
	o.clock.Advance(tickets.RecomputeDelay)
	first, done, err := o.Recompute(t.Context(), 20)
	if err != nil || done || first.Looked == 0 || first.Looked > 20 {
		t.Fatalf("%+v %v %v", first, done, err)
	}
	// The node dies; another one finishes, while somebody holds a ticket for a moment.
	held := o.dispatched()
	tx, err := o.owner.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `select from tickets where id in (select id from tickets order by id desc limit 3) for update`); err != nil {
		t.Fatal(err)
	}
	node := o.service()
	var job tickets.Recomputation
	for range 4 { // up to the end of the scan, where the held ones wait
		if job, _, err = node.Recompute(t.Context(), 20); err != nil {
			t.Fatal(err)
		}
	}
	if job.State != "running" {
		t.Fatalf("finished without the tickets that are held: %+v", job)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	for done = false; !done; {
		if job, done, err = node.Recompute(t.Context(), 20); err != nil {
			t.Fatal(err)
		}
	}
	// The last ticket was opened under the new rules already.
	if job.Later != 30 || job.State != "done" || job.Looked != 93 {
		t.Errorf("%+v", job)
	}
	if n := len(o.entries(held, tickets.EntryRecomputed)); n != 0 {
		t.Errorf("%d entries for a ticket that nothing moved", n)
	}
	o.gapFree()
}

func TestAnAgencyWorksByTheRulesOfItsOwnJurisdiction(t *testing.T) {
	t.Parallel()
	o := loaded(t)
	// Thursday 5 March 2026, 22:00 in Beijing, is Thursday 9:00 in New York; the clocks there change on Sunday the 8th.
	o.at("2026-03-05 22:00")
	ctx, admin := t.Context(), o.as("administrator")
	set := must(sla.ShippedSet())
	set.Calendar = "us-ny"
	if err := o.SaveDraft(ctx, admin, tickets.SettingPolicies, "mission", must(json.Marshal(set)), 0); err != nil {
		t.Fatal(err)
	}
	if err := o.AssignJurisdiction(ctx, admin, o.city.Agencies["dept-environment"], "mission"); !errors.Is(err, tickets.ErrUnknownSetting) {
		t.Errorf("a draft is no jurisdiction yet: %v", err)
	}
	if _, err := o.Publish(ctx, admin, tickets.SettingPolicies, "mission", 1, ""); err != nil {
		t.Fatal(err)
	}
	if err := o.AssignJurisdiction(ctx, admin, o.city.Agencies["dept-environment"], "mission"); err != nil {
		t.Fatal(err)
	}
	o.rules["dept-environment"] = "mission"
	ny := must(time.LoadLocation("America/New_York"))
	k := o.file()
	if want := time.Date(2026, 3, 12, 17, 30, 0, 0, tuesday.Location()); !k.PromisedAt.Equal(want) {
		t.Errorf("the hotline promises %s, want %s", k.PromisedAt, want)
	}
	k = o.must("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: o.city.Agencies["dept-environment"]})
	if want := time.Date(2026, 3, 6, 17, 0, 0, 0, ny); !k.SignDueAt.Equal(want) {
		t.Errorf("to be signed by %s, want %s", k.SignDueAt, want)
	}
	want := time.Date(2026, 3, 12, 17, 0, 0, 0, ny) // 5 working days in New York, at summer time
	if !k.PromisedAt.Equal(want) {
		t.Errorf("promised %s, want %s", k.PromisedAt, want)
	}
	last := must(o.Timeline(ctx, tickets.System(), k.ID))
	if e := last[len(last)-1]; e.Type != "dispatch" || e.Data.DueAt == nil || !e.Data.DueAt.Equal(want) {
		t.Errorf("the move does not tell the later date: %+v", e)
	}
	// The hotline's own clocks stay with the hotline.
	k = o.must("handler-env", k, tickets.RequestReturn, tickets.Fields{Reason: "not_responsible", Basis: "Not in our list of duties."})
	if got, want := o.clockOf(k, "return_decision").DueAt, time.Date(2026, 3, 6, 17, 30, 0, 0, tuesday.Location()); !got.Equal(want) {
		t.Errorf("the return is decided by %s, want %s", got, want)
	}
	// Given back, the earlier date of the hotline's own rules does not come back: what was told stays.
	k = o.must("dispatcher", k, tickets.ApproveReturn, tickets.Fields{})
	if !k.PromisedAt.Equal(want) {
		t.Errorf("after the return promised %s, was %s", k.PromisedAt, want)
	}
	if job := o.recompute(100); job.State != "done" {
		t.Errorf("%+v", job)
	}
}

func TestAcknowledgementIsAClockOfItsOwn(t *testing.T) {
	t.Parallel()
	o := loaded(t)
	k := o.file(func(d *tickets.Draft) { d.NeedsAcceptance = true; d.Kind = "report" })
	ack, accept := o.clockOf(k, "acknowledge"), o.clockOf(k, "accept")
	if want := time.Date(2026, 3, 18, 0, 0, 0, 0, tuesday.Location()); !ack.DueAt.Equal(want) || accept.DueAt.Equal(ack.DueAt) {
		t.Errorf("acknowledged by %s (want %s), accepted by %s", ack.DueAt, want, accept.DueAt)
	}
	k = o.must("dispatcher", k, tickets.Accept, tickets.Fields{})
	if !o.clockOf(k, "acknowledge").Stopped {
		t.Error("the acceptance did not acknowledge")
	}
}

// TestRulesStandBehindTheSecondWall: a query without a filter writes no rules for staff of an agency, and shows no drafts to anybody but the hotline's administrators.
func TestRulesStandBehindTheSecondWall(t *testing.T) {
	t.Parallel()
	o := loaded(t)
	o.policies(func(set *sla.Set) { set.Limits.Extensions = 2 })
	now := must(o.Setting(t.Context(), o.as("administrator"), tickets.SettingPolicies, "tiny"))
	if err := o.SaveDraft(t.Context(), o.as("administrator"), tickets.SettingPolicies, "tiny", now.Body, 0); err != nil {
		t.Fatal(err)
	}
	o.clock.Advance(48 * time.Hour)
	o.file()
	o.clock.Advance(48 * time.Hour)
	o.anchor()
	for _, table := range []string{"setting_versions", "setting_drafts", "recomputations"} {
		if o.count(o.city.Staff("administrator"), table) == 0 || o.count(o.city.Staff("handler-env"), table) != 0 || o.count(o.city.Staff("supervisor"), table) != 0 || o.count(db.CitizenOfTicket(o.file().ID), table) != 0 || o.count(db.Actor{}, table) != 0 {
			t.Errorf("%s is seen by the wrong people", table)
		}
	}
	for _, table := range []string{"sla_sets", "history_anchors", "settings_revision"} {
		if o.count(o.city.Staff("handler-env"), table) == 0 || o.count(db.Actor{}, table) != 0 {
			t.Errorf("%s is seen by the wrong people", table)
		}
	}
	for _, sql := range []string{`update sla_sets set version = 99`, `delete from sla_sets`, `delete from setting_drafts`, `update recomputations set state = 'done'`,
		`update settings_revision set revision = 0`} {
		for _, user := range []string{"handler-env", "supervisor"} {
			err := db.WithTx(t.Context(), o.pool, o.city.Staff(user), func(tx db.Tx) error {
				tag, err := tx.Exec(t.Context(), sql)
				if err == nil && tag.RowsAffected() > 0 {
					t.Errorf("%s may: %s", user, sql)
				}
				return err
			})
			if err != nil && !strings.Contains(err.Error(), "permission denied") {
				t.Errorf("%s: %v", sql, err)
			}
		}
	}
	for _, sql := range []string{`update setting_versions set note = ''`, `delete from setting_versions`, `update history_anchors set entries = 0`, `delete from history_anchors`} {
		err := db.WithTx(t.Context(), o.pool, db.System(), func(tx db.Tx) error { _, err := tx.Exec(t.Context(), sql); return err })
		if err == nil || !strings.Contains(err.Error(), "permission denied") && !strings.Contains(err.Error(), "append-only") {
			t.Errorf("the application may: %s: %v", sql, err)
		}
	}
}
