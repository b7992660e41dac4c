package llm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/internal/clock"
	"hotline/internal/db"
)

// Deps are what New needs.
type Deps struct {
	Pool  *pgxpool.Pool
	Clock clock.Clock
	Log   *slog.Logger
	// Secret is the installation's secret key; the vendors' keys are sealed under one derived from it.
	Secret []byte
	// Location decides when a day, and its budget, begins. UTC when nil.
	Location *time.Location
}

// Service asks models. It is safe for concurrent use and has nothing to stop.
type Service struct {
	pool *pgxpool.Pool
	now  func() time.Time
	log  *slog.Logger
	seal sealer
	loc  *time.Location
	http *http.Client

	mu      sync.Mutex
	models  []Model
	read    time.Time // when models were read; zero: read again
	reading sync.Mutex
	gates   map[uuid.UUID]*gate
}

// believed is how long a node works with the models it has read: a change on another node is felt that late.
const believed = 2 * time.Second

// New makes a service.
func New(d Deps) (*Service, error) {
	seal, err := newSealer(d.Secret)
	if err != nil {
		return nil, err
	}
	if d.Location == nil {
		d.Location = time.UTC
	}
	return &Service{pool: d.Pool, now: d.Clock.Now, log: d.Log, seal: seal, loc: d.Location, http: newHTTP(), gates: map[uuid.UUID]*gate{}}, nil
}

const modelColumns = `m.id, m.name, m.base_url, m.model, m.key_sealed, m.uses, m.rank, m.may_see_personal, m.keep_texts, m.enabled, m.max_tokens, m.temperature,
	m.timeout_ms, m.concurrency, m.daily_tokens, m.price_in::float8, m.price_out::float8, m.version, m.last_ok_at, m.last_error, m.last_error_at`

func (m *Model) fields(uses *[]string, ms *int, temperature *float32) []any {
	return []any{&m.ID, &m.Name, &m.BaseURL, &m.Model, &m.sealed, uses, &m.Rank, &m.MaySeePersonal, &m.KeepTexts, &m.Enabled, &m.MaxTokens, temperature,
		ms, &m.Concurrency, &m.DailyTokens, &m.PriceIn, &m.PriceOut, &m.Version, &m.LastOK, &m.LastError, &m.LastErrorAt}
}

func scanModel(r pgx.CollectableRow, more ...any) (Model, error) {
	var m Model
	var uses []string
	var ms int
	var temperature float32
	err := r.Scan(append(m.fields(&uses, &ms, &temperature), more...)...)
	for _, u := range uses {
		m.Uses = append(m.Uses, Use(u))
	}
	m.Timeout, m.HasKey = time.Duration(ms)*time.Millisecond, len(m.sealed) > 0
	m.Temperature = float64(int(float64(temperature)*1000+0.5)) / 1000
	return m, err
}

// SQL.
const (
	sqlModels = `select ` + modelColumns + ` from llm_models m order by m.rank, m.name`
	sqlModel  = `select ` + modelColumns + ` from llm_models m where m.id = $1`
	sqlStates = `select ` + modelColumns + `, coalesce(b.used, 0), coalesce(b.reserved, 0), coalesce(b.calls, 0),
		coalesce(c.tin, 0), coalesce(c.tout, 0)
		from llm_models m left join llm_budgets b on b.model_id = m.id and b.day = $1
		left join lateral (select sum(tokens_in)::bigint as tin, sum(tokens_out)::bigint as tout from llm_calls c
			where c.model_id = m.id and c.id >= $2 and (m.price_in is not null or m.price_out is not null)) c on true
		order by m.rank, m.name limit 200`
	sqlInsertModel = `insert into llm_models (id, name, base_url, model, key_sealed, uses, rank, may_see_personal, keep_texts, enabled, max_tokens, temperature,
		timeout_ms, concurrency, daily_tokens, price_in, price_out, created_at, updated_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $18)`
	// A new address needs a new key: the old one must not be sent to whoever answers there.
	sqlUpdateModel = `update llm_models set name = $2, base_url = $3, model = $4, key_sealed = case when $5::bytea is not null then $5 when base_url = $3 then key_sealed else '' end,
		uses = $6, rank = $7, may_see_personal = $8, keep_texts = $9, enabled = $10, max_tokens = $11, temperature = $12, timeout_ms = $13, concurrency = $14, daily_tokens = $15,
		price_in = $16, price_out = $17, updated_at = $18, version = version + 1, last_error = '', last_error_at = null
		where id = $1 and version = $19`
	sqlSwitchModel = `update llm_models set enabled = $2, updated_at = $3, version = version + 1 where id = $1`
	sqlRemoveModel = `delete from llm_models where id = $1`
	sqlModelOK     = `update llm_models set last_ok_at = $2::timestamptz, last_error = '' where id = $1 and (last_error <> '' or last_ok_at is null or last_ok_at < $2::timestamptz - interval '1 minute')`
	sqlModelFailed = `update llm_models set last_error = $2, last_error_at = $3 where id = $1`
)

// all gives the models, from memory when they were read a moment ago.
func (s *Service) all(ctx context.Context) ([]Model, error) {
	if ms, ok := s.remembered(); ok {
		return ms, nil
	}
	s.reading.Lock()
	defer s.reading.Unlock()
	if ms, ok := s.remembered(); ok {
		return ms, nil
	}
	var ms []Model
	at := time.Now()
	err := db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlModels)
		if err != nil {
			return err
		}
		ms, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (Model, error) { return scanModel(r) })
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("llm: models: %w", err)
	}
	s.mu.Lock()
	s.models, s.read = ms, at
	s.mu.Unlock()
	return ms, nil
}

func (s *Service) remembered() ([]Model, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.models, !s.read.IsZero() && time.Since(s.read) < believed
}

func (s *Service) forget() {
	s.mu.Lock()
	s.read = time.Time{}
	s.mu.Unlock()
}

// serving gives the models for a use, in the order in which they are asked. Errors: ErrNoModel.
func (s *Service) serving(ctx context.Context, u Use) ([]Model, error) {
	all, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	var out []Model
	for _, m := range all {
		if m.serves(u) {
			out = append(out, m)
		}
	}
	if len(out) == 0 {
		return nil, ErrNoModel
	}
	return out, nil
}

// Has reports whether a model is set up for a use: whether to offer a button for it. It costs a look into memory, and every two seconds one
// into the database.
func (s *Service) Has(ctx context.Context, u Use) bool {
	_, err := s.serving(ctx, u)
	return err == nil
}

// States lists the models with their day so far. Errors: ErrForbidden.
func (s *Service) States(ctx context.Context, actor db.Actor) ([]State, error) {
	if !actor.Administrator() {
		return nil, ErrForbidden
	}
	day, began := s.day()
	var out []State
	err := db.ReadTx(ctx, s.pool, actor, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlStates, day, firstID(began))
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (State, error) {
			var st State
			var in, outT int64
			var err error
			st.Model, err = scanModel(r, &st.Used, &st.Reserved, &st.Calls, &in, &outT)
			st.Cost = st.cost(in, outT)
			return st, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("llm: states: %w", err)
	}
	for i := range out {
		out[i].Open = s.gate(out[i].Model).openUntil(s.now())
	}
	return out, nil
}

// ByID gives one model. Errors: ErrForbidden, ErrNotFound.
func (s *Service) ByID(ctx context.Context, actor db.Actor, id uuid.UUID) (Model, error) {
	if !actor.Administrator() {
		return Model{}, ErrForbidden
	}
	var m Model
	err := db.ReadTx(ctx, s.pool, actor, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlModel, id)
		if err != nil {
			return err
		}
		m, err = pgx.CollectExactlyOneRow(rows, func(r pgx.CollectableRow) (Model, error) { return scanModel(r) })
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return Model{}, ErrNotFound
	}
	if err != nil {
		return Model{}, fmt.Errorf("llm: model: %w", err)
	}
	return m, nil
}

// Save adds a model (no ID) or changes the version that was read. key nil leaves the key as it is, "" removes it. With another address the
// old key is dropped unless a new one comes with it.
// Errors: ErrForbidden, ErrNotFound, ErrStale, ErrNameTaken, and one of kind invalid that names its field.
func (s *Service) Save(ctx context.Context, actor db.Actor, m Model, key *string) (Model, error) {
	if !actor.Administrator() {
		return Model{}, ErrForbidden
	}
	if err := m.check(); err != nil {
		return Model{}, err
	}
	added := m.ID == uuid.Nil
	if added {
		m.ID = db.NewID()
	}
	var sealed []byte
	if key != nil {
		sealed = s.seal.seal(*key, m.ID[:])
	}
	uses := make([]string, 0, len(m.Uses))
	for _, u := range Uses() {
		if slices.Contains(m.Uses, u) {
			uses = append(uses, string(u))
		}
	}
	args := []any{m.ID, m.Name, m.BaseURL, m.Model, sealed, uses, m.Rank, m.MaySeePersonal, m.KeepTexts, m.Enabled, m.MaxTokens, float32(m.Temperature),
		m.Timeout.Milliseconds(), m.Concurrency, m.DailyTokens, m.PriceIn, m.PriceOut, s.now()}
	err := db.WithTx(ctx, s.pool, actor, func(tx db.Tx) error {
		if added {
			if sealed == nil {
				args[4] = []byte{}
			}
			_, err := tx.Exec(ctx, sqlInsertModel, args...)
			return err
		}
		tag, err := tx.Exec(ctx, sqlUpdateModel, append(args, m.Version)...)
		if err != nil || tag.RowsAffected() == 1 {
			return err
		}
		var there bool
		if err := tx.QueryRow(ctx, `select exists (select from llm_models where id = $1)`, m.ID).Scan(&there); err != nil {
			return err
		}
		if there {
			return ErrStale
		}
		return ErrNotFound
	})
	if err != nil {
		return Model{}, storeError(err)
	}
	s.forget()
	return s.ByID(ctx, actor, m.ID)
}

// Switch turns a model on or off. Errors: ErrForbidden, ErrNotFound.
func (s *Service) Switch(ctx context.Context, actor db.Actor, id uuid.UUID, on bool) error {
	return s.change(ctx, actor, sqlSwitchModel, id, on, s.now())
}

// Remove forgets a model and its key. The record of its calls stays. Errors: ErrForbidden, ErrNotFound.
func (s *Service) Remove(ctx context.Context, actor db.Actor, id uuid.UUID) error {
	return s.change(ctx, actor, sqlRemoveModel, id)
}

func (s *Service) change(ctx context.Context, actor db.Actor, sql string, args ...any) error {
	if !actor.Administrator() {
		return ErrForbidden
	}
	err := db.WithTx(ctx, s.pool, actor, func(tx db.Tx) error {
		tag, err := tx.Exec(ctx, sql, args...)
		if err == nil && tag.RowsAffected() == 0 {
			err = ErrNotFound
		}
		return err
	})
	s.forget()
	return storeError(err)
}

func storeError(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.ConstraintName == "llm_models_name_key" {
		return ErrNameTaken
	}
	return err
}
