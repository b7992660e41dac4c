package tickets_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hotline/tickets"
)

// archive is an office with three days of work behind it, anchored.
func archive(t *testing.T) (o *office, first, second tickets.Ticket) {
	t.Helper()
	o = loaded(t)
	first = o.inProgress()
	o.file()
	o.clock.Advance(24 * time.Hour)
	first = o.must("handler-env", first, tickets.Reply, answer())
	second = o.dispatched()
	o.clock.Advance(24 * time.Hour)
	o.file()
	o.clock.Advance(24 * time.Hour)
	return o, first, second
}

func (o *office) verify(v tickets.VerifyOptions) []tickets.Finding {
	o.Helper()
	report, err := o.VerifyAll(o.Context(), v)
	if err != nil {
		o.Fatal(err)
	}
	return report.Findings
}

func (o *office) anchor() []tickets.Anchor {
	o.Helper()
	made, err := o.MakeAnchors(o.Context(), 100)
	if err != nil {
		o.Fatal(err)
	}
	return made
}

func TestDaysAreAnchoredOnceAndAreCheckedByAnybody(t *testing.T) {
	t.Parallel()
	o, _, _ := archive(t)
	made := o.anchor()
	if len(made) != 3 || made[0].Day != "2026-03-10" || made[2].Day != "2026-03-12" || made[0].Tickets != 2 || made[1].Tickets != 2 || made[2].Tickets != 1 {
		t.Fatalf("%+v", made)
	}
	if again := o.anchor(); len(again) != 0 {
		t.Errorf("anchored twice: %+v", again)
	}
	// An outsider repeats the digest from the line alone and checks it with the published key.
	kept, err := tickets.ParseAnchors([]byte(made[0].Line() + "\n\n" + made[1].Line()))
	if err != nil || len(kept) != 2 {
		t.Fatal(kept, err)
	}
	for _, a := range kept {
		sum := sha256.Sum256([]byte(strings.Join([]string{"hotline history anchor 1", a.Day, "Asia/Shanghai", fmt.Sprint(a.Tickets), fmt.Sprint(a.Entries), a.Root, a.Previous, ""}, "\n")))
		if hex.EncodeToString(sum[:]) != a.Digest || !ed25519.Verify(o.AnchorKey(), sum[:], must(base64.StdEncoding.DecodeString(a.Signature))) {
			t.Errorf("the line of %s does not check", a.Day)
		}
	}
	if kept[1].Previous != kept[0].Digest {
		t.Error("the lines are not chained")
	}
	// Not before the grace after midnight, and then with what happened on a day without any work: an anchor of nothing.
	o.at("2026-03-14 00:05")
	if made := o.anchor(); len(made) != 0 {
		t.Errorf("%+v", made)
	}
	o.at("2026-03-14 00:10")
	if made := o.anchor(); len(made) != 1 || made[0].Entries != 0 || made[0].Day != "2026-03-13" {
		t.Errorf("%+v", made)
	}
	if list := must(o.Anchors(t.Context(), "2026-03-11", 10)); len(list) != 2 || list[0].Day != "2026-03-12" {
		t.Errorf("%+v", list)
	}
	report, err := o.VerifyAll(t.Context(), tickets.VerifyOptions{Anchors: kept, Batch: 2})
	if err != nil || len(report.Findings) != 0 || report.Tickets != 4 || report.Anchors != 4 || report.Entries < 12 {
		t.Errorf("an honest archive: %+v %v", report, err)
	}
	report, err = o.VerifyAll(t.Context(), tickets.VerifyOptions{From: "2026-03-11", To: "2026-03-11"})
	if err != nil || len(report.Findings) != 0 || report.Tickets != 2 || report.Anchors != 1 {
		t.Errorf("one day of it: %+v %v", report, err)
	}
}

func TestVerificationNamesTheBrokenEntry(t *testing.T) {
	t.Parallel()
	o, k, second := archive(t)
	o.anchor()
	ctx := t.Context()
	if _, err := o.owner.Exec(ctx, `create table kept as select * from ticket_events; create table kept_tickets as select * from tickets; create table kept_anchors as select * from history_anchors`,
		pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	// The table's owner can switch the triggers off; that is whom the seals are for.
	if _, err := o.owner.Exec(ctx, `alter table ticket_events disable trigger ticket_events_append_only; alter table history_anchors disable trigger history_anchors_append_only`,
		pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	reply := len(must(o.Timeline(ctx, tickets.System(), k.ID)))
	for _, tt := range []struct {
		name, sql string
		want      tickets.Finding // Detail is not compared
	}{
		{"a text", `update ticket_events set data = '{"text": "Nothing to see here.", "outcome": "resolved"}' where ticket_id = $1 and type = 'reply'`, tickets.Finding{Fault: tickets.FaultChanged, Number: k.Number, Seq: reply}},
		{"a field beside the known ones", `update ticket_events set data = data || '{"bribe": 1}' where ticket_id = $1 and seq = 1`, tickets.Finding{Fault: tickets.FaultChanged, Number: k.Number, Seq: 1}},
		{"a time", `update ticket_events set at = at - interval '1 minute' where ticket_id = $1 and seq = 4`, tickets.Finding{Fault: tickets.FaultChanged, Number: k.Number, Seq: 4}},
		{"who acted", `update ticket_events set user_id = null where ticket_id = $1 and type = 'sign'`, tickets.Finding{Fault: tickets.FaultChanged, Number: k.Number, Seq: 5}},
		{"an entry in the middle", `delete from ticket_events where ticket_id = $1 and seq = 2`, tickets.Finding{Fault: tickets.FaultDropped, Number: k.Number, Seq: 2}},
		{"the last entry", `delete from ticket_events where ticket_id = $1 and type = 'reply'`, tickets.Finding{Fault: tickets.FaultDropped, Number: k.Number, Seq: reply}},
		{"a new last entry", `insert into ticket_events (ticket_id, seq, type, actor, at) select $1, max(seq) + 1, 'note', 'staff', now() from ticket_events where ticket_id = $1`,
			tickets.Finding{Fault: tickets.FaultInserted, Number: k.Number, Seq: reply + 1}},
		{"a slipped-in entry", `with up as (update ticket_events set seq = seq + 100 where ticket_id = $1 and seq >= 3 returning 1), n as (select count(*) from up)
			insert into ticket_events (ticket_id, seq, type, actor, at, seal) select $1, 3, 'note', 'staff', '2026-03-10T02:00:00Z', '\x0102' from n`, tickets.Finding{Fault: tickets.FaultInserted, Number: k.Number, Seq: 3}},
		{"the ticket's state", `update tickets set state = 'closed' where id = $1`, tickets.Finding{Fault: tickets.FaultRow, Number: k.Number, Seq: reply}},
		{"the ticket's grade", `update tickets set grade = 5 where id = $1`, tickets.Finding{Fault: tickets.FaultRow, Number: k.Number, Seq: 1}},
		{"the ticket's seal", `update tickets set head = '\x00' where id = $1`, tickets.Finding{Fault: tickets.FaultHead, Number: k.Number, Seq: reply}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := o.owner.Exec(ctx, tt.sql, k.ID); err != nil {
				t.Fatal(err)
			}
			if tt.name == "a slipped-in entry" {
				if _, err := o.owner.Exec(ctx, `update ticket_events set seq = seq - 99 where ticket_id = $1 and seq > 100`, k.ID); err != nil {
					t.Fatal(err)
				}
				if _, err := o.owner.Exec(ctx, `update tickets set events = events + 1 where id = $1`, k.ID); err != nil {
					t.Fatal(err)
				}
			}
			found := o.verify(tickets.VerifyOptions{})
			if len(found) == 0 {
				t.Fatal("nothing was found")
			}
			got := found[0]
			got.Detail = ""
			if got != tt.want {
				t.Errorf("found %+v, want %+v (all: %v)", got, tt.want, found)
			}
			if _, err := o.owner.Exec(ctx, `delete from ticket_events; insert into ticket_events select * from kept; update tickets t set head = k.head, events = k.events, state = k.state, grade = k.grade from kept_tickets k where k.id = t.id`,
				pgx.QueryExecModeSimpleProtocol); err != nil {
				t.Fatal(err)
			}
			if found := o.verify(tickets.VerifyOptions{}); len(found) != 0 {
				t.Fatalf("restored: %v", found)
			}
		})
	}
	// Somebody with the installation's key changes an answer and seals the history anew: the seals hold, the anchor does not.
	outside := must(o.Anchors(ctx, "", 10))
	if _, err := o.owner.Exec(ctx, `update ticket_events set data = '{"text": "We never said that.", "outcome": "resolved"}' where ticket_id = $1 and type = 'reply'`, k.ID); err != nil {
		t.Fatal(err)
	}
	if err := o.Reseal(ctx, o.owner, k.ID); err != nil {
		t.Fatal(err)
	}
	if err := o.VerifyHistory(ctx, o.as("supervisor"), k.ID); err != nil {
		t.Fatalf("the chain itself holds: %v", err)
	}
	found := o.verify(tickets.VerifyOptions{})
	if len(found) == 0 || found[0].Fault != tickets.FaultAnchor || found[len(found)-1].Day != "2026-03-11" || found[len(found)-1].Number != k.Number && !strings.Contains(found[len(found)-1].Detail, k.Number) {
		t.Errorf("resealed: %v", found)
	}
	// And makes new anchors as well: only the lines kept outside still know.
	if _, err := o.owner.Exec(ctx, `delete from history_anchors`); err != nil {
		t.Fatal(err)
	}
	o.anchor()
	if found := o.verify(tickets.VerifyOptions{}); len(found) != 0 {
		t.Fatalf("from inside nothing is to be seen any more: %v", found)
	}
	found = o.verify(tickets.VerifyOptions{Anchors: outside})
	if len(found) != 2 || found[0].Fault != tickets.FaultAnchor || found[0].Day != "2026-03-11" {
		t.Errorf("with the lines kept outside: %v", found)
	}
	// A line that was touched is not this installation's.
	forged := outside[1]
	forged.Entries++
	if found := o.verify(tickets.VerifyOptions{Anchors: []tickets.Anchor{forged}}); len(found) != 1 || found[0].Fault != tickets.FaultSigned {
		t.Errorf("%v", found)
	}
	// A ticket that is wholly gone.
	for _, sql := range []string{`delete from history_anchors; insert into history_anchors select * from kept_anchors`, `delete from ticket_events; insert into ticket_events select * from kept`,
		`update tickets t set head = k.head, events = k.events from kept_tickets k where k.id = t.id`,
		`update conversations set ticket_id = null where ticket_id = '` + second.ID.String() + `'; delete from ticket_events where ticket_id = '` + second.ID.String() + `'; delete from ticket_access where ticket_id = '` + second.ID.String() + `'; delete from ticket_clocks where ticket_id = '` + second.ID.String() +
			`'; delete from ticket_search where ticket_id = '` + second.ID.String() + `'; delete from notifications where ticket_id = '` + second.ID.String() + `'; delete from assignments where ticket_id = '` + second.ID.String() +
			`'; delete from tickets where id = '` + second.ID.String() + `'`} {
		if _, err := o.owner.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(err)
		}
	}
	found = o.verify(tickets.VerifyOptions{})
	if len(found) != 1 || found[0].Fault != tickets.FaultAnchor || found[0].Day != "2026-03-11" || !strings.Contains(found[0].Detail, "gone") {
		t.Errorf("a ticket is gone: %v", found)
	}
}

// BenchmarkVerify is how fast histories are checked, in entries a second.
func BenchmarkVerify(b *testing.B) {
	o := open(b)
	for range 1500 {
		o.file()
	}
	// The same tickets' histories are read again and again; what is measured is reading, sealing and comparing.
	entries := int64(0)
	b.ResetTimer()
	for b.Loop() {
		r, err := o.VerifyAll(b.Context(), tickets.VerifyOptions{})
		if err != nil || len(r.Findings) != 0 {
			b.Fatal(r.Findings, err)
		}
		entries += r.Entries
	}
	b.ReportMetric(float64(entries)/b.Elapsed().Seconds(), "entries/s")
}
