package tickets

// State is where a ticket stands.
type State string

// The states, in the order of the main path and its branches.
const (
	Received         State = "received"
	AnsweredDirectly State = "answered_directly"
	NotAccepted      State = "not_accepted"
	Transferred      State = "transferred"
	Accepted         State = "accepted"
	PendingDispatch  State = "pending_dispatch"
	Dispatched       State = "dispatched"
	ReturnRequested  State = "return_requested"
	InCoordination   State = "in_coordination"
	InProgress       State = "in_progress"
	AwaitingCitizen  State = "awaiting_citizen"
	Replied          State = "replied"
	Completed        State = "completed"
	Revisiting       State = "revisiting"
	Reopened         State = "reopened"
	Merged           State = "merged"
	Withdrawn        State = "withdrawn"
	Closed           State = "closed"
)

// Holder says whose turn it is in a state.
type Holder string

// The holders. Nobody holds a state in which nothing more is expected.
const (
	HeldByDesk    Holder = "desk"
	HeldByLead    Holder = "lead"
	HeldByCitizen Holder = "citizen"
	HeldByNobody  Holder = "nobody"
)

// Queue names what an open ticket waits for; views filter by it. It is a function of state and pending request.
type Queue string

// The queues. QueueNone is that of tickets that are over.
const (
	QueueIntake   Queue = "intake"
	QueueDispatch Queue = "dispatch"
	QueueAsk      Queue = "ask"
	QueueSign     Queue = "sign"
	QueueWork     Queue = "work"
	QueueCitizen  Queue = "citizen"
	QueueCheck    Queue = "check"
	QueueRevisit  Queue = "revisit"
	QueueNone     Queue = ""
)

// StateInfo describes a state.
type StateInfo struct {
	State  State  `json:"state"`
	Open   bool   `json:"open"`   // somebody still has to act
	Holder Holder `json:"holder"` // whose turn it is
	Queue  Queue  `json:"queue"`
	// Public is how Open311 shows it: "open" or "closed".
	Public string `json:"open311"`
}

// States lists every state with what it means for views and for the outside.
func States() []StateInfo {
	return []StateInfo{
		{Received, true, HeldByDesk, QueueIntake, "open"},
		{AnsweredDirectly, false, HeldByNobody, QueueNone, "closed"},
		{NotAccepted, false, HeldByNobody, QueueNone, "closed"},
		{Transferred, true, HeldByDesk, QueueIntake, "closed"}, // kept until the other side has taken it
		{Accepted, true, HeldByDesk, QueueIntake, "open"},
		{PendingDispatch, true, HeldByDesk, QueueDispatch, "open"},
		{Dispatched, true, HeldByLead, QueueSign, "open"},
		{ReturnRequested, true, HeldByDesk, QueueAsk, "open"},
		{InCoordination, true, HeldByDesk, QueueDispatch, "open"},
		{InProgress, true, HeldByLead, QueueWork, "open"},
		{AwaitingCitizen, true, HeldByCitizen, QueueCitizen, "open"},
		{Replied, true, HeldByDesk, QueueCheck, "closed"},
		{Completed, true, HeldByDesk, QueueRevisit, "closed"},
		{Revisiting, true, HeldByDesk, QueueRevisit, "closed"},
		{Reopened, true, HeldByLead, QueueWork, "open"},
		{Merged, false, HeldByNobody, QueueNone, "closed"},
		{Withdrawn, false, HeldByNobody, QueueNone, "closed"},
		{Closed, false, HeldByNobody, QueueNone, "closed"},
	}
}

// infoByState is built once; States returns a fresh copy for callers who might change it.
var infoByState = func() map[State]StateInfo {
	m := map[State]StateInfo{}
	for _, i := range States() {
		m[i.State] = i
	}
	return m
}()

// Info returns the description of s; the zero StateInfo for an unknown one.
func (s State) Info() StateInfo { return infoByState[s] }

// Known reports whether s is one of the states.
func (s State) Known() bool { _, ok := infoByState[s]; return ok }
