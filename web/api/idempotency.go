package api

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/internal/db"
	"hotline/internal/errs"
)

// KeyLife is how long the result of a call is given again.
const KeyLife = 24 * time.Hour

// Lengths of an Idempotency-Key, in bytes. Callers without an API key share a namespace, so theirs must be too long to meet by chance.
const (
	minPublicKey = 16
	maxKey       = 200
)

var (
	// ErrKeyMissing: the call changes something and carries no Idempotency-Key.
	ErrKeyMissing = errs.New(errs.Invalid, "api.idempotency_key_missing", "this call needs an Idempotency-Key header").On("Idempotency-Key")
	// ErrKeyShape: the key is too short, too long or not printable ASCII. Args: min, max.
	ErrKeyShape = errs.New(errs.Invalid, "api.idempotency_key_shape", "the Idempotency-Key is too short, too long or not printable").On("Idempotency-Key").With("max", maxKey)
	// ErrKeyReused: another request came with this key in the last 24 hours.
	ErrKeyReused = errs.New(errs.Conflict, "api.idempotency_key_reused", "this Idempotency-Key was used for another request").On("Idempotency-Key")

	errFaster = errors.New("the same call was faster") // inside this file only
)

func checkKey(c *call) error {
	key := c.r.Header.Get("Idempotency-Key")
	least := 1
	if c.key == nil {
		least = minPublicKey
	}
	switch {
	case key == "":
		return ErrKeyMissing
	case len(key) < least || len(key) > maxKey:
		return ErrKeyShape.With("min", least)
	}
	for i := range len(key) {
		if key[i] < 0x21 || key[i] > 0x7e {
			return ErrKeyShape.With("min", least)
		}
	}
	return nil
}

// onceKey is the caller's key hashed with whose it is and what for: the same for every try of one call, and another one's never. It is what
// is stored and what the domain's own idempotency is given: the key itself opens the result, so it is not kept.
func (c *call) onceKey() string { return c.onceKeyFor(c.op.method, c.op.path) }

func (c *call) onceKeyFor(method, route string) string {
	h := sha256.New()
	for _, part := range []string{c.principal(), method, route, c.r.Header.Get("Idempotency-Key")} {
		_, _ = io.WriteString(h, part) // a hash takes everything
		h.Write([]byte{0})
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// requestHash covers what makes two requests the same: address, condition and body. It is keyed: a body may hold a tracking code, and a
// plain hash of few unknown digits could be undone.
func (a *API) requestHash(c *call) []byte {
	h := hmac.New(sha256.New, a.hashKey)
	_, _ = io.WriteString(h, c.r.URL.EscapedPath()+"\x00"+c.r.Header.Get("If-Match")+"\x00") // a hash takes everything
	h.Write(c.body)
	return h.Sum(nil)
}

const (
	findKeySQL = `select request_hash, response from idempotency_keys where principal = $1 and method = $2 and route = $3 and key = $4 and created_at > $5`
	// A row that has outlived its time is as good as none.
	storeKeySQL = `insert into idempotency_keys as k (principal, method, route, key, request_hash, status, response, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8)
		on conflict (principal, method, route, key) do update set request_hash = excluded.request_hash, status = excluded.status, response = excluded.response, created_at = excluded.created_at
		where k.created_at <= $9`
)

// store is handed to a change that can run it in its own transaction: the result is then there exactly when the change is. A concurrent
// call with the same key waits here for the first one to commit, and is rolled back.
type store[S any] func(ctx context.Context, tx db.Tx, result S) error

// once runs a change at most once for its idempotency key and gives the first result again after that. S is what is stored: no secrets, no
// personal data. A failed call stores nothing, so it can be repeated with the same key.
// Errors: ErrKeyReused; the change's own.
func once[S any](a *API, c *call, change func(keep store[S]) (S, error)) (result S, err error) {
	if result, found, err := replay[S](a, c); found || err != nil {
		return result, err
	}
	kept := false
	result, err = change(func(ctx context.Context, tx db.Tx, result S) error {
		kept = true
		return keep(ctx, tx, a, c, result)
	})
	if err == nil && !kept {
		// The change is idempotent by onceKey and has committed; only the answer is kept apart.
		err = db.WithTx(c.ctx, a.Pool, db.System(), func(tx db.Tx) error { return keep(c.ctx, tx, a, c, result) })
	}
	if errors.Is(err, errFaster) {
		again, found, err := replay[S](a, c)
		if err == nil && !found {
			err = db.ErrUnavailable.Wrap(errFaster)
		}
		return again, err
	}
	return result, err
}

func keep[S any](ctx context.Context, tx db.Tx, a *API, c *call, result S) error {
	raw, err := json.Marshal(result)
	if err != nil {
		return fmt.Errorf("keep result: %w", err)
	}
	now := a.Clock.Now()
	tag, err := tx.Exec(ctx, storeKeySQL, c.principal(), c.op.method, c.op.path, c.onceKey(), a.requestHash(c), c.op.status, raw, now, now.Add(-KeyLife))
	if err != nil {
		return fmt.Errorf("keep result: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return errFaster
	}
	return nil
}

func replay[S any](a *API, c *call) (result S, found bool, err error) {
	var hash, raw []byte
	err = a.Pool.QueryRow(c.ctx, findKeySQL, c.principal(), c.op.method, c.op.path, c.onceKey(), a.Clock.Now().Add(-KeyLife)).Scan(&hash, &raw)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return result, false, nil
	case err != nil:
		return result, false, fmt.Errorf("look for the first result: %w", db.MapError(err))
	case string(hash) != string(a.requestHash(c)):
		return result, false, ErrKeyReused
	}
	if err := json.Unmarshal(raw, &result); err != nil {
		return result, false, fmt.Errorf("read the first result: %w", err)
	}
	c.w.Header().Set("Idempotency-Replayed", "true")
	return result, true, nil
}

// PurgeKeys removes results that are given no more. The housekeeping job calls it.
func PurgeKeys(ctx context.Context, pool *pgxpool.Pool, now time.Time) (int64, error) {
	var n int64
	err := db.WithTx(ctx, pool, db.System(), func(tx db.Tx) error {
		tag, err := tx.Exec(ctx, `delete from idempotency_keys where created_at <= $1`, now.Add(-KeyLife))
		n = tag.RowsAffected()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("purge idempotency keys: %w", err)
	}
	return n, nil
}
