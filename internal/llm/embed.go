package llm

import (
	"context"
	"errors"
	"math"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"hotline/internal/redact"
)

// maxBatch is how many texts go into one request for vectors.
const maxBatch = 128

// Embedder makes vectors with the first model that is set up for it. Others are not asked when it fails: their vectors mean something else.
type Embedder struct{ s *Service }

// Embedder gives the service's maker of vectors.
func (s *Service) Embedder() Embedder { return Embedder{s} }

// Name is the id of the model that Embed would ask, "" when there is none. Vectors of another name are stale.
func (e Embedder) Name() string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	models, err := e.s.serving(ctx, UseEmbed)
	if err != nil {
		return ""
	}
	return models[0].Model
}

// Embed gives a vector of the same length for each text, in order. Errors: those of calls.
func (e Embedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	models, err := e.s.serving(ctx, UseEmbed)
	if err != nil {
		return nil, err
	}
	m := models[0]
	out := make([][]float32, 0, len(texts))
	for at := 0; at < len(texts); at += maxBatch {
		part, err := e.s.embed(ctx, m, texts[at:min(at+maxBatch, len(texts))])
		if err != nil {
			return nil, err
		}
		if len(out) > 0 && len(part[0]) != len(out[0]) {
			return nil, ErrBadAnswer
		}
		out = append(out, part...)
	}
	return out, nil
}

func (s *Service) embed(ctx context.Context, m Model, texts []string) ([][]float32, error) {
	ctx, cancel := context.WithTimeout(ctx, m.Timeout)
	defer cancel()
	g := s.gate(m)
	leave, err := g.enter(ctx, s.now())
	if err != nil {
		return nil, late(ctx, err)
	}
	defer leave()
	sent := make([]string, len(texts))
	total := int64(0)
	for i, text := range texts {
		if sent[i] = text; !m.MaySeePersonal {
			sent[i] = redact.New().Hide(text)
		}
		if sent[i] == "" {
			sent[i] = " " // endpoints refuse an empty one
		}
		total += tokens(sent[i])
	}
	t, err := s.begin(ctx, m, Request{Use: UseEmbed, Prompt: "embed"}, total)
	if err != nil {
		return nil, late(ctx, err)
	}
	key, err := s.seal.open(m.sealed, m.ID[:])
	if err != nil {
		s.log.Error("the key of a language model cannot be opened", "model", m.Name, "error", err)
		s.end(m, t, ending{err: ErrKey})
		return nil, ErrKey
	}
	e := ending{}
	var vectors [][]float32
	for {
		a := &attempt{http: s.http, limit: int64(len(texts)+1) * (256 << 10)}
		e.attempts++
		var res openai.EmbeddingResponse
		res, e.err = library(m, key, a).CreateEmbeddings(ctx, openai.EmbeddingRequestStrings{Input: sent, Model: openai.EmbeddingModel(m.Model), EncodingFormat: openai.EmbeddingEncodingFormatFloat})
		if e.err == nil {
			vectors, e.err = inOrder(res.Data, len(texts))
			e.in = int64(res.Usage.PromptTokens)
			if e.in == 0 {
				e.in, e.estimated = total, true
			}
		}
		if e.err == nil {
			break
		}
		var again bool
		if e.err, again = a.judge(ctx, e.err); !again || e.attempts == maxAttempts {
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
	}
	s.end(m, t, e)
	if !errors.Is(e.err, context.Canceled) {
		g.report(e.err == nil || errors.Is(e.err, ErrRefused), s.now())
	}
	if e.err != nil {
		return nil, e.err
	}
	return vectors, nil
}

// inOrder checks that there is one vector for each text, all of one length and of finite numbers.
func inOrder(data []openai.Embedding, n int) ([][]float32, error) {
	if len(data) != n {
		return nil, ErrBadAnswer
	}
	out := make([][]float32, n)
	for _, d := range data {
		if d.Index < 0 || d.Index >= n || out[d.Index] != nil || len(d.Embedding) == 0 || len(d.Embedding) != len(data[0].Embedding) {
			return nil, ErrBadAnswer
		}
		for _, x := range d.Embedding {
			if f := float64(x); math.IsNaN(f) || math.IsInf(f, 0) {
				return nil, ErrBadAnswer
			}
		}
		out[d.Index] = d.Embedding
	}
	return out, nil
}
