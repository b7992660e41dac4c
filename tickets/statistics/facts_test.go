package statistics_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"hotline/internal/db"
	"hotline/internal/testkit"
	"hotline/tickets"
	"hotline/tickets/measures"
	"hotline/tickets/statistics"
	"hotline/tickets/ticketstest"
)

// follow runs the follower until nothing is left to do.
func (o *office) follow() {
	o.Helper()
	for range 1000 {
		f, err := o.Follow(o.Context())
		if err != nil {
			o.Fatal(err)
		}
		if !f.More {
			return
		}
	}
	o.Fatal("the follower never ends")
}

// sums reads the counters of a table that are not 0, for a condition.
func (o *office) sums(table, where string, args ...any) measures.Counts {
	o.Helper()
	of := measures.Everything()
	switch table {
	case "ticket_facts":
		of = measures.OfTickets()
	case "chat_facts":
		of = measures.OfChats()
	}
	var cols []string
	for _, c := range of {
		cols = append(cols, fmt.Sprintf("coalesce(sum(%s), 0)::bigint", c))
	}
	var n measures.Counts
	dest := make([]any, len(of))
	for i, c := range of {
		dest[i] = &n[c]
	}
	if err := o.Owner.QueryRow(o.Context(), `select `+strings.Join(cols, ", ")+` from `+table+` where `+where, args...).Scan(dest...); err != nil {
		o.Fatal(err)
	}
	return n
}

// consistent: every slice adds up to the facts.
func (o *office) consistent(when string) measures.Counts {
	o.Helper()
	want := o.sums("ticket_facts", "true")
	for _, slice := range []string{"agency", "area", "category", "kind", "month", "agency_category", "agency_area", "category_area"} {
		if got := o.sums("measure_sums", "slice = $1", slice); got != want {
			o.Errorf("%s: slice %s is %v, the facts are %v", when, slice, got, want)
		}
	}
	all := want.Plus(o.sums("chat_facts", "true"))
	for _, slice := range []string{"all", "channel"} {
		if got := o.sums("measure_sums", "slice = $1", slice); got != all {
			o.Errorf("%s: slice %s is %v, the facts are %v", when, slice, got, all)
		}
	}
	return want
}

func TestFactsFollowTheTickets(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.File()
	o.follow() // the first look builds what was there before
	if n := o.consistent("first"); n[measures.Tickets] != 1 || n[measures.Open] != 1 {
		t.Fatalf("one open ticket: %v", n)
	}
	k := o.Dispatched()
	k = o.Must("handler-env", k, tickets.RequestReturn, tickets.Fields{Reason: "not_responsible", Basis: "catalogue"})
	k = o.Must("dispatcher", k, tickets.ApproveReturn, tickets.Fields{})
	k = o.Must("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: o.City.Agencies["dept-utilities"]})
	o.follow()
	o.consistent("returned")
	env := o.sums("ticket_facts", "agency_id = $1", o.City.Agencies["dept-environment"])
	if env[measures.Assigned] != 1 || env[measures.Returned] != 1 || env[measures.Misdirected] != 1 || env[measures.Tickets] != 0 {
		t.Errorf("the return counts where it was made: %v", env)
	}
	k = o.Must("handler-util", k, tickets.Sign, tickets.Fields{})
	o.Clock.Advance(90 * time.Minute)
	k = o.Must("handler-util", k, tickets.Reply, ticketstest.Answer())
	if _, err := o.Rate(t.Context(), ticketstest.Citizen(k), k.ID, tickets.Rating{Grade: 2, Resolved: ticketstest.No()}); err != nil {
		t.Fatal(err)
	}
	o.follow()
	o.consistent("rated")
	util := o.sums("ticket_facts", "agency_id = $1", o.City.Agencies["dept-utilities"])
	for _, c := range []measures.Counter{measures.SignOK, measures.ResponseOK, measures.ResolveOK, measures.Kept, measures.Grade2, measures.Unsolved, measures.Rated, measures.RectifyOpen, measures.RepeatUnknown} {
		if util[c] != 1 {
			t.Errorf("%s is %d", c, util[c])
		}
	}
	if util[measures.Minutes] != 90 {
		t.Errorf("answered after %d minutes", util[measures.Minutes])
	}
	// A note changes nothing that is counted; a second look does nothing at all.
	if _, err := o.Note(t.Context(), o.As("supervisor"), k.ID, "seen", ""); err != nil {
		t.Fatal(err)
	}
	o.follow()
	if f, err := o.Follow(t.Context()); err != nil || f.Tickets != 0 {
		t.Errorf("a look at nothing new changed %d rows: %v", f.Tickets, err)
	}
	// Time alone: every deadline of the first ticket, and the rectification, runs out.
	o.Clock.Advance(60 * 24 * time.Hour)
	o.follow()
	if n := o.consistent("later"); n[measures.DispatchLate] != 1 || n[measures.ResolveLate] != 1 || n[measures.RectifyLate] != 1 || n[measures.ResolveOpen] != 0 {
		t.Errorf("deadlines that ran out: %v", n)
	}
}

func TestARebuildGivesTheSameAndSurvivesItsEnd(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.follow()
	for range 3 {
		o.Must("handler-env", o.InProgress(), tickets.Reply, ticketstest.Answer())
	}
	o.Must("citizen", o.File(), tickets.Withdraw, tickets.Fields{})
	o.follow()
	want := o.consistent("followed")
	// Somebody breaks the numbers.
	for _, sql := range []string{`update measure_sums set tickets = tickets + 7`, `delete from ticket_facts where ctid in (select ctid from ticket_facts limit 2)`, `insert into ticket_facts
		(ticket_id, agency_id, main, day, channel, kind, confidential, opened_at, events, tickets) values (gen_random_uuid(), gen_random_uuid(), true, now(), 'web', 'help', false, now(), 1, 1)`} {
		if _, err := o.Owner.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.RequestRebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	if f, err := o.Follow(t.Context()); err != nil || !f.Rebuilding || !f.More || f.Total != 8 { // and the conversations that they were filed in
		t.Fatalf("%+v %v", f, err)
	}
	// The node dies here; another goes on, also beside somebody's command.
	kit := *o.Office
	kit.Service = o.Node()
	other := &office{&kit, statistics.New(kit.Pool, kit.Clock, kit.Service)}
	other.follow()
	if got := o.consistent("rebuilt"); got != want {
		t.Errorf("rebuilt %v, followed %v", got, want)
	}
	steps := 0
	if err := o.Rebuild(t.Context(), func(int64, int64) { steps++ }); err != nil || steps == 0 {
		t.Fatalf("%d steps, %v", steps, err)
	}
	if got := o.consistent("rebuilt again"); got != want {
		t.Errorf("rebuilt again %v, followed %v", got, want)
	}
}

func TestARepeatIsTheSameContactWithTheSameCategory(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.follow()
	file := func(phone, category string) tickets.Ticket {
		contact := db.NewID()
		if _, err := o.Owner.Exec(t.Context(), `insert into contacts (id, phone) values ($1, $2)`, contact, phone); err != nil {
			t.Fatal(err)
		}
		o.Clock.Advance(time.Hour)
		return o.File(func(d *tickets.Draft) { d.ContactID, d.Category = &contact, category })
	}
	file("+86 138 0000 0001", "environment.noise")
	file("138-0000-0002", "environment.noise")
	file("13800000002", "utilities.water")
	second := file("138 0000 0002", "environment.noise")
	o.follow()
	n := o.consistent("filed")
	if n[measures.Repeat] != 1 || n[measures.FirstTime] != 3 || o.sums("ticket_facts", "ticket_id = $1", second.ID)[measures.Repeat] != 1 {
		t.Errorf("repeats %d, first %d", n[measures.Repeat], n[measures.FirstTime])
	}
	o.Clock.Advance(31 * 24 * time.Hour)
	file("13800000002", "utilities.water")
	o.follow()
	if n := o.consistent("much later"); n[measures.Repeat] != 1 {
		t.Errorf("a month later is no repeat: %d", n[measures.Repeat])
	}
	var clear bool
	if err := o.Owner.QueryRow(t.Context(), `select exists (select from ticket_facts where position('13800000002'::bytea in contact_key) > 0)`).Scan(&clear); err != nil || clear {
		t.Errorf("a telephone number stands in the facts: %v", err)
	}
}

func TestMeasuresKnowNoCounterWithoutAColumn(t *testing.T) {
	t.Parallel()
	o := open(t)
	for table, of := range map[string][]measures.Counter{"ticket_facts": measures.OfTickets(), "chat_facts": measures.OfChats(), "measure_sums": measures.Everything()} {
		for _, c := range of {
			var n int
			if err := o.Owner.QueryRow(t.Context(), `select count(*) from information_schema.columns where table_name = $1 and column_name = $2`, table, c.String()).Scan(&n); err != nil || n != 1 {
				t.Errorf("%s has no column %s: %v", table, c, err)
			}
		}
	}
	testkit.Prepare(t, o.Pool, slices.Collect(maps.Values(statistics.Statements()))...)
}

func TestChatsAreCounted(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.follow()
	say := func(conv any, seq int, author, event string, at time.Duration, more string) {
		payload := `{"event":"` + event + `"` + more + `}`
		if _, err := o.Owner.Exec(t.Context(), `insert into messages (conversation_id, seq, id, author, payload, created_at) values ($1, $2, gen_random_uuid(), $3, $4, $5)`, conv, seq, author, payload, o.Clock.Now().Add(at)); err != nil {
			t.Fatal(err)
		}
		if _, err := o.Owner.Exec(t.Context(), `update conversations set last_seq = $2, created_at = $3 where id = $1`, conv, seq, o.Clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	alone, helped := o.Conversation(), o.Conversation()
	say(alone, 1, "citizen", "", 0, "")
	say(alone, 2, "bot", "", time.Second, `,"choices":[{"id":"file_question"},{"id":"human"}]`)
	say(helped, 1, "citizen", "", 0, "")
	say(helped, 2, "bot", "handoff", time.Second, "")
	say(helped, 3, "system", "taken_over", 10*time.Second, "")
	o.Clock.Advance(time.Minute)
	o.follow()
	n := o.sums("chat_facts", "true")
	if n[measures.Chats] != 2 || n[measures.ChatOpen] != 1 || n[measures.Picked15] != 1 || n[measures.Unanswered] != 1 {
		t.Errorf("%v", n)
	}
	o.consistent("chats")
	o.Clock.Advance(time.Hour)
	o.follow()
	o.consistent("silent")
	if n := o.sums("measure_sums", "slice = 'channel' and channel = 'web'"); n[measures.ChatBot] != 1 || n[measures.ChatPerson] != 1 || n[measures.ChatOpen] != 0 {
		t.Errorf("%v", n)
	}
}

func TestNumbersStayBehindTheWall(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.Must("handler-env", o.Dispatched(), tickets.Sign, tickets.Fields{})
	secret := o.File(func(d *tickets.Draft) { d.Kind = "report" })
	o.Must("dispatcher", secret, tickets.Dispatch, tickets.Fields{Lead: o.City.Agencies["dept-environment"]})
	o.follow()
	city := db.Staff(db.NewID(), o.City.Agencies["city"], false, true)
	for _, tt := range []struct {
		who         string
		a           db.Actor
		facts, sums int // rows of ticket_facts, and of the slice agency
	}{
		{"supervisor, cleared", o.City.Staff("supervisor"), 2, 2},
		{"operator, not cleared", o.City.Staff("operator"), 1, 1},
		{"the lead, cleared", o.City.Staff("cleared-env"), 2, 2},
		{"the lead, not cleared", o.City.Staff("head-env"), 1, 1},
		{"above the lead", city, 1, 1},
		{"beside the lead", o.City.Staff("handler-util"), 0, 0},
		{"a citizen", db.Citizen(secret.ConversationID), 0, 0},
		{"nobody", db.Actor{}, 0, 0},
	} {
		if n := o.Rows(tt.a, "ticket_facts"); n != tt.facts {
			t.Errorf("%s sees %d facts", tt.who, n)
		}
		if n := o.Rows(tt.a, "measure_sums where slice = 'agency'"); n != tt.sums {
			t.Errorf("%s sees %d sums", tt.who, n)
		}
		if n := o.Rows(tt.a, "measure_sums where slice = 'all'"); (n > 0) != tt.a.Desk() {
			t.Errorf("%s sees %d sums of everybody", tt.who, n)
		}
	}
	if _, err := o.Owner.Exec(t.Context(), `insert into chat_facts (conversation_id, day, channel, confidential, last_seq, chats) values (gen_random_uuid(), now(), 'web', false, 1, 1), (gen_random_uuid(), now(), 'web', true, 1, 1)`); err != nil {
		t.Fatal(err)
	}
	for user, want := range map[string]int{"supervisor": 2, "operator": 1, "head-env": 0, "cleared-env": 0} {
		if n := o.Rows(o.City.Staff(user), "chat_facts where chats > 0"); n != want {
			t.Errorf("%s sees %d chats", user, n)
		}
	}
	for _, sql := range []string{`update measure_sums set tickets = 0`, `delete from ticket_facts`, `update measure_state set settings = '{}'`, `delete from chat_facts`} {
		err := db.WithTx(t.Context(), o.Pool, o.City.Staff("supervisor"), func(tx db.Tx) error {
			tag, err := tx.Exec(t.Context(), sql)
			if tag.RowsAffected() > 0 {
				t.Errorf("staff went through with %s", sql)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}
