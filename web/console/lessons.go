package console

import (
	"html/template"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"hotline/internal/errs"
	"hotline/knowledge"
	"hotline/knowledge/learn"
	"hotline/web/httperr"
)

// lessonRoutes are the pages on which editors take over what use has taught: proposals, the evaluation set, what a publication would do.
func (c *Console) lessonRoutes(on func(string, []string, handle)) {
	on("GET /console/proposals", editRoles, c.proposals)
	on("POST /console/proposals/{id}/do/{action}", editRoles, c.proposalDo)
	on("GET /console/pairs", editRoles, c.pairs)
	on("POST /console/pairs", editRoles, c.pairAdd)
	on("POST /console/pairs/{id}/do/{action}", editRoles, c.pairDo)
	on("GET /console/pairs.jsonl", editRoles, c.pairsFile)
	on("GET /console/knowledge/{id}/effect", editRoles, c.effect)
}

type proposalsData struct {
	Rows  []proposalRow
	State string
	More  template.URL
	Error string
}

type proposalRow struct {
	learn.Proposal
	Owner   string
	Percent int
	Near    string // title of the nearest article, or of the draft
	Link    string // to what it came from
}

const lessonPage = 25

func (c *Console) proposals(w http.ResponseWriter, r *http.Request) error {
	return c.showProposals(w, r, http.StatusOK, "")
}

func (c *Console) showProposals(w http.ResponseWriter, r *http.Request, status int, words string) error {
	v, q, ctx := c.view(r), r.URL.Query(), r.Context()
	v.Nav, v.Title = "gaps", v.T("proposals.title")
	d := &proposalsData{State: clean(q.Get("state"), 20), Error: words}
	if d.State == "" {
		d.State = "open"
	}
	var after learn.Proposal
	if at, err := time.Parse(time.RFC3339Nano, q.Get("after")); err == nil {
		after = learn.Proposal{CreatedAt: at, ID: parseID(q.Get("after_id"))}
	}
	rows, err := c.Learn.Proposals(ctx, v.Me.Actor(), d.State, after, lessonPage+1)
	if err != nil {
		return err
	}
	if len(rows) > lessonPage {
		rows = rows[:lessonPage]
		last := rows[lessonPage-1]
		d.More = query(url.Values{"state": {d.State}, "after": {last.CreatedAt.UTC().Format(time.RFC3339Nano)}, "after_id": {last.ID.String()}})
	}
	for _, p := range rows {
		row := proposalRow{Proposal: p, Owner: v.Agency(p.Agency), Percent: percent(p.Score), Link: "/console/chats/" + p.SourceID.String()}
		if p.Source == "ticket" {
			row.Link = "/console/tickets/" + p.SourceID.String()
		}
		if p.Article != uuid.Nil {
			e, err := c.latest(ctx, p.Article)
			if err == nil {
				row.Near = e.Version.Title
			} else if errs.KindOf(err) != errs.NotFound {
				return err
			}
		}
		d.Rows = append(d.Rows, row)
	}
	v.D = d
	c.page(w, r, status, "proposals", v)
	return nil
}

func (c *Console) proposalDo(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v, next := c.view(r), "/console/proposals"
	switch r.PathValue("action") {
	case "accept":
		var e knowledge.Entry
		if e, err = c.Learn.Accept(r.Context(), staff(v), id); err == nil {
			next = "/console/knowledge/" + e.Article.ID.String() + "/edit"
		}
	case "reject":
		err = c.Learn.Reject(r.Context(), staff(v), id, text(r.PostForm.Get("reason")))
	default:
		return httperr.ErrNotFound
	}
	if err != nil {
		if !expected(err) {
			return err
		}
		return c.showProposals(w, r, httperr.Status(errs.KindOf(err)), c.explain(r.Context(), v, err))
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

type pairsData struct {
	Rows     []learn.Pair
	More     template.URL
	Error    string
	Question string
	Article  string
}

func (c *Console) pairs(w http.ResponseWriter, r *http.Request) error {
	return c.showPairs(w, r, http.StatusOK, pairsData{})
}

func (c *Console) showPairs(w http.ResponseWriter, r *http.Request, status int, d pairsData) error {
	v, q := c.view(r), r.URL.Query()
	v.Nav, v.Title = "learning", v.T("pairs.title")
	var after learn.Pair
	if at, err := time.Parse(time.RFC3339Nano, q.Get("after")); err == nil {
		after = learn.Pair{CreatedAt: at, ID: parseID(q.Get("after_id"))}
	}
	rows, err := c.Learn.Pairs(r.Context(), v.Me.Actor(), after, lessonPage+1)
	if err != nil {
		return err
	}
	if len(rows) > lessonPage {
		rows = rows[:lessonPage]
		last := rows[lessonPage-1]
		d.More = query(url.Values{"after": {last.CreatedAt.UTC().Format(time.RFC3339Nano)}, "after_id": {last.ID.String()}})
	}
	d.Rows = rows
	v.D = d
	c.page(w, r, status, "pairs", v)
	return nil
}

// pairAdd takes an editor's own pair; the article is named by the address of its page.
func (c *Console) pairAdd(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v, question, article := c.view(r), clean(r.PostForm.Get("question"), knowledge.MaxQuestion+1), clean(r.PostForm.Get("article"), 300)
	id := article
	if n := len(article); n > 36 {
		id = article[n-36:] // the end of an address
	}
	err := c.Learn.AddPair(r.Context(), staff(v), question, parseID(id))
	if err != nil {
		if !expected(err) && errs.KindOf(err) != errs.NotFound {
			return err
		}
		return c.showPairs(w, r, httperr.Status(errs.KindOf(err)), pairsData{Error: c.explain(r.Context(), v, err), Question: question, Article: article})
	}
	http.Redirect(w, r, "/console/pairs", http.StatusSeeOther)
	return nil
}

func (c *Console) pairDo(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	by := staff(c.view(r))
	switch r.PathValue("action") {
	case "off", "on":
		err = c.Learn.KeepPair(r.Context(), by, id, r.PathValue("action") == "on")
	case "remove":
		err = c.Learn.RemovePair(r.Context(), by, id)
	default:
		return httperr.ErrNotFound
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/console/pairs", http.StatusSeeOther)
	return nil
}

// pairsFile is the set as `hotline eval retrieval --queries` reads it.
func (c *Console) pairsFile(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "application/jsonl; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="evaluation.jsonl"`)
	w.Header().Set("Cache-Control", "no-store")
	_, err := c.Learn.WritePairs(r.Context(), c.view(r).Me.Actor(), w)
	return err
}

// effectData is what publishing the latest text of an article would do.
type effectData struct {
	A     *knowledge.Entry
	F     learn.Forecast
	Rows  []effectRow
	Bad   int
	Pub   bool // the reader may publish it
	Error string
	Text  string
	From  string // of a schedule that was asked for
	Until string
}

type effectRow struct {
	learn.Outlook
	Before, After string
}

// Bounds of what is shown of a forecast; the counts are of all.
const mostEffects = 100

func (c *Console) effect(w http.ResponseWriter, r *http.Request) error {
	return c.showEffect(w, r, http.StatusOK, "", "")
}

func (c *Console) showEffect(w http.ResponseWriter, r *http.Request, status int, words, reason string) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	v, ctx := c.view(r), r.Context()
	one, err := c.loadArticle(ctx, v, id, 0, 0)
	if err != nil {
		return err
	}
	d := &effectData{A: &knowledge.Entry{Article: one.A, Version: one.V}, Pub: one.MayReview, Error: words, Text: reason, From: clean(r.PostForm.Get("from"), 40), Until: clean(r.PostForm.Get("until"), 40)}
	if d.F, err = c.Learn.Forecast(ctx, id); err != nil {
		return err
	}
	d.Bad = d.F.Worse()
	titles := map[uuid.UUID]string{uuid.Nil: v.T("effect.nothing")}
	say := func(x knowledge.Verdict) (string, error) {
		if x.Outcome == knowledge.None {
			return titles[uuid.Nil], nil
		}
		if _, ok := titles[x.Article]; !ok {
			e, err := c.latest(ctx, x.Article)
			if err != nil {
				return "", err
			}
			titles[x.Article] = e.Version.Title
		}
		if x.Outcome == knowledge.Choices {
			return v.T("effect.choices", "title", titles[x.Article], "n", len(x.Choices)), nil
		}
		return titles[x.Article], nil
	}
	// What gets worse comes first.
	for _, bad := range []bool{true, false} {
		for _, o := range d.F.Effects {
			if o.Bad() != bad || len(d.Rows) >= mostEffects {
				continue
			}
			row := effectRow{Outlook: o}
			if row.Before, err = say(o.Effect.Before); err != nil {
				return err
			}
			if row.After, err = say(o.Effect.After); err != nil {
				return err
			}
			d.Rows = append(d.Rows, row)
		}
	}
	v.Nav, v.Title, v.D = "knowledge", v.T("effect.title", "title", one.V.Title), d
	c.page(w, r, status, "effect", v)
	return nil
}
