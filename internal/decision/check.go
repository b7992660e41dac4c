package decision

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"hotline/internal/errs"
)

// check finds what is wrong with the form as a whole. What hangs together is only judged when its parts are right.
func (p *parser) check() {
	f := &p.form
	switch {
	case len(f.Questions) == 0:
		p.fail(ErrNoQuestion, 1)
	case len(f.Outcomes) == 0:
		p.fail(ErrNoOutcome, 1)
	case len(f.Questions) > MaxItems:
		p.fail(ErrTooMany, f.Questions[MaxItems].line, "limit", MaxItems)
	case len(f.Outcomes) > MaxItems:
		p.fail(ErrTooMany, f.Outcomes[MaxItems].line, "limit", MaxItems)
	}
	for i := range f.Questions {
		p.checkQuestion(&f.Questions[i])
	}
	for _, q := range f.Questions {
		for _, b := range q.Branches {
			if _, ok := p.names[b.To]; !ok {
				p.fail(ErrNoTarget, b.line, "name", b.To)
			}
		}
	}
	if len(p.problems) == 0 {
		p.checkWays()
	}
	slices.SortStableFunc(p.problems, func(a, b *errs.Error) int { return cmp.Compare(a.Args["line"].(int), b.Args["line"].(int)) })
}

func (p *parser) checkQuestion(q *Question) {
	if len(q.Branches) == 0 {
		p.fail(ErrNoBranch, q.line)
		return
	}
	if len(q.Branches) > MaxBranches {
		p.fail(ErrTooMany, q.Branches[MaxBranches].line, "limit", MaxBranches)
		return
	}
	var yes, no, options int
	for i := range q.Branches {
		b := &q.Branches[i]
		switch {
		case unsureName.MatchString(b.Label):
			b.Value = Unsure
		case yesLabel.MatchString(b.Label):
			yes++
		case noLabel.MatchString(b.Label):
			no++
		default:
			options++
		}
	}
	switch {
	case q.Kind == Number:
		p.checkRanges(q)
	case options == 0 && yes+no > 0:
		q.Kind = YesNo
		for i := range q.Branches {
			switch b := &q.Branches[i]; {
			case yesLabel.MatchString(b.Label):
				b.Value = Yes
			case noLabel.MatchString(b.Label):
				b.Value = No
			}
		}
		if yes == 0 || no == 0 {
			p.fail(ErrHalf, q.line)
		}
	default:
		q.Kind = Choice
		place := 0
		for i := range q.Branches {
			if b := &q.Branches[i]; b.Value != Unsure {
				place++
				b.Value = strconv.Itoa(place)
			}
		}
		if place < 2 {
			p.fail(ErrOneOption, q.line)
		}
	}
	seen := map[string]bool{}
	for _, b := range q.Branches {
		key := b.Value
		if q.Kind != YesNo {
			key = strings.ToLower(b.Label)
		}
		if seen[key] {
			p.fail(ErrSameAnswer, b.line, "name", b.Label)
		}
		seen[key] = true
	}
}

// checkRanges reads the ranges and makes sure that each number falls under exactly one.
func (p *parser) checkRanges(q *Question) {
	if q.Min >= q.Max { // told already
		return
	}
	var known []*Branch
	var other *Branch
	for i := range q.Branches {
		b := &q.Branches[i]
		if b.Value == Unsure {
			continue
		}
		r, isOther, ok := readRange(b.Label, q)
		switch {
		case !ok:
			p.fail(ErrNumberLabel, b.line, "name", b.Label)
			return
		case isOther:
			other = b
			continue
		}
		r.Low, r.High = math.Max(r.Low, q.Min), math.Min(r.High, q.Max)
		if !q.Decimals {
			r = r.whole()
		}
		if r.empty() {
			p.fail(ErrRangeEmpty, b.line)
			return
		}
		b.Range = &r
		for _, o := range known {
			if v, both := o.Range.meets(r); both {
				p.fail(ErrOverlap, b.line, "value", format(v), "other", o.line)
				return
			}
		}
		known = append(known, b)
	}
	gaps := gapsOf(q, known)
	switch {
	case other == nil && len(gaps) > 0:
		p.fail(ErrGap, q.line, "value", format(inside(gaps[0])))
	case other != nil && len(gaps) == 0:
		p.fail(ErrRangeEmpty, other.line)
	case other != nil && len(gaps) == 1:
		other.Range = &gaps[0]
	case other != nil: // in pieces: one branch each, which lead to the same place
		at := slices.IndexFunc(q.Branches, func(b Branch) bool { return b.line == other.line })
		pieces := make([]Branch, len(gaps))
		for i := range gaps {
			pieces[i] = *other
			pieces[i].Range = &gaps[i]
			if i > 0 {
				pieces[i].Label += " (" + strconv.Itoa(i+1) + ")"
			}
		}
		q.Branches = slices.Replace(q.Branches, at, at+1, pieces...)
	}
}

// gapsOf lists what lies between the limits and falls under no branch, in order.
func gapsOf(q *Question, known []*Branch) []Range {
	known = slices.Clone(known)
	slices.SortFunc(known, func(a, b *Branch) int { return cmp.Compare(a.Range.Low, b.Range.Low) })
	var out []Range
	low, open := q.Min, false
	add := func(g Range) {
		if !q.Decimals {
			g = g.whole()
		}
		if !g.empty() {
			out = append(out, g)
		}
	}
	for _, b := range known {
		add(Range{Low: low, LowOpen: open, High: b.Range.Low, HighOpen: !b.Range.LowOpen})
		low, open = b.Range.High, !b.Range.HighOpen
	}
	add(Range{Low: low, LowOpen: open, High: q.Max})
	return out
}

// inside is a number of the range, to name it in a message.
func inside(r Range) float64 {
	if !r.LowOpen {
		return r.Low
	}
	if !r.HighOpen {
		return r.High
	}
	return (r.Low + r.High) / 2
}

// checkWays refuses circles and what no answer leads to.
func (p *parser) checkWays() {
	f := &p.form
	const open, done = 1, 2
	state := map[string]int{}
	var visit func(id string) bool
	visit = func(id string) bool {
		state[id] = open
		if q := f.Question(id); q != nil {
			for _, b := range q.Branches {
				switch state[b.To] {
				case open:
					p.fail(ErrLoop, b.line, "name", b.To)
					return false
				case done:
				default:
					if !visit(b.To) {
						return false
					}
				}
			}
		}
		state[id] = done
		return true
	}
	if !visit(f.Questions[0].ID) {
		return
	}
	for _, q := range f.Questions {
		if state[q.ID] == 0 {
			p.fail(ErrUnreachable, q.line, "name", q.ID)
		}
	}
	for _, o := range f.Outcomes {
		if state[o.ID] == 0 {
			p.fail(ErrUnreachable, o.line, "name", o.ID)
		}
	}
}
