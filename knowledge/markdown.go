package knowledge

import (
	"bytes"
	"html/template"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// table aligns cells by attribute, as the policy below allows no styles.
var table = extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute))

// markdown is safe for concurrent use; raw HTML in an article is dropped. A
// line break stays one: imported texts are lines, and between Chinese
// characters Markdown's space for it would be wrong.
var markdown = goldmark.New(
	goldmark.WithParser(parser.NewParser(parser.WithBlockParsers(blockParsers()...), parser.WithInlineParsers(inlineParsers()...),
		parser.WithParagraphTransformers(parser.DefaultParagraphTransformers()...))),
	goldmark.WithExtensions(table), goldmark.WithRendererOptions(html.WithHardWraps(), renderer.WithNodeRenderers(util.Prioritized(extension.NewStrikethroughHTMLRenderer(), 500))))

// htmlPolicy is the second wall behind Goldmark: structure, emphasis, tables
// and links to ordinary addresses. No pictures, because one from elsewhere
// would tell its owner who reads the article; no ids and no styles.
var htmlPolicy = func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("h1", "h2", "h3", "h4", "h5", "h6", "p", "br", "hr", "blockquote", "pre", "code", "ul", "ol", "li",
		"strong", "em", "del", "table", "thead", "tbody", "tr", "th", "td")
	p.AllowAttrs("start").Matching(bluemonday.Integer).OnElements("ol")
	p.AllowAttrs("align").Matching(bluemonday.CellAlign).OnElements("th", "td")
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("http", "https", "mailto", "tel")
	p.AllowRelativeURLs(true)
	p.RequireParseableURLs(true)
	p.RequireNoFollowOnFullyQualifiedLinks(true)
	p.RequireNoReferrerOnFullyQualifiedLinks(true)
	return p
}()

// RenderHTML turns an article's Markdown into HTML that is safe to put on any
// page, whoever wrote it. The page has a heading already, so that of the text
// begins at the second level; a table has a box that it can be scrolled in.
func RenderHTML(md string) template.HTML { return template.HTML(inPage.Replace(render(md))) }

// Attributes may hold neither < nor >, so what looks like these tags is one.
var inPage = strings.NewReplacer("<h1>", "<h2>", "</h1>", "</h2>", "<table>", `<div class="table-scroll" tabindex="0" role="group"><table>`, "</table>", "</table></div>")

// DocumentHTML is RenderHTML for a document of its own, with the headings as
// they were written.
func DocumentHTML(md string) template.HTML { return template.HTML(render(md)) }

func render(md string) string {
	md = cleanText(strings.ToValidUTF8(md, "\uFFFD")) // a preview shows what is not saved yet, and saving cleans it
	var out bytes.Buffer
	if err := markdown.Convert([]byte(md), &out); err != nil {
		// A buffer does not fail to write; should rendering ever, the text is
		// still shown, as text.
		return "<p>" + template.HTMLEscapeString(md) + "</p>"
	}
	return htmlPolicy.Sanitize(out.String())
}

// PlainText is an article's Markdown as text: one line a block, without marks,
// addresses of links or raw HTML.
func PlainText(md string) string {
	src := []byte(strings.ToValidUTF8(md, "\uFFFD"))
	var b strings.Builder
	line := func() {
		if s := b.String(); s != "" && !strings.HasSuffix(s, "\n") {
			b.WriteByte('\n')
		}
	}
	doc := markdown.Parser().Parse(text.NewReader(src), parser.WithContext(parser.NewContext()))
	err := ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if n.Type() == ast.TypeBlock {
			if _, cell := n.(*extast.TableCell); cell {
				if !entering {
					b.WriteByte(' ')
				}
				return ast.WalkContinue, nil
			}
			line()
		}
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Text:
			b.Write(n.Segment.Value(src))
			if n.HardLineBreak() || n.SoftLineBreak() {
				line()
			}
		case *ast.String:
			b.Write(n.Value)
		case *ast.AutoLink:
			b.Write(n.Label(src))
		case *ast.CodeBlock, *ast.FencedCodeBlock:
			for i := range n.Lines().Len() {
				seg := n.Lines().At(i)
				b.Write(seg.Value(src))
			}
		case *ast.HTMLBlock, *ast.RawHTML, *ast.Image:
			return ast.WalkSkipChildren, nil
		}
		return ast.WalkContinue, nil
	})
	if err != nil { // the walker above returns none
		return md
	}
	return strings.TrimSpace(b.String())
}
