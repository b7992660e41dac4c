package assist

import (
	"context"
	"encoding/json"
	"strings"

	"hotline/chat/bot"
	"hotline/internal/llm"
)

// What a model proposes to the bot. The bot's own rules check it again before anything comes of it, and a model that fails is recorded and
// logged by llm: to the bot it said nothing.

type rewriteShape struct {
	Question string `json:"question" description:"the question in full, at most 200 characters"`
}

var rewriteSchema = llm.SchemaOf[rewriteShape]("question")

// maxRewritten is how long a question in full is at most, in characters.
const maxRewritten = 300

// Rewrite implements bot.LLM. A question of more than one line, with a placeholder or a link is none.
func (s *Service) Rewrite(ctx context.Context, f bot.Follow) (bot.Rewritten, error) {
	if !s.llm.Has(ctx, llm.UseAnswer) {
		return bot.Rewritten{}, nil
	}
	text := "<before>\n" + data(f.Before, maxQuestion) + "\n</before>\n<article>\n" + data(f.Title, 300) + "\n</article>\n<message>\n" + data(f.Text, maxQuestion) + "\n</message>"
	res, err := s.llm.Complete(ctx, llm.Request{Use: llm.UseAnswer, Prompt: promptRewrite, Known: f.Known, Schema: rewriteSchema, MaxTokens: 120,
		Messages: []llm.Message{{Role: llm.System, Text: prompt("rewrite", "{language}", language(f.Lang))}, {Role: llm.User, Text: text}}})
	if err != nil {
		return bot.Rewritten{}, nil
	}
	out := bot.Rewritten{Call: res.Call.String()}
	var shape rewriteShape
	if json.Unmarshal([]byte(res.Text), &shape) != nil {
		return out, nil
	}
	q := strings.Join(strings.Fields(data(shape.Question, 2*maxRewritten)), " ")
	if len([]rune(q)) > maxRewritten || strange(q) || strings.Contains(q, "://") {
		return out, nil
	}
	out.Question = q
	return out, nil
}

// FindSlots implements bot.LLM: the place and the category that a text names, as Extract reads them.
func (s *Service) FindSlots(ctx context.Context, q bot.Statement) (bot.Slots, error) {
	if !s.llm.Has(ctx, llm.UseExtract) {
		return bot.Slots{}, nil
	}
	offered := make([]Category, len(q.Categories))
	for i, c := range q.Categories {
		offered[i] = Category{Code: c.ID, Name: c.Label}
	}
	facts, err := s.Extract(ctx, Asker{Known: q.Known}, q.Text, offered)
	if err != nil {
		return bot.Slots{}, nil
	}
	return bot.Slots{Place: facts.Place, Category: facts.Category, Call: facts.Call.String()}, nil
}
