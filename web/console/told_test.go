package console_test

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"testing"
	"time"

	"hotline/chat/media"
	"hotline/internal/auth"
	"hotline/internal/blob"
	"hotline/internal/db"
	"hotline/internal/testkit"
	"hotline/knowledge"
)

func TestWhoWasToldWhichVersion(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	e, reviewer := r.signIn("editor"), r.signIn("reviewer")
	path, id := r.published(e, reviewer, nil)
	told := r.file("complaint", "Drilling at night", "Construction noise at night keeps us awake.", "environment.noise")
	owner := testkit.OwnerPool(t, r.pool)
	tell := func(version int, question string, ticket any) {
		t.Helper()
		_, err := owner.Exec(context.Background(), `insert into answers (id, at, conversation_id, ticket_id, lang, channel, by, question, outcome, article_id, version)
			values ($1, $2, (select conversation_id from tickets where id = $3), $3, 'en', 'web', 'bot', $4, 'answer', $5, $6)`, db.NewID(), r.clock.Now(), ticket, question, id, version)
		must(t, err)
		r.clock.Advance(time.Second)
	}
	tell(1, "who stops noise?", told.ID)
	r.rewrite(e, id, func(f url.Values) { f.Set("summary", "Not after 21:00.") }).wants(t, http.StatusOK)
	r.publish(e, reviewer, id)
	tell(2, "and on Sunday?", nil)

	e.get(path).wants(t, http.StatusOK, path+"/told")
	dispatcher := r.signIn("dispatcher")
	dispatcher.get(path+"/told").wants(t, http.StatusOK, "who stops noise?", "and on Sunday?", told.Number, "version 2 <span class=\"num muted\">(1)</span>", "All <span class=\"num muted\">(2)</span>")
	dispatcher.get(path+"/told?version=1").wants(t, http.StatusOK, "who stops noise?", "Write on the tickets affected (1)").lacks(t, "and on Sunday?")
	// The text was wrong: whoever was told it gets a note on their ticket.
	dispatcher.post(path+"/told", url.Values{"version": {"1"}, "text": {"Version 1 was wrong: call them."}}).wants(t, http.StatusOK, told.Number)
	dispatcher.get("/console/tickets/"+told.ID.String()).wants(t, http.StatusOK, "Version 1 was wrong: call them.")
	// Another agency sees neither question nor ticket.
	r.agencyUser("editor-util", "dept-utilities", auth.Editor)
	r.signIn("editor-util").get(path+"/told").wants(t, http.StatusOK, "Nobody was told yet").lacks(t, "who stops noise?", told.Number)
}

func (b *browser) uploadFile(path string, form url.Values, name string, data []byte) answer {
	b.t.Helper()
	return b.uploadFiles(path, form, []string{name, string(data)})
}

// uploadFiles sends files, each a name and its bytes.
func (b *browser) uploadFiles(path string, form url.Values, files ...[]string) answer {
	b.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for k, v := range form {
		must(b.t, m.WriteField(k, v[0]))
	}
	for _, f := range files {
		part, err := m.CreateFormFile("file", f[0])
		must(b.t, err)
		_, err = part.Write([]byte(f[1]))
		must(b.t, err)
	}
	must(b.t, m.Close())
	req, err := http.NewRequest(http.MethodPost, b.base+path, &body)
	must(b.t, err)
	req.Header.Set("Content-Type", m.FormDataContentType())
	return b.do(req)
}

func TestFilesAreAddedAndReviewedInTheConsole(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	store, err := blob.OpenFolder(t.TempDir())
	must(t, err)
	r.knowledge.Blob = store
	r.knowledge.Clean = func(name string, data []byte) (knowledge.Cleaned, error) {
		f, err := media.Clean(name, data)
		return knowledge.Cleaned(f), err
	}
	e, reviewer := r.signIn("editor"), r.signIn("reviewer")
	path, id := r.published(e, reviewer, nil)
	e.uploadFile(path+"/files", r.ref(id), "form.txt", []byte("Name: ……")).wants(t, http.StatusOK, "form.txt", "draft", "Files: form.txt")
	e.uploadFile(path+"/files", r.ref(id), "run.exe", []byte("MZ\x00\x01")).wants(t, http.StatusBadRequest, "form.txt", `role="alert"`)
	// Of several files each that is refused is named, and the others are taken.
	e.uploadFiles(path+"/files", r.ref(id), []string{"run.exe", "MZ\x00\x01"}, []string{"empty.txt", ""}, []string{"form.txt", "Name and street: ……"}).
		wants(t, http.StatusBadRequest, "run.exe: We cannot take", "empty.txt: This file is empty.", "Files: form.txt (23 B)").lacks(t, "Files: form.txt (12 B)")
	file := regexp.MustCompile(`/console/knowledge/[^"/]+/files/[0-9a-f-]{36}`).FindString(e.get(path).body)
	got := e.get(file)
	got.wants(t, http.StatusOK, "Name and street:")
	if got.header.Get("X-Content-Type-Options") != "nosniff" || got.header.Get("Content-Disposition") == "" {
		t.Errorf("headers %v", got.header)
	}
	r.signIn("operator").get(file).wants(t, http.StatusNotFound)
	e.post(file+"/remove", r.ref(id)).wants(t, http.StatusOK, "No files")
}

func TestTopicsAreKeptInTheConsole(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	e := r.signIn("editor")
	form := url.Values{"code": {"night"}, "name_en": {"Quiet at night"}, "name_zh-CN": {"夜间安静"}, "position": {"1"}}
	e.post("/console/knowledge/topics", form).wants(t, http.StatusOK, "Quiet at night")
	e.post("/console/knowledge/topics", url.Values{"code": {"x"}}).wants(t, http.StatusBadRequest, "A topic needs a code, a name")
	e.post("/console/knowledge/new", articleForm(func(f url.Values) { f.Set("topic", "night") })).wants(t, http.StatusOK)
	e.get("/console/knowledge/new").wants(t, http.StatusOK, `<option value="night">Quiet at night</option>`)
	e.post("/console/knowledge/topics/remove", url.Values{"code": {"night"}}).wants(t, http.StatusOK).lacks(t, "Quiet at night")
	r.agencyUser("editor-util", "dept-utilities", auth.Editor)
	r.signIn("editor-util").post("/console/knowledge/topics", form).wants(t, http.StatusForbidden)
}
