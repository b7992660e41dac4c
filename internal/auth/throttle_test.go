package auth_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hotline/internal/auth"
	"hotline/internal/errs"
)

func TestABurstOfGuessesIsNoWayAround(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "wang@tiny.example", "handler")
	var judged atomic.Int64
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			if _, err := b.SignIn(t.Context(), "wang@tiny.example", "guess", "10.0.0.1"); errors.Is(err, auth.ErrWrongSignIn) {
				judged.Add(1)
			}
		})
	}
	wg.Wait()
	if n := judged.Load(); n > 5 {
		t.Fatalf("%d of 40 guesses at once were judged", n)
	}
}

func TestOthersCannotKeepTheOwnerOut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "wang@tiny.example", "handler")
	if _, err := b.SignIn(t.Context(), "wang@tiny.example", password, "10.1.1.1:40000"); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		_, _ = b.SignIn(t.Context(), "wang@tiny.example", "guess", "10.2.2.2") // an attacker elsewhere
	}
	if _, err := b.SignIn(t.Context(), "wang@tiny.example", "guess", "10.2.2.2"); errs.KindOf(err) != errs.RateLimited {
		t.Fatalf("the attacker does not wait: %v", err)
	}
	if _, err := b.SignIn(t.Context(), "wang@tiny.example", password, "10.1.1.1:51111"); err != nil {
		t.Fatalf("the owner, from the usual address: %v", err)
	}
}

func TestAKnownAddressIsNoLicenceToGuess(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "wang@tiny.example", "handler")
	if _, err := b.SignIn(t.Context(), "wang@tiny.example", password, "10.1.1.1"); err != nil {
		t.Fatal(err)
	}
	for range 30 {
		if _, err := b.SignIn(t.Context(), "wang@tiny.example", "guess", "10.1.1.1"); errs.KindOf(err) == errs.RateLimited {
			return
		}
	}
	t.Fatal("thirty guesses from a known address")
}

func TestOneSubscriberHasOneCounter(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range 60 {
		address := "2001:db8:1:2::" + string("0123456789abcdef"[i%16])
		_, err := b.SignIn(t.Context(), "nobody"+string(rune('a'+i%26))+string(rune('a'+i/26))+"@tiny.example", "guess", address)
		if errs.KindOf(err) == errs.RateLimited {
			return
		}
	}
	t.Fatal("sixty accounts were tried from one IPv6 network")
}

func TestSuccessesDoNotUseUpTheOffice(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "wang@tiny.example", "handler")
	for i := range 40 {
		if _, err := b.SignIn(t.Context(), "wang@tiny.example", password, "10.1.1.1"); err != nil {
			t.Fatalf("sign-in %d: %v", i, err)
		}
	}
}

func TestNobodyIsNotAnAdministrator(t *testing.T) {
	t.Parallel()
	b := setup(t)
	n := auth.NewUser{Email: "new@tiny.example", Name: "New", AgencyID: b.city.Agencies["hotline"], Roles: []string{"administrator"}, Password: password}
	if _, err := b.Create(t.Context(), auth.Principal{}, n); !errors.Is(err, auth.ErrForbidden) {
		t.Fatalf("the zero principal made an administrator: %v", err)
	}
	if _, _, err := b.CreateKey(t.Context(), auth.Principal{}, "x", n.AgencyID, auth.Scopes()); !errors.Is(err, auth.ErrForbidden) {
		t.Fatalf("the zero principal made a key: %v", err)
	}
	if _, err := b.Create(t.Context(), auth.Machine(), n); err != nil {
		t.Fatal(err)
	}
}

func TestPasswordsFromDifferentInputMethodsAreTheSame(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "wang@tiny.example", "handler")
	if _, err := b.SignIn(t.Context(), "wang@tiny.example", "ｃorrect horse battery", "10.1.1.1"); err != nil {
		t.Fatalf("full-width letter: %v", err)
	}
}

func TestSweepKeepsWhatCounts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 6 {
		_, _ = b.SignIn(t.Context(), "wang@tiny.example", "guess", "10.1.1.1")
	}
	if err := b.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := b.SignIn(t.Context(), "wang@tiny.example", "guess", "10.1.1.1"); errs.KindOf(err) != errs.RateLimited {
		t.Fatalf("sweeping forgot fresh failures: %v", err)
	}
	b.clock.Advance(2 * time.Hour)
	if err := b.Sweep(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	if _, err := b.SignIn(t.Context(), "wang@tiny.example", "guess", "10.1.1.1"); !errors.Is(err, auth.ErrWrongSignIn) {
		t.Fatalf("after two hours: %v", err)
	}
}
