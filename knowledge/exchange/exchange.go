// Package exchange moves articles between hotline and files: a folder (or ZIP) of Markdown with YAML front matter or of HTML pages, JSON Lines,
// CSV and XLSX.
//
// It reads and writes [knowledge.Import] and knows nothing of the database. What it reads was made by anybody: everything is bounded (bytes
// unpacked, files, length of a text), no path leaves its archive, and HTML becomes Markdown only after what can run or load has been taken
// out. Markdown, JSON Lines, CSV and XLSX give back exactly what they were given; HTML keeps title, summary, keywords and a text that reads the
// same, not its marks to the letter.
package exchange

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"
	"gopkg.in/yaml.v3"

	"hotline/internal/errs"
	"hotline/internal/sheet"
	"hotline/knowledge"
)

// Limits of what is read.
const (
	MaxFile     = 64 << 20  // bytes of an upload
	MaxUnpacked = 256 << 20 // bytes of everything in an archive together
	MaxEntries  = 50_000
	maxEntry    = 12 << 20
)

// Errors of files.
var (
	ErrFormat   = errs.New(errs.Invalid, "knowledge.exchange_format", "the file is none of the formats that are read: .jsonl, .csv, .xlsx, .zip, .md, .html")
	ErrTooLarge = errs.New(errs.TooLarge, "knowledge.exchange_too_large", "the file holds more than is taken at once")
	ErrHead     = errs.New(errs.Invalid, "knowledge.exchange_head", "the head of a page, between the lines of ---, is not YAML")
	ErrBroken   = errs.New(errs.Invalid, "knowledge.exchange_broken", "the file is damaged")
	ErrHeader   = errs.New(errs.Invalid, "knowledge.exchange_header", "the first row names no column that is known; id, lang and title are needed")
)

// Formats are what Write makes.
func Formats() []string { return []string{"md", "jsonl", "csv", "xlsx", "html"} }

// columns of tables; texts that do not fit into a cell go on in those with a number.
var columns = []string{"id", "lang", "key", "slug", "topic", "owner", "audience", "services", "valid_from", "valid_to", "title", "summary", "keywords", "questions", "form", "body"}

const (
	cellRunes = 16_000 // at most 32,000 UTF-16 units, what a cell of XLSX holds
	bodyCells = 13
	formCells = 2
)

// Read gives the articles of a file, by the end of its name.
func Read(name string, data []byte) (knowledge.Source, error) {
	if len(data) > MaxFile {
		return nil, ErrTooLarge
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".jsonl", ".ndjson", ".json":
		return knowledge.NewParser(bytes.NewReader(data)), nil
	case ".csv":
		data = readable(data)
		r := csv.NewReader(bytes.NewReader(data))
		r.FieldsPerRecord, r.Comma = -1, comma(data)
		return table(func() ([]string, error) { return r.Read() }, unquote)
	case ".xlsx":
		return readXLSX(data)
	case ".zip":
		return readZip(data)
	case ".md", ".markdown", ".html", ".htm":
		return &pages{names: []string{name}, open: func(string) ([]byte, error) { return data, nil }}, nil
	}
	return nil, ErrFormat
}

// readable is a table as UTF-8. Spreadsheet programs write what their system
// speaks: in China GB 18030, which is taken where the whole is no UTF-8.
func readable(data []byte) []byte {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if utf8.Valid(data) {
		return data
	}
	if out, err := simplifiedchinese.GB18030.NewDecoder().Bytes(data); err == nil && !bytes.ContainsRune(out, utf8.RuneError) {
		return out
	}
	return data
}

// comma is what stands between the columns of the first row: where a comma is
// in numbers, programs write a semicolon.
func comma(data []byte) rune {
	head, _, _ := bytes.Cut(data, []byte("\n"))
	best := ','
	for _, c := range ";\t" {
		if bytes.Count(head, []byte(string(c))) > bytes.Count(head, []byte(string(best))) {
			best = c
		}
	}
	return best
}

// ReadFS gives the articles of a folder of Markdown and HTML files.
func ReadFS(dir fs.FS) (knowledge.Source, error) {
	p := &pages{open: func(name string) ([]byte, error) {
		f, err := dir.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return limited(f)
	}}
	err := fs.WalkDir(dir, ".", func(name string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			p.add(name)
		}
		return err
	})
	return p, err
}

func limited(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxEntry+1))
	if err == nil && len(data) > maxEntry {
		return nil, ErrTooLarge
	}
	return data, err
}

func readZip(data []byte) (knowledge.Source, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, ErrBroken.Wrap(err)
	}
	if len(z.File) > MaxEntries {
		return nil, ErrTooLarge
	}
	files, left := map[string]*zip.File{}, int64(MaxUnpacked)
	p := &pages{}
	for _, f := range z.File {
		name := path.Clean(f.Name)
		if f.Mode().IsRegular() && fs.ValidPath(name) && files[name] == nil {
			files[name] = f
			p.add(name)
		}
	}
	// The size that an archive claims is not believed: what is unpacked is counted.
	p.open = func(name string) ([]byte, error) {
		f := files[name]
		if f == nil {
			return nil, fs.ErrNotExist
		}
		r, err := f.Open()
		if err != nil {
			return nil, ErrBroken.Wrap(err)
		}
		defer r.Close()
		data, err := limited(r)
		if left -= int64(len(data)); left < 0 {
			return nil, ErrTooLarge
		}
		if err != nil && !errors.Is(err, ErrTooLarge) {
			err = ErrBroken.Wrap(err)
		}
		return data, err
	}
	return p, nil
}

// pages reads a file an article.
type pages struct {
	names []string
	open  func(name string) ([]byte, error)
	at    int
	seen  knowledge.Seen
}

func (p *pages) add(name string) {
	switch strings.ToLower(path.Ext(name)) {
	case ".md", ".markdown", ".html", ".htm":
		if !strings.HasPrefix(path.Base(name), ".") && path.Base(name) != "README.md" {
			p.names = append(p.names, name)
		}
	}
}

// front is what stands before the text of a Markdown file.
type front struct {
	ID        string   `yaml:"id"`
	Lang      string   `yaml:"lang"`
	Key       string   `yaml:"key,omitempty"`
	Slug      string   `yaml:"slug,omitempty"`
	Topic     string   `yaml:"topic,omitempty"`
	Owner     string   `yaml:"owner,omitempty"`
	Audience  string   `yaml:"audience,omitempty"`
	Services  []string `yaml:"services"`
	ValidFrom *string  `yaml:"valid_from"`
	ValidTo   *string  `yaml:"valid_to"`
	Title     string   `yaml:"title"`
	Summary   string   `yaml:"summary,omitempty"`
	Keywords  []string `yaml:"keywords,omitempty"`
	Questions []string `yaml:"questions,omitempty"`
	Form      *string  `yaml:"form"`
	Files     []string `yaml:"files,omitempty"` // beside the page
}

// Next implements knowledge.Source.
func (p *pages) Next() (knowledge.Import, error) {
	if p.at == len(p.names) {
		return knowledge.Import{}, io.EOF
	}
	name := p.names[p.at]
	p.at++
	data, err := p.open(name)
	if err != nil {
		return knowledge.Import{}, p.fail(err)
	}
	if !utf8.Valid(data) {
		return knowledge.Import{}, p.fail(knowledge.ErrImportEncoding)
	}
	var in knowledge.Import
	if ext := strings.ToLower(path.Ext(name)); ext == ".html" || ext == ".htm" {
		in, err = page(string(data))
	} else {
		in, err = p.markdown(name, string(data))
	}
	if err != nil {
		return in, p.fail(err)
	}
	in.Line, in.Source = p.at, name
	if in.ID == "" {
		in.ID = strings.TrimSuffix(name, path.Ext(name))
	}
	return p.seen.Check(in)
}

func (p *pages) fail(err error) error {
	var known *errs.Error
	if !errors.As(err, &known) {
		known = ErrBroken.Wrap(err)
	}
	return &knowledge.LineError{Line: p.at, Err: known.With("line", p.at)}
}

func (p *pages) markdown(name, text string) (knowledge.Import, error) {
	text = strings.ReplaceAll(strings.TrimPrefix(text, "\ufeff"), "\r\n", "\n")
	var f front
	if head, rest, ok := cut(text); ok {
		if err := yaml.Unmarshal([]byte(head), &f); err != nil {
			return knowledge.Import{}, ErrHead.Wrap(err)
		}
		text = rest
	}
	text = strings.TrimPrefix(text, "\n")
	if f.Title == "" {
		if line, rest, _ := strings.Cut(text, "\n"); strings.HasPrefix(line, "# ") {
			f.Title, text = strings.TrimSpace(line[2:]), rest
		}
	}
	in := knowledge.Import{ID: f.ID, Lang: f.Lang, Key: f.Key, Slug: f.Slug, Topic: f.Topic, Owner: f.Owner, Audience: f.Audience, Services: f.Services, ValidFrom: f.ValidFrom,
		ValidTo: f.ValidTo, Title: f.Title, Summary: f.Summary, Keywords: f.Keywords, Questions: f.Questions, Form: f.Form, Body: text}
	for _, beside := range f.Files {
		at := path.Join(path.Dir(name), beside)
		if !fs.ValidPath(at) {
			return in, ErrBroken.On("files")
		}
		in.Files = append(in.Files, knowledge.ImportFile{Name: path.Base(beside), Open: func() ([]byte, error) { return p.open(at) }})
	}
	if f.Services != nil && in.Files == nil {
		in.Files = []knowledge.ImportFile{} // a whole record without files says that there are none
	}
	return in, nil
}

// cut takes the front matter off.
func cut(text string) (head, rest string, ok bool) {
	body, ok := strings.CutPrefix(text, "---\n")
	if !ok {
		return "", text, false
	}
	head, rest, ok = strings.Cut(body, "\n---\n")
	return head, rest, ok
}

// rows reads a table whose first row names the columns.
type rows struct {
	next func() ([]string, error)
	text func(string) string
	at   map[string]int
	line int
	seen knowledge.Seen
}

func table(next func() ([]string, error), text func(string) string) (knowledge.Source, error) {
	head, err := next()
	if err != nil {
		return nil, ErrHeader.Wrap(err)
	}
	r := &rows{next: next, text: text, at: map[string]int{}, line: 1}
	for i, name := range head {
		r.at[strings.ToLower(strings.TrimSpace(name))] = i
	}
	for _, needed := range []string{"id", "lang", "title"} {
		if _, ok := r.at[needed]; !ok {
			return nil, ErrHeader
		}
	}
	return r, nil
}

// Next implements knowledge.Source.
func (r *rows) Next() (knowledge.Import, error) {
	for {
		cells, err := r.next()
		if errors.Is(err, io.EOF) {
			return knowledge.Import{}, io.EOF
		}
		r.line++
		if err != nil {
			return knowledge.Import{}, fmt.Errorf("row %d: %w", r.line, ErrBroken.Wrap(err))
		}
		get := func(name string) (string, bool) {
			i, ok := r.at[name]
			if !ok || i >= len(cells) {
				return "", ok
			}
			return r.text(cells[i]), true
		}
		joined := func(name string, n int) (s string, ok bool) {
			s, ok = get(name)
			for i := 2; i <= n; i++ {
				more, _ := get(fmt.Sprintf("%s_%d", name, i))
				s += more
			}
			return s, ok
		}
		one := func(name string) string { s, _ := get(name); return s }
		maybe := func(s string, ok bool) *string {
			if !ok {
				return nil
			}
			return &s
		}
		if strings.TrimSpace(strings.Join(cells, "")) == "" {
			continue
		}
		body, _ := joined("body", bodyCells)
		in := knowledge.Import{Line: r.line, ID: one("id"), Lang: one("lang"), Key: one("key"), Slug: one("slug"), Topic: one("topic"), Owner: one("owner"), Audience: one("audience"),
			Title: one("title"), Summary: one("summary"), Body: body, Keywords: list(one("keywords")), Questions: list(one("questions")),
			ValidFrom: maybe(get("valid_from")), ValidTo: maybe(get("valid_to")), Form: maybe(joined("form", formCells))}
		if s, ok := get("services"); ok {
			in.Services = list(s)
			if in.Services == nil {
				in.Services = []string{}
			}
		}
		if !utf8.ValidString(strings.Join(cells, "")) {
			return in, &knowledge.LineError{Line: r.line, Err: knowledge.ErrImportEncoding.With("line", r.line)}
		}
		return r.seen.Check(in)
	}
}

func list(s string) []string {
	var out []string
	for line := range strings.SplitSeq(s, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

func readXLSX(data []byte) (knowledge.Source, error) {
	f, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{UnzipSizeLimit: MaxUnpacked, UnzipXMLSizeLimit: MaxUnpacked, RawCellValue: true})
	if err != nil {
		return nil, ErrBroken.Wrap(err)
	}
	names := f.GetSheetList()
	if len(names) == 0 {
		return nil, ErrHeader
	}
	all, err := f.GetRows(names[0])
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, ErrBroken.Wrap(err)
	}
	at := 0
	return table(func() ([]string, error) {
		if at == len(all) {
			return nil, io.EOF
		}
		at++
		return all[at-1], nil
	}, func(s string) string { return s })
}

// A table that is opened in a spreadsheet must not run formulas: sheet sets an apostrophe before what would be one. One that was there already gets
// a second, so that reading takes away exactly what writing added.
func quote(s string) string {
	if strings.HasPrefix(s, "'") {
		return "'" + s
	}
	return s
}

func unquote(s string) string {
	if rest, ok := strings.CutPrefix(s, "'"); ok && (strings.HasPrefix(rest, "'") || sheet.Harmless(rest) != rest) {
		return rest
	}
	return s
}

// escaped matches what XLSX readers take for an escaped character.
var escaped = regexp.MustCompile(`^_x[0-9A-Fa-f]{4}_`)

// escape writes the first underscore of what would be taken for an escaped character as one.
func escape(s string) string {
	var b strings.Builder
	for {
		i := strings.Index(s, "_x")
		if i < 0 {
			return b.String() + s
		}
		b.WriteString(s[:i])
		if s = s[i:]; escaped.MatchString(s) {
			b.WriteString("_x005F_")
		} else {
			b.WriteByte('_')
		}
		s = s[1:]
	}
}
