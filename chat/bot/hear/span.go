package hear

import (
	"math"
	"slices"
	"strings"

	"hotline/internal/decision"
)

// compared is how a question for yes or no compares: "for at least one year", 满一年, "more than 3,000 yuan".
type compared struct {
	value  float64
	group  string // what is counted: "time" in days, "money"; "" for bare numbers
	below  bool   // yes is below the value
	itself bool   // the value itself is a yes
}

// compares reads what a question compares with: its only number, with a word that says which side of it is a yes.
func (l *lexicon) compares(q []token) (c compared, ok bool) {
	ns := l.numbersIn(q)
	if len(ns) != 1 {
		return c, false
	}
	c.value, c.group = l.measured(q, ns[0])
	said := joined(q)
	longest := 0
	for _, w := range l.compare {
		if len(w.words) > longest && strings.Contains(said, w.words) {
			longest, c.below, c.itself, ok = len(w.words), w.below, w.itself, true
		}
	}
	return c, ok
}

// joined writes tokens with blanks between words and none between characters, so that expressions can be found in it.
func joined(ts []token) string {
	var b strings.Builder
	b.WriteByte(' ')
	for _, t := range ts {
		b.WriteString(t.text)
		if !t.han {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// measured gives a number in the unit that stands behind it, and what that unit counts: a year and a half is 547.9 days.
func (l *lexicon) measured(ts []token, n number) (value float64, group string) {
	value = n.value
	at := func(i int) string {
		if i < 0 || i >= len(ts) || ts[i].clause != ts[n.from].clause {
			return ""
		}
		return ts[i].text
	}
	to := n.to
	if at(to) == "and" && at(to+1) == "a" && at(to+2) == "half" {
		value, to = value+.5, to+3
	}
	for i := to; i < to+2; i++ { // 两个月: the unit may stand behind a measure word
		if u, ok := l.units[at(i)]; ok {
			if at(i+1) == "半" {
				value += .5
			}
			return value * u.size, u.group
		}
		if at(i) != "个" && at(i) != "full" {
			break
		}
	}
	return value, ""
}

// side is 1 or -1 where a text says of a number that it is passed or not reached ("less than 15,000"), 0 where the number itself is meant.
func (l *lexicon) side(ts []token, n number) (side float64) {
	if at := n.from - 1; at < 0 || ts[at].clause != ts[n.from].clause {
		return 0
	}
	said := joined(ts[max(0, n.from-3):n.from])
	longest := 0
	for _, w := range l.compare { // "no more than" ends in "more than"
		if len(w.words) <= longest || !strings.HasSuffix(said, w.words) {
			continue
		}
		switch longest = len(w.words); {
		case w.itself:
			side = 0
		case w.below:
			side = -1
		default:
			side = 1
		}
	}
	return side
}

// halves finds the half that is no part of a number: 半年, "half a year".
func (l *lexicon) halves(ts []token) (out []number) {
	for i, t := range ts {
		to := i + 1
		if t.text == "half" && to < len(ts) && ts[to].text == "a" {
			to++
		}
		if i > 0 && ts[i-1].text == "a" || t.text != "半" && t.text != "half" || to >= len(ts) || l.units[ts[to].text].size == 0 && ts[to].text != "个" {
			continue
		}
		out = append(out, number{value: .5, from: i, to: to})
	}
	return out
}

// since is passes for words such as "last week": a verdict where all days that they can mean are on one side. "Until today" says nothing of a beginning.
func (l *lexicon) since(c compared, ts []token) Verdict {
	said := joined(ts)
	verdict := Unheard
	for words, span := range l.elapsed {
		i := strings.Index(said, words)
		if i < 0 || !containsHan(words) && !strings.Contains(said, " "+words+" ") {
			continue
		}
		if before := said[:i] + " "; slices.ContainsFunc(l.upTo, func(w string) bool {
			return containsHan(w) && strings.Contains(before, w) || strings.Contains(before, " "+w+" ")
		}) {
			return Unheard
		}
		fits := func(days float64) bool { return c.below && days < c.value || !c.below && days > c.value }
		long, short := fits(span[1]), fits(span[0])
		v := No
		if short {
			v = Yes
		}
		if long != short || verdict != Unheard && verdict != v {
			return Unheard
		}
		verdict = v
	}
	return verdict
}

// inUnit gives a number in the unit that a question counts in: two years are 24 months. What is no whole number of them is rounded down where
// the question wants whole ones.
func (l *lexicon) inUnit(q *decision.Question, ts []token, n number) float64 {
	var wanted unit
	for _, t := range split(q.Unit) {
		if u, ok := l.units[t.text]; ok {
			wanted = u
		}
	}
	value, group := l.measured(ts, n)
	if wanted.size == 0 || group != wanted.group {
		return n.value
	}
	value = math.Round(value/wanted.size*100) / 100
	if !q.Decimals {
		value = math.Floor(value)
	}
	return value
}

// passes answers a question that compares with the number that a text tells in the same unit: 交了两年 says yes to "paid for at least one year?".
func (l *lexicon) passes(q, ts []token) Verdict {
	c, ok := l.compares(q)
	if !ok {
		return Unheard
	}
	verdict := Unheard
	if c.group == "time" {
		verdict = l.since(c, ts)
	}
	for _, n := range append(l.numbersIn(ts), l.halves(ts)...) {
		value, group := l.measured(ts, n)
		if group != c.group && !(c.group == "money" && group == "") || l.nearlyAt(ts, n) && value == c.value {
			continue
		}
		value += 1e-6 * l.side(ts, n)
		v := No
		if c.below && value < c.value || !c.below && value > c.value || c.itself && value == c.value {
			v = Yes
		}
		if verdict != Unheard && verdict != v {
			return Unheard
		}
		verdict = v
	}
	return verdict
}
