package tickets_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/internal/errs"
	"hotline/tickets"
)

// asksAboutNoise defines three fields that a citizen is asked for, one of them needed, and one that is for staff alone.
func asksAboutNoise(o *office) {
	o.Helper()
	for _, f := range []tickets.CustomField{
		{Category: "environment", Code: "since", Names: map[string]string{"en": "Since when", "zh-CN": "从何时开始"}, Type: tickets.FieldDate, Asked: true, Position: 2},
		{Category: "environment.noise", Code: "source", Names: map[string]string{"en": "Source", "zh-CN": "噪声源"}, Type: tickets.FieldChoice, Intake: true,
			Choices: []tickets.FieldChoiceOption{{Code: "site", Names: en("Building site")}, {Code: "bar", Names: en("Bar")}}},
		{Category: "environment.noise", Code: "firm", Names: en("Firm"), Type: tickets.FieldText, Asked: true, Position: 1},
		{Category: "environment.noise", Code: "measured", Names: en("Measured"), Type: tickets.FieldNumber},
	} {
		f.Active = true
		must(o.SaveField(o.Context(), o.as("administrator"), f))
	}
}

func TestFieldsComeWithTheFiling(t *testing.T) {
	t.Parallel()
	o := open(t)
	asksAboutNoise(o)
	var asked []string
	for _, f := range o.AskedFields("environment.noise") {
		asked = append(asked, f.Code)
	}
	if strings.Join(asked, " ") != "since source firm" || len(o.AskedFields("utilities.water")) != 0 {
		t.Errorf("asked %v", asked)
	}
	k := o.file(func(d *tickets.Draft) {
		d.Fields = map[string]string{"since": " 2026-03-01 ", "source": "site", "firm": "Nachtbau 夜筑公司", "measured": "80", "moon": "full"}
	})
	got := must(o.FieldValues(t.Context(), o.as("operator"), k.ID))
	if len(got) != 3 || got["since"].Value != "2026-03-01" || got["source"].Value != "site" || got["firm"].Value != "Nachtbau 夜筑公司" || got["source"].Version != 1 {
		t.Errorf("values %+v", got)
	}
	if found := o.list("operator", tickets.ViewAll, tickets.Filter{Text: "夜筑公司"}); len(found) != 1 {
		t.Errorf("search by what was filled in finds %v", found)
	}
	story := o.events(k)
	if !slices.Contains(story, "fields: firm: Nachtbau 夜筑公司\nsince: 2026-03-01\nsource: site") || slices.ContainsFunc(story, func(s string) bool { return strings.HasPrefix(s, "fields_missing") }) {
		t.Errorf("history %q", story)
	}
	if err := o.VerifyHistory(t.Context(), o.as("supervisor"), k.ID); err != nil {
		t.Error(err)
	}
}

func fieldOf(err error) string {
	var e *errs.Error
	if errors.As(err, &e) {
		return e.Field
	}
	return ""
}

func (o *office) events(k tickets.Ticket) []string {
	o.Helper()
	var out []string
	for _, e := range must(o.Timeline(o.Context(), o.as("operator"), k.ID)) {
		out = append(out, e.Type+": "+e.Data.Text)
	}
	return out
}

// Who cannot ask loses no ticket; who can is told what is wrong.
func TestWhatIsMissingIsNotedOrRefused(t *testing.T) {
	t.Parallel()
	o := open(t)
	asksAboutNoise(o)
	k := o.file(func(d *tickets.Draft) { d.Fields = map[string]string{"source": "moon", "since": "yesterday"} })
	if got := must(o.FieldValues(t.Context(), o.as("operator"), k.ID)); len(got) != 0 {
		t.Errorf("kept what does not fit: %+v", got)
	}
	if story := o.events(k); !slices.Contains(story, "fields_missing: source") {
		t.Errorf("history %q", story)
	}
	for name, tt := range map[string]struct {
		fields map[string]string
		edit   func(*tickets.Draft)
		want   error
		field  string
	}{
		"unknown":     {map[string]string{"source": "site", "moon": "full"}, nil, tickets.ErrUnknownField, "fields.moon"},
		"for staff":   {map[string]string{"source": "site", "measured": "70"}, nil, tickets.ErrUnknownField, "fields.measured"},
		"not a date":  {map[string]string{"source": "site", "since": "yesterday"}, nil, tickets.ErrFieldType, "fields.since"},
		"not offered": {map[string]string{"source": "moon"}, nil, tickets.ErrFieldType, "fields.source"},
		"too long":    {map[string]string{"source": "site", "firm": strings.Repeat("x", 2001)}, nil, tickets.ErrTooLong, "fields.firm"},
		"missing":     {map[string]string{"firm": "x"}, nil, tickets.ErrFieldNeeded, "fields.source"},
		"empty":       {map[string]string{"source": " "}, nil, tickets.ErrFieldNeeded, "fields.source"},
		"whole":       {map[string]string{"source": "bar"}, nil, nil, ""},
		// The program could not know which category routing would find.
		"a category that was found": {nil, func(d *tickets.Draft) { d.Category = ""; o.route.Category = "environment.noise" }, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := o.draft()
			d.Fields, d.InsistOnFields = tt.fields, true
			if tt.edit != nil {
				tt.edit(&d)
			}
			_, err := o.Plan(d)
			if !errors.Is(err, tt.want) || (tt.want == nil) != (err == nil) || tt.field != fieldOf(err) {
				t.Errorf("%v on %q", err, fieldOf(err))
			}
		})
	}
}

// A definition that changes holds for the next filing, here at once and on another node as soon as it looks.
func TestDefinitionsAreHeldInMemory(t *testing.T) {
	t.Parallel()
	o := open(t)
	other := o.service()
	if err := other.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	asksAboutNoise(o)
	if len(other.AskedFields("environment.noise")) != 0 {
		t.Fatal("the other node knows before it looked")
	}
	if err := other.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(other.AskedFields("environment.noise")) != 3 {
		t.Error("the other node looked and does not know")
	}
	f := o.AskedFields("environment.noise")[1]
	f.Active = false
	must(o.SaveField(t.Context(), o.as("administrator"), f))
	d := o.draft()
	d.InsistOnFields = true
	if _, err := o.Plan(d); err != nil {
		t.Errorf("a withdrawn field is still needed: %v", err)
	}
}

// The function that stores values at intake runs as the owner; it must not open other tickets to anybody.
func TestIntakeFieldsAreOnlyForTheTicketBeingMade(t *testing.T) {
	t.Parallel()
	o := open(t)
	k := o.file()
	err := db.WithTx(t.Context(), o.pool, db.CitizenOfTicket(k.ID), func(tx db.Tx) error {
		_, err := tx.Exec(t.Context(), tickets.OpenFieldsSQL, k.ID, []byte(`{"source":{"value":"bar","version":1}}`))
		return err
	})
	if err == nil {
		t.Error("values were written into a ticket of another transaction")
	}
	if err := o.owner.QueryRow(t.Context(), `select ticket_id from ticket_fields where ticket_id = $1`, k.ID).Scan(new(string)); !errors.Is(err, pgx.ErrNoRows) {
		t.Errorf("there is a row: %v", err)
	}
}
