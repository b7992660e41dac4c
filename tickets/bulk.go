package tickets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/internal/errs"
)

// BulkDo says what is done to many tickets at once.
type BulkDo string

// The deeds. Those that reach no citizen and can be taken back are undoable.
const (
	BulkAssign  BulkDo = "assign"
	BulkTag     BulkDo = "tag"
	BulkUntag   BulkDo = "untag"
	BulkWatch   BulkDo = "watch"
	BulkUnwatch BulkDo = "unwatch"
	BulkNote    BulkDo = "note"
	BulkMove    BulkDo = "move"
	BulkUndo    BulkDo = "undo" // of another job
)

// BulkDeed is one deed with what it needs.
type BulkDeed struct {
	Do     BulkDo    `json:"do"`
	To     uuid.UUID `json:"to,omitzero"`
	Tag    string    `json:"tag,omitempty"`
	TagID  uuid.UUID `json:"tag_id,omitzero"`
	Text   string    `json:"text,omitempty"`
	Move   Action    `json:"move,omitempty"`
	Fields Fields    `json:"fields,omitzero"`
}

// Undoable reports whether the deed can be taken back: nothing of it reached a citizen.
func (d BulkDeed) Undoable() bool {
	return slices.Contains([]BulkDo{BulkAssign, BulkTag, BulkUntag, BulkWatch, BulkUnwatch}, d.Do)
}

// MaxBulk is how many tickets one job takes; BulkAtOnce how many are done while the person waits.
const (
	MaxBulk    = 2000
	BulkAtOnce = 100
	bulkLease  = time.Minute
	bulkBatch  = 10
)

// BulkResult is what came of one ticket. An empty Code is success; Changed is false where there was nothing to do.
type BulkResult struct {
	Ticket  uuid.UUID      `json:"t"`
	Number  string         `json:"n,omitempty"`
	Code    string         `json:"c,omitempty"` // of the error, with its Args and Field
	Words   string         `json:"w,omitempty"`
	Kind    errs.Kind      `json:"k,omitempty"`
	Field   string         `json:"f,omitempty"`
	Args    map[string]any `json:"a,omitempty"`
	Changed bool           `json:"d,omitempty"`
	Was     uuid.UUID      `json:"was,omitzero"` // the assignee before
	TagID   uuid.UUID      `json:"tag,omitzero"`
}

// Err is the result's error again, nil on success.
func (r BulkResult) Err() error {
	if r.Code == "" {
		return nil
	}
	e := errs.New(r.Kind, r.Code, r.Words)
	if r.Field != "" {
		e = e.On(r.Field)
	}
	for k, v := range r.Args {
		e = e.With(k, v)
	}
	return e
}

// BulkJob is a deed on many tickets, as far as it has got.
type BulkJob struct {
	ID         uuid.UUID
	User       uuid.UUID
	Deed       BulkDeed
	Tickets    []uuid.UUID
	Results    []BulkResult
	Undoes     *uuid.UUID
	Undone     *uuid.UUID // the job that took it back
	CreatedAt  time.Time
	FinishedAt *time.Time
}

// Done reports whether every ticket has had its turn.
func (j BulkJob) Done() bool { return j.FinishedAt != nil }

const bulkColumns = `j.id, j.user_id, j.deed, j.tickets, j.results, j.undoes, (select u.id from bulk_jobs u where u.undoes = j.id), j.created_at, j.finished_at`

func scanBulk(row pgx.Row) (BulkJob, error) {
	var j BulkJob
	var deed, results []byte
	if err := row.Scan(&j.ID, &j.User, &deed, &j.Tickets, &results, &j.Undoes, &j.Undone, &j.CreatedAt, &j.FinishedAt); err != nil {
		return j, err
	}
	return j, errors.Join(json.Unmarshal(deed, &j.Deed), json.Unmarshal(results, &j.Results))
}

// StartBulk keeps a job; RunBulk does it.
// Errors: ErrForbidden (no person), ErrMissing (no ticket), ErrTooMany, and what is wrong with the deed: ErrMissing, ErrBadField, ErrTooLong, ErrNoMove.
func (s *Service) StartBulk(ctx context.Context, a Actor, deed BulkDeed, tickets []uuid.UUID) (BulkJob, error) {
	if a.Kind != KindStaff || a.DB.User() == uuid.Nil {
		return BulkJob{}, ErrForbidden.With("action", "bulk")
	}
	seen := map[uuid.UUID]bool{}
	tickets = slices.DeleteFunc(slices.Clone(tickets), func(id uuid.UUID) bool { was := seen[id]; seen[id] = true; return was || id == uuid.Nil })
	switch {
	case len(tickets) == 0:
		return BulkJob{}, ErrMissing.On("tickets").With("field", "tickets")
	case len(tickets) > MaxBulk:
		return BulkJob{}, ErrTooMany.With("limit", MaxBulk)
	}
	if err := deed.check(); err != nil {
		return BulkJob{}, err
	}
	return s.insertBulk(ctx, a, BulkJob{Deed: deed, Tickets: tickets})
}

func (d *BulkDeed) check() error {
	switch d.Do {
	case BulkAssign, BulkWatch, BulkUnwatch:
		return nil
	case BulkTag:
		name, _, err := tagName(d.Tag)
		d.Tag = name
		return err
	case BulkUntag:
		if d.TagID == uuid.Nil {
			return ErrMissing.On("tag").With("field", "tag")
		}
		return nil
	case BulkNote:
		if d.Text == "" {
			return ErrMissing.On("text").With("field", "text")
		}
		return CheckText(FText, d.Text, MaxText)
	case BulkMove:
		if d.Move == "" {
			return ErrMissing.On("move").With("field", "move")
		}
		d.Fields = d.Fields.input()
		if d.Fields.Uploads != nil || d.Fields.Parent != uuid.Nil {
			return ErrBadField.On("move").With("field", "move")
		}
		return checkDeed(d.Move, d.Fields)
	}
	return ErrBadField.On("do").With("field", "do")
}

func (s *Service) insertBulk(ctx context.Context, a Actor, j BulkJob) (BulkJob, error) {
	deed, err := json.Marshal(j.Deed)
	if err != nil {
		return BulkJob{}, err
	}
	j.ID, j.User, j.CreatedAt = db.NewID(), a.DB.User(), s.clock.Now()
	err = db.WithTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, `insert into bulk_jobs (id, agency_id, user_id, deed, tickets, undoes, created_at, claimed_until) values ($1, $2, $3, $4, $5, $6, $7, $7)`,
			j.ID, a.DB.Agency(), j.User, deed, j.Tickets, j.Undoes, j.CreatedAt)
		return err
	})
	if uniqueViolation(err) {
		return BulkJob{}, ErrUndone
	}
	return j, wrap("start bulk on", err)
}

// UndoBulk keeps a job that takes a finished one back, on the tickets where it changed something.
// Errors: ErrBulkNotFound, ErrNotUndoable, ErrUndone.
func (s *Service) UndoBulk(ctx context.Context, a Actor, id uuid.UUID) (BulkJob, error) {
	j, err := s.Bulk(ctx, a, id)
	if err != nil {
		return BulkJob{}, err
	}
	if !j.Deed.Undoable() || !j.Done() {
		return BulkJob{}, ErrNotUndoable
	}
	next := BulkJob{Deed: BulkDeed{Do: BulkUndo}, Undoes: &j.ID}
	for _, r := range j.Results {
		if r.Changed {
			next.Tickets = append(next.Tickets, r.Ticket)
		}
	}
	if len(next.Tickets) == 0 {
		return BulkJob{}, ErrNotUndoable
	}
	return s.insertBulk(ctx, a, next)
}

// Bulk returns a job of the actor.
// Errors: ErrBulkNotFound.
func (s *Service) Bulk(ctx context.Context, a Actor, id uuid.UUID) (BulkJob, error) {
	var j BulkJob
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		var err error
		j, err = scanBulk(tx.QueryRow(ctx, `select `+bulkColumns+` from bulk_jobs j where j.id = $1 and j.user_id = $2`, id, a.DB.User()))
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return BulkJob{}, ErrBulkNotFound
	}
	return j, wrap("read bulk of", err)
}

// BulkWaiting lists jobs that nobody works on: their node died, or was stopped.
func (s *Service) BulkWaiting(ctx context.Context) (map[uuid.UUID]uuid.UUID, error) {
	out := map[uuid.UUID]uuid.UUID{}
	err := db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		rows, err := tx.Query(ctx, `select id, user_id from bulk_jobs where finished_at is null and claimed_until < $1 order by claimed_until limit 20`, s.clock.Now())
		if err != nil {
			return err
		}
		var id, user uuid.UUID
		_, err = pgx.ForEachRow(rows, []any{&id, &user}, func() error { out[id] = user; return nil })
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("bulk waiting: %w", err)
	}
	return out, nil
}

// DropBulk ends a waiting job without doing the rest of it: its person has left, or works for another agency now. Left waiting, it would stand in front of
// those of others.
func (s *Service) DropBulk(ctx context.Context, id uuid.UUID) error {
	err := db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		_, err := tx.Exec(ctx, `update bulk_jobs set finished_at = $2 where id = $1 and finished_at is null and claimed_until < $2`, id, s.clock.Now())
		return err
	})
	return wrap("drop bulk on", err)
}

// RunBulk does a job, or what is left of it, and returns it as it is then. Each ticket is judged on its own, under the actor's own eyes; told hears of
// each that changed. A job that somebody else works on is returned as it is. A cancelled context leaves the rest for later.
// Errors: ErrBulkNotFound.
func (s *Service) RunBulk(ctx context.Context, a Actor, id uuid.UUID, told func(Ticket)) (BulkJob, error) {
	claimed := false
	if err := db.WithTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		done, err := tx.Exec(ctx, `update bulk_jobs set claimed_until = $3 where id = $1 and user_id = $2 and finished_at is null and claimed_until <= $4`,
			id, a.DB.User(), s.clock.Now().Add(bulkLease), s.clock.Now())
		claimed = err == nil && done.RowsAffected() == 1
		return err
	}); err != nil {
		return BulkJob{}, wrap("claim bulk of", err)
	}
	j, err := s.Bulk(ctx, a, id)
	if err != nil || !claimed {
		return j, err
	}
	before := map[uuid.UUID]BulkResult{}
	deed := j.Deed
	if j.Undoes != nil {
		first, err := s.Bulk(ctx, a, *j.Undoes)
		if err != nil {
			return j, err
		}
		deed = first.Deed
		for _, r := range first.Results {
			before[r.Ticket] = r
		}
	}
	for len(j.Results) < len(j.Tickets) && ctx.Err() == nil {
		var batch []BulkResult
		for _, ticket := range j.Tickets[len(j.Results):min(len(j.Tickets), len(j.Results)+bulkBatch)] {
			var r BulkResult
			var err error
			if j.Undoes != nil {
				r, err = s.undoOne(ctx, a, j.ID, deed, before[ticket])
			} else {
				r, err = s.bulkOne(ctx, a, j.ID, deed, ticket)
			}
			r.Ticket = ticket
			if err != nil {
				var known *errs.Error
				if !errors.As(err, &known) {
					return j, fmt.Errorf("bulk: %w", err) // the lease runs out, and the job goes on from here
				}
				r.Code, r.Words, r.Kind, r.Field, r.Args = known.Code, known.Message, known.Kind, known.Field, known.Args
			}
			if t, err := s.ByID(ctx, a, ticket); err == nil {
				r.Number = t.Number
				if r.Changed && told != nil {
					told(t)
				}
			}
			batch = append(batch, r)
		}
		data, err := json.Marshal(batch)
		if err != nil {
			return j, err
		}
		had := len(j.Results)
		j.Results = append(j.Results, batch...)
		if len(j.Results) == len(j.Tickets) {
			now := s.clock.Now()
			j.FinishedAt = &now
		}
		lost := false
		if err := db.WithTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
			done, err := tx.Exec(ctx, `update bulk_jobs set results = results || $2::jsonb, claimed_until = $3, finished_at = $4 where id = $1 and jsonb_array_length(results) = $5`,
				j.ID, data, s.clock.Now().Add(bulkLease), j.FinishedAt, had)
			lost = err == nil && done.RowsAffected() == 0
			return err
		}); err != nil {
			return j, wrap("keep bulk of", err)
		}
		if lost { // the lease ran out, and another node has done these and goes on
			return s.Bulk(ctx, a, j.ID)
		}
	}
	return j, nil
}

// bulkOne does the deed on one ticket. The key makes a second try after a crash harmless.
func (s *Service) bulkOne(ctx context.Context, a Actor, job uuid.UUID, d BulkDeed, ticket uuid.UUID) (r BulkResult, err error) {
	key := "bulk/" + job.String()
	switch d.Do {
	case BulkAssign:
		t, err := s.ByID(ctx, a, ticket)
		if err != nil {
			return r, err
		}
		r.Was = t.Assignee
		if t.Assignee == d.To {
			return r, nil
		}
		_, err = s.Assign(ctx, a, ticket, AnyVersion, d.To, key)
		r.Changed = err == nil
		return r, err
	case BulkTag:
		g, added, err := s.AddTag(ctx, a, ticket, d.Tag)
		r.Changed, r.TagID = added, g.ID
		return r, err
	case BulkUntag:
		r.TagID = d.TagID
		r.Changed, err = s.RemoveTag(ctx, a, ticket, d.TagID)
		return r, err
	case BulkWatch:
		r.Changed, err = s.Watch(ctx, a, ticket, a.DB.User())
		return r, err
	case BulkUnwatch:
		r.Changed, err = s.Unwatch(ctx, a, ticket, a.DB.User())
		return r, err
	case BulkNote:
		_, err = s.Note(ctx, a, ticket, d.Text, key)
		r.Changed = err == nil
		return r, err
	case BulkMove:
		_, err = s.Apply(ctx, a, ticket, AnyVersion, d.Move, d.Fields, key)
		r.Changed = err == nil
		return r, err
	}
	return r, ErrBadField.On("do").With("field", "do")
}

// undoOne takes back what a job did to one ticket, where nobody has done something else with it since.
func (s *Service) undoOne(ctx context.Context, a Actor, job uuid.UUID, d BulkDeed, was BulkResult) (r BulkResult, err error) {
	switch d.Do {
	case BulkAssign:
		t, err := s.ByID(ctx, a, was.Ticket)
		if err != nil {
			return r, err
		}
		if t.Assignee != d.To {
			return r, ErrStale.With("state", string(t.State)).With("action", "assigned")
		}
		_, err = s.Assign(ctx, a, was.Ticket, AnyVersion, was.Was, "bulk/"+job.String())
		r.Changed = err == nil
		return r, err
	case BulkTag:
		r.Changed, err = s.RemoveTag(ctx, a, was.Ticket, was.TagID)
	case BulkUntag:
		var names map[uuid.UUID]string
		if names, err = s.tagNames(ctx, a, was.TagID); err == nil {
			_, r.Changed, err = s.AddTag(ctx, a, was.Ticket, names[was.TagID])
		}
	case BulkWatch:
		r.Changed, err = s.Unwatch(ctx, a, was.Ticket, a.DB.User())
	case BulkUnwatch:
		r.Changed, err = s.Watch(ctx, a, was.Ticket, a.DB.User())
	}
	return r, err
}

func (s *Service) tagNames(ctx context.Context, a Actor, ids ...uuid.UUID) (map[uuid.UUID]string, error) {
	out := map[uuid.UUID]string{}
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, `select id, name from tags where id = any($1)`, ids)
		if err != nil {
			return err
		}
		var id uuid.UUID
		var name string
		_, err = pgx.ForEachRow(rows, []any{&id, &name}, func() error { out[id] = name; return nil })
		return err
	})
	return out, wrap("names of tags", err)
}
