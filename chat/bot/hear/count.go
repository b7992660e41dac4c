package hear

import "slices"

// counted is how many of a thing a text names: 两个人, "three children".
type counted struct {
	value float64
	nouns []string // what is counted; Chinese may name it by its measure word alone: 两套
}

// counts finds what a text counts. A word such as "alone" counts a person.
func (l *lexicon) counts(ts []token) (out []counted) {
	for _, n := range l.numbersIn(ts) {
		c := counted{value: n.value}
		for i := n.to; i < min(n.to+2, len(ts)) && ts[i].clause == ts[n.from].clause; i++ {
			if !l.hollow[ts[i].text] {
				c.nouns = append(c.nouns, ts[i].stem)
			}
			if !ts[i].han {
				break
			}
		}
		out = append(out, c)
	}
	for _, t := range ts {
		if noun := l.single[t.text]; noun != "" {
			out = append(out, counted{1, []string{noun}})
		}
	}
	return out
}

// countsElse is a verdict on a question that names a number, by an answer that names another of the same thing: 两个人 to 您一个人住吗. A larger number
// of what somebody has may be meant as a yes or as a no, so it is Unheard and the question is asked again.
// other: it names another number.
func (l *lexicon) countsElse(q, ts []token) (v Verdict, other bool) {
	if _, ok := l.compares(q); ok {
		return Unheard, false
	}
	having := slices.ContainsFunc(q, func(t token) bool { return l.having[t.text] })
	said := l.counts(ts)
	for _, asked := range l.counts(q) {
		for _, c := range said {
			switch {
			case !slices.ContainsFunc(c.nouns, func(n string) bool { return slices.Contains(asked.nouns, n) }):
			case c.value == asked.value:
				return Unheard, false
			case having && c.value > asked.value:
				other = true
			default:
				v, other = No, true
			}
		}
	}
	return v, other
}
