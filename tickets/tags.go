package tickets

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/text/unicode/norm"

	"hotline/internal/db"
)

// Tag is a word of an agency for its tickets. Other agencies see neither the words nor where they stand.
type Tag struct {
	ID   uuid.UUID
	Name string
}

// maxTag is the length of a tag in characters, maxTags how many one ticket can have from one agency.
const (
	maxTag  = 40
	maxTags = 20
)

// tagName brings what was typed into the form it is kept in, and the key by which two are the same: 「 噪音 」 is 噪音, "Noise" is "noise".
func tagName(typed string) (name, key string, err error) {
	name = strings.Join(strings.Fields(norm.NFKC.String(strings.ToValidUTF8(typed, ""))), " ")
	name = strings.TrimLeft(name, "#")
	switch {
	case name == "":
		return "", "", ErrMissing.On("tag").With("field", "tag")
	case utf8.RuneCountInString(name) > maxTag:
		return "", "", ErrTooLong.On("tag").With("limit", maxTag)
	case strings.ContainsFunc(name, func(r rune) bool { return r == ',' || r == '，' || unicode.IsControl(r) }):
		return "", "", ErrBadField.On("tag").With("field", "tag")
	}
	return name, strings.ToLower(name), nil
}

// staffOf is the agency of a person or key that works on tickets.
func staffOf(a Actor) (uuid.UUID, error) {
	if a.Kind != KindStaff || a.DB.Agency() == uuid.Nil {
		return uuid.Nil, ErrForbidden.With("action", "tag")
	}
	return a.DB.Agency(), nil
}

// leads reports whether the actor keeps order in the agency's vocabulary, shared filters and texts: a supervisor of the hotline, the head of an agency.
func (a Actor) leads() bool {
	if a.Kind != KindStaff {
		return false
	}
	for _, r := range a.Roles {
		if r == Head || r == Supervisor {
			return true
		}
	}
	return false
}

// Leads is for the buttons of the console: see leads.
func (a Actor) Leads() bool { return a.leads() }

// Tags lists the agency's vocabulary by name.
func (s *Service) Tags(ctx context.Context, a Actor) ([]Tag, error) {
	var out []Tag
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, `select id, name from tags where agency_id = $1 and merged_id is null order by key limit 1000`, a.DB.Agency())
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Tag])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list tags: %w", err)
	}
	return out, nil
}

// TagsOf lists the tags that the actor's agency put on tickets, by ticket.
func (s *Service) TagsOf(ctx context.Context, a Actor, tickets ...uuid.UUID) (map[uuid.UUID][]Tag, error) {
	out := map[uuid.UUID][]Tag{}
	if len(tickets) == 0 {
		return out, nil
	}
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, `select x.ticket_id, g.id, g.name from ticket_tags x join tags g on g.id = x.tag_id
			where x.ticket_id = any($1) and x.agency_id = $2 order by x.ticket_id, g.key`, tickets, a.DB.Agency())
		if err != nil {
			return err
		}
		var id uuid.UUID
		var g Tag
		_, err = pgx.ForEachRow(rows, []any{&id, &g.ID, &g.Name}, func() error { out[id] = append(out[id], g); return nil })
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("tags of tickets: %w", err)
	}
	return out, nil
}

// TagUses counts the tickets of each tag of the agency, up to 100: show 101 as "100+". For those who keep order in the vocabulary.
// Errors: ErrForbidden.
func (s *Service) TagUses(ctx context.Context, a Actor) (map[uuid.UUID]int, error) {
	if !a.leads() {
		return nil, ErrForbidden.With("action", "tag")
	}
	out := map[uuid.UUID]int{}
	// As the system: the agency's own words are counted wherever they stand, also on tickets that have gone elsewhere since.
	err := db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		rows, err := tx.Query(ctx, `select g.id, n.n from tags g cross join lateral (select count(*) as n from (select from ticket_tags x where x.tag_id = g.id limit 101) few) n
			where g.agency_id = $1 and g.merged_id is null order by g.key limit 1000`, a.DB.Agency())
		if err != nil {
			return err
		}
		var id uuid.UUID
		var n int
		_, err = pgx.ForEachRow(rows, []any{&id, &n}, func() error { out[id] = n; return nil })
		return err
	})
	return out, wrap("count tags", err)
}

// sees is the check before something is hung on a ticket: the row is not locked, since nothing of it changes.
func sees(ctx context.Context, tx db.Tx, ticket uuid.UUID) error {
	var ok bool
	if err := tx.QueryRow(ctx, `select exists (select from tickets where id = $1)`, ticket).Scan(&ok); err != nil {
		return err
	}
	if !ok {
		return ErrNotFound
	}
	return nil
}

// AddTag puts a tag on a ticket; a word that is new becomes part of the vocabulary. It does not touch the ticket, so two people who tag the same
// ticket at once both succeed. added is false when the tag was there already.
// Errors: ErrNotFound, ErrForbidden (not staff), ErrMissing, ErrTooLong, ErrBadField, ErrTooManyTags.
func (s *Service) AddTag(ctx context.Context, a Actor, ticket uuid.UUID, typed string) (tag Tag, added bool, err error) {
	agency, err := staffOf(a)
	if err != nil {
		return Tag{}, false, err
	}
	name, key, err := tagName(typed)
	if err != nil {
		return Tag{}, false, err
	}
	err = db.WithTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		if err := sees(ctx, tx, ticket); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `insert into tags (id, agency_id, name, key, created_by, created_at) values ($1, $2, $3, $4, $5, $6) on conflict (agency_id, key) do nothing`,
			db.NewID(), agency, name, key, optional(a.DB.User()), s.clock.Now()); err != nil {
			return err
		}
		// Locked, so that a merge of this tag comes before or after: never in between. A merged word leads to the one it became.
		row := tx.QueryRow(ctx, `select g.id, g.name, g.merged_id from tags g where g.agency_id = $1 and g.key = $2 for share`, agency, key)
		var merged *uuid.UUID
		if err := row.Scan(&tag.ID, &tag.Name, &merged); err != nil {
			return err
		}
		for range 10 { // a chain of merges is as long as the patience of those who rename
			if merged == nil {
				break
			}
			if err := tx.QueryRow(ctx, `select id, name, merged_id from tags where id = $1 for share`, *merged).Scan(&tag.ID, &tag.Name, &merged); err != nil {
				return err
			}
		}
		var n int
		if err := tx.QueryRow(ctx, `select count(*) from ticket_tags where ticket_id = $1 and agency_id = $2 and tag_id <> $3`, ticket, agency, tag.ID).Scan(&n); err != nil {
			return err
		}
		if n >= maxTags {
			return ErrTooManyTags.With("limit", maxTags)
		}
		done, err := tx.Exec(ctx, `insert into ticket_tags (ticket_id, tag_id, agency_id, by_user_id, at) values ($1, $2, $3, $4, $5) on conflict do nothing`,
			ticket, tag.ID, agency, optional(a.DB.User()), s.clock.Now())
		added = err == nil && done.RowsAffected() == 1
		return err
	})
	if err != nil {
		return Tag{}, false, wrap("tag", err)
	}
	return tag, added, nil
}

// RemoveTag takes a tag off a ticket. removed is false when it was not there.
// Errors: ErrNotFound, ErrForbidden (not staff).
func (s *Service) RemoveTag(ctx context.Context, a Actor, ticket, tag uuid.UUID) (removed bool, err error) {
	agency, err := staffOf(a)
	if err != nil {
		return false, err
	}
	err = db.WithTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		if err := sees(ctx, tx, ticket); err != nil {
			return err
		}
		done, err := tx.Exec(ctx, `delete from ticket_tags where ticket_id = $1 and tag_id = $2 and agency_id = $3`, ticket, tag, agency)
		removed = err == nil && done.RowsAffected() == 1
		return err
	})
	return removed, wrap("untag", err)
}

// RenameTag gives a tag of the agency another name. A name that another tag has is refused: merge the two.
// Errors: ErrForbidden, ErrTagNotFound, ErrTagExists, ErrMissing, ErrTooLong, ErrBadField.
func (s *Service) RenameTag(ctx context.Context, a Actor, tag uuid.UUID, typed string) error {
	if !a.leads() {
		return ErrForbidden.With("action", "tag")
	}
	name, key, err := tagName(typed)
	if err != nil {
		return err
	}
	err = db.WithTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		done, err := tx.Exec(ctx, `update tags set name = $3, key = $4 where id = $1 and agency_id = $2 and merged_id is null`, tag, a.DB.Agency(), name, key)
		if uniqueViolation(err) {
			return ErrTagExists.With("tag", name)
		}
		if err == nil && done.RowsAffected() == 0 {
			return ErrTagNotFound
		}
		return err
	})
	return wrap("rename tag", err)
}

// MergeTag makes one tag of two: every ticket with from gets into, and who types the old word from now on gets the other.
// Errors: ErrForbidden, ErrTagNotFound.
func (s *Service) MergeTag(ctx context.Context, a Actor, from, into uuid.UUID) error {
	if !a.leads() {
		return ErrForbidden.With("action", "tag")
	}
	if from == into {
		return ErrTagNotFound
	}
	err := db.WithTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		// In the order of their ids, so that two merges the opposite way do not wait for each other.
		rows, err := tx.Query(ctx, `select id from tags where id = any($1) and agency_id = $2 and merged_id is null order by id for update`, []uuid.UUID{from, into}, a.DB.Agency())
		if err != nil {
			return err
		}
		if both, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID]); err != nil || len(both) != 2 {
			return errors.Join(err, ErrTagNotFound)
		}
		// Elevated: the agency's tags on tickets that it does not see any more, or this person never did, are merged too.
		b := &pgx.Batch{}
		b.Queue(elevateSQL)
		b.Queue(`insert into ticket_tags (ticket_id, tag_id, agency_id, by_user_id, at) select ticket_id, $2, agency_id, by_user_id, at from ticket_tags where tag_id = $1 on conflict do nothing`, from, into)
		b.Queue(`delete from ticket_tags where tag_id = $1`, from)
		b.Queue(`update tags set merged_id = $2 where id = $1`, from, into)
		b.Queue(`update saved_filters set filter = jsonb_set(filter, '{tag}', to_jsonb($2::text)) where agency_id = $3 and filter->>'tag' = $1`, from.String(), into.String(), a.DB.Agency())
		b.Queue(restoreSQL)
		return tx.SendBatch(ctx, b).Close()
	})
	return wrap("merge tags", err)
}
