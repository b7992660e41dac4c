package knowledge

import "testing"

// Whoever asks what was stored means the article it was stored with, however well another one covers the words.
func TestAStoredQuestionFindsItsArticleFirst(t *testing.T) {
	t.Parallel()
	docs := []Doc{
		{ID: "ours", Lang: "en", Title: "Pensions", Questions: []string{"can my husband collect the card for me", "who decides on it"}, Body: "Pensions are paid monthly."},
		{ID: "card", Lang: "en", Title: "Collect a card", Keywords: []string{"card", "collect"}, Summary: "Your husband can collect the card for you.",
			Body: "Collect the card yourself. A husband can collect the card, a wife can collect the card."},
	}
	c := NewCorpus()
	c.Put(docs...)
	if got := c.Rank("Can my husband collect the card for me?", docs); got[0].Doc.ID != "ours" {
		t.Errorf("the stored question finds %s first", got[0].Doc.ID)
	}
	if got := c.Rank("a card for my husband", docs); got[0].Doc.ID != "card" {
		t.Errorf("what shares some of its words finds %s first", got[0].Doc.ID)
	}
}
