package llm

import (
	"context"
	"time"

	"github.com/google/uuid"

	"hotline/internal/db"
)

// Trial is what a try found.
type Trial struct {
	Call    uuid.UUID
	Latency time.Duration
	Answer  string // what the model said, or how long its vectors are
	Length  int    // of a vector
}

// Try asks a model for one word, whether it is switched on or not and although it is being left alone: that ends when it answers. Errors: ErrForbidden, ErrNotFound, those of calls.
func (s *Service) Try(ctx context.Context, actor db.Actor, id uuid.UUID) (Trial, error) {
	m, err := s.ByID(ctx, actor, id)
	if err != nil {
		return Trial{}, err
	}
	s.gate(m).knock(s.now())
	start := time.Now()
	if len(m.Uses) == 1 && m.Uses[0] == UseEmbed {
		v, err := s.embed(ctx, m, []string{"hotline"})
		if err != nil {
			return Trial{}, err
		}
		return Trial{Latency: time.Since(start), Length: len(v[0])}, nil
	}
	told := false
	use := m.Uses[0]
	if use == UseEmbed {
		use = m.Uses[1]
	}
	res, err := s.call(ctx, m, Request{Use: use, Prompt: "try/1", MaxTokens: 64, By: actor.User(),
		Messages: []Message{{System, "You are being tried out. Answer with the single word: ready"}, {User, "Are you ready?"}}}, nil, &told)
	if err != nil {
		return Trial{}, err
	}
	text := []rune(res.Text)
	return Trial{Call: res.Call, Latency: time.Since(start), Answer: string(text[:min(len(text), 200)])}, nil
}
