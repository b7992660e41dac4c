package auth

import (
	"context"
	"errors"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// SignIn checks e-mail address and password. address is the client's network address. Errors: ErrWrongSignIn; ErrSlowDown with the
// seconds to wait as "seconds"; db.ErrUnavailable.
func (s *Service) SignIn(ctx context.Context, email, password, address string) (Principal, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	if len(email) > 320 || len(password) > 1024 {
		return Principal{}, ErrWrongSignIn
	}
	try := newAttempt(email, address)
	if err := s.count(ctx, try); err != nil {
		return Principal{}, err
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
	ok, renew, err := s.hash.check(ctx, password, hash)
	if err != nil {
		return Principal{}, err
	}
	if !ok || !known {
		return Principal{}, ErrWrongSignIn
	}
	newHash := ""
	if renew {
		if newHash, err = s.hash.make(ctx, password); err != nil {
			return Principal{}, err
		}
	}
	err = db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		b := &pgx.Batch{}
		try.succeeded(b, s.clock.Now())
		b.Queue(`update users set signed_in_at = $2, password_hash = coalesce(nullif($3, ''), password_hash) where id = $1`, p.UserID, s.clock.Now(), newHash)
		return tx.SendBatch(ctx, b).Close()
	})
	if err != nil {
		return Principal{}, err
	}
	return p, nil
}

func isNoRows(err error) bool { return errors.Is(err, pgx.ErrNoRows) }

func orNil(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}
