package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"hotline/internal/auth"
	"hotline/internal/errs"
	"hotline/routing"
	"hotline/tickets"
	"hotline/web/httperr"
)

// Bulk actions: choose tickets on the list, choose one deed, read what came of each. More than a hundred go on in the background, and their page
// shows how far they are; a node that stops leaves the rest to whichever looks next.

// bulkRunner works on jobs behind the requests that asked for them.
type bulkRunner struct {
	ctx  context.Context
	stop context.CancelFunc
	wait sync.WaitGroup
}

// bulkSweep is how often jobs of nodes that died are looked for.
const bulkSweep = 30 * time.Second

func (c *Console) startBulk() {
	ctx, stop := context.WithCancel(context.Background())
	c.bulk = &bulkRunner{ctx: ctx, stop: stop}
	c.bulk.wait.Go(func() {
		tick := time.NewTicker(bulkSweep)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				c.sweepBulk(ctx)
				c.SweepImports(ctx)
			}
		}
	})
}

func (b *bulkRunner) close() {
	b.stop()
	b.wait.Wait()
}

func (c *Console) sweepBulk(ctx context.Context) {
	waiting, err := c.Tickets.BulkWaiting(ctx)
	if err != nil {
		if ctx.Err() == nil {
			c.Log.WarnContext(ctx, "bulk sweep", "error", err)
		}
		return
	}
	for id, user := range waiting {
		// With the rights that the person has now, not those of when they asked.
		p, err := c.Auth.ByID(ctx, user)
		if err == nil {
			_, err = c.Tickets.RunBulk(ctx, actor(&p), id, c.Chat.Announce)
		}
		if errors.Is(err, auth.ErrNotFound) || errors.Is(err, auth.ErrInactive) || errors.Is(err, tickets.ErrBulkNotFound) {
			c.Log.WarnContext(ctx, "bulk action dropped: its person is gone", "job", id)
			err = c.Tickets.DropBulk(ctx, id)
		}
		if err != nil && ctx.Err() == nil {
			c.Log.ErrorContext(ctx, "bulk action", "job", id, "error", err)
		}
	}
}

func (c *Console) runBulk(ctx context.Context, p auth.Principal, id uuid.UUID) {
	if _, err := c.Tickets.RunBulk(ctx, actor(&p), id, c.Chat.Announce); err != nil && ctx.Err() == nil {
		c.Log.ErrorContext(ctx, "bulk action", "job", id, "error", err)
	}
}

// bulkData is the page on which the deed is chosen.
type bulkData struct {
	IDs        []uuid.UUID
	All        bool // everything the list finds
	Count      int
	Query      string
	Back       string
	Rows       []tickets.Ticket
	Moves      []moveOption
	Fields     []string // what those moves need besides
	Colleagues []auth.User
	Tags       []tickets.Tag
	Agencies   []option
	Outcomes   []tickets.Code
	Waits      []bulkWait // whose answer needs the reason why it does not wait
	Form       url.Values
	Error      string
}

// bulkWait is a ticket on which co-agencies have not replied yet.
type bulkWait struct {
	Number, Title string
	Agencies      string
}

// waits lists the tickets on which co-agencies have not replied yet.
func (c *Console) waits(ctx context.Context, v View, rows []tickets.Ticket) ([]bulkWait, error) {
	var out []bulkWait
	for _, t := range rows {
		if len(t.Co) == 0 {
			continue
		}
		clocks, err := c.Tickets.Clocks(ctx, actor(v.Me), t.ID)
		if err != nil {
			return nil, err
		}
		var names []string
		for _, clk := range tickets.CoOpen(clocks) {
			names = append(names, v.Agency(clk.Agency))
		}
		if len(names) > 0 {
			out = append(out, bulkWait{t.Number, t.Title, strings.Join(names, v.T("comma"))})
		}
	}
	return out, nil
}

// chosen reads which tickets a form means: those that are ticked, or all that its list finds.
func (c *Console) chosen(ctx context.Context, v View, q url.Values) ([]uuid.UUID, error) {
	var ids []uuid.UUID
	if q.Get("all") == "" {
		for _, s := range q["ids"] {
			if id := parseID(s); id != uuid.Nil && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
		return ids, nil
	}
	list, err := url.ParseQuery(q.Get("list"))
	if err != nil {
		return nil, httperr.ErrMalformed.Wrap(err)
	}
	view, f := c.parseFilter(list)
	after := ""
	for len(ids) <= tickets.MaxBulk {
		page, err := c.Tickets.List(ctx, actor(v.Me), view, f, after, 100)
		if err != nil {
			return nil, err
		}
		for _, row := range page.Rows {
			ids = append(ids, row.ID)
		}
		if after = page.Next; after == "" {
			break
		}
	}
	return ids, nil
}

// bulkChoose shows what can be done with the chosen tickets: of the moves those that every one of them allows.
func (c *Console) bulkChoose(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	return c.showBulkChoose(w, r, "", http.StatusOK)
}

func (c *Console) showBulkChoose(w http.ResponseWriter, r *http.Request, words string, status int) error {
	v := c.view(r)
	q := r.PostForm
	a := actor(v.Me)
	ids, err := c.chosen(r.Context(), v, q)
	if err != nil {
		return err
	}
	list, err := url.ParseQuery(q.Get("list"))
	if err != nil {
		list = url.Values{} // back to the first list
	}
	d := &bulkData{IDs: ids, All: q.Get("all") != "", Count: len(ids), Query: q.Get("list"), Back: "/console/inbox?" + listQuery(list).Encode(), Form: q, Error: words, Outcomes: tickets.Outcomes()}
	if d.Error == "" && len(ids) == 0 {
		d.Error = v.T("tools.bulk_none")
	}
	every := map[tickets.Action]int{}
	looked := ids[:min(len(ids), tickets.BulkAtOnce)]
	for _, id := range looked {
		t, err := c.Tickets.ByID(r.Context(), a, id)
		if errs.KindOf(err) == errs.NotFound {
			continue
		}
		if err != nil {
			return err
		}
		d.Rows = append(d.Rows, t)
		for _, m := range c.Tickets.Moves(a, t) {
			every[m.Name]++
		}
	}
	for _, m := range movesFor() {
		if every[m.Action] == len(d.Rows) && len(d.Rows) > 0 {
			d.Moves = append(d.Moves, m)
		}
	}
	for _, m := range tickets.Table() {
		i := slices.IndexFunc(d.Moves, func(o moveOption) bool { return o.Action == m.Name })
		if i < 0 {
			continue
		}
		for _, f := range append(slices.Clone(m.Required), extraFields[m.Name]...) {
			if !slices.Contains(strings.Fields(d.Moves[i].Needs), string(f)) {
				d.Moves[i].Needs += " " + string(f)
			}
			if !slices.Contains(d.Fields, string(f)) {
				d.Fields = append(d.Fields, string(f))
			}
		}
	}
	if i := slices.IndexFunc(d.Moves, func(o moveOption) bool { return o.Action == tickets.Reply }); i >= 0 {
		if d.Waits, err = c.waits(r.Context(), v, d.Rows); err != nil {
			return err
		}
		// Where not all were looked at, one that was not may need it.
		if len(d.Waits) > 0 || len(looked) < len(ids) {
			d.Moves[i].Needs += " " + string(tickets.FOver)
			d.Fields = append(d.Fields, string(tickets.FOver))
		}
	}
	if slices.Contains(d.Fields, string(tickets.FLead)) {
		d.Agencies = c.agencyOptions(v.Lang, func(g routing.Agency) bool { return dispatchable(g) })
	}
	if d.Colleagues, err = c.Auth.Assignable(r.Context(), v.Me.AgencyID); err != nil {
		return err
	}
	if d.Tags, err = c.Tickets.Tags(r.Context(), a); err != nil {
		return err
	}
	v.Nav, v.Title, v.D = "inbox", v.T("tools.bulk"), d
	if isHX(r) {
		c.fragment(w, r, status, "bulk-form", v)
		return nil
	}
	c.page(w, r, status, "bulk", v)
	return nil
}

// bulkRun starts the job; few tickets are done before the answer, many behind it.
func (c *Console) bulkRun(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	q := r.PostForm
	deed := tickets.BulkDeed{Do: tickets.BulkDo(q.Get("do"))}
	switch deed.Do {
	case tickets.BulkAssign:
		deed.To = parseID(q.Get("to"))
	case tickets.BulkTag:
		deed.Tag = clean(q.Get("tag"), 100)
	case tickets.BulkUntag:
		deed.TagID = parseID(q.Get("tag_id"))
	case tickets.BulkNote:
		deed.Text = text(q.Get("note"))
	case tickets.BulkMove:
		deed.Move = tickets.Action(clean(q.Get("move"), 60))
		var err error
		if deed.Fields, err = c.readFields(r.Context(), v, r); err != nil {
			return c.showBulkChoose(w, r, c.explain(r.Context(), v, err), http.StatusBadRequest)
		}
	}
	ids, err := c.chosen(r.Context(), v, q)
	if err != nil {
		return err
	}
	job, err := c.Tickets.StartBulk(r.Context(), actor(v.Me), deed, ids)
	if err != nil {
		if !expected(err) {
			return err
		}
		return c.showBulkChoose(w, r, c.explain(r.Context(), v, err), httperr.Status(errs.KindOf(err)))
	}
	return c.goBulk(w, r, job)
}

func (c *Console) goBulk(w http.ResponseWriter, r *http.Request, job tickets.BulkJob) error {
	p, _ := principal(r.Context())
	if len(job.Tickets) <= tickets.BulkAtOnce {
		c.runBulk(context.WithoutCancel(r.Context()), p, job.ID) // a reader who leaves does not stop it halfway
	} else {
		c.bulk.wait.Go(func() { c.runBulk(c.bulk.ctx, p, job.ID) })
	}
	return see(w, r, "/console/bulk/"+job.ID.String())
}

// bulkJobData is what came of a job.
type bulkJobData struct {
	Job          tickets.BulkJob
	What         string
	Good, Bad    int
	Nothing      int
	Lines        []bulkLine
	MayUndo      bool
	Percent      int
	Total, Ended int
}

type bulkLine struct {
	URL, Number string
	Words       string
	Bad         bool
}

func (c *Console) bulkJob(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	v := c.view(r)
	job, err := c.Tickets.Bulk(r.Context(), actor(v.Me), id)
	if err != nil {
		return err
	}
	d := &bulkJobData{Job: job, Total: len(job.Tickets), Ended: len(job.Results), What: c.bulkWords(r.Context(), v, job)}
	d.Percent = 100 * d.Ended / max(1, d.Total)
	var good []bulkLine
	changed := false
	for _, res := range job.Results {
		changed = changed || res.Changed
		line := bulkLine{URL: "/console/tickets/" + res.Ticket.String(), Number: res.Number}
		if line.Number == "" {
			line.URL, line.Number = "", "–"
		}
		switch err := res.Err(); {
		case err != nil:
			line.Bad, line.Words = true, c.explain(r.Context(), v, err)
			d.Bad++
			d.Lines = append(d.Lines, line)
			continue
		case res.Changed:
			line.Words = v.T("tools.bulk_done")
			d.Good++
		default:
			line.Words = v.T("tools.bulk_nothing")
			d.Nothing++
		}
		good = append(good, line)
	}
	d.Lines = append(d.Lines, good...) // what was not done comes first
	d.MayUndo = job.Done() && job.Deed.Undoable() && job.Undone == nil && changed
	v.Nav, v.Title, v.D = "inbox", d.What, d
	if isHX(r) {
		c.fragment(w, r, http.StatusOK, "bulk-job", v)
		return nil
	}
	c.page(w, r, http.StatusOK, "bulk-job", v)
	return nil
}

// bulkWords says what a job does.
func (c *Console) bulkWords(ctx context.Context, v View, j tickets.BulkJob) string {
	d := j.Deed
	switch d.Do {
	case tickets.BulkAssign:
		if d.To == uuid.Nil {
			return v.T("tools.does_nobody")
		}
		names, err := c.names(ctx, v.Me.Actor(), v.Lang, map[uuid.UUID]bool{d.To: true})
		if err != nil {
			names = nil // the page is worth more than the name
		}
		return v.T("tools.bulk_assign_to", "name", names[d.To])
	case tickets.BulkTag:
		return v.T("tools.does_tag", "tag", d.Tag)
	case tickets.BulkMove:
		return v.Action(d.Move)
	}
	return v.T("tools.bulk_" + string(d.Do))
}

func (c *Console) bulkUndo(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	v := c.view(r)
	job, err := c.Tickets.UndoBulk(r.Context(), actor(v.Me), id)
	if errors.Is(err, tickets.ErrUndone) {
		return see(w, r, "/console/bulk/"+id.String())
	}
	if err != nil {
		return err
	}
	return c.goBulk(w, r, job)
}

// Has reports whether a field is asked for.
func (d bulkData) Has(f string) bool { return slices.Contains(d.Fields, f) }

// Value is what was entered before.
func (d bulkData) Value(name string) string { return strings.Join(d.Form[name], ",") }
