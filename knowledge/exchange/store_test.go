package exchange_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/internal/blob"
	"hotline/internal/clock"
	"hotline/internal/testkit"
	"hotline/knowledge"
	"hotline/knowledge/exchange"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func base(t *testing.T) (*knowledge.Service, testkit.TinyCity) {
	t.Helper()
	pool := testkit.DB(t)
	city := testkit.City(t, pool)
	files, err := blob.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return knowledge.New(knowledge.Deps{Pool: pool, Clock: clock.NewFake(time.Date(2026, 3, 10, 2, 0, 0, 0, time.UTC)), Log: slog.New(slog.DiscardHandler), Blob: files,
		Clean: func(name string, data []byte) (knowledge.Cleaned, error) {
			return knowledge.Cleaned{Name: name, Type: "text/plain", Data: data}, nil
		}}), city
}

func take(t *testing.T, kb *knowledge.Service, by knowledge.Staff, name string, data []byte, o knowledge.ImportOptions) knowledge.ImportReport {
	t.Helper()
	source, err := exchange.Read(name, data)
	if err != nil {
		t.Fatal(err)
	}
	r, err := kb.ImportFrom(t.Context(), by, source, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func export(t *testing.T, kb *knowledge.Service, format string) []byte {
	t.Helper()
	next, err := kb.Export(t.Context(), uuid.Nil, true)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := exchange.Write(&b, format, next); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const folder = `---
id: noise
lang: en
topic: environment
owner: dept-environment
audience: public
services: [T-ENV-001]
valid_from: "2026-01-01"
valid_to: ""
title: Noise at night
summary: Not after 22:00.
questions: ["Who stops noise?"]
form: ""
files: [form.txt]
---

## Rule

Not after **22:00**.
`

// From one installation to another and back nothing is lost, and nothing is done twice.
func TestAKnowledgeBaseMovesWithItsFiles(t *testing.T) {
	t.Parallel()
	from, _ := base(t)
	r := take(t, from, knowledge.System(), "a.zip", zipped(t, map[string]string{"noise.md": folder, "form.txt": "the form"}), knowledge.ImportOptions{})
	if r.Created != 1 || r.Failed != 0 {
		t.Fatalf("%+v %v", r, r.Errors)
	}
	moved := export(t, from, "md")
	to, city := base(t)
	if r := take(t, to, knowledge.System(), "a.zip", moved, knowledge.ImportOptions{DryRun: true}); r.Created != 1 || len(r.Lines) != 1 || r.Lines[0].What != knowledge.ImportCreated {
		t.Errorf("tried: %+v", r)
	}
	if list, _ := to.List(t.Context(), knowledge.Filter{}); len(list) != 0 {
		t.Error("a try left articles behind")
	}
	if r := take(t, to, knowledge.System(), "a.zip", moved, knowledge.ImportOptions{}); r.Created != 1 {
		t.Fatalf("%+v %v", r, r.Errors)
	}
	list, err := to.List(t.Context(), knowledge.Filter{})
	if err != nil || len(list) != 1 {
		t.Fatalf("%d, %v", len(list), err)
	}
	e := list[0]
	if e.Version.State != knowledge.Published || e.Article.Owner != city.Agencies["dept-environment"] || len(e.Version.Files) != 1 || e.Article.Services[0] != "T-ENV-001" || e.Version.ValidFrom == nil {
		t.Errorf("%+v", e)
	}
	again := export(t, to, "md")
	source, _ := exchange.Read("a.zip", again)
	got, _ := all(t, source)
	source, _ = exchange.Read("a.zip", moved)
	want, _ := all(t, source)
	if len(got) != 1 || got[0].Body != want[0].Body || got[0].Slug != want[0].Slug || got[0].Owner != want[0].Owner || len(got[0].Files) != 1 {
		t.Errorf("%+v\nwant %+v", got, want)
	}
	for _, format := range []string{"md", "jsonl", "csv", "xlsx"} {
		if r := take(t, to, knowledge.System(), extension[format], export(t, to, format), knowledge.ImportOptions{}); r.Unchanged != 1 || r.Updated+r.Created+r.Failed != 0 {
			t.Errorf("%s: what came back is a change: %+v %v", format, r, r.Errors)
		}
	}
	// A changed page is the next version; a page without the file takes it away.
	r = take(t, to, knowledge.System(), "a.zip", zipped(t, map[string]string{"noise.md": strings.Replace(strings.Replace(folder, "22:00", "21:00", 2), "files: [form.txt]\n", "", 1)}), knowledge.ImportOptions{})
	a, err := to.Article(t.Context(), e.Article.ID)
	if err != nil || r.Updated != 1 || a.Live != 2 {
		t.Fatalf("%+v %v, version %d", r, r.Errors, a.Live)
	}
	if v, _ := to.Version(t.Context(), a.ID, 2); len(v.Files) != 0 || !strings.Contains(v.Body, "21:00") {
		t.Errorf("%+v", v)
	}
}

func TestAnImportIsRefusedByLine(t *testing.T) {
	t.Parallel()
	kb, city := base(t)
	table := "id,lang,title,body,owner,slug,valid_from\n" +
		"a,en,One,text,,one,\n" +
		"b,en,Two,text,,one,\n" + // the address is taken by the row before
		"c,en,Three,text,nobody,,\n" +
		"d,en,Four,text,,,yesterday\n" +
		"e,en,,text,,,\n" +
		"a,en,Again,text,,,\n" +
		"f,en,Six,text,,six,2026-04-01\n"
	r := take(t, kb, knowledge.System(), "a.csv", []byte(table), knowledge.ImportOptions{})
	if r.Created != 2 || r.Failed != 5 {
		t.Errorf("%+v", r)
	}
	why := map[int]string{}
	for _, l := range r.Lines {
		why[l.Line] = l.What + " " + l.Why
	}
	for line, want := range map[int]string{2: "created ", 3: "refused knowledge.slug_taken", 4: "refused knowledge.unknown_owner", 5: "refused knowledge.import_day", 6: "refused knowledge.import_missing", 7: "refused knowledge.import_duplicate", 8: "created "} {
		if why[line] != want {
			t.Errorf("line %d: %q, want %q", line, why[line], want)
		}
	}
	list, _ := kb.List(t.Context(), knowledge.Filter{State: knowledge.Scheduled})
	if len(list) != 1 || list[0].Version.Title != "Six" {
		t.Errorf("a day to come: %d scheduled", len(list))
	}
	// An agency's reviewer changes none of the hotline's articles.
	by := knowledge.Staff{Actor: city.Staff("handler-env"), Roles: []string{"reviewer"}}
	r = take(t, kb, by, "a.csv", []byte("id,lang,title,body\na,en,Mine,text\ng,en,New,text\n"), knowledge.ImportOptions{})
	if r.Created != 1 || r.Failed != 1 || r.Lines[0].Why+r.Lines[1].Why != "knowledge.not_owner" {
		t.Errorf("%+v", r)
	}
}
