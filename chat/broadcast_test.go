package chat_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"hotline/channels"
	"hotline/chat"
	"hotline/internal/db"
	"hotline/internal/jobs"
	"hotline/tickets"
)

// crowd merges n reporters into a ticket, a quarter each: in the web chat, on a messenger, on the portal with e-mail, by telephone with SMS.
func (o *office) crowd(parent tickets.Ticket, n int) {
	o.t.Helper()
	proto := o.move(o.filed(), "dispatcher", "dispatcher", tickets.Merge, tickets.Fields{Parent: parent.ID})
	tx, err := o.owner.Begin(ctxb)
	if err != nil {
		o.t.Fatal(err)
	}
	exec := func(sql string, args ...any) {
		o.t.Helper()
		if _, err := tx.Exec(ctxb, sql, args...); err != nil {
			o.t.Fatalf("%v\n%s", err, sql)
		}
	}
	exec(`create temp table more on commit drop as select gen_random_uuid() as id, gen_random_uuid() as conv, gen_random_uuid() as who, i, (array['web', 'telegram', 'portal', 'phone'])[i % 4 + 1] as channel from generate_series(1, $1::int) i`, n)
	exec(`insert into contacts (id, name, phone, email, lang, allows, allows_via, allows_at)
		select who, 'Somebody', case when channel = 'phone' then '139' || lpad(i::text, 8, '0') else '' end, case when channel = 'portal' then 'p' || i || '@citizen.example' else '' end, 'en',
			case channel when 'portal' then '{email}'::text[] when 'phone' then '{sms}' else '{}' end, channel, now() from more`)
	exec(`insert into conversations (id, channel, account, thread, lang, holder, contact_id) select conv, channel, 'us', 'thread ' || i, 'en', case when channel in ('web', 'telegram') then 'bot' else 'none' end, who from more`)
	exec(`insert into tickets (id, number, code_hash, version, kind, category, title, description, lang, channel, conversation_id, contact_id, state, parent_id, opened_at, updated_at, closed_at)
		select m.id, '2027-' || lpad(m.i::text, 6, '0'), sha256(m.id::text::bytea), 2, kind, category, title, description, lang, m.channel, m.conv, m.who, state,
			parent_id, opened_at, updated_at, closed_at from more m, tickets p where p.id = $1`, proto.ID)
	exec(`insert into ticket_access (agency_id, ticket_id, role, state, queue, open, acting, kind, urgency, confidential, opened_at, updated_at)
		select $1, id, 'desk', 'merged', '', false, false, 'complaint', 'normal', false, $2, $2 from more`, o.city.Agencies["hotline"], o.clock.Now())
	exec(`insert into ticket_search (ticket_id, words) select id, '' from more`)
	if err := tx.Commit(ctxb); err != nil {
		o.t.Fatal(err)
	}
}

// TestABroadcastReachesEachReporterOnTheirOwnChannel tells a crowd what was said to all of them, with several workers at once, and counts. With HOTLINE_MEASURE
// set the crowd is five thousand and the time is printed.
func TestABroadcastReachesEachReporterOnTheirOwnChannel(t *testing.T) {
	t.Parallel()
	n := 80
	if os.Getenv("HOTLINE_MEASURE") != "" {
		n = 5000
	}
	o := newOffice(t)
	parent := o.inProgress(o.filed(func(f *chat.Filing) { f.Contact = channels.Contact{} }))
	o.crowd(parent, n)
	o.carry() // the filings of the office itself
	o.mail.sent, o.sms.sent, o.pager.sent = nil, nil, nil
	workers := river.NewWorkers()
	o.Register(workers)
	run, err := jobs.NewRunner(o.pool, jobs.RunnerOptions{Log: silent(), Workers: workers, MaxWorkers: 16, Node: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Start(ctxb); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if _, err := o.tickets.Broadcast(ctxb, o.staff("handler-env", "handler"), parent.ID, "Water is back at six.", ""); err != nil {
		t.Fatal(err)
	}
	said := time.Since(begun)
	var sweeps sync.WaitGroup
	for range 2 { // two nodes
		sweeps.Go(func() {
			for {
				told, err := o.tickets.SweepBroadcasts(ctxb, o.clock.Now(), 25)
				if err != nil {
					t.Error(err)
				}
				if err != nil || len(told) == 0 {
					return
				}
			}
		})
	}
	sweeps.Wait()
	told := time.Since(begun)
	want := 3 * n / 4
	for deadline := time.Now().Add(5 * time.Minute); ; {
		var open int
		if err := o.owner.QueryRow(ctxb, `select count(*) from deliveries where state = 'pending'`).Scan(&open); err != nil {
			t.Fatal(err)
		}
		if open == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d deliveries are still open", open)
		}
		<-time.After(20 * time.Millisecond) // the queue gives no signal
	}
	sent := time.Since(begun)
	ctx, cancel := context.WithTimeout(ctxb, 20*time.Second)
	defer cancel()
	if err := run.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	total := 0
	for name, v := range map[string]*vendor{"email": o.mail, "sms": o.sms, "telegram": o.pager} {
		each := map[string]int{}
		for _, m := range v.sent {
			each[m.Thread]++
			wants(t, m.Text, "Water is back at six.")
		}
		extra := 0
		if name == "email" { // the one that the crowd was made of
			extra = 1
		}
		if len(each) != n/4+extra || len(v.sent) != len(each) {
			t.Errorf("%s: %d people got %d messages, want %d", name, len(each), len(v.sent), n/4+extra)
		}
		total += len(v.sent)
	}
	if got := count(t, o.owner, `select count(distinct m.conversation_id) from messages m join conversations c on c.id = m.conversation_id where c.channel = 'web' and m.text like '%Water is back%'`); got != n/4 {
		t.Errorf("%d of %d web chats have it", got, n/4)
	}
	var view tickets.BroadcastView
	list, err := o.tickets.Broadcasts(ctxb, o.staff("handler-env", "handler"), parent.ID)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if view = list[0]; view.Sent != want+1 || !view.Done() || view.Failed != 0 {
		t.Errorf("staff see %+v", view)
	}
	t.Logf("%d reporters: said in %s, told in %s (%.0f/s), %d sent in %s (%.0f/s)", n, said.Round(time.Millisecond), told.Round(time.Millisecond), float64(n)/told.Seconds(),
		total, sent.Round(time.Millisecond), float64(total)/sent.Seconds())
}

// TestOneBroadcastOneOfEach is the story in small: a reporter on each channel, told in the reply itself.
func TestOneBroadcastOneOfEach(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	parent := o.inProgress(o.filed(func(f *chat.Filing) { f.Contact = channels.Contact{} }))
	merge := func(k tickets.Ticket) {
		o.move(k, "dispatcher", "dispatcher", tickets.Merge, tickets.Fields{Parent: parent.ID})
	}
	open := func(channel string) uuid.UUID {
		in := message("t-"+channel, "1", "hello")
		in.Channel = channel
		rec, err := o.Ingest(ctxb, in)
		if err != nil {
			t.Fatal(err)
		}
		err = db.WithTx(ctxb, o.pool, db.System(), func(tx db.Tx) error {
			k, err := o.tickets.OpenTx(ctxb, tx, tickets.Draft{Kind: "complaint", Category: "environment.noise", Description: "No water", Lang: "zh-CN", Channel: channel, ConversationID: rec.ConversationID})
			if err == nil {
				_, err = o.tickets.ApplyTx(ctxb, tx, tickets.System(), k.ID, tickets.AnyVersion, tickets.Merge, tickets.Fields{Parent: parent.ID}, "")
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return rec.ConversationID
	}
	web := open("web")
	open("telegram")
	merge(o.filed())
	merge(o.filed(byPhone))
	o.carry()
	o.mail.sent, o.sms.sent, o.pager.sent = nil, nil, nil
	yes := true
	o.move(parent, "handler-env", "handler", tickets.Reply, tickets.Fields{Text: "The pipe is mended.", Outcome: "resolved", Resolved: &yes})
	wants(t, o.last(o.mail).Text, "The pipe is mended.", "/rate/")
	wants(t, o.last(o.sms).Text, "The pipe is mended.")
	o.carry()
	if got := o.pager.texts(); len(got) == 0 || fmt.Sprint(got[0]) == "" {
		t.Error("the messenger got nothing")
	} else {
		wants(t, got[0], "The pipe is mended.", "您的工单")
	}
	ms := o.all(t, web)
	found := false
	for _, m := range ms {
		found = found || m.Payload.Event == "answer"
	}
	if !found {
		t.Error("the web chat has no answer")
	}
}
