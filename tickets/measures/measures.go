package measures

import "slices"

// Unit is how a measure's value is read.
type Unit string

// The units.
const (
	Share Unit = "share" // 0 to 1
	Hours Unit = "hours"
	Index Unit = "index" // 0 to 100: weighted from other measures
)

// Better says which way is good.
type Better string

// The ways.
const (
	Higher  Better = "higher"
	Lower   Better = "lower"
	Neither Better = "neither"
)

// Subject is what a measure counts, and so which filters mean something to it.
type Subject string

// The subjects. Chats have a channel alone; knowledge is counted as it is now.
const (
	OfTicket     Subject = "ticket"
	OfAssignment Subject = "assignment"
	OfChat       Subject = "chat"
	OfKnowledge  Subject = "knowledge"
)

// Left is what a measure leaves out, and why: the reason's code and its counters.
type Left struct {
	Reason string
	Of     []Counter
}

// Measure is a published number. Its value is Part / (Part + Rest).
type Measure struct {
	Code    string
	Unit    Unit
	Better  Better
	Subject Subject
	Part    []Counter
	Rest    []Counter
	Left    []Left
	// Of names the measures that an index is weighted from; it has no counters of its own.
	Of []string
	// Group is the heading it stands under.
	Group string
}

type cs = []Counter

var outside = []Left{{"withdrawn", cs{Withdrawn}}, {"merged", cs{Merged}}, {"refused", cs{Refused}}, {"transferred", cs{Transferred}}}

func left(more ...Left) []Left { return append(more, outside...) }

// The codes that code refers to.
const (
	FirstContact   = "first_contact"
	SignOnTime     = "sign_on_time"
	ResolveOnTime  = "resolve_on_time"
	DispatchOnTime = "dispatch_on_time"
	Satisfaction   = "satisfaction"
	ThreeRates     = "three_rates"
	AnswerTime     = "answer_time"
	Coverage       = "knowledge_coverage"
	Stale          = "stale_articles"
	Response       = "response"
	Resolution     = "resolution"
)

var all = []Measure{
	{Code: "answered_15s", Group: "reach", Unit: Share, Better: Higher, Subject: OfChat, Part: cs{Picked15}, Rest: cs{Picked, GaveUp}, Left: []Left{{"running", cs{QueueOpen}}}},
	{Code: "connection", Group: "reach", Unit: Share, Better: Higher, Subject: OfChat, Part: cs{Picked15, Picked}, Rest: cs{GaveUp}, Left: []Left{{"running", cs{QueueOpen}}}},
	{Code: "bot_containment", Group: "reach", Unit: Share, Better: Higher, Subject: OfChat, Part: cs{ChatBot}, Rest: cs{ChatPerson}, Left: []Left{{"running", cs{ChatOpen}}}},
	{Code: "bot_to_person", Group: "reach", Unit: Share, Better: Neither, Subject: OfChat, Part: cs{ChatPerson}, Rest: cs{ChatBot}, Left: []Left{{"running", cs{ChatOpen}}}},
	{Code: FirstContact, Group: "reach", Unit: Share, Better: Higher, Subject: OfTicket, Part: cs{Direct}, Rest: cs{Worked}, Left: left()}, // Worked holds Direct: see value

	{Code: DispatchOnTime, Group: "time", Unit: Share, Better: Higher, Subject: OfTicket, Part: cs{DispatchOK}, Rest: cs{DispatchLate}, Left: []Left{{"running", cs{DispatchOpen}}}},
	{Code: SignOnTime, Group: "time", Unit: Share, Better: Higher, Subject: OfAssignment, Part: cs{SignOK}, Rest: cs{SignLate},
		Left: []Left{{"running", cs{SignOpen}}, {"taken_back", cs{SignVoid}}, {"appealed", cs{SignExcluded}}}},
	{Code: Response, Group: "time", Unit: Share, Better: Higher, Subject: OfTicket, Part: cs{ResponseOK}, Rest: cs{ResponseLate}, Left: left(Left{"running", cs{ResponseOpen}}, Left{"appealed", cs{ResponseExcluded}})},
	{Code: ResolveOnTime, Group: "time", Unit: Share, Better: Higher, Subject: OfTicket, Part: cs{ResolveOK}, Rest: cs{ResolveLate},
		Left: left(Left{"running", cs{ResolveOpen}}, Left{"provisional", cs{ResolveProvisional}}, Left{"appealed", cs{ResolveExcluded}})},
	{Code: AnswerTime, Group: "time", Unit: Hours, Better: Lower, Subject: OfTicket, Part: cs{Minutes}, Rest: cs{Kept, Redone, RedoneExcluded}, Left: left()},

	{Code: "return_rate", Group: "dispatch", Unit: Share, Better: Lower, Subject: OfAssignment, Part: cs{Returned}, Rest: cs{Assigned}},
	{Code: "wrong_dispatch", Group: "dispatch", Unit: Share, Better: Lower, Subject: OfAssignment, Part: cs{Misdirected}, Rest: cs{Assigned}},
	{Code: "redo", Group: "dispatch", Unit: Share, Better: Lower, Subject: OfTicket, Part: cs{Redone}, Rest: cs{Kept}, Left: left(Left{"appealed", cs{RedoneExcluded}})},
	{Code: "repeat", Group: "dispatch", Unit: Share, Better: Lower, Subject: OfTicket, Part: cs{Repeat}, Rest: cs{FirstTime}, Left: left(Left{"anonymous", cs{RepeatUnknown}})},

	{Code: Resolution, Group: "quality", Unit: Share, Better: Higher, Subject: OfTicket, Part: cs{Solved}, Rest: cs{Unsolved}, Left: left(Left{"unasked", cs{Unasked}}, Left{"appealed", cs{UnsolvedExcluded}})},
	{Code: Satisfaction, Group: "quality", Unit: Share, Better: Higher, Subject: OfTicket, Part: cs{Grade4, Grade5}, Rest: cs{Grade1, Grade2, Grade3}, Left: left(Left{"ungraded", cs{Ungraded}}, Left{"appealed", cs{GradeExcluded}})},
	{Code: ThreeRates, Group: "quality", Unit: Index, Better: Higher, Subject: OfTicket, Of: []string{Response, Resolution, Satisfaction}},
	{Code: "assessment_coverage", Group: "quality", Unit: Share, Better: Higher, Subject: OfTicket, Part: cs{Rated}, Rest: cs{Unrated}, Left: left()},
	{Code: "rectification", Group: "quality", Unit: Share, Better: Higher, Subject: OfTicket, Part: cs{RectifyOK}, Rest: cs{RectifyLate}, Left: []Left{{"running", cs{RectifyOpen}}}},

	{Code: Coverage, Group: "knowledge", Unit: Share, Better: Higher, Subject: OfKnowledge},
	{Code: Stale, Group: "knowledge", Unit: Share, Better: Lower, Subject: OfKnowledge},
	{Code: "unanswered_questions", Group: "knowledge", Unit: Share, Better: Lower, Subject: OfChat, Part: cs{Unanswered}, Rest: cs{Asked}},
}

// nested are the measures whose denominator holds the numerator already.
var nested = []string{FirstContact, "return_rate", "wrong_dispatch", AnswerTime}

// All lists the measures in the order of the page.
func All() []Measure { return slices.Clone(all) }

// Groups lists the headings in their order.
func Groups() []string { return []string{"reach", "time", "dispatch", "quality", "knowledge"} }

// ByCode finds a measure.
func ByCode(code string) (Measure, bool) {
	for _, m := range all {
		if m.Code == code {
			return m, true
		}
	}
	return Measure{}, false
}

// Parts is the counters of numerator and denominator under these settings: what a drill-down lists.
func (m Measure) Parts(s Settings) (part, whole []Counter) {
	part, rest := m.Part, m.Rest
	if m.Code == Satisfaction {
		grades := cs{Grade1, Grade2, Grade3, Grade4, Grade5}
		from := min(max(s.SatisfiedFrom, 2), 5)
		part, rest = grades[from-1:], grades[:from-1]
	}
	if slices.Contains(nested, m.Code) {
		return part, rest
	}
	return part, append(slices.Clone(part), rest...)
}

// LeftOut is one exclusion with its count.
type LeftOut struct {
	Reason string
	N      int64
	Of     []Counter
}

// Value is a measure over some counts.
type Value struct {
	Measure
	// Known: there was something to measure. Without it the value means nothing, and the page says so.
	Known       bool
	V           float64 // 0 to 1, hours, or 0 to 100, by the unit
	Part, Whole int64
	Left        []LeftOut
	Parts       []Value // of an index, in the order of Of
	// PartOf and WholeOf are the counters behind Part and Whole, for drill-down.
	PartOf, WholeOf []Counter
}

// LeftTotal is how much was left out.
func (v Value) LeftTotal() int64 {
	var n int64
	for _, l := range v.Left {
		n += l.N
	}
	return n
}

// Evaluate computes a measure. Knowledge measures are not counted over tickets; see Snapshot.
func Evaluate(m Measure, n Counts, s Settings) Value {
	if len(m.Of) > 0 {
		return index(m, n, s)
	}
	v := Value{Measure: m}
	v.PartOf, v.WholeOf = m.Parts(s)
	v.Part, v.Whole = n.Sum(v.PartOf...), n.Sum(v.WholeOf...)
	for _, l := range m.Left {
		v.Left = append(v.Left, LeftOut{l.Reason, n.Sum(l.Of...), l.Of})
	}
	if v.Whole > 0 {
		v.Known, v.V = true, float64(v.Part)/float64(v.Whole)
	}
	if m.Unit == Hours {
		v.V /= 60
	}
	return v
}

// index weighs the measures that are known; what nobody could measure takes its weight out.
func index(m Measure, n Counts, s Settings) Value {
	v := Value{Measure: m}
	var sum, weight float64
	for _, code := range m.Of {
		part, _ := ByCode(code)
		p := Evaluate(part, n, s)
		v.Parts = append(v.Parts, p)
		if w := s.ThreeRates[code]; p.Known && w > 0 {
			sum, weight = sum+w*p.good(), weight+w
		}
	}
	if weight > 0 {
		v.Known, v.V = true, 100*sum/weight
	}
	return v
}

// good is the value as a share in which more is better.
func (v Value) good() float64 {
	if v.Better == Lower {
		return 1 - v.V
	}
	return v.V
}

// Score is an agency's scorecard: 0 to 100, from the measures that the settings give a weight.
type Score struct {
	Known  bool
	V      float64
	Weight float64 // of what could be measured, of the weight of all
	Parts  []Value
}

// ScoreOf weighs the measures of the scorecard. The parts come in the order of All.
func ScoreOf(n Counts, s Settings) Score {
	var out Score
	var sum, total, weight float64
	for _, m := range all {
		w := s.Scorecard[m.Code]
		if w <= 0 || m.Unit != Share || m.Subject == OfKnowledge || m.Subject == OfChat {
			continue
		}
		p := Evaluate(m, n, s)
		out.Parts = append(out.Parts, p)
		total += w
		if p.Known {
			sum, weight = sum+w*p.good(), weight+w
		}
	}
	if weight > 0 {
		out.Known, out.V, out.Weight = true, 100*sum/weight, weight/total
	}
	return out
}
