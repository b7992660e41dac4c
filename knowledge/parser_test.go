package knowledge_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"hotline/internal/errs"
	"hotline/knowledge"
)

func readAll(r io.Reader) (good []knowledge.Import, bad []*knowledge.LineError, err error) {
	p := knowledge.NewParser(r)
	for {
		in, err := p.Next()
		var line *knowledge.LineError
		switch {
		case errors.Is(err, io.EOF):
			return good, bad, nil
		case errors.As(err, &line):
			bad = append(bad, line)
		case err != nil:
			return good, bad, err
		default:
			good = append(good, in)
		}
	}
}

func TestParserReadsWhatItCanAndNamesTheRest(t *testing.T) {
	t.Parallel()
	lines := []string{
		"\ufeff" + `{"id":"a","lang":"en","topic":"t","title":"First","body":"Text","keywords":["k"," "],"key":"x","page":"p","extra":{"x":1}}`,
		``,
		`{"id":"b","lang":"zh","title":"第二","body":"行一\r\n行二"}`, // CRLF inside
		`{"id":"c","lang":"en","title":"Broken`,
		`[1,2]`,
		`{"id":"d","lang":"en","title":7,"body":"x"}`,
		`{"id":"e","lang":"en","title":"` + "\xff" + `","body":"x"}`,
		`{"id":"a","lang":"en","title":"Again","body":"x"}`,
		`{"id":"","lang":"en","title":"No id","body":"x"}`,
		`{"id":"f","lang":"en","title":"No text"}`,
		`{"id":"g","lang":"klingon!","title":"T","body":"x"}`,
		`{"id":"h","lang":"en","title":"` + strings.Repeat("长", knowledge.MaxTitle+1) + `","body":"x"}`,
		`{"id":"i","lang":"en","title":"Huge","body":"` + strings.Repeat("x", knowledge.MaxLine) + `"}`,
		`{"id":"j","lang":"en","title":"A\u0000B\u202eC\nD","body":"x\u0000y"}`,
		`{"id":"k","lang":"en","title":"Summary is enough","summary":"s"}`,
		`null`,
		`{"id":"l","lang":"en","title":"Last line has no end","body":"x"}`,
	}
	good, bad, err := readAll(strings.NewReader(strings.Join(lines, "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, g := range good {
		ids = append(ids, g.ID)
	}
	if got := strings.Join(ids, " "); got != "a b j k l" {
		t.Errorf("read %s", got)
	}
	if a := good[0]; a.Line != 1 || a.Title != "First" || len(a.Keywords) != 1 || a.Key != "x" || a.Page != "p" {
		t.Errorf("first line: %+v", a)
	}
	if b := good[1]; b.Line != 3 || b.Body != "行一\n行二" {
		t.Errorf("third line: %+v", b)
	}
	if j := good[2]; j.Title != "ABC D" || j.Body != "xy" {
		t.Errorf("control characters: %+v", j)
	}
	want := []struct {
		line int
		err  *errs.Error
	}{
		{4, knowledge.ErrImportLine}, {5, knowledge.ErrImportLine}, {6, knowledge.ErrImportLine}, {7, knowledge.ErrImportEncoding},
		{8, knowledge.ErrImportDuplicate}, {9, knowledge.ErrImportMissing}, {10, knowledge.ErrImportMissing}, {11, knowledge.ErrImportLang},
		{12, knowledge.ErrImportTooLong}, {13, knowledge.ErrImportTooLong}, {16, knowledge.ErrImportMissing},
	}
	if len(bad) != len(want) {
		t.Fatalf("%d lines refused, want %d: %v", len(bad), len(want), bad)
	}
	for i, w := range want {
		if bad[i].Line != w.line || !errors.Is(bad[i], w.err) || bad[i].Err.Args["line"] != w.line {
			t.Errorf("refused %v, want line %d: %v", bad[i], w.line, w.err)
		}
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("disk on fire") }

func TestParserPassesReadErrorsOn(t *testing.T) {
	t.Parallel()
	good, _, err := readAll(io.MultiReader(strings.NewReader(`{"id":"a","lang":"en","title":"T","body":"B"}`+"\n"), failing{}))
	if len(good) != 1 || err == nil {
		t.Errorf("read %d, %v", len(good), err)
	}
}

func FuzzParser(f *testing.F) {
	f.Add([]byte(`{"id":"a","lang":"en","title":"T","body":"B"}` + "\n\n{\"id\""))
	f.Add([]byte("\xef\xbb\xbf{\"id\":\"a\",\"lang\":\"zh-CN\",\"title\":\"\\u0000x\",\"body\":\"\\ud800\"}\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		good, bad, err := readAll(strings.NewReader(string(data)))
		if err != nil {
			t.Fatalf("memory does not fail: %v", err)
		}
		seen, last := map[string]bool{}, 0
		for _, g := range good {
			if g.ID == "" || g.Title == "" || seen[g.ID] || g.Line <= last {
				t.Fatalf("accepted %+v after line %d", g, last)
			}
			seen[g.ID], last = true, g.Line
			for _, s := range append([]string{g.ID, g.Lang, g.Topic, g.Title, g.Body, g.Key}, g.Keywords...) {
				if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
					t.Fatalf("PostgreSQL would refuse %q", s)
				}
			}
		}
		if lines := strings.Count(string(data), "\n") + 1; len(good)+len(bad) > lines {
			t.Fatalf("%d results from %d lines", len(good)+len(bad), lines)
		}
	})
}
