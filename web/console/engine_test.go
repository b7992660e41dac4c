package console_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"hotline/internal/auth"
)

func TestTheEnginePanelRebuildsWhileSearchesGoOn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := context.Background()
	e, reviewer := r.signIn("editor"), r.signIn("reviewer")
	r.published(e, reviewer, nil)
	must(t, r.knowledge.Fill(ctx))
	const board = "/console/knowledge/board"
	e.get(board).wants(t, http.StatusOK, "Search engine", "Bleve", "Ready", "1 of 1", "no model is set up", "Rebuild")

	e.post("/console/knowledge/rebuild", nil).wants(t, http.StatusOK, "Being built", "0 of 1")
	e.get("/console/knowledge?q=noise").wants(t, http.StatusOK, "<h1")
	select {
	case <-r.knowledge.RebuildWanted():
	default:
		t.Fatal("nobody was told that the index is wanted anew")
	}
	must(t, r.knowledge.Fill(ctx))
	e.get(board).wants(t, http.StatusOK, "Ready", "1 of 1")

	// An agency's editor neither sees the panel nor rebuilds.
	r.agencyUser("editor-env", "dept-environment", auth.Editor)
	env := r.signIn("editor-env")
	if page := env.get(board); strings.Contains(page.body, "Search engine") {
		t.Error("an agency's editor sees the engine")
	}
	env.post("/console/knowledge/rebuild", nil).wants(t, http.StatusForbidden)
	if r.knowledge.Engine().Filling {
		t.Error("an agency's editor had the index built anew")
	}
}
