package tickets_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"

	"hotline/tickets"
)

func en(s string) map[string]string { return map[string]string{"en": s} }

func TestMacrosAreCheckedWhenTheyAreSaved(t *testing.T) {
	t.Parallel()
	o := open(t)
	ctx := t.Context()
	for name, tt := range map[string]struct {
		m    tickets.Macro
		want error
	}{
		"no name":               {tickets.Macro{Texts: en("Hello")}, tickets.ErrMissing},
		"nothing in it":         {tickets.Macro{Names: en("x")}, tickets.ErrMissing},
		"unknown variable":      {tickets.Macro{Names: en("x"), Texts: en("Dear {{name}}")}, tickets.ErrUnknownVariable},
		"half a variable":       {tickets.Macro{Names: en("x"), Texts: en("Dear {{contact}")}, tickets.ErrUnknownVariable},
		"in the other language": {tickets.Macro{Names: en("x"), Texts: map[string]string{"en": "ok", "zh-CN": "您好{{姓名}}"}}, tickets.ErrUnknownVariable},
		"in the note":           {tickets.Macro{Names: en("x"), Does: tickets.MacroDeeds{Note: "{{phone}}"}}, tickets.ErrUnknownVariable},
		"unknown mode":          {tickets.Macro{Names: en("x"), Texts: en("y"), Mode: "shout"}, tickets.ErrBadField},
		"unknown outcome":       {tickets.Macro{Names: en("x"), Texts: en("y"), Outcome: "great"}, tickets.ErrBadField},
		"a move that is none":   {tickets.Macro{Names: en("x"), Does: tickets.MacroDeeds{Move: "explode"}}, tickets.ErrNoMove},
		"a move with a gap":     {tickets.Macro{Names: en("x"), Does: tickets.MacroDeeds{Move: tickets.RequestReturn, Fields: tickets.Fields{Reason: "wrong_area"}}}, tickets.ErrMissing},
		"an unknown reason":     {tickets.Macro{Names: en("x"), Does: tickets.MacroDeeds{Move: tickets.RequestReturn, Fields: tickets.Fields{Reason: "mood", Basis: "none"}}}, tickets.ErrBadField},
		"somebody else's staff": {tickets.Macro{Names: en("x"), Does: tickets.MacroDeeds{Assign: uuid.NewString()}}, tickets.ErrUnknownUser},
		"a bad tag":             {tickets.Macro{Names: en("x"), Does: tickets.MacroDeeds{Tags: []string{"a,b"}}}, tickets.ErrBadField},
		"shared by an agency":   {tickets.Macro{Names: en("x"), Texts: en("y"), Shared: true}, tickets.ErrForbidden},
	} {
		if _, err := o.SaveMacro(ctx, o.as("head-env"), tt.m); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ok := tickets.Macro{Names: en("Received"), Texts: en("Dear {{contact}}, {{ number }} is with {{agency}} until {{due}}."), Active: true}
	if _, err := o.SaveMacro(ctx, o.as("handler-env"), ok); !errors.Is(err, tickets.ErrForbidden) {
		t.Errorf("a handler: %v", err)
	}
	mine := must(o.SaveMacro(ctx, o.as("head-env"), ok))
	shared := must(o.SaveMacro(ctx, o.as("supervisor"), tickets.Macro{Names: en("City"), Texts: en("Hello"), Shared: true, Active: true}))
	must(o.SaveMacro(ctx, o.as("supervisor"), tickets.Macro{Names: en("Desk"), Texts: en("Hello"), Active: true}))
	names := func(user string, all bool) string {
		var out []string
		for _, m := range must(o.Macros(ctx, o.as(user), all)) {
			out = append(out, m.Name("en"))
		}
		return strings.Join(out, " ")
	}
	if got := names("handler-env", false) + "|" + names("handler-util", false); got != "Received City|City" {
		t.Errorf("macros: %s", got)
	}
	mine.Active = false
	mine = must(o.SaveMacro(ctx, o.as("head-env"), mine))
	if got := names("handler-env", false) + "|" + names("head-env", true); got != "City|Received City" {
		t.Errorf("inactive ones: %s", got)
	}
	mine.Version--
	if _, err := o.SaveMacro(ctx, o.as("head-env"), mine); !errors.Is(err, tickets.ErrMacroStale) {
		t.Errorf("stale: %v", err)
	}
	shared.Names = en("taken")
	shared.Shared = false
	if _, err := o.SaveMacro(ctx, o.as("head-env"), shared); !errors.Is(err, tickets.ErrMacroNotFound) {
		t.Errorf("the hotline's macro: %v", err)
	}
	got := tickets.Render(ok.In("fr"), map[string]string{"contact": "Li {{me}}", "number": "7", "agency": "Water", "due": "Friday"})
	if got != "Dear Li {{me}}, 7 is with Water until Friday." { // what is filled in is not read again
		t.Errorf("rendered %q", got)
	}
}

func TestAMacroDoesEachOfItsDeedsOnItsOwn(t *testing.T) {
	t.Parallel()
	o := open(t)
	ctx := t.Context()
	k := o.inProgress()
	m := must(o.SaveMacro(ctx, o.as("head-env"), tickets.Macro{Names: en("Site visit"), Active: true, Does: tickets.MacroDeeds{
		Tags: []string{"visit", "noise"}, Watch: true, Note: "Visit for {{number}}", Move: tickets.Sign, Assign: "me"}}))
	a := o.as("head-env")
	move := func(name tickets.Action, f tickets.Fields) error {
		_, err := o.Apply(ctx, a, k.ID, tickets.AnyVersion, name, f, "")
		return err
	}
	for range 2 { // a double submit does nothing twice
		for _, d := range o.DoMacro(ctx, a, k.ID, m, map[string]string{"number": k.Number}, "k1", move) {
			// It is signed for already: this deed is refused, and the others are done.
			if (d.Deed == "move") != errors.Is(d.Err, tickets.ErrNoMove) || d.Deed != "move" && d.Err != nil {
				t.Errorf("%s: %v", d.Deed, d.Err)
			}
		}
	}
	if got := o.tags("head-env", k.ID); got != "noise visit" {
		t.Errorf("tags %q", got)
	}
	notes := 0
	for _, e := range must(o.Timeline(ctx, a, k.ID)) {
		if e.Type == "note" && e.Data.Text == "Visit for "+k.Number {
			notes++
		}
	}
	if notes != 1 {
		t.Errorf("%d notes", notes)
	}
	if got := must(o.ByID(ctx, a, k.ID)); got.Assignee != o.city.Users["head-env"] {
		t.Errorf("with %s", got.Assignee)
	}
}
