package tickets

import (
	"encoding/json"

	"github.com/google/uuid"
)

// Announce tells the lists on every screen that a ticket changed: call it after commit. A lost hint delays a list and loses nothing, so a
// bus that is away is no error here.
func Announce(bus interface {
	Publish(subject string, data []byte) error
}, ticket uuid.UUID) {
	data, err := json.Marshal(map[string]string{"ticket": ticket.String()})
	if err != nil {
		return // a map of strings
	}
	_ = bus.Publish("desk.inbox", data) // a hint: readers catch up from the database
}
