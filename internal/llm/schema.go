package llm

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Schema is a shape for answers, made from a Go struct. go-openai's own generator leaves fields with omitempty out of "required", which
// strict endpoints refuse; here every field is required, and one that may be missing (a pointer, or omitempty) may be null instead, as the
// vendor's guide to structured outputs asks for.
type Schema struct {
	name string
	root *node
	raw  json.RawMessage
}

// node is one level of the subset that strict schemas allow.
type node struct {
	Type        any              `json:"type"` // a word, or a word and "null"
	Description string           `json:"description,omitempty"`
	Enum        []any            `json:"enum,omitempty"`
	Properties  map[string]*node `json:"properties,omitempty"`
	Required    []string         `json:"required,omitempty"`
	Additional  *bool            `json:"additionalProperties,omitempty"`
	Items       *node            `json:"items,omitempty"`

	kind     string
	nullable bool
}

// SchemaOf makes the schema of a struct. Tags: json names a field, description says what to put there, enum lists the allowed words with |
// between them. It panics for a type that JSON schemas cannot say, which is a mistake of the program.
func SchemaOf[T any](name string) *Schema {
	root := nodeOf(reflect.TypeFor[T]())
	if root.kind != "object" {
		panic("llm: a schema is a struct")
	}
	raw, err := json.Marshal(root)
	if err != nil {
		panic(err)
	}
	return &Schema{name, root, raw}
}

// Choose gives a copy in which a field, a path with dots, takes only the given words: the categories of an installation are data.
func (s *Schema) Choose(path string, words []string) *Schema {
	var root node
	if err := json.Unmarshal(s.raw, &root); err != nil {
		panic(err)
	}
	root.reread()
	n := &root
	for _, p := range strings.Split(path, ".") {
		if n = n.Properties[p]; n == nil {
			panic("llm: schema " + s.name + " has no " + path)
		}
	}
	n.setEnum(words)
	raw, err := json.Marshal(&root)
	if err != nil {
		panic(err)
	}
	return &Schema{s.name, &root, raw}
}

// reread fills what is not part of the JSON.
func (n *node) reread() {
	switch t := n.Type.(type) {
	case string:
		n.kind = t
	case []any:
		for _, w := range t {
			if w == "null" {
				n.nullable = true
			} else {
				n.kind, _ = w.(string)
			}
		}
	}
	for _, p := range n.Properties {
		p.reread()
	}
	if n.Items != nil {
		n.Items.reread()
	}
}

func (n *node) setEnum(words []string) {
	n.Enum = nil
	for _, w := range words {
		n.Enum = append(n.Enum, w)
	}
	if n.nullable {
		n.Enum = append(n.Enum, nil)
	}
}

func nodeOf(t reflect.Type) *node {
	n := &node{}
	if t.Kind() == reflect.Pointer {
		t, n.nullable = t.Elem(), true
	}
	switch t.Kind() {
	case reflect.String:
		n.kind = "string"
	case reflect.Bool:
		n.kind = "boolean"
	case reflect.Int, reflect.Int32, reflect.Int64:
		n.kind = "integer"
	case reflect.Float32, reflect.Float64:
		n.kind = "number"
	case reflect.Slice:
		n.kind, n.Items = "array", nodeOf(t.Elem())
	case reflect.Struct:
		n.kind, n.Properties, n.Additional = "object", map[string]*node{}, new(bool)
		for i := range t.NumField() {
			f := t.Field(i)
			name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
			if !f.IsExported() || name == "-" {
				continue
			}
			if name == "" {
				name = f.Name
			}
			p := nodeOf(f.Type)
			if strings.Contains(rest, "omitempty") || strings.Contains(rest, "omitzero") {
				p.nullable = true
			}
			p.Description = f.Tag.Get("description")
			p.say()
			if e := f.Tag.Get("enum"); e != "" {
				p.setEnum(strings.Split(e, "|"))
			}
			n.Properties[name] = p
			n.Required = append(n.Required, name)
		}
	default:
		panic("llm: no schema for " + t.String())
	}
	n.say()
	return n
}

func (n *node) say() {
	if n.nullable {
		n.Type = []any{n.kind, "null"}
	} else {
		n.Type = n.kind
	}
}

// check reports in words where a JSON value does not fit. Endpoints promise to keep to a strict schema; not all of them do.
func (s *Schema) check(raw string) error {
	dec := json.NewDecoder(strings.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	if dec.More() {
		return fmt.Errorf("something follows the JSON")
	}
	return s.root.check(v, s.name)
}

func (n *node) check(v any, at string) error {
	wrong := fmt.Errorf("%s is no %s", at, n.kind)
	if v == nil {
		if n.nullable {
			return nil
		}
		return wrong
	}
	switch x := v.(type) {
	case string:
		if n.kind != "string" {
			return wrong
		}
	case bool:
		if n.kind != "boolean" {
			return wrong
		}
	case json.Number:
		if _, err := x.Int64(); n.kind != "number" && (n.kind != "integer" || err != nil) {
			return wrong
		}
	case []any:
		if n.kind != "array" {
			return wrong
		}
		for i, e := range x {
			if err := n.Items.check(e, fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
	case map[string]any:
		if n.kind != "object" {
			return wrong
		}
		for _, name := range n.Required {
			if _, ok := x[name]; !ok {
				return fmt.Errorf("%s lacks %s", at, name)
			}
		}
		for name, e := range x {
			p, ok := n.Properties[name]
			if !ok {
				return fmt.Errorf("%s has a field that was not asked for", at)
			}
			if err := p.check(e, at+"."+name); err != nil {
				return err
			}
		}
	}
	if len(n.Enum) > 0 && !slices.Contains(n.Enum, v) {
		return fmt.Errorf("%s is none of the allowed words", at)
	}
	return nil
}
