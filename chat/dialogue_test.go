package chat_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/chat"
	"hotline/chat/bot"
	"hotline/internal/db"
	"hotline/internal/testkit"
	"hotline/tickets"
)

// reply makes the bot say something once, to a message that is sent for it.
func (r *rig) turnWith(t testing.TB, thread, id, text string, reply bot.Reply) uuid.UUID {
	t.Helper()
	s := r.another(t, func(d *chat.Deps) { d.Think = fixed(reply) })
	got, err := s.Ingest(ctxb, message(thread, id, text))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.TakeTurn(ctxb, got.ConversationID); err != nil {
		t.Fatal(err)
	}
	return got.ConversationID
}

func TestConfirmedAnswerIsCountedAsATicket(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	conv := r.turnWith(t, "ann", "1", "yes, thanks", bot.Reply{Lang: "zh-CN", Messages: []bot.Message{{Text: "不客气"}},
		Answered: &bot.Citation{ArticleID: uuid.NewString(), Version: 3, Title: "Passports", Snippet: "Bring a photo."}})
	k, err := r.tickets.ByConversation(ctxb, tickets.System(), conv)
	if err != nil || k.State != tickets.AnsweredDirectly || k.Kind != "consult" {
		t.Fatalf("%+v, %v", k, err)
	}
	if c, err := r.Conversation(ctxb, db.System(), conv); err != nil || c.Lang != "zh-CN" || c.TicketID != k.ID {
		t.Errorf("%+v, %v", c, err)
	}
	r.turnWith(t, "ann", "2", "five stars", bot.Reply{Lang: "zh-CN", Messages: []bot.Message{{Text: "谢谢"}}, Rate: &bot.Rating{TicketID: k.ID.String(), Grade: 5, Comment: "quick"}})
	rating, ok, err := r.tickets.RatingOf(ctxb, tickets.System(), k.ID)
	if err != nil || !ok || rating.Negative() || rating.Text != "quick" {
		t.Errorf("%+v, %v, %v", rating, ok, err)
	}
}

func TestHandOffAndClose(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	conv := r.turnWith(t, "ann", "1", "a person please", bot.Reply{Lang: "en", Messages: []bot.Message{{Text: "One moment."}}, HandOff: &bot.HandOff{Reason: bot.HandOffAsked}})
	c, err := r.Conversation(ctxb, db.System(), conv)
	if err != nil || c.Holder != chat.HeldByQueue || c.Position != 1 || c.QueuedAt == nil {
		t.Errorf("%+v, %v", c, err)
	}
	if ms := r.all(t, conv); ms[1].Payload.Event != chat.EventHandoff {
		t.Errorf("%+v", ms)
	}
	other := r.turnWith(t, "ben", "1", "bye", bot.Reply{Lang: "en", Messages: []bot.Message{{Text: "Bye."}}, Close: true})
	if c, err := r.Conversation(ctxb, db.System(), other); err != nil || c.ClosedAt == nil {
		t.Errorf("%+v, %v", c, err)
	}
	if err := r.SetLang(ctxb, db.Citizen(other), other, "zh-CN"); err != nil {
		t.Fatal(err)
	}
	if err := r.SetLang(ctxb, db.Citizen(conv), other, "en"); err != nil {
		t.Fatal(err)
	}
	if c, err := r.Conversation(ctxb, db.System(), other); err != nil || c.Lang != "zh-CN" {
		t.Errorf("language %+v, %v", c, err)
	}
}

func TestFalseAlarmTakesTheUrgentTicketBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	conv := r.say(t, "ann", "1", "help, my house is on fire").ConversationID
	if err := r.TakeTurn(ctxb, conv); err != nil {
		t.Fatal(err)
	}
	r.turnWith(t, "ann", "2", "sorry, a mistake", bot.Reply{Lang: "en", Messages: []bot.Message{{Text: "Good."}}, AlertCleared: true})
	k, err := r.tickets.ByConversation(ctxb, tickets.System(), conv)
	if err != nil || k.Urgency != "urgent" || k.State != tickets.Withdrawn {
		t.Errorf("%s %s, %v", k.Urgency, k.State, err)
	}
}

func TestPagesOfMessages(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	conv := r.say(t, "ann", "1", "one").ConversationID
	for _, text := range []string{"two", "three", "four"} {
		r.say(t, "ann", text, text)
	}
	texts := func(ms []chat.Message, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, m := range ms {
			out = append(out, m.Text)
		}
		return strings.Join(out, " ")
	}
	if got := texts(r.Latest(ctxb, r.city.Staff("operator"), conv, 0, 2)); got != "three four" {
		t.Errorf("the end is %q", got)
	}
	if got := texts(r.Latest(ctxb, db.Citizen(conv), conv, 3, 10)); got != "one two" {
		t.Errorf("before it is %q", got)
	}
	if got := texts(r.Messages(ctxb, db.Citizen(conv), conv, 1, 2)); got != "two three" {
		t.Errorf("after 1 is %q", got)
	}
	if got := texts(r.Messages(ctxb, r.city.Staff("handler-env"), conv, 0, 10)); got != "" {
		t.Errorf("another agency reads %q", got)
	}
	if _, err := r.Messages(ctxb, db.Citizen(conv), conv, -1, 1); err == nil {
		t.Error("a negative position was taken")
	}
}

func TestNothingPersonalIsLogged(t *testing.T) {
	t.Parallel()
	log, written := testkit.NewLog()
	r := newRig(t, func(d *chat.Deps) { d.Log = log })
	in := message("ann", "1", "my secret is Rosebud, call 555 0199")
	in.Contact = channels.Contact{Name: "Ann Planted", Phone: "555 0199", Email: "ann@planted.example"}
	if _, err := r.Ingest(ctxb, in); err != nil {
		t.Fatal(err)
	}
	in.Text = "Rosebud again"
	if _, err := r.Ingest(ctxb, in); err == nil {
		t.Fatal("no conflict")
	}
	log.Info("contact", "contact", in.Contact)
	for _, planted := range []string{"Rosebud", "Planted", "0199", "planted.example"} {
		if strings.Contains(written.String(), planted) {
			t.Errorf("the log holds %q", planted)
		}
	}
	if !strings.Contains(written.String(), "[contact]") {
		t.Error("the log was not looked at")
	}
}
