package bot

import (
	"context"
	"time"
)

// Grounding is a question with the articles that were found for it.
type Grounding struct {
	Question string
	Lang     string
	Found    []Citation
	Known    []string // names and addresses that the citizen has told
}

// Grounded is an answer in the model's words of which every sentence was found in an article; its marks [1], [2]… count Citations.
type Grounded struct {
	Text      string // "" when the articles do not answer
	Citations []Citation
	Call      string // id in the record of model calls
}

// Follow is a text that goes on with the talk before.
type Follow struct {
	Text   string
	Before string // the question before
	Title  string // of the article told last, "" when none was
	Lang   string
	Known  []string
}

// Rewritten is the question in full, "" when the model proposes none.
type Rewritten struct {
	Question string
	Call     string // id in the record of model calls
}

// Statement is what a citizen tells, with the categories to choose from.
type Statement struct {
	Text       string
	Lang       string
	Categories []Choice
	Known      []string
}

// Slots are what a model reads out of a statement; empty where it reads nothing.
type Slots struct {
	Place    string // letters of the statement
	Category string // id of one that was offered
	Call     string
}

// LLM words answers, and helps to understand. It is asked about articles only where the knowledge base has found some, only proposes, and
// may always fail: the bot then says what it says without.
type LLM interface {
	// Answer tells say the text as far as it has been checked, each time from its beginning.
	Answer(ctx context.Context, q Grounding, say func(soFar string)) (Grounded, error)
	// Rewrite puts a text that leans on the talk into a question that stands alone.
	Rewrite(ctx context.Context, f Follow) (Rewritten, error)
	// FindSlots reads the place and the category out of a statement.
	FindSlots(ctx context.Context, s Statement) (Slots, error)
}

// llmReserve is what is left of a turn's time for saying it without a model.
const llmReserve = 1500 * time.Millisecond

type tellingKey struct{}

// Telling lets a turn be heard while it is thought: say gets the text of an answer as far as it is certain. It may be called from the turn's
// goroutine only while Turn runs.
func Telling(ctx context.Context, say func(soFar string)) context.Context {
	return context.WithValue(ctx, tellingKey{}, say)
}

// thinking gives a model its share of the turn's time: all that is left but the reserve, or a part of it. It reports false when too little is left.
func thinking(ctx context.Context, parts int) (context.Context, context.CancelFunc, bool) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return ctx, func() {}, true
	}
	left := time.Until(deadline) - llmReserve
	if left < llmReserve {
		return ctx, nil, false
	}
	ctx, cancel := context.WithTimeout(ctx, left/time.Duration(parts))
	return ctx, cancel, true
}

// ground lets the model word what was found. What it cannot do in time, or cannot prove, leaves the answer as it was.
func (p *Policy) ground(ctx context.Context, t *turn, a Answer, asked string) Answer {
	if p.llm == nil || len(a.Citations) == 0 || a.Outcome != OutcomeAnswer && a.Outcome != OutcomeChoices {
		return a
	}
	ctx, cancel, ok := thinking(ctx, 1)
	if !ok {
		return a
	}
	defer cancel()
	say, told := ctx.Value(tellingKey{}).(func(string))
	if !told {
		say = func(string) {}
	}
	q := Grounding{Question: asked, Lang: t.lang, Found: a.Citations}
	if f := t.st.Form; f != nil && f.Name != "" {
		q.Known = append(q.Known, f.Name)
	}
	g, err := p.llm.Answer(ctx, q, say)
	if err != nil {
		t.reply.Problems = append(t.reply.Problems, err)
		return a
	}
	if g.Text == "" || len(g.Citations) == 0 {
		return a
	}
	worded := Answer{Outcome: OutcomeAnswer, Score: a.Score, Text: g.Text, Citations: g.Citations, Worded: true, Call: g.Call}
	if a.Form != nil && g.Citations[0].ArticleID == a.Citations[0].ArticleID { // its questions are offered in whosever words it is told
		worded.Form = a.Form
	}
	return worded
}
