package hear

import (
	"slices"
	"strings"
)

// YesNo understands an answer to a question for yes or no: "not really", "I do", "没有", or the matter itself: "I live alone".
func YesNo(question, text string) Verdict {
	l, ts := load(), split(text)
	if len(ts) == 0 {
		return Unheard
	}
	q := split(question)
	told := l.passes(q, ts)
	count, other := l.countsElse(q, ts)
	if v := l.opening(q, ts); v != Unheard {
		if v == Yes && (told == No || other) { // "yes, since last week" to "for at least six months?"
			return Unheard
		}
		return v
	}
	if told != Unheard {
		return told
	}
	if other {
		return count
	}
	if v := l.tells(q, ts, 0.6); v != Unheard {
		return v
	}
	if v := l.echoes(q, ts); v != Unheard {
		return v
	}
	return l.verbAgain(q, ts)
}

// verbAgain understands the Chinese way to answer with the question's verb, whatever is told behind it: 咬过，上周 to 咬过人吗.
func (l *lexicon) verbAgain(q, ts []token) Verdict {
	asked := joined(q)
	if !strings.HasSuffix(strings.TrimSpace(asked), "吗") && !strings.HasSuffix(strings.TrimSpace(asked), "没有") {
		return Unheard
	}
	same, denied := 0, false
	for i, t := range ts {
		switch {
		case t.clause != ts[0].clause:
			ts = ts[:i]
		case i > 3 || !t.han:
			return Unheard
		case l.negation[t.text]:
			denied = !denied
		case strings.Contains("过了的着", t.text):
		case strings.Contains(asked, t.text):
			same++
		default:
			return Unheard
		}
		if len(ts) <= i {
			break
		}
	}
	switch {
	case same == 0 || same > 2:
		return Unheard
	case denied:
		return No
	}
	return Yes
}

// echoes understands a short Chinese answer that is made of the question's own characters: 缴满一年了 to 您缴失业保险满一年了吗.
func (l *lexicon) echoes(q, ts []token) Verdict {
	if len(ts) > 10 {
		return Unheard
	}
	asked := map[string]bool{}
	for _, t := range q {
		asked[t.text] = true
	}
	same, other := 0, 0
	for _, t := range ts {
		switch {
		case !t.han, strings.Contains("么哪谁何几怎为", t.text): // asks
			return Unheard
		case l.hollow[t.text], l.negation[t.text]:
		case asked[t.text]:
			same++
		default:
			other++
		}
	}
	if same < 2 || other*4 > same {
		return Unheard
	}
	if l.denies(ts) {
		return No
	}
	return Yes
}

// opening is what the first words say.
func (l *lexicon) opening(q, ts []token) Verdict {
	asked := map[string]bool{}
	for _, s := range l.content(q) {
		asked[s] = true
	}
	best, v := 0, Unheard
	for _, s := range l.starts[ts[0].text] {
		if len(s.toks) > len(ts) || len(s.toks) <= best || s.echo && !shares(q, s.toks) {
			continue
		}
		same := true
		for i, w := range s.toks {
			if ts[i].text != w {
				same = false
				break
			}
		}
		if !same {
			continue
		}
		end := len(s.toks) == len(ts) || ts[len(s.toks)].clause != ts[0].clause
		switch {
		case s.short && !end && !(s.says == No && l.repeats(asked, ts[len(s.toks):])):
			continue
		case ts[0].han && len(s.toks) == 1 && !end && !l.hanGoesOn(q, ts):
			continue
		}
		best, v = len(s.toks), s.says
	}
	if v == Yes && best < len(ts) && l.negation[ts[best].text] && ts[best].clause == ts[0].clause { // "I am not", "certainly no"
		return No
	}
	return v
}

// shares reports whether the question has the first word of an answer that only repeats its verb.
func shares(q []token, toks []string) bool {
	return slices.ContainsFunc(q, func(t token) bool { return t.text == toks[0] })
}

// repeats reports whether the words go on with the question's own: "I don't live alone".
func (l *lexicon) repeats(asked map[string]bool, ts []token) bool {
	for _, s := range l.content(ts[:min(len(ts), 8)]) {
		if asked[s] {
			return true
		}
	}
	return false
}

// hanGoesOn reports whether what follows a single character fits an answer: 住这里 and 不住 repeat the question's verb, 是本地人 its object;
// 有点远 and 不好意思 begin something else.
func (l *lexicon) hanGoesOn(q, ts []token) bool {
	var asked strings.Builder
	for _, t := range q {
		asked.WriteString(t.text)
	}
	for i := 1; i < len(ts) && i <= 4 && ts[i].clause == ts[0].clause; i++ {
		if ts[i].han && !l.hollow[ts[i].text] && strings.Contains(asked.String(), ts[i].text) {
			return true
		}
		if l.hollow[ts[i].text] && i+1 == len(ts) {
			return true
		}
	}
	return false
}

// tells reports what a text says about a question's matter by itself: its words, with or without a negation. Enough of them must stand in
// one clause.
func (l *lexicon) tells(q, ts []token, enough float64) Verdict {
	asked := l.content(q)
	if len(asked) == 0 {
		return Unheard
	}
	from, v, best := 0, Unheard, 0.0
	for from < len(ts) {
		to := from
		for to < len(ts) && ts[to].clause == ts[from].clause {
			to++
		}
		clause := ts[from:to]
		said := map[string]bool{}
		for _, s := range l.content(clause) {
			said[s] = true
		}
		n := 0
		for _, s := range asked {
			if said[s] {
				n++
			}
		}
		if share := float64(n) / float64(len(asked)); share >= enough && share > best {
			best, v = share, Yes
			if l.denies(clause) != l.denies(q) {
				v = No
			}
		}
		from = to
	}
	return v
}

func (l *lexicon) denies(ts []token) bool {
	n := 0
	for i, t := range ts {
		if l.negation[t.text] && !(t.han && i > 0 && i+1 < len(ts) && ts[i-1].text == ts[i+1].text) { // 有没有 and 是不是 ask, they do not deny
			n++
		}
	}
	return n%2 == 1
}
