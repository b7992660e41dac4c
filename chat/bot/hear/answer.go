package hear

import (
	"slices"
	"strconv"
	"strings"

	"hotline/internal/decision"
)

// Answer understands a text as the answer to a question that was just asked. It gives a value that the question accepts.
func Answer(q *decision.Question, text string) (value string, ok bool) {
	l, ts := load(), split(text)
	if len(ts) == 0 {
		return "", false
	}
	switch q.Kind {
	case decision.YesNo:
		value = string(YesNo(q.Text, text))
		switch b := l.worded(q, ts); {
		case b == nil:
		case value == "" || value == decision.Unsure:
			value = b.Value
		case value != b.Value: // "no, by myself": it is asked again
			value = ""
		}
	case decision.Number:
		value = l.numberFor(q, ts)
	default:
		value = l.option(q, ts)
	}
	if value == "" && l.opening(split(q.Text), ts) == Unsure {
		value = decision.Unsure
	}
	return q.Accept(value)
}

// DontKnow reports whether a text says that the citizen does not know.
func DontKnow(text string) bool {
	ts := split(text)
	return len(ts) > 0 && len(ts) <= 8 && load().opening(nil, ts) == Unsure
}

// worded finds the branch of which an expression occurs that its editor has listed; a negated one says the other of yes and no.
func (l *lexicon) worded(q *decision.Question, ts []token) *decision.Branch {
	var found *decision.Branch
	for i := range q.Branches {
		b := &q.Branches[i]
		for _, w := range b.Words {
			at := phrase(ts, w)
			if at < 0 {
				continue
			}
			hit := b
			if l.negated(ts, at) {
				if hit = other(q, b); hit == nil {
					continue
				}
			}
			if found != nil && found.Value != hit.Value {
				return nil // says both
			}
			found = hit
		}
	}
	return found
}

func other(q *decision.Question, b *decision.Branch) *decision.Branch {
	switch b.Value {
	case decision.Yes:
		return q.Branch(decision.No)
	case decision.No:
		return q.Branch(decision.Yes)
	}
	return nil
}

// numberFor takes the one number of an answer, or the one that stands by the unit. "None" is zero where zero is possible.
func (l *lexicon) numberFor(q *decision.Question, ts []token) string {
	ns := l.numbersIn(ts)
	if len(ns) > 1 {
		if strong := slices.DeleteFunc(slices.Clone(ns), func(n number) bool { return n.weak }); len(strong) > 0 {
			ns = strong
		}
	}
	if len(ns) > 1 {
		age := l.asksAge(q)
		ns = slices.DeleteFunc(slices.Clone(ns), func(n number) bool { return age && !l.isAge(ts, n) || !age && !l.byUnit(q, ts, n) })
	}
	if len(ns) == 1 {
		// In a sentence about other things a number must belong to the matter: a light in front of 5 Hill Street is nobody's age.
		if l.nearlyAt(ts, ns[0]) || l.others(ts, ns[0]) > 2 && !l.byUnit(q, ts, ns[0]) && !l.beside(q, ts, ns[0]) && !(l.asksAge(q) && l.isAge(ts, ns[0])) {
			return ""
		}
		ns[0].value = l.inUnit(q, ts, ns[0])
		return strconv.FormatFloat(l.beyond(q, ts, ns[0]), 'f', -1, 64)
	}
	if len(ns) == 0 && q.Min <= 0 && l.opening(nil, ts) == No && len(ts) <= 6 {
		return "0"
	}
	return ""
}

// beyond moves a number that is not meant itself: "over 3,800" is a little more, "less than 10" a little less.
func (l *lexicon) beyond(q *decision.Question, ts []token, n number) float64 {
	step := 1.0
	if q.Decimals {
		step = 0.01
	}
	return n.value + step*l.side(ts, n)
}

// others counts the words that tell something beside a number.
func (l *lexicon) others(ts []token, n number) int {
	count := 0
	for i, t := range ts {
		if i < n.from || i >= n.to {
			if !l.hollow[t.text] && !l.negation[t.text] && !l.time[t.stem] {
				count++
			}
		}
	}
	if n.from < len(ts) && ts[0].han {
		return count / 2
	}
	return count
}

func (l *lexicon) byUnit(q *decision.Question, ts []token, n number) bool {
	unit := split(q.Unit)
	if len(unit) == 0 || n.to+len(unit) > len(ts) {
		return false
	}
	for i, u := range unit {
		if ts[n.to+i].stem != u.stem {
			return false
		}
	}
	return true
}

// option finds the option that an answer means: its name, an expression listed for it, its place ("the second"), or the words that only it has.
func (l *lexicon) option(q *decision.Question, ts []token) string {
	said := strings.Join(texts(ts), " ")
	for _, b := range q.Branches {
		if b.Value != decision.Unsure && strings.Join(texts(split(b.Label)), " ") == said {
			return b.Value
		}
	}
	if b := l.worded(q, ts); b != nil {
		return b.Value
	}
	if v := l.named(q, ts, 0.5); v != "" {
		return v
	}
	if v := place(ts); v != "" {
		if _, ok := q.Accept(v); ok {
			return v
		}
	}
	if l.opening(nil, ts) == No && len(ts) <= 4 { // "none of them" where an option says so
		for _, b := range q.Branches {
			if label := split(b.Label); len(label) > 0 && b.Value != decision.Unsure && l.opening(nil, label) == No {
				return b.Value
			}
		}
	}
	return ""
}

// named gives the option of whose words the greatest share occurs, unless two come equally near.
func (l *lexicon) named(q *decision.Question, ts []token, enough float64) string {
	best, value, tie := 0.0, "", false
	common := map[string]int{}
	for _, b := range q.Branches {
		for _, w := range l.optionWords(b.Label) {
			common[w]++
		}
	}
	for _, b := range q.Branches {
		ws := l.optionWords(b.Label)
		if b.Value == decision.Unsure || len(ws) == 0 {
			continue
		}
		hit, sum := 0.0, 0.0
		for _, w := range ws {
			weight := 1 / float64(common[w])
			sum += weight
			if i := slices.IndexFunc(ts, func(t token) bool { return t.stem == w }); i >= 0 && !l.negated(ts, i) {
				hit += weight
			}
		}
		switch share := hit / sum; {
		case share < enough || share < best:
		case share == best:
			tie = true
		default:
			best, value, tie = share, b.Value, false
		}
	}
	if tie {
		return ""
	}
	return value
}

func (l *lexicon) optionWords(label string) []string {
	var out []string
	for _, t := range split(label) {
		if !l.hollow[t.text] && !l.negation[t.text] {
			out = append(out, t.stem)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

var places = map[string]string{"first": "1", "second": "2", "third": "3", "fourth": "4", "fifth": "5", "sixth": "6", "1st": "1", "2nd": "2", "3rd": "3",
	"第一": "1", "第二": "2", "第三": "3", "第四": "4", "第五": "5", "第六": "6"}

// Option finds which of several things a text means: "the renewal one" of "Renew a licence" and "Replace a lost licence", "the second",
// 第二个. It gives the place in the list, or -1.
func Option(labels []string, text string) int {
	q := decision.Question{Kind: decision.Choice}
	for i, label := range labels {
		q.Branches = append(q.Branches, decision.Branch{Label: label, Value: strconv.Itoa(i + 1)})
	}
	l, ts := load(), split(text)
	if len(ts) == 0 || len(ts) > 12 {
		return -1
	}
	v := place(ts)
	switch {
	case v == "" && theLast(ts):
		v = strconv.Itoa(len(labels))
	case v == "":
		v = l.distinct(&q, ts)
	}
	if v, ok := q.Accept(v); ok {
		i, err := strconv.Atoi(v)
		if err == nil && i <= len(labels) {
			return i - 1
		}
	}
	return -1
}

// distinct gives the option of which the text has most of the words that no other option has, "" when two come equally near.
func (l *lexicon) distinct(q *decision.Question, ts []token) string {
	common := map[string]int{}
	for _, b := range q.Branches {
		for _, w := range l.optionWords(b.Label) {
			common[w]++
		}
	}
	best, value := 0, ""
	for _, b := range q.Branches {
		hits := 0
		for _, w := range l.optionWords(b.Label) {
			if i := slices.IndexFunc(ts, func(t token) bool { return t.stem == w }); common[w] == 1 && i >= 0 && !l.negated(ts, i) {
				hits++
			}
		}
		switch {
		case hits > best:
			best, value = hits, b.Value
		case hits == best:
			value = ""
		}
	}
	if len(q.Branches) == 1 && 2*best < len(l.content(ts)) { // a word of the only title picks nothing
		return ""
	}
	return value
}

// theLast reads "the last one" and 最后一个: the end of the list.
func theLast(ts []token) bool {
	said := strings.TrimSpace(joined(ts))
	return len(ts) <= 5 && (strings.HasSuffix(said, "last one") || strings.HasSuffix(said, "the last") || said == "last" || strings.Contains(said, "最后"))
}

// place reads "the second one", "2" and 第二个.
func place(ts []token) string {
	if len(ts) > 5 {
		return ""
	}
	for i, t := range ts {
		if v := places[t.text]; v != "" {
			return v
		}
		if t.han && i+1 < len(ts) {
			if v := places[t.text+ts[i+1].text]; v != "" {
				return v
			}
		}
		if len(ts) <= 2 && endsInDigit(t.text) {
			return t.text
		}
	}
	return ""
}
