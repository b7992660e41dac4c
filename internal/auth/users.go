package auth

import (
	"context"
	"net/mail"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// NewUser is what Create needs.
type NewUser struct {
	Email, Name, Lang string
	Names             map[string]string
	AgencyID          uuid.UUID
	Roles             []Role
	Cleared           bool
	Password          string // "" leaves the user without sign-in until SetPassword
	Demo              bool   // the well-known password of a demo city: not measured against the rules
}

// Change is what Update sets. All of it: the page shows and sends every field.
type Change struct {
	Name, Lang string
	Names      map[string]string
	AgencyID   uuid.UUID
	Roles      []Role
	Cleared    bool
	Active     bool
}

// Create makes a user. by is who does it: an administrator, or Machine().
// Errors: ErrForbidden, ErrBadEmail, ErrBadName, ErrBadRole, ErrBadAgency, ErrWeak, ErrEmailTaken.
func (s *Service) Create(ctx context.Context, by Principal, n NewUser) (uuid.UUID, error) {
	if !isAdmin(by) {
		return uuid.Nil, ErrForbidden
	}
	n.Email = strings.ToLower(strings.TrimSpace(n.Email))
	if a, err := mail.ParseAddress(n.Email); err != nil || a.Address != n.Email || len(n.Email) > 254 {
		return uuid.Nil, ErrBadEmail
	}
	name, roles, err := clean(n.Name, n.Roles)
	if err != nil {
		return uuid.Nil, err
	}
	names, err := cleanNames(n.Names)
	if err != nil {
		return uuid.Nil, err
	}
	hash := ""
	if n.Password != "" {
		if err := checkPassword(n.Password, n.Email); err != nil && !n.Demo {
			return uuid.Nil, err
		}
		if hash, err = s.hash.make(ctx, n.Password); err != nil {
			return uuid.Nil, err
		}
	}
	id := db.NewID()
	err = db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		_, err := tx.Exec(ctx, `insert into users (id, email, name, names, agency_id, roles, lang, cleared, password_hash) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			id, n.Email, name, names, n.AgencyID, roles, langOr(n.Lang), n.Cleared, hash)
		return err
	})
	return id, mapUser(err)
}

// Update changes a user whose version the caller has seen. It ends the user's sessions when rights change. Errors: ErrForbidden, ErrNotFound,
// ErrStale, ErrLastAdmin, and those of the fields.
func (s *Service) Update(ctx context.Context, by Principal, id uuid.UUID, version int, c Change) error {
	if !isAdmin(by) {
		return ErrForbidden
	}
	name, roles, err := clean(c.Name, c.Roles)
	if err != nil {
		return err
	}
	names, err := cleanNames(c.Names)
	if err != nil {
		return err
	}
	err = db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		// Two administrators who demote each other at once: the lock makes one of them see the other's change.
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext('hotline users'))`); err != nil {
			return err
		}
		var have int
		if err := tx.QueryRow(ctx, `select version from users where id = $1 for update`, id).Scan(&have); err != nil {
			return err
		}
		if have != version {
			return ErrStale
		}
		if _, err := tx.Exec(ctx, `update users set name = $2, names = $3, agency_id = $4, roles = $5, lang = $6, cleared = $7, active = $8, version = version + 1 where id = $1`,
			id, name, names, c.AgencyID, roles, langOr(c.Lang), c.Cleared, c.Active); err != nil {
			return err
		}
		return keepAdmin(ctx, tx)
	})
	return mapUser(err)
}

// keepAdmin refuses a change that leaves nobody to administrate.
func keepAdmin(ctx context.Context, tx db.Tx) error {
	var left int
	if err := tx.QueryRow(ctx, `select count(*) from users where active and 'administrator' = any(roles)`).Scan(&left); err != nil {
		return err
	}
	if left == 0 {
		return ErrLastAdmin
	}
	return nil
}

// SetPassword gives a user a new password and ends the user's sessions. Errors: ErrForbidden, ErrNotFound, ErrWeak.
func (s *Service) SetPassword(ctx context.Context, by Principal, id uuid.UUID, password string) error {
	if !isAdmin(by) {
		return ErrForbidden
	}
	return s.setPassword(ctx, id, password)
}

func (s *Service) setPassword(ctx context.Context, id uuid.UUID, password string) error {
	u, err := s.Get(ctx, id)
	if err != nil {
		return err
	}
	if err := checkPassword(password, u.Email); err != nil {
		return err
	}
	hash, err := s.hash.make(ctx, password)
	if err != nil {
		return err
	}
	return db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		_, err := tx.Exec(ctx, `update users set password_hash = $2, version = version + 1 where id = $1`, id, hash)
		return err
	})
}

// ChangePassword lets a user change the own password. It returns the principal with its new version, for the session that goes on; every
// other one ends. Errors: ErrWrongSignIn, ErrSlowDown, ErrWeak.
func (s *Service) ChangePassword(ctx context.Context, p Principal, old, password, address string) (Principal, error) {
	u, err := s.Get(ctx, p.UserID)
	if err != nil {
		return Principal{}, err
	}
	if _, err := s.SignIn(ctx, u.Email, old, address); err != nil {
		return Principal{}, err
	}
	if err := s.setPassword(ctx, p.UserID, password); err != nil {
		return Principal{}, err
	}
	return s.ByID(ctx, p.UserID)
}

// SetLang keeps the language a user works in.
func (s *Service) SetLang(ctx context.Context, p Principal, lang string) error {
	return db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		_, err := tx.Exec(ctx, `update users set lang = $2 where id = $1`, p.UserID, langOr(lang))
		return err
	})
}

// SetDisplay keeps how a user likes lists.
func (s *Service) SetDisplay(ctx context.Context, p Principal, d Display) error {
	return db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		_, err := tx.Exec(ctx, `update users set display = $2 where id = $1`, p.UserID, d)
		return err
	})
}

const userColumns = `u.id, u.email, u.name, u.names, u.agency_id, a.code, u.roles, u.lang, u.cleared, u.active, u.password_hash <> '', u.version, u.created_at, u.signed_in_at`

func scanUser(row pgx.CollectableRow) (u User, err error) {
	err = row.Scan(&u.ID, &u.Email, &u.Name, &u.Names, &u.AgencyID, &u.AgencyCode, &u.Roles, &u.Lang, &u.Cleared, &u.Active, &u.HasLogin, &u.Version, &u.CreatedAt, &u.SignedInAt)
	return u, err
}

// Get gives one user. Errors: ErrNotFound.
func (s *Service) Get(ctx context.Context, id uuid.UUID) (User, error) {
	all, err := s.query(ctx, `where u.id = $1`, id)
	if err == nil && len(all) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return User{}, err
	}
	return all[0], nil
}

// UserFilter narrows a list of users; zero fields match all.
type UserFilter struct {
	Text     string      // part of a name or an e-mail address …
	Agencies []uuid.UUID // … or a user of one of these
	After    UserCursor  // of the last user of the page before
	Limit    int         // at most 200; 0 means 50
}

// UserCursor is a place in a list of users.
type UserCursor struct {
	Closed bool
	Name   string
	ID     uuid.UUID
}

// Cursor is the user's place in a list.
func (u User) Cursor() UserCursor { return UserCursor{!u.Active, u.Name, u.ID} }

// List gives a page of users, the active ones first, by name.
func (s *Service) List(ctx context.Context, f UserFilter) ([]User, error) {
	if f.Limit <= 0 {
		f.Limit = 50
	}
	like := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(f.Text) + "%"
	return s.query(ctx, `where ($1 = '' or u.name ilike $2 or u.names::text ilike $2 or u.email ilike $2 or u.agency_id = any($3))
		and ($4::uuid is null or (not u.active, lower(u.name), u.id) > ($5, lower($6), $4)) order by not u.active, lower(u.name), u.id limit $7`,
		f.Text, like, f.Agencies, orNil(f.After.ID), f.After.Closed, f.After.Name, min(f.Limit, 200))
}

// Assignable gives the active staff of an agency who can work on tickets.
func (s *Service) Assignable(ctx context.Context, agency uuid.UUID) ([]User, error) {
	return s.query(ctx, `where u.active and u.agency_id = $1 and u.roles && '{operator,dispatcher,handler,head,supervisor}' order by lower(u.name), u.id limit 1000`, agency)
}

func (s *Service) query(ctx context.Context, where string, args ...any) (all []User, err error) {
	err = db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		rows, err := tx.Query(ctx, `select `+userColumns+` from users u join agencies a on a.id = u.agency_id `+where, args...)
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(rows, scanUser)
		return err
	})
	return all, err
}

// isAdmin: an administrator in person, or the machine.
func isAdmin(p Principal) bool { return p.machine || p.UserID != uuid.Nil && p.Has(Administrator) }

// cleanNames takes the names in other languages; an empty one is none.
func cleanNames(names map[string]string) (map[string]string, error) {
	out := map[string]string{}
	for lang, name := range names {
		name = strings.Join(strings.Fields(strings.ToValidUTF8(name, "")), " ")
		if utf8.RuneCountInString(name) > 100 || len(lang) > 20 {
			return nil, ErrBadName
		}
		if name != "" {
			out[lang] = name
		}
	}
	return out, nil
}

// NameIn is the name in a language.
func (u User) NameIn(lang string) string { return nameIn(u.Names, u.Name, lang) }

// NameIn is the name in a language.
func (p Principal) NameIn(lang string) string { return nameIn(p.Names, p.Name, lang) }

// nameIn is staff_name of the database.
func nameIn(names map[string]string, name, lang string) string {
	if other := names[lang]; other != "" {
		return other
	}
	return name
}

func clean(name string, roles []Role) (string, []Role, error) {
	name = strings.Join(strings.Fields(strings.ToValidUTF8(name, "")), " ")
	if n := utf8.RuneCountInString(name); n < 1 || n > 100 {
		return "", nil, ErrBadName
	}
	roles = slices.Clone(roles)
	slices.Sort(roles)
	roles = slices.Compact(roles)
	known := Roles()
	if len(roles) == 0 || slices.ContainsFunc(roles, func(r Role) bool { return !slices.Contains(known, r) }) {
		return "", nil, ErrBadRole
	}
	return name, roles, nil
}

func langOr(lang string) string {
	if lang == "zh-CN" {
		return lang
	}
	return "en"
}

func mapUser(err error) error {
	switch {
	case err == nil:
		return nil
	case isNoRows(err):
		return ErrNotFound
	case db.Violates(err, "users_email"):
		return ErrEmailTaken
	case db.Violates(err, "users_agency_id_fkey"):
		return ErrBadAgency
	}
	return err
}
