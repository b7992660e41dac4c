package tickets

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// A link takes the citizen's word on a ticket once, without the tracking code: staff make one to hand over, and messages to a contact carry one. The
// token is random and only its hash is kept.

// linkLife is how long a link can be used.
const linkLife = 30 * 24 * time.Hour

// linkBytes is how random a token is: 128 bits, so that it fits into a text message. Older links have 256.
const linkBytes = 16

// MayLink reports whether the actor may make a link for the assessment now: the hotline's operators and supervisors, but not who gave the answer. Who holds
// the link is taken for the citizen, so nobody gets one for work of their own.
func (s *Service) MayLink(a Actor, t Ticket) bool { return mayLink(a, t) && t.MayRate() }

func mayLink(a Actor, t Ticket) bool {
	return a.Kind == KindStaff && a.DB.Desk() && Move{Roles: []Role{Operator, Supervisor}}.CanDo(a.Roles...) && (a.DB.User() == uuid.Nil || a.DB.User() != t.repliedBy)
}

const insertLinkSQL = `insert into assessment_links (hash, ticket_id, created_at, expires_at) values ($1, $2, $3, $4)`

// newLink makes a token and its hash.
func newLink() (text string, hash []byte) {
	raw := make([]byte, linkBytes)
	_, _ = rand.Read(raw) // never fails
	sum := sha256.Sum256(raw)
	return token(raw), sum[:]
}

// AssessmentLink makes the token of a link that rates the ticket once, without the tracking code. Only its hash is kept, so it is shown once.
// Errors: ErrNotFound, ErrForbidden (see MayLink), ErrNotRatable, ErrRated.
func (s *Service) AssessmentLink(ctx context.Context, a Actor, ticket uuid.UUID) (string, error) {
	text, hash := newLink()
	_, err := s.amend(ctx, a, ticket, "", "assessment_link", Fields{}, func(_ context.Context, _ db.Tx, c *change) error {
		switch {
		case !mayLink(a, c.t):
			return ErrForbidden.With("action", "assessment_link").With("state", string(c.t.State))
		case !c.t.Ratable():
			return ErrNotRatable.With("state", string(c.t.State))
		case !c.t.MayRate():
			return ErrRated
		}
		now := c.now
		c.also(func(b *pgx.Batch) { b.Queue(insertLinkSQL, hash, ticket, now, now.Add(linkLife)) })
		c.add(Event{Type: "assessment_link"}, a)
		return nil
	})
	if err != nil {
		return "", err
	}
	return text, nil
}

// MessageLink makes the token of a link that a message to the contact carries, and says until when it can be used. It is made when the message is sent,
// because the token is stored nowhere.
func (s *Service) MessageLink(ctx context.Context, ticket uuid.UUID) (text string, until time.Time, err error) {
	text, hash := newLink()
	now := s.clock.Now()
	until = now.Add(linkLife)
	err = db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		_, err := tx.Exec(ctx, insertLinkSQL, hash, ticket, now, until)
		return err
	})
	if err != nil {
		return "", until, fmt.Errorf("message link: %w", err)
	}
	return text, until, nil
}

func token(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func untoken(text string) ([]byte, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	return raw, err == nil
}

// sealed compares two seals in a time that tells nothing.
func sealed(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }

// linkHash is the hash of a token as it stands in an address.
func linkHash(text string) ([]byte, bool) {
	raw, ok := untoken(text)
	if !ok || len(raw) != linkBytes && len(raw) != 32 {
		return nil, false
	}
	hash := sha256.Sum256(raw)
	return hash[:], true
}

// ByAssessmentLink returns the ticket that an unused link is for. Looking changes nothing, so that programs that follow links before people do use none up.
// Errors: ErrLinkUsed; ErrRated where the citizen has given their word elsewhere.
func (s *Service) ByAssessmentLink(ctx context.Context, text string) (Ticket, error) {
	hash, ok := linkHash(text)
	if !ok {
		return Ticket{}, ErrLinkUsed
	}
	var ticket uuid.UUID
	err := db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		return tx.QueryRow(ctx, `select ticket_id from assessment_links where hash = $1 and used_at is null and expires_at > $2`, hash, s.clock.Now()).Scan(&ticket)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return Ticket{}, ErrLinkUsed
	}
	if err != nil {
		return Ticket{}, fmt.Errorf("assessment link: %w", err)
	}
	t, err := s.ByID(ctx, System(), ticket)
	if err == nil && t.Ratable() && !t.MayRate() && !t.AskedBack() {
		return Ticket{}, ErrRated
	}
	return t, err
}

// RateByLink takes the citizen's word (see Assess) for the ticket of a link and uses the link up, both or neither.
// Errors: ErrLinkUsed, and those of Assess.
func (s *Service) RateByLink(ctx context.Context, text string, r Rating) (Ticket, error) {
	if err := r.check(); err != nil {
		return Ticket{}, err
	}
	hash, ok := linkHash(text)
	if !ok {
		return Ticket{}, ErrLinkUsed
	}
	var out Ticket
	err := db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		var ticket uuid.UUID
		err := tx.QueryRow(ctx, `update assessment_links set used_at = $2 where hash = $1 and used_at is null and expires_at > $2 returning ticket_id`, hash, s.clock.Now()).Scan(&ticket)
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrLinkUsed
		}
		if err != nil {
			return err
		}
		// Who holds the link is the citizen, for this one ticket.
		out, err = s.assessTx(ctx, tx, Actor{DB: db.System(), Kind: KindCitizen, Roles: []Role{Citizen}}, ticket, r)
		return err
	})
	if err != nil {
		return Ticket{}, wrap("rate by link", err)
	}
	return out, nil
}
