package console

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"hotline/internal/auth"
	"hotline/internal/errs"
	"hotline/tickets"
	"hotline/web/httperr"
)

// Macros: replies with variables and deeds. The composer offers them beside the replies that come with the jurisdiction's settings; leads keep them.

// macroValues are a ticket's variables, in the language of its contact; due is by when an answer may be expected, see promised.
func (c *Console) macroValues(ctx context.Context, v View, t tickets.Ticket, due *time.Time) map[string]string {
	to := View{c: c, Lang: t.Lang, Now: v.Now}
	agency := v.Me.AgencyID
	if t.Lead != uuid.Nil {
		agency = t.Lead
	}
	values := map[string]string{"number": t.Number, "title": t.Title, "agency": to.Agency(agency), "me": v.Me.NameIn(to.Lang), "place": t.Place,
		"opened": to.Date(t.OpenedAt), "state": to.State(t.State), "contact": to.T("author.citizen")}
	if t.Category != "" {
		values["category"] = to.Category(t.Category)
	}
	if due != nil {
		values["due"] = to.Date(*due)
	}
	// The name of who reports something confidentially stays where it is kept.
	if t.ContactID != nil && !t.Confidential {
		if who, err := c.contact(ctx, v.Me.Actor(), *t.ContactID); err == nil && who.Name != "" {
			values["contact"] = who.Name
		}
	}
	for _, name := range tickets.Variables() {
		if values[name] == "" {
			values[name] = gapOpens + to.T("tools.gap_"+name) + gapCloses
		}
	}
	return values
}

// promised is by when an answer may be expected. Where it cannot be read, the text has a gap: that is seen before anything is sent.
func (c *Console) promised(ctx context.Context, v View, t tickets.Ticket) *time.Time {
	due, err := c.Tickets.Promised(ctx, actor(v.Me), t)
	if err != nil {
		c.Log.WarnContext(ctx, "promised date of a ticket", "error", err)
	}
	return due
}

// What a ticket does not know stands as a gap in the text, in brackets that nobody types. Somebody fills it in; a text with a gap is not sent to a citizen.
const gapOpens, gapCloses = "⟦", "⟧"

var errGap = errs.New(errs.Invalid, "console.gap", "a variable is not filled in")

// checkGaps refuses a text that still has a gap.
// Errors: errGap.
func checkGaps(words string) error {
	_, rest, open := strings.Cut(words, gapOpens)
	if gap, _, closed := strings.Cut(rest, gapCloses); open && closed {
		return errGap.On("text").With("gap", gap)
	}
	return nil
}

// macroOptions are the agency's macros and the shared ones, filled for the ticket.
func (c *Console) macroOptions(ctx context.Context, v View, t tickets.Ticket, values map[string]string, modes []string) []cannedOption {
	all, err := c.Tickets.Macros(ctx, actor(v.Me), false)
	if err != nil {
		c.Log.WarnContext(ctx, "macros", "error", err) // the ticket is worth more than its macros
		return nil
	}
	var out []cannedOption
	for _, m := range all {
		if m.Mode != "" && !slices.Contains(modes, m.Mode) {
			continue // for a citizen to whom that cannot be written here, or not now
		}
		o := cannedOption{Name: m.Name(v.Lang), Text: tickets.Render(m.In(t.Lang), values), Mode: m.Mode, Outcome: m.Outcome, Resolved: yesNoWord(m.Resolved)}
		if m.Does.Any() {
			o.ID, o.Does = m.ID.String(), strings.Join(v.macroDeeds(m), v.T("comma"))
		}
		out = append(out, o)
	}
	return out
}

// chatMacros are the macros that a chat can use: texts for the citizen. Deeds need a ticket, and so do texts that speak of one while there is none.
func (c *Console) chatMacros(ctx context.Context, v View, d *chatData) []cannedOption {
	all, err := c.Tickets.Macros(ctx, actor(v.Me), false)
	if err != nil {
		c.Log.WarnContext(ctx, "macros", "error", err) // as on a ticket
		return nil
	}
	lang := d.Conversation.Lang
	to := View{c: c, Lang: lang}
	values := map[string]string{"agency": to.Agency(v.Me.AgencyID), "me": v.Me.NameIn(to.Lang), "contact": to.T("author.citizen")}
	if d.Ticket != nil {
		values = c.macroValues(ctx, v, *d.Ticket, c.promised(ctx, v, *d.Ticket))
	}
	var out []cannedOption
	for _, m := range all {
		words := m.In(lang)
		speaksOfTicket := slices.ContainsFunc(tickets.Uses(words), func(name string) bool { _, known := values[name]; return !known })
		if words == "" || m.Mode != "" && m.Mode != "message" || m.Does.Any() || d.Ticket == nil && speaksOfTicket {
			continue
		}
		out = append(out, cannedOption{Name: m.Name(v.Lang), Text: tickets.Render(words, values)})
	}
	return out
}

func yesNoWord(b *bool) string {
	switch {
	case b == nil:
		return ""
	case *b:
		return "yes"
	}
	return "no"
}

// macroDeeds says what a macro does, in words.
func (v View) macroDeeds(m tickets.Macro) []string {
	var out []string
	for _, tag := range m.Does.Tags {
		out = append(out, v.T("tools.does_tag", "tag", tag))
	}
	if m.Does.Watch {
		out = append(out, v.T("tools.does_watch"))
	}
	if m.Does.Note != "" {
		out = append(out, v.T("tools.does_note"))
	}
	if m.Does.Move != "" {
		out = append(out, v.Action(m.Does.Move))
	}
	switch m.Does.Assign {
	case "":
	case "me":
		out = append(out, v.T("tools.does_me"))
	case "nobody":
		out = append(out, v.T("tools.does_nobody"))
	default:
		out = append(out, v.T("ticket.assign"))
	}
	return out
}

// runMacro does the deeds of the macro that a form names and says in words what could not be done; "" when all was done.
func (c *Console) runMacro(ctx context.Context, v View, ticket, macro uuid.UUID, key string) (failed string, err error) {
	m, err := c.Tickets.MacroByID(ctx, actor(v.Me), macro)
	if err != nil {
		return "", err
	}
	t, err := c.Tickets.ByID(ctx, actor(v.Me), ticket)
	if err != nil {
		return "", nil // it went elsewhere with the message: there is nothing left to do here
	}
	values := c.macroValues(ctx, v, t, c.promised(ctx, v, t))
	var bad []string
	for _, d := range c.Tickets.DoMacro(ctx, actor(v.Me), ticket, m, values, key, func(name tickets.Action, f tickets.Fields) error {
		f.Text = tickets.Render(f.Text, values)
		if err := checkGaps(f.Text); err != nil {
			return err
		}
		_, err := c.apply(ctx, v, ticket, tickets.AnyVersion, name, f, macroKey(key))
		return err
	}) {
		if d.Err == nil {
			continue
		}
		if !expected(d.Err) && errs.KindOf(d.Err) != errs.NotFound {
			return "", d.Err
		}
		what := v.T("tools.deed_" + d.Deed)
		switch d.Deed {
		case "move":
			what = v.Action(d.What)
		case "tag":
			what = v.T("tools.does_tag", "tag", d.What)
		}
		bad = append(bad, what+": "+c.explain(ctx, v, d.Err))
	}
	if t, err := c.Tickets.ByID(ctx, actor(v.Me), ticket); err == nil {
		c.Chat.Announce(t)
	}
	return strings.Join(bad, " "), nil
}

func macroKey(key string) string {
	if key == "" {
		return ""
	}
	return key + "/move"
}

// macroForm is the page of one macro.
type macroForm struct {
	M          tickets.Macro
	Langs      []string
	Modes      []string
	Outcomes   []tickets.Code
	Moves      []moveOption
	Variables  []string
	Colleagues []auth.User
	Tags       string
	MayShare   bool
	Saved      bool
	Error      string
	Field      string
}

// moveOption is an action that a macro or many tickets at once can make.
type moveOption struct {
	Action  tickets.Action
	Reasons []tickets.Code
	Needs   string // its inputs, with blanks between: the dialog shows these alone
}

// Resolved is for the select.
func (d macroForm) Resolved() string { return yesNoWord(d.M.Resolved) }

type macroListData struct{ Rows []macroRow }

type macroRow struct {
	tickets.Macro
	Title, Deeds, ModeName string
	Own                    bool
}

func (c *Console) macroList(w http.ResponseWriter, r *http.Request) error {
	v := c.view(r)
	all, err := c.Tickets.Macros(r.Context(), actor(v.Me), true)
	if err != nil {
		return err
	}
	d := &macroListData{}
	for _, m := range all {
		row := macroRow{Macro: m, Title: m.Name(v.Lang), Deeds: strings.Join(v.macroDeeds(m), v.T("comma")), Own: m.Agency == v.Me.AgencyID}
		if m.Mode != "" {
			row.ModeName = v.T("composer." + m.Mode)
		}
		d.Rows = append(d.Rows, row)
	}
	v.Nav, v.Title, v.D = "macros", v.T("nav.macros"), d
	c.page(w, r, http.StatusOK, "macros", v)
	return nil
}

// movesFor lists the actions that need no look at the ticket first: a macro and a bulk action make them with the fields that are given once.
func movesFor(but ...tickets.Action) []moveOption {
	var out []moveOption
	seen := map[tickets.Action]bool{}
	for _, m := range tickets.Table() {
		staff := slices.ContainsFunc(m.Roles, func(r tickets.Role) bool { return r != tickets.Citizen && r != tickets.SystemRole })
		if seen[m.Name] || !staff || slices.Contains(but, m.Name) || slices.Contains(m.Required, tickets.FParent) {
			continue
		}
		seen[m.Name] = true
		out = append(out, moveOption{Action: m.Name, Reasons: tickets.Reasons(m.Name)})
	}
	return out
}

func (c *Console) showMacro(w http.ResponseWriter, r *http.Request, d *macroForm, status int) error {
	v := c.view(r)
	d.Langs, d.Modes, d.Outcomes, d.Variables, d.MayShare = c.words.Languages(), tickets.MacroModes(), tickets.Outcomes(), tickets.Variables(), v.Me.Desk
	d.Moves = movesFor(composed...)
	var err error
	if d.Colleagues, err = c.Auth.Assignable(r.Context(), v.Me.AgencyID); err != nil {
		return err
	}
	if d.M.Names == nil {
		d.M.Names, d.M.Texts = map[string]string{}, map[string]string{}
	}
	d.Tags = strings.Join(d.M.Does.Tags, ", ")
	v.Nav, v.Title, v.D = "macros", v.T("tools.macro_new"), d
	if d.M.ID != uuid.Nil {
		v.Title = d.M.Name(v.Lang)
	}
	c.page(w, r, status, "macro", v)
	return nil
}

func (c *Console) macroNew(w http.ResponseWriter, r *http.Request) error {
	return c.showMacro(w, r, &macroForm{M: tickets.Macro{Active: true}}, http.StatusOK)
}

func (c *Console) macroEdit(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	v := c.view(r)
	m, err := c.Tickets.MacroByID(r.Context(), actor(v.Me), id)
	if err != nil {
		return err
	}
	if m.Agency != v.Me.AgencyID {
		return tickets.ErrMacroNotFound
	}
	return c.showMacro(w, r, &macroForm{M: m, Saved: r.URL.Query().Get("saved") != ""}, http.StatusOK)
}

func (c *Console) macroSave(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	q := r.PostForm
	m := tickets.Macro{Names: map[string]string{}, Texts: map[string]string{}, Version: number(q.Get("version")), Shared: q.Get("shared") != "", Active: q.Get("active") != "",
		Mode: q.Get("mode"), Outcome: clean(q.Get("outcome"), 100), Resolved: yesNo(q.Get("resolved"))}
	if s := r.PathValue("id"); s != "" {
		id, err := pathID(r, "id")
		if err != nil {
			return err
		}
		m.ID = id
	}
	for _, lang := range c.words.Languages() {
		if name := clean(q.Get("name_"+lang), 200); name != "" {
			m.Names[lang] = name
		}
		if words := text(q.Get("text_" + lang)); words != "" {
			m.Texts[lang] = words
		}
	}
	for _, tag := range strings.FieldsFunc(q.Get("tags"), func(r rune) bool { return r == ',' || r == '，' }) {
		if tag = clean(tag, 100); tag != "" {
			m.Does.Tags = append(m.Does.Tags, tag)
		}
	}
	m.Does.Assign, m.Does.Watch, m.Does.Note, m.Does.Move = clean(q.Get("assign"), 40), q.Get("watch") != "", text(q.Get("note")), tickets.Action(clean(q.Get("move"), 40))
	if m.Does.Move != "" {
		m.Does.Fields = tickets.Fields{Reason: clean(q.Get("reason"), 100), Basis: text(q.Get("basis")), Text: text(q.Get("move_text")), Days: number(q.Get("days"))}
	}
	saved, err := c.Tickets.SaveMacro(r.Context(), actor(v.Me), m)
	if err != nil {
		if !expected(err) {
			return err
		}
		return c.showMacro(w, r, &macroForm{M: m, Error: c.explain(r.Context(), v, err), Field: fieldOf(err)}, httperr.Status(errs.KindOf(err)))
	}
	return see(w, r, "/console/macros/"+saved.ID.String()+"?saved=1")
}
