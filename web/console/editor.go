package console

import (
	"cmp"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"hotline/internal/errs"
	"hotline/knowledge"
	"hotline/routing"
	"hotline/web/httperr"
)

// maxArticle takes the longest article that knowledge allows, as a form sends Chinese: nine bytes for each character.
const maxArticle = 4 << 20

var errNoItem = errs.New(errs.Invalid, "console.no_such_item", "there is no such service item")

var errDay = errs.New(errs.Invalid, "console.bad_day", "this is not a day of the calendar")

// editData is the editor.
type editData struct {
	A         knowledge.Article
	V         knowledge.Version
	New       bool
	HTML      template.HTML
	Keywords  string
	Questions string
	From, To  string
	Agencies  []option
	Langs     []string
	ReviewBy  string
	Topics    []knowledge.Topic
	Items     []option // service items to link
	Original  *knowledge.Version
	// OriginalHTML and OriginalLang are of the text that a translation is written beside; Moved is what changed in it since the version that the
	// translation says.
	OriginalHTML template.HTML
	OriginalLang string
	Moved        []diffLine
	Head         bool // what all versions share may be changed
	Error        string
	Field        string
	Form         *formView
	Theirs       []diffLine // what a colleague saved meanwhile, against what is in the form
	Proposing    *questionsView
}

func (c *Console) showEditor(w http.ResponseWriter, r *http.Request, v View, d *editData, status int) error {
	d.HTML = knowledge.RenderHTML(d.V.Body)
	d.Keywords, d.Questions = strings.Join(d.V.Keywords, "\n"), strings.Join(d.V.Questions, "\n")
	d.From, d.To = cmp.Or(d.From, day(d.V.ValidFrom)), cmp.Or(d.To, day(d.V.ValidTo))
	d.Agencies, d.Langs = c.agencyOptions(v.Lang, func(a routing.Agency) bool {
		return (a.Active || a.ID == d.A.Owner) && (v.Me.Desk || a.ID == v.Me.AgencyID)
	}), c.words.Languages()
	if d.Form == nil {
		d.Form = &formView{Try: true}
		if f := v.savedForm(d.V.Form, url.Values{}); f != nil {
			d.Form = f
		}
	}
	d.Head = mayChangeHead(v, d.A)
	d.ReviewBy = cmp.Or(d.ReviewBy, day(d.A.ReviewBy))
	for _, item := range c.Routing.Snapshot().ServiceItems() {
		if item.Active {
			d.Items = append(d.Items, option{Value: item.Code, Name: item.Names.In(v.Lang)})
		}
	}
	var err error
	if d.Topics, err = c.Knowledge.Topics(r.Context()); err != nil {
		return err
	}
	if d.Original, err = c.original(r.Context(), d.A); err != nil {
		return err
	}
	if d.Original != nil {
		d.OriginalHTML = knowledge.RenderHTML(d.Original.Body)
		o, err := c.Knowledge.Article(r.Context(), d.A.Source)
		if err != nil {
			return err
		}
		d.OriginalLang = o.Lang
		if d.Moved, err = c.moved(r.Context(), v, o.ID, d.V.BasedOn, *d.Original); err != nil {
			return err
		}
	}
	d.Proposing = c.proposing(r.Context(), v, knowledge.Entry{Article: d.A, Version: d.V})
	v.Nav, v.Title, v.D = "knowledge", v.T("knowledge.edit"), d
	if d.New {
		v.Title = v.T("knowledge.new")
	}
	c.page(w, r, status, "edit", v)
	return nil
}

func day(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format(time.DateOnly)
}

func (c *Console) articleNew(w http.ResponseWriter, r *http.Request) error {
	v := c.view(r)
	return c.showEditor(w, r, v, &editData{New: true, A: knowledge.Article{Lang: v.Lang, Owner: v.Me.AgencyID}}, http.StatusOK)
}

func (c *Console) articleEdit(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	a, err := c.Knowledge.Article(r.Context(), id)
	if err != nil {
		return err
	}
	if !staff(c.view(r)).May(a).Edit {
		return knowledge.ErrNotOwner
	}
	version, err := c.Knowledge.Version(r.Context(), id, a.Latest)
	if err != nil {
		return err
	}
	return c.showEditor(w, r, c.view(r), &editData{A: a, V: version}, http.StatusOK)
}

func lines(s string) []string {
	var out []string
	for line := range strings.SplitSeq(s, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// date reads a day; an empty field is a validity without that limit. Errors: errDay naming the field.
func date(q url.Values, field string) (*time.Time, error) {
	s := strings.TrimSpace(q.Get(field))
	if s == "" {
		return nil, nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return nil, errDay.On(field).Wrap(err)
	}
	return &t, nil
}

func readText(q url.Values) (knowledge.Text, error) {
	t := knowledge.Text{Title: q.Get("title"), Summary: q.Get("summary"), Body: text(q.Get("body")), Keywords: lines(q.Get("keywords")), Questions: lines(q.Get("questions")),
		Audience: q.Get("audience")}
	var fromErr, toErr error
	t.ValidFrom, fromErr = date(q, "valid_from")
	t.ValidTo, toErr = date(q, "valid_to")
	var formErr error
	t.Form, formErr = readForm(q)
	return t, cmp.Or(fromErr, toErr, formErr)
}

func readHead(q url.Values, a knowledge.Article) knowledge.Article {
	a.Topic, a.Owner, a.Slug = clean(q.Get("topic"), 300), parseID(q.Get("owner")), clean(q.Get("slug"), 200)
	a.ReviewMonths = number(q.Get("review_months"))
	a.Services = nil
	for _, s := range slices.Concat(q["service"], q["service_new"]) {
		// A suggestion is the code with the name behind it.
		if code, _, _ := strings.Cut(clean(s, 200), " "); code != "" && !slices.Contains(a.Services, code) {
			a.Services = append(a.Services, code)
		}
	}
	return a
}

// checkHead reads the day of the next look and checks the service items. Errors: errDay, errNoItem.
func (c *Console) checkHead(q url.Values, was knowledge.Article, head *knowledge.Article) (err error) {
	if head.ReviewBy, err = date(q, "review_by"); err != nil {
		return err
	}
	for _, code := range head.Services {
		if _, ok := c.Routing.Snapshot().ServiceItem(code); !ok && !slices.Contains(was.Services, code) {
			return errNoItem.On("services").With("code", code)
		}
	}
	return nil
}

func sameHead(a, b knowledge.Article) bool {
	return a.Topic == b.Topic && a.Owner == b.Owner && a.Slug == b.Slug && a.ReviewMonths == b.ReviewMonths && day(a.ReviewBy) == day(b.ReviewBy) && slices.Equal(a.Services, b.Services)
}

// editError puts an error of the editor into words that name the field, and shows the form as it was sent.
func (c *Console) editError(w http.ResponseWriter, r *http.Request, v View, d *editData, cause error) error {
	d.From, d.To = clean(r.PostForm.Get("valid_from"), 40), clean(r.PostForm.Get("valid_to"), 40)
	d.ReviewBy = clean(r.PostForm.Get("review_by"), 40)
	d.Field = fieldOf(cause)
	d.Form = c.viewForm(r, v, r.PostForm.Get("form"), url.Values{})
	if d.Error == "" {
		d.Error = v.formLine(cause) + c.explain(r.Context(), v, cause)
		if label := v.editLabel(d.Field); label != "" {
			d.Error = v.T("error.on", "field", label, "words", d.Error)
		}
	}
	return c.showEditor(w, r, v, d, httperr.Status(errs.KindOf(cause)))
}

// editLabel is what the editor calls a field.
func (v View) editLabel(field string) string {
	switch field {
	case "id":
		return "id" // as the file calls it
	case "title", "owner", "audience":
		return v.T("field." + field)
	case "form":
		return v.T("decision.label")
	case "lang":
		return v.T("field.language")
	case "summary", "body", "questions", "keywords", "valid_from", "valid_to", "topic", "slug":
		return v.T("knowledge." + field)
	case "review_months":
		return v.T("care.own_months")
	case "review_by", "services":
		return v.T("care." + field)
	}
	return ""
}

func (c *Console) articleCreate(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	head := readHead(r.PostForm, knowledge.Article{Lang: clean(r.PostForm.Get("lang_of"), 20)})
	words, err := readText(r.PostForm)
	var e knowledge.Entry
	if err == nil {
		err = c.checkHead(r.PostForm, knowledge.Article{}, &head)
	}
	if err == nil {
		e, err = c.Knowledge.Create(r.Context(), staff(v), head, words)
	}
	if err != nil {
		if !expected(err) {
			return err
		}
		return c.editError(w, r, v, &editData{New: true, A: head, V: knowledge.Version{Text: words}}, err)
	}
	http.Redirect(w, r, "/console/knowledge/"+e.Article.ID.String(), http.StatusSeeOther)
	return nil
}

func fieldOf(err error) string {
	var e *errs.Error
	if errors.As(err, &e) {
		return e.Field
	}
	return ""
}

// mayChangeHead: once something is published, audience, owner and address are for those who may publish.
func mayChangeHead(v View, a knowledge.Article) bool {
	return a.Live == 0 || v.Me.Has("reviewer", "administrator")
}

func (c *Console) articleSave(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v, q := c.view(r), r.PostForm
	a, err := c.Knowledge.Article(r.Context(), id)
	if err != nil {
		return err
	}
	ref := knowledge.Ref{Article: id, Version: number(q.Get("version")), Edit: number(q.Get("edit"))}
	words, err := readText(q)
	head := a
	if mayChangeHead(v, a) {
		head = readHead(q, a)
		err = cmp.Or(err, c.checkHead(q, a, &head))
	}
	var e knowledge.Entry
	if err == nil {
		e, err = c.Knowledge.Save(r.Context(), staff(v), ref, words)
	}
	if n := number(q.Get("follows")); err == nil && n != 0 && n != e.Version.BasedOn {
		e, err = c.Knowledge.Follow(r.Context(), staff(v), e.Version.Ref(), n)
	}
	if err == nil && !sameHead(head, a) {
		e, err = c.Knowledge.SaveHead(r.Context(), staff(v), e.Version.Ref(), head)
	}
	if err != nil {
		return c.saveFailed(w, r, v, id, head, words, err)
	}
	if q.Get("then") == "submit" {
		if _, err := c.Knowledge.Submit(r.Context(), staff(v), e.Version.Ref()); err != nil {
			return err
		}
	}
	http.Redirect(w, r, "/console/knowledge/"+id.String(), http.StatusSeeOther)
	return nil
}

// saveFailed shows what was typed again. The lock is the new one: what a colleague saved meanwhile is shown beside it, so that a second
// save is a decision made with open eyes.
func (c *Console) saveFailed(w http.ResponseWriter, r *http.Request, v View, id uuid.UUID, head knowledge.Article, words knowledge.Text, cause error) error {
	if !expected(cause) {
		return cause
	}
	now, err := c.Knowledge.Article(r.Context(), id)
	if err != nil {
		return err
	}
	version, err := c.Knowledge.Version(r.Context(), id, now.Latest)
	if err != nil {
		return err
	}
	d := &editData{}
	if errors.Is(cause, knowledge.ErrStale) {
		who := v.T("someone")
		if names, err := c.names(r.Context(), v.Me.Actor(), v.Lang, map[uuid.UUID]bool{version.Author: true}); err == nil && names[version.Author] != "" {
			who = names[version.Author]
		}
		d.Theirs = diff(whole(v, version.Text), whole(v, words))
		d.Error = v.T("conflict.article", "who", who, "at", v.Clock(now.UpdatedAt), "n", version.Number)
	}
	version.Text = words
	head.Latest, head.Live = now.Latest, now.Live
	d.A, d.V = head, version
	return c.editError(w, r, v, d, cause)
}

// whole writes all that a version says as lines, for comparing: what search and validity rest on is reviewed like the text itself.
func whole(v View, t knowledge.Text) string {
	var b strings.Builder
	b.WriteString(t.Title + "\n" + t.Summary + "\n\n" + t.Body + "\n")
	part := func(name string, values ...string) {
		for _, one := range values {
			if one != "" {
				b.WriteString("\n" + name + ": " + one)
			}
		}
	}
	part(v.T("knowledge.questions"), t.Questions...)
	part(v.T("knowledge.keywords"), t.Keywords...)
	if t.Audience != "" {
		part(v.T("field.audience"), v.T("audience."+t.Audience))
	}
	part(v.T("knowledge.valid_from"), day(t.ValidFrom))
	part(v.T("knowledge.valid_to"), day(t.ValidTo))
	if t.Form != nil {
		b.WriteString("\n\n" + v.T("decision.title") + "\n" + t.Form.Source)
	}
	return b.String()
}

// articlePreview renders what is being typed exactly as it will be shown.
func (c *Console) articlePreview(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v := c.view(r)
	t := knowledge.Text{Title: r.PostForm.Get("title"), Summary: r.PostForm.Get("summary"), Body: r.PostForm.Get("body")}.Cleaned()
	v.D = map[string]any{"Title": t.Title, "Summary": t.Summary, "HTML": knowledge.RenderHTML(t.Body)}
	c.fragment(w, r, http.StatusOK, "preview", v)
	return nil
}
