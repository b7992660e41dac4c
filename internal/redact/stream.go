package redact

import (
	"strings"
	"unicode/utf8"
)

// maxPlaceholder bounds a placeholder in any accepted shape, in bytes.
const maxPlaceholder = 32

// Stream restores a text that arrives in pieces: a placeholder may be cut anywhere, also inside a character.
type Stream struct {
	r    *Redactor
	held string
}

// Stream begins a restored stream.
func (r *Redactor) Stream() *Stream { return &Stream{r: r} }

// Push takes the next piece and gives what can be told by now.
func (s *Stream) Push(piece string) string {
	s.held += piece
	cut := len(s.held)
	for _, open := range []string{"[", "【", "［"} {
		if i := strings.LastIndex(s.held, open); i >= 0 && i < cut && len(s.held)-i < maxPlaceholder && !strings.ContainsAny(s.held[i:], "]】］") {
			cut = i
		}
	}
	// A character cut in two waits for its other half.
	for i := max(0, len(s.held)-utf8.UTFMax); i < cut; i++ {
		if utf8.RuneStart(s.held[i]) && !utf8.FullRuneInString(s.held[i:]) {
			cut = i
		}
	}
	out := s.r.Restore(s.held[:cut])
	s.held = s.held[cut:]
	return out
}

// Flush gives what is left when the text is over.
func (s *Stream) Flush() string {
	out := s.r.Restore(s.held)
	s.held = ""
	return out
}
