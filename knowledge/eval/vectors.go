package eval

import (
	"context"
	"fmt"

	"hotline/knowledge"
	"hotline/knowledge/vector"
)

// near is the vectors of the articles, by language.
type near struct {
	embedder knowledge.Embedder
	sets     map[string]*vector.Set
}

// neighbours embeds the articles; nil without an embedder.
func neighbours(ctx context.Context, embedder knowledge.Embedder, docs []knowledge.Doc) (*near, error) {
	if embedder == nil {
		return nil, nil
	}
	n := &near{embedder: embedder, sets: map[string]*vector.Set{}}
	for _, d := range docs {
		vs, err := embedder.Embed(ctx, knowledge.Chunks(d))
		if err != nil {
			return nil, fmt.Errorf("embed article: %w", err)
		}
		lang := knowledge.BaseLang(d.Lang)
		if n.sets[lang] == nil {
			n.sets[lang] = vector.NewSet(len(vs[0]))
		}
		codes := make([]vector.Code, len(vs))
		for i, v := range vs {
			codes[i] = vector.Encode(v)
		}
		n.sets[lang].Put(d.ID, codes...)
	}
	return n, nil
}

func (n *near) fuse(ctx context.Context, q evalQuery, ranked []knowledge.Ranked, byID map[string]knowledge.Doc) ([]knowledge.Ranked, error) {
	set := n.sets[knowledge.BaseLang(q.Lang)]
	if set == nil {
		return ranked, nil
	}
	vs, err := n.embedder.Embed(ctx, []string{q.Text})
	if err != nil {
		return nil, fmt.Errorf("embed query: %w", err)
	}
	at := map[string]knowledge.Ranked{}
	words := make([]string, len(ranked))
	for i, r := range ranked {
		words[i] = r.Doc.ID
		at[r.Doc.ID] = r
	}
	var ids []string
	for _, h := range set.Search(vs[0], knowledge.Proposals) {
		ids = append(ids, h.ID)
		if _, ok := at[h.ID]; !ok {
			at[h.ID] = knowledge.Ranked{Doc: byID[h.ID]}
		}
	}
	out := make([]knowledge.Ranked, 0, len(at))
	for _, id := range knowledge.Fuse(words, ids, len(ranked) > 0 && ranked[0].Score >= knowledge.DefaultThresholds.Good) {
		out = append(out, at[id])
	}
	return out, nil
}
