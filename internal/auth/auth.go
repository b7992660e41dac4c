// Package auth knows who staff and programs are: users with passwords, sign-in with throttling, API keys.
//
// Invariants:
//   - A password is kept as an argon2id hash with its parameters in it; an outdated one is renewed at the next sign-in.
//   - A wrong account and a wrong password cost the same time and give the same error. Attempts are counted before they are judged, so a
//     burst is no way around. They slow down the account and the address; time alone ends it, and nothing locks an account for good: an
//     address from which its owner signed in before does not wait for what others try elsewhere.
//   - An API key is shown once and kept as a SHA-256 hash: it is 256 random bits, so a slow hash would add nothing. A revoked one is refused at once
//     by the node that revoked it, and by the others within two seconds.
//   - Deactivating a user or changing a password ends the sessions: they carry the user's version, and the surfaces compare it (Current).
//
// The package imports internal/db, internal/errs and internal/clock only; sessions themselves are the console's.
package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/errs"
)

// Role is what a member of staff may do.
type Role = string

// The roles.
const (
	Operator      Role = "operator"
	Dispatcher    Role = "dispatcher"
	Handler       Role = "handler"
	Head          Role = "head"
	Editor        Role = "editor"
	Reviewer      Role = "reviewer"
	Supervisor    Role = "supervisor"
	Administrator Role = "administrator"
)

// Roles lists every role.
func Roles() []Role {
	return []Role{Operator, Dispatcher, Handler, Head, Editor, Reviewer, Supervisor, Administrator}
}

// Errors of this package.
var (
	ErrWrongSignIn = errs.New(errs.Unauthenticated, "auth.wrong_sign_in", "e-mail address or password is wrong")
	ErrSlowDown    = errs.New(errs.RateLimited, "auth.slow_down", "too many failed attempts; wait and try again")
	ErrNotFound    = errs.New(errs.NotFound, "auth.not_found", "there is no such user")
	ErrInactive    = errs.New(errs.Unauthenticated, "auth.inactive", "the account has been closed")
	ErrStale       = errs.New(errs.Conflict, "auth.stale", "someone else changed this user; look at the new values and try again")
	ErrEmailTaken  = errs.New(errs.Conflict, "auth.email_taken", "another user has this e-mail address").On("email")
	ErrBadEmail    = errs.New(errs.Invalid, "auth.bad_email", "this is not an e-mail address").On("email")
	ErrBadName     = errs.New(errs.Invalid, "auth.bad_name", "a name of 1 to 100 characters is needed").On("name")
	ErrBadRole     = errs.New(errs.Invalid, "auth.bad_role", "at least one known role is needed").On("roles")
	ErrBadAgency   = errs.New(errs.Invalid, "auth.bad_agency", "there is no such agency").On("agency")
	ErrWeak        = errs.New(errs.Invalid, "auth.weak_password", "the password needs at least 12 characters and must not be a common one").On("password")
	ErrLastAdmin   = errs.New(errs.Conflict, "auth.last_administrator", "this is the last administrator; make another one first")
	ErrForbidden   = errs.New(errs.Forbidden, "auth.forbidden", "only an administrator may do this")
	ErrBadKey      = errs.New(errs.Unauthenticated, "auth.bad_key", "the API key is not valid")
	ErrBadScope    = errs.New(errs.Invalid, "auth.bad_scope", "at least one known scope is needed").On("scopes")
	ErrKeyNotFound = errs.New(errs.NotFound, "auth.key_not_found", "there is no such API key")
)

// Principal is who is signed in: a user or an API key.
type Principal struct {
	UserID     uuid.UUID // uuid.Nil for an API key
	KeyID      uuid.UUID // uuid.Nil for a user
	Name       string
	Names      map[string]string // the name in other languages
	AgencyID   uuid.UUID
	AgencyCode string
	Roles      []Role
	Scopes     []string // of an API key
	Cleared    bool     // may see confidential tickets of the agency
	Desk       bool     // the agency is the hotline itself
	Lang       string
	Version    int // of the user; a session with another one has ended
	Display    Display
	machine    bool
}

// Display is how a person likes lists.
type Display struct {
	Compact bool     `json:"compact,omitempty"` // more rows at once
	Hide    []string `json:"hide"`              // columns that are left out, by the surface's own names
}

// Machine is whoever operates the machine itself: hotline admin create, the loader of the demo city. It may administrate. The zero
// Principal may nothing, so that a forgotten check is harmless.
func Machine() Principal { return Principal{Name: "machine", machine: true} }

// Has reports whether the principal has one of the roles.
func (p Principal) Has(roles ...Role) bool {
	return slices.ContainsFunc(roles, func(r Role) bool { return slices.Contains(p.Roles, r) })
}

// May reports whether an API key has a scope.
func (p Principal) May(scope string) bool { return slices.Contains(p.Scopes, scope) }

// Actor is the principal as the database knows it.
func (p Principal) Actor() db.Actor {
	if p.machine {
		return db.System()
	}
	a := db.Staff(p.UserID, p.AgencyID, p.Desk, p.Cleared)
	if p.Has(Administrator) {
		a = a.AsAdministrator()
	}
	return a
}

// User is a row of the administration page.
type User struct {
	ID         uuid.UUID
	Email      string
	Name       string
	Names      map[string]string // the name in other languages, as far as it differs
	AgencyID   uuid.UUID
	AgencyCode string
	Roles      []Role
	Lang       string
	Cleared    bool
	Active     bool
	HasLogin   bool // a password is set
	Version    int
	CreatedAt  time.Time
	SignedInAt *time.Time
}

// Service works on users and keys. It is safe for concurrent use.
type Service struct {
	pool  *pgxpool.Pool
	clock clock.Clock
	hash  hasher
	keys  struct {
		sync.Mutex
		seen  map[[sha256.Size]byte]seenKey // by the hash of the secret
		ended int                           // keys that were revoked here
	}
}

// Options tune the service.
type Options struct {
	// Weak makes password hashing cheap. For tests only.
	Weak bool
}

// New makes the service.
func New(pool *pgxpool.Pool, c clock.Clock, o Options) *Service {
	s := &Service{pool: pool, clock: c, hash: newHasher(o.Weak)}
	s.keys.seen = map[[sha256.Size]byte]seenKey{}
	return s
}

const principalColumns = `u.id, u.name, u.names, u.agency_id, a.code, u.roles, u.cleared, a.kind = 'hotline', u.lang, u.version, u.display, u.active`

func scanPrincipal(row pgx.Row, more ...any) (p Principal, active bool, err error) {
	err = row.Scan(append([]any{&p.UserID, &p.Name, &p.Names, &p.AgencyID, &p.AgencyCode, &p.Roles, &p.Cleared, &p.Desk, &p.Lang, &p.Version, &p.Display, &active}, more...)...)
	return p, active, err
}

// ByID gives the principal of an active user. Errors: ErrNotFound, ErrInactive.
func (s *Service) ByID(ctx context.Context, id uuid.UUID) (Principal, error) {
	var p Principal
	var active bool
	err := db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) (err error) {
		p, active, err = scanPrincipal(tx.QueryRow(ctx, `select `+principalColumns+` from users u join agencies a on a.id = u.agency_id where u.id = $1`, id))
		return err
	})
	switch {
	case isNoRows(err):
		return Principal{}, ErrNotFound
	case err != nil:
		return Principal{}, err
	case !active:
		return Principal{}, ErrInactive
	}
	return p, nil
}

// Current gives the principal of a session that began with the user's version. Errors: ErrInactive when the user was closed, or the
// password or the rights were changed since; the database's own, which say nothing about the session.
func (s *Service) Current(ctx context.Context, id uuid.UUID, version int) (Principal, error) {
	p, err := s.ByID(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound) || errors.Is(err, ErrInactive) || err == nil && p.Version != version:
		return Principal{}, ErrInactive
	case err != nil:
		return Principal{}, err
	}
	return p, nil
}
