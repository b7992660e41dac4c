package llm

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	openai "github.com/sashabaranov/go-openai"

	"hotline/internal/errs"
	"hotline/internal/redact"
)

// Bounds of one call.
const (
	maxResponse = 8 << 20 // bytes
	maxText     = 200_000 // bytes of all texts of a request
	perToken    = 1 << 10 // bytes of a response for each token of the answer: a chunk of a stream holds one in some 250
)

// outcomeCancelled marks a call whose caller went away.
const outcomeCancelled = "llm.cancelled"

func outcomeOf(err error) string {
	if errors.Is(err, context.Canceled) {
		return outcomeCancelled
	}
	return errs.CodeOf(err)
}

// Complete asks and waits for the whole answer. Errors: those of calls in this package; the context's when the caller went away.
func (s *Service) Complete(ctx context.Context, req Request) (Result, error) {
	return s.ask(ctx, req, nil)
}

// Stream is Complete that also tells pieces of the answer as they come, restored. After an error what was told is not an answer.
func (s *Service) Stream(ctx context.Context, req Request, piece func(string)) (Result, error) {
	return s.ask(ctx, req, piece)
}

// ask tries the models of the use one after another until one answers. Once pieces were told no other is asked: it would begin anew.
func (s *Service) ask(ctx context.Context, req Request, piece func(string)) (Result, error) {
	models, err := s.serving(ctx, req.Use)
	if err != nil {
		return Result{}, err
	}
	told := false
	tell := piece
	if piece != nil {
		tell = func(p string) {
			if p != "" {
				told = true
				piece(p)
			}
		}
	}
	for i, m := range models {
		var res Result
		if res, err = s.call(ctx, m, req, tell, &told); err == nil || told || ctx.Err() != nil || i == len(models)-1 {
			return res, err
		}
	}
	return Result{}, err
}

// call makes one recorded call to one model.
func (s *Service) call(ctx context.Context, m Model, req Request, tell func(string), told *bool) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, m.Timeout)
	defer cancel()
	g := s.gate(m)
	leave, err := g.enter(ctx, s.now())
	if err != nil {
		return Result{}, late(ctx, err)
	}
	defer leave()
	c := conversation{s: s, m: m, req: req, tell: tell, told: told}
	c.hide()
	t, err := s.begin(ctx, m, req, c.estimate())
	if err != nil {
		return Result{}, late(ctx, err)
	}
	e := c.run(ctx)
	s.end(m, t, e)
	if !errors.Is(e.err, context.Canceled) {
		// A request that the model declines or refuses says nothing about its health.
		g.report(e.err == nil || errors.Is(e.err, ErrDeclined) || errors.Is(e.err, ErrRefused), s.now())
	}
	if e.err != nil {
		s.log.WarnContext(ctx, "model call failed", "call", t.id, "model", m.Name, "use", req.Use, "outcome", outcomeOf(e.err), "attempts", e.attempts, "ms", time.Since(t.start).Milliseconds())
		return Result{Call: t.id, Model: m.Name}, e.err
	}
	return Result{Call: t.id, Model: m.Name, Text: c.restored, TokensIn: int(e.in), TokensOut: int(e.out), Full: c.full}, nil
}

// late names a context that ran out.
func late(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return ErrTimeout
	}
	return err
}

// conversation is one call on its way.
type conversation struct {
	s    *Service
	m    Model
	req  Request
	tell func(string) // nil: not streamed
	told *bool

	red      *redact.Redactor // nil: the model may see everything
	messages []openai.ChatCompletionMessage
	raw      strings.Builder // as the model wrote it
	restored string
	full     bool
	usage    *openai.Usage
}

// hide makes the messages that leave.
func (c *conversation) hide() {
	texts := make([]string, len(c.req.Messages))
	for i, m := range c.req.Messages {
		texts[i] = strings.ToValidUTF8(m.Text, "\uFFFD")
	}
	if !c.m.MaySeePersonal {
		c.red = redact.New(c.req.Known...)
		c.red.Learn(texts...)
	}
	for i, m := range c.req.Messages {
		if strings.TrimSpace(texts[i]) == "" {
			continue // the library would leave "content" out
		}
		if c.red != nil {
			texts[i] = c.red.Hide(texts[i])
		}
		c.messages = append(c.messages, openai.ChatCompletionMessage{Role: m.Role, Content: texts[i]})
	}
}

func (c *conversation) maxTokens() int {
	if c.req.MaxTokens > 0 {
		return min(c.req.MaxTokens, c.m.MaxTokens)
	}
	return c.m.MaxTokens
}

// estimate is what a call may cost at most, roughly: the budget holds it back until the true figure is known.
func (c *conversation) estimate() int64 { return c.tokensIn() + int64(c.maxTokens()) }

func (c *conversation) tokensIn() int64 {
	n := int64(0)
	for _, m := range c.messages {
		n += tokens(m.Content) + 4
	}
	return n
}

// tokens guesses the tokens of a text: one for a character outside ASCII, one for four inside. Used where the endpoint does not count.
func tokens(s string) int64 {
	ascii, other := 0, 0
	for _, r := range s {
		if r < utf8.RuneSelf {
			ascii++
		} else {
			other++
		}
	}
	return int64(ascii/4 + other + 1)
}

// run tries until it has an answer, an error that no try mends, or no time.
func (c *conversation) run(ctx context.Context) ending {
	e := ending{}
	for _, m := range c.messages {
		e.request += m.Role + ": " + m.Content + "\n\n"
	}
	if len(e.request) > maxText {
		e.err = ErrRefused
		return e
	}
	key, err := c.s.seal.open(c.m.sealed, c.m.ID[:])
	if err != nil {
		c.s.log.Error("the key of a language model cannot be opened", "model", c.m.Name, "error", err)
		e.err = ErrKey
		return e
	}
	for {
		a := &attempt{http: c.s.http, limit: min(maxResponse, 64<<10+int64(c.maxTokens())*perToken)}
		e.attempts++
		c.raw.Reset()
		c.usage = nil
		err := c.once(ctx, a, key)
		if err == nil {
			break
		}
		var again bool
		e.err, again = a.judge(ctx, err)
		if !again || e.attempts == maxAttempts || *c.told {
			break
		}
		wait, ok := a.pause(ctx, e.attempts)
		if !ok {
			break
		}
		if err := sleep(ctx, wait); err != nil {
			e.err = late(ctx, err)
			break
		}
		e.err = nil
	}
	e.answer = c.raw.String()
	switch {
	case c.usage != nil && c.usage.TotalTokens > 0:
		e.in, e.out = int64(c.usage.PromptTokens), int64(c.usage.CompletionTokens)
	case e.err == nil || e.answer != "":
		e.in, e.out, e.estimated = c.tokensIn(), min(tokens(e.answer), int64(c.maxTokens())), true // a flood is not what was asked for
	}
	if e.err == nil && c.req.Schema != nil {
		if err := c.req.Schema.check(e.answer); err != nil {
			e.err = ErrBadAnswer.Wrap(err)
		}
	}
	if e.err == nil {
		c.restored = c.restore(e.answer)
	}
	return e
}

func (c *conversation) request() openai.ChatCompletionRequest {
	r := openai.ChatCompletionRequest{Model: c.m.Model, Messages: c.messages}
	if reasons(c.m.Model) {
		r.MaxCompletionTokens = c.maxTokens()
	} else {
		r.MaxTokens = c.maxTokens() //lint:ignore SA1019 most servers that speak this API know no other name
	}
	if s := c.req.Schema; s != nil {
		r.ResponseFormat = &openai.ChatCompletionResponseFormat{Type: openai.ChatCompletionResponseFormatTypeJSONSchema,
			JSONSchema: &openai.ChatCompletionResponseFormatJSONSchema{Name: s.name, Schema: s.raw, Strict: true}}
	}
	return r
}

// reasons tells the vendor's models that take max_completion_tokens and no temperature; the library refuses them otherwise.
func reasons(model string) bool {
	for _, p := range []string{"o1", "o3", "o4", "gpt-5"} {
		if strings.HasPrefix(model, p) {
			return true
		}
	}
	return false
}

func (c *conversation) once(ctx context.Context, a *attempt, key string) error {
	if !reasons(c.m.Model) {
		a.temperature = &c.m.Temperature
	}
	client := library(c.m, key, a)
	if c.tell != nil {
		return c.stream(ctx, client)
	}
	res, err := client.CreateChatCompletion(ctx, c.request())
	if err != nil {
		return err
	}
	if len(res.Choices) == 0 {
		return ErrBadAnswer
	}
	c.usage = &res.Usage
	choice := res.Choices[0]
	c.raw.WriteString(choice.Message.Content)
	return c.finish(choice.FinishReason, choice.Message.Refusal)
}

func library(m Model, key string, a *attempt) *openai.Client {
	cfg := openai.DefaultConfig(key)
	cfg.BaseURL, cfg.HTTPClient, cfg.EmptyMessagesLimit = m.BaseURL, a, 10_000
	return openai.NewClientWithConfig(cfg)
}

// finish judges why a model stopped.
func (c *conversation) finish(reason openai.FinishReason, refusal string) error {
	c.full = reason != openai.FinishReasonLength
	switch {
	case refusal != "" || reason == openai.FinishReasonContentFilter:
		return ErrDeclined
	case reason == "" || reason == openai.FinishReasonNull: // the library takes a broken connection for the end of a stream
		return ErrCut
	case strings.TrimSpace(c.raw.String()) == "":
		return ErrBadAnswer
	case !c.full && c.req.Schema != nil:
		return ErrBadAnswer // half a JSON
	}
	return nil
}

func (c *conversation) stream(ctx context.Context, client *openai.Client) error {
	r := c.request()
	r.StreamOptions = &openai.StreamOptions{IncludeUsage: true}
	st, err := client.CreateChatCompletionStream(ctx, r)
	if err != nil {
		return err
	}
	defer func() { _ = st.Close() }() // nothing is left to read
	push, flush := func(p string) string { return p }, func() string { return "" }
	if c.red != nil {
		rs := c.red.Stream()
		push, flush = rs.Push, rs.Flush
	}
	reason, refusal, any := openai.FinishReason(""), "", false
	for {
		part, err := st.Recv()
		if errors.Is(err, io.EOF) {
			if !any {
				return io.EOF
			}
			break
		}
		if err != nil {
			return err
		}
		any = true
		if part.Usage != nil {
			c.usage = part.Usage
		}
		for _, ch := range part.Choices {
			if ch.Index != 0 {
				continue
			}
			c.raw.WriteString(ch.Delta.Content)
			refusal += ch.Delta.Refusal
			if ch.FinishReason != "" {
				reason = ch.FinishReason
			}
			c.tell(push(ch.Delta.Content))
		}
	}
	if err := c.finish(reason, refusal); err != nil {
		return err
	}
	c.tell(flush())
	return nil
}

// restore puts hidden words back; inside JSON word by word, so that a quotation mark in a name breaks nothing.
func (c *conversation) restore(answer string) string {
	if c.red == nil {
		return answer
	}
	if c.req.Schema == nil {
		return c.red.Restore(answer)
	}
	dec := json.NewDecoder(strings.NewReader(answer))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return answer // checked before
	}
	out, err := json.Marshal(c.restoreAll(v))
	if err != nil {
		return answer
	}
	return string(out)
}

func (c *conversation) restoreAll(v any) any {
	switch x := v.(type) {
	case string:
		return c.red.Restore(x)
	case []any:
		for i := range x {
			x[i] = c.restoreAll(x[i])
		}
	case map[string]any:
		for k := range x {
			x[k] = c.restoreAll(x[k])
		}
	}
	return v
}
