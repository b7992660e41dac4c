package knowledge

import "testing"

// A loading reads ahead. What it read before an edit must not undo the edit, nor bring back what was withdrawn, in the corpus that answers and in one that is to take
// its place.
func TestAnOldReadingUndoesNoEdit(t *testing.T) {
	t.Parallel()
	read := []Doc{{ID: "kept", Version: 1, Title: "Passport"}, {ID: "edited", Version: 1, Title: "Dog"}, {ID: "withdrawn", Version: 1, Title: "Swim"}}
	for name, into := range map[string]*Corpus{"compared": nil, "anew": NewCorpus()} {
		s := New(Deps{})
		s.corpus().Put(read...)
		if into == nil {
			into = s.corpus()
		}
		s.reads(&loading{into: into, edited: map[string]bool{}})
		s.put([]Doc{{ID: "edited", Version: 2, Title: "Dogs"}, {ID: "new", Version: 1, Title: "Bus"}}, []string{"withdrawn"})
		s.takeIn(into, 1, read)
		for _, c := range []*Corpus{s.corpus(), into} {
			if c.Len() != 3 || !c.holds("edited", 2) || !c.holds("new", 1) || !c.holds("kept", 1) {
				t.Errorf("%s: holds %d documents, the edited one %v", name, c.Len(), c.holds("edited", 2))
			}
		}
	}
}
