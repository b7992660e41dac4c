package exchange

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"hotline/internal/sheet"
	"hotline/knowledge"
)

// Write writes articles in a format. Files of articles go with md only.
func Write(w io.Writer, format string, next func() (knowledge.Import, error)) (n int, err error) {
	var put func(knowledge.Import) error
	finish := func() error { return nil }
	switch format {
	case "jsonl":
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		put = func(in knowledge.Import) error { return enc.Encode(in.JSON()) }
	case "csv", "xlsx":
		t, err := sheet.New(format, "Articles", w)
		if err != nil {
			return 0, err
		}
		if err := t.Row(header()...); err != nil {
			return 0, err
		}
		text := quote
		if format == "xlsx" {
			text = escape

		}
		put, finish = func(in knowledge.Import) error { return t.Row(row(in, text)...) }, t.Close
	case "md", "html":
		z := zip.NewWriter(w)
		put, finish = func(in knowledge.Import) error { return writePage(z, format, in) }, z.Close
	default:
		return 0, ErrFormat
	}
	for {
		in, err := next()
		if errors.Is(err, io.EOF) {
			return n, finish()
		}
		if err == nil {
			err = put(in)
		}
		if err != nil {
			return n, err
		}
		n++
	}
}

func header() []any {
	var out []any
	for _, c := range columns {
		out = append(out, c)
		for i := 2; i <= map[string]int{"body": bodyCells, "form": formCells}[c]; i++ {
			out = append(out, fmt.Sprintf("%s_%d", c, i))
		}
	}
	return out
}

func row(in knowledge.Import, text func(string) string) []any {
	out := []any{in.ID, in.Lang, in.Key, in.Slug, in.Topic, in.Owner, in.Audience, strings.Join(in.Services, "\n"), deref(in.ValidFrom), deref(in.ValidTo), in.Title, in.Summary,
		strings.Join(in.Keywords, "\n"), strings.Join(in.Questions, "\n")}
	out = append(out, cells(deref(in.Form), formCells)...)
	out = append(out, cells(in.Body, bodyCells)...)
	for i := range out {
		out[i] = text(out[i].(string))
	}
	return out
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// cells cuts a long text into what cells hold.
func cells(s string, n int) []any {
	out := make([]any, 0, n)
	r := []rune(s)
	for range n {
		take := min(len(r), cellRunes)
		out = append(out, string(r[:take]))
		r = r[take:]
	}
	return out
}

var unsafeName = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// writePage adds a page, and its files in a folder beside it.
func writePage(z *zip.Writer, format string, in knowledge.Import) error {
	base := path.Join(in.Lang, strings.Trim(unsafeName.ReplaceAllString(in.Slug, "-"), "-."))
	if format == "html" {
		return writeHTML(z, base+".html", in)
	}
	services := in.Services
	if services == nil {
		services = []string{}
	}
	head := front{ID: in.ID, Lang: in.Lang, Key: in.Key, Slug: in.Slug, Topic: in.Topic, Owner: in.Owner, Audience: in.Audience, Services: services, ValidFrom: in.ValidFrom, ValidTo: in.ValidTo,
		Title: in.Title, Summary: in.Summary, Keywords: in.Keywords, Questions: in.Questions, Form: in.Form}
	for _, file := range in.Files {
		name := path.Base(base) + ".files/" + file.Name
		if slices.Contains(head.Files, name) {
			continue
		}
		data, err := file.Open()
		if err != nil {
			return err
		}
		f, err := z.Create(path.Join(path.Dir(base), name))
		if err != nil {
			return err
		}
		if _, err := f.Write(data); err != nil {
			return err
		}
		head.Files = append(head.Files, name)
	}
	text, err := yaml.Marshal(head)
	if err != nil {
		return err
	}
	f, err := z.Create(base + ".md")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "---\n%s---\n\n%s\n", text, in.Body)
	return err
}
