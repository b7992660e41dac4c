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
	"hotline/internal/i18n"
	"hotline/knowledge"
	"hotline/routing"
	"hotline/web/httperr"
)

// The knowledge board: what waits for editors and reviewers, in numbers and as lists.

func (c *Console) careRoutes(on func(string, []string, handle)) {
	on("GET /console/knowledge/board", editRoles, c.knowledgeBoard)
	c.engineRoutes(on)
	on("GET /console/knowledge/rules", []string{"administrator"}, c.knowledgeRules)
	on("POST /console/knowledge/rules", []string{"administrator"}, c.knowledgeRulesSave)
	on("POST /console/knowledge/rules/learning", []string{"administrator"}, c.learningRulesSave)
	on("POST /console/knowledge/{id}/translate", editRoles, c.articleTranslate)
}

// boardTile is a number of the board that opens a list.
type boardTile struct {
	Show, N, Class string
	Current        bool
}

type boardData struct {
	Tiles    []boardTile
	Show     string
	Rows     []boardItem
	More     template.URL
	Agencies []option // to choose from, for the hotline
	Owner    string
	Overdue  string
	Admin    bool
	Engine   *engineView // nil: not for this person
}

// boardItem is a line of a list: an article, why, since or until when.
type boardItem struct {
	URL, Title, Lang, Owner, Why string
	Light                        Light // of a clock; else At
	At                           *time.Time
}

const boardPage = 50

func (c *Console) knowledgeBoard(w http.ResponseWriter, r *http.Request) error {
	v, ctx, q := c.view(r), r.Context(), r.URL.Query()
	v.Nav, v.Title = "knowledge", v.T("care.board")
	owner := v.Me.AgencyID
	d := &boardData{Show: q.Get("show"), Admin: v.Me.Has("administrator"), Engine: c.engine(v)}
	if v.Me.Desk {
		owner = parseID(q.Get("owner"))
		d.Agencies = c.agencyOptions(v.Lang, func(a routing.Agency) bool { return a.Active })
	}
	if owner != uuid.Nil {
		d.Owner = owner.String()
	}
	n, err := c.Knowledge.Counts(ctx, staff(v), owner)
	if err != nil {
		return err
	}
	type tile struct {
		show, class string
		n           int
	}
	tiles := []tile{{"reviews", "", n.Reviews}, {"scheduled", "", n.Scheduled}, {"stale", "yellow", n.Stale}, {"corrections", "", n.Corrections}, {"translations", "yellow", n.Behind}}
	if !slices.ContainsFunc(tiles, func(t tile) bool { return t.show == d.Show }) { // what waits, not an empty list
		d.Show = tiles[max(0, slices.IndexFunc(tiles, func(t tile) bool { return t.n > 0 }))].show
	}
	for _, t := range tiles {
		if t.n == 0 {
			t.class = ""
		}
		if t.show == "corrections" && n.Overdue > 0 {
			t.class = "red"
		}
		d.Tiles = append(d.Tiles, boardTile{Show: t.show, N: atMost(t.n), Class: t.class, Current: t.show == d.Show})
	}
	if n.Overdue > 0 {
		d.Overdue = atMost(n.Overdue)
	}
	next, err := c.boardRows(ctx, v, d, owner, q)
	if err != nil {
		return err
	}
	if next != nil {
		next.Set("show", d.Show)
		if v.Me.Desk {
			next.Set("owner", d.Owner)
		}
		d.More = query(next)
	}
	v.D = d
	c.page(w, r, http.StatusOK, "board", v)
	return nil
}

func articleURL(id uuid.UUID) string { return "/console/knowledge/" + id.String() }

// boardRows fills the list that is shown; next is the place of the page after it.
func (c *Console) boardRows(ctx context.Context, v View, d *boardData, owner uuid.UUID, q url.Values) (next url.Values, err error) {
	at, _ := time.Parse(time.RFC3339Nano, q.Get("after")) // none: the first page
	place := func(at time.Time, id uuid.UUID, more ...string) url.Values {
		u := url.Values{"after": {at.UTC().Format(time.RFC3339Nano)}, "after_id": {id.String()}}
		if len(more) > 0 {
			u.Set("reason", more[0])
		}
		return u
	}
	id := parseID(q.Get("after_id"))
	switch d.Show {
	case "corrections":
		rows, err := c.Knowledge.RunningCorrections(ctx, owner, at, id, boardPage+1)
		if err != nil {
			return nil, err
		}
		if len(rows) > boardPage {
			rows = rows[:boardPage]
			next = place(*rows[boardPage-1].DueAt, rows[boardPage-1].ID)
		}
		for _, x := range rows {
			d.Rows = append(d.Rows, boardItem{URL: articleURL(x.Article), Title: x.Title, Lang: x.Lang, Owner: v.Agency(x.Owner), Why: x.Text, Light: v.LightOf(x.WarnAt, x.DueAt)})
		}
	case "stale", "translations":
		reason := knowledge.Reason("")
		if d.Show == "translations" {
			reason = knowledge.Behind
		}
		rows, err := c.Knowledge.Alerts(ctx, staff(v), reason, owner, knowledge.AlertCursor{Since: at, Article: id, Reason: knowledge.Reason(q.Get("reason"))}, boardPage+1)
		if err != nil {
			return nil, err
		}
		if len(rows) > boardPage {
			rows = rows[:boardPage]
			last := rows[boardPage-1]
			next = place(last.Since, last.Article.ID, string(last.Reason))
		}
		for _, x := range rows {
			d.Rows = append(d.Rows, boardItem{URL: articleURL(x.Article.ID), Title: x.Version.Title, Lang: x.Article.Lang, Owner: v.Agency(x.Article.Owner), Why: v.T("care.reason_" + string(x.Reason)), At: &x.Since})
		}
	default:
		state := knowledge.InReview
		if d.Show == "scheduled" {
			state = knowledge.Scheduled
		}
		rows, err := c.Knowledge.List(ctx, knowledge.Filter{State: state, Owner: owner, Limit: boardPage + 1, After: knowledge.Cursor{UpdatedAt: at, ID: id}})
		if err != nil {
			return nil, err
		}
		if len(rows) > boardPage {
			rows = rows[:boardPage]
			next = place(rows[boardPage-1].Article.UpdatedAt, rows[boardPage-1].Article.ID)
		}
		for _, x := range rows {
			item := boardItem{URL: articleURL(x.Article.ID), Title: x.Version.Title, Lang: x.Article.Lang, Owner: v.Agency(x.Article.Owner), At: &x.Article.UpdatedAt}
			if x.Version.PublishAt != nil {
				item.Why, item.At = v.T("publication.on", "at", v.DateTime(*x.Version.PublishAt)), nil
			}
			d.Rows = append(d.Rows, item)
		}
	}
	return next, nil
}

// careData is what an article's page shows of its care.
type careData struct {
	Reasons   []knowledge.Reason
	NextLook  string // day of the next look
	Siblings  []knowledge.Sibling
	Missing   []string // languages without a translation
	Original  *knowledge.Article
	Behind    int        // the original's published version, when the translation is behind it
	Moved     []diffLine // what changed in the original
	MayTidy   bool       // translate, "still right"
	MayLook   bool       // say that it is still right: not while somebody says that it is wrong, and no answer to an original that moved on
	OwnSource bool
}

// care collects it, for those who edit.
func (c *Console) care(ctx context.Context, v View, d *articleData) (*careData, error) {
	by, out := staff(v), &careData{}
	out.MayTidy = by.May(d.A).Edit
	var err error
	if out.Reasons, err = c.Knowledge.AlertsOf(ctx, by, d.A.ID); err != nil {
		return nil, err
	}
	out.MayLook = out.MayTidy && d.A.Live != 0 && !d.A.Disputed && slices.ContainsFunc(out.Reasons, func(r knowledge.Reason) bool { return r != knowledge.Behind })
	if d.A.Live != 0 {
		day, err := c.Knowledge.NextLook(ctx, d.A)
		if err != nil {
			return nil, err
		}
		out.NextLook = i18n.Date(v.Lang, day, day.Location())
	}
	if out.Siblings, err = c.Knowledge.Siblings(ctx, d.A.Key); err != nil {
		return nil, err
	}
	for _, lang := range c.words.Languages() {
		if lang != d.A.Lang && !slices.ContainsFunc(out.Siblings, func(s knowledge.Sibling) bool { return s.Article.Lang == lang }) {
			out.Missing = append(out.Missing, lang)
		}
	}
	if d.A.Source == uuid.Nil {
		return out, nil
	}
	original, err := c.Knowledge.Article(ctx, d.A.Source)
	if err != nil {
		return nil, err
	}
	out.Original = &original
	if original.Live > d.V.BasedOn {
		out.Behind = original.Live
		is, err := c.Knowledge.Version(ctx, original.ID, original.Live)
		if err != nil {
			return nil, err
		}
		if out.Moved, err = c.moved(ctx, v, original.ID, d.V.BasedOn, is); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// moved is what changed in an original between the version that a translation says and another; nothing when it says that one.
func (c *Console) moved(ctx context.Context, v View, original uuid.UUID, from int, is knowledge.Version) ([]diffLine, error) {
	if from == is.Number {
		return nil, nil
	}
	was, err := c.Knowledge.Version(ctx, original, from)
	if err != nil && !errors.Is(err, knowledge.ErrNotFound) {
		return nil, err
	}
	return diff(whole(v, was.Text), whole(v, is.Text)), nil
}

func (c *Console) articleTranslate(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	e, err := c.Knowledge.Translate(r.Context(), staff(v), id, clean(r.PostForm.Get("lang_of"), 20))
	if err != nil {
		if !expected(err) {
			return err
		}
		return c.showArticle(w, r, 0, httperr.Status(errs.KindOf(err)), func(d *articleData) { d.Error = c.explain(r.Context(), v, err) })
	}
	http.Redirect(w, r, articleURL(e.Article.ID)+"/edit", http.StatusSeeOther)
	return nil
}

// original is the text beside which a translation is written: the published one, or the latest.
func (c *Console) original(ctx context.Context, a knowledge.Article) (*knowledge.Version, error) {
	if a.Source == uuid.Nil {
		return nil, nil
	}
	o, err := c.Knowledge.Article(ctx, a.Source)
	if err != nil {
		return nil, err
	}
	n := o.Live
	if n == 0 {
		n = o.Latest
	}
	x, err := c.Knowledge.Version(ctx, o.ID, n)
	return &x, err
}
