package console

import (
	"context"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"hotline/chat"
	"hotline/internal/errs"
	"hotline/tickets"
	"hotline/web/httperr"
)

// composer writes to the citizen or to colleagues.
type composer struct {
	Modes    []string // message, reply, ask_citizen, answer_directly, note
	Mode     string
	Canned   []cannedOption
	Outcomes []tickets.Code
	Text     string
	Outcome  string
	Resolved string
	Error    string
	Version  int
	ReadOnly bool   // notes only, or nothing at all
	Macro    string // chosen, with what it does
	Does     string
	Used     []used // suggestions that the text is made of
	CoOpen   []coOpen
	Over     string // why an answer does not wait for them
}

// coOpen is a co-agency whose reply an answer would not wait for.
type coOpen struct {
	Agency string
	Light  Light
}

// cannedOption is a text to insert; a macro also sets what the composer is for, and does things when it is sent.
type cannedOption struct {
	Name, Text              string
	ID, Does                string // of a macro with deeds
	Mode, Outcome, Resolved string
}

func (c *Console) newComposer(ctx context.Context, v View, d *ticketData, moves []tickets.Move) composer {
	out := composer{Outcomes: tickets.Outcomes(), Version: d.T.Version}
	for _, name := range composed {
		if slices.ContainsFunc(moves, func(m tickets.Move) bool { return m.Name == name }) {
			out.Modes = append(out.Modes, string(name))
		}
	}
	if c.mayWrite(v, d) {
		out.Modes = append(out.Modes, "message")
	}
	out.Modes = append(out.Modes, "note")
	out.Mode = out.Modes[0]
	for _, clk := range tickets.CoOpen(d.Clocks) {
		light := v.LightOf(nil, &clk.DueAt)
		light.Class = string(clk.Light)
		out.CoOpen = append(out.CoOpen, coOpen{v.Agency(clk.Agency), light})
	}
	lang, values := d.T.Lang, c.macroValues(ctx, v, d.T, d.Promised)
	fill := strings.NewReplacer("{number}", values["number"], "{agency}", values["agency"], "{due}", values["due"], "{officer}", values["me"])
	for _, one := range c.cannedReplies() {
		if isForm(one) || len(out.Modes) == 1 { // they are for citizens, to whom nothing can be written here
			continue
		}
		words := one.Text[lang]
		if words == "" {
			words = one.Text["en"]
		}
		name := one.Names[v.Lang]
		if name == "" {
			name = one.Names["en"]
		}
		out.Canned = append(out.Canned, cannedOption{Name: name, Text: fill.Replace(words)})
	}
	out.Canned = append(out.Canned, c.macroOptions(ctx, v, d.T, values, out.Modes)...)
	return out
}

// use puts a canned reply or macro into the composer, as console.js does where it runs.
func (c *composer) use(n int) {
	if n < 1 || n > len(c.Canned) {
		return
	}
	o := c.Canned[n-1]
	c.Text, c.Outcome, c.Resolved, c.Macro, c.Does = o.Text, o.Outcome, o.Resolved, o.ID, o.Does
	if slices.Contains(c.Modes, o.Mode) {
		c.Mode = o.Mode
	}
}

// mayWrite: those whose case it is write to the citizen; who only looks on writes notes.
func (c *Console) mayWrite(v View, d *ticketData) bool {
	if !d.HasChat || !d.T.Open() {
		return false
	}
	if v.Me.Desk {
		return v.Me.Has("operator", "dispatcher", "supervisor")
	}
	return d.T.Lead == v.Me.AgencyID && v.Me.Has("handler", "head")
}

// compose sends what the composer holds. When it cannot, the words of the reason appear above the text, which stays as it was.
func (c *Console) compose(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	mode := r.PostForm.Get("mode")
	macro, done := parseID(r.PostForm.Get("macro")), ""
	// A macro without words only does things.
	if macro == uuid.Nil || text(r.PostForm.Get("text")) != "" || r.MultipartForm != nil && len(r.MultipartForm.File["files"]) > 0 {
		if err := c.write(r.Context(), v, r, id, mode); err != nil {
			return c.composeFailed(w, r, v, id, mode, err)
		}
		done = v.T("done.sent_" + noteOrMessage(mode))
	}
	if macro != uuid.Nil {
		failed, err := c.runMacro(r.Context(), v, id, macro, key(r.PostForm.Get("key")))
		if err != nil {
			return err
		}
		if done == "" {
			done = v.T("tools.macro_done")
		}
		if failed != "" {
			done = strings.TrimSpace(done + " " + v.T("tools.macro_not", "why", failed))
		}
	}
	return c.acted(w, r, id, done)
}

func noteOrMessage(mode string) string {
	if mode == "note" {
		return "note"
	}
	return "message"
}

var errMode = errs.New(errs.Invalid, "console.unknown_mode", "this kind of message is not possible here")

func (c *Console) write(ctx context.Context, v View, r *http.Request, id uuid.UUID, mode string) error {
	q := r.PostForm
	a, words, k := actor(v.Me), text(q.Get("text")), key(q.Get("key"))
	version := number(q.Get("version"))
	if mode == "note" {
		t, err := c.Tickets.Note(ctx, a, id, words, k)
		if err == nil {
			c.Chat.Announce(t)
		}
		return err
	}
	if err := checkGaps(words); err != nil {
		return err
	}
	t, err := c.Tickets.ByID(ctx, a, id)
	if err != nil {
		return err
	}
	f := tickets.Fields{Text: words}
	action := tickets.Action(mode)
	switch {
	case mode == "message":
		// A message alone is no move, so the state table does not judge it; who may write is asked here.
		d := &ticketData{T: t, HasChat: t.ConversationID != uuid.Nil}
		if !c.mayWrite(v, d) {
			return tickets.ErrForbidden.With("action", "message")
		}
		if version != 0 && version != t.Version && q.Get("seen") == "" {
			return tickets.ErrStale.With("state", string(t.State))
		}
		action = ""
	case slices.Contains(composed, action):
		if action != tickets.AskCitizen {
			f.Outcome, f.Resolved, f.Over = clean(q.Get("outcome"), 100), yesNo(q.Get("resolved")), text(q.Get("over"))
		}
	default:
		return errMode
	}
	if f.Uploads, err = c.takeFiles(ctx, v, r, t.ConversationID); err != nil {
		return err
	}
	if words == "" && len(f.Uploads) == 0 {
		return tickets.ErrMissing.On("text").With("field", "text")
	}
	cites, also := c.sent(ctx, v, r, matter{Ticket: id, Conversation: t.ConversationID}, words)
	if action == "" {
		if _, err := c.Chat.Post(ctx, v.Me.Actor(), t.ConversationID, chat.Outgoing{Author: chat.ByStaff, Text: words, Uploads: f.Uploads, TicketID: id, Key: k, Also: also,
			Payload: chat.Payload{Ticket: &chat.TicketRef{ID: t.ID, Number: t.Number}, Citations: cites}}); err != nil {
			return err
		}
		c.Chat.Announce(t)
		return nil
	}
	f.Sources = sourcesOf(cites)
	_, err = c.Chat.ReplyToTicket(ctx, a, id, version, words, action, f, k, also)
	return err
}

// maxFiles of one message.
const maxFiles = 5

var errTooManyFiles = errs.New(errs.TooLarge, "console.too_many_files", "too many files in one message").With("limit", maxFiles)

// takeFiles stores the files of a form.
func (c *Console) takeFiles(ctx context.Context, v View, r *http.Request, conversation uuid.UUID) ([]uuid.UUID, error) {
	if r.MultipartForm == nil {
		return nil, nil
	}
	var files []*multipart.FileHeader
	for _, f := range r.MultipartForm.File["files"] {
		if f.Size > 0 || f.Filename != "" {
			files = append(files, f)
		}
	}
	if len(files) > maxFiles {
		return nil, errTooManyFiles
	}
	var out []uuid.UUID
	for _, header := range files {
		id, err := c.takeFile(ctx, v, header, conversation)
		if err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	return out, nil
}

func (c *Console) composeFailed(w http.ResponseWriter, r *http.Request, v View, id uuid.UUID, mode string, cause error) error {
	if !expected(cause) && errs.KindOf(cause) != errs.NotFound {
		return cause
	}
	t, err := c.Tickets.ByID(r.Context(), actor(v.Me), id)
	if err != nil {
		return err
	}
	words, status := c.explain(r.Context(), v, cause), httperr.Status(errs.KindOf(cause))
	if isHX(r) {
		w.Header().Set("HX-Trigger", "ticket-changed")
		return c.formError(w, r, "#composer-error", words, status, map[string]any{"Version": t.Version, "ID": "composer"})
	}
	return c.showTicket(w, r, id, status, func(d *ticketData) {
		d.Composer.Text, d.Composer.Error, d.Composer.Outcome, d.Composer.Resolved = r.PostForm.Get("text"), words, r.PostForm.Get("outcome"), r.PostForm.Get("resolved")
		d.Composer.Over = r.PostForm.Get("over")
		if slices.Contains(d.Composer.Modes, mode) {
			d.Composer.Mode = mode
		}
	})
}

func (c *Console) retryDelivery(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	v := c.view(r)
	t, err := c.Tickets.ByID(r.Context(), actor(v.Me), id)
	if err != nil {
		return err
	}
	if err := c.Chat.Redeliver(r.Context(), v.Me.Actor(), t.ConversationID, int64(number(r.PathValue("seq")))); err != nil {
		return err
	}
	return c.acted(w, r, id, v.T("done.retry"))
}
