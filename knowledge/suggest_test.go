package knowledge_test

import (
	"slices"
	"testing"
	"time"

	"hotline/knowledge"
)

func (d *desk) suggests(t *testing.T, typed, lang string) []string {
	t.Helper()
	found, err := d.Suggest(t.Context(), typed, lang, 6)
	if err != nil {
		t.Fatalf("suggest %q: %v", typed, err)
	}
	titles := make([]string, len(found))
	for i, f := range found {
		titles[i] = f.Title
	}
	return titles
}

func TestSuggestionsWhileTyping(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	text := func(title string, questions ...string) knowledge.Text {
		return knowledge.Text{Title: title, Summary: "What to bring.", Body: "Passport photos are mentioned here.", Questions: questions}
	}
	zh := knowledge.Article{Lang: "zh-CN"}
	d.publish(t, knowledge.Article{}, text("Renewing a passport", "my passport expired"))
	d.publish(t, knowledge.Article{}, text("Passenger rights on the metro"))
	d.publish(t, knowledge.Article{}, text("Parking permit for residents", "where may I park"))
	d.publish(t, knowledge.Article{Audience: knowledge.AudienceStaff}, text("Passport refusals: notes for staff"))
	d.publish(t, zh, text("驾驶证到期怎么换证", "驾照过期了怎么办"))
	d.publish(t, zh, text("居住证怎么办理"))
	for _, c := range []struct {
		typed, lang string
		want        []string
	}{
		{"pass", "en", []string{"Passenger rights on the metro", "Renewing a passport"}}, // either may be meant
		{"passp", "en", []string{"Renewing a passport"}},                                 // the staff's own is not offered
		{"how do I renew my pass", "en", []string{"Renewing a passport"}},
		{"Passport ren", "en", []string{"Renewing a passport"}}, // words in another order
		{"pasport", "en", []string{"Renewing a passport"}},      // a typing error
		{"where may i par", "en", []string{"Parking permit for residents"}},
		{"passport ", "en", []string{"Renewing a passport"}},
		{"pass ", "en", nil}, // a finished word that stands nowhere
		{"zzzz", "en", nil},
		{"the", "en", nil},
		{"", "en", nil},
		{"驾", "zh-CN", []string{"驾驶证到期怎么换证"}},
		{"驾照过", "zh-CN", []string{"驾驶证到期怎么换证"}}, // by a stored question
		{"居住证", "en", []string{"居住证怎么办理"}},      // Chinese on an English page
		{"居住证办", "zh-CN", []string{"居住证怎么办理"}},
	} {
		got := d.suggests(t, c.typed, c.lang)
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("typing %q (%s) suggests %q, want %q", c.typed, c.lang, got, c.want)
		}
	}
}

// A title that was withdrawn or is no longer valid is not offered.
func TestSuggestionsFollowTheArticles(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	last := d.clock.Now().Add(24 * time.Hour)
	d.publish(t, knowledge.Article{}, knowledge.Text{Title: "Winter swimming", Body: "Bring a towel.", ValidTo: &last})
	e := d.publish(t, knowledge.Article{}, knowledge.Text{Title: "Library cards", Body: "Free of charge."})
	if got := d.suggests(t, "winter", "en"); !slices.Equal(got, []string{"Winter swimming"}) {
		t.Errorf("a valid article is not suggested: %q", got)
	}
	d.clock.Advance(72 * time.Hour)
	if got := d.suggests(t, "winter", "en"); len(got) != 0 {
		t.Errorf("an article that is no longer valid is suggested: %q", got)
	}
	if got := d.suggests(t, "libr", "en"); !slices.Equal(got, []string{"Library cards"}) {
		t.Fatalf("suggested %q", got)
	}
	if _, err := d.Withdraw(t.Context(), d.reviewer(), knowledge.Ref{Article: e.Article.ID, Version: e.Version.Number, Edit: e.Version.Edit}, "closed"); err != nil {
		t.Fatal(err)
	}
	if got := d.suggests(t, "libr", "en"); len(got) != 0 {
		t.Errorf("a withdrawn article is suggested: %q", got)
	}
}
