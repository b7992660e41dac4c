package tickets

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// amend makes a change to a ticket that is no move: edit judges and changes it, and adds the history entry.
func (s *Service) amend(ctx context.Context, a Actor, ticket uuid.UUID, key, entry string, f Fields, edit func(ctx context.Context, tx db.Tx, c *change) error) (Ticket, error) {
	var out Ticket
	err := db.WithTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		var err error
		out, err = s.amendTx(ctx, tx, ticket, key, entry, f, edit)
		return err
	})
	if err != nil {
		return Ticket{}, wrap(entry, err)
	}
	return out, nil
}

func (s *Service) amendTx(ctx context.Context, tx db.Tx, ticket uuid.UUID, key, entry string, f Fields, edit func(ctx context.Context, tx db.Tx, c *change) error) (Ticket, error) {
	t, rows, earlier, err := s.lock(ctx, tx, ticket, key)
	switch {
	case err != nil:
		return Ticket{}, err
	case earlier == entry:
		return t, nil
	case earlier != "":
		return Ticket{}, ErrKeyReused.With("action", earlier)
	}
	c := s.newChange(t, rows, s.clock.Now())
	if err := edit(ctx, tx, c); err != nil {
		return Ticket{}, err
	}
	return c.t, s.save(ctx, tx, c, key, f)
}

// Note adds an internal note, which the citizen never sees. Who is called by name in it ("@Li Na") and may see the ticket is told.
// Errors: ErrNotFound, ErrForbidden (citizens), ErrMissing, ErrTooLong, ErrKeyReused.
func (s *Service) Note(ctx context.Context, a Actor, ticket uuid.UUID, text, key string) (Ticket, error) {
	if a.Kind == KindCitizen {
		return Ticket{}, ErrForbidden.With("action", "note")
	}
	if text == "" {
		return Ticket{}, ErrMissing.On("text").With("field", "text")
	}
	if err := CheckText(FText, text, MaxText); err != nil {
		return Ticket{}, err
	}
	return s.amend(ctx, a, ticket, key, "note", Fields{}, func(ctx context.Context, tx db.Tx, c *change) error {
		people, err := mentioned(ctx, tx, a, ticket, text)
		if err != nil {
			return err
		}
		c.add(Event{Type: "note", Data: Fields{Text: text}}, a)
		c.mention(a, people)
		return nil
	})
}

// Assign gives the ticket to a member of the agency whose turn it is; to uuid.Nil puts it back into the agency's queue. Anyone there may
// take a ticket that nobody has; giving it to somebody else, or taking it from somebody, is for dispatchers, supervisors and heads.
// Errors: ErrNotFound, ErrStale, ErrForbidden, ErrUnknownUser.
func (s *Service) Assign(ctx context.Context, a Actor, ticket uuid.UUID, version int, to uuid.UUID, key string) (Ticket, error) {
	return s.amend(ctx, a, ticket, key, "assigned", Fields{}, func(ctx context.Context, tx db.Tx, c *change) error {
		if version != AnyVersion && version != c.t.Version {
			return s.stale(ctx, tx, c.t, version)
		}
		if !c.mayAssign(a, to) {
			return ErrForbidden.With("action", "assign").With("state", string(c.t.State))
		}
		if to != uuid.Nil {
			var found bool
			if err := tx.QueryRow(ctx, `select exists (select from users where id = $1 and agency_id = $2 and active)`, to, a.DB.Agency()).Scan(&found); err != nil {
				return fmt.Errorf("assignee: %w", err)
			}
			if !found {
				return ErrUnknownUser
			}
			if to != a.DB.User() {
				c.notices = append(c.notices, notice{agency: a.DB.Agency(), user: to, kind: "assigned"})
			}
		}
		c.t.Assignee = to
		c.t.UpdatedAt = c.now
		c.add(Event{Type: "assigned", Data: Fields{Assignee: to}}, a)
		return nil
	})
}

func (c *change) mayAssign(a Actor, to uuid.UUID) bool {
	if a.Kind != KindStaff || !c.t.Open() {
		return false
	}
	ours := false
	for _, acc := range c.access() {
		ours = ours || acc.agency == a.DB.Agency() && (acc.role == "desk" && c.t.State.Info().Holder != HeldByLead || acc.role == "lead")
	}
	if !ours {
		return false
	}
	chief, worker := false, false
	for _, r := range a.Roles {
		chief = chief || r == Head || r == Dispatcher || r == Supervisor
		worker = worker || r == Handler || r == Operator
	}
	me := a.DB.User()
	return chief || worker && (to == me && c.t.Assignee == uuid.Nil || to == uuid.Nil && c.t.Assignee == me || to == me && c.t.Assignee == me)
}

// Disclose records that somebody looks at the contact of a confidential ticket, and why: call it before the identity is shown.
// Errors: ErrNotFound, ErrForbidden (not staff), ErrMissing (no reason), ErrTooLong.
func (s *Service) Disclose(ctx context.Context, a Actor, ticket uuid.UUID, reason string) error {
	if a.Kind != KindStaff {
		return ErrForbidden.With("action", "disclose")
	}
	if reason == "" {
		return ErrMissing.On("reason").With("field", "reason")
	}
	if err := CheckText(FReason, reason, MaxBasis); err != nil {
		return err
	}
	_, err := s.amend(ctx, a, ticket, "", "disclosed", Fields{}, func(_ context.Context, _ db.Tx, c *change) error {
		c.add(Event{Type: "disclosed", Data: Fields{Reason: reason}}, a)
		return nil
	})
	return err
}

// Reissue replaces the tracking code; the old one opens nothing any more. For the hotline's staff, on the citizen's request.
// Errors: ErrNotFound, ErrForbidden.
func (s *Service) Reissue(ctx context.Context, a Actor, ticket uuid.UUID) (Ticket, error) {
	if a.Kind == KindStaff && !a.DB.Desk() || a.Kind == KindCitizen {
		return Ticket{}, ErrForbidden.With("action", "reissue")
	}
	return s.amend(ctx, a, ticket, "", "code_reissued", Fields{}, func(_ context.Context, _ db.Tx, c *change) error {
		c.t.codeIssue++
		c.also(func(b *pgx.Batch) {
			b.Queue(`update tickets set code_issue = $2, code_hash = $3 where id = $1`, c.t.ID, c.t.codeIssue, s.keys.hash(s.keys.code(c.t.ID, c.t.codeIssue)))
		})
		c.add(Event{Type: "code_reissued"}, a)
		return nil
	})
}

// Attachment is a file of a ticket; its bytes are in the file store.
type Attachment struct {
	ID            uuid.UUID
	Name          string
	ContentType   string
	Size          int64
	Width, Height int
	At            time.Time
}

// Attachments lists the files of a ticket, oldest first.
func (s *Service) Attachments(ctx context.Context, a Actor, ticket uuid.UUID) ([]Attachment, error) {
	var out []Attachment
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, `select id, name, content_type, size, width, height, created_at from uploads where ticket_id = $1 order by created_at, id`, ticket)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Attachment])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list attachments: %w", err)
	}
	return out, nil
}

// Attach links files that were uploaded to the ticket's conversation.
// Errors: ErrNotFound, ErrForbidden.
func (s *Service) Attach(ctx context.Context, a Actor, ticket uuid.UUID, uploads []uuid.UUID, key string) (Ticket, error) {
	f := Fields{Uploads: uploads}
	return s.amend(ctx, a, ticket, key, "attached", f, func(_ context.Context, _ db.Tx, c *change) error {
		c.add(Event{Type: "attached", Data: f, Public: a.Kind == KindCitizen}, a)
		return nil
	})
}
