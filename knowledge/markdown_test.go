package knowledge_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"hotline/knowledge"
)

func TestRenderHTML(t *testing.T) {
	t.Parallel()
	got := string(knowledge.RenderHTML("## 办理\n\n1. **带** 身份证\n2. 交费\n第二行\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n[site](https://example.org) [page](/a/x) [call](tel:12345)"))
	for _, want := range []string{"<h2>办理</h2>", "<strong>带</strong>", "交费<br", `<td align="right">2</td>`,
		`href="https://example.org" rel="nofollow noreferrer"`, `href="/a/x"`, `href="tel:12345"`} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in %s", want, got)
		}
	}
}

func TestEmphasisBesideChinese(t *testing.T) {
	t.Parallel()
	for md, want := range map[string]string{
		"**费用：**免费":     "<strong>费用：</strong>免费",
		"请带**“身份证”**原件": "请带<strong>“身份证”</strong>原件",
		"请带**（原件）**来":   "请带<strong>（原件）</strong>来",
		"**5元。***注意*：":  "<strong>5元。</strong><em>注意</em>：",
		"见*《办法》*第3条":    "见<em>《办法》</em>第3条",
		"**Fee:** none": "<strong>Fee:</strong> none",
		"3 * 4 ** 5":    "3 * 4 ** 5", // what is no emphasis stays none
		"免费 ** 免费":      "免费 ** 免费",
		"**Fee:**none":  "**Fee:**none",
	} {
		if got := string(knowledge.RenderHTML(md)); got != "<p>"+want+"</p>\n" {
			t.Errorf("%s renders to %s, want %s", md, got, want)
		}
	}
	if got := knowledge.PlainText("**费用：**免费"); got != "费用：免费" {
		t.Errorf("as text %q", got)
	}
}

var harmful = regexp.MustCompile(`(?i)<\s*(script|style|img|iframe|svg|object|embed|form|input|math|base|meta|link)|\son\w+\s*=|(href|src)\s*=\s*"?\s*(javascript|data|vbscript)\s*(:|&)|\sstyle\s*=|\sid\s*=`)

var hostile = []string{
	"<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))", "[x](  jAvAsCrIpT&#58;alert(1))", "![x](javascript:alert(1))",
	"[x](data:text/html;base64,PHNjcmlwdD4=)", "<a href='vbscript:x'>y</a>", "<svg/onload=alert(1)>", "<div style=\"position:fixed\">x</div>",
	"`<script>`", "```html\n<script>alert(1)</script>\n```", "[x]: javascript:alert(1)\n[x]", "<javascript:alert(1)>", "<iframe src=//evil>", "<!-- --><script>x</script>",
	"![pixel](https://evil.example/p.gif)", "<math><mtext></mtext><script>x</script></math>", "[a\"onmouseover=alert(1) x](http://x \"y\\\" onclick=alert(1)\")",
	strings.Repeat("[", 5000), strings.Repeat("> ", 2000) + "x", strings.Repeat("*a", 5000), "\xff\xfe\x00<b onclick=x>", "| a |\n|---|\n| <script>x</script> |",
}

func TestHostileMarkdownIsHarmless(t *testing.T) {
	t.Parallel()
	for _, md := range hostile {
		if got := string(knowledge.RenderHTML(md)); harmful.MatchString(got) {
			t.Errorf("%.60q renders to %.200s", md, got)
		}
		if got := knowledge.PlainText(md); strings.Contains(got, "<script>alert") && !strings.Contains(md, "`") {
			t.Errorf("%.60q as text is %q", md, got)
		}
	}
}

// A text costs what its length costs, whatever it is made of: each of these took between eight seconds and two minutes. The machine may be busy, so
// the measure is an ordinary text of the same length, rendered beside each, and what was slow once may have been held up: it is asked again.
func TestHostileMarkdownIsQuick(t *testing.T) {
	t.Parallel()
	const paragraph = "See [the page](https://example.org/a) and **this** or `that`, [1], ~~not~~ www.example.org.\n\n- a point\n- another\n\n"
	ordinary := strings.Repeat(paragraph, knowledge.MaxBody/len(paragraph))
	for _, unit := range []string{"[a](", "> ", "1. ", "``- \n\\", "~~", "www._*", "[a][", "[a](x \"", "- > "} {
		md := "**x** " + strings.Repeat(unit, knowledge.MaxBody/len(unit))
		if unit == "> " || unit == "1. " {
			md = md[len("**x** "):] + "x" // blocks begin the line
		}
		render := func(md string) (html, text string, took time.Duration) {
			start := time.Now()
			html, text = string(knowledge.RenderHTML(md)), knowledge.PlainText(md)
			return html, text, time.Since(start)
		}
		var html, text string
		for tries := 1; ; tries++ {
			var usual, took time.Duration
			_, _, usual = render(ordinary)
			html, text, took = render(md)
			t.Logf("%q: %.1f times an ordinary text", unit, float64(took)/float64(usual))
			if took <= 50*usual {
				break
			}
			if tries == 3 {
				t.Fatalf("%q over and over took %v, an ordinary text %v", unit, took, usual)
			}
		}
		if len(html) == 0 || len(text) == 0 {
			t.Errorf("%q over and over is nothing", unit)
		}
	}
}

func TestWhatIsOrdinaryIsNotBounded(t *testing.T) {
	t.Parallel()
	deep := ""
	for i := range 10 {
		deep += strings.Repeat("  ", i) + "- level\n"
	}
	links := strings.Repeat("See [the page](https://example.org/a) and **this** or `that`, [1], ~~not~~ www.example.org.\n\n", 400)
	if got := string(knowledge.RenderHTML(deep)); strings.Count(got, "<ul>") != 10 {
		t.Errorf("ten levels are %s", got)
	}
	got := string(knowledge.RenderHTML(links))
	for what, want := range map[string]int{`href="https://example.org/a"`: 400, "<strong>this</strong>": 400, "<code>that</code>": 400, "<del>not</del>": 400, `href="http://www.example.org"`: 400} {
		if n := strings.Count(got, what); n != want {
			t.Errorf("%s is there %d times, want %d", what, n, want)
		}
	}
	if got := string(knowledge.RenderHTML("# A\n\n| a |\n|---|\n| 1 |")); !strings.HasPrefix(got, "<h2>A</h2>") || !strings.Contains(got, `role="group"><table>`) {
		t.Errorf("on a page: %s", got)
	}
	if got := string(knowledge.DocumentHTML("# A\n\n| a |\n|---|\n| 1 |")); !strings.HasPrefix(got, "<h1>A</h1>\n<table>") {
		t.Errorf("as a document: %s", got)
	}
}

func FuzzMarkdown(f *testing.F) {
	for _, md := range hostile[:12] {
		f.Add(md)
	}
	f.Fuzz(func(t *testing.T, md string) {
		if len(md) > 10_000 {
			return
		}
		got := string(knowledge.RenderHTML(md))
		// Escaped text may say anything; only what is inside a tag counts.
		for _, tag := range regexp.MustCompile(`<[^>]*>`).FindAllString(got, -1) {
			if harmful.MatchString(tag) {
				t.Fatalf("%q renders to %q", md, got)
			}
		}
		knowledge.PlainText(md)
	})
}

func TestPlainText(t *testing.T) {
	t.Parallel()
	got := knowledge.PlainText("# Title\n\nSome **bold** and [a link](https://x.example).\nNext line\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n    code\n")
	want := "Title\nSome bold and a link.\nNext line\none\ntwo\na b \n1 2 \ncode"
	if got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestExcerpt(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("Nothing to see in this sentence. ", 30) + "The passport office opens at nine & closes <early>. " + strings.Repeat("More words follow here. ", 30)
	s := knowledge.Excerpt("when does the passport office open?", long)
	if html := string(s.HTML()); !strings.Contains(html, "<mark>passport</mark> <mark>office</mark> <mark>opens</mark> at nine &amp; closes &lt;early&gt;") {
		t.Errorf("snippet %s", html)
	}
	if !strings.HasPrefix(s.Text(), "… The passport") || !strings.HasSuffix(s.Text(), " …") {
		t.Errorf("snippet %q does not begin with its sentence", s.Text())
	}
	zh := knowledge.Excerpt("身份证怎么补办", strings.Repeat("其他事项的说明。", 60)+"居民身份证丢失后，可以补办。")
	if html := string(zh.HTML()); !strings.Contains(html, "居民<mark>身份证</mark>丢失后，可以<mark>补办</mark>。") {
		t.Errorf("Chinese snippet %s", html)
	}
	if got := knowledge.Excerpt("passport", "").Text(); got != "" {
		t.Errorf("snippet of nothing: %q", got)
	}
	if got := knowledge.Excerpt("zebra", "Short text.").Text(); got != "Short text." {
		t.Errorf("without a match: %q", got)
	}
}

// What turns text round is taken out when an article is saved; a preview of what is not saved yet must not show it either.
func TestRenderHTMLTakesOutWhatTurnsTextRound(t *testing.T) {
	t.Parallel()
	if got := string(knowledge.RenderHTML("an invoice\u202efdp.exe and \u2066hidden\u2069 words")); got != "<p>an invoicefdp.exe and hidden words</p>\n" {
		t.Errorf("%q", got)
	}
}
