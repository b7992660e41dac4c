package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"

	"hotline/chat"
	"hotline/internal/errs"
	"hotline/knowledge"
	"hotline/tickets"
	"hotline/web/httperr"
)

// Staff assistance: beside every ticket and live chat stand the articles that may answer, and a draft made of their words. What becomes of
// them is recorded where it happens: with the message that goes out, or with the act in the panel.

func (c *Console) assistRoutes(on func(string, []string, handle)) {
	on("GET /console/tickets/{id}/suggest", ticketRoles, c.suggest(c.ticketMatter))
	on("POST /console/tickets/{id}/assist", ticketRoles, c.assistDo(c.ticketMatter))
	on("GET /console/chats/{id}/suggest", chatRoles, c.suggest(c.chatMatter))
	on("POST /console/chats/{id}/assist", chatRoles, c.assistDo(c.chatMatter))
}

// matter is what staff answer: a ticket or a live chat.
type matter struct {
	Base                 string // its address
	Ticket, Conversation uuid.UUID
	Lang                 string // of the citizen
	Question             string // what the articles are searched for
	Asked                string // the citizen's last words, where the question is made of them
	Seq                  int64  // of their message
	May                  bool   // write to the citizen
	Secret               bool   // a confidential case
	Event                int    // seq of the newest entry of the history; with Last it says whether anything is new
	Last                 int64  // seq of the newest message
	Entries              int    // of the timeline
	contact              *uuid.UUID
	form                 string // code of the reply form
	fill                 map[string]string
}

// matterOf reads one.
type matterOf func(r *http.Request, v View) (matter, error)

// unanswered gives the citizen's words that nobody has answered yet, and the seq of the last of them; of a talk in which everything is answered,
// their last ones.
func unanswered(messages []chat.Message) (words string, seq int64) {
	var open []string
	for _, m := range slices.Backward(messages) {
		switch {
		case m.Author == chat.ByCitizen && len([]rune(strings.TrimSpace(m.Text))) > 3:
			open = append(open, strings.TrimSpace(m.Text))
			seq = max(seq, m.Seq)
			continue
		case m.Author != chat.ByStaff && m.Author != chat.ByBot:
			continue
		}
		if len(open) > 0 {
			break
		}
	}
	slices.Reverse(open)
	return strings.Join(open, "\n"), seq
}

func askedIn(feed []feedItem) int64 {
	var ms []chat.Message
	for _, item := range feed {
		if item.Message != nil {
			ms = append(ms, *item.Message)
		}
	}
	_, seq := unanswered(ms)
	return seq
}

// AskedSeq tells the page when there is something newer to suggest for.
func (d *chatData) AskedSeq() int64 { return askedIn(d.Feed) }

// AskedSeq is that of a ticket's correspondence.
func (d *ticketData) AskedSeq() int64 { return askedIn(d.Feed) }

func (c *Console) ticketMatter(r *http.Request, v View) (matter, error) {
	id, err := pathID(r, "id")
	if err != nil {
		return matter{}, err
	}
	ctx := r.Context()
	t, err := c.Tickets.ByID(ctx, actor(v.Me), id)
	if err != nil {
		return matter{}, err
	}
	m := matter{Base: "/console/tickets/" + id.String(), Ticket: id, Conversation: t.ConversationID, Lang: t.Lang, form: formTicket, Question: t.Description}
	if t.Description != t.Title && !strings.HasPrefix(t.Description, t.Title) {
		m.Question = t.Title + "\n" + t.Description
	}
	m.Secret, m.contact = t.Confidential, t.ContactID
	if c.mayAsk(ctx, askSummary) {
		events, err := c.Tickets.Timeline(ctx, actor(v.Me), id)
		if err != nil {
			return m, err
		}
		if m.Entries = len(events); m.Entries > 0 {
			m.Event = int(events[m.Entries-1].Seq)
		}
	}
	m.fill = map[string]string{"number": t.Number, "agency": View{c: c, Lang: t.Lang}.Agency(v.Me.AgencyID), "officer": v.Me.NameIn(t.Lang)}
	if t.ConversationID == uuid.Nil {
		return m, nil
	}
	messages, err := c.Chat.Latest(ctx, v.Me.Actor(), t.ConversationID, 0, 50)
	if err != nil {
		return m, err
	}
	if n := len(messages); n > 0 {
		m.Last, m.Entries = messages[n-1].Seq, m.Entries+n
	}
	messages = slices.DeleteFunc(messages, func(x chat.Message) bool {
		return x.TicketID != uuid.Nil && x.TicketID != id || strings.TrimSpace(x.Text) == strings.TrimSpace(t.Description)
	})
	words, seq := unanswered(messages)
	m.Seq = seq
	// What the citizen adds is asked together with what it is about; "since Monday" alone finds nothing.
	if words != "" && !strings.Contains(m.Question, words) {
		m.Asked, m.Question = words, words+"\n"+t.Title
	}
	m.May = c.mayAnswer(v, t)
	return m, nil
}

// mayAnswer reports whether something may be written to the citizen of a ticket now: as a message, or as a move.
func (c *Console) mayAnswer(v View, t tickets.Ticket) bool {
	return c.mayWrite(v, &ticketData{T: t, HasChat: t.ConversationID != uuid.Nil}) ||
		slices.ContainsFunc(c.Tickets.Moves(actor(v.Me), t), func(m tickets.Move) bool { return slices.Contains(composed, m.Name) })
}

func (c *Console) chatMatter(r *http.Request, v View) (matter, error) {
	id, err := pathID(r, "id")
	if err != nil {
		return matter{}, err
	}
	if err := c.needDesk(r); err != nil {
		return matter{}, err
	}
	ctx := r.Context()
	conv, err := c.Chat.Conversation(ctx, v.Me.Actor(), id)
	if err != nil {
		return matter{}, err
	}
	messages, err := c.Chat.Latest(ctx, v.Me.Actor(), id, 0, 30)
	if err != nil {
		return matter{}, err
	}
	m := matter{Base: "/console/chats/" + id.String(), Conversation: id, Ticket: conv.TicketID, Lang: conv.Lang, form: formChat,
		May:  conv.Holder == chat.HeldByStaff && conv.HolderUserID == v.Me.UserID,
		fill: map[string]string{"agency": View{c: c, Lang: conv.Lang}.Agency(v.Me.AgencyID), "officer": v.Me.NameIn(conv.Lang)}}
	m.Secret, m.Last, m.Entries = conv.Confidential, conv.LastSeq, len(messages)
	m.Question, m.Seq = unanswered(messages)
	m.Asked = m.Question
	return m, nil
}

// assistData is the panel.
type assistData struct {
	matter
	Query  string
	Draft  *suggested
	Rows   []suggested
	Model  machineData
	Down   bool      // the search cannot be reached
	Done   string    // what has just been done, and what comes next
	Error  string    // of the form that failed
	Wrong  uuid.UUID // the article whose form it is
	Text   string    // what was typed there
	Inline bool      // part of the page; otherwise the page fetches it
}

// Open reports whether a suggestion is seen at once: the best two that may answer. The others, and whatever is far from it, are folded away.
func (d assistData) Open(i int) bool { return i < 2 && d.Rows[i].Sure != "far" }

// Folded is how many are not.
func (d assistData) Folded() int {
	n := 0
	for i := range d.Rows {
		if !d.Open(i) {
			n++
		}
	}
	return n
}

// FoldOpen reports whether a form that failed stands among them.
func (d assistData) FoldOpen() bool {
	for i, one := range d.Rows {
		if !d.Open(i) && d.Wrong != uuid.Nil && one.Sources[0].Article.ID == d.Wrong {
			return true
		}
	}
	return false
}

// Reasons are those for refusing a suggestion.
func (d assistData) Reasons() []string { return knowledge.DismissReasons }

func (c *Console) suggest(of matterOf) handle {
	return func(w http.ResponseWriter, r *http.Request) error {
		v := c.view(r)
		m, err := of(r, v)
		if err != nil {
			return err
		}
		v.D = c.suggestions(r.Context(), v, m, clean(r.URL.Query().Get("q"), 500))
		c.fragment(w, r, http.StatusOK, "suggestions", v)
		return nil
	}
}

// inline puts the panel into the page that a reader without scripts has asked for, and what was chosen there into the composer. A panel that
// fails costs no page.
func (c *Console) inline(r *http.Request, v View, of matterOf) (*assistData, string, []used) {
	q := r.URL.Query()
	if q.Get("assist") == "" {
		return nil, "", nil
	}
	m, err := of(r, v)
	if err != nil {
		return nil, "", nil
	}
	d := c.suggestions(r.Context(), v, m, clean(q.Get("q"), 500))
	d.Inline = true
	if done := q.Get("done"); done == "wrong" || done == "dismissed" {
		d.Done = v.T("assist.done_" + done)
	}
	chosen := usedOf(q["used"], nil)
	if len(chosen) == 0 || !d.May {
		return &d, "", nil
	}
	for _, s := range append(d.Rows, d.drafts()...) {
		if s.Kind == chosen[0].Kind && len(s.Sources) == len(chosen) && s.Sources[0].Article.ID == chosen[0].Article {
			for i := range chosen {
				chosen[i].Text, chosen[i].Title = s.Insert, s.Sources[i].Version.Title
			}
			return &d, s.Insert, chosen
		}
	}
	return &d, "", nil
}

func (d assistData) drafts() []suggested {
	if d.Draft == nil {
		return nil
	}
	return []suggested{*d.Draft}
}

// assistDo is an act in the panel.
func (c *Console) assistDo(of matterOf) handle {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := parseForm(r); err != nil {
			return err
		}
		v := c.view(r)
		m, err := of(r, v)
		if err != nil {
			return err
		}
		q := r.PostForm
		chosen := usedOf(q["used"], nil)
		if len(chosen) == 0 {
			return httperr.ErrMalformed
		}
		back := url.Values{"assist": {"1"}, "q": {clean(q.Get("q"), 500)}}
		done := ""
		switch q.Get("do") {
		case "insert":
			if !m.May {
				return tickets.ErrForbidden.With("action", "message")
			}
			err = c.Knowledge.Assisted(r.Context(), staff(v), m.rows(v, chosen, knowledge.Inserted)...)
			back["used"] = q["used"]
			if err == nil && q.Get("quiet") != "" { // the page has put it into the composer itself
				w.WriteHeader(http.StatusNoContent)
				return nil
			}
		case "dismiss":
			reason := q.Get("reason")
			if !slices.Contains(knowledge.DismissReasons, reason) {
				return httperr.ErrMalformed
			}
			rows := m.rows(v, chosen, knowledge.Dismissed)
			for i := range rows {
				rows[i].Reason = reason
			}
			err = c.Knowledge.Assisted(r.Context(), staff(v), rows...)
			back.Set("done", "dismissed")
			toast(w, v.T("assist.done_dismissed"))
			undo(w, m.Base+"/assist", url.Values{"do": {"undo"}, "used": q["used"]})
		case "undo":
			err = c.Knowledge.Undismiss(r.Context(), staff(v), chosen[0].ID)
		case "wrong":
			done, err = c.reportWrong(r.Context(), v, m, chosen[0], q)
			back.Set("done", "wrong")
		default:
			return httperr.ErrNotFound
		}
		if err != nil && !expected(err) {
			return err
		}
		if !isHX(r) && err == nil {
			http.Redirect(w, r, m.Base+"?"+back.Encode(), http.StatusSeeOther)
			return nil
		}
		d := c.suggestions(r.Context(), v, m, clean(q.Get("q"), 500))
		status := http.StatusOK
		if d.Done = done; err != nil {
			d.Error, d.Wrong, d.Text, status = c.explain(r.Context(), v, err), chosen[0].Article, text(q.Get("text")), httperr.Status(errs.KindOf(err))
		}
		v.D = d
		w.Header().Set("HX-Retarget", "#suggestions")
		w.Header().Set("HX-Reswap", "innerHTML")
		c.fragment(w, r, status, "suggestions", v)
		return nil
	}
}

// rows are the records of an act.
func (m matter) rows(v View, chosen []used, outcome string) []knowledge.Assist {
	out := make([]knowledge.Assist, 0, len(chosen))
	for _, u := range chosen {
		a := u.Assist
		a.At, a.User, a.Agency, a.Conversation, a.Ticket, a.Outcome = v.Now, v.Me.UserID, v.Me.AgencyID, m.Conversation, m.Ticket, outcome
		out = append(out, a)
	}
	return out
}

// wrongKinds are what staff say is wrong with an article; the words of the kind stand before theirs in the correction.
var wrongKinds = []string{"outdated", "false", "missing", "unclear"}

// WrongKinds are the choices of the form.
func (d assistData) WrongKinds() []string { return wrongKinds }

// reportWrong files a correction and says what happens next.
func (c *Console) reportWrong(ctx context.Context, v View, m matter, u used, q url.Values) (string, error) {
	words := text(q.Get("text"))
	if words == "" {
		return "", knowledge.ErrTextMissing.On("text")
	}
	a, err := c.Knowledge.Article(ctx, u.Article)
	if err != nil {
		return "", err
	}
	if kind := q.Get("kind"); slices.Contains(wrongKinds, kind) {
		words = View{c: c, Lang: a.Lang}.T("assist.wrong_"+kind) + ": " + words
	}
	if _, err := c.Knowledge.Dispute(ctx, staff(v), u.Article, words); err != nil {
		return "", err
	}
	title := ""
	if version, err := c.Knowledge.Version(ctx, u.Article, u.Version); err == nil {
		title = version.Title
	}
	if err := c.Knowledge.Assisted(ctx, staff(v), m.rows(v, []used{u}, knowledge.Wrong)...); err != nil {
		return "", err
	}
	owner := v.Agency(a.Owner)
	if owner == "" {
		owner = v.T("assist.reviewers")
	}
	return v.T("assist.done_wrong_at", "title", title, "owner", owner), nil
}
