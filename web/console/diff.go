package console

import (
	"strings"
	"unicode"
)

// diffLine is a line of a comparison: "" kept, "+" added, "-" removed, "…" a part left out. Parts, where a line has them, are its text with the
// words marked that differ from the line it was or became.
type diffLine struct {
	Op, Text string
	Parts    []diffPart
}

type diffPart struct {
	Text string
	Mark bool
}

// maxDiff bounds the table of the longest common subsequence; longer texts are shown as removed and added.
const maxDiff = 1500

// diff compares two texts line by line.
func diff(before, after string) []diffLine {
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	var out []diffLine
	if len(a) > maxDiff || len(b) > maxDiff {
		for _, s := range a {
			out = append(out, diffLine{Op: "-", Text: s})
		}
		for _, s := range b {
			out = append(out, diffLine{Op: "+", Text: s})
		}
		return out
	}
	for _, step := range common(a, b) {
		out = append(out, diffLine{Op: step.op, Text: step.text})
	}
	markWords(out)
	return fold(out)
}

type diffStep struct{ op, text string }

// common walks along the longest common subsequence of two lists.
func common(a, b []string) []diffStep {
	// length[i][j] is the longest common subsequence of a[i:] and b[j:].
	length := make([][]int32, len(a)+1)
	for i := range length {
		length[i] = make([]int32, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				length[i][j] = length[i+1][j+1] + 1
			} else {
				length[i][j] = max(length[i+1][j], length[i][j+1])
			}
		}
	}
	out := make([]diffStep, 0, len(a)+len(b))
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			out = append(out, diffStep{"", a[i]})
			i, j = i+1, j+1
		case i < len(a) && (j == len(b) || length[i+1][j] >= length[i][j+1]):
			out = append(out, diffStep{"-", a[i]})
			i++
		default:
			out = append(out, diffStep{"+", b[j]})
			j++
		}
	}
	return out
}

// markWords pairs each run of removed lines with the added lines behind it and marks, in those that are one line changed, the words that differ.
func markWords(all []diffLine) {
	left := maxCells
	for i := 0; i < len(all); {
		if all[i].Op != "-" {
			i++
			continue
		}
		removed := i
		for i < len(all) && all[i].Op == "-" {
			i++
		}
		added := i
		for i < len(all) && all[i].Op == "+" {
			i++
		}
		pairLines(all[removed:added], all[added:i], &left)
	}
}

// Bounds of comparing two lines word by word, of looking for the best pairs of lines, and of the tables of all those comparisons together: where much was
// written anew, what lies behind that is marked by line.
const (
	maxWords = 1000
	maxPairs = 100
	maxCells = 30_000_000
)

// pairLines marks the words that differ in lines that became others. Of all ways to pair them in order it takes the one that keeps most: a new title that has a
// few words of the summary is not what the summary became.
func pairLines(was, is []diffLine, left *int) {
	before, after := wordsOf(was), wordsOf(is)
	if len(was)*len(is) > maxPairs { // much is new: the first that will do
		next := 0
		for j := range is {
			for i := next; i < len(was); i++ {
				if steps, kept := changed(before[i], after[j], left); kept > 0 {
					mark(&was[i], &is[j], steps)
					next = i + 1
					break
				}
			}
		}
		return
	}
	steps, kept := make([][][]diffStep, len(was)), make([][]int, len(was))
	best := make([][]int, len(was)+1) // best[i][j] is the most that was[i:] and is[j:] keep
	best[len(was)] = make([]int, len(is)+1)
	for i := len(was) - 1; i >= 0; i-- {
		steps[i], kept[i], best[i] = make([][]diffStep, len(is)), make([]int, len(is)), make([]int, len(is)+1)
		for j := len(is) - 1; j >= 0; j-- {
			steps[i][j], kept[i][j] = changed(before[i], after[j], left)
			best[i][j] = max(best[i+1][j], best[i][j+1], kept[i][j]+best[i+1][j+1])
		}
	}
	for i, j := 0, 0; i < len(was) && j < len(is); {
		switch {
		case kept[i][j] > 0 && best[i][j] == kept[i][j]+best[i+1][j+1]:
			mark(&was[i], &is[j], steps[i][j])
			i, j = i+1, j+1
		case best[i][j] == best[i+1][j]:
			i++
		default:
			j++
		}
	}
}

func wordsOf(lines []diffLine) [][]string {
	out := make([][]string, len(lines))
	for i, l := range lines {
		out[i] = words(l.Text)
	}
	return out
}

// changed compares two lines word by word and tells how much of them is kept, 0 where they have little in common: then they are two lines, not one that changed.
func changed(was, is []string, left *int) (steps []diffStep, kept int) {
	cells := len(was) * len(is)
	if len(was) > maxWords || len(is) > maxWords || cells > *left {
		return nil, 0
	}
	*left -= cells
	steps = common(was, is)
	a, b := 0, 0
	for _, s := range steps {
		if s.op != "+" {
			a += len(s.text)
		}
		if s.op != "-" {
			b += len(s.text)
		}
		if s.op == "" {
			kept += len(strings.TrimSpace(s.text))
		}
	}
	if 3*kept < a && 3*kept < b {
		return nil, 0
	}
	return steps, kept
}

func mark(was, is *diffLine, steps []diffStep) {
	for _, s := range steps {
		if s.op != "+" {
			was.Parts = addPart(was.Parts, s.text, s.op == "-")
		}
		if s.op != "-" {
			is.Parts = addPart(is.Parts, s.text, s.op == "+")
		}
	}
	was.Parts, is.Parts = joinMarks(was.Parts), joinMarks(is.Parts)
}

// joinMarks makes one mark of two with nothing but a space between them.
func joinMarks(parts []diffPart) []diffPart {
	var out []diffPart
	for i, p := range parts {
		space := !p.Mark && strings.TrimSpace(p.Text) == "" && i > 0 && i+1 < len(parts)
		out = addPart(out, p.Text, p.Mark || space)
	}
	return out
}

func addPart(parts []diffPart, text string, mark bool) []diffPart {
	if n := len(parts); n > 0 && parts[n-1].Mark == mark {
		parts[n-1].Text += text
		return parts
	}
	return append(parts, diffPart{text, mark})
}

// words splits a line into words, spaces and signs; a Chinese character is a word.
func words(line string) []string {
	var out []string
	class := func(r rune) int {
		switch {
		case r > 0x2e80 && unicode.IsLetter(r):
			return 0 // alone
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			return 1
		case unicode.IsSpace(r):
			return 2
		}
		return 0
	}
	last := 0
	for _, r := range line {
		now := class(r)
		if now != 0 && now == last {
			out[len(out)-1] += string(r)
		} else {
			out = append(out, string(r))
		}
		last = now
	}
	return out
}

// fold leaves out what is far from any change.
func fold(all []diffLine) []diffLine {
	const near = 2
	show := make([]bool, len(all))
	for i, l := range all {
		if l.Op != "" {
			for j := max(0, i-near); j <= min(len(all)-1, i+near); j++ {
				show[j] = true
			}
		}
	}
	var out []diffLine
	for i, l := range all {
		switch {
		case show[i]:
			out = append(out, l)
		case i == 0 || show[i-1]:
			out = append(out, diffLine{Op: "…"})
		}
	}
	return out
}
