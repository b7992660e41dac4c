package tickets

import (
	"slices"

	"hotline/tickets/sla"
)

// Action is the stable code of a move.
type Action string

// The actions. A move is a pair of state and action; several states may know the same action.
const (
	Accept          Action = "accept"
	Refuse          Action = "refuse"
	AnswerDirectly  Action = "answer_directly"
	TransferOut     Action = "transfer_out"
	TakenOver       Action = "taken_over"
	TakeBack        Action = "take_back"
	QueueUp         Action = "queue"
	Dispatch        Action = "dispatch"
	Recall          Action = "recall"
	Sign            Action = "sign"
	RequestReturn   Action = "request_return"
	ApproveReturn   Action = "approve_return"
	RefuseReturn    Action = "refuse_return"
	Coordinate      Action = "coordinate"
	Designate       Action = "designate"
	AskCitizen      Action = "ask_citizen"
	CitizenReply    Action = "citizen_reply"
	Resume          Action = "resume"
	Reply           Action = "reply"
	CoReply         Action = "co_reply"
	RequestTransfer Action = "request_transfer"
	ApproveTransfer Action = "approve_transfer"
	RefuseTransfer  Action = "refuse_transfer"
	RequestExtend   Action = "request_extension"
	ApproveExtend   Action = "approve_extension"
	RefuseExtend    Action = "refuse_extension"
	CoSign          Action = "co_sign"
	CoDecline       Action = "co_decline"
	AddCo           Action = "add_co"
	DropCo          Action = "drop_co"
	HandDown        Action = "hand_down"
	HandUp          Action = "hand_up"
	Supervise       Action = "supervise"
	AnswerOrder     Action = "answer_supervision"
	LiftOrder       Action = "lift_supervision"
	Complete        Action = "complete"
	StartRevisit    Action = "start_revisit"
	RevisitAttempt  Action = "revisit_attempt"
	AskRevisit      Action = "ask_revisit"
	RevisitDone     Action = "revisit_done"
	RequestExclude  Action = "request_exclusion"
	ApproveExclude  Action = "approve_exclusion"
	RefuseExclude   Action = "refuse_exclusion"
	Reopen          Action = "reopen"
	TakeUp          Action = "take_up"
	Redispatch      Action = "redispatch"
	Appeal          Action = "appeal"
	NotAnswered     Action = "not_answered"
	Merge           Action = "merge"
	Unmerge         Action = "unmerge"
	Withdraw        Action = "withdraw"
	AddInformation  Action = "add_information"
	Reclassify      Action = "reclassify"
	Close           Action = "close"
)

// Role is what someone may be to a ticket. A role of the hotline counts only at the hotline, a role of an agency only at the agency
// that leads (or, for co_reply, helps).
type Role string

// The roles that move tickets.
const (
	Operator   Role = "operator"
	Dispatcher Role = "dispatcher"
	Supervisor Role = "supervisor"
	Handler    Role = "handler"
	Head       Role = "head"
	Citizen    Role = "citizen"
	SystemRole Role = "system"
)

// Field names an input of a move.
type Field string

// The inputs, named as in the JSON of Fields.
const (
	FReason     Field = "reason"
	FBasis      Field = "basis"
	FRight      Field = "right_channel"
	FText       Field = "text"
	FOutcome    Field = "outcome"
	FResolved   Field = "resolved"
	FLead       Field = "lead"
	FCo         Field = "co"
	FParent     Field = "parent"
	FDays       Field = "days"
	FReached    Field = "reached"
	FSatisfied  Field = "satisfaction"
	FTransferTo Field = "transfer_to"
	FCategory   Field = "category"
	FOver       Field = "over"
)

// Move is one row of the state table: the only place that says what may happen to a ticket.
type Move struct {
	From     State           `json:"from"`
	Name     Action          `json:"action"`
	To       State           `json:"to"`
	Roles    []Role          `json:"roles"`
	Required []Field         `json:"required,omitempty"`
	Start    []sla.ClockName `json:"start,omitempty"`
	Stop     []sla.ClockName `json:"stop,omitempty"`
	Pause    []sla.ClockName `json:"pause,omitempty"`
	Resume   []sla.ClockName `json:"resume,omitempty"`
	StopAll  bool            `json:"stop_all,omitempty"`
	Public   bool            `json:"public"` // the citizen is told
	// Needs is a condition beside roles and fields, by the name under which the documentation explains it.
	Needs []Guard `json:"needs,omitempty"`
}

// Guard is a condition on the ticket that a move has beside its roles and fields.
type Guard string

// The guards.
const (
	WithinSignWindow Guard = "within_sign_window" // the sign clock has not run out
	NotDesignated    Guard = "not_designated"     // a designated lead must handle
	NotDesignee      Guard = "not_the_designated" // not the designated agency itself; who got the case from it gives it back up
	AskedTransfer    Guard = "transfer_asked"
	AskedExtension   Guard = "extension_asked"
	NothingAsked     Guard = "nothing_asked" // one open request at a time
	BeforeExpiry     Guard = "before_expiry" // the resolution clock has not run out
	UnderExtCap      Guard = "under_extension_cap"
	FirstAnswer      Guard = "first_answer"     // the case has not been answered before: a redo gets no extension
	PauseLeft        Guard = "pause_left"       // earlier questions to the citizen have not used up the pause
	NotHeard         Guard = "not_heard"        // the citizen has not said yet how it is; nobody says it again for them
	RatedWell        Guard = "rated_well"       // the citizen has rated the answer, not badly: nobody has to ask them any more
	OtherOfficer     Guard = "other_officer"    // not the officer who refused
	NotTheHandler    Guard = "not_the_handler"  // not the one who answered
	FirstAppeal      Guard = "first_appeal"     // one appeal
	HasReply         Guard = "has_reply"        // reply text and outcome code
	UnderCoordinate  Guard = "under_dispatches" // fewer dispatches than the coordination threshold
	OverCoordinate   Guard = "over_dispatches"  // at least the threshold
	RevisitsLeft     Guard = "revisits_left"    // tries left
	RevisitsSpent    Guard = "revisits_spent_or_reached"
	Unsatisfied      Guard = "unsatisfied"     // the citizen said: unresolved, or not satisfied
	NotUnsatisfied   Guard = "not_unsatisfied" // nothing of the kind stands open
	AskedExclusion   Guard = "exclusion_asked"
	OtherThanAsked   Guard = "other_than_asked" // not the officer who asked
	BelowLead        Guard = "below_lead"       // the new lead stands below the present one in the tree
	HasAbove         Guard = "has_agency_above" // the lead has an agency above it that is not the hotline
	WithinCoWindow   Guard = "within_co_window" // the co-agency's own sign clock has not run out
	CoUnsigned       Guard = "co_unsigned"      // the co-agency has not signed yet
	NoOrder          Guard = "no_supervision_order"
	OpenOrder        Guard = "open_supervision_order"
	UnderSupervision Guard = "supervised"
)

type (
	roles  = []Role
	fields = []Field
	clocks = []sla.ClockName
)

// build writes the table. Moves that many states share are added by loops, so that a new state cannot forget them.
func build() []Move {
	desk, dispatchers := roles{Operator, Dispatcher, Supervisor}, roles{Dispatcher, Supervisor}
	lead := roles{Handler, Head}
	all := roles{Citizen, Operator, Dispatcher, Supervisor}
	t := []Move{
		{From: Received, Name: Accept, To: Accepted, Roles: roles{Operator, Dispatcher, Supervisor, SystemRole}, Stop: clocks{sla.Accept, sla.Appeal}, Start: clocks{sla.FirstReply, sla.Resolve}, Public: true, Needs: []Guard{OtherOfficer}},
		{From: Accepted, Name: QueueUp, To: PendingDispatch, Roles: roles{Operator, Dispatcher, Supervisor, SystemRole}, Start: clocks{sla.Dispatch}},
		{From: PendingDispatch, Name: Dispatch, To: Dispatched, Roles: roles{Dispatcher, Supervisor, SystemRole}, Required: fields{FLead}, Stop: clocks{sla.Dispatch}, Start: clocks{sla.Sign}, Public: true},
		{From: Dispatched, Name: Sign, To: InProgress, Roles: lead, Stop: clocks{sla.Sign}, Public: true},
		{From: Dispatched, Name: RequestReturn, To: ReturnRequested, Roles: lead, Required: fields{FReason, FBasis}, Stop: clocks{sla.Sign}, Start: clocks{sla.ReturnDecision}, Needs: []Guard{WithinSignWindow, NotDesignated}},
		{From: Dispatched, Name: Recall, To: PendingDispatch, Roles: dispatchers, Required: fields{FText}, Stop: clocks{sla.Sign}, Start: clocks{sla.Dispatch}},
		{From: ReturnRequested, Name: ApproveReturn, To: PendingDispatch, Roles: dispatchers, Stop: clocks{sla.ReturnDecision}, Start: clocks{sla.Dispatch}, Needs: []Guard{UnderCoordinate}},
		{From: ReturnRequested, Name: Coordinate, To: InCoordination, Roles: dispatchers, Stop: clocks{sla.ReturnDecision}, Start: clocks{sla.Coordination}, Needs: []Guard{OverCoordinate}},
		{From: ReturnRequested, Name: RefuseReturn, To: Dispatched, Roles: dispatchers, Required: fields{FText}, Stop: clocks{sla.ReturnDecision}, Start: clocks{sla.Sign}},
		{From: InCoordination, Name: Designate, To: Dispatched, Roles: dispatchers, Required: fields{FLead, FText}, Stop: clocks{sla.Coordination}, Start: clocks{sla.Sign}, Public: true},

		{From: InProgress, Name: AskCitizen, To: AwaitingCitizen, Roles: lead, Required: fields{FText}, Stop: clocks{sla.FirstReply}, Pause: clocks{sla.Resolve, sla.Redo}, Start: clocks{sla.AwaitCitizen}, Public: true, Needs: []Guard{PauseLeft}},
		{From: AwaitingCitizen, Name: CitizenReply, To: InProgress, Roles: roles{Citizen, Operator, Supervisor}, Required: fields{FText}, Stop: clocks{sla.AwaitCitizen}, Resume: clocks{sla.Resolve, sla.Redo}, Public: true},
		{From: AwaitingCitizen, Name: Resume, To: InProgress, Roles: roles{Handler, Head, SystemRole}, Stop: clocks{sla.AwaitCitizen}, Resume: clocks{sla.Resolve, sla.Redo}, Public: true},
		{From: InProgress, Name: Reply, To: Replied, Roles: lead, Required: fields{FText, FOutcome, FResolved}, Stop: clocks{sla.FirstReply, sla.Resolve, sla.Redo}, Start: clocks{sla.Check}, Public: true},
		{From: InProgress, Name: RequestTransfer, To: InProgress, Roles: lead, Required: fields{FReason, FBasis}, Needs: []Guard{NothingAsked, NotDesignated}},
		{From: InProgress, Name: ApproveTransfer, To: PendingDispatch, Roles: dispatchers, Start: clocks{sla.Dispatch}, Needs: []Guard{AskedTransfer}},
		{From: InProgress, Name: RefuseTransfer, To: InProgress, Roles: dispatchers, Required: fields{FText}, Needs: []Guard{AskedTransfer}},
		{From: InProgress, Name: RequestExtend, To: InProgress, Roles: lead, Required: fields{FText, FDays}, Needs: []Guard{NothingAsked, FirstAnswer, BeforeExpiry, UnderExtCap}},
		{From: InProgress, Name: ApproveExtend, To: InProgress, Roles: roles{Dispatcher, Supervisor}, Public: true, Needs: []Guard{AskedExtension}},
		{From: InProgress, Name: RefuseExtend, To: InProgress, Roles: roles{Dispatcher, Supervisor}, Required: fields{FText}, Needs: []Guard{AskedExtension}},

		{From: Replied, Name: Complete, To: Completed, Roles: roles{Operator, Dispatcher, Supervisor, SystemRole}, Stop: clocks{sla.Check}, Start: clocks{sla.Revisit, sla.RevisitTry}, Public: true, Needs: []Guard{HasReply}},
		{From: Completed, Name: StartRevisit, To: Revisiting, Roles: roles{Operator, Supervisor, SystemRole}, Stop: clocks{sla.RevisitTry}, Needs: []Guard{NotTheHandler}},
		{From: Revisiting, Name: RevisitAttempt, To: Revisiting, Roles: roles{Operator, Supervisor}, Stop: clocks{sla.Revisit}, Needs: []Guard{RevisitsLeft, NotTheHandler, NotUnsatisfied}},
		{From: Revisiting, Name: AskRevisit, To: Revisiting, Roles: roles{Operator, Supervisor, SystemRole}, Stop: clocks{sla.Revisit}, Start: clocks{sla.RevisitTry}, Needs: []Guard{RevisitsLeft, NotTheHandler, NotUnsatisfied}, Public: true},
		{From: Revisiting, Name: RevisitDone, To: Revisiting, Roles: roles{Citizen, Operator, Supervisor}, Required: fields{FResolved, FSatisfied}, Stop: clocks{sla.Revisit}, Needs: []Guard{NotTheHandler, NotHeard, NothingAsked}, Public: true},
		{From: Revisiting, Name: RequestExclude, To: Revisiting, Roles: roles{Operator, Supervisor}, Required: fields{FReason, FBasis}, Needs: []Guard{Unsatisfied, NothingAsked}},
		{From: Revisiting, Name: ApproveExclude, To: Closed, Roles: roles{Supervisor}, Required: fields{FText}, StopAll: true, Public: true, Needs: []Guard{AskedExclusion, OtherThanAsked}},
		{From: Revisiting, Name: RefuseExclude, To: Reopened, Roles: roles{Supervisor}, Required: fields{FText}, Stop: clocks{sla.Check, sla.Revisit, sla.RevisitTry}, Start: clocks{sla.Redo}, Public: true, Needs: []Guard{AskedExclusion, OtherThanAsked}},
		{From: Completed, Name: Close, To: Closed, Roles: roles{Operator, Supervisor, SystemRole}, StopAll: true, Public: true, Needs: []Guard{HasReply, NotUnsatisfied, RatedWell}},
		{From: Revisiting, Name: Close, To: Closed, Roles: roles{Operator, Supervisor, SystemRole}, StopAll: true, Public: true, Needs: []Guard{HasReply, RevisitsSpent, NotUnsatisfied}},
		{From: Reopened, Name: TakeUp, To: InProgress, Roles: lead, Public: true},
		{From: Reopened, Name: Redispatch, To: PendingDispatch, Roles: dispatchers, Required: fields{FText}, Start: clocks{sla.Dispatch}},

		{From: NotAccepted, Name: Appeal, To: Received, Roles: roles{Citizen, Operator, Supervisor}, Required: fields{FText}, Start: clocks{sla.Appeal}, Public: true, Needs: []Guard{FirstAppeal}},
		{From: AnsweredDirectly, Name: NotAnswered, To: Accepted, Roles: roles{Citizen, Operator, Supervisor}, Required: fields{FText}, Start: clocks{sla.FirstReply, sla.Resolve}, Public: true},
		{From: AnsweredDirectly, Name: Close, To: Closed, Roles: roles{Operator, Supervisor, SystemRole}, StopAll: true, Needs: []Guard{HasReply}},
		{From: Transferred, Name: TakenOver, To: Closed, Roles: desk, Required: fields{FText}, StopAll: true, Public: true},
		{From: Transferred, Name: TakeBack, To: Accepted, Roles: desk, Required: fields{FText}, Start: clocks{sla.FirstReply, sla.Resolve}, Public: true},
		{From: Merged, Name: Unmerge, To: Accepted, Roles: dispatchers, Required: fields{FText}, Start: clocks{sla.FirstReply, sla.Resolve}, Public: true},
	}
	for _, s := range []State{Received, Accepted, PendingDispatch} {
		m := Move{From: s, Name: Refuse, To: NotAccepted, Roles: desk, Required: fields{FReason, FBasis, FRight}, StopAll: true, Public: true}
		if s == Received {
			m.Needs = []Guard{OtherOfficer}
		}
		t = append(t, m,
			Move{From: s, Name: AnswerDirectly, To: AnsweredDirectly, Roles: desk, Required: fields{FText, FOutcome}, StopAll: true, Public: true},
			Move{From: s, Name: TransferOut, To: Transferred, Roles: roles{Operator, Dispatcher, Supervisor, SystemRole}, Required: fields{FTransferTo}, StopAll: true, Public: true})
	}
	for _, s := range []State{Replied, Completed, Revisiting} {
		t = append(t, Move{From: s, Name: Reopen, To: Reopened, Roles: desk, Required: fields{FText}, Stop: clocks{sla.Check, sla.Revisit, sla.RevisitTry}, Start: clocks{sla.Redo}, Public: true})
	}
	for _, s := range []State{Dispatched, ReturnRequested, InProgress, AwaitingCitizen, Reopened} {
		t = append(t,
			Move{From: s, Name: CoSign, To: s, Roles: lead, Needs: []Guard{CoUnsigned}},
			Move{From: s, Name: CoDecline, To: s, Roles: lead, Required: fields{FReason, FBasis}, Needs: []Guard{CoUnsigned, WithinCoWindow}},
			Move{From: s, Name: CoReply, To: s, Roles: lead, Required: fields{FText}},
			Move{From: s, Name: AddCo, To: s, Roles: dispatchers, Required: fields{FCo}},
			Move{From: s, Name: DropCo, To: s, Roles: dispatchers, Required: fields{FCo, FText}})
	}
	for _, s := range []State{Dispatched, InProgress, Reopened} {
		// Inside an agency's own tree nobody has to be asked; the citizen's clock runs on.
		t = append(t,
			Move{From: s, Name: HandDown, To: Dispatched, Roles: lead, Required: fields{FLead}, Stop: clocks{sla.Sign}, Start: clocks{sla.Sign}, Needs: []Guard{NothingAsked, BelowLead}},
			Move{From: s, Name: HandUp, To: Dispatched, Roles: lead, Required: fields{FText}, Stop: clocks{sla.Sign}, Start: clocks{sla.Sign}, Needs: []Guard{NothingAsked, HasAbove, NotDesignee}})
	}
	for _, s := range []State{Received, Accepted, PendingDispatch, Dispatched, ReturnRequested, InCoordination, InProgress, AwaitingCitizen, Reopened} {
		t = append(t,
			Move{From: s, Name: Withdraw, To: Withdrawn, Roles: all, StopAll: true, Public: true},
			Move{From: s, Name: Merge, To: Merged, Roles: roles{Dispatcher, Supervisor, SystemRole}, Required: fields{FParent}, StopAll: true, Public: true})
	}
	for _, i := range States() {
		if i.Open {
			t = append(t,
				Move{From: i.State, Name: Supervise, To: i.State, Roles: roles{Supervisor}, Required: fields{FReason, FText}, Start: clocks{sla.Supervision}, Needs: []Guard{NoOrder}},
				Move{From: i.State, Name: AnswerOrder, To: i.State, Roles: append(slices.Clone(lead), desk...), Required: fields{FText}, Stop: clocks{sla.Supervision}, Needs: []Guard{OpenOrder}},
				Move{From: i.State, Name: Reclassify, To: i.State, Roles: dispatchers, Required: fields{FCategory, FReason}, Public: true},
				Move{From: i.State, Name: LiftOrder, To: i.State, Roles: roles{Supervisor}, Required: fields{FText}, Stop: clocks{sla.Supervision}, Needs: []Guard{UnderSupervision}})
		}
		// In awaiting_citizen what the citizen says is the awaited reply.
		if i.Open && i.State != AwaitingCitizen {
			t = append(t, Move{From: i.State, Name: AddInformation, To: i.State, Roles: roles{Citizen, Operator, Supervisor}, Required: fields{FText}, Public: true})
		}
	}
	order := map[State]int{}
	for n, i := range States() {
		order[i.State] = n
	}
	slices.SortStableFunc(t, func(a, b Move) int { return order[a.From] - order[b.From] })
	return t
}

var table = build()

// Table returns the whole state table, sorted by state.
func Table() []Move { return slices.Clone(table) }

func find(from State, name Action) (Move, bool) {
	for _, m := range table {
		if m.From == from && m.Name == name {
			return m, true
		}
	}
	return Move{}, false
}

// CanDo reports whether one of these roles is among those the move names. The agency is checked with the ticket at hand.
func (m Move) CanDo(have ...Role) bool {
	return slices.ContainsFunc(m.Roles, func(r Role) bool { return slices.Contains(have, r) })
}
