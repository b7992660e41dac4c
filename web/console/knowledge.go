package console

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/google/uuid"

	"hotline/internal/errs"
	"hotline/knowledge"
	"hotline/knowledge/learn"
	"hotline/web/httperr"
)

// knowledgeRoles read the knowledge pages: who answers citizens looks things up, editors and reviewers change them.
var knowledgeRoles = []string{"editor", "reviewer", "administrator", "operator", "dispatcher", "supervisor", "handler", "head"}

var editRoles = []string{"editor", "reviewer", "administrator"}

func (c *Console) knowledgeRoutes(on, long, files, large func(string, []string, handle)) {
	on("GET /console/knowledge", knowledgeRoles, c.articles)
	on("GET /console/knowledge/new", editRoles, c.articleNew)
	long("POST /console/knowledge/new", editRoles, c.articleCreate)
	long("POST /console/knowledge/preview", editRoles, c.articlePreview)
	long("POST /console/knowledge/form", editRoles, c.articleForm)
	c.careRoutes(on)
	c.recordRoutes(on, files)
	c.importRoutes(on, large)
	on("GET /console/knowledge/{id}", knowledgeRoles, c.article)
	on("GET /console/knowledge/{id}/edit", editRoles, c.articleEdit)
	long("POST /console/knowledge/{id}/edit", editRoles, c.articleSave)
	on("GET /console/knowledge/{id}/versions/{n}", knowledgeRoles, c.articleVersion)
	on("POST /console/knowledge/{id}/do/{action}", knowledgeRoles, c.articleDo)
	on("POST /console/corrections/{id}", []string{"reviewer"}, c.correctionDecide)
}

func staff(v View) knowledge.Staff { return knowledge.Staff{Actor: v.Me.Actor(), Roles: v.Me.Roles} }

// articlesData is the list.
type articlesData struct {
	Rows    []articleRow
	State   string
	Lang    string
	Query   string
	More    template.URL
	States  []string
	MayEdit bool
}

type articleRow struct {
	knowledge.Entry
	Owner   string
	Percent int
}

var articleStates = []string{"draft", "in_review", "scheduled", "published", "expired", "withdrawn", "disputed"}

func (c *Console) articles(w http.ResponseWriter, r *http.Request) error {
	v := c.view(r)
	v.Nav, v.Title = "knowledge", v.T("nav.knowledge")
	q := r.URL.Query()
	d := &articlesData{State: clean(q.Get("state"), 20), Lang: q.Get("lang_of"), Query: clean(q.Get("q"), 300), States: articleStates, MayEdit: v.Me.Has(editRoles...)}
	if !d.MayEdit {
		d.State, d.States = "", nil
	}
	// Readers find what is served; editors also find, by its words, what is not: drafts, reviews, what has expired.
	if d.Query != "" && d.State == "" {
		found, err := c.Knowledge.Search(r.Context(), knowledge.Query{Text: d.Query, Lang: d.Lang, Audience: knowledge.AudienceStaff, Limit: 30})
		if err != nil && errs.KindOf(err) != errs.Invalid {
			return err
		}
		for _, one := range found {
			a, err := c.Knowledge.Article(r.Context(), one.ID)
			if errors.Is(err, knowledge.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			version, err := c.Knowledge.Version(r.Context(), one.ID, one.Version)
			if err != nil {
				return err
			}
			d.Rows = append(d.Rows, articleRow{Entry: knowledge.Entry{Article: a, Version: version}, Owner: v.Agency(a.Owner), Percent: percent(one.Score)})
		}
		if d.MayEdit {
			others, err := c.Knowledge.List(r.Context(), knowledge.Filter{Lang: d.Lang, Text: d.Query, Limit: 30})
			if err != nil {
				return err
			}
			for _, e := range others {
				if !slices.ContainsFunc(d.Rows, func(row articleRow) bool { return row.Article.ID == e.Article.ID }) {
					d.Rows = append(d.Rows, articleRow{Entry: e, Owner: v.Agency(e.Article.Owner)})
				}
			}
		}
		v.D = d
		c.page(w, r, http.StatusOK, "articles", v)
		return nil
	}
	f := knowledge.Filter{Lang: d.Lang, Text: d.Query, Live: !d.MayEdit, Limit: 51}
	if d.State == "disputed" {
		f.Disputed = true
	} else {
		f.State = knowledge.State(d.State)
	}
	if at, err := time.Parse(time.RFC3339Nano, q.Get("after")); err == nil {
		f.After = knowledge.Cursor{UpdatedAt: at, ID: parseID(q.Get("after_id"))}
	}
	rows, err := c.Knowledge.List(r.Context(), f)
	if err != nil {
		return err
	}
	if len(rows) > 50 {
		rows = rows[:50]
		at := rows[49].Cursor()
		d.More = query(url.Values{"q": {d.Query}, "state": {d.State}, "lang_of": {d.Lang}, "after": {at.UpdatedAt.Format(time.RFC3339Nano)}, "after_id": {at.ID.String()}})
	}
	for _, e := range rows {
		// Readers see what is published, as on the article's own page.
		if !d.MayEdit && e.Article.Live != e.Version.Number {
			if e.Version, err = c.Knowledge.Version(r.Context(), e.Article.ID, e.Article.Live); err != nil {
				return err
			}
		}
		d.Rows = append(d.Rows, articleRow{Entry: e, Owner: v.Agency(e.Article.Owner)})
	}
	v.D = d
	c.page(w, r, http.StatusOK, "articles", v)
	return nil
}

// articleData is one article with what may be done to it.
type articleData struct {
	A           knowledge.Article
	V           knowledge.Version // the latest, or the one that was asked for
	Versions    []knowledge.Version
	HTML        template.HTML
	Form        *formView // of this version, nil when it has none
	Diff        []diffLine
	Against     int
	Corrections []correctionRow
	Names       map[uuid.UUID]string
	Latest      bool
	MayEdit     bool
	MaySubmit   bool
	MayRecall   bool
	MayReview   bool
	OwnReview   bool // in review, but one's own text
	MayWithdraw bool
	MayRestore  bool
	From, Until string // of the schedule's form
	Begins      *time.Time
	Files       []knowledge.File
	Care        *careData // nil for readers
	MayDispute  bool
	Error       string
	Text        string // of the form that failed
	Use         knowledge.AssistUse
}

type correctionRow struct {
	knowledge.Correction
	Name  string
	Light Light // while its clock runs
}

func (c *Console) loadArticle(ctx context.Context, v View, id uuid.UUID, number, against int) (*articleData, error) {
	a, err := c.Knowledge.Article(ctx, id)
	if err != nil {
		return nil, err
	}
	d := &articleData{A: a}
	if d.Versions, err = c.Knowledge.Versions(ctx, id); err != nil {
		return nil, err
	}
	// Readers see what is published; drafts are for those who edit.
	edits := v.Me.Has(editRoles...)
	if !edits {
		d.Versions = slices.DeleteFunc(d.Versions, func(x knowledge.Version) bool { return x.PublishedAt == nil })
		if number == 0 {
			number = a.Live
		}
	}
	if number == 0 {
		number = a.Latest
	}
	at := slices.IndexFunc(d.Versions, func(x knowledge.Version) bool { return x.Number == number })
	if at < 0 {
		return nil, knowledge.ErrNotFound
	}
	d.V, d.Latest = d.Versions[at], number == a.Latest
	d.HTML, d.Form = knowledge.RenderHTML(d.V.Body), v.savedForm(d.V.Form, nil)
	if before, ok := compared(d, at, against); ok {
		was, err := c.wholeVersion(ctx, v, before)
		if err != nil {
			return nil, err
		}
		is, err := c.wholeVersion(ctx, v, d.V)
		if err != nil {
			return nil, err
		}
		d.Against, d.Diff = before.Number, diff(was, is)
	}
	if d.Files, err = c.Knowledge.Files(ctx, d.V.Files); err != nil {
		return nil, err
	}
	if d.Use, err = c.Knowledge.AssistUse(ctx, knowledge.AssistFilter{Article: id}); err != nil {
		return nil, err
	}
	corrections, err := c.Knowledge.Corrections(ctx, id)
	if err != nil {
		return nil, err
	}
	ids := map[uuid.UUID]bool{}
	for _, x := range d.Versions {
		ids[x.Author], ids[x.Reviewer] = true, true
	}
	for _, x := range corrections {
		ids[x.User] = true
	}
	if d.Names, err = c.names(ctx, v.Me.Actor(), v.Lang, ids); err != nil {
		return nil, err
	}
	for _, x := range corrections {
		row := correctionRow{Correction: x, Name: d.Names[x.User]}
		if x.SettledAt == nil && x.DueAt != nil {
			row.Light = v.LightOf(x.WarnAt, x.DueAt)
		}
		d.Corrections = append(d.Corrections, row)
	}
	may, waits := staff(v).May(a), d.V.State == knowledge.InReview || d.V.State == knowledge.Scheduled
	latest := d.Versions[0]
	d.MayEdit = may.Edit && d.Latest && !waits
	d.MaySubmit = may.Edit && d.Latest && d.V.State == knowledge.Drafted
	d.MayRecall = may.Edit && d.Latest && waits
	d.OwnReview = may.Review && d.V.Author == v.Me.UserID && d.V.Author != uuid.Nil
	d.MayReview = may.Review && d.Latest && waits && !d.OwnReview
	d.MayWithdraw = may.Review && a.Live != 0
	d.MayDispute = a.Live != 0
	d.MayRestore = may.Edit && !d.Latest && latest.State != knowledge.InReview && latest.State != knowledge.Scheduled
	if d.MayReview {
		d.scheduled(c.zone(), v.Now)
	}
	if edits {
		d.Care, err = c.care(ctx, v, d)
	}
	return d, err
}

// Validity says when a version holds, in words.
func (v View) Validity(x knowledge.Version) string {
	switch {
	case x.ValidFrom != nil && x.ValidTo != nil:
		return v.T("knowledge.valid_between", "from", day(x.ValidFrom), "to", day(x.ValidTo))
	case x.ValidFrom != nil:
		return v.T("knowledge.valid_since", "from", day(x.ValidFrom))
	case x.ValidTo != nil:
		return v.T("knowledge.valid_until", "to", day(x.ValidTo))
	}
	return v.T("knowledge.valid_always")
}

func (c *Console) showArticle(w http.ResponseWriter, r *http.Request, version, status int, edit func(*articleData)) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	v := c.view(r)
	d, err := c.loadArticle(r.Context(), v, id, version, number(r.URL.Query().Get("against")))
	if err != nil {
		return err
	}
	if edit != nil {
		edit(d)
	}
	v.Nav, v.Title, v.D = "knowledge", d.V.Title, d
	c.page(w, r, status, "article", v)
	return nil
}

func (c *Console) article(w http.ResponseWriter, r *http.Request) error {
	return c.showArticle(w, r, 0, http.StatusOK, nil)
}

func (c *Console) articleVersion(w http.ResponseWriter, r *http.Request) error {
	n := number(r.PathValue("n"))
	if n < 1 {
		return httperr.ErrNotFound
	}
	return c.showArticle(w, r, n, http.StatusOK, nil)
}

// articleDo moves an article through its life.
func (c *Console) articleDo(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v, q, ctx := c.view(r), r.PostForm, r.Context()
	by, words := staff(v), text(q.Get("text"))
	ref := knowledge.Ref{Article: id, Version: number(q.Get("version")), Edit: number(q.Get("edit"))}
	switch r.PathValue("action") {
	case "submit":
		_, err = c.Knowledge.Submit(ctx, by, ref)
	case "recall":
		_, err = c.Knowledge.Recall(ctx, by, ref)
	case "refuse":
		_, err = c.Knowledge.Refuse(ctx, by, ref, words)
	case "publish":
		if err = c.Learn.MayPublish(ctx, by, ref, q.Get("worse") == "yes", words); err == nil {
			_, err = c.Knowledge.Publish(ctx, by, ref)
		}
	case "schedule":
		var when knowledge.When
		if when, err = c.when(q); err == nil {
			err = c.Learn.MayPublish(ctx, by, ref, q.Get("worse") == "yes", words)
		}
		if err == nil {
			_, err = c.Knowledge.Approve(ctx, by, ref, when)
		}
	case "confirm":
		_, err = c.Knowledge.Confirm(ctx, by, ref)
	case "right":
		_, err = c.Knowledge.StillRight(ctx, by, ref, number(q.Get("original")))
	case "restore":
		_, err = c.Knowledge.Restore(ctx, by, ref, number(q.Get("number")))
	case "withdraw":
		_, err = c.Knowledge.Withdraw(ctx, by, ref, words)
	case "dispute":
		_, err = c.Knowledge.Dispute(ctx, by, id, words)
	default:
		return httperr.ErrNotFound
	}
	if err != nil {
		if !expected(err) {
			return err
		}
		if errors.Is(err, learn.ErrWorse) { // shown with the questions it is about, and a place for the reason
			return c.showEffect(w, r, http.StatusConflict, c.explain(ctx, v, err), words)
		}
		return c.showArticle(w, r, 0, httperr.Status(errs.KindOf(err)), func(d *articleData) {
			d.Error, d.Text = c.explain(ctx, v, err), words
			if q.Has("from") {
				d.From, d.Until = clean(q.Get("from"), 40), clean(q.Get("until"), 40)
			}
		})
	}
	http.Redirect(w, r, "/console/knowledge/"+id.String(), http.StatusSeeOther)
	return nil
}

func (c *Console) correctionDecide(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	if err := c.Knowledge.DecideCorrection(r.Context(), staff(c.view(r)), id, r.PostForm.Get("accept") == "yes"); err != nil {
		return err
	}
	http.Redirect(w, r, "/console/knowledge/"+parseID(r.PostForm.Get("article")).String(), http.StatusSeeOther)
	return nil
}
