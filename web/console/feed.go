package console

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"hotline/chat"
	"hotline/tickets"
	"hotline/tickets/measures"
	"hotline/tickets/sla"
	"hotline/web/figures"
)

// feedItem is one entry of the timeline.
type feedItem struct {
	Key     string // stable, for live updates
	At      time.Time
	Side    string // citizen, staff, bot, note, event
	Icon    string
	Who     string
	Agency  string
	Message *chat.Message
	Event   *tickets.Event
	Text    string
	Lines   []string // details of an event
	Public  bool
	NewDay  bool
	// Translate is the address that a translation is asked of; "" where none is offered.
	Translate   string
	Translation *askView
}

// notices that only repeat to the citizen what the history says.
func repeatsHistory(m chat.Message) bool {
	return m.Author == chat.BySystem && (m.Payload.Event == chat.EventTicketMoved || m.Payload.Event == chat.EventTicketOpened)
}

// feed merges messages and history by time. A text that the citizen got as a message is not said twice.
func feed(v View, t tickets.Ticket, events []tickets.Event, messages []chat.Message, names map[uuid.UUID]string) []feedItem {
	var said strings.Builder
	var out []feedItem
	for _, m := range messages {
		if m.TicketID != uuid.Nil && m.TicketID != t.ID || repeatsHistory(m) {
			continue
		}
		said.WriteString(m.Text + "\n")
		out = append(out, messageItem(v, m))
	}
	all := said.String()
	for _, e := range events {
		item := feedItem{Key: "e" + itoa(e.Seq), At: e.At, Side: "event", Icon: "dot", Event: &e, Public: e.Public, Who: names[e.UserID], Agency: v.Agency(e.AgencyID)}
		item.Text = strings.TrimSpace(e.Data.Text)
		if e.Type == "note" {
			item.Side, item.Icon = "note", "note"
		} else {
			item.Lines = v.eventLines(e, names)
			if e.Public && item.Text != "" && strings.Contains(all, item.Text) {
				item.Text = ""
			}
		}
		if item.Who == "" {
			item.Who = v.word("author.", e.Actor)
		}
		out = append(out, item)
	}
	slices.SortStableFunc(out, func(a, b feedItem) int { return a.At.Compare(b.At) })
	day := ""
	for i := range out {
		if today := v.Date(out[i].At); today != day {
			day, out[i].NewDay = today, true
		}
	}
	return out
}

func messageItem(v View, m chat.Message) feedItem {
	item := feedItem{Key: "m" + itoa(int(m.Seq)), At: m.At, Message: &m, Text: m.Text, Public: true, Who: m.Name, Side: m.Author, Icon: "me"}
	switch m.Author {
	case chat.ByBot:
		item.Icon = "bot"
	case chat.BySystem:
		item.Side, item.Icon = "event", "dot"
	}
	if item.Who == "" {
		item.Who = v.word("author.", m.Author)
	}
	return item
}

// eventLines are the details of a history entry, in words.
func (v View) eventLines(e tickets.Event, names map[uuid.UUID]string) []string {
	var out []string
	line := func(key, value string) {
		if value != "" {
			out = append(out, v.T("detail."+key, "v", value))
		}
	}
	f := e.Data
	if e.Type == "linked" || e.Type == "unlinked" {
		out = append(out, v.T("tools.link_"+f.Reason))
		f.Reason = ""
	}
	if strings.HasPrefix(e.Type, "part_") || e.Type == "split" {
		if name := v.Agency(f.Lead); name != "" {
			out = append(out, name)
		}
		if f.Title != "" {
			out = append(out, f.Title)
		}
		f.Lead, f.Title = uuid.Nil, ""
	}
	switch e.Type {
	case "mass_marked":
		out, f.Title = append(out, f.Title), ""
	case tickets.MeasureAppealed, tickets.MeasureUpheld, tickets.MeasureRejected:
		out = append(out, figures.Words{Bundle: v.c.words, Lang: v.Lang}.Failure(measures.Failure(f.Reason)))
		f.Reason = ""
	}
	for _, channel := range f.Channels {
		out = append(out, v.Channel(channel))
	}
	line("lead", v.Agency(f.Lead))
	co := make([]string, 0, len(f.Co))
	for _, id := range f.Co {
		co = append(co, v.Agency(id))
	}
	if e.Type == tickets.EntryAnsweredOver { // its words say already what they are
		out = append(out, strings.Join(co, v.T("comma")))
	} else {
		line("co", strings.Join(co, v.T("comma")))
	}
	line("reason", v.Code(tickets.Action(e.Type), f.Reason))
	line("basis", f.Basis)
	line("right", f.RightChannel)
	line("outcome", v.Outcome(f.Outcome))
	if f.Resolved != nil {
		line("resolved", v.YesNo(*f.Resolved))
	}
	if f.Reached != nil {
		line("reached", v.YesNo(*f.Reached))
	}
	if f.Days > 0 {
		line("days", v.Amount(f.Days, f.Unit))
	}
	line("transfer_to", f.TransferTo)
	line("category", v.Category(f.Category))
	line("was_category", v.Category(f.WasCategory))
	if f.ModelCall != uuid.Nil {
		out = append(out, v.T("reclassify.by_model"))
	}
	line("number", f.Number)
	if f.Assignee != uuid.Nil {
		line("assignee", names[f.Assignee])
	}
	if f.Was != nil {
		line("was", v.DateTime(*f.Was))
	}
	if f.DueAt != nil {
		line("due", v.DateTime(*f.DueAt))
	}
	if f.Grade > 0 {
		line("grade", v.word("grade.", itoa(f.Grade)))
	}
	if f.Satisfaction > 0 {
		line("grade", v.word("grade.", itoa(f.Satisfaction)))
	}
	if f.Clock != "" {
		line("clock", v.ClockName(f.Clock))
	}
	line("article", f.Title)
	return out
}

// Event gives the words for a kind of history entry.
func (v View) Event(code string) string { return v.word("event.", code) }

// Unit names the unit of a clock.
func (v View) Unit(u sla.Unit) string { return v.word("policies.unit.", string(u)) }

// Amount is a number of units. Entries of earlier versions have none, and then it is a number.
func (v View) Amount(n int, u sla.Unit) string {
	if u == "" {
		return itoa(n)
	}
	return v.SpanWords(sla.Span{N: n, Unit: u})
}

// YesNo writes a boolean.
func (v View) YesNo(b bool) string {
	if b {
		return v.T("yes")
	}
	return v.T("no")
}

// Code names a reason of an action.
func (v View) Code(a tickets.Action, code string) string {
	for _, one := range tickets.Reasons(a) {
		if one.Code == code {
			return one.Name(v.Lang)
		}
	}
	return code
}

// Outcome names an outcome of a reply.
func (v View) Outcome(code string) string {
	for _, one := range tickets.Outcomes() {
		if one.Code == code {
			return one.Name(v.Lang)
		}
	}
	return code
}
