package console

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"hotline/internal/errs"
	"hotline/knowledge"
	"hotline/knowledge/learn"
	"hotline/routing"
	"hotline/web/httperr"
)

func (c *Console) gapRoutes(on func(string, []string, handle)) {
	on("GET /console/gaps", editRoles, c.gaps)
	on("GET /console/gaps/{id}", editRoles, c.gap)
	on("POST /console/gaps/{id}/do/{action}", editRoles, c.gapDo)
}

var gapStates = []string{learn.Open, learn.Drafted, learn.Closed, learn.Dismissed}

const gapPage = 25

// leastNear is the deciding score below which an article has only common words with a gap.
const leastNear = 0.10

// gapsData is the list of gaps.
type gapsData struct {
	Rows   []gapRow
	State  string
	Lang   string
	States []string
	Counts map[string]int
	More   template.URL
}

type gapRow struct {
	learn.Gap
	Owner   string
	Percent int    // of the questions, those that a person was asked for after
	Trend   string // up, down, even
}

func (v View) gapRow(g learn.Gap) gapRow {
	row := gapRow{Gap: g, Owner: v.Agency(g.Agency), Trend: "even"}
	if g.Size > 0 {
		row.Percent = (100*g.HandedOff + g.Size/2) / g.Size
	}
	switch {
	case g.Week > g.Before:
		row.Trend = "up"
	case g.Week < g.Before:
		row.Trend = "down"
	}
	return row
}

// KnownLang writes the language of a gap, which is a base language, by the name of the page's own.
func (v View) KnownLang(lang string) string {
	if lang == "zh" {
		lang = "zh-CN"
	}
	return v.LangIn(lang)
}

func (c *Console) gaps(w http.ResponseWriter, r *http.Request) error {
	v := c.view(r)
	v.Nav, v.Title = "gaps", v.T("nav.gaps")
	q := r.URL.Query()
	d := &gapsData{State: clean(q.Get("state"), 20), Lang: knowledge.BaseLang(clean(q.Get("lang_of"), 20)), States: gapStates}
	if d.State == "" {
		d.State = learn.Open
	}
	rows, err := c.Learn.Gaps(r.Context(), v.Me.Actor(), learn.GapFilter{State: d.State, Lang: d.Lang, After: learn.Gap{ID: parseID(q.Get("after")), Size: number(q.Get("size"))}, Limit: gapPage + 1})
	if err != nil {
		return err
	}
	if len(rows) > gapPage {
		rows = rows[:gapPage]
		last := rows[gapPage-1]
		d.More = query(url.Values{"state": {d.State}, "lang_of": {d.Lang}, "after": {last.ID.String()}, "size": {itoa(last.Size)}})
	}
	for _, g := range rows {
		d.Rows = append(d.Rows, v.gapRow(g))
	}
	if d.Counts, err = c.Learn.GapCounts(r.Context(), v.Me.Actor()); err != nil {
		return err
	}
	v.D = d
	c.page(w, r, http.StatusOK, "gaps", v)
	return nil
}

// nearArticle is an article that comes near to what was asked.
type nearArticle struct {
	knowledge.Result
	Percent int
}

// gapData is one gap with what can be done about it.
type gapData struct {
	gapRow
	Examples []learn.Example
	Near     []nearArticle
	Others   []learn.Gap // to merge it with
	Agencies []option
	Article  *knowledge.Entry
	Into     *learn.Gap
	Who      string
	Question string // to be stored with an article
	MayAct   bool
	Since    time.Time // when it was closed
	Error    string
	Reason   string
}

func (c *Console) gap(w http.ResponseWriter, r *http.Request) error {
	return c.showGap(w, r, http.StatusOK, "", "")
}

func (c *Console) showGap(w http.ResponseWriter, r *http.Request, status int, words, reason string) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	v, ctx := c.view(r), r.Context()
	g, examples, near, err := c.Learn.Gap(ctx, v.Me.Actor(), id)
	if err != nil {
		return err
	}
	d := &gapData{gapRow: v.gapRow(g), Examples: examples, Question: g.Title, Error: words, Reason: reason, MayAct: g.State == learn.Open || g.State == learn.Drafted}
	if g.ClosedAt != nil {
		d.Since = *g.ClosedAt
	}
	if len(examples) > 0 {
		d.Question = examples[0].Question
	}
	for _, one := range near {
		if one.Score < leastNear {
			break
		}
		d.Near = append(d.Near, nearArticle{Result: one, Percent: percent(one.Score)})
	}
	if g.Article != uuid.Nil {
		if d.Article, err = c.latest(ctx, g.Article); err != nil && errs.KindOf(err) != errs.NotFound {
			return err
		}
	}
	if g.Into != uuid.Nil {
		into, _, _, err := c.Learn.Gap(ctx, v.Me.Actor(), g.Into)
		if err == nil {
			d.Into = &into
		} else if errs.KindOf(err) != errs.NotFound {
			return err
		}
	}
	if d.MayAct {
		others, err := c.Learn.Gaps(ctx, v.Me.Actor(), learn.GapFilter{Lang: g.Lang, Limit: 60})
		if err != nil {
			return err
		}
		for _, o := range others {
			if o.ID != g.ID {
				d.Others = append(d.Others, o)
			}
		}
		d.Agencies = c.agencyOptions(v.Lang, func(a routing.Agency) bool { return a.Active })
	}
	names, err := c.names(ctx, v.Me.Actor(), v.Lang, map[uuid.UUID]bool{g.DecidedBy: true})
	if err != nil {
		return err
	}
	d.Who = names[g.DecidedBy]
	v.Nav, v.Title, v.D = "gaps", g.Title, d
	c.page(w, r, status, "gap", v)
	return nil
}

// latest is an article with its newest text.
func (c *Console) latest(ctx context.Context, id uuid.UUID) (*knowledge.Entry, error) {
	a, err := c.Knowledge.Article(ctx, id)
	if err != nil {
		return nil, err
	}
	x, err := c.Knowledge.Version(ctx, id, a.Latest)
	return &knowledge.Entry{Article: a, Version: x}, err
}

func (c *Console) gapDo(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v, q, ctx := c.view(r), r.PostForm, r.Context()
	by, reason, next := staff(v), text(q.Get("reason")), "/console/gaps/"+id.String()
	switch r.PathValue("action") {
	case "draft":
		var e knowledge.Entry
		if e, err = c.Learn.Draft(ctx, by, id, v.T("gaps.draft_body")); err == nil {
			next = "/console/knowledge/" + e.Article.ID.String() + "/edit"
		}
	case "add":
		_, err = c.Learn.AddQuestion(ctx, by, id, parseID(q.Get("article")), clean(q.Get("question"), knowledge.MaxQuestion+1))
	case "dismiss":
		err = c.Learn.Dismiss(ctx, by, id, reason)
	case "reopen":
		err = c.Learn.Reopen(ctx, by, id)
	case "merge":
		into := parseID(q.Get("into"))
		if err = c.Learn.MergeGap(ctx, by, id, into, reason); err == nil {
			next = "/console/gaps/" + into.String()
		}
	case "assign":
		err = c.Learn.Assign(ctx, by, id, parseID(q.Get("agency")))
	default:
		return httperr.ErrNotFound
	}
	if err != nil {
		if !expected(err) {
			return err
		}
		return c.showGap(w, r, httperr.Status(errs.KindOf(err)), c.explain(ctx, v, err), reason)
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}
