package knowledge_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/knowledge"
)

func TestStockCountsWhatIsServedAndWhatIsOld(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	stock := func() knowledge.Stock {
		t.Helper()
		return must[knowledge.Stock](t)(d.Stock(t.Context()))
	}
	if s := stock(); s.Live != 0 || s.Stale != 0 || len(s.Covered) != 0 {
		t.Errorf("empty: %+v", s)
	}
	d.publish(t, knowledge.Article{Services: []string{"T-UTL-001"}}, passport)
	other := passport
	other.Title = "For the desk alone"
	e := d.publish(t, knowledge.Article{Services: []string{"T-ENV-001"}, Audience: knowledge.AudienceStaff}, other)
	if s := stock(); s.Live != 2 || s.Stale != 0 || !slices.Equal(s.Covered, []string{"T-UTL-001"}) {
		t.Errorf("a staff article covers nothing for the public: %+v", s)
	}
	if _, err := d.Dispute(t.Context(), d.editor(), e.Article.ID, "The fee has changed."); err != nil {
		t.Fatal(err)
	}
	if s := stock(); s.Stale != 1 {
		t.Errorf("disputed: %+v", s)
	}
	d.clock.Advance(366 * 24 * time.Hour)
	if s := stock(); s.Stale != 2 {
		t.Errorf("old: %+v", s)
	}
}

// What is published as stale is what the board asks editors to look at, by the same rules.
func TestStaleMeansTheSameEverywhere(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	same := func(what string, want int) {
		t.Helper()
		d.look(t)
		listed := map[string]bool{}
		for _, a := range must[[]knowledge.Alert](t)(d.Alerts(ctx, d.editor(), "", uuid.Nil, knowledge.AlertCursor{}, 200)) {
			listed[a.Article.ID.String()] = true
		}
		if got := must[knowledge.Stock](t)(d.Stock(ctx)).Stale; got != want || len(listed) != want {
			t.Errorf("%s: published %d, on the board %d, want %d", what, got, len(listed), want)
		}
	}
	own := passport
	own.Title = "With an interval of its own"
	monthly := d.publish(t, knowledge.Article{ReviewMonths: 1}, own)
	ends := passport
	ends.Title, ends.ValidTo = "Ends in seven weeks", new(time.Date(2026, 4, 28, 0, 0, 0, 0, time.UTC))
	d.publish(t, knowledge.Article{}, ends)
	bad := passport
	bad.Title = "Helps nobody"
	unloved := d.publish(t, knowledge.Article{}, bad)
	same("fresh", 0)
	for range 5 {
		if err := d.Feedback(ctx, unloved.Article.ID, 1, false, "", "portal"); err != nil {
			t.Fatal(err)
		}
	}
	same("readers say no", 1)
	rules := must[knowledge.Settings](t)(d.Settings(ctx))
	rules.ExpiringDays = 60
	if err := d.SaveSettings(ctx, knowledge.System(), rules); err != nil {
		t.Fatal(err)
	}
	same("warned earlier", 2)
	d.clock.Advance(32 * 24 * time.Hour)
	same("a month later", 3)
	zh := must[knowledge.Entry](t)(d.Translate(ctx, d.editor(), monthly.Article.ID, "zh-CN"))
	d.approve(t, zh, knowledge.When{})
	next := own
	next.Summary = "Bring three photos."
	d.approve(t, must[knowledge.Entry](t)(d.Save(ctx, d.editor(), monthly.Version.Ref(), next)), knowledge.When{})
	same("a translation that is behind is listed for itself", 2)
}
