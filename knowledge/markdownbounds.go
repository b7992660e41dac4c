package knowledge

import (
	"bytes"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// Articles come from anywhere and are rendered for whoever opens them, so no
// text may cost more than its length. Some in Markdown would: quotes and lists
// inside one another without end, each looked at again on every line; brackets
// and backticks that begin something and end nothing, for each of which the rest
// of the paragraph is read; marks of emphasis that look back at one another; a
// word without end that may be an address. Beyond these bounds the marks are
// shown as what they are: text.
const (
	maxNesting = 16   // quotes and lists inside one another
	maxMisses  = 500  // brackets of a text that look like links and are none
	maxMarks   = 1000 // of emphasis in a paragraph
	maxAddress = 2000 // bytes of a word that may be a link
)

// blockParsers are Goldmark's own, those that nest within bounds.
func blockParsers() []util.PrioritizedValue {
	all := parser.DefaultBlockParsers()
	for i, p := range all {
		if inner := p.Value.(parser.BlockParser); inner == parser.NewListParser() || inner == parser.NewBlockquoteParser() {
			all[i].Value = boundedBlock{inner}
		}
	}
	return all
}

type boundedBlock struct{ parser.BlockParser }

func (b boundedBlock) Open(parent ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	depth := 0
	for n := parent; n != nil; n = n.Parent() {
		if k := n.Kind(); k == ast.KindBlockquote || k == ast.KindList {
			depth++
		}
	}
	if depth >= maxNesting {
		return nil, parser.NoChildren
	}
	return b.BlockParser.Open(parent, reader, pc)
}

// inlineParsers are Goldmark's own within bounds, and addresses in plain text.
func inlineParsers() []util.PrioritizedValue {
	all := parser.DefaultInlineParsers()
	for i, p := range all {
		switch inner := p.Value.(parser.InlineParser); inner {
		case parser.NewLinkParser():
			all[i].Value = boundedLinks{inner}
		case parser.NewCodeSpanParser():
			all[i].Value = boundedCode{inner}
		case parser.NewEmphasisParser():
			all[i].Value = boundedMarks{cjkMarks{inner}}
		}
	}
	return append(all, util.Prioritized(boundedMarks{extension.NewStrikethroughParser()}, 500), util.Prioritized(boundedWords{extension.NewLinkifyParser()}, 999))
}

type boundedLinks struct{ parser.InlineParser }

var missesKey = parser.NewContextKey()

func (l boundedLinks) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	misses, _ := pc.Get(missesKey).(int)
	if misses >= maxMisses {
		return nil
	}
	closing := block.Peek() == ']'
	n := l.InlineParser.Parse(parent, block, pc)
	if closing && n == nil {
		pc.Set(missesKey, misses+1)
	}
	return n
}

// CloseBlock implements parser.CloseBlocker, as the parser of links does.
func (l boundedLinks) CloseBlock(parent ast.Node, block text.Reader, pc parser.Context) {
	l.InlineParser.(parser.CloseBlocker).CloseBlock(parent, block, pc)
}

// boundedCode remembers which runs of backticks have no other end in a
// paragraph: what one of them has looked for in vain no later one finds.
type boundedCode struct{ parser.InlineParser }

var loneKey = parser.NewContextKey()

func (c boundedCode) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	line, at := block.PeekLine()
	n := len(line) - len(bytes.TrimLeft(line, "`"))
	lone, _ := pc.Get(loneKey).(map[int]bool)
	if lone[n] {
		block.Advance(n)
		return ast.NewTextSegment(at.WithStop(at.Start + n))
	}
	node := c.InlineParser.Parse(parent, block, pc)
	if node != nil && node.Kind() != ast.KindCodeSpan {
		if lone == nil {
			lone = map[int]bool{}
			pc.Set(loneKey, lone)
		}
		lone[n] = true
	}
	return node
}

// CloseBlock implements parser.CloseBlocker: the next paragraph has runs of its own.
func (c boundedCode) CloseBlock(_ ast.Node, _ text.Reader, pc parser.Context) {
	if pc.Get(loneKey) != nil {
		pc.Set(loneKey, nil)
	}
}

// boundedMarks counts the marks of emphasis in a paragraph: each that may end some looks back at those that may have begun it. A run of tildes
// that strikes nothing out is taken as a whole instead of again from each of its characters.
type boundedMarks struct{ parser.InlineParser }

var marksKey = parser.NewContextKey()

func (m boundedMarks) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	marks, _ := pc.Get(marksKey).(int)
	line, at := block.PeekLine()
	n := len(line) - len(bytes.TrimLeft(line, string(line[0])))
	if marks >= maxMarks || line[0] == '~' && n > 2 {
		block.Advance(n)
		return ast.NewTextSegment(at.WithStop(at.Start + n))
	}
	node := m.InlineParser.Parse(parent, block, pc)
	if node != nil {
		pc.Set(marksKey, marks+1)
	}
	return node
}

// CloseBlock implements parser.CloseBlocker: the next paragraph is counted anew.
func (m boundedMarks) CloseBlock(_ ast.Node, _ text.Reader, pc parser.Context) {
	if pc.Get(marksKey) != nil {
		pc.Set(marksKey, nil)
	}
}

type boundedWords struct{ parser.InlineParser }

func (w boundedWords) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	line, _ := block.PeekLine()
	if len(line) > maxAddress && !bytes.ContainsAny(line[1:maxAddress], " \t\n<") {
		return nil
	}
	return w.InlineParser.Parse(parent, block, pc)
}
