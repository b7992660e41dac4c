package decision

// Answers are values by question id.
type Answers map[string]string

// Step is a question that the answers settle.
type Step struct {
	Question *Question
	Value    string
	Branch   *Branch
}

// Walk is where the answers lead: to the next question, or to an outcome.
type Walk struct {
	Steps    []Step
	Question *Question // nil at an outcome
	Outcome  *Outcome  // nil at a question
}

// Walk follows the answers from the first question. Answers to questions that lie on no way are left aside, values that the form does not
// know count as missing.
func (f *Form) Walk(a Answers) Walk {
	var w Walk
	if len(f.Questions) == 0 {
		return w
	}
	at := f.Questions[0].ID
	for range len(f.Questions) + 1 { // no sound form needs more steps; a broken one must not hang
		if w.Outcome = f.Outcome(at); w.Outcome != nil {
			return w
		}
		q := f.Question(at)
		if q == nil {
			return w
		}
		value, ok := q.Accept(a[q.ID])
		var b *Branch
		if ok {
			b = q.Branch(value)
		}
		if b == nil {
			w.Question = q
			return w
		}
		w.Steps = append(w.Steps, Step{q, value, b})
		at = b.To
	}
	return w
}

// Longest is the most questions that a walk can still ask from where the answers lead, so that a citizen can be told how long it takes.
func (f *Form) Longest(a Answers) int {
	w := f.Walk(a)
	if w.Question == nil {
		return 0
	}
	return f.longest(w.Question.ID, a, map[string]int{})
}

func (f *Form) longest(id string, a Answers, known map[string]int) int {
	if n, ok := known[id]; ok {
		return n
	}
	known[id] = 0
	q := f.Question(id)
	if q == nil {
		return 0
	}
	n := 0
	if value, ok := q.Accept(a[id]); ok && q.Branch(value) != nil {
		n = f.longest(q.Branch(value).To, a, known)
	} else {
		for _, b := range q.Branches {
			n = max(n, f.longest(b.To, a, known))
		}
		n++
	}
	known[id] = n
	return n
}

// Reasons are those of the steps, in order; a step without a reason of its own has none.
func (w Walk) Reasons() []string {
	var out []string
	for _, s := range w.Steps {
		if s.Branch.Reason != "" {
			out = append(out, s.Branch.Reason)
		}
	}
	return out
}

// Keep gives those answers that still hold in another form: a new version of this one, or, when translated, the same in another language.
func (f *Form) Keep(a Answers, marks map[string]string, translated bool) Answers {
	out := Answers{}
	for i := range f.Questions {
		q := &f.Questions[i]
		value, ok := q.Accept(a[q.ID])
		if !ok {
			continue
		}
		before, now := marks[q.ID], q.Mark()
		if before == now || translated && len(before) == len(now) && before[:halfMark] == now[:halfMark] {
			out[q.ID] = value
		}
	}
	return out
}
