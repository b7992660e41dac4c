package measures

// Counter is one thing that is counted. Its name is also the name of its column in ticket_facts, chat_facts and measure_sums.
type Counter int

// The counters of tickets. Where nothing else is said they count for the agency that leads the ticket, or led it last; the hotline itself where
// none did.
const (
	Tickets Counter = iota // every ticket
	// Outside every measure of the work: exactly one of these five holds.
	Withdrawn
	Merged
	Refused
	Transferred // to an emergency service or another outside body
	Worked      // what remains

	Open   // somebody still has to act
	Direct // answered on the spot, and that was enough

	DispatchOK // in time, by the latest dispatch
	DispatchLate
	DispatchOpen

	// Of an assignment; they count for the agency it went to, once an agency and ticket.
	Assigned
	SignOK
	SignLate
	SignOpen
	SignVoid // taken back, or given back inside the window, before it was signed
	SignExcluded
	Returned    // asked to give it back
	Misdirected // gave it back, or away, with the hotline's consent

	ResponseOK // first word to the citizen
	ResponseLate
	ResponseOpen
	ResponseExcluded

	ResolveOK
	ResolveLate
	ResolveOpen
	ResolveProvisional // judged by a calendar that is not published yet
	ResolveExcluded

	Kept // answered, and not sent back
	Redone
	RedoneExcluded

	FirstTime
	Repeat        // the same contact, the same category, within the window
	RepeatUnknown // nobody to compare: anonymous

	Solved // as the citizen said
	Unsolved
	UnsolvedExcluded
	Unasked

	// The grade that the citizen gave: in the assessment, or else in the revisit.
	Grade1
	Grade2
	Grade3
	Grade4
	Grade5
	GradeExcluded
	Ungraded

	Rated // by an assessment of their own
	Unrated

	RectifyOK
	RectifyLate
	RectifyOpen

	Excluded // an exclusion review took it out

	// Minutes from opening to the first reply: the one amount among the counters. Kept + Redone + RedoneExcluded is how many tickets it is of.
	Minutes

	// The counters of chats. A chat has no agency, area, category or kind.
	Chats
	ChatBot // the bot was enough
	ChatPerson
	ChatOpen // still going on
	Queued
	Picked15
	Picked // later than that
	GaveUp
	QueueOpen
	Asked // a question was put to the knowledge base and found an answer
	Unanswered

	count
)

var names = [count]string{
	Tickets: "tickets", Withdrawn: "withdrawn", Merged: "merged", Refused: "refused", Transferred: "transferred", Worked: "worked", Open: "open_now", Direct: "direct",
	DispatchOK: "dispatch_ok", DispatchLate: "dispatch_late", DispatchOpen: "dispatch_open",
	Assigned: "assigned", SignOK: "sign_ok", SignLate: "sign_late", SignOpen: "sign_open", SignVoid: "sign_void", SignExcluded: "sign_excluded",
	Returned: "returned", Misdirected: "misdirected",
	ResponseOK: "response_ok", ResponseLate: "response_late", ResponseOpen: "response_open", ResponseExcluded: "response_excluded",
	ResolveOK: "resolve_ok", ResolveLate: "resolve_late", ResolveOpen: "resolve_open", ResolveProvisional: "resolve_provisional", ResolveExcluded: "resolve_excluded",
	Kept: "kept", Redone: "redone", RedoneExcluded: "redone_excluded", FirstTime: "first_time", Repeat: "repeated", RepeatUnknown: "repeat_unknown",
	Solved: "solved", Unsolved: "unsolved", UnsolvedExcluded: "unsolved_excluded", Unasked: "unasked",
	Grade1: "grade_1", Grade2: "grade_2", Grade3: "grade_3", Grade4: "grade_4", Grade5: "grade_5", GradeExcluded: "grade_excluded", Ungraded: "ungraded",
	Rated: "rated", Unrated: "unrated", RectifyOK: "rectify_ok", RectifyLate: "rectify_late", RectifyOpen: "rectify_open", Excluded: "excluded", Minutes: "minutes",
	Chats: "chats", ChatBot: "chat_bot", ChatPerson: "chat_person", ChatOpen: "chat_open", Queued: "queued", Picked15: "picked_15", Picked: "picked",
	GaveUp: "gave_up", QueueOpen: "queue_open", Asked: "asked", Unanswered: "unanswered",
}

// String is the counter's name.
func (c Counter) String() string { return names[c] }

// Of finds a counter by name.
func Of(name string) (Counter, bool) {
	for c, n := range names {
		if n == name {
			return Counter(c), true
		}
	}
	return 0, false
}

// OfTickets lists the counters that tickets fill, OfChats those that chats fill: the columns of their tables, in order.
func OfTickets() []Counter { return span(Tickets, Chats) }

// OfChats lists the counters that chats fill.
func OfChats() []Counter { return span(Chats, count) }

// Everything lists all counters, in the order of their columns.
func Everything() []Counter { return span(Tickets, count) }

func span(from, to Counter) []Counter {
	out := make([]Counter, 0, to-from)
	for c := from; c < to; c++ {
		out = append(out, c)
	}
	return out
}

// Counts holds one amount for each counter. The zero value counts nothing.
type Counts [count]int64

// Sum adds up some counters.
func (n Counts) Sum(of ...Counter) int64 {
	var sum int64
	for _, c := range of {
		sum += n[c]
	}
	return sum
}

// Plus is the counts of two disjoint selections together.
func (n Counts) Plus(m Counts) Counts {
	for c := range n {
		n[c] += m[c]
	}
	return n
}

// Minus takes m away.
func (n Counts) Minus(m Counts) Counts {
	for c := range n {
		n[c] -= m[c]
	}
	return n
}

// Empty reports whether nothing was counted.
func (n Counts) Empty() bool { return n == Counts{} }

// RollUp adds the counts of every node of a tree to those of the nodes above it. parent gives "" at the top and for what it does not know.
func RollUp(own map[string]Counts, parent func(string) string) map[string]Counts {
	out := make(map[string]Counts, len(own))
	for key, n := range own {
		for at, depth := key, 0; depth < 20; depth++ { // no tree of agencies or categories is deeper; a ring would be a mistake in the data
			out[at] = out[at].Plus(n)
			up := parent(at)
			if up == "" || up == at {
				break
			}
			at = up
		}
	}
	return out
}
