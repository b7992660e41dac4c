package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"hotline/tickets"
	"hotline/tickets/statistics"
	"hotline/web/figures"
)

func TestPublicStatisticsTellNothingOfFewPeople(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	numbers := statistics.New(r.pool, r.clock, r.tickets)
	follow := func() {
		for {
			f, err := numbers.Follow(t.Context())
			must(t, err)
			if !f.More {
				return
			}
		}
	}
	first := r.filed(0)
	for i := range 5 {
		r.filed(i + 1)
	}
	r.send("POST", "/tickets", complaint("kind", "report"), "Idempotency-Key", idem(t, 90)).is(http.StatusCreated)
	r.send("POST", "/tickets", map[string]any{"kind": "help", "description": "No water since this morning in our street.", "category": "utilities.water", "lang": "en"}, "Idempotency-Key", idem(t, 91)).is(http.StatusCreated)
	// Before the sums have the day before, nothing is kept: an empty hotline would stand until midnight.
	r.send("GET", "/statistics?period=year", nil).is(http.StatusOK)
	if n := r.count(`select count(*) from published_figures`); n != 0 {
		t.Errorf("%d answers are kept while the sums are behind", n)
	}
	follow()
	if early := decode[Statistics](r.send("GET", "/statistics?period=days_30&by=channel", nil).is(http.StatusOK)); *early.Tickets != 0 || early.To != numbers.Today().AddDate(0, 0, -1).Format(time.DateOnly) {
		t.Errorf("a day that is not over is told of: %d until %s", *early.Tickets, early.To)
	}
	r.clock.Advance(24 * time.Hour)
	follow()
	got := r.send("GET", "/statistics?period=days_30&by=category", nil, "Accept-Language", "zh-CN").is(http.StatusOK)
	s := decode[Statistics](got)
	if s.Tickets == nil || *s.Tickets != 7 || s.Confidential != nil || s.SmallCell != 5 || got.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%+v", s)
	}
	groups := map[string]*int64{}
	for _, g := range s.Groups {
		groups[g.Key] = g.Tickets
	}
	if n := groups["environment.noise"]; n == nil || *n != 6 {
		t.Errorf("noise: %v", n)
	}
	if n, listed := groups["utilities.water"]; !listed || n != nil {
		t.Error("a single ticket about water is told")
	}
	found := false
	for _, m := range s.Measures {
		found = found || m.Code == "first_contact" && m.Name == "一次办结率" && m.Formula != "" && m.LeftOut != nil
	}
	if !found {
		t.Errorf("no first-contact resolution with its formula: %+v", s.Measures)
	}
	for _, private := range []string{"harbour", "drilling", "construction"} {
		if strings.Contains(strings.ToLower(got.Body.String()), private) {
			t.Errorf("it says %q", private)
		}
	}
	// Nobody sees a case arrive or change by asking again, whichever node answers; tomorrow it is counted.
	other := &figures.Publisher{Figures: figures.Figures{Statistics: numbers, Routing: r.api.Routing}}
	r.filed(17)
	r.staffMove(first.Number, "handler-env", []string{"handler"}, tickets.Sign, tickets.Fields{})
	follow()
	if again := r.send("GET", "/statistics?period=days_30&by=category", nil, "Accept-Language", "zh-CN"); again.Body.String() != got.Body.String() {
		t.Error("the answer changed within the day")
	}
	q := figures.Parse(map[string][]string{"period": {"days_30"}}, other.Today())
	q.By = statistics.ByCategory
	if p, err := other.Public(t.Context(), q); err != nil || p.Tickets == nil || *p.Tickets != 7 || !p.AsOf.Equal(s.AsOf) {
		t.Errorf("another node says %+v, %v", p.Tickets, err)
	}
	r.clock.Advance(24 * time.Hour)
	follow()
	if next := decode[Statistics](r.send("GET", "/statistics?period=days_30&by=category", nil).is(http.StatusOK)); *next.Tickets != 8 {
		t.Errorf("the next day counts %d", *next.Tickets)
	}
	if n := r.count(`select count(*) from published_figures where day < $1`, numbers.Today().AddDate(0, 0, -1)); n != 0 {
		t.Errorf("%d answers of older days are kept", n)
	}
	custom := decode[Statistics](r.send("GET", "/statistics?from=2020-01-01&to=2020-01-31", nil).is(http.StatusOK))
	if custom.From != "2020-01-01" || custom.To != "2020-01-31" || *custom.Tickets != 0 {
		t.Errorf("%+v", custom)
	}
	for _, m := range custom.Measures {
		if m.Value != nil {
			t.Errorf("%s of nothing is %v", m.Code, *m.Value)
		}
	}
	for _, bad := range []string{"?from=2020-01-01", "?from=2020-02-01&to=2020-01-01", "?from=2010-01-01&to=2020-01-01"} {
		r.send("GET", "/statistics"+bad, nil).problem(http.StatusBadRequest, statistics.ErrBadPeriod.Code)
	}
	// Two periods that differ by a day would tell what that day's one person said.
	for _, day := range []string{"?from=2020-01-02&to=2020-01-31", "?from=2020-01-01&to=2020-01-30"} {
		r.send("GET", "/statistics"+day, nil).problem(http.StatusBadRequest, statistics.ErrWholeMonths.Code)
	}
	r.send("GET", "/statistics?by=contact", nil).is(http.StatusUnprocessableEntity)
}
