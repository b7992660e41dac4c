package statistics_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"hotline/tickets"
	"hotline/tickets/measures"
	"hotline/tickets/statistics"
	"hotline/tickets/ticketstest"
)

func TestAnAppealTakesAFailureOutOfTheMeasures(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.InProgress()
	o.Clock.Advance(30 * 24 * time.Hour)
	k = o.Must("handler-env", k, tickets.Reply, ticketstest.Answer())
	o.follow()
	head := o.As("head-env")
	late := func() measures.Counts {
		o.follow()
		return o.consistent("appeal")
	}
	if n := late(); n[measures.ResolveLate] != 1 || n[measures.ResolveExcluded] != 0 {
		t.Fatalf("not late: %v", n)
	}
	if f := ticketstest.Must(o.Failures(t.Context(), head, k.ID)); len(f) != 2 || f[0] != measures.LateResponse || f[1] != measures.LateResolve {
		t.Errorf("failures %v", f)
	}
	file := func(user string, f measures.Failure, reason, key string) error {
		return o.AppealFailure(t.Context(), o.As(user), k.ID, f, reason, key)
	}
	for _, tt := range []struct {
		user   string
		f      measures.Failure
		reason string
		want   error
	}{
		{"handler-env", measures.LateResolve, "the form was missing", tickets.ErrForbidden},
		{"supervisor", measures.LateResolve, "the form was missing", tickets.ErrForbidden},
		{"head-env", measures.LateResolve, "", tickets.ErrMissing},
		{"head-env", measures.LateResolve, strings.Repeat("x", 2001), tickets.ErrTooLong},
		{"head-env", "nonsense", "the form was missing", tickets.ErrBadField},
		{"head-env", measures.LateSign, "the form was missing", tickets.ErrNotCounted},
	} {
		if err := file(tt.user, tt.f, tt.reason, ""); !errors.Is(err, tt.want) {
			t.Errorf("%s, %s: %v, want %v", tt.user, tt.f, err, tt.want)
		}
	}
	for range 2 { // sent twice, filed once
		if err := file("head-env", measures.LateResolve, "The citizen's form reached us after a week.", "k1"); err != nil {
			t.Fatal(err)
		}
	}
	if err := file("head-env", measures.LateResolve, "again", ""); !errors.Is(err, tickets.ErrAppealFiled) {
		t.Errorf("filed again: %v", err)
	}
	if n := late(); n[measures.ResolveLate] != 1 {
		t.Error("an appeal alone changes nothing")
	}
	list := ticketstest.Must(o.Appeals(t.Context(), o.As("supervisor"), "open", nil, 10))
	if len(list) != 1 || list[0].Number != k.Number || list[0].Failure != measures.LateResolve {
		t.Fatalf("%+v", list)
	}
	if other := ticketstest.Must(o.Appeals(t.Context(), o.As("handler-util"), "open", nil, 10)); len(other) != 0 {
		t.Errorf("another agency sees %d appeals", len(other))
	}
	if err := o.DecideAppeal(t.Context(), head, list[0].ID, true, "yes", ""); !errors.Is(err, tickets.ErrForbidden) {
		t.Errorf("decided by the agency itself: %v", err)
	}
	if err := o.DecideAppeal(t.Context(), o.As("supervisor"), list[0].ID, true, "", ""); !errors.Is(err, tickets.ErrMissing) {
		t.Errorf("without words: %v", err)
	}
	if err := o.DecideAppeal(t.Context(), o.As("supervisor"), list[0].ID, true, "The hotline forwarded the form late.", ""); err != nil {
		t.Fatal(err)
	}
	if err := o.DecideAppeal(t.Context(), o.As("supervisor"), list[0].ID, false, "on second thoughts", ""); !errors.Is(err, tickets.ErrAppealDecided) {
		t.Errorf("decided again: %v", err)
	}
	if n := late(); n[measures.ResolveLate] != 0 || n[measures.ResolveExcluded] != 1 || n[measures.ResponseLate] != 1 {
		t.Errorf("upheld: %v", n)
	}
	events := ticketstest.Must(o.Timeline(t.Context(), head, k.ID))
	if p := ticketstest.Path(events); !strings.HasSuffix(p, "measure_appealed measure_appeal_upheld") {
		t.Errorf("history: %s", p)
	}
	if err := o.VerifyHistory(t.Context(), head, k.ID); err != nil {
		t.Error(err)
	}
	// What is out of the measures is no failure to be appealed any more.
	if f := ticketstest.Must(o.Failures(t.Context(), head, k.ID)); len(f) != 1 || f[0] != measures.LateResponse {
		t.Errorf("failures %v", f)
	}
	// A citizen sees nothing of it.
	for _, e := range events {
		if strings.HasPrefix(e.Type, "measure_") && e.Public {
			t.Errorf("%s is public", e.Type)
		}
	}
}

func TestMeasureSettingsAreForAdministrators(t *testing.T) {
	t.Parallel()
	o := open(t)
	set, version, err := o.Settings(t.Context())
	if err != nil || set.SatisfiedFrom != 4 {
		t.Fatalf("%+v %v", set, err)
	}
	set.ThreeRates = map[string]float64{measures.Response: 1, measures.Resolution: 1}
	if err := o.SetSettings(t.Context(), o.As("supervisor"), version, set); !errors.Is(err, tickets.ErrForbidden) {
		t.Errorf("supervisor: %v", err)
	}
	if err := o.SetSettings(t.Context(), o.As("administrator"), version, set); err != nil {
		t.Fatal(err)
	}
	if got, _, err := o.Settings(t.Context()); err != nil || got.ThreeRates[measures.Resolution] != 1 || got.ThreeRates[measures.Satisfaction] != 0 {
		t.Errorf("%+v %v", got, err)
	}
	if err := o.SetSettings(t.Context(), o.As("administrator"), version, set); !errors.Is(err, statistics.ErrSettingsStale) {
		t.Errorf("stale: %v", err)
	}
	set.SmallCell = 0
	if err := o.SetSettings(t.Context(), o.As("administrator"), version+1, set); !errors.Is(err, statistics.ErrSetting) {
		t.Errorf("small cell 0: %v", err)
	}
}
