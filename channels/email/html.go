package email

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// htmlText reads the HTML of a mail as text: blocks are lines, links keep their address, and what programs mark as quoted is left out.
func htmlText(source string) string {
	doc, err := html.Parse(strings.NewReader(source))
	if err != nil { // the parser takes everything but a broken reader
		return ""
	}
	var w textWriter
	w.node(doc, 0)
	lines := strings.Split(w.b.String(), "\n")
	out, item := lines[:0], false
	for _, l := range lines {
		l = strings.TrimSpace(l)
		switch n := len(out); {
		case l == "" && (n == 0 || out[n-1] == ""): // one blank line is enough
			continue
		case strings.HasPrefix(l, "- ") && item && out[n-1] == "":
			out = out[:n-1]
		}
		if l != "" {
			item = strings.HasPrefix(l, "- ")
		}
		out = append(out, l)
	}
	return strings.TrimSpace(strings.Join(out, "\n"))
}

type textWriter struct {
	b   strings.Builder
	pre int
}

// quoted: how Thunderbird and Apple, Gmail, Outlook, QQ and NetEase mark what they quote.
func quoted(n *html.Node) bool {
	if n.DataAtom == atom.Blockquote && attr(n, "type") == "cite" {
		return true
	}
	for class := range strings.FieldsSeq(attr(n, "class")) {
		switch class {
		case "gmail_quote", "gmail_quote_container", "moz-cite-prefix", "yahoo_quoted", "qmbox", "ntes_reply", "protonmail_quote":
			return true
		}
	}
	switch attr(n, "id") {
	case "divRplyFwdMsg", "isReplyContent", "ntes-reply", "mail-editor-reference-message-container":
		return true
	}
	return false
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func (w *textWriter) node(n *html.Node, depth int) {
	if depth > 400 { // nobody writes like that, and a stack has an end
		return
	}
	switch n.Type {
	case html.TextNode:
		if w.pre > 0 {
			w.b.WriteString(n.Data)
			return
		}
		words := strings.Join(strings.FieldsFunc(n.Data, func(r rune) bool {
			return r == ' ' || r == '\n' || r == '\t' || r == '\r' || r == '\f' || r == '\u00a0'
		}), " ")
		if strings.HasPrefix(n.Data, words) || strings.HasSuffix(w.b.String(), " ") {
			w.b.WriteString(words)
		} else {
			w.b.WriteString(" " + words)
		}
		if words != "" && !strings.HasSuffix(n.Data, words[len(words)-1:]) {
			w.b.WriteByte(' ')
		}
		return
	case html.ElementNode:
		switch n.DataAtom {
		case atom.Script, atom.Style, atom.Head, atom.Title, atom.Template, atom.Noscript:
			return
		case atom.Br:
			w.b.WriteByte('\n')
			return
		}
		if quoted(n) {
			w.b.WriteString("\n")
			return
		}
	}
	block := blocks[n.DataAtom]
	if block {
		w.b.WriteByte('\n')
	}
	switch n.DataAtom {
	case atom.Li:
		w.b.WriteString("- ")
	case atom.Pre:
		w.pre++
		defer func() { w.pre-- }()
	}
	from := w.b.Len()
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		w.node(c, depth+1)
	}
	switch n.DataAtom {
	case atom.A:
		href, words := strings.TrimSpace(attr(n, "href")), strings.TrimSpace(w.b.String()[from:])
		if (strings.HasPrefix(href, "http://") || strings.HasPrefix(href, "https://")) && !strings.Contains(words, strings.TrimSuffix(href, "/")) {
			w.b.WriteString(" (" + href + ")")
		}
	case atom.Td, atom.Th:
		w.b.WriteByte(' ')
	case atom.P:
		w.b.WriteByte('\n')
	}
	if block {
		w.b.WriteByte('\n')
	}
}

var blocks = map[atom.Atom]bool{atom.P: true, atom.Div: true, atom.Tr: true, atom.Table: true, atom.Li: true, atom.Ul: true, atom.Ol: true, atom.H1: true, atom.H2: true, atom.H3: true,
	atom.H4: true, atom.Blockquote: true, atom.Pre: true, atom.Hr: true, atom.Section: true, atom.Article: true, atom.Header: true, atom.Footer: true}
