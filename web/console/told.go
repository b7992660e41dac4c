package console

import (
	"html/template"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"hotline/internal/errs"
	"hotline/internal/httpfile"
	"hotline/knowledge"
	"hotline/tickets"
	"hotline/web/httperr"
)

// Who was told which version; the files of articles; topics.

func (c *Console) recordRoutes(on, files func(string, []string, handle)) {
	on("GET /console/knowledge/{id}/told", knowledgeRoles, c.articleTold)
	on("POST /console/knowledge/{id}/told", ticketRoles, c.articleToldNote)
	files("POST /console/knowledge/{id}/files", editRoles, c.articleFileAdd)
	on("POST /console/knowledge/{id}/files/{file}/remove", editRoles, c.articleFileRemove)
	on("GET /console/knowledge/{id}/files/{file}", knowledgeRoles, c.articleFile)
	on("GET /console/knowledge/topics", editRoles, c.topics)
	c.synonymRoutes(on)
	on("POST /console/knowledge/topics", editRoles, c.topicSave)
	on("POST /console/knowledge/topics/remove", editRoles, c.topicRemove)
}

type toldData struct {
	A       knowledge.Article
	Title   string
	Version int // 0: all
	Counts  []toldCount
	Rows    []toldRow
	More    template.URL
	Tickets int // of those that the reader may see
	MayNote bool
	MayChat bool
	Error   string
	Text    string
}

type toldCount struct {
	Version int
	N       string
}

type toldRow struct {
	knowledge.Telling
	Name string
	Yes  bool // it helped
}

const toldPage = 50

func (c *Console) articleTold(w http.ResponseWriter, r *http.Request) error {
	return c.showTold(w, r, number(r.URL.Query().Get("version")), http.StatusOK, "", nil)
}

func (c *Console) showTold(w http.ResponseWriter, r *http.Request, version, status int, text string, problem error) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	v, ctx := c.view(r), r.Context()
	d := &toldData{Version: version, Text: text, MayNote: v.Me.Has(ticketRoles...), MayChat: mayChat(v.Me)}
	if d.A, err = c.Knowledge.Article(ctx, id); err != nil {
		return err
	}
	shown := d.A.Latest
	if d.A.Live != 0 {
		shown = d.A.Live
	}
	x, err := c.Knowledge.Version(ctx, id, shown)
	if err != nil {
		return err
	}
	d.Title = x.Title
	counts, err := c.Knowledge.ToldCounts(ctx, staff(v), id)
	if err != nil {
		return err
	}
	total := 0
	for n := d.A.Latest; n > 0; n-- {
		if counts[n] > 0 {
			d.Counts = append(d.Counts, toldCount{n, manyOf(counts[n])})
			total += counts[n]
		}
	}
	if len(d.Counts) > 0 {
		d.Counts = append([]toldCount{{0, manyOf(total)}}, d.Counts...)
	}
	rows, err := c.Knowledge.Tellings(ctx, staff(v), id, version, parseID(r.URL.Query().Get("after")), toldPage+1)
	if err != nil {
		return err
	}
	if len(rows) > toldPage {
		rows = rows[:toldPage]
		d.More = query(url.Values{"version": {itoa(version)}, "after": {rows[toldPage-1].ID.String()}})
	}
	users := map[uuid.UUID]bool{}
	for _, x := range rows {
		users[x.User] = true
	}
	names, err := c.names(ctx, v.Me.Actor(), v.Lang, users)
	if err != nil {
		return err
	}
	for _, x := range rows {
		d.Rows = append(d.Rows, toldRow{x, names[x.User], x.Helped != nil && *x.Helped})
	}
	if d.MayNote {
		ids, err := c.Knowledge.ToldTickets(ctx, staff(v), id, version, tickets.MaxBulk)
		if err != nil {
			return err
		}
		d.Tickets = len(ids)
	}
	if problem != nil {
		d.Error = c.explain(ctx, v, problem)
	}
	v.Nav, v.Title, v.D = "knowledge", v.T("told.title"), d
	c.page(w, r, status, "told", v)
	return nil
}

func manyOf(n int) string {
	if n > knowledge.ToldLimit {
		return "10,000+"
	}
	return itoa(n)
}

// articleToldNote writes a note on every ticket of those who were told a version, as a job that can be left and come back to.
func (c *Console) articleToldNote(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v, words, version := c.view(r), text(r.PostForm.Get("text")), number(r.PostForm.Get("version"))
	ids, err := c.Knowledge.ToldTickets(r.Context(), staff(v), id, version, tickets.MaxBulk)
	if err != nil {
		return err
	}
	job, err := c.Tickets.StartBulk(r.Context(), actor(v.Me), tickets.BulkDeed{Do: tickets.BulkNote, Text: words}, ids)
	if err != nil {
		if !expected(err) {
			return err
		}
		return c.showTold(w, r, version, httperr.Status(errs.KindOf(err)), words, err)
	}
	if len(ids) <= tickets.BulkAtOnce {
		c.runBulk(r.Context(), *v.Me, job.ID)
	}
	http.Redirect(w, r, "/console/bulk/"+job.ID.String(), http.StatusSeeOther)
	return nil
}

func (c *Console) articleFileAdd(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := r.ParseMultipartForm(1 << 20); err != nil {
		return httperr.ErrMalformed.Wrap(err)
	}
	defer func() { _ = r.MultipartForm.RemoveAll() }()
	v, q := c.view(r), r.PostForm
	ref := knowledge.Ref{Article: id, Version: number(q.Get("version")), Edit: number(q.Get("edit"))}
	// Of several files those that are good are taken, and each of the others is named.
	var refused error
	var words []string
	for _, header := range r.MultipartForm.File["file"] {
		if header.Filename == "" {
			continue
		}
		e, err := c.addFile(r, v, ref, header)
		if err == nil {
			ref = e.Version.Ref()
			continue
		}
		if !expected(err) {
			return err
		}
		refused, words = err, append(words, v.T("error.on", "field", clean(header.Filename, 200), "words", c.explain(r.Context(), v, err)))
		if kind := errs.KindOf(err); kind == errs.Conflict || kind == errs.Forbidden {
			break // it is not the file
		}
	}
	return c.filesChanged(w, r, v, id, refused, words...)
}

func (c *Console) addFile(r *http.Request, v View, ref knowledge.Ref, header *multipart.FileHeader) (knowledge.Entry, error) {
	f, err := header.Open()
	if err != nil {
		return knowledge.Entry{}, err
	}
	defer f.Close()
	e, _, err := c.Knowledge.AddFile(r.Context(), staff(v), ref, header.Filename, f)
	return e, err
}

func (c *Console) filesChanged(w http.ResponseWriter, r *http.Request, v View, id uuid.UUID, err error, words ...string) error {
	if err == nil {
		http.Redirect(w, r, articleURL(id)+"#files", http.StatusSeeOther)
		return nil
	}
	if !expected(err) {
		return err
	}
	return c.showArticle(w, r, 0, httperr.Status(errs.KindOf(err)), func(d *articleData) {
		if d.Error = strings.Join(words, "\n"); d.Error == "" {
			d.Error = c.explain(r.Context(), v, err)
		}
	})
}

func (c *Console) articleFileRemove(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	v, q := c.view(r), r.PostForm
	_, err = c.Knowledge.RemoveFile(r.Context(), staff(v), knowledge.Ref{Article: id, Version: number(q.Get("version")), Edit: number(q.Get("edit"))}, parseID(r.PathValue("file")))
	return c.filesChanged(w, r, v, id, err)
}

// articleFile serves a file of an article like an upload: it can do nothing.
func (c *Console) articleFile(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	u, f, err := c.Knowledge.StaffFile(r.Context(), staff(c.view(r)), id, parseID(r.PathValue("file")))
	if err != nil {
		return err
	}
	defer f.Close()
	w.Header().Set("Cache-Control", "private, max-age=3600")
	httpfile.Send(w, r, httpfile.File{Name: u.Name, Type: u.Type}, f)
	return nil
}

type topicsData struct {
	Rows  []knowledge.Topic
	Langs []string
	Form  knowledge.Topic
	Edit  bool
	Error string
	May   bool
}

func (c *Console) topics(w http.ResponseWriter, r *http.Request) error {
	return c.showTopics(w, r, http.StatusOK, knowledge.Topic{}, nil)
}

func (c *Console) showTopics(w http.ResponseWriter, r *http.Request, status int, form knowledge.Topic, problem error) error {
	v := c.view(r)
	d := &topicsData{Langs: c.words.Languages(), Form: form, May: v.Me.Desk}
	var err error
	if d.Rows, err = c.Knowledge.Topics(r.Context()); err != nil {
		return err
	}
	if code := r.URL.Query().Get("edit"); code != "" && problem == nil {
		for _, t := range d.Rows {
			if t.Code == code {
				d.Form, d.Edit = t, true
			}
		}
	}
	if problem != nil {
		d.Error = c.explain(r.Context(), v, problem)
	}
	v.Nav, v.Title, v.D = "knowledge", v.T("told.topics"), d
	c.page(w, r, status, "topics", v)
	return nil
}

func (c *Console) topicSave(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v, q := c.view(r), r.PostForm
	t := knowledge.Topic{Code: clean(q.Get("code"), 200), Parent: clean(q.Get("parent"), 200), Names: map[string]string{}, Position: number(q.Get("position"))}
	for _, lang := range c.words.Languages() {
		t.Names[lang] = clean(q.Get("name_"+lang), 300)
	}
	return c.topicsChanged(w, r, t, c.Knowledge.SaveTopic(r.Context(), staff(v), t))
}

func (c *Console) topicRemove(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	return c.topicsChanged(w, r, knowledge.Topic{}, c.Knowledge.RemoveTopic(r.Context(), staff(c.view(r)), clean(r.PostForm.Get("code"), 200), clean(r.PostForm.Get("into"), 200)))
}

func (c *Console) topicsChanged(w http.ResponseWriter, r *http.Request, form knowledge.Topic, err error) error {
	if err == nil {
		http.Redirect(w, r, "/console/knowledge/topics", http.StatusSeeOther)
		return nil
	}
	if !expected(err) {
		return err
	}
	return c.showTopics(w, r, httperr.Status(errs.KindOf(err)), form, err)
}
