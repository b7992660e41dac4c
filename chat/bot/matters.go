package bot

import (
	"encoding/json"
	"regexp"
	"strings"
)

// Two troubles in one text: "the lamp is broken and the bin has not been emptied" is work for two offices, so it becomes two tickets, one after the
// other. One trouble told in two clauses ("the lift is stuck and nobody comes") stays one.

// Matter is a trouble that waits until the ticket before it is done.
type Matter struct {
	Text string `json:"text"`
	// Beside: it was told in one text with the one before, and so lies at its place unless it names one of its own.
	Beside bool `json:"beside,omitempty"`
}

// UnmarshalJSON reads the form in which states were stored before, a bare text, too.
func (m *Matter) UnmarshalJSON(raw []byte) error {
	*m = Matter{}
	if json.Unmarshal(raw, &m.Text) == nil {
		return nil
	}
	type plain Matter
	return json.Unmarshal(raw, (*plain)(m))
}

const (
	maxClauses = 16
	// otherMatter is what the category of one clause may be worth for the other at most: near categories are one trouble seen twice.
	otherMatter = 0.15
	// surely is how sure the category of a clause is that begins with "also" and names no trouble that is known as one.
	surely = 0.8
)

var clauseEnd = regexp.MustCompile(`(?i)[,;!?\n，；。！？]+|\.(?:\s+|$)|\s+(?:and|plus|but)\s+`)

// clauses cuts a text where a new statement can begin: at signs, at "and", and, in Chinese, which is often typed without any sign, behind what is
// wrong when a word like 也 follows.
func (p *Policy) clauses(r *reading) []string {
	var ends [][2]int // where a clause ends and where the next one begins
	for _, m := range clauseEnd.FindAllStringIndex(r.text, -1) {
		ends = append(ends, [2]int{m[0], m[1]})
	}
	if len(ends) == 0 && r.has("besides") {
		for _, m := range r.found {
			if m.class == "problem" && m.to < len(r.toks) && r.toks[m.to].han && (len(ends) == 0 || r.toks[m.from].start >= ends[len(ends)-1][1]) {
				at := r.toks[m.to].start
				more := "了啦啊着的" // 坏了, not 坏 and 了
				if strings.HasSuffix(r.text[:r.toks[m.to-1].end], "没人") {
					more = "来收管修理清扫运"
				}
				for _, tok := range r.toks[m.to:] {
					if !strings.Contains(more, tok.text) {
						break
					}
					at = tok.end
				}
				ends = append(ends, [2]int{at, at})
			}
		}
	}
	var out []string
	from := 0
	for _, e := range append(ends, [2]int{len(r.text), len(r.text)}) {
		if s := strings.TrimSpace(r.text[from:e[0]]); s != "" {
			out = append(out, s)
		}
		from = e[1]
	}
	if len(out) > maxClauses {
		return nil
	}
	return out
}

// matters takes a text apart into its troubles, nil when it tells of one. Clauses are two troubles when something is wrong in each, what is wrong is
// of two categories that have nothing to do with one another, and the second does not say what came of the first, or who did it.
func (p *Policy) matters(r *reading) []string {
	if p.classify == nil || r.kind() == Report || r.kind() == Praise || r.question {
		return nil
	}
	clauses := p.clauses(r)
	if len(clauses) < 2 {
		return nil
	}
	type trouble struct {
		from, to int // bytes of the text
		guesses  map[string]float64
		label    string
	}
	var all []trouble
	at := 0
	for _, c := range clauses {
		from := at + strings.Index(r.text[at:], c)
		at = from + len(c)
		v := p.lex.read(c)
		label, guesses := p.judged(c)
		wrong := v.has("problem") || v.has("another") && guesses[label] > surely
		own := wrong && label != "" && p.matter(&v) >= v.slack() && !v.has("consequence")
		last := len(all) - 1
		switch {
		case last < 0:
			all = append(all, trouble{from, at, guesses, label})
			if !v.has("problem") { // "hello, I am Anna"
				all[0].label = ""
			}
		case all[last].label == "": // what comes before a trouble belongs to it
			all[last].to = at
			if v.has("problem") {
				all[last].label, all[last].guesses = label, guesses
			}
		case own && label != all[last].label && all[last].guesses[label] < otherMatter && guesses[all[last].label] < otherMatter:
			all = append(all, trouble{from, at, guesses, label})
		default:
			all[last].to = at
		}
	}
	if len(all) < 2 || len(all) > maxLater+1 {
		return nil
	}
	out := make([]string, len(all))
	for i, m := range all {
		out[i] = andFirst.ReplaceAllString(r.text[m.from:m.to], "")
	}
	return out
}

// judged is the category of a clause, "" when it is not sure, with what the classifier makes of all of them.
func (p *Policy) judged(text string) (string, map[string]float64) {
	guesses := map[string]float64{}
	label := ""
	for i, g := range p.classify.Predict(text) {
		guesses[g.Label] = g.Score
		if i == 0 && g.Score >= p.minScore {
			label = g.Label
		}
	}
	return label, guesses
}

// part keeps all troubles of a text but the first for afterwards and gives that one. The text itself comes back when it tells of one only.
func (p *Policy) part(t *turn, r *reading) *reading {
	all := p.matters(r)
	if len(all) < 2 || len(t.st.Later)+len(all)-1 > maxLater {
		return r
	}
	var beside []Matter
	for _, m := range all[1:] {
		beside = append(beside, Matter{Text: cut(m, maxDescription), Beside: true})
	}
	t.st.Later = append(beside, t.st.Later...) // next in turn: what was kept before has another place
	first := p.lex.read(all[0])
	if f := t.st.Form; first.place != "" && f.Place == r.place { // the whole text may name the place of another one first
		f.Place = first.place
	}
	t.parted = true
	return &first
}

// sayParted tells that the text was taken apart, before the next question.
func (p *Policy) sayParted(t *turn) {
	if !t.parted {
		return
	}
	lead := p.tx.t(t.lang, "matters.more", "one", defuse(cut(t.st.Form.Description, maxTitle)))
	if len(t.st.Later) == 1 || !t.st.Later[1].Beside {
		lead = p.tx.t(t.lang, "matters.two", "one", defuse(cut(t.st.Form.Description, maxTitle)), "two", defuse(cut(t.st.Later[0].Text, maxTitle)))
	}
	if t.lead != "" {
		lead = t.lead + p.tx.t(t.lang, "joint") + lead
	}
	t.lead = lead
}

// isParted reports whether the ticket being written is one of several that were told in one text.
func (t *turn) isParted() bool {
	return t.st.Form != nil && len(t.st.Later) > 0 && t.st.Later[0].Beside
}

// together makes one ticket again of what was taken apart: the citizen knows better.
func (p *Policy) together(t *turn) {
	f := t.st.Form
	for len(t.st.Later) > 0 && t.st.Later[0].Beside {
		f.Description = cut(f.Description+"\n"+t.st.Later[0].Text, maxDescription)
		t.st.Later = t.st.Later[1:]
	}
	f.Category = p.category(f.Description)
	t.lead = p.tx.t(t.lang, "matters.together")
	p.next(t)
}
