package api

import (
	"net/http"
	"strings"
	"testing"

	"hotline/internal/auth"
	"hotline/tickets"
)

// asks defines, for noise, a needed choice and three fields that may be left out.
func (r *rig) asks() {
	r.t.Helper()
	admin := tickets.Staff(r.city.Staff("administrator"), []string{"administrator"})
	names := func(en, zh string) map[string]string { return map[string]string{"en": en, "zh-CN": zh} }
	for _, f := range []tickets.CustomField{
		{Code: "source", Names: names("Source", "噪声源"), Type: tickets.FieldChoice, Intake: true,
			Choices: []tickets.FieldChoiceOption{{Code: "site", Names: names("Building site", "工地")}, {Code: "bar", Names: names("Bar", "酒吧")}}},
		{Code: "since", Names: names("Since when", "从何时开始"), Type: tickets.FieldDate, Asked: true, Position: 1},
		{Code: "nights", Names: names("Nights a week", "每周几晚"), Type: tickets.FieldNumber, Asked: true, Position: 2},
		{Code: "again", Names: names("Reported before", "是否投诉过"), Type: tickets.FieldYesNo, Asked: true, Position: 3},
		{Code: "decibel", Names: names("Measured", "测得"), Type: tickets.FieldNumber, Position: 4},
	} {
		f.Category, f.Active = "environment.noise", true
		if _, err := r.tickets.SaveField(r.t.Context(), admin, f); err != nil {
			r.t.Fatal(err)
		}
	}
}

func TestAProgramFilesWithTheFieldsOfTheCategory(t *testing.T) {
	t.Parallel()
	r := newRig(t, generous)
	r.asks()
	type definitions struct{ Fields []FieldDefinition }
	defs := decode[definitions](r.send("GET", "/categories/environment.noise/fields", nil).is(http.StatusOK)).Fields
	if len(defs) != 4 || defs[0].Code != "source" || !defs[0].Needed || defs[0].Choices[0].Names["zh-CN"] != "工地" || defs[1].Needed {
		t.Fatalf("definitions %+v", defs)
	}
	r.send("GET", "/categories/moon/fields", nil).is(http.StatusNotFound)
	body := map[string]any{"kind": "complaint", "category": "environment.noise", "description": noise, "lang": "en",
		"fields": map[string]any{"source": "site", "since": "2026-03-01", "nights": 6.5, "again": true}}
	filed := decode[FiledTicket](r.send("POST", "/tickets", body, "Idempotency-Key", idem(t, 1)).is(http.StatusCreated))
	again := decode[FiledTicket](r.send("POST", "/tickets", body, "Idempotency-Key", idem(t, 1)).is(http.StatusCreated))
	if again.Number != filed.Number {
		t.Errorf("the same call filed twice: %+v %+v", filed, again)
	}
	body["fields"] = map[string]any{"source": "bar"}
	r.send("POST", "/tickets", body, "Idempotency-Key", idem(t, 1)).problem(http.StatusConflict, "api.idempotency_key_reused")

	key := "Bearer " + r.key("hotline", auth.ScopeTicketsRead)
	look := func(lang string) []FieldValue {
		return decode[TicketDetail](r.send("GET", "/tickets/"+filed.Number, nil, "Authorization", key, "Accept-Language", lang).is(http.StatusOK)).Fields
	}
	got := look("zh-CN")
	if len(got) != 4 || got[0] != (FieldValue{"source", "噪声源", "site", "工地"}) || got[2].Value != "6.5" || got[3].Value != "yes" {
		t.Errorf("fields %+v", got)
	}
	if got := look("en"); got[1].Name != "Since when" || got[1].Value != "2026-03-01" {
		t.Errorf("fields %+v", got)
	}
}

func TestWrongFieldsAreTyped(t *testing.T) {
	t.Parallel()
	r := newRig(t, generous)
	r.asks()
	file := func(n int, change map[string]any) *answer {
		body := map[string]any{"kind": "complaint", "category": "environment.noise", "description": noise, "lang": "en"}
		for k, v := range change {
			body[k] = v
		}
		return r.send("POST", "/tickets", body, "Idempotency-Key", idem(t, n))
	}
	fields := func(pairs ...any) map[string]any {
		out := map[string]any{}
		for i := 0; i < len(pairs); i += 2 {
			out[pairs[i].(string)] = pairs[i+1]
		}
		return map[string]any{"fields": out}
	}
	n := 0
	for name, tt := range map[string]struct {
		change map[string]any
		status int
		code   string
		field  string
	}{
		"missing":     {nil, http.StatusBadRequest, "tickets.field_needed", "fields.source"},
		"unknown":     {fields("source", "site", "moon", "full"), http.StatusBadRequest, "tickets.unknown_field", "fields.moon"},
		"staff's own": {fields("source", "site", "decibel", 70), http.StatusBadRequest, "tickets.unknown_field", "fields.decibel"},
		"no code":     {fields("source", "site", "\u0001 x", "full"), http.StatusBadRequest, "tickets.unknown_field", "fields"},
		"no choice":   {fields("source", "moon"), http.StatusBadRequest, "tickets.field_type", "fields.source"},
		"no number":   {fields("source", "site", "nights", "many"), http.StatusBadRequest, "tickets.field_type", "fields.nights"},
		"no date":     {fields("source", "site", "since", 3), http.StatusBadRequest, "tickets.field_type", "fields.since"},
		"an object":   {fields("source", map[string]any{"a": 1}), http.StatusUnprocessableEntity, "api.bad_field", "fields.source"},
		"no category": {map[string]any{"category": "", "fields": map[string]any{"source": "site"}}, http.StatusUnprocessableEntity, "api.missing_field", "category"},
	} {
		n++
		a := file(n, tt.change)
		if p := a.problem(tt.status, tt.code); p.Field != tt.field || strings.Contains(p.Detail, "{") {
			t.Errorf("%s: %+v", name, p)
		}
	}
	if kept := r.count(`select count(*) from tickets`); kept != 0 {
		t.Errorf("%d tickets of refused filings", kept)
	}
	// Who named no category could not know its fields, and who is in danger is not sent back.
	file(20, map[string]any{"category": ""}).is(http.StatusCreated)
	file(21, map[string]any{"description": "The house is on fire, there are flames everywhere"}).is(http.StatusCreated)
	if marked := r.count(`select count(*) from ticket_events where type = 'fields_missing' and data->>'text' = 'source'`); marked != 2 {
		t.Errorf("%d of 2 tickets say that the source is missing", marked)
	}
}
