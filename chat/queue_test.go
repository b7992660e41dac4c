package chat_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/chat"
	"hotline/internal/db"
)

func TestSomebodyWhoWaitsLearnsHowLongOthersWaited(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	officer := r.city.Staff("operator")
	for i, wait := range []time.Duration{2 * time.Minute, 4 * time.Minute} {
		id := r.say(t, string(rune('a'+i)), "1", "hi").ConversationID
		if err := r.AskHuman(ctxb, id); err != nil {
			t.Fatal(err)
		}
		r.clock.Advance(wait)
		if err := r.TakeOver(ctxb, officer, id); err != nil {
			t.Fatal(err)
		}
	}
	waits := r.say(t, "c", "1", "hi").ConversationID
	if err := r.AskHuman(ctxb, waits); err != nil {
		t.Fatal(err)
	}
	if c, err := r.Conversation(ctxb, db.Citizen(waits), waits); err != nil || c.Wait != 3*time.Minute || c.Position != 1 {
		t.Errorf("wait %v, position %d, %v", c.Wait, c.Position, err)
	}
	r.clock.Advance(5 * time.Hour) // what was true in the morning says nothing in the afternoon
	if c, err := r.Conversation(ctxb, db.Citizen(waits), waits); err != nil || c.Wait != 0 {
		t.Errorf("wait %v, %v", c.Wait, err)
	}
}

func TestLeavingTheQueue(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.say(t, "ann", "1", "hi").ConversationID
	if err := r.AskHuman(ctxb, id); err != nil {
		t.Fatal(err)
	}
	in := message("ann", "2", "Back to the assistant")
	in.Choice = chat.ChoiceLeaveQueue
	for range 2 { // the second is the same message once more
		if _, err := r.Ingest(ctxb, in); err != nil {
			t.Fatal(err)
		}
	}
	c, err := r.Conversation(ctxb, db.System(), id)
	if err != nil || c.Holder != chat.HeldByBot || c.Position != 0 {
		t.Errorf("%+v, %v", c, err)
	}
	ms := r.all(t, id)
	if last := ms[len(ms)-1]; len(ms) != 4 || last.Payload.Event != chat.EventHandedBack {
		t.Errorf("%d messages, the last %+v", len(ms), last)
	}
	if err := r.TakeOver(ctxb, r.city.Staff("operator"), id); err != nil {
		t.Fatal(err)
	}
	in.ExternalID = "3"
	if _, err := r.Ingest(ctxb, in); err != nil {
		t.Fatal(err)
	}
	if c, err := r.Conversation(ctxb, db.System(), id); err != nil || c.Holder != chat.HeldByStaff {
		t.Errorf("a colleague was taken off the conversation: %+v, %v", c, err)
	}
}

func TestTheGradeOfAChatIsKept(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.say(t, "ann", "1", "hi").ConversationID
	officer := r.city.Staff("operator")
	if err := r.TakeOver(ctxb, officer, id); err != nil {
		t.Fatal(err)
	}
	for external, choice := range map[string]string{"2": "rate_chat:4", "3": "rate_chat:9", "4": "rate_chat:"} {
		in := message("ann", external, "Satisfied")
		in.Choice = choice
		if _, err := r.Ingest(ctxb, in); err != nil {
			t.Fatal(err)
		}
	}
	var grade int
	var by uuid.UUID
	err := db.ReadTx(ctxb, r.pool, db.System(), func(tx db.Tx) error {
		return tx.QueryRow(ctxb, `select rating, rated_user_id from conversations where id = $1`, id).Scan(&grade, &by)
	})
	if err != nil || grade != 4 || by != officer.User() {
		t.Errorf("grade %d of %v, %v", grade, by, err)
	}
}
