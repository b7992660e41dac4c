package statistics_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/tickets/statistics"
)

// TestTheFirstAnswerOfADayStands: it is not made again, the next day has its own, and periods of people's own are limited.
func TestTheFirstAnswerOfADayStands(t *testing.T) {
	t.Parallel()
	o := open(t)
	made := 0
	ask := func(day time.Time, key string, named bool) (string, error) {
		raw, err := o.Published(t.Context(), day, key, named, func(context.Context) ([]byte, bool, error) {
			made++
			if made > 1 {
				return []byte(`"later"`), true, nil
			}
			return []byte(`"first"`), true, nil
		})
		return string(raw), err
	}
	day := o.Today()
	// Made while the sums were still behind, it is told and not kept.
	if raw, err := o.Published(t.Context(), day, "a", true, func(context.Context) ([]byte, bool, error) { return []byte(`"behind"`), false, nil }); string(raw) != `"behind"` || err != nil {
		t.Errorf("%s, %v", raw, err)
	}
	for range 2 {
		if got, err := ask(day, "a", true); got != `"first"` || err != nil {
			t.Errorf("%s, %v", got, err)
		}
	}
	if got, _ := ask(day.AddDate(0, 0, 1), "a", true); got != `"later"` || made != 2 {
		t.Errorf("the next day says %s, made %d times", got, made)
	}
	if got, _ := ask(day, "a", true); got != `"first"` {
		t.Errorf("a node whose clock is behind says %s", got)
	}
	if _, err := o.Owner.Exec(t.Context(), `insert into published_figures (day, key, named, figures) select $1, 'x' || n, false, '0' from generate_series(1, 2000) n`, day); err != nil {
		t.Fatal(err)
	}
	if _, err := ask(day, "b", false); !errors.Is(err, statistics.ErrPublishedEnough) {
		t.Errorf("without end: %v", err)
	}
	if _, err := ask(day, "c", true); err != nil {
		t.Errorf("a named period: %v", err)
	}
	for who, a := range map[string]db.Actor{"staff": o.City.Staff("handler-env"), "nobody": {}, "a citizen": db.Citizen(uuid.New())} {
		if n := o.Rows(a, "published_figures"); n != 0 {
			t.Errorf("%s sees %d rows", who, n)
		}
	}
}
