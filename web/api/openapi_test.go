package api

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
)

func TestTheDescriptionIsServedWithATag(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.send("GET", "/openapi.json", nil).is(http.StatusOK)
	var doc map[string]any
	must(t, json.Unmarshal(a.Body.Bytes(), &doc))
	if v, _ := doc["openapi"].(string); !strings.HasPrefix(v, "3.1") || !strings.HasPrefix(a.Header().Get("Content-Type"), "application/openapi+json") {
		t.Fatalf("%v %v", doc["openapi"], a.Header())
	}
	r.send("GET", "/openapi.json", nil, "If-None-Match", a.Header().Get("ETag")).is(http.StatusNotModified)
	for _, path := range []string{"/docs", "/schemas/Problem.json", "/openapi.yaml"} {
		r.send("GET", path, nil).problem(http.StatusNotFound, "http.not_found")
	}
	for _, foreign := range []string{"unpkg", "jsdelivr", "cdn", "ErrorModel", "$schema"} {
		if strings.Contains(a.Body.String(), foreign) {
			t.Errorf("the description mentions %s", foreign)
		}
	}
}

// operations calls fn for everything that is described.
func operations(spec *huma.OpenAPI, fn func(where string, op *huma.Operation)) int {
	n := 0
	for path, item := range spec.Paths {
		for method, op := range map[string]*huma.Operation{"GET": item.Get, "POST": item.Post, "PUT": item.Put, "PATCH": item.Patch, "DELETE": item.Delete} {
			if op != nil {
				n++
				fn(method+" "+path, op)
			}
		}
	}
	return n
}

func TestEveryOperationIsDocumented(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	spec := r.api.huma.OpenAPI()
	var tags []string
	for _, tag := range spec.Tags {
		tags = append(tags, tag.Name)
	}
	ids := map[string]bool{}
	n := operations(spec, func(where string, op *huma.Operation) {
		if op.Summary == "" || op.OperationID == "" || ids[op.OperationID] {
			t.Errorf("%s has no summary or no id of its own", where)
		}
		ids[op.OperationID] = true
		if len(op.Tags) != 1 || !slices.Contains(tags, op.Tags[0]) {
			t.Errorf("%s has tags %v", where, op.Tags)
		}
		for _, status := range []string{"400", "401", "422", "429", "500", "503"} {
			resp := op.Responses[status]
			if resp == nil || resp.Content["application/problem+json"] == nil || resp.Description == "" {
				t.Errorf("%s does not document %s as a problem", where, status)
			}
		}
		good := 0
		for status, resp := range op.Responses {
			if status[0] == '2' {
				good++
			}
			if status == "default" || resp.Description == "" {
				t.Errorf("%s: response %s says nothing", where, status)
			}
		}
		if good != 1 {
			t.Errorf("%s documents %d good answers", where, good)
		}
		for _, p := range op.Parameters {
			if p.Schema == nil || p.Name == "" {
				t.Errorf("%s: parameter %+v", where, p)
			}
		}
		if strings.HasPrefix(where, "POST") && op.RequestBody == nil {
			t.Errorf("%s documents no body", where)
		}
	})
	if n != 27 {
		t.Errorf("%d operations", n)
	}
}

// Every example is one that the operation's own schema accepts.
func TestExamplesDecode(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	spec := r.api.huma.OpenAPI()
	registry := spec.Components.Schemas
	valid := func(where string, schema *huma.Schema, mode huma.ValidateMode, example any) {
		raw, err := json.Marshal(example)
		must(t, err)
		var v any
		must(t, json.Unmarshal(raw, &v))
		var res huma.ValidateResult
		huma.Validate(registry, schema, huma.NewPathBuffer(nil, 0), mode, v, &res)
		for _, e := range res.Errors {
			t.Errorf("%s: %v", where, e)
		}
	}
	operations(spec, func(where string, op *huma.Operation) {
		if op.RequestBody != nil {
			for ct, media := range op.RequestBody.Content {
				if ct != "application/json" {
					continue
				}
				if media.Example == nil {
					t.Errorf("%s has no example", where)
					continue
				}
				valid(where, media.Schema, huma.ModeWriteToServer, media.Example)
			}
		}
		for status, resp := range op.Responses {
			for _, media := range resp.Content {
				if media.Example != nil {
					valid(where+" "+status, media.Schema, huma.ModeReadFromServer, media.Example)
				}
			}
		}
	})
	for name, schema := range registry.Map() {
		for field, p := range schema.Properties {
			for _, example := range p.Examples {
				valid(name+"."+field, p, huma.ModeReadFromServer, example)
			}
		}
	}
}

func TestRequestsAreStrictAndAnswersMayGrow(t *testing.T) {
	t.Parallel()
	schemas := newRig(t).api.huma.OpenAPI().Components.Schemas.Map()
	for name, strict := range map[string]bool{"NewTicket": true, "Place": true, "Contact": true, "ActionInput": true, "NewMessage": true, "FiledTicket": false, "Problem": false, "Tracked": false, "TicketDetail": false} {
		closed, ok := schemas[name].AdditionalProperties.(bool)
		if got := ok && !closed; got != strict {
			t.Errorf("%s: strict %v, want %v", name, got, strict)
		}
	}
}

// Every reference leads somewhere and nothing described is unused.
func TestReferencesResolve(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	body := r.send("GET", "/openapi.json", nil).is(http.StatusOK).Body.String()
	var doc struct {
		Components struct {
			Schemas map[string]any `json:"schemas"`
		} `json:"components"`
	}
	must(t, json.Unmarshal([]byte(body), &doc))
	used := map[string]bool{}
	for _, m := range regexp.MustCompile(`"#/components/schemas/([^"]+)"`).FindAllStringSubmatch(body, -1) {
		used[m[1]] = true
		if doc.Components.Schemas[m[1]] == nil {
			t.Errorf("%s is not there", m[1])
		}
	}
	for name := range doc.Components.Schemas {
		if !used[name] {
			t.Errorf("%s is not used", name)
		}
	}
}
