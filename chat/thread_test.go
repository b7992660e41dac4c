package chat_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/chat"
	"hotline/internal/db"
)

// TestOutboundNamesWhatItAnswers: a channel with subject lines keeps its thread, and one without buttons says what to type.
func TestOutboundNamesWhatItAnswers(t *testing.T) {
	t.Parallel()
	v := &vendor{got: make(chan channels.Outbound, 10)}
	r, conv := pushRig(t, v)
	sent := func(out chat.Outgoing) channels.Outbound {
		t.Helper()
		seq, err := r.Post(ctxb, db.System(), conv, out)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Deliver(ctxb, conv, seq); err != nil {
			t.Fatal(err)
		}
		return v.sent[len(v.sent)-1]
	}
	if got := sent(chat.Outgoing{Author: chat.ByBot, Text: "hello"}); got.ReplyTo != "1" || got.Title != "" {
		t.Errorf("answers %q under %q", got.ReplyTo, got.Title)
	}
	in := message("ann", "second@citizen.example", "The lamp at the corner is broken")
	in.Channel, in.Title = "postbox", "Lamp"
	if _, err := r.Ingest(ctxb, in); err != nil {
		t.Fatal(err)
	}
	got := sent(chat.Outgoing{Author: chat.ByBot, Text: "Which lamp?", Payload: chat.Payload{Choices: []channels.Choice{{ID: "a", Label: "The left one"}, {ID: "b", Label: "The right one"}}}})
	if got.ReplyTo != "second@citizen.example" || got.Title != "Lamp" || got.Choices[0].Typed != "1" || got.Choices[1].Typed != "2" {
		t.Errorf("%+v", got)
	}
	got = sent(chat.Outgoing{Author: chat.ByBot, Text: "How was it?", Payload: chat.Payload{Choices: []channels.Choice{{ID: "rate:5", Label: "Very good"}, {ID: "rate:1", Label: "Very bad"}}}})
	if got.Choices[0].Typed != "5" || got.Choices[1].Typed != "1" {
		t.Errorf("grades are typed as places in the list: %+v", got.Choices)
	}
}

func TestAnswerFindsItsConversation(t *testing.T) {
	t.Parallel()
	v := &vendor{got: make(chan channels.Outbound, 10)}
	r, conv := pushRig(t, v) // of "ann"
	seq, err := r.Post(ctxb, db.System(), conv, chat.Outgoing{Author: chat.ByBot, Text: "Where is the lamp?"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Deliver(ctxb, conv, seq); err != nil {
		t.Fatal(err)
	}
	key := v.sent[len(v.sent)-1].Key
	answer := func(thread, id, key string) uuid.UUID {
		t.Helper()
		in := message(thread, id, "At the corner")
		in.Channel, in.Answers = "postbox", key
		got, err := r.Ingest(ctxb, in)
		if err != nil {
			t.Fatal(err)
		}
		return got.ConversationID
	}
	if got := answer("Ann 4711", "a1", key); got != conv {
		t.Error("an answer from the address that was written to began another conversation")
	}
	if got := answer("Ann 4711", "a1", key); got != conv {
		t.Error("the same answer once more is somewhere else")
	}
	if got := answer("bob", "b1", key); got == conv {
		t.Error("somebody whom the message was passed on to writes into the conversation")
	}
	if got := answer("ann 4712", "a2", uuid.NewString()); got == conv {
		t.Error("an answer to nothing fell into a conversation")
	}
	if ms := r.all(t, conv); ms[len(ms)-1].Author != chat.ByCitizen || ms[len(ms)-1].Text != "At the corner" {
		t.Errorf("%+v", ms[len(ms)-1])
	}
}

func TestQuickRepliesCanBeTyped(t *testing.T) {
	t.Parallel()
	r, conv := pushRig(t, &vendor{got: make(chan channels.Outbound, 10)})
	choices := []channels.Choice{{ID: "first", Label: "Passport renewal"}, {ID: "second", Label: "Passport loss"}}
	if _, err := r.Post(ctxb, db.System(), conv, chat.Outgoing{Author: chat.ByBot, Text: "Which?", Payload: chat.Payload{Choices: choices}}); err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		text, choice, reads string
		typed               bool
	}{
		{"2", "second", "Passport loss", true},
		{" １。", "first", "Passport renewal", true},
		{"passport LOSS!", "second", "Passport loss", true},
		{"3", "", "3", true},
		{"2 weeks ago", "", "2 weeks ago", true},
		{"2", "", "2", false}, // on a channel with buttons the bot decides
	} {
		in := message("ann", fmt.Sprint("c", i), c.text)
		in.Channel, in.Typed = "postbox", c.typed
		for range 2 { // a repeat is the same message
			if _, err := r.Ingest(ctxb, in); err != nil {
				t.Fatalf("%q: %v", c.text, err)
			}
		}
		ms := r.all(t, conv)
		if last := ms[len(ms)-1]; last.Payload.Choice != c.choice || last.Text != c.reads {
			t.Errorf("%q became %q %q, want %q %q", c.text, last.Payload.Choice, last.Text, c.choice, c.reads)
		}
	}
}

func TestLateReportsOfADelivery(t *testing.T) {
	t.Parallel()
	v := &vendor{got: make(chan channels.Outbound, 10)}
	r, conv := pushRig(t, v)
	seq := r.post(t, conv, "one")
	if _, err := r.Deliver(ctxb, conv, seq); err != nil {
		t.Fatal(err)
	}
	key := v.sent[len(v.sent)-1].Key
	report := func(rep channels.Report) bool {
		t.Helper()
		rep.Channel = "postbox"
		known, err := r.Report(ctxb, rep)
		if err != nil {
			t.Fatal(err)
		}
		return known
	}
	if report(channels.Report{Key: uuid.NewString()}) || report(channels.Report{RemoteID: "nobody's"}) || report(channels.Report{}) {
		t.Error("a report on nothing is known")
	}
	if !report(channels.Report{Key: key, Failed: true, Reason: "there is no such address"}) {
		t.Error("the report is not known")
	}
	if d := r.delivery(t, conv, seq); d.State != "failed" || d.Error != "there is no such address" {
		t.Errorf("%+v", d)
	}
	if !report(channels.Report{Key: key}) { // a report that comes twice, or too late
		t.Error("the second report is not known")
	}
	if d := r.delivery(t, conv, seq); d.State != "failed" {
		t.Errorf("%+v", d)
	}
	seq = r.post(t, conv, "two")
	if _, err := r.Deliver(ctxb, conv, seq); err != nil {
		t.Fatal(err)
	}
	if !report(channels.Report{RemoteID: "r"}) {
		t.Error("the vendor's own id is not known")
	}
	if d := r.delivery(t, conv, seq); d.State != "delivered" || d.Error != "" {
		t.Errorf("%+v", d)
	}
}

// TestAMailThatCameBackGoesOutByAnotherWay: a failure that is told hours later is one like any other.
func TestAMailThatCameBackGoesOutByAnotherWay(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	k := o.filed(func(f *chat.Filing) { f.Contact.Phone = "13800002222" })
	key := o.last(o.mail).Key
	o.silent("before the mail comes back", o.sms)
	known, err := o.Report(ctxb, channels.Report{Channel: "email", Key: key, Failed: true, Reason: "the mail came back"})
	if err != nil || !known {
		t.Fatalf("%v, %v", known, err)
	}
	if got := o.last(o.sms); !strings.Contains(got.Text, k.Number) {
		t.Errorf("by SMS: %q", got.Text)
	}
	if _, err := o.Report(ctxb, channels.Report{Channel: "email", Key: key, Failed: true, Reason: "the mail came back"}); err != nil {
		t.Fatal(err)
	}
	o.silent("the same report once more", o.sms, o.mail)
}
