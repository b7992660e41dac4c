package tickets_test

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"hotline/tickets"
)

// noticed lists the notices of a person, as "type".
func (o *office) noticed(user string, k uuid.UUID) string {
	o.Helper()
	rows, err := o.owner.Query(o.Context(), `select type from notifications where user_id = $1 and ticket_id = $2 order by created_at, type`, o.city.Users[user], k)
	if err != nil {
		o.Fatal(err)
	}
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			o.Fatal(err)
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func TestWatchersHearOfEveryEntry(t *testing.T) {
	t.Parallel()
	o := open(t)
	ctx := t.Context()
	k := o.inProgress()
	other := o.inProgress()
	me := func(user string) uuid.UUID { return o.city.Users[user] }
	if added, err := o.Watch(ctx, o.as("head-env"), k.ID, me("head-env")); err != nil || !added {
		t.Fatalf("%v %v", added, err)
	}
	if added, err := o.Watch(ctx, o.as("head-env"), k.ID, me("head-env")); err != nil || added {
		t.Errorf("twice: %v %v", added, err)
	}
	if _, err := o.Watch(ctx, o.as("head-env"), k.ID, me("dispatcher")); err != nil { // the hotline sees it too
		t.Error(err)
	}
	if _, err := o.Watch(ctx, o.as("head-env"), other.ID, me("head-env")); err != nil {
		t.Error(err)
	}
	for user, want := range map[string]error{"handler-util": tickets.ErrUnknownUser, "administrator": tickets.ErrUnknownUser} {
		if _, err := o.Watch(ctx, o.as("head-env"), k.ID, me(user)); !errors.Is(err, want) {
			t.Errorf("%s, who does not see it: %v", user, err)
		}
	}
	if _, err := o.Watch(ctx, o.as("handler-util"), k.ID, me("handler-util")); !errors.Is(err, tickets.ErrNotFound) {
		t.Errorf("a stranger: %v", err)
	}
	o.clock.Advance(time.Minute)
	must(o.Note(ctx, o.as("head-env"), k.ID, "see me", ""))
	k = o.must("handler-env", k, tickets.AskCitizen, tickets.Fields{Text: "Since when?"})
	if got := o.noticed("head-env", k.ID); got != "watched" {
		t.Errorf("the head, who wrote the note, is told %q", got)
	}
	if got := o.noticed("dispatcher", k.ID); got != "watching watched watched" {
		t.Errorf("the dispatcher is told %q", got)
	}
	// What changed last is first in the list.
	if page, err := o.List(ctx, o.as("head-env"), tickets.ViewWatched, tickets.Filter{}, "", 10); err != nil || len(page.Rows) != 2 || page.Rows[0].ID != k.ID {
		t.Errorf("watched: %+v %v", page.Rows, err)
	}
	if n := must(o.Counts(ctx, o.as("head-env")))[tickets.ViewWatched]; n != 2 {
		t.Errorf("count %d", n)
	}
	if _, err := o.Unwatch(ctx, o.as("handler-env"), k.ID, me("dispatcher")); !errors.Is(err, tickets.ErrForbidden) {
		t.Errorf("a handler takes the dispatcher off: %v", err)
	}
	if gone, err := o.Unwatch(ctx, o.as("dispatcher"), k.ID, me("dispatcher")); err != nil || !gone {
		t.Errorf("%v %v", gone, err)
	}
	if got := must(o.Watchers(ctx, o.as("dispatcher"), k.ID)); len(got) != 1 || got[0].ID != me("head-env") {
		t.Errorf("watchers %+v", got)
	}
	// An agency that lost the ticket hears no more of it, though the row is there.
	k = o.must("citizen", k, tickets.CitizenReply, tickets.Fields{Text: "Since Monday."})
	k = o.must("handler-env", k, tickets.RequestTransfer, tickets.Fields{Reason: "not_responsible", Text: "Not ours.", Basis: "map"})
	if _, err := o.owner.Exec(ctx, `delete from ticket_access where ticket_id = $1 and agency_id = $2`, k.ID, o.city.Agencies["dept-environment"]); err != nil {
		t.Fatal(err)
	}
	before := o.noticed("head-env", k.ID)
	if _, err := o.owner.Exec(ctx, `update tickets set lead_id = null, past_ids = '{}' where id = $1`, k.ID); err != nil {
		t.Fatal(err)
	}
	must(o.Note(ctx, o.as("dispatcher"), k.ID, "gone", ""))
	if got := o.noticed("head-env", k.ID); got != before {
		t.Errorf("the head of an agency without the ticket hears %q, before %q", got, before)
	}
	if page, err := o.List(ctx, o.as("head-env"), tickets.ViewWatched, tickets.Filter{}, "", 10); err != nil || len(page.Rows) != 1 {
		t.Errorf("watched: %+v %v", page.Rows, err)
	}
}

// Lists of marked tickets are filtered by what the ticket is now, not by what it was when somebody marked it.
func TestFacetsOfMarkedTicketsFollowTheTicket(t *testing.T) {
	t.Parallel()
	o := open(t)
	ctx := t.Context()
	if _, err := o.owner.Exec(ctx, `update users set name = 'Ann Lee' where id = $1`, o.city.Users["head-env"]); err != nil {
		t.Fatal(err)
	}
	k, other := o.inProgress(), o.inProgress()
	for _, id := range []uuid.UUID{k.ID, other.ID} {
		must(o.Watch(ctx, o.as("head-env"), id, o.city.Users["head-env"]))
		must(o.Note(ctx, o.as("handler-env"), id, "@Ann Lee, please look", ""))
	}
	check := func(f tickets.Filter, want ...uuid.UUID) {
		t.Helper()
		for _, v := range []tickets.View{tickets.ViewWatched, tickets.ViewMentioned} {
			page := must(o.List(ctx, o.as("head-env"), v, f, "", 10))
			if len(page.Rows) != len(want) || len(want) == 1 && page.Rows[0].ID != want[0] {
				t.Errorf("%s, %+v: %+v, want %v", v, f, page.Rows, want)
			}
			saved := []tickets.SavedFilter{{ID: uuid.New(), View: v, Filter: f}}
			if n := must(o.FilterCounts(ctx, o.as("head-env"), saved))[saved[0].ID]; n.N != len(want) || n.More {
				t.Errorf("%s, %+v: counts %+v, want %d", v, f, n, len(want))
			}
		}
	}
	env := o.city.Agencies["dept-environment"]
	all := tickets.Filter{Kind: k.Kind, Category: k.Category, Urgency: k.Urgency, Area: k.Area, Lead: env, From: k.OpenedAt, To: k.OpenedAt.Add(time.Hour)}
	check(all, k.ID, other.ID)
	check(tickets.Filter{State: tickets.InProgress}, k.ID, other.ID)
	k = o.must("handler-env", k, tickets.AskCitizen, tickets.Fields{Text: "Since when?"})
	check(tickets.Filter{State: tickets.AwaitingCitizen}, k.ID)
	check(tickets.Filter{State: tickets.InProgress}, other.ID)
	k = o.must("citizen", k, tickets.CitizenReply, tickets.Fields{Text: "Since Monday."})
	k = o.must("handler-env", k, tickets.RequestTransfer, tickets.Fields{Reason: "not_responsible", Text: "Not ours.", Basis: "map"})
	k = o.must("dispatcher", k, tickets.ApproveTransfer, tickets.Fields{})
	check(tickets.Filter{State: tickets.PendingDispatch}, k.ID)
	o.must("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: o.city.Agencies["dept-utilities"]})
	check(all, other.ID)
	check(tickets.Filter{Lead: o.city.Agencies["dept-utilities"]}, k.ID)
	check(tickets.Filter{Kind: "praise"})
}

func TestANoteCallsPeopleByName(t *testing.T) {
	t.Parallel()
	o := open(t)
	ctx := t.Context()
	for user, name := range map[string]string{"handler-env": "李娜", "head-env": "Ann Lee", "cleared-env": "Ann", "dispatcher": "Bo Lindqvist", "handler-util": "Zed"} {
		if _, err := o.owner.Exec(ctx, `update users set name = $2 where id = $1`, o.city.Users[user], name); err != nil {
			t.Fatal(err)
		}
	}
	k := o.inProgress()
	for _, tt := range []struct{ by, text, want string }{
		{"operator", "@李娜请看一下", "handler-env"}, {"operator", "Hello @ann lee, please", "head-env"}, {"operator", "@Ann and @bo lindqvist.", "cleared-env dispatcher"},
		{"operator", "@Annika and mail@anna.example", ""}, {"operator", "@Zed sees nothing", ""}, {"dispatcher", "I, @Bo Lindqvist", ""}, {"operator", "＠李娜 全角", "handler-env"}, {"operator", "Ann Lee without a sign", ""},
	} {
		if _, err := o.owner.Exec(ctx, `delete from ticket_mentions; delete from notifications where type = 'mentioned'`); err != nil {
			t.Fatal(err)
		}
		must(o.Note(ctx, o.as(tt.by), k.ID, tt.text, ""))
		var got []string
		for _, user := range []string{"cleared-env", "dispatcher", "handler-env", "handler-util", "head-env"} {
			if strings.Contains(o.noticed(user, k.ID), "mentioned") {
				got = append(got, user)
			}
			n := must(o.Counts(ctx, o.as(user)))[tickets.ViewMentioned]
			if (n == 1) != slices.Contains(got, user) {
				t.Errorf("%q: %s counts %d", tt.text, user, n)
			}
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%q calls %v, want %s", tt.text, got, tt.want)
		}
	}
	must(o.Note(ctx, o.as("operator"), k.ID, "@李娜", ""))
	if err := o.SeeMentions(ctx, o.as("handler-env"), k.ID); err != nil {
		t.Fatal(err)
	}
	if n := must(o.Counts(ctx, o.as("handler-env")))[tickets.ViewMentioned]; n != 0 {
		t.Errorf("after a look: %d", n)
	}
	if got := o.list("handler-env", tickets.ViewMentioned, tickets.Filter{}); len(got) != 1 {
		t.Errorf("the list keeps it: %v", got)
	}
	// A confidential ticket calls only those who are cleared for it.
	secret := o.must("dispatcher", o.file(func(d *tickets.Draft) { d.Kind = "report" }), tickets.Dispatch, tickets.Fields{Lead: o.city.Agencies["dept-environment"]})
	must(o.Note(ctx, o.as("supervisor"), secret.ID, "@李娜 @Ann", ""))
	if got := o.noticed("handler-env", secret.ID) + "|" + o.noticed("cleared-env", secret.ID); got != "|mentioned" {
		t.Errorf("confidential: %s", got)
	}
	names := func(q string) string {
		var out []string
		for _, p := range must(o.People(ctx, o.as("handler-env"), k.ID, q, 20)) {
			out = append(out, p.Name)
		}
		return strings.Join(out, ", ")
	}
	for q, want := range map[string]string{"ann": "Ann, Ann Lee", "lee": "Ann Lee", "李": "李娜", "zed": "", "%": ""} {
		if got := names(q); got != want {
			t.Errorf("%q completes to %q, want %q", q, got, want)
		}
	}
	if _, err := o.People(ctx, o.as("handler-util"), k.ID, "", 20); !errors.Is(err, tickets.ErrNotFound) {
		t.Errorf("a stranger: %v", err)
	}
}

// Two people who write notes, tag, watch and act at the same moment lose nothing of it, whatever the order.
func TestTwoStaffAtOnceLoseNothing(t *testing.T) {
	t.Parallel()
	o := open(t)
	ctx := t.Context()
	users := []string{"handler-env", "head-env"}
	rapid.Check(t, func(rt *rapid.T) {
		k := o.inProgress()
		type step struct {
			what string
			n    int
		}
		plans := make([][]step, len(users))
		for i := range plans {
			plans[i] = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
				return step{rapid.SampledFrom([]string{"note", "tag", "untag", "watch", "unwatch", "assign"}).Draw(t, "what"), rapid.IntRange(0, 3).Draw(t, "n")}
			}), 1, 6).Draw(rt, users[i])
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		var notes []string
		wantTags := map[string]bool{}
		wantWatch := map[string]bool{}
		fail := func(format string, args ...any) { mu.Lock(); defer mu.Unlock(); o.Errorf(format, args...) }
		for i, user := range users {
			wg.Go(func() {
				a := o.as(user)
				own := map[string]uuid.UUID{}
				watching := false
				for j, s := range plans[i] {
					switch name := fmt.Sprintf("%s-%d", user, s.n); s.what { // each has words of their own, so the outcome is known
					case "note":
						text := fmt.Sprintf("%s %d", user, j)
						if _, err := o.Note(ctx, a, k.ID, text, ""); err != nil {
							fail("note: %v", err)
						}
						mu.Lock()
						notes = append(notes, text)
						mu.Unlock()
					case "tag":
						g, _, err := o.AddTag(ctx, a, k.ID, name)
						if err != nil {
							fail("tag: %v", err)
						}
						own[name] = g.ID
					case "untag":
						if g, ok := own[name]; ok {
							if removed, err := o.RemoveTag(ctx, a, k.ID, g); err != nil || !removed {
								fail("untag: %v %v", removed, err)
							}
							delete(own, name)
						}
					case "watch":
						if _, err := o.Watch(ctx, a, k.ID, o.city.Users[user]); err != nil {
							fail("watch: %v", err)
						}
						watching = true
					case "unwatch":
						if removed, err := o.Unwatch(ctx, a, k.ID, o.city.Users[user]); err != nil || removed != watching {
							fail("unwatch: %v %v", removed, err)
						}
						watching = false
					case "assign":
						if _, err := o.Assign(ctx, o.as("head-env"), k.ID, tickets.AnyVersion, o.city.Users[user], ""); err != nil {
							fail("assign: %v", err)
						}
					}
				}
				mu.Lock()
				defer mu.Unlock()
				for name := range own {
					wantTags[name] = true
				}
				wantWatch[user] = watching
			})
		}
		wg.Wait()
		var got []string
		for _, e := range must(o.Timeline(ctx, o.as("head-env"), k.ID)) {
			if e.Type == "note" {
				got = append(got, e.Data.Text)
			}
		}
		sort.Strings(got)
		sort.Strings(notes)
		if !slices.Equal(got, notes) {
			rt.Errorf("notes %v, written %v", got, notes)
		}
		tags := map[string]bool{}
		for _, g := range must(o.TagsOf(ctx, o.as("head-env"), k.ID))[k.ID] {
			tags[g.Name] = true
		}
		if fmt.Sprint(tags) != fmt.Sprint(wantTags) {
			rt.Errorf("tags %v, want %v", tags, wantTags)
		}
		for _, user := range users {
			watches := slices.ContainsFunc(must(o.Watchers(ctx, o.as("head-env"), k.ID)), func(p tickets.Person) bool { return p.ID == o.city.Users[user] })
			if watches != wantWatch[user] {
				rt.Errorf("%s watches: %v, want %v", user, watches, wantWatch[user])
			}
		}
		if err := o.VerifyHistory(ctx, o.as("supervisor"), k.ID); err != nil {
			rt.Errorf("history: %v", err)
		}
	})
}

// Whoever is known by a name in each script is called by either, and told once.
func TestMentionByTheNameInAnotherLanguage(t *testing.T) {
	t.Parallel()
	o := open(t)
	if _, err := o.owner.Exec(t.Context(), `update users set name = 'Lu Qing', names = '{"zh-CN": "陆青"}' where id = $1`, o.city.Users["handler-env"]); err != nil {
		t.Fatal(err)
	}
	k := o.dispatched()
	for i, text := range []string{"@陆青请看一下", "@Lu Qing please look", "@陆青 @Lu Qing 两个名字"} {
		if _, err := o.Note(t.Context(), o.as("dispatcher"), k.ID, text, ""); err != nil {
			t.Fatal(err)
		}
		var told int
		if err := o.owner.QueryRow(t.Context(), `select count(*) from notifications where user_id = $1 and type = 'mentioned'`, o.city.Users["handler-env"]).Scan(&told); err != nil || told != i+1 {
			t.Errorf("after %q told %d times, %v", text, told, err)
		}
	}
	for _, name := range []string{"陆", "qing"} {
		found, err := o.People(t.Context(), o.as("dispatcher"), k.ID, name, 8)
		if err != nil || len(found) != 1 || found[0].NameIn("zh-CN") != "陆青" || found[0].NameIn("en") != "Lu Qing" {
			t.Errorf("%s finds %v, %v", name, found, err)
		}
	}
}
