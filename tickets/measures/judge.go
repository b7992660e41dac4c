package measures

import (
	"time"

	"github.com/google/uuid"
)

// History is one ticket as far as it is measured.
type History struct {
	Desk     uuid.UUID // the hotline itself
	State    string
	Open     bool
	Lead     uuid.UUID // uuid.Nil: none now
	ClosedAt *time.Time
	OpenedAt time.Time
	// Solved is what the citizen said; nil: nothing.
	Solved *bool
	// Contact: someone by whom a repeat could be recognized; Repeat: they came with the same category within the window.
	Contact, Repeat bool
	Events          []Event // in order
	Clocks          map[string]Clock
	Assignments     []Assignment // in order
	// Upheld are the appeals that took a failure out of the measures.
	Upheld []Upheld
}

// Event is an entry of the history that measures know.
type Event struct {
	Type   string
	To     string // state
	Grade  int    // of rated
	Voice  int    // satisfaction said in a revisit
	At     time.Time
	Agency uuid.UUID
}

// Clock is one clock as it stands.
type Clock struct {
	DueAt               time.Time
	Provisional         bool
	PausedAt, StoppedAt *time.Time
}

// Assignment is one hand-over to an agency.
type Assignment struct {
	Lead                       uuid.UUID
	State                      string
	SignDueAt, SignedAt, Ended *time.Time
	ReturnAsked                bool
}

// Failure is something counted against an agency that can be appealed.
type Failure string

// The failures.
const (
	LateSign       Failure = "late_sign"
	LateResponse   Failure = "late_response"
	LateResolve    Failure = "late_resolve"
	NegativeRating Failure = "negative_rating"
	SaidUnsolved   Failure = "unsolved"
	WasRedone      Failure = "redone"
)

// Failures lists them with the counters that show them.
func Failures() []Failure {
	return []Failure{LateSign, LateResponse, LateResolve, NegativeRating, SaidUnsolved, WasRedone}
}

// Counters is where a failure is counted.
func (f Failure) Counters() []Counter {
	switch f {
	case LateSign:
		return cs{SignLate}
	case LateResponse:
		return cs{ResponseLate}
	case LateResolve:
		return cs{ResolveLate}
	case NegativeRating:
		return cs{Grade1, Grade2}
	case SaidUnsolved:
		return cs{Unsolved}
	case WasRedone:
		return cs{Redone}
	}
	return nil
}

// Upheld is an appeal that was granted.
type Upheld struct {
	Agency  uuid.UUID
	Failure Failure
}

// Fact is what a ticket adds to the counts of one agency.
type Fact struct {
	Agency uuid.UUID
	Main   bool // the ticket's own row; the others hold assignments that ended elsewhere
	N      Counts
}

// Judge counts a ticket. recheck is when time alone changes the result: the deadline that runs out first; zero when none runs.
func Judge(h History, now time.Time) (facts []Fact, recheck time.Time) {
	j := judge{h: h, now: now, rows: map[uuid.UUID]int{}}
	j.main = h.Lead
	if j.main == uuid.Nil && len(h.Assignments) > 0 {
		j.main = h.Assignments[len(h.Assignments)-1].Lead
	}
	if j.main == uuid.Nil {
		j.main = h.Desk
	}
	n := j.row(j.main)
	j.facts[0].Main = true
	j.ticket(n)
	j.assignments()
	return j.facts, j.recheck
}

type judge struct {
	h       History
	now     time.Time
	main    uuid.UUID
	facts   []Fact
	rows    map[uuid.UUID]int
	recheck time.Time
}

func (j *judge) row(agency uuid.UUID) int {
	if i, ok := j.rows[agency]; ok {
		return i
	}
	j.facts = append(j.facts, Fact{Agency: agency})
	j.rows[agency] = len(j.facts) - 1
	return len(j.facts) - 1
}

func (j *judge) upheld(agency uuid.UUID, f Failure) bool {
	for _, u := range j.h.Upheld {
		if u.Agency == agency && u.Failure == f {
			return true
		}
	}
	return false
}

func (j *judge) again(at time.Time) {
	if j.recheck.IsZero() || at.Before(j.recheck) {
		j.recheck = at
	}
}

type verdict int

const (
	unjudged verdict = iota
	ok
	late
	running
	provisional
)

// clock judges one clock. A paused one runs: its deadline is not known yet.
func (j *judge) clock(name string) verdict {
	c, found := j.h.Clocks[name]
	return j.judged(c, found, name)
}

func (j *judge) judged(c Clock, found bool, name string) verdict {
	end := c.StoppedAt
	if end == nil && !j.h.Open && name != "rectify" {
		end = j.h.ClosedAt // the case is over, whatever left the clock running
	}
	switch {
	case !found:
		return unjudged
	case end != nil && c.Provisional:
		return provisional
	case end != nil && !end.After(c.DueAt):
		return ok
	case end != nil:
		return late
	case c.PausedAt != nil:
		return running
	case c.Provisional:
		return provisional
	case j.now.After(c.DueAt):
		return late
	}
	j.again(c.DueAt.Add(time.Microsecond))
	return running
}

// resolve judges the answer that stands. One that the hotline's check sent back has stopped the clock and is no answer: until the next one comes the
// deadline runs on.
func (j *judge) resolve(s survey) verdict {
	c, found := j.h.Clocks["resolve"]
	if found && s.sentBack {
		c.StoppedAt, c.PausedAt = nil, nil
		if !s.stands.IsZero() {
			c.StoppedAt = &s.stands
		}
	}
	return j.judged(c, found, "resolve")
}

// ticket fills what the ticket as a whole counts.
func (j *judge) ticket(row int) {
	n := &j.facts[row].N
	n[Tickets] = 1
	if j.h.Open {
		n[Open] = 1
	}
	s := j.survey()
	switch v := j.clock("dispatch"); v {
	case ok, provisional:
		n[DispatchOK] = 1
	case late:
		n[DispatchLate] = 1
	case running:
		n[DispatchOpen] = 1
	}
	j.rectified(n)
	switch {
	case j.h.State == "withdrawn":
		n[Withdrawn] = 1
		return
	case j.h.State == "merged":
		n[Merged] = 1
		return
	case j.h.State == "not_accepted":
		n[Refused] = 1
		return
	case j.h.State == "transferred", s.takenOver:
		n[Transferred] = 1
		return
	}
	n[Worked] = 1
	if s.direct && len(j.h.Assignments) == 0 && !j.h.Open {
		n[Direct] = 1
	}
	if s.excluded {
		n[Excluded] = 1
	}
	put := func(v verdict, good, bad, open, prov, out Counter, f Failure) {
		switch v {
		case ok:
			n[good] = 1
		case late:
			if j.upheld(j.main, f) {
				bad = out
			}
			n[bad] = 1
		case running:
			n[open] = 1
		case provisional:
			n[prov] = 1
		}
	}
	put(j.clock("first_reply"), ResponseOK, ResponseLate, ResponseOpen, ResponseOpen, ResponseExcluded, LateResponse)
	put(j.resolve(s), ResolveOK, ResolveLate, ResolveOpen, ResolveProvisional, ResolveExcluded, LateResolve)
	switch {
	case !j.h.Contact:
		n[RepeatUnknown] = 1
	case j.h.Repeat:
		n[Repeat] = 1
	default:
		n[FirstTime] = 1
	}
	if s.answered.IsZero() {
		return
	}
	j.answered(n, s)
}

// survey is one pass over the history.
type survey struct {
	direct, takenOver, excluded, redone, rated bool
	answered                                   time.Time
	// stands is when the answer came that the hotline's check took, or has not judged; sentBack: it refused one before.
	stands   time.Time
	sentBack bool
	grade    int
}

func (j *judge) survey() survey {
	var s survey
	voice, checked := 0, false
	for _, e := range j.h.Events {
		switch e.Type {
		case "reply":
			if s.answered.IsZero() {
				s.answered = e.At
			}
			if !checked {
				s.stands = e.At
			}
		case "complete":
			checked = true
		case "reopen", "refuse_exclusion":
			s.redone = true
			if !checked {
				s.stands, s.sentBack = time.Time{}, true
			}
		case "taken_over":
			s.takenOver = true
		case "approve_exclusion":
			s.excluded = true
		case "rated":
			if !s.rated && e.Grade > 0 { // the first counts; the one after a rectification is the rectification's
				s.rated, s.grade = true, e.Grade
			}
		case "revisit_done":
			if e.Voice > 0 {
				voice = e.Voice
			}
		}
		if e.To == "answered_directly" {
			s.direct = true
		}
		if e.Type == "not_answered" {
			s.direct = false
		}
	}
	if s.grade == 0 {
		s.grade = voice
	}
	return s
}

// answered fills what is counted once the agency has replied.
func (j *judge) answered(n *Counts, s survey) {
	n[Minutes] = max(0, int64(s.answered.Sub(j.h.OpenedAt)/time.Minute))
	out := func(f Failure) bool { return s.excluded || j.upheld(j.main, f) }
	switch {
	case s.redone && out(WasRedone):
		n[RedoneExcluded] = 1
	case s.redone:
		n[Redone] = 1
	default:
		n[Kept] = 1
	}
	switch {
	case j.h.Solved == nil:
		n[Unasked] = 1
	case *j.h.Solved:
		n[Solved] = 1
	case out(SaidUnsolved):
		n[UnsolvedExcluded] = 1
	default:
		n[Unsolved] = 1
	}
	switch {
	case s.grade == 0:
		n[Ungraded] = 1
	case s.grade <= 2 && out(NegativeRating):
		n[GradeExcluded] = 1
	default:
		n[Grade1+Counter(min(s.grade, 5)-1)] = 1
	}
	if s.rated {
		n[Rated] = 1
	} else {
		n[Unrated] = 1
	}
}

// rectified: the duty that a bad rating opens outlives the case.
func (j *judge) rectified(n *Counts) {
	switch j.clock("rectify") {
	case ok:
		n[RectifyOK] = 1
	case late:
		n[RectifyLate] = 1
	case running, provisional:
		n[RectifyOpen] = 1
	}
}

// assignments counts, for each agency that the ticket was given to, how it took it.
func (j *judge) assignments() {
	given := map[time.Time]bool{}
	for _, e := range j.h.Events {
		if e.Type == "approve_transfer" {
			given[e.At] = true
		}
	}
	signs := map[uuid.UUID]map[verdict]bool{}
	for i, a := range j.h.Assignments {
		n := &j.facts[j.row(a.Lead)].N
		n[Assigned] = 1
		if a.ReturnAsked {
			n[Returned] = 1
		}
		if a.State == "returned" || a.State == "transferred" && a.Ended != nil && given[*a.Ended] {
			n[Misdirected] = 1
		}
		if signs[a.Lead] == nil {
			signs[a.Lead] = map[verdict]bool{}
		}
		signs[a.Lead][j.sign(a, i == len(j.h.Assignments)-1)] = true
	}
	for agency, v := range signs {
		n := &j.facts[j.row(agency)].N
		switch {
		case v[late] && j.upheld(agency, LateSign):
			n[SignExcluded] = 1
		case v[late]:
			n[SignLate] = 1
		case v[running]:
			n[SignOpen] = 1
		case v[ok]:
			n[SignOK] = 1
		default:
			n[SignVoid] = 1
		}
	}
}

// sign judges one assignment; unjudged is one that was taken back or given back inside its window.
func (j *judge) sign(a Assignment, last bool) verdict {
	end := a.SignedAt
	if end == nil {
		if end = a.Ended; end == nil && !j.h.Open {
			end = j.h.ClosedAt
		}
		if end != nil && (a.SignDueAt == nil || !end.After(*a.SignDueAt)) {
			return unjudged
		}
	}
	switch {
	case end != nil && a.SignDueAt != nil && end.After(*a.SignDueAt):
		return late
	case end != nil:
		return ok
	case last && (j.h.State == "return_requested" || j.h.State == "in_coordination"):
		return running // the hotline has it
	case a.SignDueAt == nil:
		return running
	case j.now.After(*a.SignDueAt):
		return late
	}
	j.again(a.SignDueAt.Add(time.Microsecond))
	return running
}
