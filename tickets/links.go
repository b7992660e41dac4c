package tickets

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// LinkKind says how one ticket stands to another.
type LinkKind string

// The kinds. A part is a piece of a case that another agency works on; its answer comes back to the whole.
const (
	Related  LinkKind = "related"
	Blocks   LinkKind = "blocks"
	FollowUp LinkKind = "follow_up"
	Part     LinkKind = "part"
)

// LinkKinds lists what people may link by hand; parts come from Split.
func LinkKinds() []LinkKind { return []LinkKind{Related, Blocks, FollowUp} }

// Link is a link as seen from one of its ends.
type Link struct {
	Kind    LinkKind
	Inverse bool // the other ticket blocks, follows up, or is a part of this one
	Other   uuid.UUID
	Number  string
	Title   string
	State   State
	Lead    uuid.UUID
	Outcome string
	Reply   string
	At      time.Time
	Seen    bool // the actor may open the other ticket
}

// Open reports whether somebody still has to act on the other ticket.
func (l Link) Open() bool { return l.State.Info().Open }

// Answered reports whether a part has its answer.
func (l Link) Answered() bool { return l.Reply != "" }

// Links lists the links of a ticket, parts first, then the newest: those whose other end the actor sees too, and every part of the case, since its
// answer is for whoever works on the whole.
// Errors: ErrNotFound.
func (s *Service) Links(ctx context.Context, a Actor, ticket uuid.UUID) ([]Link, error) {
	var out []Link
	err := s.elevated(ctx, a, ticket, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, `select l.kind, l.to_id = $1, t.id, t.number, t.title, t.state, t.lead_id, t.outcome, t.reply, l.at, v.seen
			from (select l.* from ticket_links l where l.from_id = $1 union all select l.* from ticket_links l where l.to_id = $1) l
			join tickets t on t.id = case when l.from_id = $1 then l.to_id else l.from_id end
			cross join lateral (select exists (select from ticket_access a where a.ticket_id = t.id and a.agency_id = $2 and (not a.confidential or actor_cleared())) as seen) v
			where v.seen or l.kind = 'part' and l.to_id = $1
			order by l.kind <> 'part', l.at desc, t.id limit 100`, ticket, a.DB.Agency())
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (Link, error) {
			var l Link
			var lead *uuid.UUID
			err := row.Scan(&l.Kind, &l.Inverse, &l.Other, &l.Number, &l.Title, &l.State, &lead, &l.Outcome, &l.Reply, &l.At, &l.Seen)
			l.Lead = id(lead)
			return l, err
		})
		return err
	})
	return out, wrap("list links of", err)
}

// Link ties a ticket to another: ticket is related to, blocks, or follows up other. Both have to be the actor's to see.
// Errors: ErrNotFound, ErrForbidden (not staff), ErrBadField (kind, other), ErrLinked.
func (s *Service) Link(ctx context.Context, a Actor, ticket, other uuid.UUID, kind LinkKind) error {
	if _, err := staffOf(a); err != nil {
		return err
	}
	if !slices.Contains(LinkKinds(), kind) {
		return ErrBadField.On("kind").With("field", "kind")
	}
	if ticket == other {
		return ErrBadField.On("other").With("field", "other")
	}
	_, err := s.amend(ctx, a, ticket, "", "linked", Fields{}, func(ctx context.Context, tx db.Tx, c *change) error {
		number, confidential, err := otherEnd(ctx, tx, other)
		if err != nil {
			return err
		}
		var there bool
		if err := tx.QueryRow(ctx, `select exists (select from ticket_links where kind = $3 and (from_id = $1 and to_id = $2 or from_id = $2 and to_id = $1))`, ticket, other, string(kind)).Scan(&there); err != nil {
			return err
		}
		if there {
			return ErrLinked.With("number", number)
		}
		if confidential {
			number = "" // the history is read by more than those who see the other ticket
		}
		c.also(func(b *pgx.Batch) {
			b.Queue(`insert into ticket_links (from_id, to_id, kind, by_user_id, agency_id, at) values ($1, $2, $3, $4, $5, $6)`,
				ticket, other, string(kind), optional(a.DB.User()), optional(a.DB.Agency()), c.now)
		})
		c.add(Event{Type: "linked", Data: Fields{Reason: string(kind), Number: number}}, a)
		return nil
	})
	if uniqueViolation(err) {
		return ErrLinked.Wrap(err)
	}
	return err
}

func otherEnd(ctx context.Context, tx db.Tx, other uuid.UUID) (number string, confidential bool, err error) {
	err = tx.QueryRow(ctx, `select number, confidential from tickets where id = $1`, other).Scan(&number, &confidential)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", false, ErrBadField.On("other").With("field", "other")
	}
	return number, confidential, err
}

// Unlink unties two tickets, whichever end is named first. Parts stay what they are.
// Errors: ErrNotFound, ErrForbidden (not staff), ErrBadField.
func (s *Service) Unlink(ctx context.Context, a Actor, ticket, other uuid.UUID, kind LinkKind) error {
	if _, err := staffOf(a); err != nil {
		return err
	}
	if !slices.Contains(LinkKinds(), kind) {
		return ErrBadField.On("kind").With("field", "kind")
	}
	_, err := s.amend(ctx, a, ticket, "", "unlinked", Fields{}, func(ctx context.Context, tx db.Tx, c *change) error {
		number, confidential, err := otherEnd(ctx, tx, other)
		if err != nil {
			return err
		}
		if confidential {
			number = ""
		}
		c.also(func(b *pgx.Batch) {
			b.Queue(`delete from ticket_links where kind = $3 and (from_id = $1 and to_id = $2 or from_id = $2 and to_id = $1)`, ticket, other, string(kind))
		})
		c.add(Event{Type: "unlinked", Data: Fields{Reason: string(kind), Number: number}}, a)
		return nil
	})
	return err
}

// PartDraft is the piece of a case that is to be worked on separately.
type PartDraft struct {
	Title       string
	Description string
	Category    string    // "" lets routing find one
	Lead        uuid.UUID // where it goes; uuid.Nil leaves that to routing and the dispatcher
}

// MaySplit reports whether the actor may split a part off: the hotline and the lead agency, while the case is open.
func (s *Service) MaySplit(a Actor, t Ticket) bool {
	if a.Kind != KindStaff || !t.Open() {
		return false
	}
	return len(a.actsAs(t, Move{})) > 0
}

// Split opens a ticket for a part of a case. The part has an agency and clocks of its own, and nobody outside is told of it: its answer is shown at
// the whole, whose agency answers the citizen. It is as confidential as the whole.
// Errors: ErrNotFound, ErrForbidden (also: a lead given by somebody who may not dispatch), those of OpenTx and of Dispatch.
func (s *Service) Split(ctx context.Context, a Actor, whole uuid.UUID, d PartDraft) (Ticket, error) {
	var part Ticket
	err := db.WithTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		t, rows, _, err := s.lock(ctx, tx, whole, "")
		if err != nil {
			return err
		}
		if !s.MaySplit(a, t) {
			return ErrForbidden.With("action", "split").With("state", string(t.State))
		}
		// Named by somebody who dispatches; everybody else leaves it to routing and the desk.
		if d.Lead != uuid.Nil && (!a.DB.Desk() || !slices.Contains(a.Roles, Dispatcher)) {
			return ErrForbidden.With("action", string(Dispatch)).With("state", string(t.State))
		}
		if strings.TrimSpace(d.Description) == "" {
			return ErrMissing.On("description").With("field", "description")
		}
		conversation := db.NewID()
		b := &pgx.Batch{}
		b.Queue(elevateSQL)
		// A conversation without a contact: what the part's agency says stays among staff.
		b.Queue(`insert into conversations (id, channel, account, thread, lang, holder, confidential, created_at, updated_at) values ($1, 'internal', 'part', $2, $3, 'none', $4, $5, $5)`,
			conversation, conversation.String(), t.Lang, t.Confidential, s.clock.Now())
		if err := tx.SendBatch(ctx, b).Close(); err != nil {
			return err
		}
		part, err = s.OpenTx(ctx, tx, Draft{Kind: t.Kind, Category: d.Category, Title: d.Title, Description: d.Description, Place: t.Place, Lat: t.Lat, Lon: t.Lon, Lang: t.Lang,
			Urgency: t.Urgency, Channel: "internal", ConversationID: conversation, Confidential: t.Confidential, NeedsAcceptance: d.Lead != uuid.Nil,
			Author: string(KindStaff), UserID: a.DB.User(), AgencyID: a.DB.Agency()})
		if err != nil {
			return err
		}
		b = &pgx.Batch{}
		b.Queue(elevateSQL)
		b.Queue(`insert into ticket_links (from_id, to_id, kind, by_user_id, agency_id, at) values ($1, $2, 'part', $3, $4, $5)`, part.ID, whole, optional(a.DB.User()), optional(a.DB.Agency()), s.clock.Now())
		if err := tx.SendBatch(ctx, b).Close(); err != nil {
			return err
		}
		c := s.newChange(t, rows, s.clock.Now())
		c.add(Event{Type: "split", Data: Fields{Number: part.Number, Title: part.Title, Lead: d.Lead}}, a)
		if err := s.save(ctx, tx, c, "", Fields{}); err != nil {
			return err
		}
		if d.Lead == uuid.Nil {
			return nil
		}
		for _, step := range []struct {
			by Actor
			do Action
			f  Fields
		}{{System(), Accept, Fields{}}, {System(), QueueUp, Fields{}}, {a, Dispatch, Fields{Lead: d.Lead}}} {
			if part, err = s.ApplyTx(ctx, tx, step.by, part.ID, AnyVersion, step.do, step.f, ""); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Ticket{}, wrap("split", err)
	}
	return part, nil
}

// tellWhole writes the answer of a part, or its end without one, into the history of the whole, and tells whoever works on that.
func (s *Service) tellWhole(ctx context.Context, tx db.Tx, part *change) error {
	entry := ""
	switch t := part.t; {
	case len(part.events) == 0:
	case part.events[len(part.events)-1].Type == string(Reply), part.events[len(part.events)-1].Type == string(AnswerDirectly):
		entry = "part_answered"
	case !t.Open() && t.Reply == "":
		entry = "part_over"
	}
	if entry == "" {
		return nil
	}
	if _, err := tx.Exec(ctx, elevateSQL); err != nil {
		return err
	}
	rows, err := tx.Query(ctx, `select to_id from ticket_links where from_id = $1 and kind = 'part'`, part.t.ID)
	if err != nil {
		return err
	}
	wholes, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return err
	}
	for _, whole := range wholes {
		t, clocks, _, err := s.lock(ctx, tx, whole, "")
		if err != nil {
			return err
		}
		c := s.newChange(t, clocks, part.now)
		f := Fields{Number: part.t.Number, Outcome: part.t.Outcome, Lead: part.t.Lead}
		if !part.t.Confidential || t.Confidential {
			f.Text = part.t.Reply
		}
		c.add(Event{Type: entry, Data: f}, System())
		if t.Open() {
			if t.Lead != uuid.Nil {
				c.notices = append(c.notices, notice{agency: t.Lead, user: t.Assignee, role: Handler, kind: entry})
			} else {
				c.tell(s.router.Desk(), Dispatcher, entry)
			}
		}
		if err := s.save(ctx, tx, c, "", Fields{}); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, elevateSQL); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, restoreSQL)
	return err
}
