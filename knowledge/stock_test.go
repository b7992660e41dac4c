package knowledge_test

import (
	"slices"
	"testing"
	"time"

	"hotline/knowledge"
)

func TestStockCountsWhatIsServedAndWhatIsOld(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	stock := func() knowledge.Stock {
		t.Helper()
		return must[knowledge.Stock](t)(d.Stock(t.Context(), 100*24*time.Hour))
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
	d.clock.Advance(101 * 24 * time.Hour)
	if s := stock(); s.Stale != 2 {
		t.Errorf("old: %+v", s)
	}
}
