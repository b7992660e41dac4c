package knowledge_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/knowledge"
)

func group(terms ...string) knowledge.Synonym {
	return knowledge.Synonym{SynonymGroup: knowledge.SynonymGroup{Lang: "en", Terms: terms}}
}

func TestEditorsKeepWordsThatMeanTheSame(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	d.publish(t, knowledge.Article{}, passport)
	if err := d.SaveSynonym(ctx, d.editor(), group("passport", "laissez-passer", "passport ")); err != nil {
		t.Fatal(err)
	}
	if got := d.found(t, "laissez-passer"); len(got) != 1 {
		t.Errorf("a synonym found %v", got)
	}
	for _, terms := range [][]string{{"bus", "omnibus"}, {"lift", "elevator"}, {"Car", "automobile"}} {
		if err := d.SaveSynonym(ctx, d.editor(), group(terms...)); err != nil {
			t.Fatal(err)
		}
	}
	list := func(lang, text string, after knowledge.Synonym, n int) (out []string) {
		for _, g := range must[[]knowledge.Synonym](t)(d.ListSynonyms(ctx, lang, text, after, n)) {
			out = append(out, strings.Join(g.Terms, "="))
		}
		return out
	}
	first := must[[]knowledge.Synonym](t)(d.ListSynonyms(ctx, "", "", knowledge.Synonym{}, 2))
	if got := list("en", "", first[1], 2); !slices.Equal(got, []string{"lift=elevator", "passport=laissez-passer"}) || first[0].Terms[0] != "bus" || first[1].Terms[0] != "Car" {
		t.Errorf("pages: %v, then %v", first, got)
	}
	if got := list("", "AUTO", knowledge.Synonym{}, 10); !slices.Equal(got, []string{"Car=automobile"}) {
		t.Errorf("searched: %v", got)
	}
	if got := list("zh-CN", "", knowledge.Synonym{}, 10); len(got) != 0 {
		t.Errorf("in Chinese: %v", got)
	}
	one := must[[]knowledge.Synonym](t)(d.ListSynonyms(ctx, "", "laissez", knowledge.Synonym{}, 1))[0]
	changed := one
	changed.Terms = []string{"passport", "rubrum"}
	if err := d.SaveSynonym(ctx, d.editor(), changed); err != nil {
		t.Fatal(err)
	}
	if got := d.found(t, "laissez-passer"); len(got) != 0 {
		t.Errorf("a word that was taken out finds %v", got)
	}
	if got := d.found(t, "rubrum"); len(got) != 1 {
		t.Errorf("the new word finds %v", got)
	}
	agency := d.staff("handler-env", "editor")
	for name, err := range map[string]struct{ got, want error }{
		"a group of one":                    {d.SaveSynonym(ctx, d.editor(), group("one", " ", "one")), knowledge.ErrSynonyms},
		"without a language":                {d.SaveSynonym(ctx, d.editor(), knowledge.Synonym{SynonymGroup: knowledge.SynonymGroup{Terms: []string{"a", "b"}}}), knowledge.ErrSynonyms},
		"too long":                          {d.SaveSynonym(ctx, d.editor(), group("a", strings.Repeat("b", 101))), knowledge.ErrTextTooLong},
		"an operator":                       {d.SaveSynonym(ctx, d.staff("operator", "operator"), group("a", "b")), knowledge.ErrNotEditor},
		"an agency's editor":                {d.SaveSynonym(ctx, agency, group("a", "b")), knowledge.ErrSynonymsDesk},
		"an agency's editor takes one away": {d.RemoveSynonym(ctx, agency, one.ID, 2), knowledge.ErrSynonymsDesk},
		"the one that was seen is gone":     {d.SaveSynonym(ctx, d.editor(), one), knowledge.ErrSynonymsChanged},
		"removed as it was":                 {d.RemoveSynonym(ctx, d.editor(), one.ID, 1), knowledge.ErrSynonymsChanged},
		"removed":                           {d.RemoveSynonym(ctx, d.editor(), one.ID, 2), nil},
	} {
		if !errors.Is(err.got, err.want) {
			t.Errorf("%s: %v, want %v", name, err.got, err.want)
		}
	}
	if got := d.found(t, "rubrum"); len(got) != 0 {
		t.Errorf("after its removal the word finds %v", got)
	}
	// The second wall: an agency's transaction writes none, whatever the code asks.
	err := db.WithTx(ctx, d.pool, agency.Actor, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, `insert into synonym_groups (id, lang, terms) values ($1, 'en', '{a,b}')`, uuid.New())
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "row-level security") {
		t.Errorf("an agency's transaction wrote a group: %v", err)
	}
}
