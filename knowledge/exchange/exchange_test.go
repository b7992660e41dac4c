package exchange_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
	"pgregory.net/rapid"

	"hotline/knowledge"
	"hotline/knowledge/exchange"
)

func all(t interface{ Fatalf(string, ...any) }, s knowledge.Source) (out []knowledge.Import, refused []*knowledge.LineError) {
	for {
		in, err := s.Next()
		var bad *knowledge.LineError
		switch {
		case errors.Is(err, io.EOF):
			return out, refused
		case errors.As(err, &bad):
			refused = append(refused, bad)
		case err != nil:
			t.Fatalf("%v", err)
		default:
			out = append(out, in)
		}
	}
}

func give(list []knowledge.Import) func() (knowledge.Import, error) {
	return func() (knowledge.Import, error) {
		if len(list) == 0 {
			return knowledge.Import{}, io.EOF
		}
		in := list[0]
		list = list[1:]
		return in, nil
	}
}

var extension = map[string]string{"md": "a.zip", "jsonl": "a.jsonl", "csv": "a.csv", "xlsx": "a.xlsx"}

// Whatever articles say, they come back as they went, in every format.
func TestARoundTripLosesNothing(t *testing.T) {
	t.Parallel()
	// Texts with what formats trip over: formulas, quotes, front matter, escapes, CJK, emoji.
	piece := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"=1+1", "'", "''", "'=x", "-2", "@a", "---", "a: b", "|", "#", "# x", "\n---\n", "_x0041_", "_x005F_x0041_", "<b>", "&amp;", "\"", ",", "夜间施工", "🚧", "\t", "null", "~", "{}", "- a", "1.0", "true"}))
	text := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(piece, 1, 4).Draw(t, "pieces"), rapid.SampledFrom([]string{"", " ", "\n", "\n\n"}).Draw(t, "between"))
	})
	lines := rapid.SliceOfN(text, 0, 3)
	day := rapid.SampledFrom([]string{"", "2026-03-01", "2030-12-31"})
	article := rapid.Custom(func(t *rapid.T) knowledge.Import {
		from, to, form := day.Draw(t, "from"), "", rapid.SampledFrom([]string{"", "question a: Old?\n  yes -> b\n  no -> b\noutcome b: Fine"}).Draw(t, "form")
		in := knowledge.Import{ID: rapid.StringMatching(`[a-z0-9]{4,12}`).Draw(t, "id"), Lang: rapid.SampledFrom([]string{"en", "zh-CN"}).Draw(t, "lang"), Key: rapid.StringMatching(`[a-z]{0,5}`).Draw(t, "key"),
			Topic: rapid.StringMatching(`[a-z]{0,5}`).Draw(t, "topic"), Owner: rapid.SampledFrom([]string{"", "dept-environment"}).Draw(t, "owner"), Audience: rapid.SampledFrom([]string{"public", "staff"}).Draw(t, "audience"),
			Title: "T" + text.Draw(t, "title"), Summary: text.Draw(t, "summary"), Body: "B" + text.Draw(t, "body"), Keywords: lines.Draw(t, "keywords"), Questions: lines.Draw(t, "questions"),
			Services: rapid.SliceOfNDistinct(rapid.StringMatching(`T-[A-Z]{3}`), 0, 2, rapid.ID).Draw(t, "services"), ValidFrom: &from, ValidTo: &to, Form: &form}
		in.Slug = "s-" + in.ID
		return in
	})
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfNDistinct(article, 1, 3, func(in knowledge.Import) string { return in.ID }).Draw(t, "articles")
		var seen knowledge.Seen
		for i := range list {
			clean, err := seen.Check(list[i]) // as the store holds it
			if err != nil {
				t.Skip(err)
			}
			list[i] = clean
		}
		for format, name := range extension {
			var file bytes.Buffer
			if _, err := exchange.Write(&file, format, give(list)); err != nil {
				t.Fatalf("%s: %v", format, err)
			}
			source, err := exchange.Read(name, file.Bytes())
			if err != nil {
				t.Fatalf("%s: %v", format, err)
			}
			got, refused := all(t, source)
			if len(refused) > 0 || len(got) != len(list) {
				t.Fatalf("%s: %d of %d came back, %v", format, len(got), len(list), refused)
			}
			back := map[string]knowledge.Import{}
			for _, in := range got {
				in.Line, in.Source, in.Files = 0, "", nil
				if in.Keywords == nil {
					in.Keywords = []string{}
				}
				back[in.ID] = in
			}
			for _, want := range list {
				if got := back[want.ID]; !reflect.DeepEqual(normal(got), normal(want)) {
					t.Fatalf("%s:\n%+v\nwant\n%+v", format, got, want)
				}
			}
		}
	})
}

func normal(in knowledge.Import) any {
	empty := func(s []string) []string {
		if s == nil {
			return []string{}
		}
		return s
	}
	in.Keywords, in.Questions, in.Services = empty(in.Keywords), empty(in.Questions), empty(in.Services)
	return in
}

func TestTheLongestTextFitsIntoATable(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("🚧夜", knowledge.MaxBody/2)
	in := knowledge.Import{ID: "long", Lang: "zh-CN", Slug: "long", Title: "长", Body: long}
	for _, format := range []string{"csv", "xlsx", "md", "jsonl"} {
		var file bytes.Buffer
		if _, err := exchange.Write(&file, format, give([]knowledge.Import{in})); err != nil {
			t.Fatal(err)
		}
		source, err := exchange.Read(extension[format], file.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if got, refused := all(t, source); len(got) != 1 || got[0].Body != long {
			t.Errorf("%s: cut off (%v)", format, refused)
		}
	}
}

func TestFilesGoBesideTheirPage(t *testing.T) {
	t.Parallel()
	in := knowledge.Import{ID: "a", Lang: "en", Slug: "a", Title: "A", Body: "text", Files: []knowledge.ImportFile{{Name: "form.pdf", Open: func() ([]byte, error) { return []byte("%PDF"), nil }}}}
	var file bytes.Buffer
	if _, err := exchange.Write(&file, "md", give([]knowledge.Import{in})); err != nil {
		t.Fatal(err)
	}
	source, err := exchange.Read("a.zip", file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	got, _ := all(t, source)
	if len(got) != 1 || len(got[0].Files) != 1 || got[0].Files[0].Name != "form.pdf" {
		t.Fatalf("%+v", got)
	}
	if data, err := got[0].Files[0].Open(); err != nil || string(data) != "%PDF" {
		t.Errorf("%q, %v", data, err)
	}
}

func zipped(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range files {
		f, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(f, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestArchivesThatAttack(t *testing.T) {
	t.Parallel()
	page := "---\nid: a\nlang: en\ntitle: A\n---\ntext"
	// A bomb: small in the archive, large outside. The page is refused, the others are read.
	source, err := exchange.Read("bomb.zip", zipped(t, map[string]string{"bomb.md": strings.Repeat("0", 64<<20), "good.md": page}))
	if err != nil {
		t.Fatal(err)
	}
	got, refused := all(t, source)
	if len(got) != 1 || len(refused) != 1 || !errors.Is(refused[0], exchange.ErrTooLarge) {
		t.Errorf("%d read, %v", len(got), refused)
	}
	// Names that lead out of the archive are no pages, and no files of pages.
	source, err = exchange.Read("out.zip", zipped(t, map[string]string{"../out.md": page, "/etc/out.md": page, "in/good.md": "---\nid: a\nlang: en\ntitle: A\nfiles: [../../../etc/passwd]\n---\ntext"}))
	if err != nil {
		t.Fatal(err)
	}
	got, refused = all(t, source)
	if len(got) != 0 || len(refused) != 1 {
		t.Errorf("%+v, %v", got, refused)
	}
	for name, data := range map[string][]byte{"a.zip": []byte("no archive"), "a.xlsx": []byte("PK\x03\x04 no sheet")} {
		if _, err := exchange.Read(name, data); !errors.Is(err, exchange.ErrBroken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := exchange.Read("a.exe", nil); !errors.Is(err, exchange.ErrFormat) {
		t.Errorf("%v", err)
	}
	if _, err := exchange.Read("a.csv", []byte("name,text\n")); !errors.Is(err, exchange.ErrHeader) {
		t.Errorf("%v", err)
	}
}

// attacks is what hostile Markdown and HTML try. Wherever an article is shown, none of it may run, load or leave.
var attacks = []string{
	`<script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `<svg/onload=alert(1)>`, `<iframe src="https://evil.example"></iframe>`, `<a href="javascript:alert(1)">x</a>`,
	`[x](javascript:alert(1))`, `[x](JaVaScRiPt&colon;alert(1))`, `[x](data:text/html;base64,PHNjcmlwdD4=)`, `![x](https://evil.example/track.png)`, `<style>*{background:url(https://evil.example)}</style>`,
	`<form action="https://evil.example"><input name=q></form>`, `<meta http-equiv=refresh content="0;url=https://evil.example">`, `<base href="https://evil.example">`, `<object data="https://evil.example"></object>`,
	"[x]: javascript:alert(1)\n\n[click][x]", "<details open ontoggle=alert(1)>x</details>", `<math><mi xlink:href="javascript:alert(1)">x</mi></math>`, `<p style="position:fixed">x</p>`, `<![CDATA[<script>alert(1)</script>]]>`, `<div id="main" class="alert">x</div>`,
	"<vbscript:msgbox(1)>", `<a href="//evil.example" target=_blank onclick=alert(1)>x</a>`, "\x3cimg src=\"x\x00\" onerror=alert(1)>",
}

func TestHostileTextsRenderSafe(t *testing.T) {
	t.Parallel()
	dangerous := []string{"<script", "<img", "<svg", "<iframe", "<style", "<form", "<input", "<meta", "<base", "<object", "<details", "<math", "<link", "<embed", "onerror=", "onload=", "onclick=", "ontoggle=", "style=", "href=\"javascript", "href=\"data:", "href=\"vbscript", " id=", " class="}
	tags := func(html string) string { // what is inside of tags, where alone it could do something
		var b strings.Builder
		in := false
		for _, r := range html {
			if r == '<' {
				in = true
			}
			if in {
				b.WriteRune(r)
			}
			if r == '>' {
				in = false
			}
		}
		return strings.ToLower(b.String())
	}
	for _, attack := range attacks {
		source, err := exchange.Read("a.html", []byte(`<html lang="en"><head><title>A</title><meta name="hotline-id" content="a"></head><body><main><p>text</p>`+attack+`</main></body></html>`))
		if err != nil {
			t.Fatal(err)
		}
		got, _ := all(t, source)
		bodies := []string{attack, "text " + attack + " text", "> " + attack, "| a |\n|---|\n| " + attack + " |"}
		for _, in := range got {
			bodies = append(bodies, in.Body)
		}
		for _, body := range bodies {
			html := tags(string(knowledge.DocumentHTML(body)))
			for _, d := range dangerous {
				if strings.Contains(html, d) {
					t.Errorf("%q became %q", body, knowledge.RenderHTML(body))
				}
			}
		}
	}
}

func TestAPageOfHTMLBecomesMarkdown(t *testing.T) {
	t.Parallel()
	source, err := exchange.Read("fees.html", []byte(`<!doctype html><html lang="en"><head><title>Fees</title><meta name="description" content="20 a month."><meta name="keywords" content="fee, price"></head>
		<body><nav>menu</nav><main><h1>Fees</h1><p>It costs <strong>20</strong> a <a href="https://city.example/m">month</a>.</p><ul><li>cash</li><li>card</li></ul><script>x()</script></main></body></html>`))
	if err != nil {
		t.Fatal(err)
	}
	got, refused := all(t, source)
	if len(got) != 1 {
		t.Fatalf("%v", refused)
	}
	in := got[0]
	if in.ID != "fees" || in.Lang != "en" || in.Title != "Fees" || in.Summary != "20 a month." || len(in.Keywords) != 2 || in.Body != "It costs **20** a [month](https://city.example/m).\n\n- cash\n- card" {
		t.Errorf("%+v", in)
	}
}

// An article that goes out as HTML and comes back reads the same: its headings, lists, tables, links and emphasis are still there.
func TestHTMLKeepsTheShapeOfAText(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"headings": "Before.\n\n## Steps\n\nText.\n\n### Fees\n\nMore.\n\n# A large one\n\nEnd.",
		"lists":    "- one\n- two\n  - below\n  - beside\n- three\n\nThen:\n\n3. third\n4. fourth\n\n* other\n\n1. first",
		"table":    "| Income | Help |\n| --- | ---: |\n| up to 2,400 | **17** |\n| above \\| more | [none](https://city.example/none) |\n\nAfter it.",
		"links":    "See [the page](https://city.example/a?b=c&d=e), [ours](/a/other), [mail](mailto:a@city.example) or [call](tel:12345).",
		"emphasis": "**Bold**, *slanted*, ***both***, ~~gone~~ and `code` in a line.\nA second line\nand a third.",
		"quotes":   "> Said so.\n>\n> Twice.\n\n```\nform 3\n  line\n```\n\n---\n\nEnd.",
		"marks":    "2 * 3 = 6, a_b_c, [not a link], 1\\. not a list, # no heading, <b>, &amp; and 5 > 4. #1 +1 -1",
		"chinese":  "**办理**：带身份证。\n第二行。\n\n1. 填表\n2. 交费\n\n| 项目 | 费用 |\n| --- | --- |\n| 换证 | 10元 |",
	} {
		in := knowledge.Import{ID: "a", Lang: "en", Slug: "a", Title: "A title", Summary: "In short: <10.", Keywords: []string{"fee", "price"}, Body: body}
		var file bytes.Buffer
		if _, err := exchange.Write(&file, "html", give([]knowledge.Import{in})); err != nil {
			t.Fatal(err)
		}
		source, err := exchange.Read("a.zip", file.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		got, refused := all(t, source)
		if len(got) != 1 || len(refused) > 0 {
			t.Fatalf("%s: %v %v", name, got, refused)
		}
		if back := got[0]; back.Title != in.Title || back.Summary != in.Summary || !reflect.DeepEqual(back.Keywords, in.Keywords) {
			t.Errorf("%s: %+v", name, back)
		}
		if was, is := knowledge.DocumentHTML(body), knowledge.DocumentHTML(got[0].Body); was != is {
			t.Errorf("%s: reads\n%s\nwas\n%s\nas Markdown\n%s", name, is, was, got[0].Body)
		}
	}
}

// A page of somebody else's keeps its words and their shape, and nothing that loads or runs.
func TestForeignHTMLBecomesMarkdown(t *testing.T) {
	t.Parallel()
	source, err := exchange.Read("fees.html", []byte(`<html lang="en"><head><title>Fees</title></head><body><main><h1>Fees</h1><div>First</div><div>Second</div>
		<table><tr><td>Kind</td><td>Fee</td></tr><tr><td>New</td><td><b>10</b></td></tr></table><p>Picture: <img src="https://evil.example/p.gif" alt="a plan"></p>
		<p><a href="javascript:x()">press</a> <a href="https://city.example">go</a><iframe src="https://evil.example"></iframe></p></main></body></html>`))
	if err != nil {
		t.Fatal(err)
	}
	got, refused := all(t, source)
	if len(refused) > 0 || len(got) != 1 {
		t.Fatal(refused)
	}
	want := "First\n\nSecond\n\n| Kind | Fee |\n|---|---|\n| New | **10** |\n\nPicture:\n\npress [go](https://city.example)"
	if body := strings.TrimSpace(got[0].Body); body != want {
		t.Errorf("%q, want %q", body, want)
	}
}

// What spreadsheet programs make of a table that they call CSV: Chinese in GB 18030, columns between semicolons or tabs.
func TestTablesOfSpreadsheetProgramsAreRead(t *testing.T) {
	t.Parallel()
	chinese, err := simplifiedchinese.GB18030.NewEncoder().String("id,lang,title,body\na,zh-CN,夜间施工,可以投诉。\n")
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{
		"GB 18030":  chinese,
		"semicolon": "\xef\xbb\xbfid;lang;title;body\r\na;zh-CN;夜间施工;可以投诉。\r\n",
		"tab":       "id\tlang\ttitle\tbody\na\tzh-CN\t夜间施工\t可以投诉。\n",
	} {
		source, err := exchange.Read("a.csv", []byte(file))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, refused := all(t, source)
		if len(refused) != 0 || len(got) != 1 || got[0].Title != "夜间施工" || got[0].Body != "可以投诉。" || got[0].Lang != "zh-CN" {
			t.Errorf("%s: %+v, refused %v", name, got, refused)
		}
	}
	source, err := exchange.Read("a.csv", []byte("id,lang,title,body\na,en,Caf\xff\xff\xff,x\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, refused := all(t, source); len(refused) != 1 || !errors.Is(refused[0], knowledge.ErrImportEncoding) {
		t.Errorf("neither: refused %v", refused)
	}
	source, err = exchange.Read("a.md", []byte("---\ntitle: [x\nlang: en\n---\nText"))
	if err != nil {
		t.Fatal(err)
	}
	if _, refused := all(t, source); len(refused) != 1 || !errors.Is(refused[0], exchange.ErrHead) {
		t.Errorf("a broken head: refused %v", refused)
	}
}
