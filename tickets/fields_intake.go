package tickets

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// Custom fields on the way in. The definitions in force are held in memory, so asking for them and judging what comes costs an intake nothing.

// fieldBook is the active definitions by category. It is never changed once it is stored.
type fieldBook map[string][]CustomField

// of lists the fields of a category, those from above first; the nearer category's field stands for one of the same code above it.
func (b fieldBook) of(category string) []CustomField {
	if len(b) == 0 {
		return nil
	}
	var out []CustomField
	for _, code := range slices.Backward(above(category)) {
		out = nearer(out, b[code])
	}
	return out
}

func nearer(out, more []CustomField) []CustomField {
	for _, f := range more {
		if i := slices.IndexFunc(out, func(o CustomField) bool { return o.Code == f.Code }); i >= 0 {
			out[i] = f
			continue
		}
		out = append(out, f)
	}
	return out
}

func readBook(ctx context.Context, tx db.Tx) (fieldBook, error) {
	rows, err := tx.Query(ctx, `select `+fieldColumns+` from custom_fields where active order by category, position, code limit 10000`)
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, scanField)
	book := fieldBook{}
	for _, f := range all {
		book[f.Category] = append(book[f.Category], f)
	}
	return book, err
}

// reloadFields reads the definitions alone, after one of them was saved here; other nodes follow with their settings (CatchUp).
func (s *Service) reloadFields(ctx context.Context) error {
	return db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		book, err := readBook(ctx, tx)
		if err == nil {
			s.fields.Store(&book)
		}
		return err
	})
}

// book is the definitions in force.
func (s *Service) book() fieldBook {
	if b := s.fields.Load(); b != nil {
		return *b
	}
	return nil
}

// AskedFields lists what a citizen who files under the category is asked for, from memory.
func (s *Service) AskedFields(category string) []CustomField {
	return slices.DeleteFunc(s.book().of(category), func(f CustomField) bool { return !f.Asked })
}

// given is the values of a filing, the needed fields without one, and the definitions that judged them.
type given struct {
	values  map[string]FieldValue
	missing []string
	defs    []CustomField
}

// givenFields judges the values that came with a filing, now that the category is known.
//
// Where the draft insists, nothing is filed that has an error: the caller is a program that can correct it. Everywhere else the ticket comes first: a value
// that does not fit is left out (the citizen's message still has it), and a needed one that is missing is noted for the operator.
//
// Errors, only for drafts that insist: ErrUnknownField, ErrFieldType, ErrTooLong, ErrFieldNeeded; Field is fields.<code>, Args name the code.
func (s *Service) givenFields(c *change, d Draft) (g given, err error) {
	g.defs, g.values = s.book().of(c.t.Category), map[string]FieldValue{}
	// Only one's own choice of a category can be held to its fields.
	strict := d.InsistOnFields && d.Category != ""
	for _, code := range slices.Sorted(maps.Keys(d.Fields)) {
		i := slices.IndexFunc(g.defs, func(f CustomField) bool { return f.Code == code && (f.Asked || d.Author == string(KindStaff)) })
		if i < 0 {
			if d.InsistOnFields {
				if !fieldCode.MatchString(code) { // whatever it is, it is no code and nothing to repeat
					return g, ErrUnknownField.On("fields").With("field", "?")
				}
				return g, ErrUnknownField.On("fields."+code).With("field", code)
			}
			continue
		}
		value, err := g.defs[i].Judge(d.Fields[code])
		if err != nil && d.InsistOnFields {
			return g, asField(err, g.defs[i])
		}
		if err == nil && value != "" {
			g.values[code] = FieldValue{value, g.defs[i].Version}
		}
	}
	for _, f := range g.defs {
		if !f.Intake || g.values[f.Code].Value != "" {
			continue
		}
		if strict {
			return g, ErrFieldNeeded.On("fields."+f.Code).With("field", f.Code)
		}
		g.missing = append(g.missing, f.Code)
	}
	return g, nil
}

// asField says of a refused value which field it was for.
func asField(err error, f CustomField) error {
	if errors.Is(err, ErrTooLong) {
		return ErrTooLong.On("fields."+f.Code).With("limit", maxFieldText)
	}
	return ErrFieldType.On("fields."+f.Code).With("field", f.Code).With("type", string(f.Type))
}

// note writes what was given, and what was not, into the history.
func (g given) note(c *change, author Actor) {
	if len(g.values) > 0 {
		var lines []string
		for _, code := range slices.Sorted(maps.Keys(g.values)) {
			lines = append(lines, code+": "+g.values[code].Value)
		}
		c.add(Event{Type: "fields", Data: Fields{Text: strings.Join(lines, "\n")}}, author)
	}
	if len(g.missing) > 0 {
		c.add(Event{Type: "fields_missing", Data: Fields{Text: strings.Join(g.missing, "\n")}}, System())
	}
}

const openFieldsSQL = `select ticket_open_fields($1, $2)`

// queueFields stores the values behind the ticket.
func (o *Opening) queueFields(b *pgx.Batch) {
	if len(o.given.values) == 0 {
		return
	}
	data, err := json.Marshal(o.given.values)
	if err != nil {
		data = []byte("{}") // strings and numbers marshal by construction
	}
	b.Queue(openFieldsSQL, o.c.t.ID, data)
}

// searchVector is the ticket's index entry with the texts that were given.
func (o *Opening) searchVector() string {
	var v vector
	v.putTicket(o.c.t)
	for _, f := range o.given.defs {
		if f.Type == FieldText {
			v.put(o.given.values[f.Code].Value, 'D')
		}
	}
	return v.String()
}
