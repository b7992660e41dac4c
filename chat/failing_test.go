package chat_test

import (
	"strings"
	"testing"
	"time"

	"hotline/channels"
	"hotline/chat"
	"hotline/tickets"
)

// receipt is what the operator says of the newest text message.
func (o *office) receipt(r channels.Report) {
	o.t.Helper()
	r.Channel, r.Key = "sms", o.last(o.sms).Key
	if known, err := o.Report(ctxb, r); err != nil || !known {
		o.t.Fatal(known, err)
	}
	o.carry()
	o.clock.Advance(time.Minute)
}

// news makes the agency write to the contact of a ticket.
func (o *office) news(k tickets.Ticket, text string) {
	o.t.Helper()
	if _, err := o.ReplyToTicket(ctxb, o.staff("handler-env", "handler"), k.ID, tickets.AnyVersion, text, "", tickets.Fields{}, ""); err != nil {
		o.t.Fatal(err)
	}
	o.carry()
}

var (
	phoneOff      = channels.Report{Failed: true, Reason: "the telephone could not be reached in time"}
	undeliverable = channels.Report{Failed: true, Reason: "the operator could not deliver the message", Blames: channels.Doubt}
	noSuchNumber  = channels.Report{Failed: true, Reason: "the operator could not deliver the message", Blames: channels.Gone}
)

// A telephone that was off for a day gets the next message all the same.
func TestAPhoneThatWasOffIsWrittenToAgain(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	k := o.inProgress(o.filed(byPhone))
	for range 3 {
		o.receipt(phoneOff)
		o.news(k, "Come by on Monday.")
	}
	wants(t, o.last(o.sms).Text, "Monday")
	// The message that did not arrive goes by mail where that was allowed too.
	both := o.inProgress(o.filed(func(f *chat.Filing) { f.Contact.Phone = "13800002222" }))
	o.last(o.mail)
	o.mail.next = []error{&channels.PermanentError{Code: "full", Reason: "The mailbox is full."}}
	o.news(both, "Come by on Tuesday.")
	wants(t, o.last(o.sms).Text, "Tuesday")
	o.news(both, "Come by on Wednesday.")
	wants(t, o.last(o.mail).Text, "Wednesday")
	o.silent("what the mailbox got", o.sms)
}

func TestANumberIsGivenUpWhenTheFailureLastsAndHealsWhenItIsHeardOf(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	k := o.inProgress(o.filed(byPhone))
	// Once without a reason may be chance; a message that arrives ends the count.
	o.receipt(undeliverable)
	o.news(k, "one")
	o.receipt(channels.Report{})
	o.news(k, "two")
	o.receipt(undeliverable)
	o.news(k, "three")
	o.receipt(undeliverable)
	o.news(k, "four")
	o.silent("a number that two messages in a row did not reach", o.sms)
	// The person writes from it.
	o.hears("sms", "+8613800001111", "Where is the town hall?")
	o.last(o.sms)
	o.news(k, "five")
	wants(t, o.last(o.sms).Text, "five")
	// A number that does not exist is given up at once; a message that was on its way and arrives after all shows that it does.
	o.news(k, "six")
	late := o.last(o.sms).Key
	o.news(k, "seven")
	o.receipt(noSuchNumber)
	o.news(k, "eight")
	o.silent("a number that does not exist", o.sms)
	if known, err := o.Report(ctxb, channels.Report{Channel: "sms", Key: late}); err != nil || !known {
		t.Fatal(known, err)
	}
	o.news(k, "nine")
	wants(t, o.last(o.sms).Text, "nine")
}

// What is wrong with our own account says nothing about anybody's number.
func TestARefusalOfOurOwnSenderBlamesNoNumber(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	k := o.inProgress(o.filed(byPhone))
	o.last(o.sms)
	for range 2 {
		o.sms.next = []error{&channels.PermanentError{Code: "sender", Reason: "the operator does not let us write from the hotline's number"}}
		o.news(k, "one")
		o.silent("refused", o.sms)
	}
	o.news(k, "two")
	wants(t, o.last(o.sms).Text, "two")
}

// Who says stop in their own conversation by text message is told so, and nothing more, until they write again.
func TestStopEndsAConversationByTextMessage(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	conversation := o.types("sms", bo, "", "hello").ConversationID
	o.last(o.sms)
	o.types("sms", bo, "", "STOP")
	wants(t, o.last(o.sms).Text, "no more of these messages")
	say := func(text string) {
		t.Helper()
		if _, err := o.Post(ctxb, o.city.Staff("operator"), conversation, chat.Outgoing{Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	say("One more thing.")
	o.silent("after STOP", o.sms)
	o.types("sms", bo, "", "hello again")
	o.last(o.sms)
	say("Good to hear from you.")
	wants(t, o.last(o.sms).Text, "Good to hear")
}

// A member of staff has the chat: the STOP is obeyed all the same, there and for what is told of the person's cases.
func TestStopSaidToAPersonIsAStop(t *testing.T) {
	t.Parallel()
	for _, held := range []string{"staff", "queue"} {
		o := newOffice(t)
		k := o.filed(byPhone)
		o.last(o.sms)
		conversation := o.types("sms", bo, "", "hello").ConversationID
		o.last(o.sms)
		if held == "staff" {
			if err := o.TakeOver(ctxb, o.city.Staff("operator"), conversation); err != nil {
				t.Fatal(err)
			}
		} else {
			o.types("sms", bo, "", "I want to speak to a person")
		}
		o.carry()
		o.sms.sent = nil
		o.types("sms", bo, "", "Stop.")
		if got := o.last(o.sms).Text; !strings.Contains(got, "no more of these messages") {
			t.Fatalf("%s: the STOP was not confirmed: %q", held, got)
		}
		o.news(k, "The pipe is mended.")
		o.silent(held+": news of a case after STOP", o.sms)
		if n := count(t, o.owner, `select count(*) from ticket_events where type = 'channels_allowed' and actor = 'citizen'`); n != 1 {
			t.Errorf("%s: %d entries say so", held, n)
		}
		if _, err := o.Post(ctxb, o.city.Staff("operator"), conversation, chat.Outgoing{Text: "One more thing."}); err != nil {
			t.Fatal(err)
		}
		o.silent(held+": in the chat after STOP", o.sms)
	}
}
