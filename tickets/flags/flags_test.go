package flags_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/internal/errs"
	"hotline/internal/testkit"
	"hotline/tickets"
	"hotline/tickets/flags"
	"hotline/tickets/ticketstest"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func by(contact *uuid.UUID) func(*tickets.Draft) {
	return func(d *tickets.Draft) { d.ContactID = contact }
}

func TestFlagsInformAndNothingElse(t *testing.T) {
	t.Parallel()
	o := ticketstest.Open(t)
	store := flags.New(o.Pool, o.Clock, o.Service)
	ctx := t.Context()
	contact := o.Contact("138 0000 7777", "")
	first := o.File(by(contact))
	draft := func() flags.Draft {
		return flags.Draft{Type: "abusive", Reason: "Insulted two operators on 3 March.", ReviewAt: o.Clock.Now().AddDate(0, 0, 30), ExpiresAt: o.Clock.Now().AddDate(0, 0, 60)}
	}
	for who, want := range map[string]error{"operator": tickets.ErrForbidden, "dispatcher": tickets.ErrForbidden, "head-env": tickets.ErrForbidden} {
		if _, err := store.Set(ctx, o.As(who), first.ID, draft()); !errors.Is(err, want) {
			t.Errorf("%s: %v", who, err)
		}
	}
	for name, c := range map[string]struct {
		edit func(*flags.Draft)
		want error
	}{
		"no reason":            {func(d *flags.Draft) { d.Reason = "rude" }, tickets.ErrReasonShort},
		"for ever":             {func(d *flags.Draft) { d.ExpiresAt = o.Clock.Now().AddDate(10, 0, 0) }, tickets.ErrBadField},
		"reviewed too late":    {func(d *flags.Draft) { d.ReviewAt = d.ExpiresAt.AddDate(0, 0, 1) }, tickets.ErrBadField},
		"an invented type":     {func(d *flags.Draft) { d.Type = "stupid" }, tickets.ErrBadField},
		"over before it is":    {func(d *flags.Draft) { d.ExpiresAt = o.Clock.Now() }, tickets.ErrBadField},
		"reviewed in the past": {func(d *flags.Draft) { d.ReviewAt = o.Clock.Now().AddDate(0, 0, -1) }, tickets.ErrBadField},
	} {
		d := draft()
		c.edit(&d)
		if _, err := store.Set(ctx, o.As("supervisor"), first.ID, d); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := store.Set(ctx, o.As("supervisor"), o.File().ID, draft()); !errors.Is(err, flags.ErrNoContact) {
		t.Errorf("an anonymous ticket: %v", err)
	}
	report := o.File(by(contact), func(d *tickets.Draft) { d.Kind = "report" })
	if _, err := store.Set(ctx, o.As("supervisor"), report.ID, draft()); !errors.Is(err, flags.ErrNoContact) {
		t.Errorf("a confidential ticket: %v", err)
	}
	f := ticketstest.Must(store.Set(ctx, o.As("supervisor"), first.ID, draft()))
	// The report counts for nobody who may not see it. The same person files again under the same telephone: seen by the desk, not by others, and treated like anybody.
	plain := o.File()
	second := o.File(by(o.Contact("+86 13800007777", "")))
	set, filed, days, err := store.Of(ctx, o.As("operator"), second)
	if err != nil || len(set) != 1 || set[0].Reason != draft().Reason || filed != 2 || days != 30 {
		t.Errorf("%+v, %d in %d days: %v", set, filed, days, err)
	}
	if second.Urgency != plain.Urgency || second.State != plain.State || !second.DueAt.Equal(*plain.DueAt) || !second.PromisedAt.Equal(*plain.PromisedAt) {
		t.Error("a flag changed what the intake does")
	}
	if set, _, _, _ := store.Of(ctx, o.As("supervisor"), report); len(set) != 0 {
		t.Error("a flag gives away who filed a confidential report")
	}
	for _, table := range []string{"contact_flags", "contact_flag_events", "flag_proposals"} {
		for who, a := range map[string]db.Actor{"the lead": o.City.Staff("handler-env"), "a head": o.City.Staff("head-env"), "the citizen": db.CitizenOfTicket(first.ID), "nobody": {}} {
			if n := o.Rows(a, table); n != 0 {
				t.Errorf("%s sees %d rows of %s", who, n, table)
			}
		}
	}
	if _, err := store.Set(ctx, o.As("supervisor"), second.ID, draft()); !errors.Is(err, flags.ErrFlagged) {
		t.Errorf("the same flag twice: %v", err)
	}
	o.Clock.Advance(31 * 24 * time.Hour)
	if got := ticketstest.Must(store.Sweep(ctx, o.Clock.Now())); got.Due != 1 || got.Expired != 0 {
		t.Errorf("%+v", got)
	}
	if got := ticketstest.Must(store.Sweep(ctx, o.Clock.Now())); got.Due != 0 {
		t.Error("told twice that a review is due")
	}
	d := draft()
	if err := store.Change(ctx, o.As("supervisor"), f.ID, 99, d); !errors.Is(err, flags.ErrStale) {
		t.Errorf("stale: %v", err)
	}
	if err := store.Change(ctx, o.As("supervisor"), f.ID, f.Version, d); err != nil {
		t.Error(err)
	}
	o.Clock.Advance(61 * 24 * time.Hour)
	if got := ticketstest.Must(store.Sweep(ctx, o.Clock.Now())); got.Expired != 1 {
		t.Errorf("%+v", got)
	}
	if set, _, _, _ := store.Of(ctx, o.As("operator"), second); len(set) != 0 {
		t.Error("an expired flag is shown")
	}
	if err := store.End(ctx, o.As("supervisor"), f.ID, tickets.AnyVersion, "over"); !errors.Is(err, flags.ErrEnded) {
		t.Errorf("ended after its end: %v", err)
	}
	_, events, err := store.ByID(ctx, o.As("operator"), f.ID)
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
		if err := db.WithTx(ctx, o.Pool, db.System(), func(tx db.Tx) error { _, err := tx.Exec(ctx, sql); return err }); err == nil {
			t.Errorf("%s went through", sql)
		}
	}
}

func TestRepeatCallersAreProposedAndNotFlagged(t *testing.T) {
	t.Parallel()
	o := ticketstest.Open(t)
	store := flags.New(o.Pool, o.Clock, o.Service)
	ctx := t.Context()
	var last tickets.Ticket
	for range 5 {
		last = o.File(by(o.Contact("138 0000 4242", "")))
	}
	for range 4 {
		o.File(by(o.Contact("", "Once@Example.org")))
	}
	if got := ticketstest.Must(store.Sweep(ctx, o.Clock.Now())); got.Proposed != 1 {
		t.Fatalf("%+v", got)
	}
	if got := ticketstest.Must(store.Sweep(ctx, o.Clock.Now())); got.Proposed != 0 {
		t.Error("proposed twice")
	}
	list := ticketstest.Must(store.Proposals(ctx, o.As("supervisor")))
	if len(list) != 1 || list[0].N != 5 || list[0].TicketID != last.ID {
		t.Fatalf("%+v", list)
	}
	if set, _, _, _ := store.Of(ctx, o.As("supervisor"), last); len(set) != 0 {
		t.Error("the program flagged somebody")
	}
	if err := store.Dismiss(ctx, o.As("operator"), list[0].ID); !errors.Is(err, tickets.ErrForbidden) {
		t.Errorf("an operator: %v", err)
	}
	if err := store.Dismiss(ctx, o.As("supervisor"), list[0].ID); err != nil {
		t.Error(err)
	}
	o.File(by(o.Contact("138 0000 4242", "")))
	if got := ticketstest.Must(store.Sweep(ctx, o.Clock.Now())); got.Proposed != 0 {
		t.Error("proposed again right after the no")
	}
}

func TestAFlagNeedsAReasonThatOthersCanJudgeBy(t *testing.T) {
	t.Parallel()
	o := ticketstest.Open(t)
	store := flags.New(o.Pool, o.Clock, o.Service)
	k := o.File(by(o.Contact("13800001234", "")))
	day := o.Clock.Now().AddDate(0, 0, 9)
	_, err := store.Set(t.Context(), o.As("supervisor"), k.ID, flags.Draft{Type: "repeat", Reason: "often", ReviewAt: day, ExpiresAt: day})
	var e *errs.Error
	if !errors.Is(err, tickets.ErrReasonShort) || !errors.As(err, &e) || e.Args["least"] != 10 || e.Field != "reason" {
		t.Errorf("%v", err)
	}
}

// While a case is typed for somebody the desk sees their flags and how often they came; an agency sees neither.
func TestFlagsOfACaller(t *testing.T) {
	t.Parallel()
	o := ticketstest.Open(t)
	store := flags.New(o.Pool, o.Clock, o.Service)
	k := o.File(by(o.Contact("+86 138 0000 1234", "")))
	o.File(by(o.Contact("", "Chen@Example.org")))
	day := o.Clock.Now().AddDate(0, 0, 9)
	ticketstest.Must(store.Set(t.Context(), o.As("supervisor"), k.ID, flags.Draft{Type: "vulnerable", Reason: "hard of hearing", ReviewAt: day, ExpiresAt: day}))
	for _, tt := range []struct {
		user, phone, mail string
		flags, filed      int
	}{
		{"operator", "138-0000-1234", "chen@example.ORG", 1, 2},
		{"operator", "1234", "", 0, 0}, // too little of a number is nobody's
		{"operator", "", "", 0, 0},
		{"handler-env", "138-0000-1234", "", 0, 0},
	} {
		set, filed, _, err := store.OfCaller(t.Context(), o.As(tt.user), tt.phone, tt.mail)
		if err != nil || len(set) != tt.flags || filed != tt.filed {
			t.Errorf("%s with %q and %q sees %d flags and %d tickets: %v", tt.user, tt.phone, tt.mail, len(set), filed, err)
		}
	}
}

// Every statement is prepared against the real schema, as the application.
func TestTheStatementsFitTheSchema(t *testing.T) {
	t.Parallel()
	testkit.Prepare(t, testkit.DB(t), flags.Statements...)
}
