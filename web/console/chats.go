package console

import (
	"context"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"hotline/chat"
	"hotline/internal/auth"
	"hotline/internal/db"
	"hotline/internal/errs"
	"hotline/tickets"
	"hotline/web/httperr"
)

var chatRoles = []string{"operator", "dispatcher", "supervisor"}

// mayChat: live chats belong to the hotline itself.
func mayChat(p *auth.Principal) bool { return p.Desk && p.Has(chatRoles...) }

func (c *Console) chatRoutes(on, files func(string, []string, handle)) {
	on("GET /console/chats", chatRoles, c.chats)
	on("GET /console/chats/rows", chatRoles, c.chatRows)
	on("GET /console/chats/ended", chatRoles, c.endedChats)
	on("GET /console/chats/{id}", chatRoles, c.chat)
	on("GET /console/chats/{id}/live", chatRoles, c.chatLive)
	on("POST /console/chats/{id}/take", chatRoles, c.chatTake)
	on("POST /console/chats/{id}/back", chatRoles, c.chatBack)
	on("POST /console/chats/{id}/close", chatRoles, c.chatClose)
	files("POST /console/chats/{id}/send", chatRoles, c.chatSend)
	on("POST /console/chats/{id}/typing", chatRoles, c.chatTyping)
	on("POST /console/chats/{id}/seen", chatRoles, c.chatSeen)
	on("GET /console/chats/{id}/ticket", chatRoles, c.chatTicketForm)
	on("POST /console/chats/{id}/ticket", chatRoles, c.chatTicket)
}

const maxLive = 101

// waiting counts the chats that wait for a person.
func (c *Console) waiting(ctx context.Context, p *auth.Principal) int {
	list, err := c.Chat.ListLive(ctx, p.Actor(), chat.HeldByQueue, nil, maxLive)
	if err != nil {
		c.Log.WarnContext(ctx, "waiting chats", "error", err)
		return 0
	}
	return len(list)
}

// chatRow is a conversation in the list.
type chatRow struct {
	chat.Conversation
	Mine     bool
	Selected bool
	Unseen   bool
}

type chatsData struct {
	Waiting, Mine, Others []chatRow
	Selected              uuid.UUID
	Chat                  *chatData
}

// chatData is one live chat.
type chatData struct {
	chat.Conversation
	Feed    []feedItem
	Mine    bool
	Canned  []cannedOption
	Text    string
	Error   string
	Ticket  *tickets.Ticket
	Loaded  bool
	Contact *contact
	Assist  *assistData // nil: the page fetches it
	Used    []used
}

func (c *Console) listChats(ctx context.Context, v View, selected uuid.UUID) (*chatsData, error) {
	d := &chatsData{Selected: selected}
	for _, holder := range []string{chat.HeldByQueue, chat.HeldByStaff} {
		list, err := c.Chat.ListLive(ctx, v.Me.Actor(), holder, nil, maxLive)
		if err != nil {
			return nil, err
		}
		for _, one := range list {
			row := chatRow{Conversation: one, Mine: one.HolderUserID == v.Me.UserID, Selected: one.ID == selected, Unseen: one.StaffSeen < one.LastSeq}
			switch {
			case holder == chat.HeldByQueue:
				d.Waiting = append(d.Waiting, row)
			case row.Mine:
				d.Mine = append(d.Mine, row)
			default:
				d.Others = append(d.Others, row)
			}
		}
	}
	return d, nil
}

func (c *Console) needDesk(r *http.Request) error {
	if p, _ := principal(r.Context()); !mayChat(&p) {
		return auth.ErrForbidden
	}
	return nil
}

func (c *Console) chats(w http.ResponseWriter, r *http.Request) error {
	if err := c.needDesk(r); err != nil {
		return err
	}
	v := c.view(r)
	v.Nav, v.Title = "chats", v.T("nav.chats")
	d, err := c.listChats(r.Context(), v, uuid.Nil)
	if err != nil {
		return err
	}
	v.D = d
	c.page(w, r, http.StatusOK, "chats", v)
	return nil
}

func (c *Console) chatRows(w http.ResponseWriter, r *http.Request) error {
	if err := c.needDesk(r); err != nil {
		return err
	}
	v := c.view(r)
	d, err := c.listChats(r.Context(), v, parseID(r.URL.Query().Get("selected")))
	if err != nil {
		return err
	}
	v.D = d
	c.fragment(w, r, http.StatusOK, "chat-rows", v)
	return nil
}

func (c *Console) loadChat(ctx context.Context, v View, id uuid.UUID) (*chatData, error) {
	a := v.Me.Actor()
	conv, err := c.Chat.Conversation(ctx, a, id)
	if err != nil {
		return nil, err
	}
	messages, err := c.Chat.Latest(ctx, a, id, 0, 100)
	if err != nil {
		return nil, err
	}
	if messages, err = c.Chat.RenderFor(ctx, chat.ReaderStaff, messages); err != nil {
		return nil, err
	}
	d := &chatData{Conversation: conv, Mine: conv.Holder == chat.HeldByStaff && conv.HolderUserID == v.Me.UserID}
	day := ""
	for _, m := range messages {
		item := messageItem(v, m)
		if today := v.Date(m.At); today != day {
			day, item.NewDay = today, true
		}
		d.Feed = append(d.Feed, item)
	}
	c.translations(ctx, v, matter{Base: "/console/chats/" + id.String(), Conversation: id, Lang: conv.Lang, Secret: conv.Confidential}, d.Feed)
	if conv.TicketID != uuid.Nil {
		t, err := c.Tickets.ByID(ctx, actor(v.Me), conv.TicketID)
		if err == nil {
			d.Ticket = &t
		} else if errs.KindOf(err) != errs.NotFound {
			return nil, err
		}
	}
	number := ""
	if d.Ticket != nil {
		number = d.Ticket.Number
	}
	fill := strings.NewReplacer("{number}", number, "{agency}", View{c: c, Lang: conv.Lang}.Agency(v.Me.AgencyID), "{due}", "", "{officer}", v.Me.NameIn(conv.Lang))
	for _, one := range c.cannedReplies() {
		if isForm(one) || d.Ticket == nil && (strings.Contains(one.Text["en"], "{number}") || strings.Contains(one.Text["en"], "{due}")) {
			continue // it speaks of a ticket
		}
		words, name := one.Text[conv.Lang], one.Names[v.Lang]
		if words == "" {
			words = one.Text["en"]
		}
		if name == "" {
			name = one.Names["en"]
		}
		d.Canned = append(d.Canned, cannedOption{Name: name, Text: fill.Replace(words)})
	}
	d.Canned = append(d.Canned, c.chatMacros(ctx, v, d)...)
	return d, nil
}

func (c *Console) chat(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	return c.showChat(w, r, id, http.StatusOK, nil)
}

func (c *Console) showChat(w http.ResponseWriter, r *http.Request, id uuid.UUID, status int, edit func(*chatData)) error {
	if err := c.needDesk(r); err != nil {
		return err
	}
	v := c.view(r)
	d, err := c.loadChat(r.Context(), v, id)
	if err != nil {
		return err
	}
	if d.Assist, d.Text, d.Used = c.inline(r, v, c.chatMatter); edit != nil {
		edit(d)
	}
	v.Nav, v.Title, v.Watch.Conversation = "chats", v.T("nav.chats"), id.String()
	if isHX(r) {
		v.D = d
		c.fragment(w, r, status, "chat", v)
		return nil
	}
	list, err := c.listChats(r.Context(), v, id)
	if err != nil {
		return err
	}
	list.Chat = d
	v.D = list
	c.page(w, r, status, "chats", v)
	return nil
}

// chatLive is what console.js puts into an open chat.
func (c *Console) chatLive(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := c.needDesk(r); err != nil {
		return err
	}
	v := c.view(r)
	d, err := c.loadChat(r.Context(), v, id)
	if err != nil {
		return err
	}
	v.D = d
	c.fragment(w, r, http.StatusOK, "chat-live", v)
	return nil
}

// chatDo runs one change of a chat and shows it again.
func (c *Console) chatDo(w http.ResponseWriter, r *http.Request, words string, do func(ctx context.Context, v View, id uuid.UUID) error) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := c.needDesk(r); err != nil {
		return err
	}
	v := c.view(r)
	if err := do(r.Context(), v, id); err != nil {
		if expected(err) && isHX(r) {
			return c.formError(w, r, "#toasts", c.explain(r.Context(), v, err), httperr.Status(errs.KindOf(err)), nil)
		}
		return err
	}
	toast(w, v.T(words))
	if isHX(r) {
		return c.showChat(w, r, id, http.StatusOK, nil)
	}
	http.Redirect(w, r, "/console/chats/"+id.String(), http.StatusSeeOther)
	return nil
}

func (c *Console) chatTake(w http.ResponseWriter, r *http.Request) error {
	return c.chatDo(w, r, "done.chat_taken", func(ctx context.Context, v View, id uuid.UUID) error { return c.Chat.TakeOver(ctx, v.Me.Actor(), id) })
}

func (c *Console) chatBack(w http.ResponseWriter, r *http.Request) error {
	return c.chatDo(w, r, "done.chat_back", func(ctx context.Context, v View, id uuid.UUID) error { return c.Chat.HandBack(ctx, v.Me.Actor(), id) })
}

func (c *Console) chatClose(w http.ResponseWriter, r *http.Request) error {
	return c.chatDo(w, r, "done.chat_closed", func(ctx context.Context, v View, id uuid.UUID) error { return c.Chat.Close(ctx, v.Me.Actor(), id) })
}

// chatSend posts a message. Only who holds the chat talks in it.
func (c *Console) chatSend(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := c.needDesk(r); err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	if err := c.sendChat(r.Context(), v, r, id); err != nil {
		if !expected(err) {
			return err
		}
		words, status := c.words.Error(v.Lang, err), httperr.Status(errs.KindOf(err))
		if isHX(r) {
			return c.formError(w, r, "#composer-error", words, status, nil)
		}
		return c.showChat(w, r, id, status, func(d *chatData) { d.Text, d.Error = r.PostForm.Get("text"), words })
	}
	if isHX(r) {
		w.Header().Set("HX-Retarget", "#pane")
		w.Header().Set("HX-Reswap", "innerHTML")
		return c.showChat(w, r, id, http.StatusOK, nil)
	}
	http.Redirect(w, r, "/console/chats/"+id.String(), http.StatusSeeOther)
	return nil
}

func (c *Console) sendChat(ctx context.Context, v View, r *http.Request, id uuid.UUID) error {
	conv, err := c.Chat.Conversation(ctx, v.Me.Actor(), id)
	if err != nil {
		return err
	}
	if conv.Holder != chat.HeldByStaff || conv.HolderUserID != v.Me.UserID {
		return chat.ErrNotHeld
	}
	words := text(r.PostForm.Get("text"))
	if err := checkGaps(words); err != nil {
		return err
	}
	files, err := c.takeFiles(ctx, v, r, id)
	if err != nil {
		return err
	}
	cites, also := c.sent(ctx, v, r, matter{Conversation: id, Ticket: conv.TicketID}, words)
	_, err = c.Chat.Post(ctx, v.Me.Actor(), id, chat.Outgoing{Author: chat.ByStaff, Text: words, Uploads: files, TicketID: conv.TicketID, Key: key(r.PostForm.Get("key")), Also: also,
		Payload: chat.Payload{Citations: cites}})
	return err
}

func (c *Console) chatTyping(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := c.needDesk(r); err != nil {
		return err
	}
	p, _ := principal(r.Context())
	conv, err := c.Chat.Conversation(r.Context(), p.Actor(), id)
	if err != nil {
		return err
	}
	if conv.HolderUserID == p.UserID {
		c.Chat.Typing(id, chat.ByStaff)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (c *Console) chatSeen(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := c.needDesk(r); err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	p, _ := principal(r.Context())
	if err := c.Chat.Seen(r.Context(), p.Actor(), id, int64(number(r.PostForm.Get("seq"))), chat.ByStaff); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// fileData is the form for a ticket from a chat.
type fileData struct {
	ID         uuid.UUID
	Kinds      []string
	Categories []option
	Form       map[string]string
	Error      string
}

func (c *Console) chatTicketForm(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := c.needDesk(r); err != nil {
		return err
	}
	v := c.view(r)
	messages, err := c.Chat.Latest(r.Context(), v.Me.Actor(), id, 0, 50)
	if err != nil {
		return err
	}
	var said []string
	for _, m := range messages {
		if m.Author == chat.ByCitizen && m.Text != "" {
			said = append(said, m.Text)
		}
	}
	return c.showFile(w, r, v, fileData{ID: id, Form: map[string]string{"description": strings.Join(said, "\n"), "kind": "help"}}, http.StatusOK)
}

func (c *Console) showFile(w http.ResponseWriter, r *http.Request, v View, d fileData, status int) error {
	d.Kinds, d.Categories = tickets.Kinds(), c.categories(v.Lang)
	v.Nav, v.Title, v.D = "chats", v.T("chat.file"), d
	if isHX(r) {
		c.fragment(w, r, status, "file-form", v)
		return nil
	}
	c.page(w, r, status, "file", v)
	return nil
}

// chatTicket files a ticket from a chat; the citizen reads its number there.
func (c *Console) chatTicket(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := c.needDesk(r); err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v, q := c.view(r), r.PostForm
	conv, err := c.Chat.Conversation(r.Context(), v.Me.Actor(), id)
	if err != nil {
		return err
	}
	t, err := c.openFromChat(r.Context(), v, conv, tickets.Draft{Kind: clean(q.Get("kind"), 40), Category: clean(q.Get("category"), 100), Title: clean(q.Get("title"), 400),
		Description: text(q.Get("description")), Place: clean(q.Get("place"), 1000), Urgency: clean(q.Get("urgency"), 20), Confidential: q.Get("confidential") != "",
		Lang: conv.Lang, Channel: conv.Channel, ConversationID: id, Author: string(tickets.KindStaff), UserID: v.Me.UserID, AgencyID: v.Me.AgencyID, Key: key(q.Get("key"))})
	if err != nil {
		if !expected(err) {
			return err
		}
		words, status := c.explain(r.Context(), v, err), httperr.Status(errs.KindOf(err))
		if isHX(r) {
			return c.formError(w, r, "#form-error", words, status, nil)
		}
		form := map[string]string{}
		for name := range q {
			form[name] = q.Get(name)
		}
		return c.showFile(w, r, v, fileData{ID: id, Form: form, Error: words}, status)
	}
	toast(w, v.T("done.filed", "number", t.Number))
	if isHX(r) {
		w.Header().Set("HX-Retarget", "#pane")
		w.Header().Set("HX-Reswap", "innerHTML")
		return c.showChat(w, r, id, http.StatusOK, nil)
	}
	http.Redirect(w, r, "/console/tickets/"+t.ID.String(), http.StatusSeeOther)
	return nil
}

// openFromChat opens the ticket and tells the citizen its number in one transaction. It runs as the system once the reader has been seen to
// have the chat: staff of the hotline may open a ticket that they are not cleared to read.
func (c *Console) openFromChat(ctx context.Context, v View, conv chat.Conversation, d tickets.Draft) (tickets.Ticket, error) {
	var t tickets.Ticket
	var told func()
	err := db.WithTx(ctx, c.Pool, db.System(), func(tx db.Tx) (err error) {
		if t, err = c.Tickets.OpenTx(ctx, tx, d); err != nil {
			return err
		}
		to := View{c: c, Lang: conv.Lang}
		p, err := c.Chat.PostTx(ctx, tx, db.System(), conv.ID, chat.Outgoing{Author: chat.BySystem, UserID: v.Me.UserID, TicketID: t.ID, Key: "opened:" + t.ID.String(),
			Text:    to.T("chat.opened_text", "number", t.Number, "code", "{tracking_code}"),
			Payload: chat.Payload{Event: chat.EventTicketOpened, Ticket: &chat.TicketRef{ID: t.ID, Number: t.Number}}})
		told = func() { c.Chat.Posted(p) }
		return err
	})
	if err != nil {
		return t, err
	}
	told()
	c.Chat.Announce(t)
	return t, nil
}
