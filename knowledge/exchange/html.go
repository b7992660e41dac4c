package exchange

import (
	"archive/zip"
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"github.com/JohannesKaufmann/html-to-markdown/v2/converter"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/base"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/commonmark"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/strikethrough"
	tables "github.com/JohannesKaufmann/html-to-markdown/v2/plugin/table"
	"github.com/microcosm-cc/bluemonday"
	"golang.org/x/net/html"

	"hotline/knowledge"
)

// harmless keeps what says something and what holds it apart; of what it drops the words stay. Pictures are dropped: an article shows none.
var harmless = func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("h1", "h2", "h3", "h4", "h5", "h6", "p", "br", "hr", "blockquote", "pre", "code", "ul", "ol", "li", "dl", "dt", "dd", "strong", "b", "em", "i", "del", "s",
		"table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "div", "section", "article", "main", "header", "footer", "address", "figure", "figcaption", "details", "summary")
	p.AllowAttrs("start").Matching(bluemonday.Integer).OnElements("ol")
	p.AllowAttrs("align").Matching(bluemonday.CellAlign).OnElements("th", "td")
	p.AllowAttrs("colspan", "rowspan").Matching(bluemonday.Integer).OnElements("th", "td")
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("http", "https", "mailto", "tel")
	p.AllowRelativeURLs(true)
	p.RequireParseableURLs(true)
	p.RequireNoFollowOnLinks(false)
	return p
}()

var converting = converter.NewConverter(converter.WithPlugins(base.NewBasePlugin(), commonmark.NewCommonmarkPlugin(commonmark.WithListEndComment(false)), strikethrough.NewStrikethroughPlugin(),
	tables.NewTablePlugin(tables.WithHeaderPromotion(true), tables.WithSpanCellBehavior(tables.SpanBehaviorMirror), tables.WithCellPaddingBehavior(tables.CellPaddingBehaviorMinimal))))

// page makes Markdown of an HTML page: first whatever can run, load or dress up is taken out, then structure becomes marks.
func page(source string) (knowledge.Import, error) {
	var in knowledge.Import
	doc, err := html.Parse(strings.NewReader(source))
	if err != nil {
		return in, ErrBroken.Wrap(err)
	}
	var body *html.Node
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		attr := func(key string) string {
			for _, a := range n.Attr {
				if a.Key == key {
					return a.Val
				}
			}
			return ""
		}
		switch n.Data {
		case "html":
			in.Lang = attr("lang")
		case "title":
			if n.FirstChild != nil && in.Title == "" {
				in.Title = n.FirstChild.Data
			}
		case "meta":
			switch content := attr("content"); attr("name") {
			case "hotline-id":
				in.ID = content
			case "hotline-key":
				in.Key = content
			case "hotline-topic":
				in.Topic = content
			case "description":
				in.Summary = content
			case "keywords":
				in.Keywords = list(strings.ReplaceAll(content, ",", "\n"))
			}
		case "main", "article", "body":
			if body == nil || n.Data == "main" || body.Data == "body" && n.Data == "article" {
				body = n
			}
		}
	}
	var b bytes.Buffer
	if body != nil {
		if err := html.Render(&b, body); err != nil {
			return in, ErrBroken.Wrap(err)
		}
	}
	text, err := converting.ConvertString(harmless.Sanitize(b.String()))
	if err != nil {
		return in, ErrBroken.Wrap(err)
	}
	in.Body = tight(text)
	if line, rest, _ := strings.Cut(in.Body, "\n"); strings.HasPrefix(line, "# ") {
		if in.Title == "" || strings.TrimSpace(line[2:]) == strings.TrimSpace(in.Title) {
			in.Title, in.Body = strings.TrimSpace(line[2:]), rest
		}
	}
	return in, nil
}

var listItem = regexp.MustCompile(`^\s*([-*+]|\d{1,9}[.)]) `)

// tight takes out the blank line that the converter sets between an item and the list within it, which would set every item of the list apart.
func tight(md string) string {
	lines := strings.Split(md, "\n")
	out := make([]string, 0, len(lines))
	for i, line := range lines {
		if i > 0 && i+1 < len(lines) && strings.TrimSpace(line) == "" && listItem.MatchString(lines[i-1]) && listItem.MatchString(lines[i+1]) && indent(lines[i+1]) > indent(lines[i-1]) {
			continue
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// writeHTML writes an article as a page of its own. It is opened from a disk, where no server says what it may load: it says so itself.
func writeHTML(z *zip.Writer, name string, in knowledge.Import) error {
	f, err := z.Create(name)
	if err != nil {
		return err
	}
	e := html.EscapeString
	_, err = fmt.Fprintf(f, `<!doctype html>
<html lang="%s"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'"><title>%s</title><meta name="hotline-id" content="%s"><meta name="hotline-key" content="%s"><meta name="hotline-topic" content="%s"><meta name="description" content="%s"><meta name="keywords" content="%s"></head>
<body><main><h1>%s</h1>
%s</main></body></html>
`, e(in.Lang), e(in.Title), e(in.ID), e(in.Key), e(in.Topic), e(in.Summary), e(strings.Join(in.Keywords, ", ")), e(in.Title), knowledge.DocumentHTML(in.Body))
	return err
}
