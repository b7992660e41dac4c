package tickets_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"hotline/internal/db"
	"hotline/tickets"
)

var walled = []string{"tickets", "ticket_access", "assignments", "ticket_events", "ticket_clocks", "ticket_search", "ticket_ratings", "notifications", "conversations", "ticket_watchers", "ticket_mentions", "tags", "ticket_tags", "saved_filters", "ticket_links", "macros", "bulk_jobs", "ticket_fields", "ticket_lacking"}

// hang puts a row of every working tool on the ticket, by the lead's handler.
func (o *office) hang(k tickets.Ticket) {
	o.Helper()
	for _, sql := range []string{
		`insert into ticket_watchers (ticket_id, user_id, agency_id, since, changed_at, kind, urgency, state, opened_at) values ($1, $2, $3, now(), now(), 'complaint', 'normal', 'closed', now())`,
		`insert into ticket_mentions (ticket_id, user_id, agency_id, event_seq, mentioned_at, kind, urgency, state, opened_at) values ($1, $2, $3, 1, now(), 'complaint', 'normal', 'closed', now())`,
		`insert into ticket_fields (ticket_id, data, updated_at) select $1, '{}', now() from users where id in ($2, $3) limit 1`,
		`insert into ticket_lacking (ticket_id, codes) select $1, '{since}' from users where id in ($2, $3) limit 1`,
		`with v as (insert into conversations (id, channel, account, thread) values (gen_random_uuid(), 'web', 'test', 'another') returning id),
		 f as (insert into tickets (id, number, code_hash, kind, title, description, lang, channel, conversation_id, state) select gen_random_uuid(), '2000-000001', '\\x00', kind, title, description, lang, channel, v.id, state from tickets, v where tickets.id = $1 returning id),
		 a as (insert into ticket_access (agency_id, ticket_id, role, state, queue, open, acting, kind, urgency, confidential, opened_at, updated_at) select $3, f.id, 'past', 'closed', '', false, false, 'help', 'normal', false, now(), now() from f)
		 insert into ticket_links (from_id, to_id, kind, by_user_id, at) select $1, id, 'related', $2, now() from f`,
	} {
		if _, err := o.owner.Exec(o.Context(), sql, k.ID, o.city.Users["handler-env"], o.city.Agencies["dept-environment"]); err != nil {
			o.Fatal(err)
		}
	}
	must(o.SaveFilter(o.Context(), o.as("handler-env"), tickets.SavedFilter{Name: "mine", View: tickets.ViewOpen}))
	must(o.StartBulk(o.Context(), o.as("handler-env"), tickets.BulkDeed{Do: tickets.BulkWatch}, []uuid.UUID{k.ID}))
	must(o.SaveMacro(o.Context(), o.as("head-env"), tickets.Macro{Names: map[string]string{"en": "Thanks"}, Texts: map[string]string{"en": "Thank you."}}))
	if _, _, err := o.AddTag(o.Context(), o.as("handler-env"), k.ID, "night"); err != nil {
		o.Fatal(err)
	}
}

func TestAQueryWithoutItsFilterShowsNothingOfAnotherAgency(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.inProgress()
	k = o.must("handler-env", k, tickets.Reply, answer())
	if _, err := o.Rate(t.Context(), citizen(k), k.ID, tickets.Rating{Grade: 5}); err != nil {
		t.Fatal(err)
	}
	o.hang(k)
	for _, table := range walled {
		if n := o.count(o.city.Staff("handler-env"), table); n == 0 {
			t.Errorf("the lead sees nothing in %s", table)
		}
		for who, a := range map[string]db.Actor{
			"another agency": o.city.Staff("handler-util"), "nobody": {}, "another conversation": db.Citizen(uuid.New()), "another ticket": db.CitizenOfTicket(uuid.New()),
		} {
			if n := o.count(a, table); n != 0 {
				t.Errorf("%s sees %d rows of %s", who, n, table)
			}
		}
	}
	// Those above the lead see it; those beside it do not.
	above := db.Staff(uuid.New(), o.city.Agencies["city"], false, false)
	if n := o.count(above, "tickets"); n != 1 {
		t.Errorf("the city sees %d", n)
	}
	if n := o.count(db.Staff(uuid.New(), o.city.Agencies["dist-east"], false, false), "tickets"); n != 0 {
		t.Errorf("a district beside the lead sees %d", n)
	}
	for _, a := range []db.Actor{db.Citizen(k.ConversationID), db.CitizenOfTicket(k.ID)} {
		if n := o.count(a, "tickets"); n != 1 {
			t.Errorf("the reporter sees %d", n)
		}
		if n := o.count(a, "ticket_access"); n != 0 {
			t.Errorf("the reporter sees %d access rows", n)
		}
	}
	// Search goes past the table's policy, and not past the wall.
	for user, want := range map[string]int{"handler-env": 1, "handler-util": 0, "dispatcher": 1} {
		page, err := o.List(t.Context(), o.as(user), tickets.ViewAll, tickets.Filter{Text: "drilling"}, "", 10)
		if err != nil || len(page.Rows) != want {
			t.Errorf("%s finds %d: %v", user, len(page.Rows), err)
		}
	}
	var n int
	err := db.ReadTx(t.Context(), o.pool, o.city.Staff("handler-util"), func(tx db.Tx) error {
		return tx.QueryRow(t.Context(), `select count(*) from search_tickets('''drill'''::tsquery, 2000, 200)`).Scan(&n)
	})
	if err != nil || n != 0 {
		t.Errorf("the search function gives %d hits away: %v", n, err)
	}
}

func TestAnAgencyThatGaveTheTicketUpKeepsOnlyItsOwnPast(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.dispatched()
	k = o.must("handler-env", k, tickets.RequestReturn, tickets.Fields{Reason: "not_responsible", Basis: "catalogue"})
	k = o.must("dispatcher", k, tickets.ApproveReturn, tickets.Fields{})
	o.must("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: o.city.Agencies["dept-utilities"]})
	for v, want := range map[tickets.View]int{tickets.ViewOpen: 0, tickets.ViewClosed: 1, tickets.ViewAll: 1} {
		page, err := o.List(t.Context(), o.as("handler-env"), v, tickets.Filter{}, "", 10)
		if err != nil || len(page.Rows) != want {
			t.Errorf("%s: %d, %v", v, len(page.Rows), err)
		}
		if want == 1 && page.Rows[0].Access != "past" {
			t.Errorf("seen as %s", page.Rows[0].Access)
		}
	}
}

func TestConfidentialTicketsAreInvisibleToUnclearedStaff(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.file(func(d *tickets.Draft) { d.Kind = "report" })
	k = o.must("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: o.city.Agencies["dept-environment"]})
	for user, sees := range map[string]bool{"dispatcher": true, "supervisor": true, "operator": false, "handler-env": false, "head-env": false, "cleared-env": true} {
		_, err := o.ByID(t.Context(), o.as(user), k.ID)
		if sees != (err == nil) || err != nil && !errors.Is(err, tickets.ErrNotFound) {
			t.Errorf("%s: %v", user, err)
		}
		for _, table := range walled {
			if n := o.count(o.city.Staff(user), table); !sees && n != 0 {
				t.Errorf("%s sees %d rows of %s", user, n, table)
			}
		}
		page, err := o.List(t.Context(), o.as(user), tickets.ViewAll, tickets.Filter{Text: "drilling"}, "", 10)
		if err != nil || sees != (len(page.Rows) == 1) {
			t.Errorf("%s finds %d: %v", user, len(page.Rows), err)
		}
	}
	// Not even the agencies above the lead, cleared or not.
	if n := o.count(db.Staff(uuid.New(), o.city.Agencies["city"], false, true), "tickets"); n != 0 {
		t.Errorf("the city sees %d", n)
	}
	if err := o.Disclose(t.Context(), o.as("cleared-env"), k.ID, ""); !errors.Is(err, tickets.ErrMissing) {
		t.Errorf("disclosed without a reason: %v", err)
	}
	if err := o.Disclose(t.Context(), o.as("cleared-env"), k.ID, "Court order 7"); err != nil {
		t.Error(err)
	}
	events := must(o.Timeline(t.Context(), o.as("supervisor"), k.ID))
	if last := events[len(events)-1]; last.Type != "disclosed" || last.Data.Reason != "Court order 7" || last.UserID != o.city.Users["cleared-env"] {
		t.Errorf("%+v", last)
	}
}

func TestTheHistoryCannotBeChanged(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.file()
	for _, sql := range []string{`update ticket_events set data = '{}'`, `delete from ticket_events`, `truncate ticket_events`} {
		err := db.WithTx(t.Context(), o.pool, db.System(), func(tx db.Tx) error { _, err := tx.Exec(t.Context(), sql); return err })
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.Code != "42501" {
			t.Errorf("the application: %s: %v", sql, err)
		}
		// Not even the owner, by accident.
		if _, err := o.owner.Exec(t.Context(), sql); err == nil {
			t.Errorf("the owner: %s went through", sql)
		}
	}
	if n := o.count(db.System(), "ticket_events"); n == 0 {
		t.Error("the history is gone")
	}
}

func TestElevationEndsWithTheMove(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.file()
	k := o.dispatched()
	a := o.as("handler-env")
	o.OnPublic(func(_ context.Context, _ db.Tx, _ tickets.Ticket, _ tickets.Event) error { return nil })
	err := db.WithTx(t.Context(), o.pool, a.DB, func(tx db.Tx) error {
		if _, err := o.ApplyTx(t.Context(), tx, a, k.ID, k.Version, tickets.Sign, tickets.Fields{}, ""); err != nil {
			return err
		}
		var n int
		err := tx.QueryRow(t.Context(), `select count(*) from tickets`).Scan(&n)
		if n != 1 {
			t.Errorf("after its move an agency sees %d tickets in the same transaction", n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	// The citizen files for themselves: the row is theirs alone to see, before and after.
	c := o.conversation()
	err = db.WithTx(t.Context(), o.pool, db.Citizen(c), func(tx db.Tx) error {
		d := o.draft()
		d.ConversationID = c
		if _, err := o.OpenTx(t.Context(), tx, d); err != nil {
			return err
		}
		var n int
		err := tx.QueryRow(t.Context(), `select count(*) from tickets`).Scan(&n)
		if n != 1 {
			t.Errorf("the citizen sees %d tickets", n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestOnlyTheStateMachineWrites(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.inProgress()
	for _, sql := range []string{
		`update tickets set state = 'closed' where id = $1`, `insert into ticket_access select gen_random_uuid(), ticket_id, 'lead', state, queue, open, acting, kind, category, urgency, confidential from ticket_access where ticket_id = $1`,
		`update ticket_access set confidential = false where ticket_id = $1`, `delete from ticket_access where ticket_id = $1`, `update ticket_clocks set due_at = 'infinity' where ticket_id = $1`,
		`insert into ticket_events (ticket_id, seq, type, actor, at) values ($1, 99, 'forged', 'staff', now())`, `insert into ticket_ratings (ticket_id, grade) values ($1, 1)`,
		`insert into ticket_watchers (ticket_id, user_id, agency_id, since, changed_at, ` + marks + `) select t.id, u.id, u.agency_id, now(), now(), ` + marks + ` from tickets t, users u where t.id = $1 limit 1`,
	} {
		for who, a := range map[string]db.Actor{"the lead": o.city.Staff("handler-env"), "the hotline": o.city.Staff("dispatcher"), "the citizen": db.CitizenOfTicket(k.ID)} {
			before := o.snapshot(k.ID)
			err := db.WithTx(t.Context(), o.pool, a, func(tx db.Tx) error { _, err := tx.Exec(t.Context(), sql, k.ID); return err })
			if after := o.snapshot(k.ID); after != before {
				t.Errorf("%s: %s went through (%v)", who, sql, err)
			}
		}
	}
}

func TestAHistoryChangedBehindTheProgramIsNoticed(t *testing.T) {
	t.Parallel()
	o := open(t)
	ctx := t.Context()
	k := o.inProgress()
	k = o.must("handler-env", k, tickets.RequestExtend, tickets.Fields{Text: "parts", Days: 2})
	k = o.must("dispatcher", k, tickets.ApproveExtend, tickets.Fields{})
	o.clock.Advance(40 * 24 * time.Hour)
	o.sweep() // several clocks of one ticket in one batch
	k = o.must("handler-env", k, tickets.Reply, answer())
	if _, err := o.Rate(ctx, citizen(k), k.ID, tickets.Rating{Grade: 2, Text: "late"}); err != nil {
		t.Fatal(err)
	}
	if err := o.VerifyHistory(ctx, o.as("supervisor"), k.ID); err != nil {
		t.Fatalf("an honest history: %v", err)
	}
	if err := o.VerifyHistory(ctx, o.as("handler-util"), k.ID); !errors.Is(err, tickets.ErrNotFound) {
		t.Errorf("a stranger: %v", err)
	}
	for _, sql := range []string{
		`update ticket_events set data = '{"text": "Nothing to see here.", "outcome": "resolved"}' where ticket_id = $1 and type = 'reply'`,
		`update ticket_events set at = at - interval '30 days' where ticket_id = $1 and type = 'reply'`,
		`delete from ticket_events where ticket_id = $1 and type = 'rated'`,
		`delete from ticket_events where ticket_id = $1 and seq = 2`,
		`insert into ticket_events (ticket_id, seq, type, actor, at) select $1, max(seq) + 1, 'note', 'staff', now() from ticket_events where ticket_id = $1`,
	} {
		tx, err := o.owner.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		// The owner can switch the trigger off; that is whom the seals are for.
		for _, s := range []string{`create table kept as select * from ticket_events`, `alter table ticket_events disable trigger ticket_events_append_only`} {
			if _, err := tx.Exec(ctx, s); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := tx.Exec(ctx, sql, k.ID); err != nil {
			t.Fatal(err)
		}
		if err := tx.Commit(ctx); err != nil {
			t.Fatal(err)
		}
		if err := o.VerifyHistory(ctx, o.as("supervisor"), k.ID); !errors.Is(err, tickets.ErrTampered) {
			t.Errorf("after %s: %v", sql, err)
		}
		if _, err := o.owner.Exec(ctx, `delete from ticket_events; `, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(err)
		}
		if _, err := o.owner.Exec(ctx, `insert into ticket_events select * from kept; drop table kept`, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.VerifyHistory(ctx, o.as("supervisor"), k.ID); err != nil {
		t.Errorf("restored: %v", err)
	}
}
