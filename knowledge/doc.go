// Package knowledge answers questions from articles that people wrote, and
// from nothing else.
//
// It owns articles with their versions and review, the search over them, the
// score that decides whether an article really answers a question, and the
// citation every automatic answer carries.
//
// Invariants:
//
//   - An Index only proposes. Every proposed article is read again from
//     PostgreSQL, and only one that is published, inside its validity period,
//     meant for the audience and undisputed is ever returned. An index that
//     lags or lies costs recall, never correctness.
//   - The deciding score is computed here, from the stored text, by pure
//     functions over a [Corpus]. It is the same number whichever engine
//     proposed the article, so thresholds belong to the installation and not
//     to the engine.
//   - Proposing and deciding share one analysis of text ([Analyze]): English
//     words are stemmed, Chinese runs become characters and character pairs.
//   - A version never changes once written; a change is a new version.
//
// Life cycle: a [Service] is given its store and index, fills both the index
// and the corpus with Rebuild, and follows changes with Reindex. The package
// starts no goroutines.
//
// It is a leaf of the domain: it imports no sibling package. Engines live in
// sub-packages (knowledge/bleve), the suite they pass in knowledge/indextest.
package knowledge
