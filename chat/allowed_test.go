package chat_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/chat"
	"hotline/internal/db"
	"hotline/tickets"
)

func TestAPortalFilingIsToldOnTheChannelThatWasAllowed(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	k := o.filed()
	got := o.last(o.mail)
	wants(t, got.Text, k.Number, tickets.FormatCode(o.tickets.TrackingCode(k)), "https://hotline.example/track", "https://hotline.example/stop/")
	if got.Thread != "Ann@citizen.example" || !strings.Contains(got.Subject, k.Number) || strings.Contains(got.Text, "Drilling") || got.Stop == "" {
		t.Errorf("%+v", got)
	}
	if n := count(t, o.owner, `select count(*) from contacts where allows = '{email}' and allows_via = 'portal' and allows_at = $1`, start); n != 1 {
		t.Error("it is not kept who allowed what, where and when")
	}
	if n := count(t, o.owner, `select count(*) from deliveries where thread <> '' or person is null or position('citizen' in person::text) > 0`); n != 0 {
		t.Error("the delivery keeps the address")
	}
	k = o.inProgress(k)
	o.silent("signed for", o.mail)
	k = o.move(k, "handler-env", "handler", tickets.AskCitizen, tickets.Fields{Text: "At which hours?"})
	got = o.last(o.mail)
	wants(t, got.Text, "At which hours?", "Answer this message", "Drilling at night")
	k = o.move(k, "handler-env", "handler", tickets.Resume, tickets.Fields{})
	k = o.move(k, "handler-env", "handler", tickets.RequestExtend, tickets.Fields{Text: "The part is late", Days: 2})
	k = o.move(k, "dispatcher", "dispatcher", tickets.ApproveExtend, tickets.Fields{})
	got = o.last(o.mail)
	wants(t, got.Text, "takes longer than planned", k.PromisedAt.Add(-1).In(o.tickets.Settings().Calendar.Location()).Format("2 January 2006"))
	if strings.Contains(got.Text, " \n") {
		t.Errorf("a gap where the approval has no words:\n%q", got.Text)
	}
	yes := true
	k = o.move(k, "handler-env", "handler", tickets.Reply, tickets.Fields{Text: "It is quiet now.", Outcome: "resolved", Resolved: &yes})
	got = o.last(o.mail)
	wants(t, got.Text, "It is quiet now.", "Are you satisfied?")
	if _, err := o.tickets.RateByLink(ctxb, linkIn(t, got.Text, "/rate/"), tickets.Rating{Grade: 2}); err != nil {
		t.Fatal(err)
	}
	if _, err := o.tickets.Rectify(ctxb, o.staff("handler-env", "handler"), k.ID, "The machine was sealed.", ""); err != nil {
		t.Fatal(err)
	}
	got = o.last(o.mail)
	wants(t, got.Text, "The machine was sealed.", "/rate/")
	// What the agency writes beside the moves reaches them too.
	if _, err := o.ReplyToTicket(ctxb, o.staff("handler-env", "handler"), k.ID, tickets.AnyVersion, "Come by on Monday.", "", tickets.Fields{}, ""); err != nil {
		t.Fatal(err)
	}
	wants(t, o.last(o.mail).Text, "Come by on Monday.")
}

func TestNobodyIsWrittenToWhoDidNotAllowIt(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*chat.Filing){
		"anonymous": func(f *chat.Filing) { f.Contact = channels.Contact{} },
		"quiet":     func(f *chat.Filing) { f.Allows = nil },
		"a fixed line": func(f *chat.Filing) {
			f.Contact = channels.Contact{Phone: "0571 8888 1111"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			o.replied(o.filed(edit))
			o.silent(name, o.mail, o.sms)
			if n := count(t, o.owner, `select count(*) from contacts where allows <> '{}'`) + count(t, o.owner, `select count(*) from deliveries`); n != 0 {
				t.Error("something was kept of it")
			}
		})
	}
	t.Run("no such channel here", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t, "telegram")
		if got := o.Reachable(channels.Contact{Email: "a@b.example", Phone: "13800001111"}); len(got) != 0 {
			t.Errorf("the form would promise %v", got)
		}
		o.replied(o.filed())
		if n := count(t, o.owner, `select count(*) from contacts where allows <> '{}'`); n != 0 {
			t.Error("kept what nobody could have been told")
		}
	})
}

func TestOfAConfidentialTicketOnlyNewsIsTold(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for _, edit := range []func(*chat.Filing){
		func(f *chat.Filing) { f.Draft.Kind = "report" },
		func(f *chat.Filing) { f.Draft.Kind = "report"; byPhone(f) },
	} {
		k := o.filed(edit)
		o.silent("who has just read the code", o.mail, o.sms)
		o.replied(k)
		o.carry()
		sent := append(o.mail.sent, o.sms.sent...)
		o.mail.sent, o.sms.sent = nil, nil
		if len(sent) != 1 {
			t.Fatalf("%d messages", len(sent))
		}
		all := sent[0].Text + sent[0].Subject
		wants(t, all, "news for you", "https://hotline.example/track")
		for _, secret := range []string{k.Number, "quiet", "Drilling", "/rate/", o.tickets.TrackingCode(k)} {
			if strings.Contains(all, secret) {
				t.Errorf("%q tells %q", all, secret)
			}
		}
	}
}

func TestTextMessagesHaveAtMostTwoPartsAndTheWholeLink(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	long := map[string]string{"en": strings.Repeat("The crew of the district comes on Monday and looks at it; ", 30), "zh-CN": strings.Repeat("城管队员将于周一到现场核实，", 40)}
	for _, lang := range []string{"en", "zh-CN"} {
		k := o.filed(byPhone, func(f *chat.Filing) { f.Lang, f.Draft.Lang = lang, lang })
		check := func(what string, all ...string) {
			t.Helper()
			got := o.last(o.sms)
			wants(t, got.Text, append(all, k.Number)...)
			if n := chat.SMSParts(got.Text); n > 2 {
				t.Errorf("%s %s: %d parts: %s", lang, what, n, got.Text)
			}
			if got.Thread != "+8613800001111" || got.Subject != "" {
				t.Errorf("%+v", got)
			}
			t.Logf("%s (%d): %s", what, chat.SMSParts(got.Text), got.Text)
		}
		check("received", strings.ReplaceAll(tickets.FormatCode(o.tickets.TrackingCode(k)), " ", "-"), "/track")
		k = o.move(o.inProgress(k), "handler-env", "handler", tickets.AskCitizen, tickets.Fields{Text: long[lang]})
		check("a question", "/track", "...")
		k = o.move(k, "handler-env", "handler", tickets.Resume, tickets.Fields{})
		yes := true
		k = o.move(k, "handler-env", "handler", tickets.Reply, tickets.Fields{Text: long[lang], Outcome: "resolved", Resolved: &yes})
		check("the answer", "/track", "...")
		k = o.move(k, "operator", "operator", tickets.Complete, tickets.Fields{})
		o.clock.Advance(96 * time.Hour)
		if _, err := o.tickets.Sweep(ctxb, o.clock.Now(), 50); err != nil {
			t.Fatal(err)
		}
		check("the revisit", "/rate/", "1", "2")
		if _, err := o.tickets.Assess(ctxb, tickets.CitizenBy(db.CitizenOfTicket(k.ID)), k.ID, tickets.Rating{Grade: 1, Resolved: new(bool)}); err != nil {
			t.Fatal(err)
		}
		if _, err := o.tickets.Rectify(ctxb, o.staff("handler-env", "handler"), k.ID, long[lang], ""); err != nil {
			t.Fatal(err)
		}
		check("rate again", "/rate/")
	}
}

var gone = &channels.PermanentError{Code: "gone", Reason: "The mailbox does not exist.", Blames: channels.Gone}

func TestAFailedDeliveryFallsBackToTheNextChannelThatWasAllowed(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	both := func(f *chat.Filing) { f.Contact.Phone = "13800002222" }
	o.mail.next = []error{gone}
	k := o.filed(both)
	wants(t, o.last(o.sms).Text, k.Number)
	// The mailbox that does not exist is not tried again.
	o.replied(k)
	wants(t, o.last(o.sms).Text, "quiet")
	o.silent("a mailbox that does not exist", o.mail)
	ms, err := o.OfTicket(ctxb, o.city.Staff("operator"), k.ID, 10)
	if err != nil {
		t.Fatal(err)
	}
	ms, err = o.Messages(ctxb, o.city.Staff("operator"), k.ConversationID, ms[0].Seq-1, 10)
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	for _, m := range ms {
		for _, d := range m.Deliveries {
			seen = append(seen, fmt.Sprintf("%s %s %s", d.Channel, d.State, d.Error))
		}
	}
	if got := strings.Join(seen, "; "); got != "email failed The mailbox does not exist.; sms sent ; sms sent " {
		t.Errorf("staff see %q", got)
	}
	// The chat of a messenger that blocks us falls back as well.
	in := message("9", "1", "hello")
	in.Channel = "telegram"
	rec, err := o.Ingest(ctxb, in)
	if err != nil {
		t.Fatal(err)
	}
	var contact uuid.UUID
	if err := o.owner.QueryRow(ctxb, `insert into contacts (id, name, email, lang, allows) values (gen_random_uuid(), 'Cy', 'cy@citizen.example', 'en', '{email}') returning id`).Scan(&contact); err != nil {
		t.Fatal(err)
	}
	var c tickets.Ticket
	err = db.WithTx(ctxb, o.pool, db.System(), func(tx db.Tx) (err error) {
		c, err = o.tickets.OpenTx(ctxb, tx, tickets.Draft{Kind: "complaint", Category: "environment.noise", Description: "Drilling", Lang: "en", Channel: "telegram", ConversationID: rec.ConversationID, ContactID: &contact})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	o.pager.next = []error{&channels.PermanentError{Code: "blocked", Reason: "The person has blocked the bot."}}
	o.replied(c)
	got := o.last(o.mail)
	wants(t, got.Text, "It is quiet now.")
	if got.Thread != "cy@citizen.example" {
		t.Errorf("%+v", got)
	}
}

func TestWhoNoMessageReachesIsCalledAtOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	k := o.asked(o.filed())
	if k.State != tickets.Revisiting || k.Revisits != 1 {
		t.Fatalf("%s, %d tries", k.State, k.Revisits)
	}
	wants(t, o.last(o.mail).Text, "Is the matter solved?", "/rate/", "1 (it is solved)")
	if len(o.calls()) != 0 {
		t.Error("who was just asked is to be called")
	}
	// The second try fails for good.
	o.mail.next = []error{gone}
	o.clock.Advance(96 * time.Hour)
	if _, err := o.tickets.Sweep(ctxb, o.clock.Now(), 50); err != nil {
		t.Fatal(err)
	}
	o.carry()
	list := o.calls()
	if len(list) != 1 || list[0].ID != k.ID || list[0].Why != "The mailbox does not exist." {
		t.Fatalf("%+v", list)
	}
	// Somebody other than who answered calls, and that ends it.
	yes := true
	if _, err := o.tickets.Apply(ctxb, o.staff("handler-env", "handler"), k.ID, tickets.AnyVersion, tickets.RevisitDone, tickets.Fields{Resolved: &yes, Satisfaction: 5}, ""); !errors.Is(err, tickets.ErrForbidden) {
		t.Errorf("the handler: %v", err)
	}
	o.move(k, "operator", "operator", tickets.RevisitDone, tickets.Fields{Resolved: &yes, Satisfaction: 5})
	if len(o.calls()) != 0 {
		t.Error("still to be called")
	}
}

func TestByMessageFollowsFromWhatReachesThePerson(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for name, c := range map[string]struct {
		edit func(*chat.Filing)
		want bool
	}{
		"an allowed mailbox":        {func(*chat.Filing) {}, true},
		"an allowed mobile":         {byPhone, true},
		"a telephone and no word":   {func(f *chat.Filing) { byPhone(f); f.Allows = nil }, false},
		"a fixed line":              {func(f *chat.Filing) { byPhone(f); f.Contact.Phone = "0571 8888 1111" }, false},
		"a letter with a mailbox":   {func(f *chat.Filing) { f.Channel = channels.Letter }, true},
		"a mailbox and no word":     {func(f *chat.Filing) { f.Allows = nil }, true}, // nobody can call it: the page behind the code asks
		"nothing but the code":      {func(f *chat.Filing) { f.Contact = channels.Contact{} }, true},
		"a programme's own contact": {func(f *chat.Filing) { byPhone(f); f.Channel, f.Allows = channels.API, nil }, false},
	} {
		k := o.filed(c.edit)
		err := db.ReadTx(ctxb, o.pool, db.System(), func(tx db.Tx) error {
			got, err := o.ReachesTx(ctxb, tx, k)
			if got != c.want {
				t.Errorf("%s: %t", name, got)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestThePersonStopsIt(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	k, second := o.filed(byPhone), o.filed(byPhone)
	o.last(o.sms)
	// Written, and not sent yet.
	k = o.move(o.inProgress(k), "handler-env", "handler", tickets.AskCitizen, tickets.Fields{Text: "At which hours?"})
	o.hears("sms", "+8613800001111", "退订")
	o.carry()
	if got := o.sms.texts(); len(got) != 1 || !strings.Contains(got[0], "no more of these messages") && !strings.Contains(got[0], "不再收到") {
		t.Errorf("after it was stopped: %q", got)
	}
	o.sms.sent = nil
	o.move(k, "handler-env", "handler", tickets.Resume, tickets.Fields{})
	o.replied(second)
	o.silent("stopped by text message", o.sms)
	if n := count(t, o.owner, `select count(*) from ticket_events where type = 'channels_allowed' and actor = 'citizen'`); n != 2 {
		t.Errorf("%d entries say so", n)
	}
	// By the link in a mail; looking at it changes nothing.
	m := o.filed()
	token := linkIn(t, o.last(o.mail).Text, "/stop/")
	contact, channel, err := o.tickets.ByStopToken(token)
	if err != nil || channel != "email" || contact != *m.ContactID {
		t.Fatalf("%s %s %v", contact, channel, err)
	}
	if _, _, err := o.tickets.ByStopToken(token[:len(token)-2] + "AA"); !errors.Is(err, tickets.ErrBadStop) {
		t.Errorf("a token that was made up: %v", err)
	}
	if ok, err := o.tickets.StopChannel(ctxb, contact, channel, "", "link"); err != nil || !ok {
		t.Fatal(ok, err)
	}
	o.replied(m)
	o.silent("stopped by link", o.mail)
	// Staff turn it on again when the person says so; a stranger's staff do not.
	if _, err := o.tickets.Allow(ctxb, o.staff("handler-util", "handler"), m.ID, bothAllowed, ""); !errors.Is(err, tickets.ErrNotFound) {
		t.Errorf("another agency: %v", err)
	}
	if _, err := o.tickets.Allow(ctxb, o.staff("operator", "operator"), m.ID, bothAllowed, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := o.ReplyToTicket(ctxb, o.staff("handler-env", "handler"), m.ID, tickets.AnyVersion, "Come by on Monday.", "", tickets.Fields{}, ""); err != nil {
		t.Fatal(err)
	}
	wants(t, o.last(o.mail).Text, "Monday")
}

func TestOnePersonIsNotFlooded(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	parent := o.inProgress(o.filed(byPhone))
	var mine []tickets.Ticket
	for range 3 {
		mine = append(mine, o.move(o.filed(), "dispatcher", "dispatcher", tickets.Merge, tickets.Fields{Parent: parent.ID}))
	}
	mine = append(mine, o.move(o.filed(byPhone), "dispatcher", "dispatcher", tickets.Merge, tickets.Fields{Parent: parent.ID}))
	o.carry()
	o.mail.sent, o.sms.sent = nil, nil
	if _, err := o.tickets.Broadcast(ctxb, o.staff("handler-env", "handler"), parent.ID, "Water is back at six.", ""); err != nil {
		t.Fatal(err)
	}
	o.carry()
	if m, s := o.mail.texts(), o.sms.texts(); len(m) != 1 || len(s) != 1 {
		t.Errorf("%d mails and %d text messages for one piece of news: %q %q", len(m), len(s), m, s)
	}
	for _, k := range mine { // it stands on each page all the same
		ms, err := o.OfTicket(ctxb, db.CitizenOfTicket(k.ID), k.ID, 20)
		if err != nil || !strings.Contains(ms[len(ms)-1].Text, "Water is back at six.") {
			t.Errorf("%v", err)
		}
	}
	// The same words again are news again.
	o.mail.sent, o.sms.sent = nil, nil
	if _, err := o.tickets.Broadcast(ctxb, o.staff("handler-env", "handler"), parent.ID, "Water is back at six.", ""); err != nil {
		t.Fatal(err)
	}
	o.carry()
	if len(o.mail.texts()) != 1 {
		t.Error("the second broadcast was swallowed")
	}
	// Above a dozen a day the rest goes out the next day.
	o.mail.sent = nil
	k := o.inProgress(o.filed(func(f *chat.Filing) { f.Contact.Email = "dee@citizen.example" }))
	o.carry()
	o.mail.sent = nil
	before := o.clock.Now()
	for i := range 15 {
		if _, err := o.ReplyToTicket(ctxb, o.staff("handler-env", "handler"), k.ID, tickets.AnyVersion, fmt.Sprintf("Message %d", i), "", tickets.Fields{}, ""); err != nil {
			t.Fatal(err)
		}
	}
	o.carry()
	if n := len(o.mail.texts()); n != 15 {
		t.Errorf("%d of 15 arrived at all", n)
	}
	if o.clock.Now().Sub(before) < 23*time.Hour {
		t.Errorf("15 messages within %s", o.clock.Now().Sub(before))
	}
}
