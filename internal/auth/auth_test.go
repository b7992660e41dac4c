package auth_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/internal/auth"
	"hotline/internal/clock"
	"hotline/internal/errs"
	"hotline/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const password = "correct horse battery"

type bed struct {
	*auth.Service
	pool  *pgxpool.Pool
	city  testkit.TinyCity
	clock *clock.Fake
	admin auth.Principal
}

func setup(t *testing.T) bed {
	t.Helper()
	pool := testkit.DB(t)
	b := bed{pool: pool, city: testkit.City(t, pool), clock: clock.NewFake(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))}
	b.Service = auth.New(pool, b.clock, auth.Options{Weak: true})
	var err error
	if b.admin, err = b.ByID(t.Context(), b.city.Users["administrator"]); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b bed) user(t *testing.T, email string, roles ...string) uuid.UUID {
	t.Helper()
	id, err := b.Create(t.Context(), b.admin, auth.NewUser{Email: email, Name: "Wang Min", AgencyID: b.city.Agencies["dept-environment"], Roles: roles, Password: password})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestSignInGivesThePrincipalOfItsAgency(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.user(t, "Wang@Tiny.example", "handler")
	p, err := b.SignIn(t.Context(), " wang@tiny.EXAMPLE ", password, "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	if p.UserID != id || p.AgencyCode != "dept-environment" || p.Desk || !p.Has("handler") || p.Has("operator") {
		t.Fatalf("%+v", p)
	}
	for name, try := range map[string][2]string{"wrong password": {"wang@tiny.example", "wrong"}, "unknown": {"nobody@tiny.example", password}, "empty": {"", ""}, "no password set": {"operator@tiny.example", ""}} {
		if _, err := b.SignIn(t.Context(), try[0], try[1], "127.0.0.2"); !errors.Is(err, auth.ErrWrongSignIn) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFailuresSlowDownAndTimeAloneEndsIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "wang@tiny.example", "handler")
	slow := false
	for i := range 12 {
		if _, err := b.SignIn(t.Context(), "wang@tiny.example", "guess", "10.0.0."+string(rune('0'+i%10))); errs.KindOf(err) == errs.RateLimited {
			slow = true
			break
		}
	}
	if !slow {
		t.Fatal("twelve wrong passwords were not slowed down")
	}
	if _, err := b.SignIn(t.Context(), "wang@tiny.example", password, "10.0.1.1"); errs.KindOf(err) != errs.RateLimited {
		t.Fatalf("the right password skips the queue, so guessing would go on: %v", err)
	}
	b.clock.Advance(6 * time.Minute)
	if _, err := b.SignIn(t.Context(), "wang@tiny.example", password, "10.0.1.1"); err != nil {
		t.Fatalf("after waiting: %v", err)
	}
}

func TestOneAddressCannotTryManyAccounts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range 60 {
		_, err := b.SignIn(t.Context(), strings.Repeat("x", i+1)+"@tiny.example", "guess", "10.9.9.9")
		if errs.KindOf(err) == errs.RateLimited {
			return
		}
	}
	t.Fatal("sixty accounts were tried from one address")
}

func TestChangedRightsAndPasswordsEndSessions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.user(t, "wang@tiny.example", "handler")
	p, err := b.SignIn(t.Context(), "wang@tiny.example", password, "::1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Current(t.Context(), id, p.Version); err != nil {
		t.Fatal(err)
	}
	p2, err := b.ChangePassword(t.Context(), p, password, "another long phrase", "::1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Current(t.Context(), id, p.Version); !errors.Is(err, auth.ErrInactive) {
		t.Fatalf("an old session survived a new password: %v", err)
	}
	off := auth.Change{Name: "Wang Min", AgencyID: p.AgencyID, Roles: []string{"handler"}}
	if err := b.Update(t.Context(), b.admin, id, p2.Version, off); err != nil {
		t.Fatal(err)
	}
	if _, err := b.SignIn(t.Context(), "wang@tiny.example", "another long phrase", "::1"); !errors.Is(err, auth.ErrWrongSignIn) {
		t.Fatalf("a closed account signs in: %v", err)
	}
}

func TestUsersAreCheckedAndVersioned(t *testing.T) {
	t.Parallel()
	b := setup(t)
	env := b.city.Agencies["dept-environment"]
	for name, row := range map[string]struct {
		n    auth.NewUser
		want error
	}{
		"e-mail": {auth.NewUser{Email: "not an address", Name: "x", AgencyID: env, Roles: []string{"handler"}}, auth.ErrBadEmail},
		"name":   {auth.NewUser{Email: "a@b.example", Name: " ", AgencyID: env, Roles: []string{"handler"}}, auth.ErrBadName},
		"role":   {auth.NewUser{Email: "a@b.example", Name: "x", AgencyID: env, Roles: []string{"king"}}, auth.ErrBadRole},
		"agency": {auth.NewUser{Email: "a@b.example", Name: "x", AgencyID: uuid.New(), Roles: []string{"handler"}}, auth.ErrBadAgency},
		"weak":   {auth.NewUser{Email: "a@b.example", Name: "x", AgencyID: env, Roles: []string{"handler"}, Password: "password1234"}, auth.ErrWeak},
		"short":  {auth.NewUser{Email: "a@b.example", Name: "x", AgencyID: env, Roles: []string{"handler"}, Password: "short"}, auth.ErrWeak},
		"taken":  {auth.NewUser{Email: "OPERATOR@tiny.example", Name: "x", AgencyID: env, Roles: []string{"handler"}}, auth.ErrEmailTaken},
	} {
		if _, err := b.Create(t.Context(), b.admin, row.n); !errors.Is(err, row.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	id := b.user(t, "wang@tiny.example", "handler")
	handler, err := b.ByID(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	change := auth.Change{Name: "Wang", AgencyID: env, Roles: []string{"head"}, Active: true}
	if err := b.Update(t.Context(), handler, id, 1, change); !errors.Is(err, auth.ErrForbidden) {
		t.Errorf("a handler made himself a head: %v", err)
	}
	if err := b.Update(t.Context(), b.admin, id, 7, change); !errors.Is(err, auth.ErrStale) {
		t.Errorf("a stale version was taken: %v", err)
	}
	admin := b.city.Users["administrator"]
	if err := b.Update(t.Context(), b.admin, admin, 1, auth.Change{Name: "A", AgencyID: b.admin.AgencyID, Roles: []string{"administrator"}}); !errors.Is(err, auth.ErrLastAdmin) {
		t.Errorf("the last administrator was closed: %v", err)
	}
}

func TestKeyWorksUntilRevokedAndIsNotStored(t *testing.T) {
	t.Parallel()
	b := setup(t)
	secret, id, err := b.CreateKey(t.Context(), b.admin, "Portal of the east", b.city.Agencies["dist-east"], []string{auth.ScopeTicketsWrite})
	if err != nil {
		t.Fatal(err)
	}
	p, err := b.ByKey(t.Context(), secret)
	if err != nil || p.AgencyCode != "dist-east" || !p.May(auth.ScopeTicketsWrite) || p.May(auth.ScopeTicketsRead) {
		t.Fatalf("%+v %v", p, err)
	}
	if _, err := b.ByKey(t.Context(), secret[:len(secret)-1]+"A"); !errors.Is(err, auth.ErrBadKey) && secret[len(secret)-1] != 'A' {
		t.Fatal(err)
	}
	if err := b.RevokeKey(t.Context(), b.admin, id); err != nil {
		t.Fatal(err)
	}
	if _, err := b.ByKey(t.Context(), secret); !errors.Is(err, auth.ErrBadKey) {
		t.Fatalf("a revoked key works: %v", err)
	}
	if err := b.RevokeKey(t.Context(), b.admin, id); !errors.Is(err, auth.ErrKeyNotFound) {
		t.Fatal(err)
	}
}

func TestARevokedKeyEndsHereAtOnceAndOnOtherNodesSoon(t *testing.T) {
	t.Parallel()
	b := setup(t)
	other := auth.New(b.pool, b.clock, auth.Options{Weak: true})
	secret, id, err := b.CreateKey(t.Context(), b.admin, "Portal", b.city.Agencies["dist-east"], []string{auth.ScopeTicketsWrite})
	if err != nil {
		t.Fatal(err)
	}
	for _, node := range []*auth.Service{b.Service, other} {
		if _, err := node.ByKey(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.RevokeKey(t.Context(), b.admin, id); err != nil {
		t.Fatal(err)
	}
	if _, err := b.ByKey(t.Context(), secret); !errors.Is(err, auth.ErrBadKey) {
		t.Errorf("here it still works: %v", err)
	}
	b.clock.Advance(2*time.Second + time.Millisecond)
	if _, err := other.ByKey(t.Context(), secret); !errors.Is(err, auth.ErrBadKey) {
		t.Errorf("elsewhere it works two seconds later: %v", err)
	}
}
