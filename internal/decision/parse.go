package decision

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"hotline/internal/errs"
)

// Limits. A form is for a chat and for a page per question: what needs more is a job for a person.
const (
	MaxSource   = 20000 // characters
	MaxItems    = 60    // questions, and outcomes
	MaxBranches = 12
	MaxText     = 300  // of a question, a reason, a title
	MaxOutcome  = 2000 // of an outcome's text
)

// What can be wrong with a form. Each carries the line.
var (
	ErrTooLong     = errs.New(errs.Invalid, "decision.too_long", "this is too long")
	ErrTooMany     = errs.New(errs.Invalid, "decision.too_many", "there are too many of these")
	ErrStray       = errs.New(errs.Invalid, "decision.stray", "this line belongs to no question and no outcome")
	ErrNoColon     = errs.New(errs.Invalid, "decision.no_colon", "a question and an outcome are written \"question name: text\"")
	ErrLine        = errs.New(errs.Invalid, "decision.line", "a line of a question is \"answer -> name\", \"why: …\", \"number: …\" or \"words: …\"")
	ErrName        = errs.New(errs.Invalid, "decision.name", "a name has letters, digits, blanks and hyphens, at most 40")
	ErrTwice       = errs.New(errs.Invalid, "decision.twice", "this name is taken already")
	ErrNoText      = errs.New(errs.Invalid, "decision.no_text", "the text is missing")
	ErrNoTarget    = errs.New(errs.Invalid, "decision.no_target", "no question and no outcome has this name")
	ErrNumberLine  = errs.New(errs.Invalid, "decision.number_line", "write the limits as \"number: 0 to 120 years\"")
	ErrNumberLabel = errs.New(errs.Invalid, "decision.number_label", "this is no range of numbers")
	ErrRangeEmpty  = errs.New(errs.Invalid, "decision.range_empty", "no number within the limits falls under this")
	ErrOverlap     = errs.New(errs.Invalid, "decision.overlap", "a number falls under two lines")
	ErrGap         = errs.New(errs.Invalid, "decision.gap", "a number falls under no line")
	ErrNoBranch    = errs.New(errs.Invalid, "decision.no_branch", "the question has no answer")
	ErrHalf        = errs.New(errs.Invalid, "decision.half", "a question for yes or no needs both")
	ErrOneOption   = errs.New(errs.Invalid, "decision.one_option", "a choice needs at least two answers")
	ErrSameAnswer  = errs.New(errs.Invalid, "decision.same_answer", "this answer is there already")
	ErrNoQuestion  = errs.New(errs.Invalid, "decision.no_question", "the form has no question")
	ErrNoOutcome   = errs.New(errs.Invalid, "decision.no_outcome", "the form has no outcome")
	ErrUnreachable = errs.New(errs.Invalid, "decision.unreachable", "no answer leads here")
	ErrLoop        = errs.New(errs.Invalid, "decision.loop", "the form goes round in a circle")
)

var (
	headLine   = regexp.MustCompile(`^(?i)(question|outcome|问题|结果)(?:\s+|\s*$)(.*)$`)
	arrow      = regexp.MustCompile(`\s*(?:->|→|=>|－>|—>)\s*`)
	because    = regexp.MustCompile(`(?i)[,，]?\s*(?:\bbecause\s+|因为\s*)`)
	brackets   = regexp.MustCompile(`^(.*?)\s*[(（]([^()（）]*)[)）]$`)
	fieldLine  = regexp.MustCompile(`^(?i)(why|number|words|为什么|数字|说法)\s*[:：]\s*(.*)$`)
	nameForm   = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N} _-]{0,39}$`)
	limits     = regexp.MustCompile(`^` + num + `\s*(?:to|-|–|—|~|～|到|至)\s*` + num + `\s*(.*)$`)
	decimals   = regexp.MustCompile(`(?i)[,，;；]?\s*(?:with decimals|decimals|可有小数|小数)\s*$`)
	listBreak  = regexp.MustCompile(`\s*[,，、;；]\s*`)
	yesLabel   = regexp.MustCompile(`^(?i)(?:yes|是|是的|有)$`)
	noLabel    = regexp.MustCompile(`^(?i)(?:no|否|不是|没有|无)$`)
	unsureName = regexp.MustCompile(`^(?i)(?:not sure|(?:i )?don['’]t know|unsure|不知道|不清楚|不确定)$`)
)

// parser keeps what it reads and all that is wrong with it.
type parser struct {
	form     Form
	problems []*errs.Error
	question *Question // being read
	outcome  *Outcome
	names    map[string]int // name → line
}

func (p *parser) fail(e *errs.Error, line int, args ...any) {
	e = e.With("line", line)
	for i := 0; i+1 < len(args); i += 2 {
		e = e.With(args[i].(string), args[i+1])
	}
	p.problems = append(p.problems, e)
}

// Parse reads a form. An empty source is no form: nil without a problem. Otherwise it gives a sound form, or everything that is wrong, by
// line: the errors of this package.
//
//	question age: How old are you?
//	  why: The allowance begins at 65.
//	  number: 0 to 120 years
//	  65 or more -> alone because you are 65 or older
//	  under 65 -> too young because you are younger than 65
//
//	question alone: Do you live alone?
//	  yes (by myself, on my own) -> granted because you live alone
//	  no -> office
//	  not sure -> office
//
//	outcome granted: You can have the allowance
//	  Apply at the community office.
func Parse(source string) (*Form, []*errs.Error) {
	if strings.TrimSpace(source) == "" {
		return nil, nil
	}
	source = strings.Map(visible, strings.ReplaceAll(strings.ToValidUTF8(source, ""), "\r\n", "\n"))
	p := &parser{names: map[string]int{}}
	if n := utf8.RuneCountInString(source); n > MaxSource {
		p.fail(ErrTooLong, 1, "limit", MaxSource)
		return nil, p.problems
	}
	p.form.Source = strings.TrimRight(source, " \n\t") + "\n"
	for i, line := range strings.Split(source, "\n") {
		p.read(strings.TrimSpace(line), i+1)
	}
	p.close()
	p.check()
	if len(p.problems) > 0 {
		return nil, p.problems
	}
	return &p.form, nil
}

// visible drops control characters and those that turn text round: a form says what it shows.
func visible(r rune) rune {
	if unicode.IsControl(r) && r != '\n' && r != '\t' || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 {
		return -1
	}
	return r
}

func (p *parser) read(line string, n int) {
	if strings.HasPrefix(line, "#") {
		return
	}
	if m := headLine.FindStringSubmatch(line); m != nil && (p.outcome == nil || strings.ContainsAny(m[2], ":：")) {
		p.head(strings.ToLower(m[1]), m[2], n)
		return
	}
	switch {
	case p.outcome != nil:
		p.outcome.Text += line + "\n"
	case line == "":
	case p.question != nil:
		p.ask(line, n)
	default:
		p.fail(ErrStray, n)
	}
}

// close ends the item that is being read.
func (p *parser) close() {
	if q := p.question; q != nil {
		p.form.Questions = append(p.form.Questions, *q)
	}
	if o := p.outcome; o != nil {
		o.Text = strings.TrimSpace(o.Text)
		if utf8.RuneCountInString(o.Text) > MaxOutcome {
			p.fail(ErrTooLong, o.line, "limit", MaxOutcome)
		}
		p.form.Outcomes = append(p.form.Outcomes, *o)
	}
	p.question, p.outcome = nil, nil
}

func (p *parser) head(word, rest string, n int) {
	p.close()
	i := strings.IndexAny(rest, ":：")
	if i < 0 {
		p.fail(ErrNoColon, n)
		i = len(rest)
	}
	name := nameOf(rest[:i])
	text := strings.TrimLeft(rest[i:], ":： ")
	switch before, taken := p.names[name]; {
	case !nameForm.MatchString(name):
		p.fail(ErrName, n, "name", name)
	case taken:
		p.fail(ErrTwice, n, "name", name, "other", before)
	}
	p.names[name] = n
	p.text(text, n)
	if text == "" {
		p.fail(ErrNoText, n)
	}
	if word == "question" || word == "问题" {
		p.question = &Question{ID: name, Text: text, line: n}
	} else {
		p.outcome = &Outcome{ID: name, Title: text, line: n}
	}
}

func nameOf(s string) string { return strings.ToLower(strings.Join(strings.Fields(narrow(s)), " ")) }

func (p *parser) text(s string, n int) {
	if utf8.RuneCountInString(s) > MaxText {
		p.fail(ErrTooLong, n, "limit", MaxText)
	}
}

// ask reads a line of a question.
func (p *parser) ask(line string, n int) {
	q := p.question
	m := fieldLine.FindStringSubmatch(line) // an explanation may speak of arrows
	if at := arrow.FindStringIndex(line); at != nil && m == nil {
		b := Branch{Label: line[:at[0]], line: n}
		to := line[at[1]:]
		if at := because.FindStringIndex(to); at != nil {
			b.Reason = strings.TrimRight(strings.TrimSpace(to[at[1]:]), ".。,，")
			to = to[:at[0]]
		}
		b.To = nameOf(to)
		if m := brackets.FindStringSubmatch(b.Label); m != nil {
			b.Label, b.Words = m[1], list(m[2])
		}
		b.Label = strings.TrimSpace(b.Label)
		p.text(b.Label+b.Reason, n)
		if b.Label == "" {
			p.fail(ErrNoText, n)
		}
		q.Branches = append(q.Branches, b)
		return
	}
	if m == nil {
		p.fail(ErrLine, n)
		return
	}
	p.text(m[2], n)
	switch strings.ToLower(m[1]) {
	case "why", "为什么":
		q.Why = strings.TrimSpace(m[2])
	case "words", "说法":
		q.Words = list(m[2])
	default:
		p.number(q, m[2], n)
	}
}

func list(s string) []string {
	var out []string
	for _, w := range listBreak.Split(strings.TrimSpace(s), -1) {
		if w != "" {
			out = append(out, w)
		}
	}
	return out
}

func (p *parser) number(q *Question, s string, n int) {
	q.Kind = Number
	s = narrow(s)
	for comma.MatchString(s) {
		s = comma.ReplaceAllString(s, "$1$2")
	}
	if cut := decimals.ReplaceAllString(s, ""); cut != s {
		s, q.Decimals = cut, true
	}
	m := limits.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		p.fail(ErrNumberLine, n)
		return
	}
	q.Min, _ = strconv.ParseFloat(m[1], 64)
	q.Max, _ = strconv.ParseFloat(m[2], 64)
	q.Unit = strings.TrimSpace(m[3])
	if q.Min >= q.Max || utf8.RuneCountInString(q.Unit) > 20 {
		p.fail(ErrNumberLine, n)
	}
}
