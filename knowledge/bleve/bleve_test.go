package bleve_test

import (
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"hotline/knowledge"
	"hotline/knowledge/bleve"
	"hotline/knowledge/indextest"
)

func TestMain(m *testing.M) {
	// Bleve keeps a pool of analysis workers for the life of the process.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/blevesearch/bleve_index_api.AnalysisWorker"))
}

func TestConformance(t *testing.T) {
	t.Parallel()
	indextest.Run(t, func(t *testing.T) knowledge.Index {
		x, err := bleve.New(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return x
	})
}

func TestFolderIsEmptiedAtOpenAndRemovedAtClose(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	left := filepath.Join(dir, "bleve", "lang-0")
	if err := os.MkdirAll(left, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(left, "index_meta.json"), []byte("garbage of a killed process"), 0o600); err != nil {
		t.Fatal(err)
	}
	x, err := bleve.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Put(t.Context(), knowledge.Doc{ID: "a", Lang: "en", Title: "Fresh"}); err != nil {
		t.Fatal(err)
	}
	if n, err := x.Count(t.Context()); n != 1 || err != nil {
		t.Fatalf("count %d, %v", n, err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "bleve")); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
}
