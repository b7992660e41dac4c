package console

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"hotline/chat/assist"
	"hotline/chat/bot"
	"hotline/internal/errs"
	"hotline/internal/llm"
	"hotline/knowledge"
	"hotline/tickets"
	"hotline/web/httperr"
)

// Machine is what a language model does for staff; chat/assist.Service is it.
type Machine interface {
	Has(ctx context.Context, u llm.Use) bool
	Summarize(ctx context.Context, by assist.Asker, entries []assist.Entry, lang string) (assist.Words, error)
	DraftReply(ctx context.Context, by assist.Asker, ticket string, found []bot.Citation, lang string) (assist.Words, error)
	Translate(ctx context.Context, by assist.Asker, text, lang string) (assist.Words, error)
	Extract(ctx context.Context, by assist.Asker, text string, categories []assist.Category) (assist.Facts, error)
	ProposeQuestions(ctx context.Context, by assist.Asker, a assist.Article, have []string) (assist.Proposal, error)
}

func (c *Console) askRoutes(on func(string, []string, handle)) {
	on("POST /console/tickets/{id}/ask", ticketRoles, c.askFor(c.ticketMatter))
	on("GET /console/tickets/{id}/ask/{ask}", ticketRoles, c.askShow(c.ticketMatter))
	on("POST /console/chats/{id}/ask", chatRoles, c.askFor(c.chatMatter))
	on("GET /console/chats/{id}/ask/{ask}", chatRoles, c.askShow(c.chatMatter))
	on("POST /console/knowledge/{id}/ask", editRoles, c.askQuestionsFor)
	on("GET /console/knowledge/{id}/ask/{ask}", editRoles, c.askQuestionsShow)
}

// askView is an ask as a page shows it.
type askView struct {
	ask
	Base     string
	Words    string // why it failed
	Category string // its name
	File     *filing
	Draft    *suggested
	Panel    assistData // for the button that inserts the draft
}

// machineData is what a model can do for a case, and what it has done.
type machineData struct {
	Base     string
	Secret   bool // confidential: nothing of it may leave
	Kinds    []string
	Asked    []askView
	Anything bool
}

// confidentialAllowed is the jurisdiction's word on whether confidential cases may go to its language models.
func (c *Console) confidentialAllowed() bool {
	return c.Routing.Snapshot().Jurisdiction().ModelRules().Confidential
}

// long is from how many entries on a case is worth a summary.
const long = 8

// about names what exactly an ask is about, so that the same is asked once.
func (m matter) about(kind, lang string) string {
	switch kind {
	case askSummary:
		return itoa(m.Event) + "." + strconv.FormatInt(m.Last, 10) + ":" + lang
	case askDraft:
		return strconv.FormatInt(m.Seq, 10) + ":" + m.Lang
	}
	return strconv.FormatInt(m.Seq, 10)
}

// machine says what a model may be asked for a case, and shows what it was asked.
func (c *Console) machine(ctx context.Context, v View, m matter, rows []suggested) machineData {
	d := machineData{Base: m.Base}
	if c.Machine == nil {
		return d
	}
	var kinds []string
	for _, k := range []string{askDraft, askSummary, askCategory} {
		if c.mayAsk(ctx, k) && (k != askDraft || m.May && slices.ContainsFunc(rows, func(s suggested) bool { return !s.Internal })) && (k != askSummary || m.Entries >= long) {
			kinds = append(kinds, k)
		}
	}
	if d.Anything = len(kinds) > 0; !d.Anything {
		return d
	}
	if m.Secret && !c.confidentialAllowed() {
		d.Secret = true
		return d
	}
	all, err := c.asksOf(ctx, v, m.Ticket, m.Conversation, uuid.Nil)
	if err != nil {
		c.Log.WarnContext(ctx, "asks", "error", err)
		return d
	}
	for _, k := range kinds {
		if a, ok := all[k+":"+m.about(k, v.Lang)]; ok {
			d.Asked = append(d.Asked, c.viewAsk(ctx, v, m, a))
		} else {
			d.Kinds = append(d.Kinds, k)
		}
	}
	return d
}

var marks = regexp.MustCompile(` ?\[\d+\]`)

func (c *Console) viewAsk(ctx context.Context, v View, m matter, a ask) askView {
	x := askView{ask: a, Base: m.Base, Panel: assistData{matter: m}}
	if a.State == "failed" {
		x.Words = c.words.T(v.Lang, "errors."+a.Error)
	}
	if a.Result.Category != "" {
		x.Category = v.Category(a.Result.Category)
		x.File = c.filing(ctx, v, a)
	}
	if a.Kind != askDraft || a.State != "done" {
		return x
	}
	ids := make([]uuid.UUID, len(a.Result.Sources))
	for i, s := range a.Result.Sources {
		ids[i] = s.Article
	}
	entries, err := c.Knowledge.Servable(ctx, ids, false)
	if err != nil || len(entries) == 0 { // withdrawn since: a draft without a source is none
		x.State, x.Words = "failed", c.words.T(v.Lang, "errors."+errs.CodeOf(assist.ErrNothing))
		return x
	}
	s := suggested{Kind: knowledge.AssistModel, Sources: entries}
	for _, e := range entries {
		s.Uses = append(s.Uses, use(s.Kind, e, 0, 0)+":"+a.Call.String())
	}
	s.Insert = c.fillForm(m, marks.ReplaceAllString(a.Result.Text, ""), c.sourceLine(m.Lang, entries...))
	x.Draft = &s
	return x
}

// askFor begins what a form asks for, or shows what has been asked already.
func (c *Console) askFor(of matterOf) handle {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := parseForm(r); err != nil {
			return err
		}
		v := c.view(r)
		m, err := of(r, v)
		if err != nil {
			return err
		}
		kind := r.PostForm.Get("kind")
		if kind == askQuestions || askUses[kind] == "" {
			return httperr.ErrNotFound
		}
		if !c.mayAsk(r.Context(), kind) {
			return llm.ErrNoModel
		}
		if m.Secret && !c.confidentialAllowed() {
			return errSecret
		}
		about, back := m.about(kind, v.Lang), m.Base+"?assist=1"
		if kind == askTranslate {
			m.Seq = int64(number(r.PostForm.Get("seq")))
			about, back = strconv.FormatInt(m.Seq, 10)+":"+v.Lang, m.Base+"#f-m"+itoa(int(m.Seq))
		}
		all, err := c.asksOf(r.Context(), v, m.Ticket, m.Conversation, uuid.Nil)
		if err != nil {
			return err
		}
		a, asked := all[kind+":"+about]
		if !asked || a.State == "failed" {
			do, err := c.doing(r.Context(), v, m, kind)
			if err != nil {
				return err
			}
			a, err = c.beginAsk(r.Context(), v, ask{Kind: kind, About: about, Conversation: m.Conversation, Ticket: m.Ticket}, do)
			if err != nil {
				return err
			}
		}
		if !isHX(r) {
			http.Redirect(w, r, back, http.StatusSeeOther)
			return nil
		}
		v.D = c.viewAsk(r.Context(), v, m, a)
		c.fragment(w, r, http.StatusOK, "ask", v)
		return nil
	}
}

var errSecret = errs.New(errs.Forbidden, "ask.secret", "nothing of a confidential case goes to a language model")

// askShow is an ask as it stands; the page asks again until it is over.
func (c *Console) askShow(of matterOf) handle {
	return func(w http.ResponseWriter, r *http.Request) error {
		v := c.view(r)
		m, err := of(r, v)
		if err != nil {
			return err
		}
		a, err := c.askByID(r.Context(), v, parseID(r.PathValue("ask")))
		if err != nil {
			return err
		}
		if a.Ticket != m.Ticket && (a.Conversation == uuid.Nil || a.Conversation != m.Conversation) {
			return httperr.ErrNotFound
		}
		v.D = c.viewAsk(r.Context(), v, m, a)
		c.fragment(w, r, http.StatusOK, "ask", v)
		return nil
	}
}

// doing reads what a model needs to know, as the reader, and gives the work for behind the request.
func (c *Console) doing(ctx context.Context, v View, m matter, kind string) (func(context.Context) (askResult, uuid.UUID, error), error) {
	by := c.askerOf(ctx, v, m.contact)
	switch kind {
	case askDraft:
		rows, err := c.findFor(ctx, v, m, m.Question, true)
		if err != nil {
			return nil, err
		}
		var found []bot.Citation
		for _, s := range rows {
			if e := s.Sources[0]; !s.Internal {
				found = append(found, bot.Citation{ArticleID: e.Article.ID.String(), Version: e.Version.Number, Title: e.Version.Title, URL: e.Article.URL()})
			}
		}
		return func(ctx context.Context) (askResult, uuid.UUID, error) {
			words, err := c.Machine.DraftReply(ctx, by, m.Question, found, m.Lang)
			out := askResult{Text: words.Text, Withheld: words.Withheld}
			for _, s := range words.Sources {
				out.Sources = append(out.Sources, askSource{Article: parseID(s.ArticleID), Version: s.Version})
			}
			return out, words.Call, err
		}, nil
	case askSummary:
		feed, err := c.feedOf(ctx, v, m)
		if err != nil {
			return nil, err
		}
		var entries []assist.Entry
		var keys []askEntry
		for _, item := range feed {
			words := item.Text
			if item.Event != nil {
				words = strings.TrimSpace(v.Event(item.Event.Type) + " " + strings.Join(item.Lines, ", ") + "\n" + item.Text)
			}
			by := item.Side
			if item.Agency != "" {
				by = item.Agency
			}
			if words != "" {
				entries = append(entries, assist.Entry{At: v.DateTime(item.At), By: by, Text: words})
				keys = append(keys, askEntry{Key: item.Key, Words: item.Who + ", " + v.Short(item.At)})
			}
		}
		return func(ctx context.Context) (askResult, uuid.UUID, error) {
			words, err := c.Machine.Summarize(ctx, by, entries, v.Lang)
			out := askResult{Text: words.Text, Withheld: words.Withheld}
			for _, n := range words.Entries {
				if n >= 1 && n <= len(keys) {
					out.Entries = append(out.Entries, keys[n-1])
				}
			}
			return out, words.Call, err
		}, nil
	case askTranslate:
		text := ""
		messages, err := c.Chat.Messages(ctx, v.Me.Actor(), m.Conversation, m.Seq-1, 1)
		if err != nil {
			return nil, err
		}
		if len(messages) == 1 && messages[0].Seq == m.Seq {
			text = messages[0].Text
		}
		if strings.TrimSpace(text) == "" {
			return nil, httperr.ErrNotFound
		}
		return func(ctx context.Context) (askResult, uuid.UUID, error) {
			words, err := c.Machine.Translate(ctx, by, text, v.Lang)
			return askResult{Text: words.Text}, words.Call, err
		}, nil
	}
	var offered []assist.Category
	for _, o := range c.categories("en") {
		offered = append(offered, assist.Category{Code: o.Value, Name: o.Name})
	}
	return func(ctx context.Context) (askResult, uuid.UUID, error) {
		facts, err := c.Machine.Extract(ctx, by, m.Question, offered)
		if err == nil && facts.Category == "" && facts.Kind == "" {
			err = assist.ErrNothing
		}
		return askResult{Category: facts.Category, Kind: facts.Kind, Place: facts.Place}, facts.Call, err
	}, nil
}

// feedOf is a case's timeline as the reader sees it.
func (c *Console) feedOf(ctx context.Context, v View, m matter) ([]feedItem, error) {
	if strings.HasPrefix(m.Base, "/console/chats/") {
		d, err := c.loadChat(ctx, v, m.Conversation)
		if err != nil {
			return nil, err
		}
		return d.Feed, nil
	}
	d, err := c.loadTicket(ctx, v, m.Ticket, false)
	if err != nil {
		return nil, err
	}
	if d.Asked {
		first := feedItem{Key: "first", At: d.T.OpenedAt, Side: "citizen", Who: v.T("author.citizen"), Text: d.T.Description}
		return append([]feedItem{first}, d.Feed...), nil
	}
	return d.Feed, nil
}

// foreign reports whether a reader may want a text in their own language.
func foreign(text, lang, reader string) bool {
	if knowledge.DetectLang(text) == "zh" {
		lang = "zh"
	} else if knowledge.BaseLang(lang) == "zh" {
		lang = "" // not Chinese, whatever it is
	}
	return strings.TrimSpace(text) != "" && knowledge.BaseLang(lang) != knowledge.BaseLang(reader)
}

// translations puts the button, or what came of it, below the messages of a timeline that are in another language than the reader's.
func (c *Console) translations(ctx context.Context, v View, m matter, feed []feedItem) {
	if !c.mayAsk(ctx, askTranslate) || m.Secret && !c.confidentialAllowed() {
		return
	}
	var all map[string]ask
	for i, item := range feed {
		if item.Message == nil || item.Side != "citizen" && item.Side != "staff" || !foreign(item.Text, m.Lang, v.Lang) {
			continue
		}
		if all == nil {
			var err error
			if all, err = c.asksOf(ctx, v, m.Ticket, m.Conversation, uuid.Nil); err != nil {
				c.Log.WarnContext(ctx, "asks", "error", err)
				return
			}
		}
		feed[i].Translate = m.Base
		if a, ok := all[askTranslate+":"+strconv.FormatInt(item.Message.Seq, 10)+":"+v.Lang]; ok {
			x := c.viewAsk(ctx, v, m, a)
			feed[i].Translation = &x
		}
	}
}

func matterOfTicket(t tickets.Ticket) matter {
	return matter{Base: "/console/tickets/" + t.ID.String(), Ticket: t.ID, Conversation: t.ConversationID, Lang: t.Lang, Secret: t.Confidential}
}
