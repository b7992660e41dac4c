package api

import (
	"errors"
	"net/http"
	"regexp"
	"strings"

	"hotline/internal/auth"
	"hotline/internal/errs"
	"hotline/tickets"
	"hotline/web/httperr"
)

var (
	// ErrNoKey: the operation needs an API key.
	ErrNoKey = errs.New(errs.Unauthenticated, "api.key_needed", "this needs an API key")
	// ErrScope: the key was not made for this. Args: scope.
	ErrScope = errs.New(errs.Forbidden, "api.scope", "this API key was not made for this")
)

// caller is who sent a request.
type caller struct {
	key     *auth.Principal // nil: anybody
	address string          // for rate limits only: never stored, never logged
}

// principal names the caller in idempotency keys. Callers without a key share one name: their idempotency keys are long and random, so
// that knowing one is knowing what was sent, and no trace of an address is kept.
func (c caller) principal() string {
	if c.key == nil {
		return "public"
	}
	return "key:" + c.key.KeyID.String()
}

// staff is what the caller's key may see and do: the daily work of its agency, confidential tickets left out, for nobody personally
// answers for a look. Supervision stays with people.
func (c caller) staff() tickets.Actor { return tickets.Staff(c.key.Actor(), c.key.Roles) }

// identify reads the Authorization header and takes the request's share of the rate limits.
// Errors: auth.ErrBadKey, httperr.ErrTooManyRequests.
func (a *API) identify(w http.ResponseWriter, r *http.Request) (caller, error) {
	c := caller{address: httperr.Address(r, a.Proxies)}
	limited := func(l *httperr.Limiter, who string) error {
		ok, wait := l.Allow(who)
		if ok {
			return nil
		}
		httperr.SetRetryAfter(w, wait)
		return httperr.ErrTooManyRequests
	}
	header := r.Header.Get("Authorization")
	if header == "" {
		return c, limited(a.limits.address, c.address)
	}
	// A right key always passes: it is 256 random bits, so the limit on wrong ones guards our time and not the keys, and must not let one
	// broken client lock out its neighbours.
	refused := func() error {
		if err := limited(a.limits.badKeys, c.address); err != nil {
			return err
		}
		return auth.ErrBadKey
	}
	scheme, presented, _ := strings.Cut(header, " ")
	presented = strings.TrimSpace(presented)
	if !strings.EqualFold(scheme, "Bearer") || presented == "" || len(presented) > 200 {
		return c, refused()
	}
	key, err := a.Auth.ByKey(r.Context(), presented)
	if errs.KindOf(err) == errs.Unauthenticated {
		return c, refused()
	}
	if err != nil {
		return c, err
	}
	c.key = &key
	return c, limited(a.limits.key, key.KeyID.String())
}

// permit checks the caller against what an operation asks for.
// Errors: ErrNoKey, ErrScope, httperr.ErrTooManyRequests.
func (a *API) permit(w http.ResponseWriter, c caller, o *operation) error {
	if c.key != nil {
		if o.scope != "" && !c.key.May(o.scope) {
			return ErrScope.With("scope", o.scope)
		}
		return nil
	}
	if o.scope != "" && !o.public {
		return ErrNoKey
	}
	if o.filing {
		if ok, wait := a.limits.filing.Allow(c.address); !ok {
			httperr.SetRetryAfter(w, wait)
			return httperr.ErrTooManyRequests
		}
	}
	return nil
}

var numberShape = regexp.MustCompile(`^\d{4}-\d{6,12}$`)

// byNumber finds a ticket by its public number, for the agency of the caller's key. What cannot be a number never reaches the database.
// Errors: tickets.ErrNotFound.
func (a *API) byNumber(c *call, number string) (tickets.Ticket, error) {
	if !numberShape.MatchString(number) {
		return tickets.Ticket{}, tickets.ErrNotFound
	}
	return a.Tickets.ByNumber(c.ctx, c.staff(), number)
}

// byCode finds a ticket by its tracking code. A wrong code costs the address one of its guesses; while it has none left, no code is looked
// at, right or wrong. A ticket is never locked.
// Errors: tickets.ErrMalformedCode, tickets.ErrUnknownCode, httperr.ErrTooManyRequests.
func (a *API) byCode(c *call, code string) (tickets.Ticket, error) {
	if blocked, wait := a.limits.guesses.Blocked(c.address); blocked {
		httperr.SetRetryAfter(c.w, wait)
		return tickets.Ticket{}, httperr.ErrTooManyRequests
	}
	t, err := a.Tickets.ByCode(c.ctx, code)
	if errors.Is(err, tickets.ErrUnknownCode) || errors.Is(err, tickets.ErrMalformedCode) {
		a.limits.guesses.Allow(c.address)
	}
	return t, err
}
