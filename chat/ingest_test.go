package chat_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/chat"
	"hotline/internal/db"
	"hotline/internal/errs"
	"hotline/internal/testkit"
)

func TestFiftyDuplicatesMakeOneMessage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	got := make([]chat.Receipt, 50)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() {
			var err error
			if got[i], err = r.Ingest(ctxb, message("ann", "m1", "停水了")); err != nil {
				t.Errorf("duplicate %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	fresh := 0
	for _, g := range got {
		if g.ConversationID != got[0].ConversationID || g.Seq != 1 {
			t.Fatalf("duplicates disagree: %+v and %+v", g, got[0])
		}
		if !g.Duplicate {
			fresh++
		}
	}
	if fresh != 1 {
		t.Errorf("%d of 50 were taken as new", fresh)
	}
	if ms := r.all(t, got[0].ConversationID); len(ms) != 1 {
		t.Errorf("%d messages are stored", len(ms))
	}
	_, err := r.Ingest(ctxb, message("ann", "m1", "something else"))
	if !errors.Is(err, chat.ErrReceiptConflict) || errs.KindOf(err) != errs.Conflict {
		t.Errorf("another body under the same id: %v", err)
	}
	if later := r.say(t, "ben", "m1", "something else"); later.Duplicate || later.ConversationID == got[0].ConversationID {
		t.Error("the same id in another thread is another message")
	}
}

func TestSeqHasNoGapsUnderConcurrency(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	nodes := []*chat.Service{r.Service, r.another(t)}
	first := r.say(t, "ann", "first", "hello")
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			var err error
			switch id := fmt.Sprint(i); i % 3 {
			case 0:
				_, err = nodes[i%2].Ingest(ctxb, message("ann", id, "text "+id))
			case 1:
				_, err = nodes[i%2].Ingest(ctxb, message("ann", fmt.Sprint(i-1), "text "+fmt.Sprint(i-1))) // a repetition of its neighbour
			case 2:
				_, err = nodes[i%2].Post(ctxb, db.System(), first.ConversationID, chat.Outgoing{Author: chat.ByBot, Text: id})
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	ms := r.all(t, first.ConversationID)
	if len(ms) != 41 {
		t.Errorf("%d messages, want 41", len(ms))
	}
	for i, m := range ms {
		if m.Seq != int64(i+1) {
			t.Fatalf("message %d has seq %d", i+1, m.Seq)
		}
	}
}

func TestNoConversationWithoutItsMessage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	owner := testkit.OwnerPool(t, r.pool)
	in := message("ann", "1", "with a file that is not there")
	in.Uploads = []uuid.UUID{uuid.New()}
	if _, err := r.Ingest(ctxb, in); !errors.Is(err, chat.ErrUnknownUpload) {
		t.Fatalf("got %v", err)
	}
	if n := count(t, owner, `select count(*) from conversations`) + count(t, owner, `select count(*) from receipts`); n != 0 {
		t.Errorf("a refused message left %d rows behind", n)
	}
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() { r.say(t, fmt.Sprint("t", i%10), fmt.Sprint(i), "hello") })
	}
	wg.Wait()
	if n := count(t, owner, `select count(*) from conversations c where not exists (select from messages m where m.conversation_id = c.id and m.seq = 1)`); n != 0 {
		t.Errorf("%d conversations have no first message", n)
	}
	if n := count(t, owner, `select count(*) from conversations c where last_seq <> (select count(*) from messages m where m.conversation_id = c.id)`); n != 0 {
		t.Errorf("%d conversations have gaps", n)
	}
}

func TestHostileTextIsStoredAsText(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i, text := range []string{"<script>alert(1)</script>", "'; drop table messages; --", "nul \x00 byte", "broken \xff\xfe", "\u202Egnp.exe", `{"t":"hello"}`, "{tracking_code}", strings.Repeat("长", channels.MaxText)} {
		got := r.say(t, fmt.Sprint("h", i), "1", text)
		ms, err := r.RenderFor(ctxb, chat.ReaderCitizen, r.all(t, got.ConversationID))
		if err != nil {
			t.Fatal(err)
		}
		if ms[0].Text != channels.CleanText(text) {
			t.Errorf("%q came back as %q", text, ms[0].Text)
		}
	}
	if _, err := r.Ingest(ctxb, message("x", "1", strings.Repeat("a", channels.MaxText+1))); errs.KindOf(err) != errs.TooLarge {
		t.Errorf("too long: %v", err)
	}
}

func TestEmergencyIsAnsweredInTheSameTransaction(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	got := r.say(t, "ann", "1", "着火了，我家着火了！快来人")
	ms := r.all(t, got.ConversationID)
	if len(ms) != 2 || ms[1].Author != chat.ByBot || ms[1].Payload.Event != chat.EventEmergency || !strings.Contains(ms[1].Text, "119") {
		t.Fatalf("no emergency reply right behind the message: %+v", ms)
	}
	// Whoever holds the conversation, the check runs.
	desk := r.city.Staff("operator")
	if err := r.TakeOver(ctxb, desk, got.ConversationID); err != nil {
		t.Fatal(err)
	}
	r.say(t, "ann", "2", "my house is on fire, help")
	ms = r.all(t, got.ConversationID)
	if last := ms[len(ms)-1]; last.Payload.Event != chat.EventEmergency || !strings.Contains(last.Text, "119") {
		t.Errorf("no emergency reply while a person holds the conversation: %+v", last)
	}
	if again := r.say(t, "ann", "2", "my house is on fire, help"); !again.Duplicate || len(r.all(t, got.ConversationID)) != len(ms) {
		t.Error("the repeated message was answered twice")
	}
}

func TestPostIsIdempotentByKey(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	conv := r.say(t, "ann", "1", "hello").ConversationID
	desk := r.city.Staff("operator")
	post := func(text string) (int64, error) {
		return r.Post(ctxb, desk, conv, chat.Outgoing{Text: text, Key: "form-7"})
	}
	a, err := post("Good morning")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := post("Good morning"); err != nil || a != b {
		t.Errorf("double submit: %d then %d, %v", a, b, err)
	}
	if _, err := post("Good evening"); !errors.Is(err, chat.ErrKeyConflict) {
		t.Errorf("another text under the same key: %v", err)
	}
	ms := r.all(t, conv)
	if len(ms) != 2 || ms[1].Author != chat.ByStaff || ms[1].Name != "operator" {
		t.Errorf("got %+v", ms)
	}
	if _, err := r.Post(ctxb, r.city.Staff("handler-util"), conv, chat.Outgoing{Text: "hi"}); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("another agency wrote into the conversation: %v", err)
	}
	if _, err := r.Post(ctxb, db.Citizen(conv), conv, chat.Outgoing{Text: "hi"}); !errors.Is(err, chat.ErrStaffOnly) {
		t.Errorf("a citizen posted as staff: %v", err)
	}
}
