package tickets_test

import (
	"errors"
	"testing"
	"time"

	"hotline/internal/errs"
	"hotline/tickets"
)

func TestWhatIsKnownOfAPersonBeforeTheyFile(t *testing.T) {
	t.Parallel()
	o := open(t)
	phone, mail := o.contact("+86 138 0000 1234", ""), o.contact("", "Chen@Example.org")
	first := o.file(saying("environment.noise", "Drilling at night", "Drilling next to the school keeps us awake."), by(phone))
	o.clock.Advance(time.Hour)
	water := o.file(saying("utilities.water", "No water", "The tap is dry since this morning"), by(mail))
	water = o.must("dispatcher", water, tickets.Dispatch, tickets.Fields{Lead: o.city.Agencies["dept-utilities"]})
	secret := o.file(saying("environment.noise", "Bribes", "The inspector takes money"), by(phone), func(d *tickets.Draft) { d.Kind = "report" })
	k := must(o.EarlierCases(t.Context(), o.as("operator"), "138-0000-1234", "chen@example.ORG"))
	if len(k) != 2 || k[0].ID != water.ID || k[1].ID != first.ID {
		t.Errorf("the desk sees %+v", k)
	}
	for _, c := range k {
		if c.ID == secret.ID {
			t.Error("a confidential case tells who filed it")
		}
	}
	// An agency sees its own cases.
	k = must(o.EarlierCases(t.Context(), o.as("handler-util"), "13800001234", "chen@example.org"))
	if len(k) != 1 || k[0].ID != water.ID {
		t.Errorf("the utilities see %+v", k)
	}
	// Too little of a number is nobody's.
	if k = must(o.EarlierCases(t.Context(), o.as("operator"), "1234", "")); len(k) != 0 {
		t.Errorf("four digits find %+v", k)
	}
	if _, err := o.EarlierCases(t.Context(), tickets.CitizenBy(o.as("operator").DB), "13800001234", ""); errs.KindOf(err) != errs.Forbidden {
		t.Errorf("a citizen: %v", err)
	}

	// The draft is compared as the reader sees the others.
	d := tickets.Draft{Kind: "complaint", Category: "environment.noise", Description: "Drilling next to the school keeps us awake"}
	found := must(o.DuplicatesOf(t.Context(), o.as("operator"), d, "13800001234", ""))
	if len(found) == 0 || found[0].ID != first.ID || codes(found[0]) != "same_category same_contact text time" {
		t.Errorf("the desk finds %+v", found)
	}
	if found = must(o.DuplicatesOf(t.Context(), o.as("handler-util"), d, "13800001234", "")); len(found) != 0 {
		t.Errorf("the utilities find %+v", found)
	}
	// In confidence the person is nobody.
	d.Confidential = true
	for _, one := range must(o.DuplicatesOf(t.Context(), o.as("operator"), d, "13800001234", "")) {
		for _, reason := range one.Reasons {
			if reason.Code == "same_contact" {
				t.Error("a confidential draft was compared by its contact")
			}
		}
	}
	if _, err := o.DuplicatesOf(t.Context(), tickets.CitizenBy(o.as("operator").DB), d, "", ""); !errors.Is(err, tickets.ErrForbidden) {
		t.Errorf("a citizen: %v", err)
	}
}

// Somebody left a telephone number with one case and an address with another: whoever gives both is the contact of both.
func TestPhoneAndAddressOfTwoContactsAreOnePerson(t *testing.T) {
	t.Parallel()
	o := open(t)
	byPhone := o.file(saying("environment.noise", "Drilling at night", "Drilling next to the school keeps us awake."), by(o.contact("138 0000 5678", "")))
	byMail := o.file(saying("environment.noise", "Drilling again", "The drilling next to the school goes on."), by(o.contact("", "wu@example.org")))
	d := tickets.Draft{Kind: "complaint", Category: "environment.noise", Description: "Drilling next to the school keeps us awake"}
	found := must(o.DuplicatesOf(t.Context(), o.as("operator"), d, "13800005678", "wu@example.org"))
	same := map[string]bool{}
	for _, one := range found {
		for _, reason := range one.Reasons {
			if reason.Code == "same_contact" {
				same[one.Number] = true
			}
		}
	}
	if len(found) != 2 || !same[byPhone.Number] || !same[byMail.Number] {
		t.Errorf("found %+v; of the same contact: %v", found, same)
	}
}
