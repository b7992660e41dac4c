package knowledge

import (
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// cjkMarks lets emphasis begin and end beside Chinese, which has no spaces
// between words. By CommonMark's rule "**费用：**免费" shows its marks, as a mark
// behind a punctuation sign ends nothing unless a space follows. Here Chinese
// beside a mark counts as the space would, and its punctuation as a character.
type cjkMarks struct{ parser.InlineParser }

func (m cjkMarks) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	before := block.PrecendingCharacter()
	line, _ := block.PeekLine()
	node := m.InlineParser.Parse(parent, block, pc)
	d, ok := node.(*parser.Delimiter)
	if !ok || d.Char != '*' {
		return node
	}
	after := ' '
	if rest := line[d.OriginalLength:]; len(rest) > 0 {
		after, _ = utf8.DecodeRune(rest)
	}
	beside := func(near, far rune) bool {
		return !util.IsSpaceRune(near) && (cjkSign(near) || util.IsPunctRune(near) && cjkSign(far))
	}
	d.CanOpen = d.CanOpen || beside(after, before)
	d.CanClose = d.CanClose || beside(before, after)
	return node
}

// cjkSign: a character of Chinese, Japanese or Korean, or a sign of their punctuation.
func cjkSign(r rune) bool {
	return unspaced(r) || r > 0x3000 && r <= 0x303f || r >= 0xff01 && r <= 0xff65
}
