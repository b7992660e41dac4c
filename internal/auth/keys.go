package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// Scopes of API keys.
const (
	ScopeTicketsRead   = "tickets:read"
	ScopeTicketsWrite  = "tickets:write"
	ScopeTicketsAct    = "tickets:act"
	ScopeMessagesRead  = "messages:read"
	ScopeMessagesWrite = "messages:write"
)

// Scopes lists every scope.
func Scopes() []string {
	return []string{ScopeTicketsRead, ScopeTicketsWrite, ScopeTicketsAct, ScopeMessagesRead, ScopeMessagesWrite}
}

const keyPrefix = "hlk_"

// Key is an API key as the administration page shows it. The secret is not in it.
type Key struct {
	ID         uuid.UUID
	Name       string
	AgencyID   uuid.UUID
	AgencyCode string
	Scopes     []string
	CreatedAt  time.Time
	LastUsedAt *time.Time
	RevokedAt  *time.Time
}

// CreateKey makes a key that acts for an agency. The secret is returned once and kept as a hash only. Errors: ErrForbidden, ErrBadName,
// ErrBadScope, ErrBadAgency.
func (s *Service) CreateKey(ctx context.Context, by Principal, name string, agency uuid.UUID, scopes []string) (secret string, id uuid.UUID, err error) {
	if !isAdmin(by) {
		return "", uuid.Nil, ErrForbidden
	}
	name = strings.Join(strings.Fields(strings.ToValidUTF8(name, "")), " ")
	if n := utf8.RuneCountInString(name); n < 1 || n > 100 {
		return "", uuid.Nil, ErrBadName
	}
	known := Scopes()
	if len(scopes) == 0 || slices.ContainsFunc(scopes, func(sc string) bool { return !slices.Contains(known, sc) }) {
		return "", uuid.Nil, ErrBadScope
	}
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails: crypto/rand ends the process instead
	secret, id = keyPrefix+base64.RawURLEncoding.EncodeToString(random), db.NewID()
	sum := sha256.Sum256([]byte(secret))
	err = db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		_, err := tx.Exec(ctx, `insert into api_keys (id, name, hash, agency_id, scopes, created_by) values ($1, $2, $3, $4, $5, $6)`,
			id, name, sum[:], agency, scopes, orNil(by.UserID))
		return err
	})
	if db.Violates(err, "api_keys_agency_id_fkey") {
		err = ErrBadAgency
	}
	if err != nil {
		return "", uuid.Nil, err
	}
	return secret, id, nil
}

// keyTrust is how long a node believes what it read of a key: a program that files a thousand tickets a second would else cost as many look-ups.
// Revoking ends a key at once on the node that does it, and within this time on the others.
const keyTrust = 2 * time.Second

// maxSeen bounds the keys that are remembered; a city has a handful.
const maxSeen = 1000

// seenKey is a key as it was read.
type seenKey struct {
	Principal
	lastUsed *time.Time
	at       time.Time // when
}

// ByKey gives the principal of a key. The look-up is by the hash of 256 random bits, so its time tells nothing about other keys. An API
// key acts with the rights of a dispatcher of the hotline or a handler of its agency, within its scopes; it is never cleared for confidential
// tickets. A key that works is believed for keyTrust. Errors: ErrBadKey.
func (s *Service) ByKey(ctx context.Context, secret string) (Principal, error) {
	if !strings.HasPrefix(secret, keyPrefix) || len(secret) > 100 {
		return Principal{}, ErrBadKey
	}
	sum, now := sha256.Sum256([]byte(secret)), s.clock.Now()
	s.keys.Lock()
	seen, known := s.keys.seen[sum]
	s.keys.Unlock()
	if !known || now.Sub(seen.at) > keyTrust {
		var err error
		if seen, err = s.readKey(ctx, sum, now); err != nil {
			return Principal{}, err
		}
	}
	return seen.Principal, nil
}

func (s *Service) readKey(ctx context.Context, sum [sha256.Size]byte, now time.Time) (seenKey, error) {
	s.keys.Lock()
	ended := s.keys.ended
	s.keys.Unlock()
	k := seenKey{Principal: Principal{Lang: "en"}, at: now}
	err := db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		return tx.QueryRow(ctx, `select k.id, k.name, k.agency_id, a.code, a.kind = 'hotline', k.scopes, k.last_used_at
			from api_keys k join agencies a on a.id = k.agency_id where k.hash = $1 and k.revoked_at is null`, sum[:]).
			Scan(&k.KeyID, &k.Name, &k.AgencyID, &k.AgencyCode, &k.Desk, &k.Scopes, &k.lastUsed)
	})
	if isNoRows(err) {
		return k, ErrBadKey
	}
	if err != nil {
		return k, err
	}
	k.Roles = []Role{Handler}
	if k.Desk {
		k.Roles = []Role{Operator, Dispatcher}
	}
	if k.lastUsed == nil || now.Sub(*k.lastUsed) > time.Minute { // once a minute is enough for "is it still used?"
		err = db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
			_, err := tx.Exec(ctx, `update api_keys set last_used_at = $2 where id = $1`, k.KeyID, now)
			return err
		})
		if err != nil {
			return k, err
		}
	}
	s.keys.Lock()
	defer s.keys.Unlock()
	if s.keys.ended != ended {
		return k, nil // a key was revoked while this one was read: it may be the one
	}
	if len(s.keys.seen) >= maxSeen {
		clear(s.keys.seen)
	}
	s.keys.seen[sum] = k
	return k, nil
}

// RevokeKey ends a key. Errors: ErrForbidden, ErrKeyNotFound.
func (s *Service) RevokeKey(ctx context.Context, by Principal, id uuid.UUID) error {
	if !isAdmin(by) {
		return ErrForbidden
	}
	err := db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		tag, err := tx.Exec(ctx, `update api_keys set revoked_at = $2 where id = $1 and revoked_at is null`, id, s.clock.Now())
		if err == nil && tag.RowsAffected() == 0 {
			err = ErrKeyNotFound
		}
		return err
	})
	if err == nil {
		s.keys.Lock()
		s.keys.ended++
		clear(s.keys.seen)
		s.keys.Unlock()
	}
	return err
}

// Keys lists keys, newest first.
func (s *Service) Keys(ctx context.Context) (all []Key, err error) {
	err = db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		rows, err := tx.Query(ctx, `select k.id, k.name, k.agency_id, a.code, k.scopes, k.created_at, k.last_used_at, k.revoked_at
			from api_keys k join agencies a on a.id = k.agency_id order by k.created_at desc limit 1000`)
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (k Key, err error) {
			err = row.Scan(&k.ID, &k.Name, &k.AgencyID, &k.AgencyCode, &k.Scopes, &k.CreatedAt, &k.LastUsedAt, &k.RevokedAt)
			return k, err
		})
		return err
	})
	return all, err
}
