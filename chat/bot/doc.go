// Package bot decides what the hotline's assistant says next. It is a dialogue policy without a language model: rules, word lists and
// the knowledge base, nothing else.
//
// Invariants:
//   - Pure: no database, no network, no clock of its own. Env tells the time; Knowledge, Tickets and Classifier are the only ways out.
//   - Everything that must survive a restart is in State, which is plain JSON with a version. Any node can take the next turn.
//   - An emergency is answered before anything else, whatever the state, and the form continues afterwards.
//   - No dead end: every turn that says something leaves a person or a ticket one step away.
//   - The bot never invents. An answer is an article's text with its citation, or there is no answer.
//   - Every sentence a person reads comes from the catalogues in data/; code holds keys. A citizen's words are echoed with their braces
//     defused, so that nobody can type {tracking_code} and have it filled.
//   - No text, name, number or code of a citizen is logged: the package does not log at all.
//
// Texts carry placeholders that only the caller can fill once the ticket exists: {number}, {tracking_code}, {report_url}.
//
// A language is two files, data/texts_<lang>.json and data/cues_<lang>.json; tests compare them with the English ones. The golden
// dialogues in testdata are the specification: change the code, run the tests with -update, and read the diff aloud.
//
// A Policy never changes after New and may be used by any number of goroutines. The package may import the standard library,
// golang.org/x/text, internal/errs, internal/decision, internal/hanzi and its own sub-package hear.
package bot
