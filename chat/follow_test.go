package chat_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"hotline/chat"
	"hotline/internal/testkit"
	"hotline/tickets"
)

func TestFollowingFilesAndJoinsAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	parent, err := r.FileTicket(ctxb, filing("first"))
	if err != nil {
		t.Fatal(err)
	}
	follow := filing("follower")
	follow.Follow = parent.Ticket.ID
	got := make([]chat.Filed, 6)
	var again sync.WaitGroup
	for i := range got {
		again.Go(func() {
			var err error
			if got[i], err = r.FileTicket(ctxb, follow); err != nil {
				t.Error(err)
			}
		})
	}
	again.Wait()
	for _, f := range got {
		if !f.Followed || f.Ticket.State != tickets.Merged || f.Ticket.Parent != parent.Ticket.ID || f.Code == parent.Code || f.Ticket.ID != got[0].Ticket.ID {
			t.Fatalf("%+v", f)
		}
	}
	if n := count(t, testkit.OwnerPool(t, r.pool), `select count(*) from messages m join tickets k on k.id = m.ticket_id where k.parent_id is not null and m.author = 'citizen'`); n != 1 {
		t.Errorf("%d messages of the follower", n)
	}
	// The same form that follows nothing, or another, is another filing.
	if _, err := r.FileTicket(ctxb, filing("follower")); !errors.Is(err, chat.ErrReceiptConflict) {
		t.Errorf("the same id without following: %v", err)
	}
	// What cannot be joined is filed all the same.
	for name, target := range map[string]uuid.UUID{"nothing": uuid.New(), "one that is merged itself": got[0].Ticket.ID} {
		f := filing("follows " + strings.ReplaceAll(name, " ", "-"))
		f.Follow = target
		filed, err := r.FileTicket(ctxb, f)
		if err != nil || filed.Followed || filed.Ticket.State == tickets.Merged || filed.Ticket.State == tickets.Received {
			t.Errorf("%s: %v %s", name, err, filed.Ticket.State)
		}
	}
}
