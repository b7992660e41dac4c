package tickets_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/tickets"
)

func (o *office) tags(user string, k uuid.UUID) string {
	o.Helper()
	var out []string
	for _, g := range must(o.TagsOf(o.Context(), o.as(user), k))[k] {
		out = append(out, g.Name)
	}
	return strings.Join(out, " ")
}

func (o *office) tag(user string, k uuid.UUID, name string) tickets.Tag {
	o.Helper()
	g, _, err := o.AddTag(o.Context(), o.as(user), k, name)
	if err != nil {
		o.Fatalf("tag %q by %s: %v", name, user, err)
	}
	return g
}

func TestTagsAreAnAgencysOwnWords(t *testing.T) {
	t.Parallel()
	o := open(t)
	ctx := t.Context()
	k := o.inProgress()
	noise := o.tag("handler-env", k.ID, "  Noise ")
	if again := o.tag("head-env", k.ID, "#noise"); again != noise {
		t.Errorf("the same word became another tag: %+v", again)
	}
	o.tag("handler-env", k.ID, "夜間 施工") // kept as typed
	o.tag("dispatcher", k.ID, "hot topic")
	if got := o.tags("handler-env", k.ID); got != "Noise 夜間 施工" {
		t.Errorf("the agency reads %q", got)
	}
	if got := o.tags("dispatcher", k.ID); got != "hot topic" {
		t.Errorf("the hotline reads %q", got)
	}
	for name, want := range map[string]error{"": tickets.ErrMissing, " # ": tickets.ErrMissing, "a,b": tickets.ErrBadField, strings.Repeat("长", 41): tickets.ErrTooLong} {
		if _, _, err := o.AddTag(ctx, o.as("handler-env"), k.ID, name); !errors.Is(err, want) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, _, err := o.AddTag(ctx, o.as("handler-util"), k.ID, "x"); !errors.Is(err, tickets.ErrNotFound) {
		t.Errorf("an agency that does not see it: %v", err)
	}
	if _, _, err := o.AddTag(ctx, citizen(k), k.ID, "x"); !errors.Is(err, tickets.ErrForbidden) {
		t.Errorf("a citizen: %v", err)
	}
	if removed, err := o.RemoveTag(ctx, o.as("handler-env"), k.ID, noise.ID); err != nil || !removed {
		t.Errorf("removed %v %v", removed, err)
	}
	if removed, err := o.RemoveTag(ctx, o.as("handler-env"), k.ID, noise.ID); err != nil || removed {
		t.Errorf("removed twice %v %v", removed, err)
	}
	for i := range 19 {
		o.tag("handler-env", k.ID, fmt.Sprint("n", i))
	}
	if _, _, err := o.AddTag(ctx, o.as("handler-env"), k.ID, "one more"); !errors.Is(err, tickets.ErrTooManyTags) {
		t.Errorf("the twenty-first: %v", err)
	}
}

func TestWhoLeadsRenamesAndMergesTags(t *testing.T) {
	t.Parallel()
	o := open(t)
	ctx := t.Context()
	one, two := o.inProgress(), o.inProgress()
	loud, noise := o.tag("handler-env", one.ID, "loud"), o.tag("handler-env", two.ID, "noise")
	o.tag("handler-env", one.ID, "noise")
	if err := o.MergeTag(ctx, o.as("handler-env"), loud.ID, noise.ID); !errors.Is(err, tickets.ErrForbidden) {
		t.Errorf("a handler merges: %v", err)
	}
	if err := o.RenameTag(ctx, o.as("supervisor"), loud.ID, "x"); !errors.Is(err, tickets.ErrTagNotFound) {
		t.Errorf("another agency's tag: %v", err)
	}
	if err := o.RenameTag(ctx, o.as("head-env"), loud.ID, "NOISE"); !errors.Is(err, tickets.ErrTagExists) {
		t.Errorf("a name that is taken: %v", err)
	}
	saved := must(o.SaveFilter(ctx, o.as("handler-env"), tickets.SavedFilter{Name: "loud ones", View: tickets.ViewOpen, Filter: tickets.Filter{Tag: loud.ID}}))
	if err := o.MergeTag(ctx, o.as("head-env"), loud.ID, noise.ID); err != nil {
		t.Fatal(err)
	}
	if got := o.tags("handler-env", one.ID); got != "noise" {
		t.Errorf("after the merge: %q", got)
	}
	// The old word leads to the new one, in new tags and in saved filters.
	three := o.inProgress()
	if g := o.tag("handler-env", three.ID, "Loud"); g.ID != noise.ID {
		t.Errorf("the old word gives %+v", g)
	}
	if err := o.RenameTag(ctx, o.as("head-env"), noise.ID, "噪音"); err != nil {
		t.Fatal(err)
	}
	if got := o.tags("handler-env", three.ID); got != "噪音" {
		t.Errorf("after the renaming: %q", got)
	}
	if got := must(o.Tags(ctx, o.as("handler-env"))); len(got) != 1 || got[0].Name != "噪音" {
		t.Errorf("vocabulary %+v", got)
	}
	filters := must(o.SavedFilters(ctx, o.as("handler-env")))
	if len(filters) != 1 || filters[0].ID != saved.ID || filters[0].Filter.Tag != noise.ID {
		t.Errorf("saved filter %+v", filters)
	}
	if err := o.MergeTag(ctx, o.as("head-env"), loud.ID, noise.ID); !errors.Is(err, tickets.ErrTagNotFound) {
		t.Errorf("merged twice: %v", err)
	}
}

// Tags that are put on while others are merged away are never lost: each of them is there in the end, under the name it has then.
func TestTaggingWhileTagsAreMergedLosesNothing(t *testing.T) {
	t.Parallel()
	o := open(t)
	ctx := t.Context()
	var all []tickets.Ticket
	for range 6 {
		all = append(all, o.inProgress())
	}
	into := o.tag("head-env", all[0].ID, "into")
	var wg sync.WaitGroup
	for i := range 4 {
		from := o.tag("head-env", all[0].ID, fmt.Sprint("from", i))
		wg.Go(func() {
			if err := o.MergeTag(ctx, o.as("head-env"), from.ID, into.ID); err != nil {
				t.Error(err)
			}
		})
		for _, k := range all {
			wg.Go(func() {
				if _, _, err := o.AddTag(ctx, o.as("handler-env"), k.ID, fmt.Sprint("from", i)); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	for _, k := range all {
		if got := o.tags("handler-env", k.ID); got != "into" {
			t.Errorf("%s has %q", k.Number, got)
		}
	}
}

func TestSavedFilters(t *testing.T) {
	t.Parallel()
	o := open(t)
	ctx := t.Context()
	env := tickets.Fields{Lead: o.city.Agencies["dept-environment"]}
	o.clock.Advance(-30 * 24 * time.Hour)
	old := o.must("dispatcher", o.file(titled("old")), tickets.Dispatch, env)
	o.clock.Advance(30 * 24 * time.Hour)
	for i := range 3 {
		k := o.must("dispatcher", o.file(titled(fmt.Sprint("new", i))), tickets.Dispatch, env)
		if i == 0 {
			o.tag("handler-env", k.ID, "hot")
		}
	}
	hot := must(o.Tags(ctx, o.as("handler-env")))[0]
	recent := tickets.Filter{From: o.clock.Now().Add(-time.Hour)}
	for _, tt := range []struct {
		user string
		f    tickets.Filter
		want string
	}{
		{"handler-env", tickets.Filter{Tag: hot.ID}, "new0"}, {"dispatcher", tickets.Filter{Tag: hot.ID}, ""}, {"handler-env", recent, "new0 new1 new2"},
		{"handler-env", tickets.Filter{To: recent.From}, "old"}, {"handler-env", tickets.Filter{Tag: hot.ID, Text: "drilling"}, "new0"}, {"handler-env", tickets.Filter{Area: "nowhere"}, ""},
	} {
		got := o.list(tt.user, tickets.ViewAll, tt.f)
		slices.Sort(got)
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%+v of %s: %v, want %s", tt.f, tt.user, got, tt.want)
		}
	}
	mine := must(o.SaveFilter(ctx, o.as("handler-env"), tickets.SavedFilter{Name: " recent  ones ", View: tickets.ViewOpen, Filter: recent}))
	if _, err := o.SaveFilter(ctx, o.as("handler-env"), tickets.SavedFilter{Name: "x", View: tickets.ViewOpen, Shared: true}); !errors.Is(err, tickets.ErrForbidden) {
		t.Errorf("a handler shares: %v", err)
	}
	shared := must(o.SaveFilter(ctx, o.as("head-env"), tickets.SavedFilter{Name: "hot", View: tickets.ViewOpen, Shared: true, Filter: tickets.Filter{Tag: hot.ID, Kind: "complaint", Lead: env.Lead, State: old.State}}))
	must(o.SaveFilter(ctx, o.as("head-env"), tickets.SavedFilter{Name: "words", View: tickets.ViewAll, Shared: true, Filter: tickets.Filter{Text: "drilling"}}))
	got := must(o.SavedFilters(ctx, o.as("handler-env")))
	if len(got) != 3 || got[0].Name != "hot" || got[0].Filter != shared.Filter || got[2].Name != "recent ones" || !got[2].Filter.From.Equal(recent.From) {
		t.Fatalf("%+v", got)
	}
	counts := must(o.FilterCounts(ctx, o.as("handler-env"), got))
	if counts[shared.ID].N != 1 || counts[mine.ID].N != 3 || counts[got[1].ID].N != 4 || counts[mine.ID].More {
		t.Errorf("counts %v", counts)
	}
	if got := must(o.SavedFilters(ctx, o.as("handler-util"))); len(got) != 0 {
		t.Errorf("another agency reads %+v", got)
	}
	if err := o.DeleteFilter(ctx, o.as("handler-env"), shared.ID); !errors.Is(err, tickets.ErrForbidden) {
		t.Errorf("a handler deletes a shared one: %v", err)
	}
	if err := o.DeleteFilter(ctx, o.as("head-env"), mine.ID); !errors.Is(err, tickets.ErrFilterNotFound) {
		t.Errorf("somebody else's: %v", err)
	}
	if err := errors.Join(o.RenameFilter(ctx, o.as("head-env"), shared.ID, "  Noise,  all "), o.RenameFilter(ctx, o.as("handler-env"), mine.ID, "Mine")); err != nil {
		t.Error(err)
	}
	if got := must(o.SavedFilters(ctx, o.as("handler-env"))); len(got) != 3 || got[0].Name != "Noise, all" || got[0].View != shared.View {
		t.Errorf("renamed: %+v", got)
	}
	for want, err := range map[error]error{tickets.ErrForbidden: o.RenameFilter(ctx, o.as("handler-env"), shared.ID, "x"), tickets.ErrFilterNotFound: o.RenameFilter(ctx, o.as("head-env"), mine.ID, "x"),
		tickets.ErrMissing: o.RenameFilter(ctx, o.as("handler-env"), mine.ID, " ")} {
		if !errors.Is(err, want) {
			t.Errorf("renamed: %v, want %v", err, want)
		}
	}
	if err := errors.Join(o.DeleteFilter(ctx, o.as("head-env"), shared.ID), o.DeleteFilter(ctx, o.as("handler-env"), mine.ID)); err != nil {
		t.Error(err)
	}
	for i := range 12 {
		must(o.SaveFilter(ctx, o.as("operator"), tickets.SavedFilter{Name: fmt.Sprint(i), View: tickets.ViewAll}))
	}
	if _, err := o.SaveFilter(ctx, o.as("operator"), tickets.SavedFilter{Name: "13", View: tickets.ViewAll}); !errors.Is(err, tickets.ErrTooManyFilters) {
		t.Errorf("the thirteenth: %v", err)
	}
	for name, f := range map[string]tickets.SavedFilter{"no name": {View: tickets.ViewAll}, "no view": {Name: "x", View: "mine"}, "long": {Name: strings.Repeat("x", 61), View: tickets.ViewAll}} {
		if _, err := o.SaveFilter(ctx, o.as("dispatcher"), f); err == nil {
			t.Errorf("%s is saved", name)
		}
	}
}

func TestFacetsStayCheapWhateverTheyMatch(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.fill(20_000)
	a := o.as("dispatcher")
	for _, g := range must(o.Tags(t.Context(), a)) {
		for _, v := range []tickets.View{tickets.ViewAll, tickets.ViewOpen, tickets.ViewClosed} {
			sql, args, settings, way, err := o.ListSQL(a, v, tickets.Filter{Tag: g.ID}, "", 25)
			if err != nil || (way == "tag") != (g.Name == "rare") {
				t.Fatalf("%s is read by %q: %v", g.Name, way, err)
			}
			if root, indexes := o.planUnder(settings, a, sql, args); root.read(map[string]bool{}) > 600 || anySeq(indexes) {
				t.Errorf("%s with the tag %s reads %.0f rows over %v", v, g.Name, root.read(map[string]bool{}), indexes)
			}
			page, err := o.List(t.Context(), a, v, tickets.Filter{Tag: g.ID}, "", 100)
			if want := map[tickets.View]int{tickets.ViewAll: 20, tickets.ViewOpen: 0, tickets.ViewClosed: 20}; err != nil || g.Name == "rare" && len(page.Rows) != want[v] || g.Name == "common" && len(page.Rows) != 100 {
				t.Errorf("%s with the tag %s finds %d: %v", v, g.Name, len(page.Rows), err)
			}
		}
	}
	var rare uuid.UUID
	for _, g := range must(o.Tags(t.Context(), a)) {
		if g.Name == "rare" {
			rare = g.ID
		}
	}
	for _, tt := range []struct {
		what string
		f    tickets.Filter
		way  string
		most float64
		want tickets.Count
	}{
		// Twenty of twenty thousand, all over the view: counted by the tag.
		{"a rare facet", tickets.Filter{Tag: rare}, "tag", 100, tickets.Count{N: 20}},
		{"a facet of none", tickets.Filter{Kind: "praise"}, "kind", 100, tickets.Count{}},
		{"a facet without an index, of none", tickets.Filter{Kind: "consult"}, "", 1100, tickets.Count{More: true}},
		{"a common facet", tickets.Filter{Kind: "complaint"}, "", 250, tickets.Count{N: 101, More: true}},
	} {
		saved := tickets.SavedFilter{View: tickets.ViewAll, Filter: tt.f}
		sql, args, err := o.FilterCountSQL(a, saved, tt.way)
		if err != nil {
			t.Fatal(err)
		}
		if root, indexes := o.planUnder(tickets.CountSettings, a, sql, args); root.read(map[string]bool{}) > tt.most || anySeq(indexes) {
			t.Errorf("the count of %s reads %.0f rows over %v", tt.what, root.read(map[string]bool{}), indexes)
		}
		if c := must(o.FilterCounts(t.Context(), a, []tickets.SavedFilter{saved}))[uuid.Nil]; c != tt.want {
			t.Errorf("the count of %s is %+v, want %+v", tt.what, c, tt.want)
		}
	}
}
