package chat_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"hotline/channels"
	"hotline/internal/db"
)

func TestPartsOfAMessageAreHeldUntilItIsWhole(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	hold := func(thread string, ref, total, n int, text string) (string, string) {
		t.Helper()
		id, whole, err := r.HoldPart(ctxb, channels.Part{Channel: "sms", Account: "12345", Thread: thread, Ref: ref, Total: total, N: n, Text: text})
		if err != nil {
			t.Fatal(err)
		}
		return id, strings.Join(whole, "")
	}
	release := func(id string) {
		t.Helper()
		if err := r.ReleaseParts(ctxb, "sms", id); err != nil {
			t.Fatal(err)
		}
	}
	one, whole := hold("+86138", 7, 3, 2, "b")
	if whole != "" {
		t.Fatalf("whole after one part: %q", whole)
	}
	if again, _ := hold("+86138", 7, 3, 2, "b"); again != one {
		t.Error("a part that was delivered again belongs to another message")
	}
	if other, _ := hold("+86139", 7, 3, 3, "x"); other == one {
		t.Error("two people write one message")
	}
	hold("+86138", 7, 3, 3, "c")
	id, whole := hold("+86138", 7, 3, 1, "a")
	if id != one || whole != "abc" {
		t.Errorf("%q of %q, want %q", whole, id, one)
	}
	if id, whole := hold("+86138", 7, 3, 1, "a"); id != one || whole != "abc" { // its answer was lost
		t.Errorf("the last part once more: %q, %q", id, whole)
	}
	release(one)
	if id, _ := hold("+86138", 7, 3, 1, "a"); id == one {
		t.Error("the sender's number is used again, for another message")
	}

	yes, whole := hold("+86138", 0, 1, 1, "yes")
	if whole != "yes" {
		t.Fatal(whole)
	}
	if id, _ := hold("+86138", 0, 1, 1, "yes"); id != yes {
		t.Error("a message whose answer was lost became two")
	}
	if id, _ := hold("+86138", 0, 1, 1, "no"); id == yes {
		t.Error("another text is another message")
	}
	release(yes)
	if id, _ := hold("+86138", 0, 1, 1, "yes"); id == yes {
		t.Error("a second yes was taken for the first")
	}

	r.clock.Advance(25 * time.Hour)
	old, err := r.OldParts(ctxb, "sms", 10)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]bool{}
	for _, f := range old {
		texts[f.Text] = f.Complete
	}
	if complete, ok := texts["a […]"]; !ok || complete {
		t.Errorf("%v", texts)
	}
	if complete, ok := texts[" […] x"]; !ok || complete {
		t.Errorf("%v", texts)
	}
}

// TestPartsAreTheSystemsAlone: the second wall.
func TestPartsAreTheSystemsAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if _, _, err := r.HoldPart(ctxb, channels.Part{Channel: "sms", Account: "12345", Thread: "+86138", Total: 2, N: 1, Text: "secret"}); err != nil {
		t.Fatal(err)
	}
	for name, actor := range map[string]db.Actor{"staff": r.city.Staff("operator"), "nobody": {}} {
		n := -1
		err := db.ReadTx(ctxb, r.pool, actor, func(tx db.Tx) error {
			return tx.QueryRow(ctxb, `select count(*) from message_parts`).Scan(&n)
		})
		if err == nil && n != 0 || err != nil && errors.Is(err, db.ErrUnavailable) {
			t.Errorf("%s sees %d parts, %v", name, n, err)
		}
	}
}
