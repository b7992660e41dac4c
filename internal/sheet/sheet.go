// Package sheet writes tables as CSV or XLSX, row by row, into whatever takes bytes: memory does not grow with the rows, and the first of them are
// on their way before the last is read.
//
// The libraries for XLSX keep a sheet, in memory or in a temporary file, until its last row is written; a response could not begin before. A sheet
// that only has texts, numbers and dates is a short XML file in a ZIP, so this package writes it itself.
//
// Texts come from citizens: in CSV a cell that a spreadsheet would take for a formula gets an apostrophe in front; in XLSX every text is marked as
// text. The package imports nothing of the project.
package sheet

import (
	"archive/zip"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Writer takes rows. Cells are string, int, int64, float64, bool, time.Time (a day and a minute) or nil. Close ends the file; without it the file is cut off.
type Writer interface {
	Row(cells ...any) error
	Close() error
}

// Formats are the names of what New can write.
func Formats() []string { return []string{"csv", "xlsx"} }

// ContentType is the media type of a format.
func ContentType(format string) string {
	if format == "xlsx" {
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	}
	return "text/csv; charset=utf-8"
}

// New begins a file. name is the sheet's name in XLSX; the first row is set in bold there.
func New(format, name string, w io.Writer) (Writer, error) {
	switch format {
	case "csv":
		return newCSV(w)
	case "xlsx":
		return newXLSX(name, w)
	}
	return nil, fmt.Errorf("sheet: no format %q", format)
}

type csvWriter struct{ w *csv.Writer }

func newCSV(w io.Writer) (Writer, error) {
	// Excel takes a file without the mark for one in the machine's own code page.
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return nil, err
	}
	c := csv.NewWriter(w)
	c.UseCRLF = true
	return csvWriter{c}, nil
}

// Row implements Writer.
func (c csvWriter) Row(cells ...any) error {
	row := make([]string, len(cells))
	for i, cell := range cells {
		switch v := cell.(type) {
		case nil:
		case string:
			row[i] = Harmless(v)
		case float64:
			row[i] = strconv.FormatFloat(v, 'f', -1, 64)
		case time.Time:
			row[i] = v.Format("2006-01-02 15:04")
		default:
			row[i] = fmt.Sprint(v)
		}
	}
	return c.w.Write(row)
}

// Close implements Writer.
func (c csvWriter) Close() error { c.w.Flush(); return c.w.Error() }

// Harmless keeps a spreadsheet from taking a text for a formula.
func Harmless(s string) string {
	if trimmed := strings.TrimLeft(s, " \u00a0\u3000"); trimmed != "" {
		first, _ := utf8.DecodeRuneInString(trimmed)
		if strings.ContainsRune("=+-@\t\r\n|%＝＋－＠", first) {
			return "'" + s
		}
	}
	return s
}

// maxRows is what a sheet can hold; the next one goes on.
const maxRows = 1_048_576

type xlsxWriter struct {
	zip    *zip.Writer
	part   io.Writer
	name   string
	sheets int
	rows   int
	max    int
	buf    []byte
	header []any
}

func newXLSX(name string, w io.Writer) (Writer, error) {
	return &xlsxWriter{zip: zip.NewWriter(w), name: name, max: maxRows}, nil
}

func (x *xlsxWriter) begin() error {
	if err := x.end(); err != nil {
		return err
	}
	x.sheets++
	part, err := x.zip.Create(fmt.Sprintf("xl/worksheets/sheet%d.xml", x.sheets))
	if err != nil {
		return err
	}
	x.part, x.rows = part, 0
	_, err = io.WriteString(part, xmlHead+`<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetFormatPr defaultRowHeight="15" defaultColWidth="16"/><sheetData>`)
	return err
}

func (x *xlsxWriter) end() error {
	if x.part == nil {
		return nil
	}
	_, err := io.WriteString(x.part, `</sheetData></worksheet>`)
	return err
}

// Row implements Writer.
func (x *xlsxWriter) Row(cells ...any) error {
	if x.part == nil || x.rows == x.max {
		again := x.part != nil
		if err := x.begin(); err != nil {
			return err
		}
		if again {
			if err := x.row(x.header); err != nil {
				return err
			}
		} else {
			x.header = append([]any(nil), cells...)
		}
	}
	return x.row(cells)
}

func (x *xlsxWriter) row(cells []any) error {
	x.rows++
	b := append(x.buf[:0], "<row>"...)
	for _, cell := range cells {
		switch v := cell.(type) {
		case nil:
			b = append(b, "<c/>"...)
		case string:
			if x.rows == 1 {
				b = append(b, `<c s="1" t="inlineStr"><is><t xml:space="preserve">`...)
			} else {
				b = append(b, `<c t="inlineStr"><is><t xml:space="preserve">`...)
			}
			b = appendXML(b, v)
			b = append(b, `</t></is></c>`...)
		case int:
			b = append(strconv.AppendInt(append(b, "<c><v>"...), int64(v), 10), "</v></c>"...)
		case int64:
			b = append(strconv.AppendInt(append(b, "<c><v>"...), v, 10), "</v></c>"...)
		case float64:
			b = append(strconv.AppendFloat(append(b, "<c><v>"...), v, 'g', -1, 64), "</v></c>"...)
		case bool:
			n := byte('0')
			if v {
				n = '1'
			}
			b = append(append(append(b, `<c t="b"><v>`...), n), "</v></c>"...)
		case time.Time:
			b = append(strconv.AppendFloat(append(b, `<c s="2"><v>`...), serial(v), 'f', 6, 64), "</v></c>"...)
		default:
			return fmt.Errorf("sheet: a cell of type %T", cell)
		}
	}
	b = append(b, "</row>"...)
	x.buf = b
	_, err := x.part.Write(b)
	return err
}

// serial is the number of days since 1899-12-30, as the clock on the wall shows them.
func serial(t time.Time) float64 {
	wall := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
	return wall.Sub(time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)).Hours() / 24
}

// maxCell is what a cell can hold, in UTF-16 units.
const maxCell = 32_767

// appendXML escapes a text and leaves out what XML cannot hold.
func appendXML(b []byte, s string) []byte {
	units := 0
	for _, r := range s {
		if units++; r > 0xffff {
			units++
		}
		if units > maxCell {
			break
		}
		switch {
		case r == '&':
			b = append(b, "&amp;"...)
		case r == '<':
			b = append(b, "&lt;"...)
		case r == '>':
			b = append(b, "&gt;"...)
		case r == '\t', r == '\n', r >= 0x20 && r != 0xfffe && r != 0xffff:
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}

const xmlHead = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"

// Close implements Writer.
func (x *xlsxWriter) Close() error {
	if x.part == nil {
		if err := x.begin(); err != nil {
			return err
		}
	}
	if err := x.end(); err != nil {
		return err
	}
	var sheets, rels, types strings.Builder
	for i := 1; i <= x.sheets; i++ {
		name := sheetName(x.name, i)
		fmt.Fprintf(&sheets, `<sheet name="%s" sheetId="%d" r:id="rId%d"/>`, appendXML(nil, name), i, i)
		fmt.Fprintf(&rels, `<Relationship Id="rId%d" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet%d.xml"/>`, i, i)
		fmt.Fprintf(&types, `<Override PartName="/xl/worksheets/sheet%d.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>`, i)
	}
	for _, part := range []struct{ name, text string }{
		{"xl/workbook.xml", `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>` + sheets.String() + `</sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` + rels.String() +
			`<Relationship Id="rIdStyles" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>`},
		{"xl/styles.xml", `<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd\ hh:mm"/></numFmts>` +
			`<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>` +
			`<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="3"><xf/><xf fontId="1" applyFont="1"/><xf numFmtId="164" applyNumberFormat="1"/></cellXfs></styleSheet>`},
		{"_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
		{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>` +
			`<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>` + types.String() + `</Types>`},
	} {
		w, err := x.zip.Create(part.name)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, xmlHead+part.text); err != nil {
			return err
		}
	}
	return x.zip.Close()
}

// sheetName fits a name into what spreadsheets allow: 31 characters without a few signs.
func sheetName(name string, n int) string {
	clean := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`:\/?*[]"'`, r) {
			return -1
		}
		return r
	}, name)
	if clean == "" {
		clean = "Sheet"
	}
	r := []rune(clean)
	if n > 1 {
		return string(r[:min(len(r), 25)]) + " " + strconv.Itoa(n)
	}
	return string(r[:min(len(r), 31)])
}
