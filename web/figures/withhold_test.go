package figures

import (
	"testing"

	"pgregory.net/rapid"

	"hotline/tickets/measures"
)

// TestNoHiddenCountCanBeWorkedOut: who knows the total and all that is told finds one hidden count only where nothing else was left to hide.
func TestNoHiddenCountCanBeWorkedOut(t *testing.T) {
	t.Parallel()
	s := measures.Default()
	rapid.Check(t, func(t *rapid.T) {
		var groups []*Group
		for range rapid.IntRange(1, 6).Draw(t, "groups") {
			n := measures.Counts{}
			n[measures.ResolveOK] = int64(rapid.IntRange(0, 20).Draw(t, "on time"))
			n[measures.ResolveLate] = int64(rapid.IntRange(0, 20).Draw(t, "late"))
			n[measures.Withdrawn] = int64(rapid.IntRange(0, 9).Draw(t, "withdrawn"))
			n[measures.Merged] = int64(rapid.IntRange(0, 9).Draw(t, "merged"))
			n[measures.Tickets] = n.Sum(measures.ResolveOK, measures.ResolveLate, measures.Withdrawn, measures.Merged)
			groups = append(groups, &Group{Tickets: told(n[measures.Tickets], int64(s.SmallCell)), Values: Numbers(n, s)})
		}
		withhold(groups)
		alone := func(what string, counts []*int64) {
			hidden, others := 0, false
			for _, c := range counts {
				if c == nil {
					hidden++
				} else if *c > 0 {
					others = true
				}
			}
			if hidden == 1 && others {
				t.Fatalf("%s: one of %d is hidden", what, len(counts))
			}
		}
		var rows []*int64
		for _, g := range groups {
			rows = append(rows, g.Tickets)
			if g.Withheld && g.Tickets != nil {
				t.Fatal("withheld and told")
			}
			for _, v := range g.Values {
				var left []*int64
				for _, l := range v.Left {
					left = append(left, l.N)
				}
				alone(v.Code+" left out", left)
				if g.Tickets == nil && v.Whole != nil && *v.Whole > 0 {
					t.Fatalf("%s tells what its group does not", v.Code)
				}
			}
		}
		alone("tickets", rows)
		for j, v := range groups[0].Values {
			var row []*int64
			for _, g := range groups {
				if g.Values[j].Known || g.Values[j].TooFew {
					row = append(row, g.Values[j].Whole)
				}
			}
			alone(v.Code, row)
		}
	})
}
