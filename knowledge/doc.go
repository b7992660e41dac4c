// Package knowledge answers questions from articles that people wrote, and
// from nothing else.
//
// It owns articles with their versions and review, the search over them, the
// score that decides whether an article really answers a question, and the
// citation every automatic answer carries.
//
// Invariants:
//
//   - What is proposed, by the [Corpus] in this process and by an [Index]
//     where nodes share one, is only proposed: every article is looked up in
//     PostgreSQL again, and only one that is published, inside its validity
//     period, meant for the audience and undisputed is ever returned. An index
//     that lags or lies costs recall, never correctness.
//   - The deciding score is computed here, from the stored text, by pure
//     functions over the corpus. It is the same number whoever proposed the
//     article, so thresholds belong to the installation and not to an engine.
//   - Proposing and deciding share one analysis of text ([Analyze]): English
//     words are stemmed, Chinese runs become characters and character pairs.
//   - A version never changes once written; a change is a new version.
//
// Life cycle: a [Service] is given its store, fills the corpus with Load and
// follows changes with Reindex; Rebuild reads all anew beside the corpus that
// answers meanwhile. A shared index follows an outbox (Mirror).
//
// It is a leaf of the domain: it imports no sibling package. A shared engine
// lives in knowledge/meili, the suite it passes in knowledge/indextest.
package knowledge
