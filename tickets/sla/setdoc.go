package sla

import (
	"fmt"
	"slices"
	"strings"
)

// Problem says what is wrong with a policy set or a calendar, so that a surface can say it in the reader's language.
type Problem struct {
	Code string            // of the words: policies.problem.<code>
	Args map[string]string // what the words name
}

// Error is the English for logs and the command line.
func (p *Problem) Error() string {
	text := problems[p.Code]
	for k, v := range p.Args {
		text = strings.ReplaceAll(text, "{"+k+"}", v)
	}
	return text
}

var problems = map[string]string{
	"json":          "the file cannot be read: {reason}",
	"time_zone":     `unknown time zone "{zone}"`,
	"weekday":       `unknown weekday "{day}"`,
	"week_empty":    "a calendar needs a code and at least one working stretch in the week",
	"hours":         `{day}: "{text}": want HH:MM-HH:MM up to 24:00`,
	"hours_order":   "{day}: {from} is not before {to}",
	"hours_overlap": "{day}: {from} overlaps the stretch before it",
	"year_gap":      "year {year} does not follow {last}",
	"holiday_range": "{name}: {from} to {to} is not a range within {year}",
	"make_up_day":   "make-up day {day} is not a date in {year}",
	"warn":          "warn_fraction {value}: want 0 up to below 1 ({policy})",
	"policy_code":   `policy code "{policy}" is empty, used twice or has odd characters`,
	"clock":         `policy {policy}: unknown clock "{clock}"`,
	"span":          "policy {policy}: clock {clock}: want a positive number of minutes, hours, days or working_days, at most ten years",
	"no_default":    "one policy must match every ticket",
	"ladder_order":  `ladder: stage "{stage}" is unknown or out of order`,
	"ladder_anchor": "ladder: {stage}: anchor is warn or due, at is open or close, at most 250 working days",
	"limits":        "limits: {limit} is {value}; want 0 (the default) up to {most}",
}

func problem(code string, args ...string) *Problem {
	p := &Problem{Code: code, Args: map[string]string{}}
	for i := 0; i+1 < len(args); i += 2 {
		p.Args[args[i]] = args[i+1]
	}
	return p
}

// ParseSet reads a policy file. Unknown fields, units, clocks and stages are errors, and so is a set without a policy that
// matches every ticket. Errors are *Problem.
func ParseSet(b []byte) (Set, error) {
	s, err := ParseSetDoc(b)
	if err != nil {
		return Set{}, err
	}
	if err := s.Check(); err != nil {
		return Set{}, err
	}
	return s, nil
}

// ParseSetDoc reads a policy file without judging more than its shape; see Check.
func ParseSetDoc(b []byte) (Set, error) {
	var s Set
	if err := strict(b, &s); err != nil {
		return Set{}, problem("json", "reason", err.Error())
	}
	return s, nil
}

// longest span that means anything, in its unit.
var longest = map[Unit]int{Minutes: 3650 * 24 * 60, HoursUnit: 3650 * 24, Days: 3650, WorkingDays: 2500}

// Units lists the units of spans.
func Units() []Unit { return []Unit{Minutes, HoursUnit, Days, WorkingDays} }

// Check judges a set. Errors are *Problem.
func (s Set) Check() error {
	warn := func(v float64, policy string) error {
		if v < 0 || v >= 1 {
			return problem("warn", "value", fmt.Sprint(v), "policy", policy)
		}
		return nil
	}
	if err := warn(s.WarnFraction, "*"); err != nil {
		return err
	}
	codes := map[string]bool{}
	for _, p := range s.Policies {
		if p.Code == "" || codes[p.Code] || len(p.Code) > 60 || strings.ContainsFunc(p.Code, odd) {
			return problem("policy_code", "policy", p.Code)
		}
		codes[p.Code] = true
		if err := warn(p.WarnFraction, p.Code); err != nil {
			return err
		}
		for name, span := range p.Clocks {
			if !slices.Contains(ClockNames(), name) {
				return problem("clock", "policy", p.Code, "clock", string(name))
			}
			if span.N <= 0 || span.N > longest[span.Unit] {
				return problem("span", "policy", p.Code, "clock", string(name))
			}
		}
	}
	if _, ok := Choose(s.Policies, "", "", ""); !ok {
		return problem("no_default")
	}
	if err := s.Ladder.check(); err != nil {
		return err
	}
	return s.checkNumbers()
}

// odd: a code stands in addresses.
func odd(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
}

func (l Ladder) check() error {
	last := -1
	for _, r := range l {
		i := slices.Index(Stages(), r.Stage)
		if i <= last {
			return problem("ladder_order", "stage", string(r.Stage))
		}
		last = i
		if (r.Anchor != "warn" && r.Anchor != "due") || r.WorkingDays < 0 || r.WorkingDays > 250 || (r.At != "" && r.At != "open" && r.At != "close") {
			return problem("ladder_anchor", "stage", string(r.Stage))
		}
	}
	return nil
}

func (s Set) checkNumbers() error {
	for _, l := range []struct {
		name    string
		n, most int
	}{{"dispatches", s.Limits.Dispatches, 20}, {"extensions", s.Limits.Extensions, 10}, {"extension_percent", s.Limits.ExtensionPercent, 100},
		{"revisit_tries", s.Limits.RevisitTries, 20}, {"revisit_gap_hours", s.Limits.RevisitGapHours, 72}, {"rectify_days", s.Limits.RectifyDays, 365}} {
		if l.n < 0 || l.n > l.most {
			return problem("limits", "limit", l.name, "value", fmt.Sprint(l.n), "most", fmt.Sprint(l.most))
		}
	}
	return nil
}
