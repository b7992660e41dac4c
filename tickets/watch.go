package tickets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// markedSQL are the columns that lists of marked tickets are filtered by, as ticket_access has them.
const markedSQL = `kind, category, urgency, state, area, lead_id, opened_at`

// tellWatchersSQL moves a ticket to the top of its watchers' lists, keeps what those and the lists of mentions are filtered by, and tells the watchers, except the one who acted, and
// whoever may not see it any more.
const tellWatchersSQL = `
with w as (update ticket_watchers set changed_at = $2, category = nullif($5::text, ''), urgency = $6, state = $7, area = nullif($8::text, ''), lead_id = $9 where ticket_id = $1 returning user_id, agency_id),
m as (update ticket_mentions set category = nullif($5::text, ''), urgency = $6, state = $7, area = nullif($8::text, ''), lead_id = $9
	where ticket_id = $1 and (category, urgency, state, area, lead_id) is distinct from (nullif($5::text, ''), $6, $7, nullif($8::text, ''), $9))
insert into notifications (id, agency_id, user_id, role, ticket_id, type, data, created_at)
select gen_random_uuid(), w.agency_id, w.user_id, '', $1, 'watched', jsonb_build_object('entry', $3::text), $2
from w join users u on u.id = w.user_id and u.active and u.agency_id = w.agency_id
join ticket_access a on a.agency_id = w.agency_id and a.ticket_id = $1 and (not a.confidential or u.cleared)
where w.user_id is distinct from $4`

// tellWatchers queues the notices of the newest entry: public ones and those for staff alike.
func (c *change) tellWatchers(b *pgx.Batch) {
	if len(c.events) == 0 {
		return
	}
	e, t := c.events[len(c.events)-1], c.t
	b.Queue(tellWatchersSQL, t.ID, c.now, e.Type, optional(e.UserID), t.Category, t.Urgency, string(t.State), t.Area, optional(t.Lead))
}

// Person is a member of staff as others see them.
type Person struct {
	ID     uuid.UUID
	Name   string
	Names  map[string]string // the name in other languages
	Agency uuid.UUID
}

// NameIn is the name in a language.
func (p Person) NameIn(lang string) string {
	if name := p.Names[lang]; name != "" {
		return name
	}
	return p.Name
}

// byEveryName lists people once for each of their names, the longest name first; the order of people is otherwise kept.
func byEveryName(people []Person) []Person {
	var out []Person
	for _, p := range people {
		out = append(out, p)
		for _, name := range p.Names {
			if name != p.Name && name != "" {
				other := p
				other.Name = name
				out = append(out, other)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Person) int {
		return cmp.Or(cmp.Compare(utf8.RuneCountInString(b.Name), utf8.RuneCountInString(a.Name)), strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)))
	})
	return out
}

// peopleSQL finds who may see a ticket: whoever works on tickets in an agency with an access row, for confidential ones only those cleared.
const peopleSQL = `
select u.id, u.name, u.names, u.agency_id from users u
join ticket_access a on a.agency_id = u.agency_id and a.ticket_id = $1 and (not a.confidential or u.cleared)
where u.active and u.roles && '{operator,dispatcher,supervisor,handler,head}'`

// People lists whom a name, or the beginning of a word of it, may mean among those who may see the ticket: colleagues of the actor first.
// Errors: ErrNotFound, ErrForbidden (not staff).
func (s *Service) People(ctx context.Context, a Actor, ticket uuid.UUID, name string, limit int) ([]Person, error) {
	if _, err := staffOf(a); err != nil {
		return nil, err
	}
	var out []Person
	err := s.elevated(ctx, a, ticket, func(tx db.Tx) error {
		pattern := likePrefix(strings.ToLower(strings.TrimSpace(name))) + "%"
		rows, err := tx.Query(ctx, peopleSQL+` and (lower(u.name) like $2 or lower(u.name) like '% ' || $2 or exists (select from jsonb_each_text(u.names) n where lower(n.value) like $2 or lower(n.value) like '% ' || $2)) order by u.agency_id <> $3, lower(u.name), u.id limit $4`,
			ticket, pattern, a.DB.Agency(), max(1, min(limit, 50)))
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Person])
		return err
	})
	return out, wrap("people of", err)
}

// elevated runs fn as the system after the actor has shown that they see the ticket. It locks nothing of it.
// Errors: ErrNotFound, and those of fn.
func (s *Service) elevated(ctx context.Context, a Actor, ticket uuid.UUID, fn func(tx db.Tx) error) error {
	return db.WithTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		if err := sees(ctx, tx, ticket); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, elevateSQL); err != nil {
			return err
		}
		if err := fn(tx); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, restoreSQL)
		return err
	})
}

// Watch puts somebody on the list of those who hear of every entry: oneself, or anybody else who may see the ticket, who is told so. added is
// false when they watched already.
// Errors: ErrNotFound, ErrForbidden (not staff), ErrUnknownUser (or one who may not see the ticket).
func (s *Service) Watch(ctx context.Context, a Actor, ticket, user uuid.UUID) (added bool, err error) {
	if _, err := staffOf(a); err != nil {
		return false, err
	}
	now := s.clock.Now()
	err = s.elevated(ctx, a, ticket, func(tx db.Tx) error {
		var p Person
		err := tx.QueryRow(ctx, peopleSQL+` and u.id = $2`, ticket, user).Scan(&p.ID, &p.Name, &p.Names, &p.Agency)
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrUnknownUser
		}
		if err != nil {
			return err
		}
		// What the list is filtered by is copied from the ticket, so a move of it comes before or after, never in between.
		done, err := tx.Exec(ctx, `insert into ticket_watchers (ticket_id, user_id, agency_id, by_user_id, since, changed_at, `+markedSQL+`)
			select $1, $2, $3, $4, $5, updated_at, `+markedSQL+` from tickets where id = $1 for share on conflict do nothing`, ticket, p.ID, p.Agency, optional(a.DB.User()), now)
		if err != nil {
			return err
		}
		if added = done.RowsAffected() == 1; !added || p.ID == a.DB.User() {
			return nil
		}
		b := &pgx.Batch{}
		queueNotices(b, now, ticket, []notice{{agency: p.Agency, user: p.ID, kind: "watching"}})
		return tx.SendBatch(ctx, b).Close()
	})
	return added, wrap("watch", err)
}

// Unwatch takes somebody off the list: oneself, whom one put there, or, for supervisors and heads, anybody of the own agency.
// Errors: ErrNotFound, ErrForbidden.
func (s *Service) Unwatch(ctx context.Context, a Actor, ticket, user uuid.UUID) (removed bool, err error) {
	agency, err := staffOf(a)
	if err != nil {
		return false, err
	}
	err = s.elevated(ctx, a, ticket, func(tx db.Tx) error {
		var of uuid.UUID
		var by *uuid.UUID
		err := tx.QueryRow(ctx, `select agency_id, by_user_id from ticket_watchers where ticket_id = $1 and user_id = $2 for update`, ticket, user).Scan(&of, &by)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		me := a.DB.User()
		if user != me && id(by) != me && (!a.leads() || of != agency) {
			return ErrForbidden.With("action", "unwatch")
		}
		done, err := tx.Exec(ctx, `delete from ticket_watchers where ticket_id = $1 and user_id = $2`, ticket, user)
		removed = err == nil && done.RowsAffected() == 1
		return err
	})
	return removed, wrap("unwatch", err)
}

// Watchers lists who watches a ticket.
func (s *Service) Watchers(ctx context.Context, a Actor, ticket uuid.UUID) ([]Person, error) {
	var out []Person
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, `select u.id, u.name, u.names, w.agency_id from ticket_watchers w join users u on u.id = w.user_id where w.ticket_id = $1 order by lower(u.name), u.id limit 100`, ticket)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Person])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list watchers: %w", err)
	}
	return out, nil
}

// maxMentions in one note: more is a mailing, not a mention.
const maxMentions = 20

// mentioned finds whom a note calls by name. It runs elevated for a moment: the access rows of other agencies are none of the writer's.
func mentioned(ctx context.Context, tx db.Tx, a Actor, ticket uuid.UUID, text string) ([]Person, error) {
	if !strings.ContainsAny(text, "@＠") {
		return nil, nil
	}
	text = strings.ReplaceAll(text, "＠", "@")
	var near []Person
	b := &pgx.Batch{}
	b.Queue(elevateSQL)
	b.Queue(peopleSQL+` and u.id is distinct from $3 and (strpos(lower($2), '@' || lower(u.name)) > 0 or exists (select from jsonb_each_text(u.names) n where strpos(lower($2), '@' || lower(n.value)) > 0))
		order by u.agency_id <> $4, u.id limit 200`,
		ticket, text, optional(a.DB.User()), a.DB.Agency()).Query(func(rows pgx.Rows) error {
		var err error
		near, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Person])
		return err
	})
	b.Queue(restoreSQL)
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return nil, err
	}
	return called(text, byEveryName(near), a.DB.Agency()), nil
}

// called picks those whose whole name stands behind an @. The longer name wins where one is the beginning of another; of two people with one name
// the own agency's is meant.
func called(text string, near []Person, own uuid.UUID) []Person {
	rest := strings.ToLower(text)
	var out []Person
	for i := 0; i < len(near); {
		name := "@" + strings.ToLower(near[i].Name)
		same := near[i : i+1]
		for j := i + 1; j < len(near) && strings.EqualFold(near[j].Name, near[i].Name); j++ {
			same = near[i : j+1]
		}
		i += len(same)
		found := false
		for at := 0; ; {
			k := strings.Index(rest[at:], name)
			if k < 0 {
				break
			}
			k += at
			end := k + len(name)
			next, _ := utf8.DecodeRuneInString(rest[end:])
			last, _ := utf8.DecodeLastRuneInString(rest[:end])
			at = end
			// A Latin name ends where its word ends; a Chinese one is followed by more characters as a rule.
			if unicode.Is(unicode.Latin, last) && (unicode.Is(unicode.Latin, next) || unicode.IsDigit(next)) {
				continue
			}
			found = true
			rest = rest[:k] + strings.Repeat(" ", len(name)) + rest[end:]
		}
		if !found {
			continue
		}
		if k := slices.IndexFunc(same, func(p Person) bool { return p.Agency == own }); k >= 0 {
			same = same[k : k+1]
		}
		for _, p := range same {
			if !slices.ContainsFunc(out, func(o Person) bool { return o.ID == p.ID }) {
				out = append(out, p)
			}
		}
	}
	return out[:min(len(out), maxMentions)]
}

// mention queues the rows and the notices of those who were called by name.
func (c *change) mention(a Actor, people []Person) {
	if len(people) == 0 {
		return
	}
	ids, agencies := make([]uuid.UUID, len(people)), make([]uuid.UUID, len(people))
	for i, p := range people {
		ids[i], agencies[i] = p.ID, p.Agency
		c.notices = append(c.notices, notice{agency: p.Agency, user: p.ID, kind: "mentioned"})
	}
	seq := c.t.events
	c.also(func(b *pgx.Batch) {
		b.Queue(`insert into ticket_mentions (ticket_id, user_id, agency_id, by_user_id, event_seq, mentioned_at, `+markedSQL+`)
			select $1, u.person, u.agency, $4, $5, $6, `+markedSQL+` from tickets t cross join unnest($2::uuid[], $3::uuid[]) u (person, agency) where t.id = $1
			on conflict (ticket_id, user_id) do update set agency_id = excluded.agency_id, by_user_id = excluded.by_user_id, event_seq = excluded.event_seq, mentioned_at = excluded.mentioned_at, seen_at = null`,
			c.t.ID, ids, agencies, optional(a.DB.User()), seq, c.now)
	})
}

// SeeMentions notes that the person has looked at a ticket in which they were called by name.
func (s *Service) SeeMentions(ctx context.Context, a Actor, ticket uuid.UUID) error {
	if a.DB.User() == uuid.Nil {
		return nil
	}
	// As the system, for the person's own rows alone.
	err := db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		_, err := tx.Exec(ctx, `update ticket_mentions set seen_at = $3 where ticket_id = $1 and user_id = $2 and seen_at is null`, ticket, a.DB.User(), s.clock.Now())
		return err
	})
	return wrap("see mentions", err)
}
