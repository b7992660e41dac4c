package hear

import (
	"slices"
	"strconv"
	"strings"

	"hotline/internal/decision"
)

// Facts are the answers that a text gives unasked: "I am 67 and live alone". It takes less than Answer does: a number only beside the
// question's own words, yes or no only when the matter itself is told.
func Facts(f *decision.Form, text string) decision.Answers {
	l, ts := load(), split(text)
	out := decision.Answers{}
	for i := range f.Questions {
		q := &f.Questions[i]
		var value string
		switch q.Kind {
		case decision.YesNo:
			value = string(l.toldYesNo(q, ts))
		case decision.Number:
			value = l.toldNumber(q, ts)
		default:
			value = l.toldOption(q, ts)
		}
		if v, ok := q.Accept(value); ok && value != decision.Unsure {
			out[q.ID] = v
		}
	}
	return out
}

// Told is Facts for a single question for yes or no that stands in no form.
func Told(question, text string) Verdict {
	l := load()
	return l.toldYesNo(&decision.Question{Text: question, Kind: decision.YesNo}, split(text))
}

func (l *lexicon) toldYesNo(q *decision.Question, ts []token) Verdict {
	if b := l.worded(q, ts); b != nil {
		return Verdict(b.Value)
	}
	asked := split(q.Text)
	told := statements(ts)
	if len(l.content(asked)) == 1 { // a single word tells something in a short clause only
		told = slices.DeleteFunc(slices.Clone(told), func(t token) bool { return clauseLength(told, t.clause) > 8 })
	}
	v := l.tells(asked, told, 0.75)
	if v != Unheard { // "I have paid for 11 months" is not "for at least a year"
		if w := l.passes(asked, told); w != Unheard {
			return w
		}
		if count, other := l.countsElse(asked, told); other {
			return count
		}
	}
	return v
}

// statements leaves out what somebody asks: "do I have to live alone?" tells nothing. A question begins with its verb or question word.
func statements(ts []token) []token {
	asks := map[string]bool{"do": true, "does": true, "did": true, "can": true, "could": true, "is": true, "are": true, "am": true, "may": true, "must": true, "should": true,
		"what": true, "how": true, "when": true, "where": true, "who": true, "which": true, "why": true, "if": true, "whether": true, "will": true, "would": true}
	var out []token
	for from := 0; from < len(ts); {
		to := from
		for to < len(ts) && ts[to].clause == ts[from].clause {
			to++
		}
		if last := ts[to-1]; !asks[ts[from].text] && last.text != "吗" && last.text != "呢" && !strings.Contains(strings.Join(texts(ts[from:to]), ""), "是否") && !asksEither(ts[from:to]) {
			out = append(out, ts[from:to]...)
		}
		from = to
	}
	return out
}

// asksEither finds 是不是, 有没有 and their like.
func asksEither(ts []token) bool {
	for i := 1; i+1 < len(ts); i++ {
		if (ts[i].text == "不" || ts[i].text == "没") && ts[i-1].text == ts[i+1].text {
			return true
		}
	}
	return false
}

func clauseLength(ts []token, clause int) int {
	n := 0
	for _, t := range ts {
		if t.clause == clause {
			n++
		}
	}
	return n
}

func (l *lexicon) toldNumber(q *decision.Question, ts []token) string {
	var found []float64
	age := l.asksAge(q)
	for _, n := range l.numbersIn(ts) {
		if l.nearlyAt(ts, n) {
			continue
		}
		if age && l.isAge(ts, n) || !age && l.beside(q, ts, n) {
			found = append(found, l.inUnit(q, ts, n))
		}
	}
	slices.Sort(found)
	if found = slices.Compact(found); len(found) != 1 {
		return ""
	}
	return strconv.FormatFloat(found[0], 'f', -1, 64)
}

func (l *lexicon) asksAge(q *decision.Question) bool {
	s := strings.ToLower(q.Text)
	return slices.ContainsFunc(l.ageAsked, func(w string) bool { return strings.Contains(s, w) })
}

// relations are characters that words for people end in.
const relations = "我他她妈爸爷奶公婆叔姨哥姐弟妹伯舅姑娘儿女子人居友亲父母"

// isAge: "I am 67", "my dad is 66", "67 years old", "aged 67", 67岁.
func (l *lexicon) isAge(ts []token, n number) bool {
	at := func(i int) string {
		if i < 0 || i >= len(ts) || ts[i].clause != ts[n.from].clause {
			return ""
		}
		return ts[i].text
	}
	if next := at(n.to); next == "岁" || next == "周" && at(n.to+1) == "岁" || next == "yo" || (next == "years" || next == "year") && at(n.to+1) == "old" {
		return n.value < 130
	}
	if n.from > 0 && ts[n.from-1].han && n.value > 0 && n.value < 130 && (at(n.to) == "了" || at(n.from-1) != "" && strings.Contains(relations, at(n.from-1)) && at(n.to) != "" && strings.Contains("能可也要该", at(n.to))) { // 我爸66了, 大妈71能
		return true
	}
	if ts[n.from].han {
		return false
	}
	switch at(n.from - 1) {
	case "aged", "age":
		return true
	case "am", "im", "is", "shes", "hes", "turned":
		// "I am 67" ends there, or goes on with something else than a thing that is counted.
		next := at(n.to)
		return n.value < 130 && (next == "" || slices.Contains([]string{"and", "so", "now", "but", "already", "this", "does", "can", "with", "who"}, next))
	}
	return false
}

// beside reports whether one of the question's words, or one that its editor has listed, stands within three words of the number.
func (l *lexicon) beside(q *decision.Question, ts []token, n number) bool {
	from, to := n.from, n.to
	for k := 0; k < 4; k++ {
		if from > 0 && ts[from-1].clause == ts[n.from].clause {
			from--
		}
		if to < len(ts) && ts[to].clause == ts[n.from].clause {
			to++
		}
	}
	near := ts[from:to]
	for _, w := range q.Words {
		if phrase(near, w) >= 0 {
			return true
		}
	}
	said := l.content(near)
	for _, w := range l.content(split(q.Text)) {
		if slices.Contains(said, w) && !l.isTime(w) {
			return true
		}
	}
	return false
}

func (l *lexicon) isTime(w string) bool {
	if l.time[w] || w == "tim" {
		return true
	}
	for _, r := range w {
		if r < 0x80 || !l.time[string(r)] && r != '每' && r != '个' {
			return false
		}
	}
	return true
}

func (l *lexicon) toldOption(q *decision.Question, ts []token) string {
	if b := l.worded(q, ts); b != nil {
		return b.Value
	}
	found := ""
	for _, b := range q.Branches {
		label := split(b.Label)
		if b.Value == decision.Unsure || len(l.optionWords(b.Label)) == 0 || len([]rune(b.Label)) < 2 {
			continue
		}
		if at := phrase(ts, b.Label); at < 0 || l.negated(ts, at) || len(label) == 1 && len(b.Label) < 4 {
			continue
		}
		if found != "" {
			return ""
		}
		found = b.Value
	}
	return found
}

// Overlap counts of how many of the words that tell something a passage has one; words stand apart by commas, so that two Chinese characters
// on both sides of what was left out between them make no word.
func Overlap(passage, words string) (hits, of int) {
	l := load()
	said := l.content(split(passage))
	var asked []string
	ts := split(words)
	for from := 0; from < len(ts); {
		to := from
		for to < len(ts) && ts[to].clause == ts[from].clause {
			to++
		}
		asked = append(asked, l.content(ts[from:to])...)
		from = to
	}
	slices.Sort(asked)
	asked = slices.Compact(asked)
	for _, w := range asked {
		if slices.Contains(said, w) {
			hits++
		}
	}
	return hits, len(asked)
}
