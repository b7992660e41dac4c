package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// Throttling: the first few failures are free; each further one doubles the wait, up to a cap; quiet time forgets them. The address is
// allowed more than the account, because an office may share one.
const (
	freeAccount = 5
	freeAddress = 20
	firstWait   = 2 * time.Second
	maxWait     = 5 * time.Minute
	forgetAfter = time.Hour
)

// SignIn checks e-mail address and password. address is the client's network address. Errors: ErrWrongSignIn; ErrSlowDown with the
// seconds to wait as "seconds"; db.ErrUnavailable.
func (s *Service) SignIn(ctx context.Context, email, password, address string) (Principal, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	account, network := scope("account", email), scope("address", address)
	if len(email) > 320 || len(password) > 1024 {
		return Principal{}, ErrWrongSignIn
	}
	if wait, err := s.wait(ctx, account, network); err != nil {
		return Principal{}, err
	} else if wait > 0 {
		return Principal{}, ErrSlowDown.With("seconds", int(math.Ceil(wait.Seconds())))
	}
	var p Principal
	var active bool
	hash := ""
	err := db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) (err error) {
		p, active, err = scanPrincipal(tx.QueryRow(ctx, `select `+principalColumns+`, u.password_hash
			from users u join agencies a on a.id = u.agency_id where lower(u.email) = $1`, email), &hash)
		return err
	})
	if err != nil && !isNoRows(err) {
		return Principal{}, err
	}
	known := err == nil && active && hash != ""
	if !known {
		hash = s.hash.dummy // the same work for an account that does not exist
	}
	ok, renew := s.hash.check(password, hash)
	if !ok || !known {
		return Principal{}, errors.Join(ErrWrongSignIn, s.failed(ctx, account, network))
	}
	now := s.clock.Now()
	newHash := ""
	if renew {
		newHash = s.hash.make(password)
	}
	err = db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		b := &pgx.Batch{}
		b.Queue(`update users set signed_in_at = $2, password_hash = coalesce(nullif($3, ''), password_hash) where id = $1`, p.UserID, now, newHash)
		// The account's failures are forgotten; the address's are not: else one known account would reset the guessing of others.
		b.Queue(`delete from sign_in_failures where scope = $1 or last_at < $2`, account, now.Add(-24*time.Hour))
		return tx.SendBatch(ctx, b).Close()
	})
	return p, err
}

// scope hashes what a failure belongs to: addresses and e-mails are personal data.
func scope(kind, value string) string {
	sum := sha256.Sum256([]byte(kind + "\x00" + value))
	return kind + ":" + hex.EncodeToString(sum[:16])
}

// wait tells how long account or address must still wait.
func (s *Service) wait(ctx context.Context, account, network string) (wait time.Duration, err error) {
	now := s.clock.Now()
	err = db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		rows, err := tx.Query(ctx, `select scope, failures, last_at from sign_in_failures where scope in ($1, $2)`, account, network)
		if err != nil {
			return err
		}
		var name string
		var failures int
		var last time.Time
		_, err = pgx.ForEachRow(rows, []any{&name, &failures, &last}, func() error {
			free := freeAccount
			if name == network {
				free = freeAddress
			}
			if over := failures - free; over >= 0 && now.Sub(last) < forgetAfter {
				pause := maxWait
				if over < 16 {
					pause = min(firstWait<<over, maxWait)
				}
				wait = max(wait, last.Add(pause).Sub(now))
			}
			return nil
		})
		return err
	})
	return wait, err
}

func (s *Service) failed(ctx context.Context, scopes ...string) error {
	now := s.clock.Now()
	return db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		_, err := tx.Exec(ctx, `insert into sign_in_failures (scope, failures, last_at) select unnest($1::text[]), 1, $2
			on conflict (scope) do update set last_at = $2,
				failures = case when sign_in_failures.last_at < $2 - $3::interval then 1 else sign_in_failures.failures + 1 end`, scopes, now, forgetAfter)
		return err
	})
}

func isNoRows(err error) bool { return errors.Is(err, pgx.ErrNoRows) }

func orNil(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}
