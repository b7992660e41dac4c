package city

import (
	"errors"
	"regexp"
	"slices"
)

// Field is a field that the tickets of a category, and of those below it, have beside the common ones.
type Field struct {
	Category string   `json:"category"`
	Code     string   `json:"code"` // unique in the category
	Names    Text     `json:"names"`
	Type     string   `json:"type"` // text, number, date, choice, yes_no
	Choices  []Choice `json:"choices,omitempty"`
	Asked    bool     `json:"asked,omitempty"`   // shown to the citizen who files
	Intake   bool     `json:"intake,omitempty"`  // a filing needs it
	Closing  bool     `json:"closing,omitempty"` // an answer needs it
	Position int      `json:"position,omitempty"`
	Inactive bool     `json:"inactive,omitempty"`
}

// Choice is one answer of a choice.
type Choice struct {
	Code  string `json:"code"`
	Names Text   `json:"names"`
}

// key names a field among all.
func (f Field) key() string { return f.Category + "/" + f.Code }

var (
	fieldTypes = []string{"text", "number", "date", "choice", "yes_no"}
	fieldCode  = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)
)

func (c City) checkFields(k *checker, categories map[string]bool) {
	k.open("fields.json")
	seen := map[string]bool{}
	for i, f := range c.Fields {
		k.at(i)
		name := f.key()
		if !fieldCode.MatchString(f.Code) {
			k.fail(name, "code does not have the form %s", fieldCode)
		}
		if seen[name] {
			k.fail(name, "code is used twice in the category")
		}
		seen[name] = true
		k.known(name, "category", f.Category, categories)
		k.text(name, "names", f.Names)
		k.oneOf(name, "type", f.Type, fieldTypes)
		switch {
		case f.Type == "choice" && len(f.Choices) < 2:
			k.fail(name, "a choice needs two answers")
		case f.Type != "choice" && len(f.Choices) > 0:
			k.fail(name, "choices belong to the type choice only")
		}
		if f.Intake && !f.Asked {
			k.fail(name, "a filing needs it (intake), so it has to be asked for (asked)")
		}
		for j, o := range f.Choices {
			if !fieldCode.MatchString(o.Code) {
				k.fail(name, "choice %q does not have the form %s", o.Code, fieldCode)
			}
			if slices.ContainsFunc(f.Choices[:j], func(before Choice) bool { return before.Code == o.Code }) {
				k.fail(name, "choices names %q twice", o.Code)
			}
			k.text(name+" "+o.Code, "names", o.Names)
		}
	}
}

// planFields: what a field holds never changes, because tickets have values of it.
func (s *state) planFields(p *Plan, c City, gone Action) error {
	types := map[string]string{}
	for _, f := range s.Fields {
		types[f.key()] = f.Type
	}
	k := &checker{file: "fields.json", lines: c.lines}
	var broken []error
	for i, f := range c.Fields {
		if was, there := types[f.key()]; there && was != f.Type {
			k.at(i)
			broken = append(broken, errors.New(k.say(f.key(), "is of type %s in this installation and %s here, and tickets have values of it; make a new one and set \"inactive\": true on this one", was, f.Type)))
		}
	}
	field := func(f Field) item { return item{f.key(), !f.Inactive, f} }
	p.compare("field", items(s.Fields, field), items(c.Fields, field), gone)
	return errors.Join(broken...)
}
