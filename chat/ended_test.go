package chat_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/chat"
	"hotline/internal/db"
	"hotline/internal/testkit"
)

func TestEndedChatsByGrade(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	officer := r.city.Staff("operator")
	grades := map[uuid.UUID]int{}
	var order []uuid.UUID
	for i, grade := range []int{5, 0, 2, 5} {
		id := r.say(t, fmt.Sprintf("guest-%d", i), "1", "hi").ConversationID
		if i != 1 {
			if err := r.TakeOver(ctxb, officer, id); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Close(ctxb, officer, id); err != nil {
			t.Fatal(err)
		}
		if grade > 0 {
			if _, err := testkit.OwnerPool(t, r.pool).Exec(ctxb, `update conversations set rating = $2, rated_at = now() where id = $1`, id, grade); err != nil {
				t.Fatal(err)
			}
		}
		grades[id], order = grade, append([]uuid.UUID{id}, order...)
		r.clock.Advance(time.Minute)
	}
	r.say(t, "still-here", "1", "hi")

	var all []chat.Ended
	for after := ""; ; {
		page, next, err := r.ListEnded(ctxb, officer, chat.AnyGrade, after, 3)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page...)
		if after = next; after == "" {
			break
		}
	}
	if len(all) != 4 {
		t.Fatalf("%d chats have ended, want 4", len(all))
	}
	for i, e := range all {
		if e.ID != order[i] || e.Grade != grades[e.ID] || e.Person != (grades[e.ID] != 0) {
			t.Errorf("place %d: %+v", i, e)
		}
	}
	for grade, want := range map[int]int{5: 2, 2: 1, 0: 1, 3: 0} {
		if got, _, err := r.ListEnded(ctxb, officer, grade, "", 10); err != nil || len(got) != want {
			t.Errorf("%d chats of grade %d, want %d, %v", len(got), grade, want, err)
		}
	}
	// Another agency sees none, a broken marker is refused.
	if got, _, err := r.ListEnded(ctxb, r.city.Staff("handler-env"), chat.AnyGrade, "", 10); err != nil || len(got) != 0 {
		t.Errorf("a department reads %d ended chats, %v", len(got), err)
	}
	if _, _, err := r.ListEnded(ctxb, db.System(), chat.AnyGrade, "yesterday", 10); err == nil {
		t.Error("a broken marker is taken")
	}
}
