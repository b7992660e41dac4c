package figures

import "math"

// Where exactly one count of a row is too small to be told, the total and the others would give it away. So the next smallest goes with it.

// lone is the place of the smallest told count when exactly one is hidden, -1 otherwise. Nothing is told of by a count of nothing, so zeros stay.
func lone(n int, hidden func(int) bool, count func(int) *int64) int {
	least, dark := -1, 0
	for i := range n {
		if hidden(i) {
			dark++
			continue
		}
		if c := count(i); c != nil && *c > 0 && (least < 0 || *c < *count(least)) {
			least = i
		}
	}
	if dark != 1 {
		return -1
	}
	return least
}

// withhold does it for the groups that make up a total together: for their tickets, and for each measure.
func withhold(groups []*Group) {
	i := lone(len(groups), func(i int) bool { return groups[i].Tickets == nil }, func(i int) *int64 { return groups[i].Tickets })
	if i >= 0 {
		groups[i].Tickets, groups[i].Withheld = nil, true
		for j := range groups[i].Values {
			groups[i].Values[j].blur()
		}
	}
	if len(groups) == 0 {
		return
	}
	for j := range groups[0].Values {
		at := func(i int) *Number { return &groups[i].Values[j] }
		i := lone(len(groups), func(i int) bool { return at(i).Whole == nil && (at(i).Known || at(i).TooFew) }, func(i int) *int64 { return at(i).Whole })
		if i >= 0 {
			at(i).blur()
		}
	}
}

// blur leaves of a measure its value, rounded as where counts are too small.
func (n *Number) blur() {
	n.Part, n.Whole = nil, nil
	n.V = math.Round(n.V*100) / 100
	for i, l := range n.Left {
		if l.N != nil && *l.N > 0 {
			n.Left[i].N, n.Left[i].Withheld = nil, true
		}
	}
}

// withholdLeft does it for what a measure leaves out: all tickets less those it counts are their sum.
func withholdLeft(left []LeftOut) {
	if i := lone(len(left), func(i int) bool { return left[i].N == nil }, func(i int) *int64 { return left[i].N }); i >= 0 {
		left[i].N, left[i].Withheld = nil, true
	}
}

// withholdGrades does it for how many grades each agency has.
func withholdGrades(of []AgencyResult) {
	if i := lone(len(of), func(i int) bool { return of[i].Graded == nil }, func(i int) *int64 { return of[i].Graded }); i >= 0 {
		of[i].Graded = nil
	}
}
