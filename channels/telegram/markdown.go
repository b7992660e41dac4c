package telegram

import (
	"html"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/go-telegram/bot/models"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
)

// What the bot says is Markdown. Telegram gets it as plain text with entities, places in the text with a meaning: nothing has to be escaped,
// so nothing that somebody wrote can become markup. Entities count UTF-16 units (https://core.telegram.org/bots/api#messageentity).

// maxEntities is how many Telegram reads of one message.
const maxEntities = 100

// rich is a text with its entities.
type rich struct {
	b        strings.Builder
	units    int // of b, in UTF-16
	entities []models.MessageEntity
}

func (r *rich) write(s string) {
	r.b.WriteString(s)
	r.units += units(s)
}

// mark puts what do writes into an entity, without the line breaks at its end.
func (r *rich) mark(e models.MessageEntity, do func()) {
	e.Offset = r.units
	at := r.b.Len()
	do()
	written := strings.TrimRight(r.b.String()[at:], "\n ")
	if e.Length = units(written); e.Length > 0 {
		r.entities = append(r.entities, e)
	}
}

func units(s string) int {
	n := 0
	for _, c := range s {
		n += max(utf16.RuneLen(c), 1)
	}
	return n
}

var markdown = goldmark.New(goldmark.WithExtensions(extension.Table, extension.Strikethrough)).Parser()

// markdownTo writes Markdown. HTML in it stays the text it is; links that are no web address are written out.
func (r *rich) markdownTo(md string) {
	src := []byte(md)
	r.blocks(markdown.Parse(text.NewReader(src)), src, "")
}

// blocks writes the blocks below a node, with an empty line between them; indent stands in front of each line of a list.
func (r *rich) blocks(parent ast.Node, src []byte, indent string) {
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		r.block(n, src, indent)
		if n.NextSibling() == nil {
			continue
		}
		r.write("\n")
		if _, tight := n.(*ast.TextBlock); !tight {
			r.write("\n")
		}
	}
}

func (r *rich) block(n ast.Node, src []byte, indent string) {
	switch n := n.(type) {
	case *ast.Heading:
		r.mark(models.MessageEntity{Type: models.MessageEntityTypeBold}, func() { r.inline(n, src) })
	case *ast.List:
		number := n.Start
		for item := n.FirstChild(); item != nil; item = item.NextSibling() {
			bullet := "• "
			if n.IsOrdered() {
				bullet = strconv.Itoa(number) + ". "
				number++
			}
			r.write(indent + bullet)
			for c := item.FirstChild(); c != nil; c = c.NextSibling() {
				r.block(c, src, indent+"   ")
				if c.NextSibling() != nil {
					r.write("\n")
				}
			}
			if item.NextSibling() != nil {
				r.write("\n")
			}
		}
	case *ast.Blockquote:
		r.mark(models.MessageEntity{Type: models.MessageEntityTypeBlockquote}, func() { r.blocks(n, src, indent) })
	case *ast.FencedCodeBlock, *ast.CodeBlock:
		r.mark(models.MessageEntity{Type: models.MessageEntityTypePre}, func() { r.lines(n, src) })
	case *ast.HTMLBlock:
		r.lines(n, src)
	case *ast.ThematicBreak:
		r.write("———")
	case *extast.Table:
		r.table(n, src)
	default:
		r.inline(n, src)
	}
}

func (r *rich) lines(n ast.Node, src []byte) {
	lines := n.Lines()
	out := ""
	for i := range lines.Len() {
		at := lines.At(i)
		out += string(at.Value(src))
	}
	r.write(strings.TrimRight(out, "\n"))
}

// table writes a row a line: a telephone is too narrow for columns.
func (r *rich) table(n *extast.Table, src []byte) {
	for row := n.FirstChild(); row != nil; row = row.NextSibling() {
		line := func() {
			for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
				r.inline(cell, src)
				if cell.NextSibling() != nil {
					r.write(" · ")
				}
			}
		}
		if _, head := row.(*extast.TableHeader); head {
			r.mark(models.MessageEntity{Type: models.MessageEntityTypeBold}, line)
		} else {
			line()
		}
		if row.NextSibling() != nil {
			r.write("\n")
		}
	}
}

func (r *rich) inline(parent ast.Node, src []byte) {
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Text:
			r.write(plainText(n.Segment.Value(src), n.IsRaw()))
			if n.SoftLineBreak() || n.HardLineBreak() {
				r.write("\n")
			}
		case *ast.String:
			r.write(string(n.Value))
		case *ast.CodeSpan:
			r.mark(models.MessageEntity{Type: models.MessageEntityTypeCode}, func() { r.inline(n, src) })
		case *ast.Emphasis:
			kind := models.MessageEntityTypeItalic
			if n.Level > 1 {
				kind = models.MessageEntityTypeBold
			}
			r.mark(models.MessageEntity{Type: kind}, func() { r.inline(n, src) })
		case *extast.Strikethrough:
			r.mark(models.MessageEntity{Type: models.MessageEntityTypeStrikethrough}, func() { r.inline(n, src) })
		case *ast.Link:
			r.link(string(n.Destination), func() { r.inline(n, src) })
		case *ast.Image:
			r.link(string(n.Destination), func() { r.inline(n, src) })
		case *ast.AutoLink:
			r.write(string(n.Label(src))) // Telegram sees web addresses itself
		case *ast.RawHTML:
			for i := range n.Segments.Len() {
				at := n.Segments.At(i)
				r.write(string(at.Value(src)))
			}
		default:
			r.inline(n, src)
		}
	}
}

// link makes words lead to a web address; any other destination is written behind them, to be read and not to be tapped.
func (r *rich) link(to string, words func()) {
	if u, err := url.Parse(to); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" {
		r.mark(models.MessageEntity{Type: models.MessageEntityTypeTextLink, URL: u.String()}, words)
		return
	}
	words()
	if to != "" {
		r.write(" (" + to + ")")
	}
}

// plainText takes the backslashes away with which Markdown escapes signs.
func plainText(s []byte, raw bool) string {
	if raw {
		return string(s)
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && strings.IndexByte("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", s[i+1]) >= 0 {
			i++
		}
		b.WriteByte(s[i])
	}
	return html.UnescapeString(b.String())
}

// piece is a part of a text that fits into one message.
type piece struct {
	text     string
	entities []models.MessageEntity
}

// pieces cuts a text into messages and gives each its entities; one that a cut goes through is continued.
func (r *rich) pieces(limit int) []piece {
	var out []piece
	whole := r.b.String()
	from, at := 0, 0 // bytes and UTF-16 units that are behind
	for _, s := range split(whole, limit) {
		skip := strings.Index(whole[from:], s)
		if skip < 0 {
			break
		}
		begin := at + units(whole[from:from+skip])
		p := piece{text: s}
		end := begin + units(s)
		for _, e := range r.entities {
			low, high := max(e.Offset, begin), min(e.Offset+e.Length, end)
			if low < high && len(p.entities) < maxEntities {
				e.Offset, e.Length = low-begin, high-low
				p.entities = append(p.entities, e)
			}
		}
		out = append(out, p)
		from, at = from+skip+len(s), end
	}
	return out
}
