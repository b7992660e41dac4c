package tickets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// FieldType says what a custom field holds.
type FieldType string

// The types. A value is kept as text: a number with a point, a date as 2026-03-10, a choice as its code, yes or no.
const (
	FieldText   FieldType = "text"
	FieldNumber FieldType = "number"
	FieldDate   FieldType = "date"
	FieldChoice FieldType = "choice"
	FieldYesNo  FieldType = "yes_no"
)

// FieldTypes lists the types.
func FieldTypes() []FieldType {
	return []FieldType{FieldText, FieldNumber, FieldDate, FieldChoice, FieldYesNo}
}

// FieldChoiceOption is one answer of a choice.
type FieldChoiceOption struct {
	Code  string            `json:"code"`
	Names map[string]string `json:"names"`
}

// Name is the answer for a reader of lang.
func (o FieldChoiceOption) Name(lang string) string {
	if name := pick(o.Names, lang); name != "" {
		return name
	}
	return o.Code
}

// CustomField is a field that the tickets of a category, and of those below it, have beside the common ones.
type CustomField struct {
	ID       uuid.UUID
	Category string
	Code     string
	Names    map[string]string
	Type     FieldType
	Choices  []FieldChoiceOption
	Closing  bool // an answer needs it
	Asked    bool // shown to the citizen who files, and asked for
	Intake   bool // a filing needs it, so it is asked for; where nobody could be asked its lack is noted
	Position int
	Active   bool
	Version  int
}

// Label is the field's name for a reader of lang.
func (f CustomField) Label(lang string) string { return pick(f.Names, lang) }

// Words is a value for a reader of lang: the name of a choice. Yes and no stay codes, which every surface has words of its own for.
func (f CustomField) Words(value, lang string) string {
	if f.Type == FieldChoice {
		for _, o := range f.Choices {
			if o.Code == value {
				return o.Name(lang)
			}
		}
	}
	return value
}

const maxFieldText = 2000

var fieldCode = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// Judge brings a value into the form it is kept in; "" is none.
// Errors: ErrBadField, ErrTooLong; Field and Args name the field's code.
func (f CustomField) Judge(value string) (string, error) {
	value = strings.TrimSpace(value)
	if value == "" {
		return "", nil
	}
	bad := ErrBadField.On(f.Code).With("field", f.Code)
	switch f.Type {
	case FieldText:
		if utf8.RuneCountInString(value) > maxFieldText {
			return "", ErrTooLong.On(f.Code).With("limit", maxFieldText)
		}
		return value, CheckText(Field(f.Code), value, maxFieldText)
	case FieldNumber:
		n, err := strconv.ParseFloat(strings.ReplaceAll(value, ",", "."), 64)
		if err != nil || n != n || n > 1e15 || n < -1e15 {
			return "", bad
		}
		return strconv.FormatFloat(n, 'f', -1, 64), nil
	case FieldDate:
		if _, err := time.Parse("2006-01-02", value); err != nil {
			return "", bad
		}
	case FieldChoice:
		if !slices.ContainsFunc(f.Choices, func(o FieldChoiceOption) bool { return o.Code == value }) {
			return "", bad
		}
	case FieldYesNo:
		if value != "yes" && value != "no" {
			return "", bad
		}
	}
	return value, nil
}

const fieldColumns = `id, category, code, names, type, choices, closing, asked, intake, position, active, version`

func scanField(row pgx.CollectableRow) (CustomField, error) {
	var f CustomField
	var names, choices []byte
	if err := row.Scan(&f.ID, &f.Category, &f.Code, &names, &f.Type, &choices, &f.Closing, &f.Asked, &f.Intake, &f.Position, &f.Active, &f.Version); err != nil {
		return f, err
	}
	return f, errors.Join(json.Unmarshal(names, &f.Names), json.Unmarshal(choices, &f.Choices))
}

// above lists a category and those above it.
func above(category string) []string {
	var out []string
	for category != "" {
		out = append(out, category)
		i := strings.LastIndexByte(category, '.')
		category = category[:max(i, 0)]
	}
	return out
}

func fieldsTx(ctx context.Context, tx db.Tx, category string) ([]CustomField, error) {
	rows, err := tx.Query(ctx, `select `+fieldColumns+` from custom_fields where active and category = any($1) order by length(category), position, code limit 200`, above(category))
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, scanField)
	return nearer(nil, all), err
}

// CustomFields lists the fields of a category, those from above first; "" lists all definitions, for administration.
func (s *Service) CustomFields(ctx context.Context, a Actor, category string) ([]CustomField, error) {
	var out []CustomField
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		var err error
		if category != "" {
			out, err = fieldsTx(ctx, tx, category)
			return err
		}
		rows, err := tx.Query(ctx, `select `+fieldColumns+` from custom_fields order by category, position, code limit 1000`)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, scanField)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list fields: %w", err)
	}
	return out, nil
}

// SaveField creates a definition (with a nil ID) or changes one at the version that was seen; category, code and type of a field that is in use stay.
// Values that were given before stay as they are: each remembers the version that judged it. It holds here at once; tell the other nodes (SubjectSettings). For administrators.
// Errors: ErrForbidden, ErrUnknownCategory, ErrBadField, ErrMissing, ErrTooLong, ErrFieldExists, ErrFieldStale.
func (s *Service) SaveField(ctx context.Context, a Actor, f CustomField) (CustomField, error) {
	if a.Kind != KindStaff || !slices.Contains(a.Roles, "administrator") {
		return CustomField{}, ErrForbidden.With("action", "field")
	}
	switch {
	case !s.router.CategoryKnown(f.Category):
		return CustomField{}, ErrUnknownCategory
	case !fieldCode.MatchString(f.Code):
		return CustomField{}, ErrBadField.On("code").With("field", "code")
	case !slices.Contains(FieldTypes(), f.Type):
		return CustomField{}, ErrBadField.On("type").With("field", "type")
	case pick(f.Names, "en") == "":
		return CustomField{}, ErrMissing.On("name").With("field", "name")
	case f.Type == FieldChoice && len(f.Choices) < 2, len(f.Choices) > 100:
		return CustomField{}, ErrBadField.On("choices").With("field", "choices")
	}
	for _, name := range f.Names {
		if err := CheckText("name", name, 100); err != nil {
			return CustomField{}, err
		}
	}
	seen := map[string]bool{}
	for _, o := range f.Choices {
		if !fieldCode.MatchString(o.Code) || seen[o.Code] {
			return CustomField{}, ErrBadField.On("choices").With("field", "choices")
		}
		seen[o.Code] = true
	}
	f.Asked = f.Asked || f.Intake // what is needed has to be asked for
	if f.Choices == nil {
		f.Choices = []FieldChoiceOption{}
	}
	names, err1 := json.Marshal(f.Names)
	choices, err2 := json.Marshal(f.Choices)
	if err := errors.Join(err1, err2); err != nil {
		return CustomField{}, err
	}
	err := db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		if f.ID == uuid.Nil {
			f.ID, f.Version = db.NewID(), 1
			_, err := tx.Exec(ctx, `insert into custom_fields (id, category, code, names, type, choices, closing, asked, intake, position, active, updated_by, updated_at)
				values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
				f.ID, f.Category, f.Code, names, string(f.Type), choices, f.Closing, f.Asked, f.Intake, f.Position, f.Active, optional(a.DB.User()), s.clock.Now())
			return err
		}
		done, err := tx.Exec(ctx, `update custom_fields set names = $3, choices = $4, closing = $5, asked = $10, intake = $11, position = $6, active = $7, version = version + 1, updated_by = $8, updated_at = $9 where id = $1 and version = $2`,
			f.ID, f.Version, names, choices, f.Closing, f.Position, f.Active, optional(a.DB.User()), s.clock.Now(), f.Asked, f.Intake)
		if err == nil && done.RowsAffected() == 0 {
			return ErrFieldStale
		}
		f.Version++
		return err
	})
	if uniqueViolation(err) {
		return CustomField{}, ErrFieldExists.With("code", f.Code)
	}
	if err == nil {
		err = s.reloadFields(ctx)
	}
	return f, wrap("save field of", err)
}

// FieldValue is a value with the version of the definition that judged it.
type FieldValue struct {
	Value   string `json:"value"`
	Version int    `json:"version"`
}

func valuesTx(ctx context.Context, tx db.Tx, ticket uuid.UUID) (map[string]FieldValue, error) {
	var data []byte
	err := tx.QueryRow(ctx, `select data from ticket_fields where ticket_id = $1`, ticket).Scan(&data)
	out := map[string]FieldValue{}
	if errors.Is(err, pgx.ErrNoRows) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	return out, json.Unmarshal(data, &out)
}

// FieldValues returns a ticket's values by code.
func (s *Service) FieldValues(ctx context.Context, a Actor, ticket uuid.UUID) (map[string]FieldValue, error) {
	var out map[string]FieldValue
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		var err error
		out, err = valuesTx(ctx, tx, ticket)
		return err
	})
	return out, wrap("values of", err)
}

// SetFields changes values of a ticket: only those that are named, so two people who fill in different fields lose nothing. "" takes one away.
// Errors: ErrNotFound, ErrForbidden (who does not work on it), ErrBadField (also: no such field), ErrTooLong.
func (s *Service) SetFields(ctx context.Context, a Actor, ticket uuid.UUID, values map[string]string) error {
	_, err := s.amend(ctx, a, ticket, "", "fields", Fields{}, func(ctx context.Context, tx db.Tx, c *change) error {
		if !s.MaySplit(a, c.t) { // the same people: whoever works on the case while it is open
			return ErrForbidden.With("action", "fields").With("state", string(c.t.State))
		}
		defs, err := fieldsTx(ctx, tx, c.t.Category)
		if err != nil {
			return err
		}
		now, err := valuesTx(ctx, tx, ticket)
		if err != nil {
			return err
		}
		var changed, words []string
		for code, raw := range values {
			i := slices.IndexFunc(defs, func(f CustomField) bool { return f.Code == code })
			if i < 0 {
				return ErrBadField.On(code).With("field", code)
			}
			value, err := defs[i].Judge(raw)
			if err != nil {
				return err
			}
			if now[code].Value == value {
				continue
			}
			if value == "" {
				delete(now, code)
			} else {
				now[code] = FieldValue{value, defs[i].Version}
			}
			changed = append(changed, code+": "+value)
			if defs[i].Type == FieldText {
				words = append(words, value)
			}
		}
		if len(changed) == 0 {
			return errNothing
		}
		slices.Sort(changed)
		data, err := json.Marshal(now)
		if err != nil {
			return err
		}
		c.also(func(b *pgx.Batch) {
			b.Queue(`insert into ticket_fields (ticket_id, data, updated_at) values ($1, $2, $3) on conflict (ticket_id) do update set data = excluded.data, updated_at = excluded.updated_at`, ticket, data, c.now)
			queueLacks(b, ticket, defs, now)
			if len(words) > 0 { // found by what stands in it
				b.Queue(`update ticket_search set words = words || $2::text::tsvector where ticket_id = $1 and length(words) < 10000`, ticket, laterWords(strings.Join(words, "\n")))
			}
		})
		c.add(Event{Type: "fields", Data: Fields{Text: strings.Join(changed, "\n")}}, a)
		return nil
	})
	if errors.Is(err, errNothing) {
		return nil
	}
	return err
}

var errNothing = errors.New("nothing changes")

// checkClosing refuses an answer while a field that it needs is empty.
func (c *change) checkClosing(ctx context.Context, tx db.Tx, m Move) error {
	if m.Name != Reply && m.Name != AnswerDirectly || c.t.Category == "" {
		return nil
	}
	defs, err := fieldsTx(ctx, tx, c.t.Category)
	if err != nil || len(defs) == 0 {
		return err
	}
	values, err := valuesTx(ctx, tx, c.t.ID)
	if err != nil {
		return err
	}
	for _, f := range defs {
		if f.Closing && values[f.Code].Value == "" {
			return ErrMissing.On(f.Code).With("field", f.Code)
		}
	}
	return nil
}
