package decision

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"hotline/internal/errs"
)

const allowance = `# who gets it
question age: How old are you?
  why: The allowance begins at 65.
  number: 0 to 120 years
  65 years or more -> alone because you are 65 or older
  under 65 -> card, because you are younger than 65.

question alone: Do you live alone?
  yes (by myself, on my own) -> granted because you live alone
  no -> card
  not sure -> Ask Us

question card: Which card do you have?
  Senior card (silver card) -> granted because you have a senior card
  Social card -> granted
  None of these -> refused because you have no card

outcome granted: You can have the allowance
  Apply at the community office.

  Bring your **ID card**.
outcome refused: You cannot have it
outcome ask us: We cannot tell from here
`

const allowanceChinese = `问题 年龄：您多大年纪？
  为什么：满65周岁才能领取。
  数字：0到120岁
  65岁以上 → 独居 因为您年满65岁
  不满65岁 → 不能领 因为您不满65岁
问题 独居：您一个人住吗？
  是（自己住、独居） → 能领
  否 → 不能领
  不清楚 → 不能领
结果 能领：您可以领取
结果 不能领：您不能领取
`

func parsed(t *testing.T, source string) *Form {
	t.Helper()
	f, problems := Parse(source)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return f
}

func TestAWalkEndsWhereItsAnswersLead(t *testing.T) {
	t.Parallel()
	f := parsed(t, allowance)
	for _, c := range []struct {
		answers Answers
		asks    string
		ends    string
		reasons string
	}{
		{Answers{}, "age", "", ""},
		{Answers{"age": "65"}, "alone", "", "you are 65 or older"},
		{Answers{"age": "67.9", "alone": "yes"}, "", "granted", "you are 65 or older; you live alone"},
		{Answers{"age": "64"}, "card", "", "you are younger than 65"},
		{Answers{"age": "64", "alone": "yes", "card": "3"}, "", "refused", "you are younger than 65; you have no card"},
		{Answers{"alone": "yes"}, "age", "", ""},
		{Answers{"age": "80", "alone": "unsure"}, "", "ask us", "you are 65 or older"},
		{Answers{"age": "200"}, "age", "", ""},
		{Answers{"age": "NaN"}, "age", "", ""},
		{Answers{"age": "64", "card": "4"}, "card", "", "you are younger than 65"},
	} {
		w := f.Walk(c.answers)
		var asks, ends string
		if w.Question != nil {
			asks = w.Question.ID
		}
		if w.Outcome != nil {
			ends = w.Outcome.ID
		}
		if asks != c.asks || ends != c.ends || strings.Join(w.Reasons(), "; ") != c.reasons {
			t.Errorf("%v: asks %q, ends %q, because %v", c.answers, asks, ends, w.Reasons())
		}
	}
	if o := f.Outcome("granted"); o.Text != "Apply at the community office.\n\nBring your **ID card**." {
		t.Errorf("%q", o.Text)
	}
	if n := f.Longest(nil); n != 3 {
		t.Errorf("at most %d questions", n)
	}
	if n := f.Longest(Answers{"age": "60"}); n != 1 {
		t.Errorf("at most %d questions are left", n)
	}
}

func TestAFormIsWrittenInChinese(t *testing.T) {
	t.Parallel()
	f := parsed(t, allowanceChinese)
	w := f.Walk(Answers{"年龄": "65", "独居": "yes"})
	if w.Outcome == nil || w.Outcome.ID != "能领" || !slices.Equal(w.Reasons(), []string{"您年满65岁"}) {
		t.Errorf("%+v", w)
	}
	if q := f.Question("独居"); !slices.Equal(q.Branches[0].Words, []string{"自己住", "独居"}) || q.Kind != YesNo || !q.HasUnsure() {
		t.Errorf("%+v", q)
	}
}

func TestWhatIsWrongIsNamedByLine(t *testing.T) {
	t.Parallel()
	const end = "\noutcome a: A\noutcome b: B"
	for name, c := range map[string]struct {
		source string
		err    error
		line   int
	}{
		"no question":       {"outcome a: A", ErrNoQuestion, 1},
		"no outcome":        {"question q: Q\nyes -> q\nno -> q", ErrNoOutcome, 1},
		"before anything":   {"hello\nquestion q: Q\nyes -> a\nno -> b" + end, ErrStray, 1},
		"no colon":          {"question q Q\nyes -> a\nno -> b" + end, ErrNoColon, 1},
		"no text":           {"question q:\nyes -> a\nno -> b" + end, ErrNoText, 1},
		"bad name":          {"question q/1: Q\nyes -> a\nno -> b" + end, ErrName, 1},
		"name twice":        {"question a: Q\nyes -> a\nno -> b" + end, ErrTwice, 4},
		"no such target":    {"question q: Q\nyes -> a\nno -> c" + end, ErrNoTarget, 3},
		"a line of nothing": {"question q: Q\nyes -> a\nno: b\nno -> b" + end, ErrLine, 3},
		"only yes":          {"question q: Q\nyes -> a" + end, ErrHalf, 1},
		"no answer":         {"question q: Q" + end, ErrNoBranch, 1},
		"one option":        {"question q: Q\nred -> a\nnot sure -> b" + end, ErrOneOption, 1},
		"an option twice":   {"question q: Q\nred -> a\nRed -> b" + end, ErrSameAnswer, 3},
		"yes twice":         {"question q: Q\nyes -> a\n是 -> b\nno -> b" + end, ErrSameAnswer, 3},
		"unreachable end":   {"question q: Q\nyes -> a\nno -> a" + end, ErrUnreachable, 5},
		"unreachable":       {"question q: Q\nyes -> a\nno -> b\nquestion r: R\nyes -> a\nno -> b" + end, ErrUnreachable, 4},
		"loop":              {"question q: Q\nyes -> r\nno -> a\nquestion r: R\nyes -> q\nno -> b" + end, ErrLoop, 5},
		"loop on itself":    {"question q: Q\nyes -> q\nno -> a" + end, ErrLoop, 2},
		"limits":            {"question q: Q\nnumber: many\n1 -> a\n2 -> b" + end, ErrNumberLine, 2},
		"limits turned":     {"question q: Q\nnumber: 9 to 1\n1 -> a\n2 -> b" + end, ErrNumberLine, 2},
		"no range":          {"question q: Q\nnumber: 0 to 9\nsome -> a\n2 -> b" + end, ErrNumberLabel, 3},
		"gap":               {"question q: Q\nnumber: 0 to 9\nunder 3 -> a\nover 3 -> b" + end, ErrGap, 1},
		"gap of decimals":   {"question q: Q\nnumber: 0 to 9, decimals\n2 or less -> a\n3 or more -> b" + end, ErrGap, 1},
		"overlap":           {"question q: Q\nnumber: 0 to 9\n3 or less -> a\n3 or more -> b" + end, ErrOverlap, 4},
		"outside":           {"question q: Q\nnumber: 0 to 9\nup to 9 -> a\nover 9 -> b" + end, ErrRangeEmpty, 4},
		"nothing left":      {"question q: Q\nnumber: 0 to 9\nup to 9 -> a\notherwise -> b" + end, ErrRangeEmpty, 4},
		"too long":          {"question q: " + strings.Repeat("Q", MaxText+1) + "\nyes -> a\nno -> b" + end, ErrTooLong, 1},
		"far too long":      {strings.Repeat("Q", MaxSource+1), ErrTooLong, 1},
		"many answers":      {"question q: Q" + strings.Repeat("\nx -> a", MaxBranches+1) + end, ErrTooMany, 14},
	} {
		f, problems := Parse(c.source)
		if f != nil || len(problems) == 0 {
			t.Errorf("%s: taken", name)
			continue
		}
		if !slices.ContainsFunc(problems, func(e *errs.Error) bool { return errors.Is(e, c.err) && e.Args["line"] == c.line }) {
			t.Errorf("%s: got %v (line %v), want %v in line %d", name, problems, problems[0].Args["line"], c.err, c.line)
		}
	}
	if f, problems := Parse(" \n"); f != nil || problems != nil {
		t.Error("nothing is a form")
	}
}

func TestAllMistakesAreToldAtOnce(t *testing.T) {
	t.Parallel()
	_, problems := Parse("question q: Q\nyes -> x\nwhat?\nquestion r: R\n")
	if len(problems) < 4 || problems[0].Args["line"] != 1 && problems[0].Args["line"] != 2 {
		t.Errorf("%v", problems)
	}
}

func TestRanges(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]map[string]string{
		"number: 0 to 100,000 yuan, decimals\nup to 2,000 yuan -> a\nmore than 2,000 yuan -> b": {"2000": "a", "2000.5": "b", "0": "a"},
		"number: 0 to 20 children\n0 -> a\n1 to 2 children -> b\n3+ -> a":                       {"0": "a", "1": "b", "2": "b", "3": "a", "20": "a"},
		"number: 0 to 20\n5 -> a\notherwise -> b":                                               {"5": "a", "4": "b", "6": "b", "0": "b", "20": "b"},
		"数字：0～120岁\n60岁及以上 -> a\n不满60岁 -> b":                                                    {"60": "a", "59": "b"},
		"number: 0 - 120\n<18 -> a\n>=18 -> b":                                                  {"17": "a", "18": "b"},
		"number: 0 to 120\nyounger than 18 -> a\nat least 18 -> b\nnot sure -> b":               {"17": "a", "18": "b", "unsure": "b"},
		"number: 0 to 9000 yuan\n2,400 or less -> a\nover 2,400 to 3,800 -> b\nover 3,800 -> a": {"2400": "a", "2401": "b", "3800": "b", "3801": "a"},
		"数字：0到40年\n不满1年 -> a\n满1年不满5年 -> b\n5年以上 -> a":                                          {"0": "a", "1": "b", "4": "b", "5": "a"},
		"number: 0 to 40 years\nunder 1 -> a\n1 to under 5 years -> b\n5 or more -> a":          {"0": "a", "1": "b", "5": "a"},
	} {
		f := parsed(t, "question q: Q\n"+source+"\noutcome a: A\noutcome b: B")
		for v, id := range want {
			if w := f.Walk(Answers{"q": v}); w.Outcome == nil || w.Outcome.ID != id {
				t.Errorf("%s: %s leads to %+v, want %s", source, v, w.Outcome, id)
			}
		}
	}
}

func TestAFormSurvivesItsStore(t *testing.T) {
	t.Parallel()
	f := parsed(t, allowance)
	raw, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var back Form
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	if w := back.Walk(Answers{"age": "70", "alone": "yes"}); w.Outcome == nil || w.Outcome.ID != "granted" || back.Source != f.Source {
		t.Errorf("%+v", w)
	}
	if again := parsed(t, back.Source); again.Source != f.Source {
		t.Error("the source changes each time it is saved")
	}
}

func TestWhatStillHoldsIsKept(t *testing.T) {
	t.Parallel()
	f := parsed(t, allowance)
	answers, marks := Answers{"age": "70", "alone": "yes", "card": "2"}, map[string]string{}
	for _, q := range f.Questions {
		marks[q.ID] = q.Mark()
	}
	next := parsed(t, strings.Replace(strings.Replace(allowance, "Do you live alone?", "Does nobody live with you?", 1), "Social card", "City card", 1))
	if kept := next.Keep(answers, marks, false); len(kept) != 1 || kept["age"] != "70" {
		t.Errorf("kept %v", kept)
	}
	translated := parsed(t, strings.NewReplacer("How old are you?", "您多大年纪？", "Do you live alone?", "您一个人住吗？").Replace(allowance))
	if kept := translated.Keep(answers, marks, true); len(kept) != 3 {
		t.Errorf("kept of the translation %v", kept)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(allowance, "70")
	f.Add(allowanceChinese, "yes")
	f.Add("question q: Q\nnumber: 0 to 9\n5 -> a\notherwise -> a\noutcome a: A", "unsure")
	f.Fuzz(func(t *testing.T, source, value string) {
		form, problems := Parse(source)
		if form == nil {
			for _, e := range problems {
				if line, ok := e.Args["line"].(int); !ok || line < 1 || line > strings.Count(source, "\n")+1 {
					t.Fatalf("%v in line %v", e, e.Args["line"])
				}
			}
			return
		}
		// Every answer that is accepted goes on, and answering whatever is asked ends in an outcome.
		answers := Answers{}
		for range len(form.Questions) {
			w := form.Walk(answers)
			if w.Outcome != nil {
				return
			}
			v, ok := w.Question.Accept(value)
			if !ok {
				b := w.Question.Branches[len(answers)%len(w.Question.Branches)]
				if v = b.Value; b.Range != nil {
					v = format(inside(*b.Range))
				}
			}
			if v, ok = w.Question.Accept(v); !ok || w.Question.Branch(v) == nil {
				t.Fatalf("%q has no branch in %+v", v, w.Question)
			}
			answers[w.Question.ID] = v
		}
		if w := form.Walk(answers); w.Outcome == nil {
			t.Fatalf("no outcome after %v", answers)
		}
	})
}

func TestFormsSayWhatTheyShow(t *testing.T) {
	t.Parallel()
	f, wrong := Parse("question one: Is it \u202eeno siht\u202c?\n  why: Menu -> settings\x07 says so\n  yes -> done\n  no -> done\noutcome done: \u2066Done\u2069\n")
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	if q := f.Questions[0]; q.Text != "Is it eno siht?" || q.Why != "Menu -> settings says so" || f.Outcomes[0].Title != "Done" || strings.ContainsAny(f.Source, "\u202e\u202c\u2066\u2069\x07") {
		t.Errorf("%+v %+v", q, f.Outcomes)
	}
}
