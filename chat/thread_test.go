package chat_test

import (
	"testing"

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
