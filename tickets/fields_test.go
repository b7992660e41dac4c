package tickets_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"hotline/tickets"
)

func TestFieldsOfACategory(t *testing.T) {
	t.Parallel()
	o := open(t)
	ctx := t.Context()
	admin := o.as("administrator")
	def := func(f tickets.CustomField) tickets.CustomField {
		t.Helper()
		f.Active = true
		return must(o.SaveField(ctx, admin, f))
	}
	level := def(tickets.CustomField{Category: "environment", Code: "decibel", Names: en("Loudness"), Type: tickets.FieldNumber, Closing: true})
	def(tickets.CustomField{Category: "environment.noise", Code: "source", Names: map[string]string{"en": "Source", "zh-CN": "噪声源"}, Type: tickets.FieldChoice,
		Choices: []tickets.FieldChoiceOption{{Code: "site", Names: en("Building site")}, {Code: "bar", Names: en("Bar")}}})
	def(tickets.CustomField{Category: "environment.noise", Code: "permit", Names: en("Permit"), Type: tickets.FieldText, Position: 1})
	def(tickets.CustomField{Category: "utilities.water", Code: "meter", Names: en("Meter"), Type: tickets.FieldText})
	for name, tt := range map[string]struct {
		by   string
		f    tickets.CustomField
		want error
	}{
		"a supervisor": {"supervisor", tickets.CustomField{Category: "environment", Code: "x", Names: en("x"), Type: tickets.FieldText}, tickets.ErrForbidden},
		"again":        {"administrator", tickets.CustomField{Category: "environment", Code: "decibel", Names: en("x"), Type: tickets.FieldText}, tickets.ErrFieldExists},
		"no category":  {"administrator", tickets.CustomField{Category: "moon", Code: "x", Names: en("x"), Type: tickets.FieldText}, tickets.ErrUnknownCategory},
		"bad code":     {"administrator", tickets.CustomField{Category: "environment", Code: "X y", Names: en("x"), Type: tickets.FieldText}, tickets.ErrBadField},
		"one choice":   {"administrator", tickets.CustomField{Category: "environment", Code: "x", Names: en("x"), Type: tickets.FieldChoice, Choices: []tickets.FieldChoiceOption{{Code: "a"}}}, tickets.ErrBadField},
		"stale":        {"administrator", tickets.CustomField{ID: level.ID, Version: 7, Category: "environment", Code: "decibel", Names: en("x"), Type: tickets.FieldNumber}, tickets.ErrFieldStale},
	} {
		if _, err := o.SaveField(ctx, o.as(tt.by), tt.f); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	k := o.inProgress()
	var codes []string
	for _, f := range must(o.CustomFields(ctx, o.as("handler-env"), k.Category)) {
		codes = append(codes, f.Code)
	}
	if strings.Join(codes, " ") != "decibel source permit" {
		t.Errorf("fields %v", codes)
	}
	set := func(user string, values map[string]string) error { return o.SetFields(ctx, o.as(user), k.ID, values) }
	for name, tt := range map[string]struct {
		values map[string]string
		want   error
	}{
		"no number": {map[string]string{"decibel": "loud"}, tickets.ErrBadField}, "no such choice": {map[string]string{"source": "moon"}, tickets.ErrBadField},
		"another category's": {map[string]string{"meter": "7"}, tickets.ErrBadField}, "too long": {map[string]string{"permit": strings.Repeat("x", 2001)}, tickets.ErrTooLong},
	} {
		if err := set("handler-env", tt.values); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// An answer waits for what it needs.
	if _, err := o.Apply(ctx, o.as("handler-env"), k.ID, k.Version, tickets.Reply, answer(), ""); !errors.Is(err, tickets.ErrMissing) {
		t.Errorf("an answer without the loudness: %v", err)
	}
	// Two people fill in different fields at once.
	var wg sync.WaitGroup
	for user, values := range map[string]map[string]string{"handler-env": {"decibel": "62,50", "source": "site"}, "dispatcher": {"permit": "Bauschein 夜间许可"}} {
		wg.Go(func() {
			if err := set(user, values); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got := must(o.FieldValues(ctx, o.as("handler-env"), k.ID))
	if got["decibel"].Value != "62.5" || got["source"].Value != "site" || got["permit"].Value != "Bauschein 夜间许可" || got["decibel"].Version != level.Version {
		t.Errorf("values %+v", got)
	}
	if found := o.list("dispatcher", tickets.ViewAll, tickets.Filter{Text: "夜间许可"}); len(found) != 1 {
		t.Errorf("search finds %v", found)
	}
	if err := set("handler-util", map[string]string{"decibel": "1"}); !errors.Is(err, tickets.ErrNotFound) {
		t.Errorf("a stranger: %v", err)
	}
	k = o.must("handler-env", must(o.ByID(ctx, o.as("handler-env"), k.ID)), tickets.Reply, answer())
	if err := o.VerifyHistory(ctx, o.as("supervisor"), k.ID); err != nil {
		t.Error(err)
	}
}
