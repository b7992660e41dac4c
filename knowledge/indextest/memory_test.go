package indextest_test

import (
	"testing"

	"hotline/knowledge"
	"hotline/knowledge/indextest"
)

// What nodes find by themselves passes the suite of the engines.
func TestTheCorpusConforms(t *testing.T) {
	t.Parallel()
	indextest.Run(t, func(*testing.T) knowledge.Index { return indextest.NewMemory() })
}
