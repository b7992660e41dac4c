package meili

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
	"strings"

	"github.com/meilisearch/meilisearch-go"

	"hotline/knowledge"
)

// settings of the index. The order of the parts is their weight; a question is many words, of which not all need be there, so how many there are
// comes first. Numbers and codes are never guessed at.
func (x *Index) settings(groups []knowledge.SynonymGroup) *meilisearch.Settings {
	return &meilisearch.Settings{
		RankingRules:         []string{"words", "typo", "proximity", "attribute", "exactness"},
		SearchableAttributes: []string{"title", "questions", "keywords", "summary", "body"},
		FilterableAttributes: []string{"lang", "audience"},
		DisplayedAttributes:  []string{"id", "version"},
		StopWords:            knowledge.FunctionCharacters(),
		// Characters that several languages write are cut as Chinese; what they would be cut as otherwise depends on the text.
		LocalizedAttributes: []*meilisearch.LocalizedAttributes{{AttributePatterns: []string{"*"}, Locales: chinese}},
		TypoTolerance: &meilisearch.TypoTolerance{Enabled: true, MinWordSizeForTypos: meilisearch.MinWordSizeForTypos{OneTypo: 5, TwoTypos: 9},
			DisableOnWords: []string{}, DisableOnAttributes: []string{}, DisableOnNumbers: true},
		Synonyms:  synonyms(groups),
		Embedders: x.opt.Embedders,
	}
}

// ParseEmbedders reads Meilisearch's setting of that name, which goes to the server as it is.
func ParseEmbedders(text string) (map[string]meilisearch.Embedder, error) {
	if text == "" {
		return nil, nil
	}
	var out map[string]meilisearch.Embedder
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&out); err != nil {
		return nil, fmt.Errorf("not a JSON object of embedders by name: %w", err)
	}
	for name, e := range out {
		if e.Source == "" {
			return nil, fmt.Errorf("embedder %q has no source", name)
		}
	}
	return out, nil
}

var chinese = []string{"cmn"}

// synonyms lists each expression with what else it is called. Meilisearch takes several words as one expression.
func synonyms(groups []knowledge.SynonymGroup) map[string][]string {
	out := map[string][]string{}
	for _, g := range groups {
		var terms []string
		for _, t := range g.Terms {
			if s := knowledge.Stems(t); s != "" {
				terms = append(terms, s)
			}
		}
		for i, t := range terms {
			for j, other := range terms {
				if i != j && t != other {
					out[t] = append(out[t], other)
				}
			}
		}
	}
	return out
}

// analysis names how texts are made into documents: an index of another analysis is built anew.
const analysis = "2"

// Mark implements knowledge.Index: it changes when what is in the index, or how it is searched, would.
func (x *Index) Mark() string {
	raw, err := json.Marshal(x.settings(nil))
	if err != nil {
		panic(err) // plain data
	}
	what := x.uid + analysis
	if x.hybrid != nil {
		what += "+text"
	}
	sum := sha256.Sum256(append(raw, what...))
	return hex.EncodeToString(sum[:8])
}

// SetSynonyms implements knowledge.Index. Errors: ErrClosed, ErrAway, ErrKey, ctx's own.
func (x *Index) SetSynonyms(ctx context.Context, groups []knowledge.SynonymGroup) error {
	if x.closed.Load() {
		return ErrClosed
	}
	if err := x.ensure(ctx, x.uid); err != nil {
		return err
	}
	all := synonyms(groups)
	return x.run(ctx, "set synonyms", func(ctx context.Context) (*meilisearch.TaskInfo, error) {
		return x.server.Index(x.uid).UpdateSynonyms(ctx, &all)
	})
}

// Replace implements knowledge.Index: a second index is built and takes the first one's name at once, so searches never meet half an index.
// Errors: ErrClosed, ErrAway, ErrKey, those of batches, ctx's own.
func (x *Index) Replace(ctx context.Context, groups []knowledge.SynonymGroup, batches iter.Seq2[[]knowledge.Doc, error]) error {
	if x.closed.Load() {
		return ErrClosed
	}
	next := x.uid + "-next"
	if err := x.drop(ctx, next); err != nil { // of a rebuild that did not come to its end
		return err
	}
	if err := x.create(ctx, next, groups); err != nil {
		return err
	}
	want := 0
	for docs, err := range batches {
		if err != nil {
			return err
		}
		if len(docs) == 0 {
			continue
		}
		if err := x.putIn(ctx, next, docs); err != nil {
			return err
		}
		want += len(docs)
	}
	have := 0
	if err := x.call(ctx, callWithin, "count articles", func(ctx context.Context) error {
		stats, err := x.server.Index(next).GetStats(ctx, nil)
		if err == nil {
			have = int(stats.NumberOfDocuments)
		}
		return err
	}); err != nil {
		return err
	}
	if have != want {
		return ErrAway.Wrap(fmt.Errorf("rebuild: %d articles were sent and %d are there", want, have))
	}
	if err := x.ensure(ctx, x.uid); err != nil { // only what is there can be swapped
		return err
	}
	if err := x.run(ctx, "swap indexes", func(ctx context.Context) (*meilisearch.TaskInfo, error) {
		return x.server.SwapIndexes(ctx, []*meilisearch.SwapIndexesParams{{Indexes: []string{x.uid, next}}})
	}); err != nil {
		return err
	}
	return x.drop(ctx, next)
}

// Drop removes the index from the server. Errors: ErrClosed, ErrAway, ErrKey, ctx's own.
func (x *Index) Drop(ctx context.Context) error { return x.drop(ctx, x.uid) }

// drop removes an index; one that is not there is not an error.
func (x *Index) drop(ctx context.Context, uid string) error {
	there := true
	if err := x.call(ctx, callWithin, "look for index", func(ctx context.Context) error {
		_, err := x.server.GetIndex(ctx, uid)
		if unknownIndex(err) {
			there, err = false, nil
		}
		return err
	}); err != nil || !there {
		return err
	}
	return x.run(ctx, "remove index", func(ctx context.Context) (*meilisearch.TaskInfo, error) {
		return x.server.DeleteIndex(ctx, uid)
	})
}
