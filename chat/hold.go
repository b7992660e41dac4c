package chat

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// held is what the changes of holder need to know of a conversation, read under its row lock.
type held struct {
	lang, holder, name string
	user               uuid.UUID
	closed             bool
	lastSeq            int64
}

func lockHeld(ctx context.Context, tx db.Tx, id uuid.UUID) (h held, err error) {
	err = tx.QueryRow(ctx, `select c.lang, c.holder, coalesce(c.holder_user_id, '00000000-0000-0000-0000-000000000000'), coalesce(staff_name(u.names, u.name, c.lang), ''), c.closed_at is not null, c.last_seq
		from conversations c left join users u on u.id = c.holder_user_id where c.id = $1 for no key update of c`, id).
		Scan(&h.lang, &h.holder, &h.user, &h.name, &h.closed, &h.lastSeq)
	if errors.Is(err, pgx.ErrNoRows) {
		return h, ErrNotFound
	}
	if err != nil {
		return h, fmt.Errorf("chat: hold: %w", err)
	}
	return h, nil
}

// change runs a change of holder under the row lock, with an event message for everybody in the conversation.
func (s *Service) change(ctx context.Context, actor db.Actor, id uuid.UUID, fn func(tx db.Tx, h held) (Outgoing, string, error)) error {
	var p Posting
	err := db.WithTx(ctx, s.pool, actor, func(tx db.Tx) error {
		h, err := lockHeld(ctx, tx, id)
		if err != nil {
			return err
		}
		out, holder, err := fn(tx, h)
		if err != nil || holder == "" {
			return err
		}
		if p, err = s.appendTx(ctx, tx, id, out); err != nil {
			return err
		}
		p.holder, p.inbox = holder, true
		return nil
	})
	if err != nil {
		return err
	}
	s.Posted(p)
	return nil
}

// TakeOver makes the acting staff member the one who answers. A bot turn that is thinking just now will write nothing. Taking over what
// one holds already changes nothing.
// Errors: ErrNotFound; ErrHeld with the colleague's name; ErrStaffOnly.
func (s *Service) TakeOver(ctx context.Context, actor db.Actor, id uuid.UUID) error {
	if actor.User() == uuid.Nil {
		return ErrStaffOnly
	}
	return s.change(ctx, actor, id, func(tx db.Tx, h held) (Outgoing, string, error) {
		switch {
		case h.holder == HeldByStaff && h.user == actor.User():
			return Outgoing{}, "", nil
		case h.holder == HeldByStaff:
			return Outgoing{}, "", ErrHeld.With("name", h.name)
		case h.holder == HeldByNone: // a mailbox: nobody chats in it
			return Outgoing{}, "", ErrNotFound
		}
		var name string
		err := tx.QueryRow(ctx, `update conversations set holder = 'staff', holder_user_id = $2, queued_at = coalesce(queued_at, $3), closed_at = null, updated_at = $3,
			taken_at = case when holder = 'queue' then $3 else taken_at end, waited = case when holder = 'queue' then $3 - queued_at else waited end,
			turn_due_at = null, lease_owner = null, lease_until = null, answered_seq = last_seq where id = $1 returning (select staff_name(u.names, u.name, conversations.lang) from users u where u.id = $2)`,
			id, actor.User(), s.now()).Scan(&name)
		if err != nil {
			return Outgoing{}, "", fmt.Errorf("chat: take over: %w", err)
		}
		return Outgoing{Author: BySystem, UserID: actor.User(), Text: s.say(h.lang, "taken_over", "name", name), Payload: Payload{Event: EventTakenOver}}, HeldByStaff, nil
	})
}

// HandBack gives the conversation back to the bot, which answers from the next message on.
// Errors: ErrNotFound; ErrNotHeld.
func (s *Service) HandBack(ctx context.Context, actor db.Actor, id uuid.UUID) error {
	return s.change(ctx, actor, id, func(tx db.Tx, h held) (Outgoing, string, error) {
		if !holds(actor, h) {
			return Outgoing{}, "", ErrNotHeld
		}
		if err := s.toBot(ctx, tx, id, false); err != nil {
			return Outgoing{}, "", err
		}
		return Outgoing{Author: BySystem, UserID: actor.User(), Text: s.say(h.lang, "handed_back"), Payload: Payload{Event: EventHandedBack}}, HeldByBot, nil
	})
}

// Close ends a conversation. A later message of the citizen opens it again, with the bot.
// Errors: ErrNotFound; ErrNotHeld when a colleague holds it; ErrClosed.
func (s *Service) Close(ctx context.Context, actor db.Actor, id uuid.UUID) error {
	return s.change(ctx, actor, id, func(tx db.Tx, h held) (Outgoing, string, error) {
		switch {
		case h.closed:
			return Outgoing{}, "", ErrClosed
		case h.holder == HeldByStaff && !holds(actor, h), actor.User() == uuid.Nil && !actor.IsSystem():
			return Outgoing{}, "", ErrNotHeld
		}
		if err := s.toBot(ctx, tx, id, true); err != nil {
			return Outgoing{}, "", err
		}
		return Outgoing{Author: BySystem, UserID: actor.User(), Text: s.say(h.lang, "closed"), Payload: Payload{Event: EventClosed}}, HeldByBot, nil
	})
}

// AskHuman puts a conversation into the queue for a person, as the citizen's button does. What waits or is held already stays as it is.
// Errors: ErrNotFound.
func (s *Service) AskHuman(ctx context.Context, id uuid.UUID) error {
	return s.change(ctx, db.System(), id, func(tx db.Tx, h held) (Outgoing, string, error) {
		if h.holder != HeldByBot {
			return Outgoing{}, "", nil
		}
		if err := s.toQueue(ctx, tx, id); err != nil {
			return Outgoing{}, "", err
		}
		return Outgoing{Author: BySystem, Text: s.say(h.lang, "queued"), Payload: Payload{Event: EventHandoff}}, HeldByQueue, nil
	})
}

func holds(actor db.Actor, h held) bool {
	return actor.IsSystem() || h.holder == HeldByStaff && actor.User() != uuid.Nil && h.user == actor.User()
}

func (s *Service) toQueue(ctx context.Context, tx db.Tx, id uuid.UUID) error {
	_, err := tx.Exec(ctx, `update conversations set holder = 'queue', holder_user_id = null, queued_at = $2, updated_at = $2,
		turn_due_at = null, lease_owner = null, lease_until = null where id = $1`, id, s.now())
	if err != nil {
		return fmt.Errorf("chat: queue: %w", err)
	}
	return nil
}

func (s *Service) toBot(ctx context.Context, tx db.Tx, id uuid.UUID, closed bool) error {
	_, err := tx.Exec(ctx, `update conversations set holder = 'bot', holder_user_id = null, queued_at = null, updated_at = $2::timestamptz, closed_at = case when $3 then $2::timestamptz end,
		turn_due_at = null, lease_owner = null, lease_until = null, turn_failures = 0, answered_seq = last_seq where id = $1`, id, s.now(), closed)
	if err != nil {
		return fmt.Errorf("chat: hand back: %w", err)
	}
	return nil
}

// Seen moves a read mark forward; backwards and beyond the end it does nothing. by is ByCitizen or ByStaff.
// Errors: ErrNotFound; ErrBadCursor.
func (s *Service) Seen(ctx context.Context, actor db.Actor, id uuid.UUID, seq int64, by string) error {
	if seq < 0 {
		return ErrBadCursor
	}
	column := "citizen_seen"
	if by == ByStaff {
		column = "staff_seen"
	}
	moved := false
	err := db.WithTx(ctx, s.pool, actor, func(tx db.Tx) error {
		tag, err := tx.Exec(ctx, `update conversations set `+column+` = $2 where id = $1 and `+column+` < $2 and last_seq >= $2`, id, seq)
		moved = tag.RowsAffected() > 0
		return err
	})
	if err != nil {
		return fmt.Errorf("chat: seen: %w", err)
	}
	if moved {
		s.hint(id, Hint{Seen: seq, By: by})
	}
	return nil
}

// SetLang remembers the language that the citizen chose.
func (s *Service) SetLang(ctx context.Context, actor db.Actor, id uuid.UUID, lang string) error {
	err := db.WithTx(ctx, s.pool, actor, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, `update conversations set lang = $2,
			bot_state = case when bot_state ? 'v' then jsonb_set(bot_state, '{lang}', to_jsonb($2::text)) else bot_state end where id = $1`, id, lang)
		return err
	})
	if err != nil {
		return fmt.Errorf("chat: language: %w", err)
	}
	return nil
}
