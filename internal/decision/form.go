// Package decision is the small decision form that an article can carry: questions with branches that lead to outcomes. An editor writes it
// as a text ([Parse]), the article's version keeps it, and the bot, the portal and the console's preview walk it ([Form.Walk]).
//
// Invariants:
//   - A form that Parse gives is sound: every branch leads somewhere, nothing is unreachable, nothing loops, every possible answer has a
//     branch. So each walk ends in an outcome.
//   - Where a walk stands follows from the answers alone. There is no cursor: an answer known beforehand skips its question, a corrected one
//     moves the walk, and any node continues it.
//   - Pure: no database, no clock, no network, no state. A form never changes once made and may be used by any number of goroutines.
//
// The package may import internal/errs and the standard library.
package decision

import (
	"fmt"
	"hash/fnv"
	"math"
	"strconv"
	"strings"
)

// Kind of answer that a question wants.
type Kind string

// The kinds.
const (
	YesNo  Kind = "yes_no"
	Choice Kind = "choice"
	Number Kind = "number"
)

// Values of answers beside the numbers and the places of a choice's options ("1" is the first).
const (
	Yes    = "yes"
	No     = "no"
	Unsure = "unsure" // the citizen does not know; only where the question has a branch for it
)

// Form is a sound decision form; the walk begins at the first question.
type Form struct {
	Source    string     `json:"source"` // as the editor wrote it
	Questions []Question `json:"questions"`
	Outcomes  []Outcome  `json:"outcomes"`
}

// Question asks for one thing.
type Question struct {
	ID       string   `json:"id"`
	Text     string   `json:"text"`
	Why      string   `json:"why,omitempty"`   // why it is asked
	Words    []string `json:"words,omitempty"` // of a number: what stands beside it when somebody tells it unasked
	Kind     Kind     `json:"kind"`
	Min      float64  `json:"min,omitempty"` // of a number, both included
	Max      float64  `json:"max,omitempty"`
	Unit     string   `json:"unit,omitempty"`
	Decimals bool     `json:"decimals,omitempty"` // of a number: not only whole ones
	Branches []Branch `json:"branches"`
	line     int
}

// Branch is one answer, or one range of numbers, and where it leads.
type Branch struct {
	Label  string   `json:"label"`           // as the editor wrote it, for a choice what the citizen taps
	Words  []string `json:"words,omitempty"` // other expressions for the same answer
	Value  string   `json:"value,omitempty"` // yes, no, unsure, or the place of an option
	Range  *Range   `json:"range,omitempty"`
	To     string   `json:"to"`
	Reason string   `json:"reason,omitempty"` // "you are 65 or older", said behind "because"
	line   int
}

// Range of numbers. An open border does not belong to it.
type Range struct {
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
	LowOpen  bool    `json:"low_open,omitempty"`
	HighOpen bool    `json:"high_open,omitempty"`
}

func (r Range) holds(v float64) bool {
	return (v > r.Low || v == r.Low && !r.LowOpen) && (v < r.High || v == r.High && !r.HighOpen)
}

// Outcome is where a walk ends.
type Outcome struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Text  string `json:"text,omitempty"` // Markdown
	line  int
}

// Question gives a question by its id, nil when there is none.
func (f *Form) Question(id string) *Question {
	for i := range f.Questions {
		if f.Questions[i].ID == id {
			return &f.Questions[i]
		}
	}
	return nil
}

// Outcome gives an outcome by its id, nil when there is none.
func (f *Form) Outcome(id string) *Outcome {
	for i := range f.Outcomes {
		if f.Outcomes[i].ID == id {
			return &f.Outcomes[i]
		}
	}
	return nil
}

// Accept brings a value into the form it is kept in, or refuses it: yes, no, unsure, the place of an option, or a number in its limits. A
// fraction of a whole number is cut off: who is 67 and a half is 67.
func (q *Question) Accept(value string) (string, bool) {
	value = strings.TrimSpace(value)
	if q.Kind == Number && value != Unsure {
		v, err := strconv.ParseFloat(value, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return "", false
		}
		if !q.Decimals {
			v = math.Trunc(v)
		}
		if v < q.Min || v > q.Max {
			return "", false
		}
		return format(v), true
	}
	for _, b := range q.Branches {
		if b.Value == value && value != "" {
			return value, true
		}
	}
	return "", false
}

// Branch gives the branch that an accepted value takes, nil for any other value.
func (q *Question) Branch(value string) *Branch {
	v, err := strconv.ParseFloat(value, 64)
	for i := range q.Branches {
		b := &q.Branches[i]
		if b.Range == nil && b.Value == value || b.Range != nil && err == nil && b.Range.holds(v) {
			return b
		}
	}
	return nil
}

// HasUnsure reports whether "I don't know" is an answer.
func (q *Question) HasUnsure() bool { return q.Branch(Unsure) != nil }

// Mark changes when a question asks for something else, so that an answer to the question before is not taken for one to this. Its first
// half stands for what a translation shares, the second for the words.
func (q *Question) Mark() string {
	shape := q.ID + "|" + string(q.Kind)
	words := q.Text
	switch q.Kind {
	case Choice:
		shape += "|" + strconv.Itoa(len(q.Branches))
		for _, o := range q.Branches {
			words += "|" + o.Label
		}
	case Number:
		shape += "|" + format(q.Min) + "|" + format(q.Max)
	}
	return sum(shape) + sum(words)
}

const halfMark = 8

func sum(s string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s)) // never fails
	return fmt.Sprintf("%0*x", halfMark, h.Sum32())
}

func format(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
