package tickets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// Macro is a reply with variables, together with what is done when it is sent. Without a text it only does things, without deeds it is a canned reply.
type Macro struct {
	ID       uuid.UUID
	Agency   uuid.UUID
	Shared   bool // by the hotline, with every agency
	Names    map[string]string
	Texts    map[string]string
	Mode     string // message, reply, ask_citizen, answer_directly, note; "" leaves the composer as it is
	Outcome  string
	Resolved *bool
	Does     MacroDeeds
	Active   bool
	Version  int
}

// MacroDeeds are what a macro does besides its text, in this order.
type MacroDeeds struct {
	Tags   []string `json:"tags,omitempty"`
	Assign string   `json:"assign,omitempty"` // "me", "nobody", or a person's id
	Watch  bool     `json:"watch,omitempty"`
	Note   string   `json:"note,omitempty"` // with variables
	Move   Action   `json:"move,omitempty"`
	Fields Fields   `json:"fields,omitzero"` // of the move
}

// Any reports whether there is anything to do.
func (d MacroDeeds) Any() bool {
	return len(d.Tags) > 0 || d.Assign != "" || d.Watch || d.Note != "" || d.Move != ""
}

// MacroModes lists where a macro's text may go.
func MacroModes() []string {
	return []string{"message", string(Reply), string(AskCitizen), string(AnswerDirectly), "note"}
}

// Variables lists the names that a text may hold between double braces.
func Variables() []string {
	return []string{"number", "title", "contact", "agency", "due", "me", "category", "place", "opened", "state"}
}

var variable = regexp.MustCompile(`\{\{\s*([^{}]*?)\s*\}\}`)

// Uses lists the variables of a text, each once.
func Uses(text string) []string {
	var out []string
	for _, m := range variable.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(out, m[1]) {
			out = append(out, m[1])
		}
	}
	return out
}

// Render fills the variables of a text. Unknown ones cannot be: SaveMacro refuses them.
func Render(text string, values map[string]string) string {
	return variable.ReplaceAllStringFunc(text, func(m string) string {
		return values[variable.FindStringSubmatch(m)[1]]
	})
}

// In is the text for a ticket in lang: else English, else whatever there is.
func (m Macro) In(lang string) string { return pick(m.Texts, lang) }

// Name is the macro's name for a reader of lang.
func (m Macro) Name(lang string) string { return pick(m.Names, lang) }

func pick(words map[string]string, lang string) string {
	for _, l := range []string{lang, "en"} {
		if words[l] != "" {
			return words[l]
		}
	}
	for _, l := range slices.Sorted(maps.Keys(words)) {
		if words[l] != "" {
			return words[l]
		}
	}
	return ""
}

// checkVariables refuses a variable that nothing could fill, and braces that were meant as one.
func checkVariables(field Field, text string) error {
	for _, m := range variable.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(Variables(), m[1]) {
			return ErrUnknownVariable.On(string(field)).With("variable", m[1])
		}
	}
	if rest := variable.ReplaceAllString(text, ""); strings.Contains(rest, "{{") || strings.Contains(rest, "}}") {
		return ErrUnknownVariable.On(string(field)).With("variable", "{{ }}")
	}
	return nil
}

// check brings a macro into the form it is kept in.
// Errors: ErrMissing, ErrTooLong, ErrBadField, ErrUnknownVariable, ErrNoMove.
func (m *Macro) check() error {
	named := false
	for lang, name := range m.Names {
		name = strings.Join(strings.Fields(name), " ")
		if m.Names[lang] = name; name != "" {
			named = true
		}
		if utf8.RuneCountInString(name) > 100 {
			return ErrTooLong.On("name").With("limit", 100)
		}
		if err := CheckText("name", name, 100); err != nil {
			return err
		}
	}
	if !named {
		return ErrMissing.On("name").With("field", "name")
	}
	hasText := false
	for _, text := range m.Texts {
		hasText = hasText || strings.TrimSpace(text) != ""
		if err := errors.Join(CheckText(FText, text, MaxText), checkVariables(FText, text)); err != nil {
			return first(err)
		}
	}
	if m.Mode != "" && !slices.Contains(MacroModes(), m.Mode) {
		return ErrBadField.On("mode").With("field", "mode")
	}
	if m.Outcome != "" && !known(codeLists["outcome"], m.Outcome) {
		return ErrBadField.On("outcome").With("field", "outcome")
	}
	d := &m.Does
	if !hasText && !d.Any() {
		return ErrMissing.On("text").With("field", "text")
	}
	for i, typed := range d.Tags {
		name, _, err := tagName(typed)
		if err != nil {
			return err
		}
		d.Tags[i] = name
	}
	if len(d.Tags) > maxTags {
		return ErrTooManyTags.With("limit", maxTags)
	}
	if d.Assign != "" && d.Assign != "me" && d.Assign != "nobody" {
		if _, err := uuid.Parse(d.Assign); err != nil {
			return ErrBadField.On("assignee").With("field", "assignee")
		}
	}
	if err := errors.Join(CheckText(FText, d.Note, MaxText), checkVariables(FText, d.Note)); err != nil {
		return first(err)
	}
	if d.Move == "" {
		d.Fields = Fields{}
		return nil
	}
	d.Fields = d.Fields.input()
	return checkDeed(d.Move, d.Fields)
}

// first is the first of several joined errors.
func first(err error) error {
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range j.Unwrap() {
			if one != nil {
				return one
			}
		}
	}
	return err
}

// checkDeed looks whether a move that is to be made later, on tickets that are not known yet, has what it needs wherever it is possible.
func checkDeed(name Action, f Fields) error {
	found := false
	for _, m := range table {
		if m.Name != name || !slices.ContainsFunc(m.Roles, func(r Role) bool { return r != Citizen && r != SystemRole }) {
			continue
		}
		found = true
		for _, need := range m.Required {
			if !f.has(need) {
				return ErrMissing.On(string(need)).With("field", string(need))
			}
		}
	}
	if !found {
		return ErrNoMove.With("action", string(name)).With("state", "")
	}
	if list := Reasons(name); len(list) > 0 && !known(list, f.Reason) {
		return ErrBadField.On(string(FReason)).With("field", string(FReason))
	}
	return nil
}

const macroColumns = `id, agency_id, shared, names, texts, mode, outcome, resolved, does, active, version`

func scanMacro(row pgx.Row) (Macro, error) {
	var m Macro
	var names, texts, does []byte
	err := row.Scan(&m.ID, &m.Agency, &m.Shared, &names, &texts, &m.Mode, &m.Outcome, &m.Resolved, &does, &m.Active, &m.Version)
	if err != nil {
		return m, err
	}
	return m, errors.Join(json.Unmarshal(names, &m.Names), json.Unmarshal(texts, &m.Texts), json.Unmarshal(does, &m.Does))
}

// Macros lists the macros of the actor's agency and the shared ones; all of the own agency's for who keeps them, else the active ones.
func (s *Service) Macros(ctx context.Context, a Actor, all bool) ([]Macro, error) {
	var out []Macro
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, `select `+macroColumns+` from macros where (shared or agency_id = $1) and (active or $2 and agency_id = $1)
			order by agency_id <> $1, lower(coalesce(names->>'en', names::text)), id limit 300`, a.DB.Agency(), all)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (Macro, error) { return scanMacro(row) })
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list macros: %w", err)
	}
	return out, nil
}

// MacroByID returns a macro that the actor's agency may use.
// Errors: ErrMacroNotFound.
func (s *Service) MacroByID(ctx context.Context, a Actor, id uuid.UUID) (Macro, error) {
	var m Macro
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		var err error
		m, err = scanMacro(tx.QueryRow(ctx, `select `+macroColumns+` from macros where id = $1`, id))
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return Macro{}, ErrMacroNotFound
	}
	return m, wrap("read macro", err)
}

// SaveMacro creates a macro (with a nil ID) or changes one of the actor's agency at the version that was seen. For supervisors and heads; sharing
// is the hotline's.
// Errors: ErrForbidden, ErrMacroNotFound, ErrMacroStale, and those of what is wrong in it: ErrMissing, ErrTooLong, ErrBadField, ErrUnknownVariable,
// ErrNoMove, ErrTooManyTags, ErrUnknownUser.
func (s *Service) SaveMacro(ctx context.Context, a Actor, m Macro) (Macro, error) {
	if !a.leads() || m.Shared && !a.DB.Desk() {
		return Macro{}, ErrForbidden.With("action", "macro")
	}
	if err := m.check(); err != nil {
		return Macro{}, err
	}
	names, err1 := json.Marshal(m.Names)
	texts, err2 := json.Marshal(m.Texts)
	does, err3 := json.Marshal(m.Does)
	if err := errors.Join(err1, err2, err3); err != nil {
		return Macro{}, err
	}
	m.Agency = a.DB.Agency()
	err := db.WithTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		if who, err := uuid.Parse(m.Does.Assign); err == nil {
			var there bool
			if err := tx.QueryRow(ctx, `select exists (select from users where id = $1 and agency_id = $2 and active)`, who, m.Agency).Scan(&there); err != nil {
				return err
			}
			if !there {
				return ErrUnknownUser
			}
		}
		if m.ID == uuid.Nil {
			m.ID, m.Version = db.NewID(), 1
			_, err := tx.Exec(ctx, `insert into macros (id, agency_id, shared, names, texts, mode, outcome, resolved, does, active, created_by, updated_at)
				values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`, m.ID, m.Agency, m.Shared, names, texts, m.Mode, m.Outcome, m.Resolved, does, m.Active, optional(a.DB.User()), s.clock.Now())
			return err
		}
		var version int
		err := tx.QueryRow(ctx, `select version from macros where id = $1 and agency_id = $2 for update`, m.ID, m.Agency).Scan(&version)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return ErrMacroNotFound
		case err != nil:
			return err
		case version != m.Version:
			return ErrMacroStale
		}
		m.Version++
		_, err = tx.Exec(ctx, `update macros set shared = $3, names = $4, texts = $5, mode = $6, outcome = $7, resolved = $8, does = $9, active = $10, version = $11, updated_at = $12
			where id = $1 and agency_id = $2`, m.ID, m.Agency, m.Shared, names, texts, m.Mode, m.Outcome, m.Resolved, does, m.Active, m.Version, s.clock.Now())
		return err
	})
	return m, wrap("save macro", err)
}

// MacroDone is what came of one deed: nil or the error that says why not.
type MacroDone struct {
	Deed string // tag, assign, watch, note, move
	What string // the tag, the action
	Err  error
}

// DoMacro does what a macro does besides its text, each deed judged on its own. move makes the moves, since some of them speak to the citizen.
func (s *Service) DoMacro(ctx context.Context, a Actor, ticket uuid.UUID, m Macro, values map[string]string, key string, move func(Action, Fields) error) []MacroDone {
	var out []MacroDone
	done := func(deed, what string, err error) { out = append(out, MacroDone{deed, what, err}) }
	for _, tag := range m.Does.Tags {
		_, _, err := s.AddTag(ctx, a, ticket, tag)
		done("tag", tag, err)
	}
	if m.Does.Watch {
		_, err := s.Watch(ctx, a, ticket, a.DB.User())
		done("watch", "", err)
	}
	if m.Does.Note != "" {
		_, err := s.Note(ctx, a, ticket, Render(m.Does.Note, values), keyOf(key, "note"))
		done("note", "", err)
	}
	if m.Does.Move != "" {
		done("move", string(m.Does.Move), move(m.Does.Move, m.Does.Fields))
	}
	if m.Does.Assign != "" { // behind the move: work that changes hands loses its person
		to := a.DB.User()
		switch m.Does.Assign {
		case "me":
		case "nobody":
			to = uuid.Nil
		default:
			to = uuid.MustParse(m.Does.Assign) // checked when it was saved
		}
		_, err := s.Assign(ctx, a, ticket, AnyVersion, to, keyOf(key, "assign"))
		done("assign", "", err)
	}
	return out
}

// keyOf makes the keys of several deeds of one submit out of its own.
func keyOf(key, deed string) string {
	if key == "" {
		return ""
	}
	return key + "/" + deed
}
