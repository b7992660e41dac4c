package tickets_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/tickets"
)

func (o *office) list(user string, v tickets.View, f tickets.Filter) []string {
	o.Helper()
	page, err := o.List(o.Context(), o.as(user), v, f, "", 100)
	if err != nil {
		o.Fatalf("%s %+v: %v", v, f, err)
	}
	var out []string
	for _, r := range page.Rows {
		out = append(out, r.Title)
	}
	return out
}

func titled(title string) func(*tickets.Draft) {
	return func(d *tickets.Draft) { d.Title = title }
}

func TestViewsHoldWhatTheirNamesSay(t *testing.T) {
	t.Parallel()
	o := open(t)
	env := tickets.Fields{Lead: o.city.Agencies["dept-environment"]}
	o.file(titled("waits"))
	o.must("dispatcher", o.file(titled("unsigned")), tickets.Dispatch, env)
	work := o.must("handler-env", o.must("dispatcher", o.file(titled("work")), tickets.Dispatch, env), tickets.Sign, tickets.Fields{})
	ret := o.must("dispatcher", o.file(titled("returned")), tickets.Dispatch, env)
	o.must("handler-env", ret, tickets.RequestReturn, tickets.Fields{Reason: "wrong_area", Basis: "map"})
	ext := o.must("handler-env", o.must("dispatcher", o.file(titled("extension")), tickets.Dispatch, env), tickets.Sign, tickets.Fields{})
	o.must("handler-env", ext, tickets.RequestExtend, tickets.Fields{Text: "parts", Days: 2})
	o.must("citizen", o.file(titled("gone")), tickets.Withdraw, tickets.Fields{})
	o.file(titled("held"), func(d *tickets.Draft) { d.NeedsAcceptance = true })

	for _, tt := range []struct {
		user string
		view tickets.View
		want string
	}{
		{"handler-env", tickets.ViewMy, "extension work"},
		{"handler-env", tickets.ViewUnassigned, "unsigned"},
		{"handler-env", tickets.ViewAgency, "extension unsigned work"},
		{"dispatcher", tickets.ViewAgency, "extension held returned waits"},
		{"dispatcher", tickets.ViewSupervised, ""},
		{"dispatcher", tickets.ViewMass, ""},
		{"dispatcher", tickets.ViewPendingDispatch, "waits"},
		{"dispatcher", tickets.ViewReturned, "extension returned"},
		{"dispatcher", tickets.ViewUnassigned, "held returned waits"},
		{"dispatcher", tickets.ViewOpen, "extension held returned unsigned waits work"},
		{"dispatcher", tickets.ViewClosed, "gone"},
		{"dispatcher", tickets.ViewAll, "extension gone held returned unsigned waits work"},
		{"handler-util", tickets.ViewAll, ""},
		{"dispatcher", tickets.ViewOverdue, ""},
	} {
		got := o.list(tt.user, tt.view, tickets.Filter{})
		slices.Sort(got)
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s of %s: %v, want %s", tt.view, tt.user, got, tt.want)
		}
	}
	counts, err := o.Counts(t.Context(), o.as("dispatcher"))
	if err != nil || counts[tickets.ViewOpen] != 6 || counts[tickets.ViewReturned] != 2 || counts[tickets.ViewClosed] != 1 || len(counts) != len(tickets.Views()) {
		t.Errorf("%v %v", counts, err)
	}
	for state, want := range map[tickets.State]string{tickets.PendingDispatch: "waits", tickets.ReturnRequested: "", tickets.InProgress: ""} {
		if got := o.list("dispatcher", tickets.ViewPendingDispatch, tickets.Filter{State: state}); strings.Join(got, " ") != want {
			t.Errorf("what waits for dispatch in %s: %v", state, got)
		}
	}
	if got := o.list("dispatcher", tickets.ViewReturned, tickets.Filter{State: tickets.InProgress}); strings.Join(got, " ") != "extension" {
		t.Errorf("asked beside the state: %v", got)
	}
	// Half an hour later what nobody dispatched is overdue, and first in the list.
	o.clock.Advance(31 * time.Minute)
	if got := o.list("dispatcher", tickets.ViewOverdue, tickets.Filter{}); strings.Join(got, " ") != "waits" {
		t.Errorf("overdue: %v", got)
	}
	if got := o.list("dispatcher", tickets.ViewOpen, tickets.Filter{}); got[0] != "waits" {
		t.Errorf("open begins with %v", got)
	}
	// A live chat brings its ticket into view.
	if _, err := o.owner.Exec(t.Context(), `update conversations set holder = 'queue', queued_at = now() where id = $1`, work.ConversationID); err != nil {
		t.Fatal(err)
	}
	if got := o.list("handler-env", tickets.ViewLive, tickets.Filter{}); strings.Join(got, " ") != "work" {
		t.Errorf("live: %v", got)
	}
	for _, tt := range []struct {
		f    tickets.Filter
		want int
	}{
		{tickets.Filter{Kind: "complaint"}, 7}, {tickets.Filter{Kind: "praise"}, 0}, {tickets.Filter{Category: "environment"}, 7}, {tickets.Filter{Category: "environ"}, 0},
		{tickets.Filter{State: tickets.InProgress}, 2}, {tickets.Filter{Lead: env.Lead}, 4}, {tickets.Filter{Urgency: "urgent"}, 0},
	} {
		if got := o.list("dispatcher", tickets.ViewAll, tt.f); len(got) != tt.want {
			t.Errorf("%+v: %v", tt.f, got)
		}
	}
}

func TestSupervisedTicketsAndMassEventsHaveViewsOfTheirOwn(t *testing.T) {
	t.Parallel()
	o := open(t)
	env := tickets.Fields{Lead: o.city.Agencies["dept-environment"]}
	by := o.must("handler-env", o.must("dispatcher", o.file(titled("ordered")), tickets.Dispatch, env), tickets.Sign, tickets.Fields{})
	by = o.must("supervisor", by, tickets.Supervise, tickets.Fields{Reason: "overdue", Text: "See to it."})
	o.must("dispatcher", o.file(titled("late")), tickets.Dispatch, env)
	mass := o.file(titled("flood"))
	if _, err := o.owner.Exec(t.Context(), `update tickets set mass_event = true where id = $1`, mass.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Note(t.Context(), o.as("dispatcher"), mass.ID, "many calls", ""); err != nil { // any write carries it into the lists
		t.Fatal(err)
	}
	for _, user := range []string{"handler-env", "dispatcher"} {
		if got := o.list(user, tickets.ViewSupervised, tickets.Filter{}); strings.Join(got, " ") != "ordered" {
			t.Errorf("supervised for %s: %v", user, got)
		}
	}
	if got := o.list("dispatcher", tickets.ViewMass, tickets.Filter{}); strings.Join(got, " ") != "flood" {
		t.Errorf("mass events: %v", got)
	}
	// Nobody signs for weeks: the ladder ends in criticism, which the list shows too.
	o.clock.Advance(40 * 24 * time.Hour)
	o.sweep()
	if got := o.list("dispatcher", tickets.ViewSupervised, tickets.Filter{}); !slices.Contains(got, "late") {
		t.Errorf("after the criticism: %v", got)
	}
	by = o.must("handler-env", by, tickets.Reply, answer())
	if got := o.list("dispatcher", tickets.ViewSupervised, tickets.Filter{}); !slices.Contains(got, "ordered") {
		t.Errorf("answered, and not over yet: %v", got)
	}
	if _, err := o.owner.Exec(t.Context(), `update ticket_access set open = false where ticket_id = $1`, by.ID); err != nil {
		t.Fatal(err)
	}
	if got := o.list("dispatcher", tickets.ViewSupervised, tickets.Filter{}); slices.Contains(got, "ordered") {
		t.Errorf("a ticket that is over: %v", got)
	}
}

func TestPagesFollowEachOtherWithoutGapsOrRepeats(t *testing.T) {
	t.Parallel()
	o := open(t)
	for n := range 23 {
		// Several tickets share a deadline, and some have none.
		if n%4 == 0 {
			o.clock.Advance(time.Minute)
		}
		k := o.file()
		if n%6 == 0 {
			if _, err := o.owner.Exec(t.Context(), `update ticket_access set due_at = 'infinity' where ticket_id = $1`, k.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, v := range []tickets.View{tickets.ViewOpen, tickets.ViewAll, tickets.ViewPendingDispatch, tickets.ViewUnassigned} {
		seen := map[uuid.UUID]bool{}
		after, pages := "", 0
		for {
			page, err := o.List(t.Context(), o.as("dispatcher"), v, tickets.Filter{}, after, 5)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Rows {
				if seen[r.ID] {
					t.Errorf("%s repeats %s", v, r.Number)
				}
				seen[r.ID] = true
			}
			pages++
			if after = page.Next; after == "" {
				break
			}
		}
		if len(seen) != 23 || pages != 5 {
			t.Errorf("%s: %d tickets on %d pages", v, len(seen), pages)
		}
	}
	page, err := o.List(t.Context(), o.as("dispatcher"), tickets.ViewOpen, tickets.Filter{}, "", 5)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"x", "e30", page.Next + "=", strings.ToUpper(page.Next)} {
		if _, err := o.List(t.Context(), o.as("dispatcher"), tickets.ViewOpen, tickets.Filter{}, bad, 5); !errors.Is(err, tickets.ErrBadCursor) {
			t.Errorf("cursor %q: %v", bad, err)
		}
	}
	if _, err := o.List(t.Context(), o.as("dispatcher"), tickets.ViewAll, tickets.Filter{}, page.Next, 5); !errors.Is(err, tickets.ErrBadCursor) {
		t.Errorf("a cursor of another view: %v", err)
	}
	if _, err := o.List(t.Context(), o.as("dispatcher"), "mine", tickets.Filter{}, "", 5); !errors.Is(err, tickets.ErrUnknownView) {
		t.Errorf("an unknown view: %v", err)
	}
	if _, err := o.List(t.Context(), tickets.Actor{Kind: tickets.KindStaff}, tickets.ViewAll, tickets.Filter{}, "", 5); !errors.Is(err, tickets.ErrForbidden) {
		t.Errorf("nobody's list: %v", err)
	}
}

func TestSearchFindsEnglishAndChinese(t *testing.T) {
	t.Parallel()
	o := open(t)
	text := func(title, description string) func(*tickets.Draft) {
		return func(d *tickets.Draft) { d.Title, d.Description = title, description }
	}
	o.file(text("noise", "Construction sites are drilling at night in Riverside Road 12"))
	water := o.file(text("水管", "我家楼下的水管爆裂，路面全是水"))
	o.file(text("路灯", "人民路路灯坏了，晚上很黑，楼下也看不见"))
	for q, want := range map[string]string{
		"drilled": "noise", "construction site": "noise", "constr": "noise", "NIGHT riverside": "noise", "水管": "水管", "水管爆裂": "水管", "人民路 路灯": "路灯",
		"楼下": "水管 路灯", "灯": "路灯", "爆管": "", "nothing like it": "", "12": "noise", "!!!": "", "' | \\ & :*": "", water.Number: "水管", " " + water.Number + " ": "水管", "１２": "noise",
	} {
		got := o.list("dispatcher", tickets.ViewAll, tickets.Filter{Text: q})
		slices.Sort(got)
		if strings.Join(got, " ") != want {
			t.Errorf("%q finds %v, want %q", q, got, want)
		}
	}
	// What was said later is found too, but not what staff noted for themselves.
	if _, err := o.Apply(t.Context(), citizen(water), water.ID, water.Version, tickets.AddInformation, tickets.Fields{Text: "地下车库也进水了"}, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Note(t.Context(), o.as("operator"), water.ID, "caller sounded upset", ""); err != nil {
		t.Fatal(err)
	}
	if got := o.list("dispatcher", tickets.ViewAll, tickets.Filter{Text: "车库"}); strings.Join(got, " ") != "水管" {
		t.Errorf("a later addition: %v", got)
	}
	if got := o.list("dispatcher", tickets.ViewAll, tickets.Filter{Text: "upset"}); len(got) != 0 {
		t.Errorf("a note: %v", got)
	}
	// A hit in the title ranks before one in the description.
	o.file(text("Drilling", "see above"))
	if got := o.list("dispatcher", tickets.ViewAll, tickets.Filter{Text: "drilling"}); strings.Join(got, " ") != "Drilling noise" {
		t.Errorf("ranked %v", got)
	}
	page, err := o.List(t.Context(), o.as("dispatcher"), tickets.ViewAll, tickets.Filter{Text: "drilling"}, "", 1)
	if err != nil || len(page.Rows) != 1 || page.Next == "" {
		t.Fatalf("%+v %v", page, err)
	}
	if page, err = o.List(t.Context(), o.as("dispatcher"), tickets.ViewAll, tickets.Filter{Text: "drilling"}, page.Next, 1); err != nil || len(page.Rows) != 1 || page.Rows[0].Title != "noise" || page.Next != "" {
		t.Errorf("second page %+v %v", page, err)
	}
}

func FuzzSearchWords(f *testing.F) {
	for _, s := range []string{"", "Straße 12", "水管爆裂", "a'b\\c:*|&!", "ประปา", "\u0301\u0301", strings.Repeat("长", 5000)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, out := range []string{tickets.SearchQuery(s), tickets.SearchVector(tickets.Ticket{Title: s, Description: s})} {
			// Quotes stand around words only: nothing of the input can end one.
			if strings.Count(out, "'")%2 != 0 || strings.ContainsAny(out, "\\\x00") {
				t.Errorf("%q becomes %q", s, out)
			}
		}
	})
}
