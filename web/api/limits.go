package api

import (
	"time"

	"hotline/web/httperr"
)

// Limits are how often what may be asked. Each allows Burst requests at once and then one every Every. Zero values take the defaults.
type Limits struct {
	Key     Rate // every request, by API key; default 200, then 100 a second
	Address Rate // every request without a key, by address; default 60, then 4 a second
	Filing  Rate // tickets and files without a key, by address; default 20, then one every 15 s
	Guesses Rate // wrong tracking codes, by address; default 5, then one every 20 s
	BadKeys Rate // wrong API keys, by address; default 10, then one every 10 s
	Callers int  // how many callers each of these remembers; default 50,000
}

// Rate is one limit.
type Rate struct {
	Burst int
	Every time.Duration
}

func (l Limits) withDefaults() Limits {
	def := func(r *Rate, burst int, every time.Duration) {
		if r.Burst == 0 || r.Every == 0 {
			*r = Rate{burst, every}
		}
	}
	def(&l.Key, 200, 10*time.Millisecond)
	def(&l.Address, 60, 250*time.Millisecond)
	def(&l.Filing, 20, 15*time.Second)
	def(&l.Guesses, 5, 20*time.Second)
	def(&l.BadKeys, 10, 10*time.Second)
	if l.Callers == 0 {
		l.Callers = 50_000
	}
	return l
}

type limiters struct {
	key, address, filing, guesses, badKeys *httperr.Limiter
}

func newLimiters(l Limits, now func() time.Time) limiters {
	one := func(r Rate) *httperr.Limiter { return httperr.NewLimiter(r.Every, r.Burst, l.Callers, now) }
	return limiters{key: one(l.Key), address: one(l.Address), filing: one(l.Filing), guesses: one(l.Guesses), badKeys: one(l.BadKeys)}
}
