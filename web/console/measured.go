package console

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"hotline/internal/i18n"
	"hotline/internal/sheet"
	"hotline/tickets"
	"hotline/tickets/measures"
	"hotline/web/figures"
)

// dateOf writes a day that comes as midnight UTC.
func dateOf(lang string, t time.Time) string { return i18n.Date(lang, t, time.UTC) }

// measuredData is the list of the tickets, or chats, behind a number.
type measuredData struct {
	statFrame
	Heading string
	Rows    []measuredRow
	More    string
	Back    string
	Export  string // query of the export
	Chats   bool
}

type measuredRow struct {
	Number, Title, Day, Kind, Category, Agency, State, Channel string
	URL                                                        string
	Appeal                                                     string // where the agency's head may appeal
}

// heading says what a list holds, from the code in its address.
func (f statFrame) heading(v View, code string) string {
	if _, ok := measures.ByCode(code); ok {
		return f.Words.Name(code)
	}
	switch code {
	case "opened", "open":
		return v.T("statistics." + code)
	}
	if reason, ok := strings.CutPrefix(code, "left."); ok && v.c.words.Known("measures.left."+reason) {
		return v.T("statistics.left_out", "why", f.Words.Reason(reason))
	}
	if slices.Contains(measures.Failures(), measures.Failure(code)) {
		return f.Words.Failure(measures.Failure(code))
	}
	return v.T("statistics.behind")
}

func (c *Console) measuredFrame(r *http.Request, v View) (*measuredData, error) {
	set, _, err := c.Statistics.Settings(r.Context())
	if err != nil {
		return nil, err
	}
	q := c.statQuery(r, v)
	d := &measuredData{statFrame: c.statFrame(r, v, "overview", q, set), Back: "/console/statistics?" + q.Encode()}
	d.Heading = d.heading(v, r.URL.Query().Get("title"))
	d.Export = r.URL.RawQuery
	return d, nil
}

func (c *Console) measured(w http.ResponseWriter, r *http.Request) error {
	v := c.view(r)
	d, err := c.measuredFrame(r, v)
	if err != nil {
		return err
	}
	of, err := statCounters(r.URL.Query(), measures.OfTickets())
	if err != nil {
		return err
	}
	page, err := c.Statistics.Behind(r.Context(), actor(v.Me), c.figures().Select(d.Q), of, r.URL.Query().Get("after"), pageSize)
	if err != nil {
		return err
	}
	failures := slices.ContainsFunc(measures.Failures(), func(f measures.Failure) bool {
		return slices.ContainsFunc(f.Counters(), func(n measures.Counter) bool { return slices.Contains(of, n) })
	})
	for _, m := range page.Rows {
		row := measuredRow{Number: m.Number, Title: m.Title, Day: v.Day(m.Day), Kind: v.Kind(m.Kind), Category: v.Category(m.Category), Agency: v.Agency(m.Agency), State: v.State(m.State), Channel: v.Channel(m.Channel)}
		switch {
		case !m.Seen:
			row.Title = v.T("statistics.hidden")
		case !hasAny(v.Me, ticketRoles...):
			row.Title = "" // an administrator counts cases and reads none: the title is the citizen's own words
		default:
			row.URL = "/console/tickets/" + m.Ticket.String()
			if failures && v.Me.Has("head") && m.Agency == v.Me.AgencyID {
				row.Appeal = "/console/statistics/appeal/" + m.Ticket.String()
			}
		}
		d.Rows = append(d.Rows, row)
	}
	d.more(r, page.Next)
	v.Nav, v.Title, v.D = "statistics", d.Heading, d
	c.page(w, r, http.StatusOK, "measured", v)
	return nil
}

func (d *measuredData) more(r *http.Request, next string) {
	if next == "" {
		return
	}
	q := r.URL.Query()
	q.Set("after", next)
	d.More = r.URL.Path + "?" + q.Encode()
}

func (c *Console) measuredChats(w http.ResponseWriter, r *http.Request) error {
	v := c.view(r)
	d, err := c.measuredFrame(r, v)
	if err != nil {
		return err
	}
	of, err := statCounters(r.URL.Query(), measures.OfChats())
	if err != nil {
		return err
	}
	rows, next, err := c.Statistics.BehindChats(r.Context(), actor(v.Me), c.figures().Select(d.Q), of, r.URL.Query().Get("after"), pageSize)
	if err != nil {
		return err
	}
	d.Chats = true
	for _, m := range rows {
		row := measuredRow{Day: v.Day(m.Day), Channel: v.Channel(m.Channel), Number: m.Conversation.String()[24:]}
		if mayChat(v.Me) {
			row.URL = "/console/chats/" + m.Conversation.String()
		}
		d.Rows = append(d.Rows, row)
	}
	d.more(r, next)
	v.Nav, v.Title, v.D = "statistics", d.Heading, d
	c.page(w, r, http.StatusOK, "measured", v)
	return nil
}

// download begins a file that is written row by row. Once the first byte is out an error can only cut the connection, so that nobody takes half a
// file for a whole one.
func (c *Console) download(w http.ResponseWriter, r *http.Request, format, name string, write func(sheet.Writer) (rows int, err error)) error {
	v := c.view(r)
	out := &firstByte{w: w, begin: func() {
		h := w.Header()
		h.Set("Content-Type", sheet.ContentType(format))
		h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s-%s.%s"`, name, c.Statistics.Today().Format(time.DateOnly), format))
		h.Set("Cache-Control", "no-store")
	}}
	file, err := sheet.New(format, v.T("statistics.title"), out)
	if err != nil {
		return err
	}
	rows, err := write(file)
	if err == nil {
		err = file.Close()
	}
	if err == nil {
		err = out.flush()
	}
	c.Log.InfoContext(r.Context(), "export", "what", name, "format", format, "rows", rows, "user", v.Me.UserID)
	if err != nil && out.begun {
		c.Log.WarnContext(r.Context(), "export cut off", "what", name, "error", err)
		panic(http.ErrAbortHandler)
	}
	return err
}

// firstByte sets the headers when the first byte comes, so that what fails before it is an ordinary error page.
type firstByte struct {
	w     http.ResponseWriter
	begin func()
	begun bool
	held  []byte
}

// holdBack is how much is kept until it is certain that the file begins well.
const holdBack = 16 << 10

// Write implements io.Writer.
func (f *firstByte) Write(p []byte) (int, error) {
	if !f.begun && len(f.held)+len(p) < holdBack {
		f.held = append(f.held, p...)
		return len(p), nil
	}
	if err := f.flush(); err != nil {
		return 0, err
	}
	return f.w.Write(p)
}

func (f *firstByte) flush() error {
	if f.begun {
		return nil
	}
	f.begun = true
	f.begin()
	_, err := f.w.Write(f.held)
	f.held = nil
	return err
}

// inboxExport is a list of the inbox with its filters, as a file. Contacts are in it only when they are asked for, by a supervisor or a head; those
// of confidential tickets never.
func (c *Console) inboxExport(w http.ResponseWriter, r *http.Request, format string) error {
	v := c.view(r)
	q := r.URL.Query()
	if q.Get("view") == "" {
		q.Set("view", string(startView(v.Me)))
	}
	view, filter := c.parseFilter(q)
	contacts := q.Get("contacts") != "" && v.Me.Has("supervisor", "head")
	return c.download(w, r, format, "tickets-"+string(view), func(file sheet.Writer) (int, error) {
		head := []any{v.T("export.number"), v.T("export.opened"), v.T("field.kind"), v.T("export.category"), v.T("export.area"), v.T("export.channel"), v.T("export.urgency"), v.T("field.state"), v.T("field.agency"),
			v.T("export.due"), v.T("export.closed"), v.T("export.outcome"), v.T("export.dispatches"), v.T("export.solved")}
		fields, err := c.exportedFields(r.Context(), v, filter.Category, contacts)
		if err != nil {
			return 0, err
		}
		for _, f := range fields {
			head = append(head, f.Label(v.Lang))
		}
		if contacts {
			head = append(head, v.T("field.title"), v.T("field.name"), v.T("export.phone"), v.T("signin.email"))
		}
		if err := file.Row(head...); err != nil {
			return 0, err
		}
		zone := c.zone()
		rows := 0
		err = c.Tickets.Each(r.Context(), actor(v.Me), view, filter, contacts, func(t tickets.Exported) error {
			rows++
			row := []any{t.Number, t.OpenedAt.In(zone), v.Kind(t.Kind), v.Category(t.Category), v.Area(t.Area), v.Channel(t.Channel), v.Urgency(t.Urgency), v.State(t.State), v.Agency(t.Lead),
				moment(t.DueAt, zone), moment(t.ClosedAt, zone), v.Outcome(t.Outcome), t.Dispatches, said(v, t.CitizenResolved)}
			for _, f := range fields {
				row = append(row, fieldCell(v, f, t.Fields[f.Code].Value))
			}
			if contacts {
				// The title is free text of the citizen: it goes with the contacts, and stays behind with those of confidential tickets.
				title := t.Title
				if t.Confidential {
					title = ""
				}
				row = append(row, title, t.Name, t.Phone, t.Email)
			}
			return file.Row(row...)
		})
		return rows, err
	})
}

// exportedFields are the columns that a list of one category has besides: those of the category and of the ones above it. Free text may hold whatever a citizen wrote, so it goes
// with the contacts.
func (c *Console) exportedFields(ctx context.Context, v View, category string, contacts bool) ([]tickets.CustomField, error) {
	if category == "" {
		return nil, nil
	}
	fields, err := c.Tickets.CustomFields(ctx, actor(v.Me), category)
	return slices.DeleteFunc(fields, func(f tickets.CustomField) bool { return f.Type == tickets.FieldText && !contacts }), err
}

func fieldCell(v View, f tickets.CustomField, value string) any {
	switch {
	case value == "":
		return nil
	case f.Type == tickets.FieldYesNo:
		return v.T(value)
	case f.Type == tickets.FieldNumber:
		if n, err := strconv.ParseFloat(value, 64); err == nil {
			return n
		}
	}
	return f.Words(value, v.Lang)
}

func moment(t *time.Time, zone *time.Location) any {
	if t == nil {
		return nil
	}
	return t.In(zone)
}

// said is a yes or no; nothing where nothing was said.
func said(v View, b *bool) any {
	if b == nil {
		return nil
	}
	if *b {
		return v.T("yes")
	}
	return v.T("no")
}

// measuredExport is the list behind a number, as a file.
func (c *Console) measuredExport(w http.ResponseWriter, r *http.Request, format string) error {
	v := c.view(r)
	of, err := statCounters(r.URL.Query(), measures.OfTickets())
	if err != nil {
		return err
	}
	q := c.statQuery(r, v)
	sel := c.figures().Select(q)
	return c.download(w, r, format, "measured", func(file sheet.Writer) (int, error) {
		if err := file.Row(v.T("export.number"), v.T("export.day"), v.T("field.kind"), v.T("export.category"), v.T("export.area"), v.T("export.channel"), v.T("field.agency"), v.T("field.state")); err != nil {
			return 0, err
		}
		rows := 0
		for after := ""; ; {
			page, err := c.Statistics.Behind(r.Context(), actor(v.Me), sel, of, after, 1000)
			if err != nil {
				return rows, err
			}
			for _, m := range page.Rows {
				rows++
				if err := file.Row(m.Number, v.ISODay(m.Day), v.Kind(m.Kind), v.Category(m.Category), v.Area(m.Area), v.Channel(m.Channel), v.Agency(m.Agency), v.State(m.State)); err != nil {
					return rows, err
				}
			}
			if after = page.Next; after == "" {
				return rows, nil
			}
		}
	})
}

// statisticsExport is the page's numbers: every measure with what it was made from, then the breakdown.
func (c *Console) statisticsExport(w http.ResponseWriter, r *http.Request, format string) error {
	v := c.view(r)
	q := c.statQuery(r, v)
	report, err := c.figures().Report(r.Context(), actor(v.Me), q)
	if err != nil {
		return err
	}
	words := figures.Words{Bundle: c.words, Lang: v.Lang, Set: report.Settings}
	return c.download(w, r, format, "statistics", func(file sheet.Writer) (int, error) {
		rows := [][]any{{v.T("export.measure"), v.T("export.value"), v.T("export.part"), v.T("export.whole"), v.T("export.left"), v.T("export.value_before"), v.T("export.formula"), v.T("export.from"), v.T("export.to")}}
		for _, p := range report.Values {
			row := []any{words.Name(p.Now.Code), known(p.Now), p.Now.Part, p.Now.Whole, p.Now.LeftTotal(), known(p.Before), words.Formula(p.Now.Code), v.ISODay(q.From), v.ISODay(q.Last())}
			if len(p.Now.Of) > 0 {
				row[2], row[3] = nil, nil
			}
			rows = append(rows, row)
		}
		head := []any{v.T("statistics.by." + string(q.By)), v.T("statistics.opened"), v.T("statistics.before"), v.T("statistics.open")}
		for _, code := range figures.Columns() {
			head = append(head, words.Name(code))
		}
		rows = append(rows, nil, head)
		for _, line := range report.Rows {
			name, _ := c.rowName(v, q, line.Key)
			row := []any{name, line.N[measures.Tickets], line.Before[measures.Tickets], line.N[measures.Open]}
			for _, code := range figures.Columns() {
				m, _ := measures.ByCode(code)
				row = append(row, known(measures.Evaluate(m, line.N, report.Settings)))
			}
			rows = append(rows, row)
		}
		for i, row := range rows {
			if err := file.Row(row...); err != nil {
				return i, err
			}
		}
		return len(rows), nil
	})
}

// known is a value as a number, to four digits; nothing where nothing was measured.
func known(v measures.Value) any {
	if !v.Known {
		return nil
	}
	return float64(int64(v.V*10000+.5)) / 10000
}

func (c *Console) scorecardsExport(w http.ResponseWriter, r *http.Request, format string) error {
	v := c.view(r)
	cards, set, err := c.figures().Scorecards(r.Context(), actor(v.Me), c.statQuery(r, v))
	if err != nil {
		return err
	}
	words := figures.Words{Bundle: c.words, Lang: v.Lang, Set: set}
	codes := weighed(set)
	return c.download(w, r, format, "scorecards", func(file sheet.Writer) (int, error) {
		head := []any{v.T("field.agency"), v.T("statistics.score"), v.T("export.value_before"), v.T("statistics.opened")}
		for _, code := range codes {
			head = append(head, words.Name(code))
		}
		if err := file.Row(head...); err != nil {
			return 0, err
		}
		for _, card := range cards {
			row := []any{v.Agency(card.Agency), scored(card.Score), scored(card.Before), card.N[measures.Tickets]}
			for _, code := range codes {
				m, _ := measures.ByCode(code)
				row = append(row, known(measures.Evaluate(m, card.N, set)))
			}
			if err := file.Row(row...); err != nil {
				return 0, err
			}
		}
		return len(cards), nil
	})
}

func scored(s measures.Score) any {
	if !s.Known {
		return nil
	}
	return float64(int64(s.V*10+.5)) / 10
}

// weighed lists the measures that have a weight, in their order.
func weighed(set measures.Settings) []string {
	return slices.DeleteFunc(measures.Scorable(), func(code string) bool { return set.Scorecard[code] <= 0 })
}
