package console

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"hotline/internal/errs"
	"hotline/tickets"
	"hotline/web/httperr"
)

// Custom fields: administrators define them for a category, whoever works on a ticket fills them in.

// fieldsData is the fields of one ticket with their values.
type fieldsData struct {
	Ticket uuid.UUID
	Rows   []fieldRow
	MayFix bool
	Error  string
	Saved  bool
}

type fieldRow struct {
	tickets.CustomField
	Value string
	Words string // the value as a reader sees it
}

// Lacking: the filing should have had it.
func (r fieldRow) Lacking() bool { return r.Intake && r.Value == "" }

// Lacking reports whether a field that intake needs is empty.
func (d fieldsData) Lacking() bool { return slices.ContainsFunc(d.Rows, fieldRow.Lacking) }

func (c *Console) loadFields(ctx context.Context, v View, t tickets.Ticket) (fieldsData, error) {
	d := fieldsData{Ticket: t.ID, MayFix: c.Tickets.MaySplit(actor(v.Me), t)}
	if t.Category == "" {
		return d, nil
	}
	defs, err := c.Tickets.CustomFields(ctx, actor(v.Me), t.Category)
	if err != nil || len(defs) == 0 {
		return d, err
	}
	values, err := c.Tickets.FieldValues(ctx, actor(v.Me), t.ID)
	if err != nil {
		return d, err
	}
	for _, f := range defs {
		value := values[f.Code].Value
		d.Rows = append(d.Rows, fieldRow{CustomField: f, Value: value, Words: v.fieldWords(f, value)})
	}
	return d, nil
}

// fieldWords is a value as a reader sees it.
func (v View) fieldWords(f tickets.CustomField, value string) string {
	if f.Type == tickets.FieldYesNo && value != "" {
		return v.T(value)
	}
	return f.Words(value, v.Lang)
}

// entry is a history entry of filled-in or missing fields in words: it names fields and choices by their codes, as they are kept. What was defined for a category
// that the ticket has no more keeps its code.
func (d fieldsData) entry(v View, text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		code, value, ok := strings.Cut(line, ": ")
		for _, f := range d.Rows {
			switch {
			case f.Code != code:
			case !ok:
				lines[i] = f.Label(v.Lang)
			default:
				if value = v.fieldWords(f.CustomField, value); value == "" {
					value = "–"
				}
				lines[i] = f.Label(v.Lang) + ": " + value
			}
		}
	}
	return strings.Join(lines, "\n")
}

func (c *Console) fieldsSet(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	values := map[string]string{}
	for name, all := range r.PostForm {
		if code, ok := strings.CutPrefix(name, "f_"); ok && len(all) > 0 && all[0] != r.PostForm.Get("was_"+code) { // what was not touched may have been changed by somebody else
			values[code] = text(all[0])
		}
	}
	cause := c.Tickets.SetFields(r.Context(), actor(v.Me), id, values)
	if cause != nil && (!expected(cause) || !isHX(r)) {
		return cause
	}
	t, err := c.Tickets.ByID(r.Context(), actor(v.Me), id)
	if err != nil {
		return err
	}
	if cause == nil {
		c.Chat.Announce(t)
	}
	if !isHX(r) {
		return c.acted(w, r, id, v.T("saved"))
	}
	d, err := c.loadFields(r.Context(), v, t)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if cause != nil {
		d.Error, status = c.explain(r.Context(), v, cause), httperr.Status(errs.KindOf(cause))
		for i := range d.Rows {
			if typed, ok := values[d.Rows[i].Code]; ok {
				d.Rows[i].Value = typed
			}
		}
	} else {
		toast(w, v.T("saved"))
	}
	v.D = d
	c.fragment(w, r, status, "ticket-fields", v)
	return nil
}

// fieldLabel names a field in words: a common one, or one of a category.
func (c *Console) fieldLabel(ctx context.Context, v View, name string) string {
	if words := v.word("field.", name); words != name || name == "" || v.Me == nil {
		return words
	}
	if all, err := c.Tickets.CustomFields(ctx, actor(v.Me), ""); err == nil {
		for _, f := range all {
			if f.Code == name {
				return f.Label(v.Lang)
			}
		}
	}
	return name
}

// fieldForm is the page of the definitions, with one of them open.
type fieldForm struct {
	All        []tickets.CustomField
	F          tickets.CustomField
	Choices    string
	Categories []option
	Langs      []string
	Types      []tickets.FieldType
	Error      string
	Saved      bool
}

func (c *Console) showFieldList(w http.ResponseWriter, r *http.Request, d *fieldForm, status int) error {
	v := c.view(r)
	all, err := c.Tickets.CustomFields(r.Context(), actor(v.Me), "")
	if err != nil {
		return err
	}
	d.All, d.Categories, d.Langs, d.Types = all, c.categories(v.Lang), c.words.Languages(), tickets.FieldTypes()
	if d.F.Names == nil {
		d.F.Names = map[string]string{}
	}
	v.Nav, v.Title, v.D = "fields", v.T("nav.fields"), d
	c.page(w, r, status, "fields", v)
	return nil
}

func (c *Console) fieldList(w http.ResponseWriter, r *http.Request) error {
	d := &fieldForm{F: tickets.CustomField{Active: true}, Saved: r.URL.Query().Get("saved") != ""}
	if id := parseID(r.URL.Query().Get("id")); id != uuid.Nil {
		v := c.view(r)
		all, err := c.Tickets.CustomFields(r.Context(), actor(v.Me), "")
		if err != nil {
			return err
		}
		for _, f := range all {
			if f.ID == id {
				d.F, d.Choices = f, c.choiceLines(f)
			}
		}
	}
	return c.showFieldList(w, r, d, http.StatusOK)
}

// choiceLines writes choices one a line: code = English = Chinese ….
func (c *Console) choiceLines(f tickets.CustomField) string {
	var b strings.Builder
	for _, o := range f.Choices {
		b.WriteString(o.Code)
		for _, lang := range c.words.Languages() {
			b.WriteString(" = " + o.Names[lang])
		}
		b.WriteString("\n")
	}
	return b.String()
}

func (c *Console) readChoices(s string) []tickets.FieldChoiceOption {
	var out []tickets.FieldChoiceOption
	for line := range strings.Lines(s) {
		parts := strings.Split(strings.TrimSpace(line), "=")
		o := tickets.FieldChoiceOption{Code: strings.TrimSpace(parts[0]), Names: map[string]string{}}
		if o.Code == "" {
			continue
		}
		for i, lang := range c.words.Languages() {
			if i+1 < len(parts) {
				if name := clean(parts[i+1], 100); name != "" {
					o.Names[lang] = name
				}
			}
		}
		out = append(out, o)
	}
	return out
}

func (c *Console) fieldSave(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	q := r.PostForm
	f := tickets.CustomField{ID: parseID(q.Get("id")), Version: number(q.Get("version")), Category: clean(q.Get("category"), 100), Code: clean(q.Get("code"), 60), Names: map[string]string{},
		Type: tickets.FieldType(q.Get("type")), Closing: q.Get("closing") != "", Asked: q.Get("asked") != "", Intake: q.Get("intake") != "", Active: q.Get("active") != "", Position: number(q.Get("position"))}
	for _, lang := range c.words.Languages() {
		if name := clean(q.Get("name_"+lang), 200); name != "" {
			f.Names[lang] = name
		}
	}
	if f.Type == tickets.FieldChoice {
		f.Choices = c.readChoices(text(q.Get("choices")))
	}
	if _, err := c.Tickets.SaveField(r.Context(), actor(v.Me), f); err != nil {
		if !expected(err) {
			return err
		}
		return c.showFieldList(w, r, &fieldForm{F: f, Choices: q.Get("choices"), Error: c.explain(r.Context(), v, err)}, httperr.Status(errs.KindOf(err)))
	}
	c.tellNodes(tickets.SubjectSettings)
	return see(w, r, "/console/admin/fields?saved=1")
}
