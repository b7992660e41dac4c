// Package dialogeval measures decision forms on recorded dialogues: whether a form, the answers given and what the citizen's own story tells
// lead to the answer that people recorded.
//
// The forms are made of the turns that come without a story: they say, for each rule, what is asked after which answers and where it ends, as
// an editor would write it down. Everything is measured on the turns with a story, none of which was looked at before.
//
// Pure but for the reader it is given; it imports chat/bot/hear and internal/decision.
package dialogeval

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"hotline/chat/bot/hear"
	"hotline/internal/decision"
)

// Turn is a recorded one: a question about a rule, the story of the person who asks, what was asked back, and the answer.
type Turn struct {
	Tree     string `json:"tree"`
	Scenario string `json:"scenario"`
	History  []struct {
		Question string `json:"follow_up_question"`
		Answer   string `json:"follow_up_answer"`
	} `json:"history"`
	Answer string `json:"answer"` // Yes, No, Irrelevant, or the next question
}

// Score of a way to answer.
type Score struct {
	Micro float64            `json:"micro_accuracy"`
	Macro float64            `json:"macro_accuracy"` // mean of the classes
	Class map[string]float64 `json:"by_answer"`      // yes, no, more
}

// Result is what `hotline eval dialog` prints.
type Result struct {
	Forms   int `json:"forms"`    // made of turns without a story
	N       int `json:"n"`        // turns with a story, measured
	LeftOut int `json:"left_out"` // turns about something that no rule covers, and of rules without a form
	// Forms with the story understood; and the baselines: the same forms without listening to the story, the answer given last, and the
	// most frequent answer of the turns without a story.
	Listening Score `json:"listening"`
	Deaf      Score `json:"baseline_answers_only"`
	Last      Score `json:"baseline_last_answer"`
	Majority  Score `json:"baseline_majority"`
	// NextQuestion is the share of the turns that ask back in which the form asks the same.
	NextQuestion float64 `json:"next_question_accuracy"`
	// Heard compares what is understood of a story with the answers recorded for the same person.
	Heard Heard `json:"heard"`
}

// Heard tells how often a story was understood as an answer to a question, and how often rightly.
type Heard struct {
	Pairs     int     `json:"pairs"`
	Told      int     `json:"told"`
	Coverage  float64 `json:"coverage"`
	Precision float64 `json:"precision"`
}

// Errors of Evaluate.
var (
	ErrNoForms = errors.New("dialogeval: no turn without a story leads to an answer")
	ErrNoTurns = errors.New("dialogeval: no turn with a story")
)

// The classes of answers.
const (
	yes, no, more = "yes", "no", "more"
	irrelevant    = "Irrelevant"
)

// Evaluate reads dialogues, JSON Lines, and measures. Errors: ErrNoForms, ErrNoTurns, those of the reader and of the first line that is no turn.
func Evaluate(r io.Reader) (Result, error) {
	plain, stories, err := read(r)
	if err != nil {
		return Result{}, err
	}
	forms, usual := build(plain)
	if len(forms) == 0 {
		return Result{}, ErrNoForms
	}
	res := Result{Forms: len(forms)}
	listening, deaf, last, majority := tally{}, tally{}, tally{}, tally{}
	asks, same, heardRight := 0, 0, 0
	for _, t := range stories {
		f := forms[t.Tree]
		if f == nil || t.Answer == irrelevant {
			res.LeftOut++
			continue
		}
		res.N++
		given, told := decision.Answers{}, decision.Answers{}
		for i := range f.Questions {
			if v := hear.Told(f.Questions[i].Text, t.Scenario); v == hear.Yes || v == hear.No {
				told[f.Questions[i].ID] = string(v)
			}
		}
		for _, h := range t.History {
			id, answer := key(h.Question), strings.ToLower(h.Answer)
			given[id] = answer
			res.Heard.Pairs++
			if v := hear.Told(h.Question, t.Scenario); v != hear.Unheard {
				res.Heard.Told++
				if string(v) == answer {
					heardRight++
				}
			}
		}
		for id, v := range given { // what was answered counts more than what was overheard
			told[id] = v
		}
		want := class(t.Answer)
		got, asked := walk(f, told)
		listening.add(want, got)
		without, _ := walk(f, given)
		deaf.add(want, without)
		final := more
		if n := len(t.History); n > 0 {
			final = strings.ToLower(t.History[n-1].Answer)
		}
		last.add(want, final)
		majority.add(want, usual)
		if want == more {
			asks++
			if asked == key(t.Answer) {
				same++
			}
		}
	}
	if res.N == 0 {
		return Result{}, ErrNoTurns
	}
	res.Listening, res.Deaf, res.Last, res.Majority = listening.score(), deaf.score(), last.score(), majority.score()
	res.NextQuestion = share(same, asks)
	res.Heard.Coverage, res.Heard.Precision = share(res.Heard.Told, res.Heard.Pairs), share(heardRight, res.Heard.Told)
	return res, nil
}

func read(r io.Reader) (plain, stories []Turn, err error) {
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, 1<<20)
	for line := 1; sc.Scan(); line++ {
		if len(strings.TrimSpace(sc.Text())) == 0 {
			continue
		}
		var t Turn
		if err := json.Unmarshal(sc.Bytes(), &t); err != nil || t.Tree == "" || t.Answer == "" {
			return nil, nil, errors.Join(fmt.Errorf("line %d is not a turn {tree, scenario, history, answer}", line), err)
		}
		if strings.TrimSpace(t.Scenario) == "" {
			plain = append(plain, t)
		} else {
			stories = append(stories, t)
		}
	}
	return plain, stories, sc.Err()
}

func key(question string) string { return strings.ToLower(strings.TrimSpace(question)) }

func class(answer string) string {
	switch answer {
	case "Yes":
		return yes
	case "No":
		return no
	}
	return more
}

// build makes a form of each rule's turns without a story, and gives the most frequent answer among them.
func build(turns []Turn) (forms map[string]*decision.Form, usual string) {
	type path = string
	next := map[string]map[path]string{} // rule → answers so far → next question, "=yes" or "=no"
	words := map[string]string{}
	count := map[string]int{}
	for _, t := range turns {
		if t.Answer == irrelevant {
			continue
		}
		count[class(t.Answer)]++
		if next[t.Tree] == nil {
			next[t.Tree] = map[path]string{}
		}
		at := path("")
		for _, h := range t.History {
			next[t.Tree][at] = key(h.Question)
			words[key(h.Question)] = h.Question
			at += key(h.Question) + "\x00" + strings.ToLower(h.Answer) + "\x00"
		}
		if c := class(t.Answer); c == more {
			next[t.Tree][at] = key(t.Answer)
			words[key(t.Answer)] = t.Answer
		} else {
			next[t.Tree][at] = "=" + c
		}
	}
	for _, c := range []string{yes, no, more} {
		if usual == "" || count[c] > count[usual] {
			usual = c
		}
	}
	forms = map[string]*decision.Form{}
	for tree, ways := range next {
		if _, ok := ways[""]; !ok || strings.HasPrefix(ways[""], "=") {
			continue
		}
		f := &decision.Form{Outcomes: []decision.Outcome{{ID: "=" + yes}, {ID: "=" + no}, {ID: "="}}}
		nodes := map[path]string{}
		var place func(at path) string
		place = func(at path) string {
			q, ok := ways[at]
			switch {
			case !ok:
				return "=" // nobody recorded what comes here
			case strings.HasPrefix(q, "="):
				return q
			case nodes[at] != "":
				return nodes[at]
			}
			// A question that stands in two places is one question: who has answered it is not asked again.
			id := q
			if f.Question(id) != nil {
				id = q + "\x00" + strconv.Itoa(len(f.Questions))
			}
			nodes[at] = id
			f.Questions = append(f.Questions, decision.Question{ID: id, Text: words[q], Kind: decision.YesNo})
			i := len(f.Questions) - 1
			branches := []decision.Branch{{Label: yes, Value: yes, To: place(at + q + "\x00" + yes + "\x00")}, {Label: no, Value: no, To: place(at + q + "\x00" + no + "\x00")}}
			f.Questions[i].Branches = branches
			return id
		}
		place("")
		forms[tree] = f
	}
	return forms, usual
}

// walk gives the class of answer that a form comes to, and the question when it asks on.
func walk(f *decision.Form, answers decision.Answers) (got, asked string) {
	all := decision.Answers{}
	for _, q := range f.Questions {
		base, _, _ := strings.Cut(q.ID, "\x00")
		all[q.ID] = answers[base]
	}
	w := f.Walk(all)
	switch {
	case w.Question != nil:
		base, _, _ := strings.Cut(w.Question.ID, "\x00")
		return more, base
	case w.Outcome != nil && w.Outcome.ID != "=":
		return strings.TrimPrefix(w.Outcome.ID, "="), ""
	}
	return more, ""
}

// tally counts rightly given answers by class.
type tally map[string]*struct{ n, right int }

func (t tally) add(want, got string) {
	if t[want] == nil {
		t[want] = &struct{ n, right int }{}
	}
	t[want].n++
	if want == got {
		t[want].right++
	}
}

func (t tally) score() Score {
	s := Score{Class: map[string]float64{}}
	n, right, sum := 0, 0, 0.0
	for c, x := range t {
		n, right = n+x.n, right+x.right
		s.Class[c] = share(x.right, x.n)
		sum += float64(x.right) / float64(x.n)
	}
	s.Micro = share(right, n)
	if len(t) > 0 {
		s.Macro = round(sum / float64(len(t)))
	}
	return s
}

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return round(float64(part) / float64(whole))
}

func round(v float64) float64 { return math.Round(v*1e4) / 1e4 }
