package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"hotline/internal/auth"
)

func TestAFileOfArticlesIsTriedTakenInAndReported(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	e := r.signIn("editor")
	table := []byte("id,lang,title,body,valid_from\na,en,Ramps,At every stop.,\nb,en,Lifts,In every station.,soon\n")
	take := func(b *browser, mode, name string, data []byte) answer {
		return b.uploadFile("/console/knowledge/import", url.Values{"mode": {mode}}, name, data)
	}
	e.get("/console/knowledge/import").wants(t, http.StatusOK, "Only try it").lacks(t, "Take them in and publish")
	take(e, "check", "a.csv", table).wants(t, http.StatusOK, "Nothing was written.", "Ramps", "Lifts", "Write a day as 2026-03-01")
	e.get("/console/knowledge").lacks(t, "Ramps")
	take(e, "draft", "a.csv", table).wants(t, http.StatusOK, "Ramps", "1 new, 0 changed, 1 refused")
	e.get("/console/knowledge?state=draft").wants(t, http.StatusOK, "Ramps").lacks(t, "Lifts")
	take(e, "publish", "a.csv", table).wants(t, http.StatusForbidden)
	take(r.signIn("reviewer"), "publish", "b.csv", []byte("id,lang,title,body\nc,en,Doors,Wide ones.\n")).wants(t, http.StatusOK, "Doors")
	r.signIn("operator").get("/console/knowledge?q=doors").wants(t, http.StatusOK, "Doors")
	take(e, "check", "a.exe", table).wants(t, http.StatusBadRequest, "This kind of file is not read")

	// Reports stay with the agency, and what was exported comes back unchanged.
	r.agencyUser("editor-env", "dept-environment", auth.Editor)
	env := r.signIn("editor-env")
	env.get("/console/knowledge/import").wants(t, http.StatusOK).lacks(t, "a.csv")
	got := e.get("/console/knowledge/export?format=csv&drafts=1")
	got.wants(t, http.StatusOK, "Ramps", "Doors")
	if got.header.Get("Content-Disposition") == "" {
		t.Error("no name for the file")
	}
	take(e, "check", "again.csv", []byte(got.body)).wants(t, http.StatusOK, "0 new, 0 changed, 0 refused")
	env.get("/console/knowledge/export?format=csv&drafts=1").wants(t, http.StatusOK).lacks(t, "Ramps")
}

// A report is read by colleagues: why something was refused is told in the language of whoever reads it.
func TestAReportIsInTheLanguageOfItsReader(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	e := r.signIn("editor")
	long := strings.Repeat("x", 301)
	e.uploadFile("/console/knowledge/import", url.Values{"mode": {"check"}}, "a.csv", []byte("id,lang,title,body,valid_from\nb,en,Lifts,In every station.,soon\nc,en,"+long+",Text.,\n")).
		wants(t, http.StatusOK, "Write a day as 2026-03-01", "Title: This is longer than allowed: at most 300 are possible")
	run := "/console/knowledge/import?run=" + between(t, e.get("/console/knowledge/import").body, "/console/knowledge/import?run=", `"`)
	r.signIn("reviewer").get(run+"&lang=zh-CN").wants(t, http.StatusOK, "日期请写作 2026-03-01", "标题：内容超出允许的长度，最多 300").lacks(t, "Write a day", "longer than")
}

// Of a large file the refused lines are what an editor looks for: none of them is left out of the report, and they stand first.
func TestWhatWasRefusedIsNeverLeftOutOfAReport(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var file strings.Builder
	file.WriteString("id,lang,title,body,valid_from\n")
	for i := range 2300 {
		fmt.Fprintf(&file, "a%d,en,T%d,B.,\n", i, i)
	}
	file.WriteString("last,en,The last one,B.,soon\n")
	page := r.signIn("editor").uploadFile("/console/knowledge/import", url.Values{"mode": {"draft"}}, "many.csv", []byte(file.String()))
	page.wants(t, http.StatusOK, "2\u202f300", "Write a day as 2026-03-01", "The last one", "Not all are listed")
	if refused, taken := strings.Index(page.body, "The last one"), strings.Index(page.body, ">T0 "); taken < 0 || refused > taken {
		t.Errorf("the refused line stands at %d, the first that was taken in at %d", refused, taken)
	}
}
