package sheet

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// read takes an XLSX apart again: the texts of every row of every sheet.
func read(t testing.TB, raw []byte) (names []string, sheets [][][]string) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	part := func(name string, into any) {
		t.Helper()
		f, err := z.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := xml.NewDecoder(f).Decode(into); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	var book struct {
		Sheets []struct {
			Name string `xml:"name,attr"`
		} `xml:"sheets>sheet"`
	}
	part("xl/workbook.xml", &book)
	for _, name := range []string{"[Content_Types].xml", "_rels/.rels", "xl/_rels/workbook.xml.rels", "xl/styles.xml"} {
		part(name, &struct{}{})
	}
	for i, s := range book.Sheets {
		names = append(names, s.Name)
		var sheet struct {
			Rows []struct {
				Cells []struct {
					Type string `xml:"t,attr"`
					V    string `xml:"v"`
					T    string `xml:"is>t"`
				} `xml:"c"`
			} `xml:"sheetData>row"`
		}
		part(fmt.Sprintf("xl/worksheets/sheet%d.xml", i+1), &sheet)
		var rows [][]string
		for _, r := range sheet.Rows {
			var row []string
			for _, c := range r.Cells {
				row = append(row, c.V+c.T)
			}
			rows = append(rows, row)
		}
		sheets = append(sheets, rows)
	}
	return names, sheets
}

func write(t testing.TB, format string, rows ...[]any) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := New(format, "工单 / tickets?", &out)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if err := w.Row(r...); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

var at = time.Date(2026, 3, 10, 18, 30, 0, 0, time.FixedZone("CST", 8*3600))

func TestCells(t *testing.T) {
	t.Parallel()
	rows := [][]any{{"号码", "n", "share", "late", "at", "none"}, {`a "b", <c> & d`, 7, 0.25, true, at, nil}, {"=1+1", int64(-3), -1.5, false, at, "@x"}}
	names, sheets := read(t, write(t, "xlsx", rows...))
	if len(names) != 1 || names[0] != "工单  tickets" {
		t.Errorf("sheets %q", names)
	}
	want := [][]string{{"号码", "n", "share", "late", "at", "none"}, {`a "b", <c> & d`, "7", "0.25", "1", "46091.770833", ""}, {"=1+1", "-3", "-1.5", "0", "46091.770833", "@x"}}
	if fmt.Sprint(sheets[0]) != fmt.Sprint(want) {
		t.Errorf("%q\n%q", sheets[0], want)
	}
	raw := string(write(t, "csv", rows...))
	wantCSV := "\ufeff号码,n,share,late,at,none\r\n\"a \"\"b\"\", <c> & d\",7,0.25,true,2026-03-10 18:30,\r\n'=1+1,-3,-1.5,false,2026-03-10 18:30,'@x\r\n"
	if raw != wantCSV {
		t.Errorf("%q\n%q", raw, wantCSV)
	}
}

func TestNoTextIsAFormula(t *testing.T) {
	t.Parallel()
	for _, s := range []string{`=HYPERLINK("http://x")`, "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "\u3000=1", "＝1", "\r=1", "|cmd", "%1"} {
		rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(write(t, "csv", []any{s}), []byte("\ufeff")))).ReadAll()
		if err != nil || !strings.HasPrefix(rows[0][0], "'") {
			t.Errorf("%q is written as %q: %v", s, rows, err)
		}
	}
	for _, s := range []string{"", "a=1", "夜间施工", "2026-000001", "'quoted"} {
		if Harmless(s) != s {
			t.Errorf("%q is changed", s)
		}
	}
}

func TestAnyTextMakesAReadableFile(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "text")
		var out bytes.Buffer
		w, err := New("xlsx", rapid.String().Draw(t, "name"), &out)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Row("head"); err != nil {
			t.Fatal(err)
		}
		if err := w.Row(s); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		z, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			for d := xml.NewDecoder(r); ; {
				if _, err := d.Token(); err == io.EOF {
					break
				} else if err != nil {
					t.Fatalf("%s: %v", f.Name, err)
				}
			}
		}
	})
}

func TestASheetThatIsFullIsFollowedByAnother(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w, err := newXLSX("n", &out)
	if err != nil {
		t.Fatal(err)
	}
	w.(*xlsxWriter).max = 3
	for _, s := range []string{"head", "1", "2", "3", "4", "5"} {
		if err := w.Row(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	names, sheets := read(t, out.Bytes())
	if fmt.Sprint(names, sheets) != "[n n 2 n 3] [[[head] [1] [2]] [[head] [3] [4]] [[head] [5]]]" {
		t.Errorf("%v %v", names, sheets)
	}
}

type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) { c.n += int64(len(p)); return len(p), nil }

func TestMemoryDoesNotGrowWithTheRows(t *testing.T) {
	for _, format := range Formats() {
		c := &counter{}
		w, err := New(format, "many", c)
		if err != nil {
			t.Fatal(err)
		}
		var before, now runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		early := int64(0)
		for i := range 200_000 {
			if err := w.Row("2026-000001", "夜间施工噪音", i, 0.5, at); err != nil {
				t.Fatal(err)
			}
			if i == 50_000 {
				early = c.n
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&now)
		if grown := int64(now.HeapAlloc) - int64(before.HeapAlloc); grown > 8<<20 {
			t.Errorf("%s: %d bytes are held after 200,000 rows", format, grown)
		}
		if early == 0 {
			t.Errorf("%s: nothing was sent after 50,000 rows", format)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
