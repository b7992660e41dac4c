package tickets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"hotline/internal/db"
)

// SavedFilter is a view with facets under a name.
type SavedFilter struct {
	ID     uuid.UUID
	Name   string
	View   View
	Filter Filter
	Shared bool // with everybody of the agency; else it is the person's own
}

// maxSaved is how many filters a person, and how many an agency may have: they stand in the navigation with their counts.
const maxSaved = 12

// storedFilter is how a filter lies in the database; Filter itself has no tags so that its JSON can change with the code.
type storedFilter struct {
	Kind     string    `json:"kind,omitempty"`
	Category string    `json:"category,omitempty"`
	Urgency  string    `json:"urgency,omitempty"`
	State    State     `json:"state,omitempty"`
	Lead     uuid.UUID `json:"lead,omitzero"`
	Area     string    `json:"area,omitempty"`
	Tag      uuid.UUID `json:"tag,omitzero"`
	Lacking  bool      `json:"lacking,omitempty"`
	Light    string    `json:"light,omitempty"`
	Text     string    `json:"text,omitempty"`
	From     time.Time `json:"from,omitzero"`
	To       time.Time `json:"to,omitzero"`
}

// SavedFilters lists the filters of the person and of their agency, the shared ones first, each by name.
func (s *Service) SavedFilters(ctx context.Context, a Actor) ([]SavedFilter, error) {
	var out []SavedFilter
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, `select id, name, view, filter, user_id is null from saved_filters where agency_id = $1 and (user_id is null or user_id = $2)
			order by user_id is not null, lower(name), id limit $3`, a.DB.Agency(), a.DB.User(), 2*maxSaved)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (SavedFilter, error) {
			var f SavedFilter
			var data []byte
			if err := row.Scan(&f.ID, &f.Name, &f.View, &data, &f.Shared); err != nil {
				return f, err
			}
			var stored storedFilter
			err := json.Unmarshal(data, &stored)
			f.Filter = Filter(stored)
			return f, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list saved filters: %w", err)
	}
	return out, nil
}

// SaveFilter keeps a filter under a name. Shared ones are for supervisors and heads.
// Errors: ErrForbidden, ErrMissing and ErrTooLong (name), ErrUnknownView, ErrBadField, ErrTooManyFilters.
func (s *Service) SaveFilter(ctx context.Context, a Actor, f SavedFilter) (SavedFilter, error) {
	if a.Kind != KindStaff || a.DB.User() == uuid.Nil || f.Shared && !a.leads() {
		return SavedFilter{}, ErrForbidden.With("action", "save_filter")
	}
	var err error
	if f.Name, err = filterName(f.Name); err != nil {
		return SavedFilter{}, err
	}
	if !slices.Contains(Views(), f.View) {
		return SavedFilter{}, ErrUnknownView.With("view", string(f.View))
	}
	if err := CheckText("text", f.Filter.Text, 200); err != nil {
		return SavedFilter{}, err
	}
	data, err := json.Marshal(storedFilter(f.Filter))
	if err != nil {
		return SavedFilter{}, err
	}
	user := a.DB.User()
	owner := &user
	if f.Shared {
		owner = nil
	}
	f.ID = db.NewID()
	err = db.WithTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		var n int
		if err := tx.QueryRow(ctx, `select count(*) from saved_filters where agency_id = $1 and user_id is not distinct from $2`, a.DB.Agency(), owner).Scan(&n); err != nil {
			return err
		}
		if n >= maxSaved {
			return ErrTooManyFilters.With("limit", maxSaved)
		}
		_, err := tx.Exec(ctx, `insert into saved_filters (id, agency_id, user_id, name, view, filter, created_by, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
			f.ID, a.DB.Agency(), owner, f.Name, string(f.View), data, user, s.clock.Now())
		return err
	})
	if err != nil {
		return SavedFilter{}, wrap("save filter", err)
	}
	return f, nil
}

// filterName is a name as it is kept. Errors: ErrMissing, ErrTooLong, ErrBadField.
func filterName(name string) (string, error) {
	name = strings.Join(strings.Fields(name), " ")
	switch {
	case name == "":
		return "", ErrMissing.On("name").With("field", "name")
	case utf8.RuneCountInString(name) > 60:
		return "", ErrTooLong.On("name").With("limit", 60)
	}
	return name, CheckText("name", name, 60)
}

// RenameFilter gives a saved filter another name: one's own, or, for supervisors and heads, a shared one.
// Errors: ErrForbidden, ErrFilterNotFound, ErrMissing and ErrTooLong (name), ErrBadField.
func (s *Service) RenameFilter(ctx context.Context, a Actor, id uuid.UUID, name string) error {
	name, err := filterName(name)
	if err != nil {
		return err
	}
	return wrap("rename filter", s.keptFilter(ctx, a, id, `update saved_filters set name = $2 where id = $1`, name))
}

// DeleteFilter removes a saved filter: one's own, or, for supervisors and heads, a shared one.
// Errors: ErrForbidden, ErrFilterNotFound.
func (s *Service) DeleteFilter(ctx context.Context, a Actor, id uuid.UUID) error {
	return wrap("delete filter", s.keptFilter(ctx, a, id, `delete from saved_filters where id = $1`))
}

// keptFilter runs a statement on a filter that is the actor's to keep. Errors: ErrForbidden, ErrFilterNotFound.
func (s *Service) keptFilter(ctx context.Context, a Actor, id uuid.UUID, sql string, args ...any) error {
	return db.WithTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		var shared bool
		err := tx.QueryRow(ctx, `select user_id is null from saved_filters where id = $1 and agency_id = $2 and (user_id is null or user_id = $3)`, id, a.DB.Agency(), a.DB.User()).Scan(&shared)
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrFilterNotFound
		}
		if err == nil && shared && !a.leads() {
			return ErrForbidden.With("action", "save_filter")
		}
		if err == nil {
			_, err = tx.Exec(ctx, sql, append([]any{id}, args...)...)
		}
		return err
	})
}

// Count is how many tickets a filter finds, as far as that is cheap to know.
type Count struct {
	N    int
	More bool // at least N
}

// countDepth is how far into a view, or into what a facet matches, a saved filter is counted: milliseconds, whatever the filter.
const countDepth = 1000

// countSettings are listSettings for a count, which is read in the order of its view and never sorted.
const countSettings = listSettings + `, set_config('enable_sort', 'off', true)`

// FilterCounts counts what saved filters find, up to 100 each. Where a facet matches few tickets of the agency those are counted, all of them. Else the view is read, and of one that is
// longer than 1,000 tickets so far; the count then says that there may be more.
func (s *Service) FilterCounts(ctx context.Context, a Actor, filters []SavedFilter) (map[uuid.UUID]Count, error) {
	out := map[uuid.UUID]Count{}
	if len(filters) == 0 {
		return out, nil
	}
	if a.DB.Agency() == uuid.Nil {
		return nil, ErrForbidden.With("action", "list")
	}
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		ways, err := s.countWays(ctx, tx, a.DB.Agency(), filters)
		if err != nil {
			return err
		}
		b := &pgx.Batch{}
		b.Queue(countSettings)
		for i, f := range filters {
			sql, args, err := s.filterCountQuery(a, f, ways[i])
			if err != nil || sql == "" {
				continue // a view of an older version, or words that nothing can be found by: no number
			}
			b.Queue(sql, args...).QueryRow(func(row pgx.Row) error {
				var n int
				var further bool
				err := row.Scan(&n, &further)
				out[f.ID] = Count{N: min(n, 101), More: n > 100 || further}
				return err
			})
		}
		return tx.SendBatch(ctx, b).Close()
	})
	if err != nil {
		return nil, Narrow("count filters", err)
	}
	return out, nil
}

// countWays chooses for each filter the facet by which its tickets are counted, byView where none matches few.
func (s *Service) countWays(ctx context.Context, tx db.Tx, agency uuid.UUID, filters []SavedFilter) ([]facet, error) {
	ways := make([]facet, len(filters))
	b := &pgx.Batch{}
	b.Queue(`select set_config('statement_timeout', '2s', true)`)
	for i, f := range filters {
		if f.Filter.Text == "" && f.View != ViewLive && !f.View.marked() {
			s.askFew(b, agency, f.Filter, countDepth, func(one facet) {
				if ways[i] == byView {
					ways[i] = one
				}
			})
		}
	}
	return ways, tx.SendBatch(ctx, b).Close()
}

func (s *Service) filterCountQuery(a Actor, f SavedFilter, narrow facet) (string, []any, error) {
	var args []any
	arg := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	}
	mine := s.mine(a.DB.Agency(), f.View, f.Filter, arg)
	where, by, err := condition(f.View, s.clock.Now(), a.DB.User(), arg)
	if err != nil {
		return "", nil, err
	}
	facets := "true" + f.Filter.without(narrow).conditions(f.View, arg, s.router) + f.Filter.light(s.clock.Now(), arg)
	switch {
	case f.Filter.Text != "":
		found := s.found(f.Filter.Text, 101, arg)
		if found == "" {
			return "", nil, nil
		}
		return fmt.Sprintf(`with found as materialized (%s) select count(*), false from found f%s%s where %s and %s`, found, looked("f", mine), by.also(), where, facets), args, nil
	case narrow != byView:
		return fmt.Sprintf(`select count(*), false from (select from %s where %s and %s limit 101) few`, f.Filter.fence(narrow, mine, f.View, arg, s.router), where, facets), args, nil
	}
	// The count ends with the 101st hit, or at the depth, whose row is kept to say so.
	return fmt.Sprintf(`select count(*) filter (where hit), coalesce(bool_or(nth = %[1]d), false) from (
		select hit, nth from (select hit, row_number() over () as nth from (select %[2]s as hit from %[3]s where %[4]s and %[5]s order by %[6]s limit %[1]d) a) seen
		where hit or nth = %[1]d limit 101) few`, countDepth, facets, by.table(mine), mine, where, by.sorted()), args, nil
}

// uniqueViolation reports whether a row with the same key is there already.
func uniqueViolation(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23505"
}
