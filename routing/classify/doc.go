// Package classify assigns a category to a citizen's text.
//
// The model is linear over words, word pairs and character n-grams, weighted by
// tf-idf: a one-vs-rest support vector machine mixed with complement naive
// Bayes. How much of each, and the temperature that turns margins into
// probabilities, is fitted on held-out folds. It is small on purpose: it trains at start from the catalogue's own texts, its decision
// can be traced to features, and a decision costs well under a millisecond.
//
// Invariants:
//   - Pure: no clock, no network, no database, no global state.
//   - Deterministic: the same examples in the same order with the same options
//     give the same model, bit for bit, whatever the number of CPUs.
//   - A *Model never changes after Train and may be used by
//     any number of goroutines.
//   - Scores of one Predict are probabilities: each in [0,1], together 1.
//
// A Matcher is for another question: whether any of the labels fits at all.
//
// Chinese needs no word segmenter: each Han character is a token of its own,
// so that token pairs and character n-grams carry the words.
package classify
