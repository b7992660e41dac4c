package api

import (
	"net/http"
	"strings"
	"testing"

	"hotline/tickets"
)

func TestPublicStatisticsTellNothingOfFewPeople(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	follow := func() {
		for {
			f, err := r.tickets.FollowMeasures(t.Context())
			must(t, err)
			if !f.More {
				return
			}
		}
	}
	for i := range 6 {
		r.filed(i)
	}
	r.send("POST", "/tickets", complaint("kind", "report"), "Idempotency-Key", idem(t, 90)).is(http.StatusCreated)
	r.send("POST", "/tickets", map[string]any{"kind": "help", "description": "No water since this morning in our street.", "category": "utilities.water", "lang": "en"}, "Idempotency-Key", idem(t, 91)).is(http.StatusCreated)
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
		r.send("GET", "/statistics"+bad, nil).problem(http.StatusBadRequest, tickets.ErrBadPeriod.Code)
	}
	// Two periods that differ by a day would tell what that day's one person said.
	for _, day := range []string{"?from=2020-01-02&to=2020-01-31", "?from=2020-01-01&to=2020-01-30"} {
		r.send("GET", "/statistics"+day, nil).problem(http.StatusBadRequest, tickets.ErrWholeMonths.Code)
	}
	r.send("GET", "/statistics?by=contact", nil).is(http.StatusUnprocessableEntity)
}
