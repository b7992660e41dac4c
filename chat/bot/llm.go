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

// LLM words answers. It is asked only where the knowledge base has found articles, and may always fail: the bot then says what it says without.
type LLM interface {
	// Answer tells say the text as far as it has been checked, each time from its beginning.
	Answer(ctx context.Context, q Grounding, say func(soFar string)) (Grounded, error)
}

// llmReserve is what is left of a turn's time for saying it without a model.
const llmReserve = 1500 * time.Millisecond

type tellingKey struct{}

// Telling lets a turn be heard while it is thought: say gets the text of an answer as far as it is certain. It may be called from the turn's
// goroutine only while Turn runs.
func Telling(ctx context.Context, say func(soFar string)) context.Context {
	return context.WithValue(ctx, tellingKey{}, say)
}

// ground lets the model word what was found. What it cannot do in time, or cannot prove, leaves the answer as it was.
func (p *Policy) ground(ctx context.Context, t *turn, a Answer, asked string) Answer {
	if p.llm == nil || len(a.Citations) == 0 || a.Outcome != OutcomeAnswer && a.Outcome != OutcomeChoices {
		return a
	}
	if deadline, ok := ctx.Deadline(); ok {
		left := time.Until(deadline) - llmReserve
		if left < llmReserve {
			return a
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, left)
		defer cancel()
	}
	say, ok := ctx.Value(tellingKey{}).(func(string))
	if !ok {
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
	return Answer{Outcome: OutcomeAnswer, Score: a.Score, Text: g.Text, Citations: g.Citations, Worded: true, Call: g.Call}
}
