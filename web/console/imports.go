package console

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/internal/errs"
	"hotline/knowledge"
	"hotline/knowledge/exchange"
	"hotline/knowledge/learn"
	"hotline/web/httperr"
)

// Import and export of articles in the console. A file is tried first; the report says line by line what would become of it. Reports are kept.
// How an import is done is in importjobs.go.

func (c *Console) importRoutes(on, large func(string, []string, handle)) {
	on("GET /console/knowledge/import", editRoles, c.imports)
	large("POST /console/knowledge/import", editRoles, c.importTake)
	on("GET /console/knowledge/export", editRoles, c.exportArticles)
}

// importRun is an import that was made or tried.
type importRun struct {
	ID                                  uuid.UUID
	UserID                              uuid.UUID
	Name, Mode                          string
	Created, Updated, Unchanged, Failed int
	At                                  time.Time
	Lines                               []importLine
	By                                  string
	Done                                bool
	Total, Seen                         int  // articles of the file, and of those dealt with; Total is 0 until they are counted
	Problem                             *why // why it ended early
	Effect                              *learn.ImportEffect
}

// Refused are the lines that an editor has to look at; Taken the others, as far as they are kept.
func (x *importRun) Refused() []importLine { return x.only(true) }

// Taken are the lines of articles that were taken in, or would be.
func (x *importRun) Taken() []importLine { return x.only(false) }

func (x *importRun) only(refused bool) (out []importLine) {
	for _, l := range x.Lines {
		if (l.What == knowledge.ImportRefused) == refused {
			out = append(out, l)
		}
	}
	// What cannot be read is found before what cannot be written; an editor goes through the file once.
	slices.SortStableFunc(out, func(a, b importLine) int { return cmp.Compare(a.Line, b.Line) })
	return out
}

// Cut reports whether more was taken in than is listed.
func (x *importRun) Cut() bool { return x.Created+x.Updated > len(x.Taken()) }

type importLine struct {
	Line                    int
	Source, ID, Title, What string
	Why                     *why `json:",omitempty"`
}

// why is an error as it is kept: told in the language of whoever reads it. Words alone are from before codes were kept.
type why struct {
	Kind  errs.Kind      `json:"kind,omitempty"`
	Code  string         `json:"code,omitempty"`
	Field string         `json:"field,omitempty"`
	Args  map[string]any `json:"args,omitempty"`
	Words string         `json:"words,omitempty"`
}

func whyOf(e *errs.Error) *why {
	if e == nil {
		return nil
	}
	return &why{Kind: e.Kind, Code: e.Code, Field: e.Field, Args: e.Args}
}

// Why tells it.
func (v View) Why(w *why) string {
	switch {
	case w == nil:
		return ""
	case w.Code == "":
		return w.Words
	}
	args := make(map[string]any, len(w.Args))
	for k, a := range w.Args {
		if n, ok := a.(float64); ok && n == math.Trunc(n) { // JSON has no whole numbers
			a = int(n)
		}
		args[k] = a
	}
	words := v.c.words.Error(v.Lang, &errs.Error{Kind: w.Kind, Code: w.Code, Args: args})
	if label := v.editLabel(w.Field); label != "" {
		return v.T("error.on", "field", label, "words", words)
	}
	return words
}

type importsData struct {
	Runs       []importRun
	Run        *importRun
	MayPublish bool
	Mode       string
	Error      string
	Formats    []string
}

func (c *Console) imports(w http.ResponseWriter, r *http.Request) error {
	run := parseID(r.URL.Query().Get("run"))
	if run != uuid.Nil {
		return c.importReport(w, r, run)
	}
	return c.showImports(w, r, http.StatusOK, "check", nil, nil)
}

func (c *Console) showImports(w http.ResponseWriter, r *http.Request, status int, mode string, run *importRun, problem error) error {
	v := c.view(r)
	d := &importsData{Run: run, Mode: mode, MayPublish: v.Me.Has("reviewer", "administrator"), Formats: exchange.Formats()}
	var err error
	if d.Runs, err = c.importRuns(r.Context(), v.Me.Actor()); err != nil {
		return err
	}
	ids := map[uuid.UUID]bool{}
	for _, x := range d.Runs {
		ids[x.UserID] = true
	}
	names, err := c.names(r.Context(), v.Me.Actor(), v.Lang, ids)
	if err != nil {
		return err
	}
	for i := range d.Runs {
		d.Runs[i].By = names[d.Runs[i].UserID]
	}
	if problem != nil {
		d.Error = c.explain(r.Context(), v, problem)
	}
	v.Nav, v.Title, v.D = "knowledge", v.T("exchange.title"), d
	c.page(w, r, status, "imports", v)
	return nil
}

// importTake keeps a file and begins to try it or to take it in; the page of the report shows how far it is.
func (c *Console) importTake(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseMultipartForm(1 << 20); err != nil {
		return httperr.ErrMalformed.Wrap(err)
	}
	defer func() { _ = r.MultipartForm.RemoveAll() }()
	v, mode := c.view(r), r.PostForm.Get("mode")
	if mode != "check" && mode != "draft" && mode != "publish" {
		return httperr.ErrMalformed
	}
	run, err := c.takeImport(r, v, mode)
	if err != nil {
		if !expected(err) {
			return err
		}
		return c.showImports(w, r, httperr.Status(errs.KindOf(err)), mode, nil, err)
	}
	http.Redirect(w, r, "/console/knowledge/import?run="+run.String(), http.StatusSeeOther)
	return nil
}

func (c *Console) takeImport(r *http.Request, v View, mode string) (uuid.UUID, error) {
	if mode == "publish" && !v.Me.Has("reviewer", "administrator") {
		return uuid.Nil, knowledge.ErrNotReviewer
	}
	f, header, err := r.FormFile("file")
	if err != nil {
		return uuid.Nil, exchange.ErrFormat.On("file").Wrap(err)
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		return uuid.Nil, err
	}
	if _, err := exchange.Read(header.Filename, data); err != nil {
		return uuid.Nil, err
	}
	id, err := c.keepImport(r.Context(), v, header.Filename, mode, data)
	if err != nil {
		return uuid.Nil, err
	}
	c.startImport(r, id, len(data))
	return id, nil
}

const (
	sqlImports   = `select id, user_id, name, mode, created, updated, unchanged, failed, at, finished_at is not null from knowledge_imports order by id desc limit 30`
	sqlImportRun = `select id, user_id, name, mode, created, updated, unchanged, failed, at, finished_at is not null,
		case when finished_at is null then jsonb_path_query_array(lines, '$[0 to 1999]') else lines end, total, seen, problem, effect from knowledge_imports where id = $1`
)

func (c *Console) importRuns(ctx context.Context, actor db.Actor) (out []importRun, err error) {
	err = db.ReadTx(ctx, c.Pool, actor, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlImports)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var x importRun
			if err := rows.Scan(&x.ID, &x.UserID, &x.Name, &x.Mode, &x.Created, &x.Updated, &x.Unchanged, &x.Failed, &x.At, &x.Done); err != nil {
				return err
			}
			out = append(out, x)
		}
		return rows.Err()
	})
	return out, err
}

func (c *Console) importReport(w http.ResponseWriter, r *http.Request, id uuid.UUID) error {
	var x importRun
	p, _ := principal(r.Context())
	err := db.ReadTx(r.Context(), c.Pool, p.Actor(), func(tx db.Tx) error {
		return tx.QueryRow(r.Context(), sqlImportRun, id).Scan(&x.ID, &x.UserID, &x.Name, &x.Mode, &x.Created, &x.Updated, &x.Unchanged, &x.Failed, &x.At, &x.Done, &x.Lines, &x.Total, &x.Seen, &x.Problem, &x.Effect)
	})
	if err != nil {
		return httperr.ErrNotFound.Wrap(err)
	}
	if isHX(r) {
		v := c.view(r)
		v.D = &x
		c.fragment(w, r, http.StatusOK, "import-run", v)
		return nil
	}
	return c.showImports(w, r, http.StatusOK, "check", &x, nil)
}

// exportArticles sends the articles of one's agency, all of them to the hotline's staff.
func (c *Console) exportArticles(w http.ResponseWriter, r *http.Request) error {
	v, format := c.view(r), r.URL.Query().Get("format")
	owner := uuid.Nil
	if !v.Me.Desk {
		owner = v.Me.AgencyID
	}
	kinds := map[string][2]string{"md": {"zip", "application/zip"}, "html": {"zip", "application/zip"}, "jsonl": {"jsonl", "application/jsonl"}, "csv": {"csv", "text/csv; charset=utf-8"},
		"xlsx": {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}}
	kind, ok := kinds[format]
	if !ok {
		return httperr.ErrNotFound
	}
	next, err := c.Knowledge.Export(r.Context(), owner, r.URL.Query().Has("drafts"))
	if err != nil {
		return err
	}
	first, err := next()
	if err != nil && err != io.EOF {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", kind[1])
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="articles-%s.%s"`, c.clock.Now().In(c.zone()).Format(time.DateOnly), kind[0]))
	h.Set("Cache-Control", "no-store")
	begun := err == io.EOF
	if _, err := exchange.Write(w, format, func() (knowledge.Import, error) {
		if !begun {
			begun = true
			return first, nil
		}
		return next()
	}); err != nil {
		c.Log.WarnContext(r.Context(), "export of articles", "error", err)
		panic(http.ErrAbortHandler) // a file that is cut off must not look whole
	}
	return nil
}
