package console_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"hotline/internal/auth"
	"hotline/knowledge"
	"hotline/knowledge/meili"
)

func TestTheEnginePanelRebuildsWhileSearchesGoOn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := context.Background()
	e, reviewer := r.signIn("editor"), r.signIn("reviewer")
	r.published(e, reviewer, nil)
	const board = "/console/knowledge/board"
	e.get(board).wants(t, http.StatusOK, "Search engine", "inside each node", "Ready", "1 of 1", "no model is set up", "Rebuild")

	e.post("/console/knowledge/rebuild", nil).wants(t, http.StatusOK, "read anew", "0 of 1")
	e.get("/console/knowledge?q=noise").wants(t, http.StatusOK, "<h1")
	select {
	case <-r.knowledge.RebuildWanted():
	default:
		t.Fatal("nobody was told that the articles are to be read anew")
	}
	must(t, r.knowledge.Rebuild(ctx))
	e.get(board).wants(t, http.StatusOK, "Ready", "1 of 1")

	// An agency's editor neither sees the panel nor rebuilds.
	r.agencyUser("editor-env", "dept-environment", auth.Editor)
	env := r.signIn("editor-env")
	if page := env.get(board); strings.Contains(page.body, "Search engine") {
		t.Error("an agency's editor sees the engine")
	}
	env.post("/console/knowledge/rebuild", nil).wants(t, http.StatusForbidden)
	if r.knowledge.Engine().Loading {
		t.Error("an agency's editor had the articles read anew")
	}
}

// deaf is an engine that the network does not reach.
type deaf struct{ knowledge.Index }

func (deaf) Search(context.Context, knowledge.Query) ([]knowledge.Hit, error) {
	return nil, meili.ErrAway.Wrap(errors.New("search: dial tcp 10.1.2.3:7700: connect: connection refused"))
}

// Why the engine fails stands in the reader's language, with the technical cause beside it.
func TestTheEnginePanelSaysWhyInTheReadersLanguage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	e, reviewer := r.signIn("editor"), r.signIn("reviewer")
	r.published(e, reviewer, nil)
	r.knowledge.Index = deaf{}
	e.get("/console/knowledge?q=noise").wants(t, http.StatusOK)
	if _, err := r.knowledge.Search(context.Background(), knowledge.Query{Text: "noise", Lang: "en"}); err != nil {
		t.Fatal(err)
	}
	const cause = "search: dial tcp 10.1.2.3:7700: connect: connection refused"
	e.get("/console/knowledge/board").wants(t, http.StatusOK, "Does not answer since", "<dd>The search engine does not answer <details", "Technical cause", cause)
	p, err := r.auth.ByID(context.Background(), r.city.Users["editor"])
	must(t, err)
	must(t, r.auth.SetLang(context.Background(), p, "zh-CN"))
	page := e.get("/console/knowledge/board")
	page.wants(t, http.StatusOK, "<dd>搜索引擎没有响应 <details", "技术原因", cause)
	if i := max(strings.Index(page.body, "The search engine"), strings.Index(page.body, "knowledge.engine_away")); i >= 0 {
		t.Errorf("the Chinese page says why in English: %s", page.body[max(0, i-100):min(len(page.body), i+100)])
	}
}
