package tickets_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/tickets"
)

func TestASurgeIsSeenOnceAndEndsByItself(t *testing.T) {
	t.Parallel()
	o := open(t)
	ctx := t.Context()
	o.route.Area = "street-east-1"
	// Eight quiet weeks: one ticket each at the same hour.
	now := o.clock.Now()
	for range 9 {
		o.file()
		o.clock.Advance(7 * 24 * time.Hour)
	}
	sweep := func() tickets.SurgeSweep { t.Helper(); return must(o.SweepSurges(ctx, o.clock.Now())) }
	if got := sweep(); got.Opened != 0 {
		t.Errorf("a quiet week alarms: %+v", got)
	}
	_ = now
	oldest := o.file()
	for range 11 {
		o.clock.Advance(time.Minute)
		o.file()
	}
	o.file(func(d *tickets.Draft) { d.Confidential = true }) // not counted
	if got := sweep(); got.Opened != 1 {
		t.Fatalf("a dozen in a quarter of an hour: %+v", got)
	}
	if got := sweep(); got.Opened != 0 {
		t.Errorf("alarmed twice: %+v", got)
	}
	list := must(o.Surges(ctx, o.as("operator"), time.Time{}, uuid.Nil, 10))
	if len(list) != 1 || list[0].Category != "environment.noise" || list[0].Area != "street-east-1" || list[0].Observed != 12 || list[0].State != "open" {
		t.Fatalf("%+v", list)
	}
	if n := o.count(o.city.Staff("supervisor"), "notifications where type = 'surge'"); n != 2 {
		t.Errorf("%d notices", n)
	}
	for who, a := range map[string]db.Actor{"an agency": o.city.Staff("handler-env"), "a citizen": db.CitizenOfTicket(oldest.ID), "nobody": {}} {
		if n := o.count(a, "surges"); n != 0 {
			t.Errorf("%s sees surges", who)
		}
		if n := o.count(a, "ticket_arrivals"); n != 0 {
			t.Errorf("%s sees arrivals", who)
		}
	}
	_, behind, err := o.SurgeByID(ctx, o.as("dispatcher"), list[0].ID, 100)
	if err != nil || len(behind) != 12 {
		t.Errorf("%d behind it: %v", len(behind), err)
	}
	if err := o.AcknowledgeSurge(ctx, o.as("operator"), list[0].ID, "on it"); !errors.Is(err, tickets.ErrForbidden) {
		t.Errorf("an operator: %v", err)
	}
	if err := o.AcknowledgeSurge(ctx, o.as("supervisor"), list[0].ID, " "); !errors.Is(err, tickets.ErrMissing) {
		t.Errorf("without a note: %v", err)
	}
	if err := o.AcknowledgeSurge(ctx, o.as("supervisor"), list[0].ID, "Crews are out."); err != nil {
		t.Error(err)
	}
	k := must(o.MassOfSurge(ctx, o.as("dispatcher"), list[0].ID, "Night work, East One"))
	again := must(o.MassOfSurge(ctx, o.as("dispatcher"), list[0].ID, "Night work, East One"))
	if k.ID != oldest.ID || again.ID != k.ID {
		t.Errorf("the mass event is %s, then %s", k.Number, again.Number)
	}
	for range 6 {
		o.clock.Advance(time.Hour)
		sweep()
	}
	list = must(o.Surges(ctx, o.as("operator"), time.Time{}, uuid.Nil, 10))
	if list[0].State != "over" || list[0].EndedAt == nil || list[0].Peak != 12 || list[0].Note != "Crews are out." {
		t.Errorf("%+v", list[0])
	}
	if err := o.AcknowledgeSurge(ctx, o.as("supervisor"), list[0].ID, "late"); !errors.Is(err, tickets.ErrSurgeOver) {
		t.Errorf("after its end: %v", err)
	}
}

func TestFlagsInformAndNothingElse(t *testing.T) {
	t.Parallel()
	o := open(t)
	ctx := t.Context()
	contact := o.contact("138 0000 7777", "")
	first := o.file(by(contact))
	draft := func() tickets.FlagDraft {
		return tickets.FlagDraft{Type: "abusive", Reason: "Insulted two operators on 3 March.", ReviewAt: o.clock.Now().AddDate(0, 0, 30), ExpiresAt: o.clock.Now().AddDate(0, 0, 60)}
	}
	for who, want := range map[string]error{"operator": tickets.ErrForbidden, "dispatcher": tickets.ErrForbidden, "head-env": tickets.ErrForbidden} {
		if _, err := o.SetFlag(ctx, o.as(who), first.ID, draft()); !errors.Is(err, want) {
			t.Errorf("%s: %v", who, err)
		}
	}
	for name, c := range map[string]struct {
		edit func(*tickets.FlagDraft)
		want error
	}{
		"no reason":            {func(d *tickets.FlagDraft) { d.Reason = "rude" }, tickets.ErrReasonShort},
		"for ever":             {func(d *tickets.FlagDraft) { d.ExpiresAt = o.clock.Now().AddDate(10, 0, 0) }, tickets.ErrBadField},
		"reviewed too late":    {func(d *tickets.FlagDraft) { d.ReviewAt = d.ExpiresAt.AddDate(0, 0, 1) }, tickets.ErrBadField},
		"an invented type":     {func(d *tickets.FlagDraft) { d.Type = "stupid" }, tickets.ErrBadField},
		"over before it is":    {func(d *tickets.FlagDraft) { d.ExpiresAt = o.clock.Now() }, tickets.ErrBadField},
		"reviewed in the past": {func(d *tickets.FlagDraft) { d.ReviewAt = o.clock.Now().AddDate(0, 0, -1) }, tickets.ErrBadField},
	} {
		d := draft()
		c.edit(&d)
		if _, err := o.SetFlag(ctx, o.as("supervisor"), first.ID, d); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := o.SetFlag(ctx, o.as("supervisor"), o.file().ID, draft()); !errors.Is(err, tickets.ErrNoContact) {
		t.Errorf("an anonymous ticket: %v", err)
	}
	report := o.file(by(contact), func(d *tickets.Draft) { d.Kind = "report" })
	if _, err := o.SetFlag(ctx, o.as("supervisor"), report.ID, draft()); !errors.Is(err, tickets.ErrNoContact) {
		t.Errorf("a confidential ticket: %v", err)
	}
	f := must(o.SetFlag(ctx, o.as("supervisor"), first.ID, draft()))
	// The report counts for nobody who may not see it. The same person files again under the same telephone: seen by the desk, not by others, and treated like anybody.
	plain := o.file()
	second := o.file(by(o.contact("+86 13800007777", "")))
	flags, filed, days, err := o.FlagsOf(ctx, o.as("operator"), second)
	if err != nil || len(flags) != 1 || flags[0].Reason != draft().Reason || filed != 2 || days != 30 {
		t.Errorf("%+v, %d in %d days: %v", flags, filed, days, err)
	}
	if second.Urgency != plain.Urgency || second.State != plain.State || !second.DueAt.Equal(*plain.DueAt) || !second.PromisedAt.Equal(*plain.PromisedAt) {
		t.Error("a flag changed what the intake does")
	}
	if flags, _, _, _ := o.FlagsOf(ctx, o.as("supervisor"), report); len(flags) != 0 {
		t.Error("a flag gives away who filed a confidential report")
	}
	for _, table := range []string{"contact_flags", "contact_flag_events", "flag_proposals"} {
		for who, a := range map[string]db.Actor{"the lead": o.city.Staff("handler-env"), "a head": o.city.Staff("head-env"), "the citizen": db.CitizenOfTicket(first.ID), "nobody": {}} {
			if n := o.count(a, table); n != 0 {
				t.Errorf("%s sees %d rows of %s", who, n, table)
			}
		}
	}
	if _, err := o.SetFlag(ctx, o.as("supervisor"), second.ID, draft()); !errors.Is(err, tickets.ErrFlagged) {
		t.Errorf("the same flag twice: %v", err)
	}
	o.clock.Advance(31 * 24 * time.Hour)
	if got := must(o.SweepFlags(ctx, o.clock.Now())); got.Due != 1 || got.Expired != 0 {
		t.Errorf("%+v", got)
	}
	if got := must(o.SweepFlags(ctx, o.clock.Now())); got.Due != 0 {
		t.Error("told twice that a review is due")
	}
	d := draft()
	if err := o.ChangeFlag(ctx, o.as("supervisor"), f.ID, 99, d); !errors.Is(err, tickets.ErrFlagStale) {
		t.Errorf("stale: %v", err)
	}
	if err := o.ChangeFlag(ctx, o.as("supervisor"), f.ID, f.Version, d); err != nil {
		t.Error(err)
	}
	o.clock.Advance(61 * 24 * time.Hour)
	if got := must(o.SweepFlags(ctx, o.clock.Now())); got.Expired != 1 {
		t.Errorf("%+v", got)
	}
	if flags, _, _, _ := o.FlagsOf(ctx, o.as("operator"), second); len(flags) != 0 {
		t.Error("an expired flag is shown")
	}
	if err := o.EndFlag(ctx, o.as("supervisor"), f.ID, tickets.AnyVersion, "over"); !errors.Is(err, tickets.ErrFlagEnded) {
		t.Errorf("ended after its end: %v", err)
	}
	_, events, err := o.FlagByID(ctx, o.as("operator"), f.ID)
	if err != nil {
		t.Fatal(err)
	}
	var path string
	for _, e := range events {
		path += e.Type + " "
	}
	if path != "set reviewed expired " || events[2].UserID != uuid.Nil {
		t.Errorf("its history: %s", path)
	}
	for _, sql := range []string{`update contact_flag_events set data = '{}'`, `delete from contact_flag_events`} {
		if err := db.WithTx(ctx, o.pool, db.System(), func(tx db.Tx) error { _, err := tx.Exec(ctx, sql); return err }); err == nil {
			t.Errorf("%s went through", sql)
		}
	}
}

func TestRepeatCallersAreProposedAndNotFlagged(t *testing.T) {
	t.Parallel()
	o := open(t)
	ctx := t.Context()
	var last tickets.Ticket
	for range 5 {
		last = o.file(by(o.contact("138 0000 4242", "")))
	}
	for range 4 {
		o.file(by(o.contact("", "Once@Example.org")))
	}
	if got := must(o.SweepFlags(ctx, o.clock.Now())); got.Proposed != 1 {
		t.Fatalf("%+v", got)
	}
	if got := must(o.SweepFlags(ctx, o.clock.Now())); got.Proposed != 0 {
		t.Error("proposed twice")
	}
	list := must(o.Proposals(ctx, o.as("supervisor")))
	if len(list) != 1 || list[0].N != 5 || list[0].TicketID != last.ID {
		t.Fatalf("%+v", list)
	}
	if flags, _, _, _ := o.FlagsOf(ctx, o.as("supervisor"), last); len(flags) != 0 {
		t.Error("the program flagged somebody")
	}
	if err := o.Dismiss(ctx, o.as("operator"), list[0].ID); !errors.Is(err, tickets.ErrForbidden) {
		t.Errorf("an operator: %v", err)
	}
	if err := o.Dismiss(ctx, o.as("supervisor"), list[0].ID); err != nil {
		t.Error(err)
	}
	o.file(by(o.contact("138 0000 4242", "")))
	if got := must(o.SweepFlags(ctx, o.clock.Now())); got.Proposed != 0 {
		t.Error("proposed again right after the no")
	}
}
