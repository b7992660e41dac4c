package console_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"hotline/internal/blob"
	"hotline/internal/testkit"
	"hotline/web/console"
)

// A node stops in the middle of a large file. Another goes on after what was written: every article is there once, and once in the report.
func TestAnImportSurvivesItsNode(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := context.Background()
	e := r.signIn("editor")
	e.uploadFile("/console/knowledge/import", url.Values{"mode": {"draft"}}, "first.csv", []byte("id,lang,title,body\nn300,en,Before,The text before.\n")).wants(t, http.StatusOK, "1 new, 0 changed, 0 refused")

	// The second batch waits for somebody who holds one of its articles.
	lock, err := testkit.OwnerPool(t, r.pool).Begin(ctx)
	must(t, err)
	defer func() { _ = lock.Rollback(ctx) }()
	_, err = lock.Exec(ctx, `select from articles where external_id = 'n300' for update`)
	must(t, err)
	var file strings.Builder
	file.WriteString("id,lang,title,body,valid_from\n")
	for i := range 450 {
		day := ""
		if i == 10 || i == 440 {
			day = "soon"
		}
		fmt.Fprintf(&file, "n%d,en,Article %d,%s,%s\n", i, i, strings.Repeat("Many words of a text. ", 10), day)
	}
	page := e.uploadFile("/console/knowledge/import", url.Values{"mode": {"draft"}}, "large.csv", []byte(file.String()))
	page.wants(t, http.StatusOK, `hx-trigger="every 1s"`, "You can leave this page")
	var report string
	for deadline := time.Now().Add(20 * time.Second); ; {
		if list := e.get("/console/knowledge/import"); report == "" {
			report = "/console/knowledge/import?run=" + between(t, list.body, `/console/knowledge/import?run=`, `"`)
		}
		part := e.get(report, "HX-Request", "true")
		if strings.Contains(part.body, "200 of 450 articles") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the first batch is not told: %s", part.body)
		}
	}
	e.get("/console/knowledge/import").wants(t, http.StatusOK, "large.csv", "Running")
	r.console.Close() // the node stops
	must(t, lock.Rollback(ctx))

	other, err := console.New(r.deps)
	must(t, err)
	t.Cleanup(other.Close)
	other.SweepImports(ctx)
	e.get(report).wants(t, http.StatusOK, "200 of 450 articles") // it may still be somebody's
	r.clock.Advance(3 * time.Minute)
	other.SweepImports(ctx)
	done := e.get(report)
	done.wants(t, http.StatusOK, `<span class="tile-n num">447</span>`, `<span class="tile-n num">1</span>`, `<span class="tile-n num">2</span>`, "Write a day as 2026-03-01").lacks(t, "every 1s")
	if n := strings.Count(done.body, "<tr data-row>"); n != 450 {
		t.Errorf("the report has %d lines", n)
	}
	var n int
	must(t, testkit.OwnerPool(t, r.pool).QueryRow(ctx, `select count(*) from articles where external_id like 'n%'`).Scan(&n))
	if n != 448 {
		t.Errorf("%d articles", n)
	}
	if _, err := r.knowledge.Blob.Open(ctx, "imports/"+strings.TrimPrefix(report, "/console/knowledge/import?run=")); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("the file is still there: %v", err)
	}
	other.SweepImports(ctx)
	e.get(report).wants(t, http.StatusOK, `<span class="tile-n num">447</span>`)
}
