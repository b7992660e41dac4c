package tickets_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"hotline/tickets"
)

// What staff have in hand is often a name of the case or of the person: the number as it was said on the telephone, a telephone number, an address.
func TestASearchFindsWhatANumberNames(t *testing.T) {
	t.Parallel()
	o := open(t)
	phone, mail := o.contact("+86 138 0000 1234", ""), o.contact("", "Chen@Example.org")
	first := o.file(titled("called"), by(phone))
	o.file(titled("again"), by(phone))
	o.file(titled("wrote"), by(mail))
	o.file(titled("secret"), by(phone), func(d *tickets.Draft) { d.Kind, d.Confidential = "report", true })
	o.file(titled("line"), func(d *tickets.Draft) { d.Description = "The poster says call 13800001234 for loans." })
	o.file(titled("landline"), by(o.contact("0755-26012345", "")))
	short := strings.TrimLeft(strings.SplitN(first.Number, "-", 2)[1], "0")
	for q, want := range map[string]string{
		first.Number: "called",
		strings.Replace(first.Number, "-", " ", 1): "called",
		"＃" + short:                             "called",
		strings.SplitN(first.Number, "-", 2)[1]: "called",
		"138-0000-1234":                         "again called",
		"+86 (138) 0000 1234":                   "again called",
		"13800001234":                           "again called line",
		"chen@example.ORG":                      "wrote",
		"nobody@example.org":                    "",
		"-@-.-":                                 "",
		"0755-26012345":                         "landline",
		"0000":                                  "",
	} {
		got := o.list("operator", tickets.ViewAll, tickets.Filter{Text: q})
		slices.Sort(got)
		if strings.Join(got, " ") != want {
			t.Errorf("%q finds %v, want %q", q, got, want)
		}
	}
	// The person's own cases come before those that only hold the words.
	if got := o.list("operator", tickets.ViewAll, tickets.Filter{Text: "13800001234"}); got[len(got)-1] != "line" {
		t.Errorf("ranked %v", got)
	}
	// An agency finds what it has.
	if got := o.list("handler-env", tickets.ViewAll, tickets.Filter{Text: "13800001234"}); len(got) != 0 {
		t.Errorf("an agency finds %v", got)
	}
	saved := tickets.SavedFilter{ID: first.ID, View: tickets.ViewAll, Filter: tickets.Filter{Text: "138-0000-1234"}}
	if counts := must(o.FilterCounts(t.Context(), o.as("operator"), []tickets.SavedFilter{saved})); counts[first.ID].N != 2 {
		t.Errorf("the saved filter counts %+v", counts)
	}
}

// The three lights as a filter find what the supervision board counts, also where no agency leads.
func TestALightFindsWhatTheBoardCounts(t *testing.T) {
	t.Parallel()
	o := open(t)
	env := tickets.Fields{Lead: o.city.Agencies["dept-environment"]}
	o.must("handler-env", o.must("dispatcher", o.file(titled("led")), tickets.Dispatch, env), tickets.Sign, tickets.Fields{})
	o.file(titled("ours"))
	for i := range 40 {
		found := 0
		for _, l := range must(o.service().Lights(t.Context(), o.as("supervisor"))) {
			lead := l.Agency
			if lead == [16]byte{} {
				lead = tickets.NoLead
			}
			for light, want := range map[string]int{"red": l.Red, "yellow": l.Yellow, "green": l.Green} {
				got := o.list("supervisor", tickets.ViewOpen, tickets.Filter{Lead: lead, Light: light})
				found += len(got)
				if len(got) != want {
					t.Fatalf("after %d days %s of %v finds %v, the board counts %d", i, light, l.Agency, got, want)
				}
				saved := tickets.SavedFilter{ID: l.Agency, View: tickets.ViewOpen, Filter: tickets.Filter{Lead: lead, Light: light}}
				if counts := must(o.FilterCounts(t.Context(), o.as("supervisor"), []tickets.SavedFilter{saved})); counts[l.Agency].N != want {
					t.Fatalf("the saved filter counts %+v, the board %d", counts, want)
				}
			}
		}
		if found != 2 {
			t.Fatalf("after %d days the lights have %d tickets, want 2", i, found)
		}
		o.clock.Advance(7 * time.Hour)
	}
}
