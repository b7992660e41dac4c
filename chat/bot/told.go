package bot

import "cmp"

// OutcomeHandOff is a question that a person takes.
const OutcomeHandOff Outcome = "handoff"

// Told is a question of the citizen and what came of it, for the record of answers.
type Told struct {
	Question string
	Outcome  Outcome
	Score    float64
	// Follows: it goes on with a question that has been recorded, as an article picked from a list does.
	Follows bool
	// Cited is the article told, or those offered to choose from.
	Cited []Citation
	// Place is where in the list the article stood that was picked, from 1; 0 when none was picked.
	Place int
	// Call is the model call that worded the answer, or that put its question in full; "" when none did.
	Call string
}

// told records what the citizen asked and what came of it. What was said twice in a turn is recorded once.
func (t *turn) told(question string, a Answer, follows bool) {
	n := Told{Question: question, Outcome: a.Outcome, Score: a.Score, Follows: follows, Cited: a.Citations, Call: cmp.Or(a.Call, t.call)}
	if follows && a.Outcome == OutcomeAnswer && len(a.Citations) > 0 {
		for i, c := range t.st.Offered {
			if c.ID == "article:"+a.Citations[0].ArticleID {
				n.Place = i + 1
			}
		}
	}
	t.reply.Told = append(t.reply.Told, n)
}

// unanswered records a question without a good article and keeps it for the gap list.
func (t *turn) unanswered(question string, score float64) {
	t.reply.Unanswered = question
	t.told(question, Answer{Outcome: OutcomeNone, Score: score}, false)
}
