package app

import (
	"testing"

	"hotline/internal/i18n"
	"hotline/tickets"
)

// What the citizen may see of a ticket's history stands on the page of the case in words: in a message, or as an entry that has some.
func TestEveryPublicMoveHasWordsOnTheCasePage(t *testing.T) {
	t.Parallel()
	words, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[tickets.Action]bool{tickets.CitizenReply: true, tickets.AddInformation: true} // the citizen's own messages
	for _, m := range tickets.Table() {
		if m.Public && !seen[m.Name] && !words.Known("chat.ticket."+string(m.Name)) && !words.Known("portal.event."+string(m.Name)) {
			t.Errorf("%s says nothing", m.Name)
		}
		seen[m.Name] = true
	}
}
