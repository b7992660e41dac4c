package bot

import (
	"context"
	"regexp"
	"slices"
	"strings"
)

// Several questions in one message: each is answered, or, of "this or that?", both are offered.

// mostAtOnce bounds the questions that are answered in one turn.
const mostAtOnce = 3

var (
	andAsks = regexp.MustCompile(`(?i)(?:,? +and +(?:also +)?|, *)((?:how|what|where|when|which|who|can|do|is|are) )|[\s，,]*(?:还有|另外|顺便)(?:就是|问一下|问下|)[\s，,]*`)
	orWord  = regexp.MustCompile(`(?i)\s+or\s+(?:a |an |the )?|还是`)
)

// questionsIn takes a text apart into the questions it asks; either: they are alternatives to one another.
func (p *Policy) questionsIn(r *reading) (parts []string, either bool) {
	if sides := orWord.Split(r.text, -1); len(sides) == 2 && len(r.toks) <= 4*r.slack() {
		return sides, true
	}
	for from := 0; from < len(r.toks); {
		to := from
		for to < len(r.toks) && r.toks[to].sentence == r.toks[from].sentence {
			to++
		}
		s := andAsks.ReplaceAllString(r.text[r.toks[from].start:r.toks[to-1].end], "\n$1")
		behind := strings.TrimSpace(r.text[r.toks[to-1].end:])
		marked := strings.HasPrefix(behind, "?") || strings.HasPrefix(behind, "？")
		for part := range strings.SplitSeq(s, "\n") {
			if marked || p.lex.read(part).question {
				parts = append(parts, part)
			}
		}
		from = to
	}
	return parts, false
}

// several answers a text that asks more than one thing. It reports false when fewer than two of them have an article of their own: then
// the text is one question.
func (p *Policy) several(ctx context.Context, t *turn, r *reading) bool {
	if p.kb == nil || r.has("problem", "insist", "file") || r.kind() != "" {
		return false
	}
	parts, either := p.questionsIn(r)
	if len(parts) < 2 || len(parts) > 2*mostAtOnce {
		return false
	}
	type found struct {
		r     reading
		asked string
		a     Answer
	}
	var told, open []found
	for _, part := range parts {
		q := p.lex.read(part)
		a, asked, ok := p.lookUp(ctx, t, &q)
		switch {
		case !ok:
			return false
		case a.Outcome != OutcomeAnswer || len(a.Citations) == 0:
			if p.topicWords(p.topic(&q)) > 1 {
				open = append(open, found{q, asked, a})
			}
		case !slices.ContainsFunc(told, func(f found) bool { return f.a.Citations[0].ArticleID == a.Citations[0].ArticleID }):
			told = append(told, found{q, asked, a})
		}
	}
	if len(told) < 2 {
		return false
	}
	told = told[:min(mostAtOnce, len(told))]
	t.st.Question, t.st.Misses = question(r.text), 0
	if either {
		var cs []Citation
		for _, f := range told {
			cs = append(cs, f.a.Citations[0])
		}
		p.which(t, r, cs)
		t.told(t.st.Question, Answer{Outcome: OutcomeChoices, Score: told[0].a.Score, Citations: cs}, false)
		return true
	}
	for _, f := range told {
		t.st.Want = strings.Join(asksAll(&f.r), ",")
		a := p.wanted(ctx, t, f.a)
		p.tell(t, a)
		t.told(f.asked, a, false)
	}
	ids := []string{"helped", "not_helped"}
	if len(open) > 0 {
		p.say(t, "several.open", "question", defuse(open[0].asked))
		t.unanswered(open[0].asked, open[0].a.Score)
		t.st.Question, ids = open[0].asked, append(ids, "file_question")
	}
	m := p.say(t, "helped?")
	m.Ask, t.st.Waiting = AskHelped, AskHelped
	p.offer(t, m, ids...)
	return true
}

// besideTrouble answers the questions of a text that tells of a trouble too, and offers to pass the trouble on: "my bin was not emptied, how do I get a
// bus card and what are your hours?". It reports false where they may be about the trouble: a single question that no word like "also" sets apart.
func (p *Policy) besideTrouble(ctx context.Context, t *turn, r *reading) bool {
	if p.kb == nil || !r.has("problem") || r.has("insist", "file") || r.kind() != "" {
		return false
	}
	var asked []reading
	var trouble []string
	for part := range strings.SplitSeq(andAsks.ReplaceAllString(r.text, "\n$1"), "\n") {
		switch q := p.lex.read(part); {
		case q.question && !q.has("problem"):
			asked = append(asked, q)
		case q.has("problem"):
			trouble = append(trouble, strings.Trim(q.text, " ,，。"))
		}
	}
	if len(trouble) == 0 || len(asked) == 0 || len(asked) > mostAtOnce || len(asked) == 1 && !r.has("another") {
		return false
	}
	before, said := len(t.reply.Messages), 0
	for _, q := range asked {
		if q.has("hours") {
			p.hours(t)
			said++
			continue
		}
		a, what, ok := p.lookUp(ctx, t, &q)
		switch {
		case ok && a.Outcome == OutcomeAnswer && len(a.Citations) > 0:
			t.st.Want = strings.Join(asksAll(&q), ",")
			a = p.wanted(ctx, t, a)
			p.tell(t, a)
			t.told(what, a, false)
			said++
		case ok && a.Outcome == OutcomeChoices && len(a.Citations) > 0:
			p.maybe(t, what, a)
			said++
		default:
			p.say(t, "several.none", "question", defuse(q.text))
			t.unanswered(q.text, a.Score)
		}
	}
	if said == 0 {
		t.reply.Messages = t.reply.Messages[:before]
		return false
	}
	t.reply.Messages = settled(t.reply.Messages)
	t.st.Question, t.st.Cited, t.st.Misses = strings.Join(trouble, "\n"), nil, 0
	m := p.say(t, "file.still", "question", defuse(cut(t.st.Question, maxTitle)))
	p.offer(t, m, "file_question", "ask", "human")
	t.st.Waiting, t.st.Said = waitFile, nil
	return true
}

// leastNamed is how many words, or Han characters, name an article: fewer stand in too many titles.
const (
	leastNamed    = 2
	leastNamedHan = 3
)

// named prefers the one article whose title has the words of the question as they stand: "what is the fee for a residence permit?" means the
// article about residence permits, whatever other articles say of fees and of them.
func (p *Policy) named(ctx context.Context, t *turn, r *reading, a Answer) Answer {
	topic := p.topic(r)
	words := p.lex.tokens(topic)
	least := leastNamed
	if r.slack() == 3 {
		least = leastNamedHan
	}
	if len(words) < least || strings.Contains(topic, "，") {
		return a
	}
	says := func(c Citation) bool { return containsRun(p.lex.tokens(c.Title), words) }
	if a.Outcome == OutcomeAnswer && says(a.Citations[0]) {
		return a
	}
	found := slices.Clone(a.Citations)
	if asks(r) != "" {
		if b, err := p.kb.Answer(ctx, topic, t.lang); err == nil {
			found = append(found, b.Citations...)
		}
	}
	id := ""
	for _, c := range found {
		if !says(c) || c.ArticleID == id {
			continue
		}
		if id != "" {
			return a
		}
		id = c.ArticleID
	}
	if id == "" {
		return a
	}
	b, err := p.kb.ByID(ctx, id, t.lang)
	if err != nil || len(b.Citations) == 0 || b.Text == "" {
		return a
	}
	b.Outcome, b.Score = OutcomeAnswer, a.Score
	return b
}

// containsRun reports whether words stand in a text one behind the other.
func containsRun(in, words []token) bool {
	for i := 0; i+len(words) <= len(in); i++ {
		if slices.EqualFunc(in[i:i+len(words)], words, func(a, b token) bool { return a.text == b.text }) {
			return true
		}
	}
	return false
}
