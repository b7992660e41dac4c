package chat_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/channels"
	"hotline/chat"
	"hotline/internal/db"
	"hotline/internal/jobs"
	"hotline/internal/testkit"
	"hotline/tickets"
)

// post office: a vendor of each channel on which contacts can allow to be written to, and a messenger.
type office struct {
	*rig
	t                *testing.T
	mail, sms, pager *vendor
	owner            *pgxpool.Pool
}

type namedVendor struct {
	*vendor
	name string
}

func (n namedVendor) Name() string { return n.name }

func newOffice(t *testing.T, vendors ...string) *office {
	t.Helper()
	o := &office{t: t, mail: &vendor{}, sms: &vendor{}, pager: &vendor{}}
	if len(vendors) == 0 {
		vendors = []string{"email", "sms", "telegram"}
	}
	var all []channels.Adapter
	for _, name := range vendors {
		all = append(all, namedVendor{map[string]*vendor{"email": o.mail, "sms": o.sms, "telegram": o.pager}[name], name})
	}
	reg, err := channels.NewRegistry(all...)
	if err != nil {
		t.Fatal(err)
	}
	o.rig = newRig(t, func(d *chat.Deps) {
		d.Channels = reg
		d.Options.BaseURL, d.Options.CallingCode = "https://hotline.example", "86"
		d.Options.Sender = func(lang string) string {
			return map[string]string{"en": "Lanting 12345", "zh-CN": "兰汀12345"}[lang]
		}
		if d.Jobs, err = jobs.NewInserter(d.Pool, silent()); err != nil {
			t.Fatal(err)
		}
	})
	o.tickets.OnReach(o.ReachesTx)
	o.owner = testkit.OwnerPool(t, o.pool)
	return o
}

// carry sends everything that is to be sent, as the workers would, waiting where they would wait.
func (o *office) carry() {
	o.t.Helper()
	for range 50 {
		rows, err := o.owner.Query(ctxb, `select distinct on (conversation_id) conversation_id, max(seq) over (partition by conversation_id) from deliveries where state = 'pending'`)
		if err != nil {
			o.t.Fatal(err)
		}
		open := map[uuid.UUID]int64{}
		var id uuid.UUID
		var seq int64
		for rows.Next() {
			if err := rows.Scan(&id, &seq); err != nil {
				o.t.Fatal(err)
			}
			open[id] = seq
		}
		if len(open) == 0 {
			return
		}
		for id, seq := range open {
			wait, err := o.Deliver(ctxb, id, seq)
			if err != nil {
				o.t.Fatal(err)
			}
			if wait > 0 {
				o.clock.Advance(wait)
			}
		}
	}
	o.t.Fatal("the deliveries do not end")
}

// last is the newest message of a vendor, and forgets all.
func (o *office) last(v *vendor) channels.Outbound {
	o.t.Helper()
	o.carry()
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.sent) == 0 {
		o.t.Fatal("nothing was sent")
	}
	out := v.sent[len(v.sent)-1]
	v.sent = nil
	return out
}

func (o *office) silent(what string, vs ...*vendor) {
	o.t.Helper()
	o.carry()
	for _, v := range vs {
		if got := v.texts(); len(got) > 0 {
			o.t.Errorf("%s: sent %q", what, got)
			v.sent = nil
		}
	}
}

var bothAllowed = []string{"email", "sms"}

func (o *office) filed(edit ...func(*chat.Filing)) tickets.Ticket {
	o.t.Helper()
	f := filing(uuid.NewString())
	f.Channel, f.Account = channels.Portal, "form"
	f.Contact = channels.Contact{Name: "Ann", Email: "Ann@citizen.example"}
	f.Allows = bothAllowed
	f.Draft.Confidential, f.Draft.Kind, f.Lang, f.Draft.Lang = false, "complaint", "en", "en"
	f.Draft.Title = "Drilling at night"
	for _, fn := range edit {
		fn(&f)
	}
	got, err := o.FileTicket(ctxb, f)
	if err != nil {
		o.t.Fatal(err)
	}
	return got.Ticket
}

func byPhone(f *chat.Filing) {
	f.Channel, f.Contact = channels.Phone, channels.Contact{Name: "Bo", Phone: "138 0000 1111"}
}

func (o *office) staff(user, role string) tickets.Actor {
	return tickets.Staff(o.city.Staff(user), []string{role})
}

func (o *office) move(k tickets.Ticket, user, role string, a tickets.Action, f tickets.Fields) tickets.Ticket {
	o.t.Helper()
	k, err := o.tickets.Apply(ctxb, o.staff(user, role), k.ID, tickets.AnyVersion, a, f, "")
	if err != nil {
		o.t.Fatalf("%s: %v", a, err)
	}
	return k
}

func (o *office) inProgress(k tickets.Ticket) tickets.Ticket {
	o.t.Helper()
	if k.State == tickets.PendingDispatch {
		k = o.move(k, "dispatcher", "dispatcher", tickets.Dispatch, tickets.Fields{Lead: o.city.Agencies["dept-environment"]})
	}
	return o.move(k, o.handler(k), "handler", tickets.Sign, tickets.Fields{})
}

func (o *office) handler(k tickets.Ticket) string {
	if k.Confidential {
		return "cleared-env"
	}
	return "handler-env"
}

func (o *office) replied(k tickets.Ticket) tickets.Ticket {
	o.t.Helper()
	yes := true
	return o.move(o.inProgress(k), o.handler(k), "handler", tickets.Reply, tickets.Fields{Text: "It is quiet now.", Outcome: "resolved", Resolved: &yes})
}

// asked is a ticket whose citizen is asked in the revisit.
func (o *office) asked(k tickets.Ticket) tickets.Ticket {
	o.t.Helper()
	k = o.move(o.replied(k), "operator", "operator", tickets.Complete, tickets.Fields{})
	o.carry()
	o.mail.sent, o.sms.sent, o.pager.sent = nil, nil, nil
	o.clock.Advance(96 * time.Hour)
	if _, err := o.tickets.Sweep(ctxb, o.clock.Now(), 50); err != nil {
		o.t.Fatal(err)
	}
	return o.again(k)
}

func (o *office) again(k tickets.Ticket) tickets.Ticket {
	o.t.Helper()
	k, err := o.tickets.ByID(ctxb, tickets.System(), k.ID)
	if err != nil {
		o.t.Fatal(err)
	}
	return k
}

func (o *office) calls() []tickets.Call {
	o.t.Helper()
	list, _, err := o.tickets.CallList(ctxb, o.staff("operator", "operator"), "", 10)
	if err != nil {
		o.t.Fatal(err)
	}
	return list
}

func wants(t *testing.T, text string, all ...string) {
	t.Helper()
	for _, one := range all {
		if !strings.Contains(text, one) {
			t.Errorf("%q lacks %q", text, one)
		}
	}
}

func linkIn(t *testing.T, text, path string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, "https://hotline.example"+path)
	if !ok {
		t.Fatalf("no link to %s in %q", path, text)
	}
	token, _, _ := strings.Cut(rest, "\n")
	token, _, _ = strings.Cut(token, " ")
	return token
}

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
	wants(t, o.last(o.mail).Text, "takes longer than planned", k.PromisedAt.Add(-1).In(o.tickets.Settings().Calendar.Location()).Format("2006-01-02"))
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

var gone = &channels.PermanentError{Code: "gone", Reason: "The mailbox does not exist."}

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

func (o *office) hears(channel, thread, text string) chat.Receipt {
	o.t.Helper()
	in := message(thread, uuid.NewString(), text)
	in.Channel, in.Account = channel, "us"
	rec, err := o.Ingest(ctxb, in)
	if err != nil {
		o.t.Fatal(err)
	}
	if err := o.TakeTurn(ctxb, rec.ConversationID); err != nil {
		o.t.Fatal(err)
	}
	return rec
}

func TestAnswersByTextMessageAreTakenAsInTheChat(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	k := o.asked(o.filed(byPhone))
	o.last(o.sms)
	o.hears("sms", "+8613800001111", "2")
	wants(t, o.last(o.sms).Text, "How satisfied are you")
	o.hears("sms", "+8613800001111", "1")
	o.carry()
	if k = o.again(k); k.CitizenResolved == nil || *k.CitizenResolved || k.Satisfaction != 1 || k.Grade != 1 || k.Rectify != "open" {
		t.Fatalf("%+v", k)
	}
	o.hears("sms", "+8613800001111", "It is loud at night.")
	if r, ok, err := o.tickets.RatingOf(ctxb, tickets.System(), k.ID); err != nil || !ok || r.Text != "It is loud at night." {
		t.Errorf("%+v %v", r, err)
	}
	o.carry()
	o.sms.sent = nil
	o.clock.Advance(time.Hour)
	if _, err := o.tickets.Rectify(ctxb, o.staff("handler-env", "handler"), k.ID, "The machine was sealed.", ""); err != nil {
		t.Fatal(err)
	}
	o.carry()
	o.hears("sms", "+8613800001111", "5")
	if k = o.again(k); k.Grade != 5 || k.Rectify != "done" {
		t.Errorf("%+v", k)
	}
	// Somebody else's "1" is nobody's answer.
	other := o.asked(o.filed(byPhone, func(f *chat.Filing) { f.Contact.Phone = "13900003333" }))
	o.carry()
	o.hears("sms", "+8613700009999", "1")
	if other = o.again(other); other.CitizenResolved != nil {
		t.Error("a stranger answered")
	}
}

func TestAMailAnswersTheQuestionOfTheAgency(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	k := o.move(o.inProgress(o.filed()), "handler-env", "handler", tickets.AskCitizen, tickets.Fields{Text: "At which hours?"})
	o.last(o.mail)
	o.hears("email", "ann@citizen.example 3f2a9c0d", "From ten until three.")
	wants(t, o.last(o.mail).Text, "Thank you", k.Number)
	if k = o.again(k); k.State != tickets.InProgress {
		t.Fatalf("%s", k.State)
	}
	ms, err := o.OfTicket(ctxb, o.city.Staff("handler-env"), k.ID, 20)
	if err != nil {
		t.Fatal(err)
	}
	if m := ms[len(ms)-1]; m.Author != chat.ByCitizen || m.Text != "From ten until three." || m.ConversationID != k.ConversationID {
		t.Errorf("the agency reads %+v", m)
	}
	// What is written next is a matter of its own.
	o.hears("email", "ann@citizen.example 3f2a9c0d", "How do I renew my passport?")
	if ms, err = o.OfTicket(ctxb, o.city.Staff("handler-env"), k.ID, 20); err != nil || ms[len(ms)-1].Text != "From ten until three." {
		t.Errorf("%+v %v", ms[len(ms)-1], err)
	}
}

func TestAMailThatNamesWhatItAnswersGoesToThatTicket(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	first := o.inProgress(o.filed())
	key := o.last(o.mail).Key
	o.replied(o.filed())
	rated := o.last(o.mail).Key // a newer message about another ticket
	hears := func(from, answers, text string) {
		t.Helper()
		o.clock.Advance(time.Minute)
		in := message(from, uuid.NewString(), text)
		in.Channel, in.Account, in.Answers = "email", "us", answers
		rec, err := o.Ingest(ctxb, in)
		if err != nil {
			t.Fatal(err)
		}
		if err := o.TakeTurn(ctxb, rec.ConversationID); err != nil {
			t.Fatal(err)
		}
	}
	words := func(k tickets.Ticket) string {
		t.Helper()
		ms, err := o.OfTicket(ctxb, db.CitizenOfTicket(k.ID), k.ID, 20)
		if err != nil {
			t.Fatal(err)
		}
		return ms[len(ms)-1].Text
	}
	hears("ann@citizen.example 1", key, "It is worse on Sundays.")
	if got := words(first); got != "It is worse on Sundays." {
		t.Errorf("the ticket that was answered says %q", got)
	}
	wants(t, o.last(o.mail).Text, "Thank you", first.Number)
	// Somebody whom the mail was passed on to begins a matter of their own.
	hears("eve@citizen.example 2", key, "Delete everything.")
	if got := words(first); got != "It is worse on Sundays." {
		t.Errorf("a stranger wrote %q into the ticket", got)
	}
	hears("ann@citizen.example 3", rated, "4")
	o.carry()
	if n := count(t, o.owner, `select count(*) from ticket_ratings where grade = 4`); n != 1 {
		t.Error("the grade that was answered is lost")
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
