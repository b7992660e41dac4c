package tickets_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/tickets"
	"hotline/tickets/likeness"
)

func place(lat, lon float64) func(*tickets.Draft) {
	return func(d *tickets.Draft) { d.Lat, d.Lon = &lat, &lon }
}

func saying(category, title, text string) func(*tickets.Draft) {
	return func(d *tickets.Draft) { d.Category, d.Title, d.Description = category, title, text }
}

func by(contact *uuid.UUID) func(*tickets.Draft) {
	return func(d *tickets.Draft) { d.ContactID = contact }
}

func (o *office) alike(user string, t tickets.Ticket) []tickets.Duplicate {
	o.Helper()
	return must(o.Duplicates(o.Context(), o.as(user), t.ID))
}

func codes(d tickets.Duplicate) string {
	var out []string
	for _, r := range d.Reasons {
		out = append(out, r.Code)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func TestDuplicatesAreFoundWithTheirReasons(t *testing.T) {
	t.Parallel()
	o := open(t)
	phone := o.contact("+86 138 0000 1234", "")
	again := o.contact("１３８-0000-1234", "")
	first := o.file(saying("environment.noise", "Drilling at night", "Drilling next to the school keeps us awake."), place(31.2000, 125.3), by(phone))
	o.clock.Advance(3 * time.Hour)
	neighbour := o.file(saying("environment.noise", "夜间施工", "学校旁边工地夜间施工"), place(31.2004, 125.3))
	samePerson := o.file(saying("environment.noise", "Noise again", "They are drilling next to the school again."), by(again))
	chinese := o.file(saying("environment.noise", "夜间施工", "学校旁边的工地半夜施工，吵得睡不着"))
	far := o.file(saying("environment.noise", "Music", "A bar plays music"), place(31.4, 125.1))
	other := o.file(saying("utilities.water", "No water", "The tap is dry since this morning"), place(31.2001, 125.3))

	got := o.alike("operator", first)
	found := map[uuid.UUID]tickets.Duplicate{}
	for _, d := range got {
		found[d.ID] = d
	}
	if d := found[neighbour.ID]; d.Score < likeness.Likely || codes(d) != "distance same_category time" || d.Number != neighbour.Number {
		t.Errorf("the neighbour: %.2f %q", d.Score, codes(d))
	}
	if d := found[samePerson.ID]; d.Score < likeness.Likely || !strings.Contains(codes(d), "same_contact") {
		t.Errorf("the same telephone, written otherwise: %.2f %q", d.Score, codes(d))
	}
	for name, k := range map[string]tickets.Ticket{"the bar": far, "the water": other, "itself": first} {
		if _, ok := found[k.ID]; ok {
			t.Errorf("%s is called a duplicate: %q", name, codes(found[k.ID]))
		}
	}
	if !slices.IsSortedFunc(got, func(a, b tickets.Duplicate) int { return int((b.Score - a.Score) * 1e9) }) {
		t.Error("not the most likely first")
	}
	// Two texts in Chinese, without a place or a person in common.
	if list := o.alike("operator", chinese); !slices.ContainsFunc(list, func(d tickets.Duplicate) bool { return d.ID == neighbour.ID && strings.Contains(codes(d), "text") }) {
		t.Errorf("the Chinese texts do not meet: %+v", list)
	}
	// What is merged stands under its parent.
	o.must("dispatcher", neighbour, tickets.Merge, tickets.Fields{Parent: samePerson.ID})
	for _, d := range o.alike("operator", first) {
		if d.ID == neighbour.ID {
			t.Error("a merged ticket is offered by itself")
		}
	}
	for _, d := range o.alike("operator", samePerson) {
		if d.ID == neighbour.ID {
			t.Error("what is merged already is offered again")
		}
	}
}

// Who is cleared sees a report beside a complaint of the same place, and not that one person filed both: that takes a reason, which is recorded.
func TestDuplicatesDoNotSayWhoFiledAReport(t *testing.T) {
	t.Parallel()
	o := open(t)
	spot := place(31.2, 125.3)
	phone := o.contact("+86 138 0000 1234", "")
	complaint := o.file(spot, by(phone))
	for who, actor := range map[string]db.Actor{"a citizen": citizen(complaint).DB, "nobody": {}} {
		var kin []uuid.UUID
		err := db.ReadTx(o.Context(), o.pool, actor, func(tx db.Tx) error { return tx.QueryRow(o.Context(), `select contact_kin($1)`, *phone).Scan(&kin) })
		if err != nil || len(kin) != 0 {
			t.Errorf("%s learns of %d contacts of one person: %v", who, len(kin), err)
		}
	}
	report := o.file(spot, by(o.contact("13800001234", "")), func(d *tickets.Draft) { d.Kind = "report" })
	for from, other := range map[uuid.UUID]tickets.Ticket{complaint.ID: report, report.ID: complaint} {
		list := must(o.Duplicates(o.Context(), o.as("supervisor"), from))
		i := slices.IndexFunc(list, func(d tickets.Duplicate) bool { return d.ID == other.ID })
		if i < 0 || strings.Contains(codes(list[i]), "same_contact") {
			t.Errorf("from %s: %+v", from, list)
		}
	}
}

func TestDuplicatesStayBehindTheWall(t *testing.T) {
	t.Parallel()
	o := open(t)
	spot := place(31.2, 125.3)
	open := o.file(spot)
	report := o.file(spot, func(d *tickets.Draft) { d.Kind = "report" })
	ours := o.dispatched(spot)
	if list := o.alike("operator", open); len(list) != 1 || list[0].ID != ours.ID {
		t.Errorf("an operator who is not cleared sees %d, the report among them or nothing", len(list))
	}
	if list := o.alike("supervisor", open); !slices.ContainsFunc(list, func(d tickets.Duplicate) bool { return d.ID == report.ID }) {
		t.Error("a cleared supervisor does not see the report")
	}
	if list := o.alike("handler-env", ours); len(list) != 0 {
		t.Errorf("the lead sees %d tickets of the hotline", len(list))
	}
	if _, err := o.Duplicates(t.Context(), o.as("handler-util"), ours.ID); !errors.Is(err, tickets.ErrNotFound) {
		t.Errorf("a stranger: %v", err)
	}
	if _, err := o.Duplicates(t.Context(), citizen(open), open.ID); !errors.Is(err, tickets.ErrForbidden) {
		t.Errorf("the citizen: %v", err)
	}
	// The function itself, with an agency that the caller invents.
	for who, a := range map[string]db.Actor{"another agency": o.city.Staff("handler-util"), "nobody": {}, "a citizen": db.CitizenOfTicket(open.ID)} {
		var n int
		err := db.ReadTx(t.Context(), o.pool, a, func(tx db.Tx) error {
			return tx.QueryRow(t.Context(), `select count(*) from duplicate_candidates($1, false, null, null, null, 'environment.noise', '{}', '{drill}', now() - interval '1000 years', now() + interval '1000 years', 100)`,
				o.city.Agencies["hotline"]).Scan(&n)
		})
		if n != 0 {
			t.Errorf("%s gets %d candidates (%v)", who, n, err)
		}
	}
}

func TestCitizensAreAskedAboutPublicMattersOnly(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.route.Category, o.route.Area = "environment.noise", "street-east-1"
	spot := place(31.2, 125.3)
	o.file(spot, func(d *tickets.Draft) { d.Kind, d.Place = "report", "Mr Zhang's flat" })
	d := o.draft()
	spot(&d)
	if near := must(o.Nearby(t.Context(), d)); len(near) != 0 {
		t.Fatalf("a report is offered to the public: %+v", near)
	}
	known := o.file(spot)
	closed := o.file(spot)
	o.must("citizen", closed, tickets.Withdraw, tickets.Fields{})
	o.clock.Advance(time.Hour)
	near := must(o.Nearby(t.Context(), d))
	if len(near) != 1 || near[0].ID != known.ID || near[0].Reporters != 1 || near[0].Title != "" || near[0].Metres != 0 || near[0].Area != "street-east-1" {
		t.Fatalf("%+v", near)
	}
	for _, secret := range []string{"Drilling", "夜间", known.Number} {
		if strings.Contains(fmt.Sprint(near), secret) {
			t.Errorf("another's %q is shown", secret)
		}
	}
	d.Confidential = true
	if near := must(o.Nearby(t.Context(), d)); len(near) != 0 {
		t.Error("a confidential draft is compared")
	}
	d.Confidential = false
	d.Title, d.Description, d.Category = "Music", "A bar plays music", "environment.waste"
	if near := must(o.Nearby(t.Context(), d)); len(near) != 0 {
		t.Errorf("another matter in the same house: %+v", near)
	}
}

// A look for duplicates reads little, whatever the tables hold.
func TestDuplicatesReadLittle(t *testing.T) {
	t.Parallel()
	o := open(t)
	const n = 20_000
	o.fill(n)
	k := o.file(place(31.2, 125.3), saying("environment.noise", "case w17", "case w17 drilling"))
	if _, err := o.owner.Exec(t.Context(), `analyze tickets; analyze ticket_access; analyze ticket_search`); err != nil {
		t.Fatal(err)
	}
	var before, after int64
	reads := func(into *int64) {
		t.Helper()
		if _, err := o.owner.Exec(t.Context(), `select pg_stat_force_next_flush()`); err != nil {
			t.Fatal(err)
		}
		if err := o.owner.QueryRow(t.Context(), `select sum(seq_tup_read + idx_tup_fetch) from pg_stat_user_tables where relname in ('tickets', 'ticket_access', 'ticket_search', 'mass_events')`).Scan(into); err != nil {
			t.Fatal(err)
		}
	}
	reads(&before)
	err := db.ReadTx(t.Context(), o.pool, o.as("operator").DB, func(tx db.Tx) error {
		if _, err := tx.Exec(t.Context(), `select pg_stat_force_next_flush()`); err != nil {
			return err
		}
		_, err := tx.Exec(t.Context(), `select count(*) from duplicate_candidates(null, false, $1, null, null, 'environment.noise', '{1}', '{case,w17,drill}', '2000-01-01', '2100-01-01', 150)`, k.ID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	reads(&after)
	t.Logf("%d rows read", after-before)
	if read := after - before; read == 0 || read > 3000 {
		t.Errorf("%d rows read to find the candidates among %d tickets", read, n)
	}
}
