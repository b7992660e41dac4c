package app

import (
	"context"
	"io"
	"slices"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/chat"
	"hotline/internal/db"
	"hotline/internal/i18n"
	"hotline/knowledge"
	"hotline/routing"
	"hotline/tickets"
	"hotline/web/portal"
)

// portalSite is the site key of the portal's own chat widget.
const portalSite = "portal"

// portalKnowledge shows the portal what may be served to the public.
type portalKnowledge struct {
	service *knowledge.Service
	routing *routing.Service
}

// Search implements portal.Knowledge.
func (k portalKnowledge) Search(ctx context.Context, lang, query string, limit int) ([]portal.Hit, error) {
	found, err := k.service.Search(ctx, knowledge.Query{Text: query, Lang: lang, Audience: knowledge.AudiencePublic, Limit: limit})
	if err != nil {
		return nil, err
	}
	hits := make([]portal.Hit, 0, len(found))
	for _, r := range found {
		h := portal.Hit{Slug: r.Slug, Title: r.Title, Version: r.Version}
		for _, f := range r.Snippet {
			h.Snippet = append(h.Snippet, portal.Segment{Text: f.Text, Mark: f.Mark})
		}
		hits = append(hits, h)
	}
	return hits, nil
}

// Suggest implements portal.Knowledge.
func (k portalKnowledge) Suggest(ctx context.Context, lang, typed string, limit int) ([]portal.Suggestion, error) {
	found, err := k.service.Suggest(ctx, typed, lang, limit)
	out := make([]portal.Suggestion, 0, len(found))
	for _, s := range found {
		out = append(out, portal.Suggestion{Title: s.Title, URL: s.URL()})
	}
	return out, err
}

// Article implements portal.Knowledge.
func (k portalKnowledge) Article(ctx context.Context, slug string) (portal.Article, error) {
	e, err := k.service.BySlug(ctx, slug, false)
	if err != nil {
		return portal.Article{}, err
	}
	a, v := e.Article, e.Version
	out := portal.Article{ID: a.ID, Slug: a.Slug, Lang: a.Lang, Title: v.Title, Summary: v.Summary, Body: v.Body, Version: v.Number, Form: v.Form,
		ValidFrom: v.ValidFrom, Until: v.ValidTo}
	if v.PublishedAt != nil {
		out.Published = *v.PublishedAt
	}
	if owner, ok := k.routing.Snapshot().Agency(a.Owner); ok {
		out.Owner, out.OwnerPhone = owner.Names.In(a.Lang), owner.Phone
	}
	files, err := k.service.Files(ctx, v.Files)
	if err != nil {
		return portal.Article{}, err
	}
	for _, f := range files {
		out.Files = append(out.Files, articleFile(f))
	}
	if a.Key != "" {
		others, err := k.service.Translations(ctx, a.Key, false)
		if err != nil {
			return portal.Article{}, err
		}
		for _, o := range others {
			if o.Article.ID != a.ID {
				out.Others = append(out.Others, portal.Translation{Lang: o.Article.Lang, Slug: o.Article.Slug})
			}
		}
	}
	related, err := k.Search(ctx, a.Lang, v.Title, 4)
	if err != nil {
		return portal.Article{}, err
	}
	out.Related = slices.DeleteFunc(related, func(h portal.Hit) bool { return h.Slug == slug })
	return out, nil
}

// Feedback implements portal.Knowledge.
func (k portalKnowledge) Feedback(ctx context.Context, article uuid.UUID, version int, helpful bool, comment string) error {
	return k.service.Feedback(ctx, article, version, helpful, comment, "portal")
}

// portalCity answers from the routing snapshot.
type portalCity struct{ app *App }

// Jurisdiction implements portal.City.
func (c portalCity) Jurisdiction() portal.Jurisdiction {
	j, s := c.app.Routing.Snapshot().Jurisdiction(), c.app.settings()
	out := portal.Jurisdiction{Name: j.Names.In, Phone: j.Phone, Hours: s.Hours.Names.In, Zone: c.app.zone(), Site: portalSite}
	for _, e := range s.Emergency {
		out.Emergency = append(out.Emergency, portal.Emergency{Number: e.Number, Name: e.Names.In})
	}
	return out
}

// Guess implements portal.City.
func (c portalCity) Guess(text string) []portal.Guess {
	var out []portal.Guess
	for _, g := range c.app.Routing.Predict(text) {
		out = append(out, portal.Guess{Category: g.Label, Score: g.Score})
	}
	return out
}

// CategoryName implements portal.City.
func (c portalCity) CategoryName(code, lang string) string {
	if cat, ok := c.app.Routing.Snapshot().Category(code); ok {
		return cat.Names.In(lang)
	}
	return ""
}

// Details implements portal.City.
func (c portalCity) Details(category, lang string) []portal.Detail {
	var out []portal.Detail
	for _, f := range c.app.Tickets.AskedFields(category) {
		d := portal.Detail{Code: f.Code, Label: f.Label(lang), Type: portal.DetailType(f.Type), Needed: f.Intake, Judge: f.Judge}
		for _, o := range f.Choices {
			d.Choices = append(d.Choices, portal.DetailOption{Code: o.Code, Name: o.Name(lang)})
		}
		out = append(out, d)
	}
	return out
}

// portalCases files and follows tickets for the holder of a tracking code.
type portalCases struct {
	tickets *tickets.Service
	chat    *chat.Service
	routing *routing.Service
	words   *i18n.Bundle
}

const portalAccount = "form"

func citizenOf(ticket uuid.UUID) tickets.Actor { return tickets.CitizenBy(db.CitizenOfTicket(ticket)) }

// File implements portal.Cases.
func (p portalCases) File(ctx context.Context, f portal.Filing) (portal.Filed, error) {
	contact := channels.Contact{Name: f.Name, Phone: f.Phone, Email: f.Email}
	var allows []string
	if !f.Quiet {
		allows = p.chat.Reachable(contact) // the form said so under the address
	}
	filed, err := p.chat.FileTicket(ctx, chat.Filing{Channel: channels.Portal, Account: portalAccount, ExternalID: f.Key, Text: f.Text, Lang: f.Lang, Uploads: f.Uploads, Follow: f.Follow,
		Contact: contact, Allows: allows,
		Draft: tickets.Draft{Kind: f.Kind, Category: f.Category, Description: f.Text, Place: f.Place, Lat: f.Lat, Lon: f.Lon, Lang: f.Lang,
			Confidential: f.Confidential, Fields: f.Details}})
	out := portal.Filed{Number: filed.Ticket.Number, Code: filed.Code, Followed: filed.Followed}
	if len(allows) > 0 && !filed.Ticket.Confidential {
		out.Told = allows[0]
	}
	return out, err
}

// Nearby implements portal.Cases.
func (p portalCases) Nearby(ctx context.Context, f portal.Filing) ([]portal.Nearby, error) {
	found, err := p.tickets.Nearby(ctx, tickets.Draft{Kind: f.Kind, Category: f.Category, Description: f.Text, Place: f.Place, Lat: f.Lat, Lon: f.Lon, Confidential: f.Confidential})
	if err != nil {
		return nil, err
	}
	out := make([]portal.Nearby, len(found))
	for i, n := range found {
		area, _ := p.routing.Snapshot().Area(n.Area)
		out[i] = portal.Nearby{ID: n.ID, Title: n.Title, Category: n.Category, Area: area.Names.In(f.Lang), Metres: n.Metres, Opened: n.OpenedAt, Reporters: n.Reporters}
	}
	return out, nil
}

// Upload implements portal.Cases; thread is the key of the filing to come.
func (p portalCases) Upload(ctx context.Context, thread, name string, body io.Reader) (portal.Upload, error) {
	u, err := p.chat.Upload(ctx, db.System(), chat.Owner{Channel: channels.Portal, Account: portalAccount, Thread: chat.FilingThread(thread)}, name, body)
	return portalUpload(u), err
}

func portalUpload(u chat.Upload) portal.Upload {
	return portal.Upload{ID: u.ID, Name: u.Name, Type: u.Type, Size: u.Size, Width: u.Width, Height: u.Height}
}

// ByCode implements portal.Cases.
func (p portalCases) ByCode(ctx context.Context, code string) (uuid.UUID, error) {
	t, err := p.tickets.ByCode(ctx, code)
	return t.ID, err
}

// Case implements portal.Cases.
func (p portalCases) Case(ctx context.Context, id uuid.UUID, lang string) (portal.Case, error) {
	who := citizenOf(id)
	t, err := p.tickets.ByID(ctx, who, id)
	if err != nil {
		return portal.Case{}, err
	}
	c := portal.Case{ID: t.ID, Number: t.Number, Title: t.Title, Kind: t.Kind, State: string(t.State), Description: t.Description, Place: t.Place,
		Opened: t.OpenedAt, Updated: t.UpdatedAt, Provisional: t.Provisional, Confidential: t.Confidential, Asked: t.State == tickets.AwaitingCitizen}
	if cat, ok := p.routing.Snapshot().Category(t.Category); ok {
		c.Category = cat.Names.In(lang)
	}
	if c.Due, err = p.tickets.Promised(ctx, who, t); err != nil {
		return portal.Case{}, err
	}
	c.Agency = p.agency(t.Lead, lang)
	if c.Details, err = p.details(ctx, t, lang); err != nil {
		return portal.Case{}, err
	}
	for _, m := range p.tickets.Moves(who, t) {
		switch m.Name {
		case tickets.Withdraw:
			c.CanWithdraw = true
		case tickets.Appeal:
			c.CanAppeal = true
		case tickets.NotAnswered:
			c.CanReopen = true
		case tickets.CitizenReply, tickets.AddInformation:
			c.CanReply = true
		}
	}
	rating, rated, err := p.tickets.RatingOf(ctx, who, id)
	if err != nil {
		return portal.Case{}, err
	}
	if rated {
		c.Rating = rating.Grade
	}
	c.CanRate = t.MayRate()
	if c.Revisit = t.AskedBack(); t.State == tickets.Revisiting && !c.Revisit {
		c.State = "heard" // the citizen has spoken: they are asked for nothing more
	}
	if c.Hears, err = p.hears(ctx, t); err != nil {
		return portal.Case{}, err
	}
	c.Items, err = p.story(ctx, t, lang)
	return c, err
}

// details are the values of what the citizen was asked for. Fields that are the staff's alone are not shown. They are read by the program, once the
// citizen has shown that the ticket is theirs.
func (p portalCases) details(ctx context.Context, t tickets.Ticket, lang string) ([]portal.Said, error) {
	asked := p.tickets.AskedFields(t.Category)
	if len(asked) == 0 {
		return nil, nil
	}
	values, err := p.tickets.FieldValues(ctx, tickets.System(), t.ID)
	if err != nil {
		return nil, err
	}
	var out []portal.Said
	for _, f := range asked {
		words := f.Words(values[f.Code].Value, lang)
		if f.Type == tickets.FieldYesNo && words != "" {
			words = p.words.T(lang, "portal."+words)
		}
		out = append(out, portal.Said{Label: f.Label(lang), Words: words})
	}
	return out, nil
}

func (p portalCases) agency(id uuid.UUID, lang string) string {
	if a, ok := p.routing.Snapshot().Agency(id); ok {
		return a.Names.In(lang)
	}
	return ""
}

// storyLimit bounds what one page shows of a ticket's conversation.
const storyLimit = 500

// story is the ticket's part of the conversation together with those public entries of the history that left no message in it.
func (p portalCases) story(ctx context.Context, t tickets.Ticket, lang string) ([]portal.Item, error) {
	actor := db.CitizenOfTicket(t.ID)
	said, err := p.chat.OfTicket(ctx, actor, t.ID, storyLimit)
	if err == nil {
		said, err = p.chat.RenderFor(ctx, chat.ReaderCitizen, said)
	}
	if err != nil {
		return nil, err
	}
	entries, err := p.tickets.Timeline(ctx, citizenOf(t.ID), t.ID)
	if err != nil {
		return nil, err
	}
	var items []portal.Item
	for _, m := range said {
		if m.Payload.Event == chat.EventTicketOpened {
			continue // the page itself
		}
		it := portal.Item{At: m.At, Author: m.Author, Name: m.Name, Text: m.Text, State: m.Payload.State}
		if m.Payload.Event == chat.EventAnswer {
			it.Event, it.Name = string(tickets.Reply), p.agency(t.Lead, lang)
		}
		for _, u := range m.Payload.Uploads {
			it.Uploads = append(it.Uploads, portalUpload(u))
		}
		items = append(items, it)
	}
	for _, e := range entries {
		switch tickets.Action(e.Type) {
		case tickets.CitizenReply, tickets.AddInformation:
			continue // a message of the citizen
		}
		if e.Actor != string(tickets.KindCitizen) && p.words.Known("chat.ticket."+e.Type) {
			continue // told by a message
		}
		items = append(items, portal.Item{At: e.At, Author: e.Actor, Event: e.Type, State: string(e.To), Text: e.Data.Text, Name: p.agency(e.Data.Lead, lang)})
	}
	slices.SortStableFunc(items, func(a, b portal.Item) int { return a.At.Compare(b.At) })
	return items, nil
}

// Reply implements portal.Cases.
func (p portalCases) Reply(ctx context.Context, id uuid.UUID, r portal.Reply) error {
	_, err := p.chat.ReplyByCitizen(ctx, id, r.Key, r.Text, r.Uploads)
	return err
}

// Move implements portal.Cases.
func (p portalCases) Move(ctx context.Context, id uuid.UUID, action, text, key string) error {
	t, err := p.tickets.Apply(ctx, citizenOf(id), id, tickets.AnyVersion, tickets.Action(action), tickets.Fields{Text: text}, key)
	if err == nil {
		p.chat.Announce(t)
	}
	return err
}

// Rate implements portal.Cases.
func (p portalCases) Rate(ctx context.Context, id uuid.UUID, grade int, resolved *bool, text string) error {
	t, err := p.tickets.Assess(ctx, citizenOf(id), id, tickets.Rating{Grade: grade, Text: text, Resolved: resolved})
	if err == nil {
		p.chat.Announce(t)
	}
	return err
}

// ByRatingLink implements portal.Cases.
func (p portalCases) ByRatingLink(ctx context.Context, token string) (portal.RatingLink, error) {
	t, err := p.tickets.ByAssessmentLink(ctx, token)
	l := portal.RatingLink{Asked: t.AskedBack()}
	if !t.Confidential {
		l.Number, l.Title = t.Number, t.Title
	}
	return l, err
}

// RateByLink implements portal.Cases.
func (p portalCases) RateByLink(ctx context.Context, token string, grade int, resolved *bool, text string) error {
	t, err := p.tickets.RateByLink(ctx, token, tickets.Rating{Grade: grade, Text: text, Resolved: resolved})
	if err == nil {
		p.chat.Announce(t)
	}
	return err
}

// Open implements portal.Cases.
func (p portalCases) Open(ctx context.Context, ticket, upload uuid.UUID) (portal.Upload, io.ReadSeekCloser, error) {
	u, r, err := p.chat.OpenUpload(ctx, db.CitizenOfTicket(ticket), upload)
	return portalUpload(u), r, err
}

// UploadTo implements portal.Cases.
func (p portalCases) UploadTo(ctx context.Context, ticket uuid.UUID, name string, body io.Reader) (portal.Upload, error) {
	t, err := p.tickets.ByID(ctx, citizenOf(ticket), ticket)
	if err != nil {
		return portal.Upload{}, err
	}
	u, err := p.chat.Upload(ctx, db.CitizenOfTicket(ticket), chat.Owner{Conversation: t.ConversationID}, name, body)
	return portalUpload(u), err
}
