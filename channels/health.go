package channels

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Reachable is an adapter that knows whether its vendor answers.
type Reachable interface {
	Adapter
	// Trouble says what is wrong, in English words without personal data or secrets, and since when; "" when nothing is known to be.
	Trouble() (problem string, since time.Time)
}

// Health keeps whether the parts of a channel (sending, receiving) answer; adapters embed it to be Reachable. Its zero value knows of nothing wrong.
type Health struct {
	mu    sync.Mutex
	parts map[string]string
	since time.Time
}

// Note says how a part is: "" is well, anything else is what is wrong.
func (h *Health) Note(part, problem string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if problem == "" {
		delete(h.parts, part)
		return
	}
	if len(h.parts) == 0 {
		h.parts, h.since = map[string]string{}, time.Now()
	}
	h.parts[part] = problem
}

// Trouble implements Reachable.
func (h *Health) Trouble() (string, time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.parts) == 0 {
		return "", time.Time{}
	}
	words := make([]string, 0, len(h.parts))
	for _, part := range slices.Sorted(maps.Keys(h.parts)) {
		words = append(words, part+": "+h.parts[part])
	}
	return strings.Join(words, "; "), h.since
}
