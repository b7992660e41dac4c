package routing_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/internal/errs"
	"hotline/routing"
)

func TestModelRulesAreAnAdministratorsAndOnRecord(t *testing.T) {
	t.Parallel()
	s, city, _ := tiny(t)
	ctx, admin := t.Context(), city.Staff("administrator")
	was := s.Snapshot().Jurisdiction()
	want := routing.ModelRules{Tone: "formal", Sentences: 3, Confidential: true}
	for name, by := range map[string]db.Actor{
		"dispatcher of the hotline":       city.Staff("dispatcher"),
		"administrator of another agency": db.Staff(uuid.New(), city.Agencies["dept-environment"], false, false).AsAdministrator(),
		"citizen":                         db.Citizen(uuid.New()),
		"nobody":                          {},
	} {
		if err := s.SetModelRules(ctx, by, was.Version, want); errs.KindOf(err) != errs.Forbidden {
			t.Errorf("%s sets them: %v", name, err)
		}
	}
	for field, r := range map[string]routing.ModelRules{"tone": {Tone: strings.Repeat("x", 81)}, "sentences": {Sentences: 21}} {
		var e *errs.Error
		if err := s.SetModelRules(ctx, admin, was.Version, r); !errors.As(err, &e) || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, tone := range []string{"two\nlines", "turned \u202e round", "\xff"} {
		if err := s.SetModelRules(ctx, admin, was.Version, routing.ModelRules{Tone: tone}); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%q: %v", tone, err)
		}
	}
	if got := s.Snapshot().Jurisdiction(); got.Version != was.Version || got.ModelRules() != was.ModelRules() {
		t.Fatalf("what was refused changed %+v", got)
	}
	if err := s.SetModelRules(ctx, admin, was.Version, want); err != nil {
		t.Fatal(err)
	}
	now := s.Snapshot().Jurisdiction()
	if now.ModelRules() != want {
		t.Errorf("they are %+v", now.ModelRules())
	}
	// The other settings stay.
	var before, after map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(was.Settings, &before), json.Unmarshal(now.Settings, &after)); err != nil {
		t.Fatal(err)
	}
	for key, value := range before {
		if key != "answers" && key != "models" && string(after[key]) != string(value) {
			t.Errorf("%s is %s, was %s", key, after[key], value)
		}
	}
	if err := s.SetModelRules(ctx, admin, was.Version, routing.ModelRules{}); !errors.Is(err, routing.ErrReferenceStale) {
		t.Errorf("at a version that is gone: %v", err)
	}
	lines, err := s.ReferenceChanges(ctx, admin, "jurisdiction", now.Code, 0, 10)
	if err != nil || len(lines) == 0 || lines[0].By != city.Users["administrator"] {
		t.Errorf("on record: %+v, %v", lines, err)
	}
}
