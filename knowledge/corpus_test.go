package knowledge

import "testing"

// A filling reads ahead. What it read before an edit must not overwrite the edit in the engine, nor bring back what was withdrawn.
func TestAnOldReadingIsNotGivenToTheEngine(t *testing.T) {
	t.Parallel()
	c := NewCorpus()
	read := []Doc{{ID: "kept", Version: 1, Title: "Passport"}, {ID: "edited", Version: 1, Title: "Dog"}, {ID: "tagged", Version: 1, Title: "Bus"}, {ID: "withdrawn", Version: 1, Title: "Swim"}}
	c.Put(read...)
	c.Put(Doc{ID: "edited", Version: 2, Title: "Dogs"}, Doc{ID: "tagged", Version: 1, Title: "Bus", Keywords: []string{"tram"}})
	c.Delete("withdrawn")
	if got := c.unindexed(read); len(got) != 1 || got[0].ID != "kept" {
		t.Errorf("the engine is given %v", got)
	}
	c.setIndexed(read[0])
	if got := c.unindexed(read); len(got) != 0 || c.lacking() != 2 {
		t.Errorf("given again: %v; lacking %d, want the two edits", got, c.lacking())
	}
}
