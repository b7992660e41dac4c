package console

import "strings"

// diffLine is a line of a comparison: "" kept, "+" added, "-" removed, "…" a part left out.
type diffLine struct{ Op, Text string }

// maxDiff bounds the table of the longest common subsequence; longer texts are shown as removed and added.
const maxDiff = 1500

// diff compares two texts line by line.
func diff(before, after string) []diffLine {
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	var out []diffLine
	if len(a) > maxDiff || len(b) > maxDiff {
		for _, s := range a {
			out = append(out, diffLine{"-", s})
		}
		for _, s := range b {
			out = append(out, diffLine{"+", s})
		}
		return out
	}
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
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			out = append(out, diffLine{"", a[i]})
			i, j = i+1, j+1
		case i < len(a) && (j == len(b) || length[i+1][j] >= length[i][j+1]):
			out = append(out, diffLine{"-", a[i]})
			i++
		default:
			out = append(out, diffLine{"+", b[j]})
			j++
		}
	}
	return fold(out)
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
