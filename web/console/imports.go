package console

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/internal/errs"
	"hotline/knowledge"
	"hotline/knowledge/exchange"
	"hotline/web/httperr"
)

// Import and export of articles in the console. A file is tried first; the report says line by line what would become of it. Reports are kept.

func (c *Console) importRoutes(on, files func(string, []string, handle)) {
	on("GET /console/knowledge/import", editRoles, c.imports)
	files("POST /console/knowledge/import", editRoles, c.importTake)
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
}

type importLine struct {
	Line                         int
	Source, ID, Title, What, Why string
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
	names, err := c.names(r.Context(), v.Me.Actor(), ids)
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

// importTake tries or takes a file. The report is kept before the answer, so that whoever left finds it in the list.
func (c *Console) importTake(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseMultipartForm(1 << 20); err != nil {
		return httperr.ErrMalformed.Wrap(err)
	}
	defer func() { _ = r.MultipartForm.RemoveAll() }()
	v, mode := c.view(r), r.PostForm.Get("mode")
	o := knowledge.ImportOptions{DryRun: mode == "check", Draft: mode != "publish"}
	// A try says what publishing would do where the person may publish.
	if mode == "check" && v.Me.Has("reviewer", "administrator") {
		o.Draft = false
	}
	if mode != "check" && mode != "draft" && mode != "publish" {
		return httperr.ErrMalformed
	}
	run, err := c.takeImport(r, v, mode, o)
	if err != nil {
		if !expected(err) {
			return err
		}
		return c.showImports(w, r, httperr.Status(errs.KindOf(err)), mode, nil, err)
	}
	http.Redirect(w, r, "/console/knowledge/import?run="+run.String(), http.StatusSeeOther)
	return nil
}

func (c *Console) takeImport(r *http.Request, v View, mode string, o knowledge.ImportOptions) (uuid.UUID, error) {
	f, header, err := r.FormFile("file")
	if err != nil {
		return uuid.Nil, exchange.ErrFormat.On("file").Wrap(err)
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		return uuid.Nil, err
	}
	source, err := exchange.Read(header.Filename, data)
	if err != nil {
		return uuid.Nil, err
	}
	// Leaving the page does not cut an import in two.
	ctx := context.WithoutCancel(r.Context())
	report, err := c.Knowledge.ImportFrom(ctx, staff(v), source, o)
	if err != nil {
		return uuid.Nil, err
	}
	id := db.NewID()
	lines := make([]importLine, 0, min(len(report.Lines), 2000))
	for _, l := range report.Lines {
		if l.What == knowledge.ImportUnchanged {
			continue
		}
		if len(lines) == cap(lines) {
			break
		}
		why := ""
		if l.Err != nil {
			why = c.explain(ctx, v, l.Err)
		}
		lines = append(lines, importLine{l.Line, l.Source, l.ID, l.Title, l.What, why})
	}
	err = db.WithTx(ctx, c.Pool, v.Me.Actor(), func(tx db.Tx) error {
		_, err := tx.Exec(ctx, sqlKeepImport, id, v.Me.UserID, v.Me.AgencyID, clean(path.Base(strings.ReplaceAll(header.Filename, "\\", "/")), 200), mode, report.Created, report.Updated, report.Unchanged, report.Failed, lines, c.clock.Now())
		return err
	})
	return id, err
}

const (
	sqlKeepImport = `insert into knowledge_imports (id, user_id, agency_id, name, mode, created, updated, unchanged, failed, lines, at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`
	sqlImports    = `select id, user_id, name, mode, created, updated, unchanged, failed, at from knowledge_imports order by id desc limit 30`
	sqlImportRun  = `select id, user_id, name, mode, created, updated, unchanged, failed, at, lines from knowledge_imports where id = $1`
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
			if err := rows.Scan(&x.ID, &x.UserID, &x.Name, &x.Mode, &x.Created, &x.Updated, &x.Unchanged, &x.Failed, &x.At); err != nil {
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
		return tx.QueryRow(r.Context(), sqlImportRun, id).Scan(&x.ID, &x.UserID, &x.Name, &x.Mode, &x.Created, &x.Updated, &x.Unchanged, &x.Failed, &x.At, &x.Lines)
	})
	if err != nil {
		return httperr.ErrNotFound.Wrap(err)
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
