package knowledge

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"hotline/internal/errs"
)

// Limits of an imported article.
const (
	MaxLine     = 1 << 20 // bytes of one line
	MaxTitle    = 300     // characters
	MaxSummary  = 1000
	MaxBody     = 200_000
	MaxKeywords = 50
	MaxKeyword  = 100
	MaxQuestion = 300
	maxImportID = 200
	maxTopic    = 100
)

// Errors of the import format. Each names the line in its argument "line".
var (
	ErrImportLine      = errs.New(errs.Invalid, "knowledge.import_json", "the line is not a JSON object of an article")
	ErrImportEncoding  = errs.New(errs.Invalid, "knowledge.import_encoding", "the line is not valid UTF-8")
	ErrImportTooLong   = errs.New(errs.TooLarge, "knowledge.import_too_long", "the line or one of its fields is too long")
	ErrImportMissing   = errs.New(errs.Invalid, "knowledge.import_missing", "a required field is missing or empty")
	ErrImportLang      = errs.New(errs.Invalid, "knowledge.import_lang", "the language is not a language tag such as en or zh-CN")
	ErrImportDuplicate = errs.New(errs.Conflict, "knowledge.import_duplicate", "the id was already used on an earlier line")
)

// LineError is what is wrong with one line; the lines around it are not
// affected.
type LineError struct {
	Line int // from 1
	Err  *errs.Error
}

func (e *LineError) Error() string {
	if e.Err.Field != "" {
		return fmt.Sprintf("line %d: %s: %v", e.Line, e.Err.Field, e.Err)
	}
	return fmt.Sprintf("line %d: %v", e.Line, e.Err)
}

func (e *LineError) Unwrap() error { return e.Err }

// Import is one article of an import file.
type Import struct {
	Line      int
	ID        string
	Lang      string
	Topic     string
	Title     string
	Summary   string
	Body      string
	Key       string // translations of one another share it
	Page      string
	Keywords  []string
	Questions []string
	// What a source may leave unsaid, and then stays as it is: an empty string,
	// a nil list, a nil pointer.
	Slug      string
	Owner     string // code of the agency
	Audience  string
	Services  []string
	ValidFrom *string // day, "" for none
	ValidTo   *string
	Form      *string // the source of a decision form, "" for none
	Files     []ImportFile
	Source    string // name of the file it stands in, where there are several
}

// ImportFile is a file that comes with an article.
type ImportFile struct {
	Name string
	Open func() ([]byte, error)
}

// Source gives articles one after another. Errors of Next: io.EOF at the end;
// *LineError for one that cannot be read, after which Next goes on; any other
// is final.
type Source interface{ Next() (Import, error) }

// importJSON is a line of JSON Lines.
type importJSON struct {
	ID        string   `json:"id"`
	Lang      string   `json:"lang"`
	Topic     string   `json:"topic,omitempty"`
	Title     string   `json:"title"`
	Summary   string   `json:"summary,omitempty"`
	Body      string   `json:"body"`
	Key       string   `json:"key,omitempty"`
	Page      string   `json:"page,omitempty"`
	Keywords  []string `json:"keywords,omitempty"`
	Questions []string `json:"questions,omitempty"`
	Slug      string   `json:"slug,omitempty"`
	Owner     string   `json:"owner,omitempty"`
	Audience  string   `json:"audience,omitempty"`
	Services  []string `json:"services,omitzero"`
	ValidFrom *string  `json:"valid_from,omitempty"`
	ValidTo   *string  `json:"valid_to,omitempty"`
	Form      *string  `json:"form,omitempty"`
}

// JSON is the article as a line of JSON Lines holds it.
func (i Import) JSON() any {
	return importJSON{ID: i.ID, Lang: i.Lang, Topic: i.Topic, Title: i.Title, Summary: i.Summary, Body: i.Body, Key: i.Key, Page: i.Page, Keywords: i.Keywords, Questions: i.Questions,
		Slug: i.Slug, Owner: i.Owner, Audience: i.Audience, Services: i.Services, ValidFrom: i.ValidFrom, ValidTo: i.ValidTo, Form: i.Form}
}

// Seen remembers the ids of a source.
type Seen map[string]bool

// Check cleans an article and says what is wrong with it. Errors: *LineError.
func (s *Seen) Check(in Import) (Import, error) {
	in.ID, in.Lang, in.Topic, in.Title, in.Summary, in.Key, in.Page = clean(in.ID), strings.TrimSpace(in.Lang), clean(in.Topic), clean(in.Title), clean(in.Summary), clean(in.Key), clean(in.Page)
	in.Body, in.Keywords, in.Questions = cleanText(in.Body), cleanAll(in.Keywords), cleanAll(in.Questions)
	e := in.check(false)
	switch {
	case e != nil:
	case (*s)[in.ID]:
		e = ErrImportDuplicate.On("id")
	}
	if e != nil {
		return in, &LineError{Line: in.Line, Err: e.With("line", in.Line)}
	}
	if *s == nil {
		*s = Seen{}
	}
	(*s)[in.ID] = true
	return in, nil
}

// Doc is the searchable form.
func (i Import) Doc() Doc {
	return Doc{ID: i.ID, Lang: i.Lang, Topic: i.Topic, Title: i.Title, Summary: i.Summary, Body: i.Body,
		Keywords: i.Keywords, Questions: i.Questions, Audience: AudiencePublic, Version: 1}
}

// Parser reads articles from JSON Lines: one object {id, lang, topic, title,
// body, summary?, keywords?, questions?, key?, page?} a line, UTF-8 with or
// without a byte order mark. Blank lines are skipped, unknown fields ignored.
type Parser struct {
	// Measuring accepts what collections for measuring search lack: a title, a
	// text, a language (which is then told by the script), and any length.
	Measuring bool

	r    *bufio.Reader
	line int
	seen map[string]bool
}

// NewParser reads from r.
func NewParser(r io.Reader) *Parser {
	return &Parser{r: bufio.NewReaderSize(r, 64<<10), seen: map[string]bool{}}
}

// Next returns the next article. Errors: io.EOF at the end; *LineError for a
// bad line, after which Next goes on with the following one; any other error
// is the reader's and final.
func (p *Parser) Next() (Import, error) {
	for {
		raw, tooLong, err := p.readLine()
		if err != nil {
			return Import{}, err
		}
		if p.line == 1 {
			raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
		}
		if tooLong {
			return Import{}, p.fail(ErrImportTooLong.With("limit", MaxLine))
		}
		if len(bytes.TrimSpace(raw)) == 0 {
			continue
		}
		return p.parse(raw)
	}
}

// readLine returns a line without its end; a longer one than MaxLine is
// consumed and reported, not kept.
func (p *Parser) readLine() (line []byte, tooLong bool, err error) {
	p.line++
	for {
		part, err := p.r.ReadSlice('\n')
		if len(line)+len(part) > MaxLine {
			tooLong, line = true, line[:0]
		} else if !tooLong {
			line = append(line, part...)
		}
		switch {
		case err == nil:
			return bytes.TrimRight(line, "\r\n"), tooLong, nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && (len(line) > 0 || tooLong):
			return bytes.TrimRight(line, "\r\n"), tooLong, nil
		case errors.Is(err, io.EOF):
			return nil, false, io.EOF
		default:
			return nil, false, fmt.Errorf("read import: %w", err)
		}
	}
}

func (p *Parser) fail(e *errs.Error) error {
	return &LineError{Line: p.line, Err: e.With("line", p.line)}
}

var langTag = regexp.MustCompile(`^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}$`)

func (p *Parser) parse(raw []byte) (Import, error) {
	if !utf8.Valid(raw) {
		return Import{}, p.fail(ErrImportEncoding)
	}
	var in importJSON
	if err := json.Unmarshal(raw, &in); err != nil {
		e := ErrImportLine.Wrap(err)
		var typ *json.UnmarshalTypeError
		if errors.As(err, &typ) {
			e = e.On(typ.Field)
		}
		return Import{}, p.fail(e)
	}
	out := Import{Line: p.line, ID: clean(in.ID), Lang: strings.TrimSpace(in.Lang), Topic: clean(in.Topic), Title: clean(in.Title),
		Summary: clean(in.Summary), Body: cleanText(in.Body), Key: clean(in.Key), Page: clean(in.Page),
		Keywords: cleanAll(in.Keywords), Questions: cleanAll(in.Questions),
		Slug: in.Slug, Owner: in.Owner, Audience: in.Audience, Services: in.Services, ValidFrom: in.ValidFrom, ValidTo: in.ValidTo, Form: in.Form}
	if p.Measuring && out.Lang == "" {
		out.Lang = cmp.Or(DetectLang(out.Title+"\n"+out.Body), "en")
	}
	if e := out.check(p.Measuring); e != nil {
		return Import{}, p.fail(e)
	}
	if p.seen[out.ID] {
		return Import{}, p.fail(ErrImportDuplicate.On("id"))
	}
	p.seen[out.ID] = true
	return out, nil
}

func (i Import) check(measuring bool) *errs.Error {
	for _, f := range []struct {
		name, value string
		max         int
		required    bool
	}{
		{"id", i.ID, maxImportID, true},
		{"lang", i.Lang, 35, true},
		{"topic", i.Topic, maxTopic, false},
		{"title", i.Title, MaxTitle, !measuring},
		{"summary", i.Summary, MaxSummary, false},
		{"body", i.Body, MaxBody, i.Summary == "" && !measuring},
		{"key", i.Key, maxImportID, false},
		{"page", i.Page, maxImportID, false},
	} {
		switch {
		case f.required && f.value == "":
			return ErrImportMissing.On(f.name)
		case utf8.RuneCountInString(f.value) > f.max && !measuring:
			return ErrImportTooLong.On(f.name).With("limit", f.max)
		}
	}
	if !langTag.MatchString(i.Lang) {
		return ErrImportLang.On("lang")
	}
	if measuring {
		return nil
	}
	if e := checkList("keywords", i.Keywords, MaxKeyword); e != nil {
		return e
	}
	return checkList("questions", i.Questions, MaxQuestion)
}

func checkList(name string, list []string, maxLen int) *errs.Error {
	if len(list) > MaxKeywords {
		return ErrImportTooLong.On(name).With("limit", MaxKeywords)
	}
	for _, s := range list {
		if utf8.RuneCountInString(s) > maxLen {
			return ErrImportTooLong.On(name).With("limit", maxLen)
		}
	}
	return nil
}

// clean makes one line of text: PostgreSQL refuses NUL, and control and
// bidirectional-override characters have no business in a title.
func clean(s string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r) || bidiControl(r):
			return -1
		}
		return r
	}, s)), " ")
}

// cleanText is clean for text of several lines.
func cleanText(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		if unicode.IsControl(r) || bidiControl(r) {
			return -1
		}
		return r
	}, s))
}

func bidiControl(r rune) bool {
	return r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069
}

func cleanAll(list []string) []string {
	out := make([]string, 0, len(list))
	for _, s := range list {
		if s = clean(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}
