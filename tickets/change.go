package tickets

import (
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/tickets/sla"
)

// change is a ticket in memory while moves are made on it. OpenTx and ApplyTx fill it, run moves, and write it in one batch.
type change struct {
	svc    *Service
	set    *Settings
	now    time.Time
	t      Ticket
	clocks clockSet
	events []Event
	beside []Event // entries that the effects add beside the move's own
	// What the writer has to do besides.
	notices    []notice
	assignment *assignment          // a new one
	extras     []func(b *pgx.Batch) // statements of its own, elevated like the rest
	start      []sla.ClockName      // clocks that the effects start, beside those of the move
	ended      string               // the state in which the running assignment ends or goes on ("signed", "returned", …)
}

// notice is a row of notifications.
type notice struct {
	agency uuid.UUID
	user   uuid.UUID // or, when uuid.Nil, everyone with role
	role   Role
	kind   string
}

type assignment struct {
	seq        int
	lead       uuid.UUID
	co         []uuid.UUID
	by         uuid.UUID
	designated bool
	signDue    *time.Time
}

// access is a row of ticket_access without what all rows of a ticket share.
type access struct {
	agency uuid.UUID
	role   string
	acting bool
}

func (s *Service) newChange(t Ticket, rows map[string]*clockRow, now time.Time) *change {
	set := s.settings.Load()
	policy, _ := set.SLA.Choose(t.Kind, t.Category, t.Urgency) // ParseSet made sure that one matches
	c := &change{svc: s, set: set, now: now, t: t, clocks: clockSet{rows: rows, set: set, policy: policy, now: now}}
	c.clocks.t, c.clocks.of = &c.t, s.jurisdictionOf
	return c
}

// run makes one move that has been judged allowed.
func (c *change) run(m Move, a Actor, f Fields) {
	from := c.t.State
	fromHolder, fromLead := from.Info().Holder, c.t.Lead
	c.effects(m, a, &f)
	c.t.State = m.To
	for _, name := range m.Stop {
		c.clocks.stop(string(name))
	}
	if m.StopAll {
		c.clocks.stopAll()
	}
	for _, name := range m.Pause {
		c.clocks.pause(string(name))
	}
	for _, name := range m.Resume {
		c.clocks.resume(string(name))
	}
	if c.t.Lead != fromLead {
		c.clocks.rehome(fromLead)
		if d := c.clocks.due(sla.Resolve); d != nil && c.t.PromisedAt != nil && d.After(*c.t.PromisedAt) {
			f.DueAt = d // the citizen is told with the move
		}
	}
	if m.Public && a.Kind != KindCitizen {
		c.clocks.stop(string(sla.Acknowledge))
	}
	switch m.Name {
	case Unmerge, NotAnswered:
		c.clocks.restore(c.t.ClosedAt, m.Start, c.t.PromisedAt)
	case TakeBack:
		var gone *time.Time // the state has no time of its own; the clock of the answer, or of doing it again, stopped as the ticket went out
		for _, name := range []sla.ClockName{sla.Resolve, sla.Redo} {
			if clk := c.clocks.rows[string(name)]; clk != nil {
				gone = clk.stoppedAt
			}
		}
		c.clocks.restore(gone, m.Start, c.t.PromisedAt)
	default:
		for _, name := range slices.Concat(m.Start, c.start) {
			c.clocks.start(name, c.t.PromisedAt)
		}
	}
	to := m.To.Info()
	// Work changes hands between the hotline and an agency: whoever had taken it has not any more.
	if to.Holder != HeldByCitizen && fromHolder != HeldByCitizen && (to.Holder != fromHolder || c.t.Lead != fromLead) {
		c.t.Assignee = uuid.Nil
		if m.To == Reopened {
			c.t.Assignee = c.t.repliedBy
		}
	}
	if !to.Open {
		now := c.now
		c.t.ClosedAt = &now
		c.t.Ask, c.t.AskData, c.t.Supervision = "", Fields{}, ""
	} else {
		c.t.ClosedAt = nil
	}
	c.clocks.summarize(&c.t)
	c.t.UpdatedAt = c.now
	switch {
	case m.Name == ApproveExtend:
		f.DueAt = c.t.PromisedAt
	case slices.Contains(m.Start, sla.Redo), m.Name == Dispatch && c.clocks.due(sla.Redo) != nil:
		f.DueAt = c.clocks.due(sla.Redo) // the citizen is told until when it is done again
	}
	if c.assignment != nil && m.Name != Sign {
		c.assignment.signDue = c.t.SignDueAt
	}
	c.t.Version++
	c.add(Event{Type: string(m.Name), From: from, To: m.To, Public: m.Public, Data: f}, a)
	for _, e := range c.beside {
		c.add(e, a)
	}
	for _, moved := range c.clocks.moved {
		c.add(Event{Type: EntryFollowed, Data: moved}, a)
	}
}

// add appends to the history.
func (c *change) add(e Event, a Actor) {
	c.t.events++
	e.TicketID, e.Seq, e.At = c.t.ID, c.t.events, c.now
	e.Actor, e.UserID, e.AgencyID = string(a.Kind), a.DB.User(), a.DB.Agency()
	e.seal = c.svc.keys.seal(c.t.head, e)
	c.t.head = e.seal
	c.events = append(c.events, e)
}

// also queues statements of this change's own behind the common ones.
func (c *change) also(f func(b *pgx.Batch)) { c.extras = append(c.extras, f) }

func (c *change) tell(agency uuid.UUID, role Role, kind string) {
	if agency != uuid.Nil {
		c.notices = append(c.notices, notice{agency: agency, role: role, kind: kind})
	}
}

// effects is what a move changes on the ticket besides its state and clocks.
func (c *change) effects(m Move, a Actor, f *Fields) {
	t, desk := &c.t, c.svc.router.Desk()
	switch m.Name {
	case Dispatch, Designate:
		t.Lead, t.Co, t.CoSigned, t.Designated = f.Lead, f.Co, nil, m.Name == Designate
		t.Past = slices.DeleteFunc(slices.Clone(t.Past), func(id uuid.UUID) bool { return id == f.Lead })
		t.returnUntil, t.designatedTo = nil, uuid.Nil
		if t.Designated {
			t.designatedTo = f.Lead
		}
		t.Dispatches++
		c.assignment = &assignment{seq: t.Dispatches, lead: f.Lead, co: f.Co, by: a.DB.User(), designated: t.Designated}
		c.tell(f.Lead, Handler, "dispatched")
		for _, co := range f.Co {
			c.tell(co, Handler, "dispatched")
			c.clocks.startCo(co)
		}
	case QueueUp, Redispatch:
		if m.Name == Redispatch {
			c.release("transferred")
		}
		c.tell(desk, Dispatcher, "pending_dispatch")
	case Sign:
		c.ended = "signed"
		if t.Assignee == uuid.Nil {
			t.Assignee = a.DB.User()
		}
	case Recall:
		c.release("recalled")
	case RequestReturn:
		c.ended = "returning"
		c.tell(desk, Dispatcher, "return_requested")
	case ApproveReturn:
		c.giveBack("returned")
		c.redecide()
	case Coordinate:
		c.giveBack("returned")
	case RefuseReturn:
		c.keepWindow() // the agency gets new time to sign, and none to ask once more beyond the window of the dispatch
		c.ended = "dispatched"
		c.tell(t.Lead, Handler, "return_refused")
	case RequestTransfer:
		t.Ask, t.AskData = "transfer", *f
		c.tell(desk, Dispatcher, "transfer_requested")
	case RequestExtend:
		c.askExtension(f)
	case ApproveTransfer:
		t.Ask, t.AskData = "", Fields{}
		c.giveBack("transferred")
		c.redecide()
	case ApproveExtend:
		f.Days, f.Unit = t.AskData.Days, t.AskData.Unit
		c.clocks.extend(string(sla.Resolve), f.Days)
		t.Extensions++
		t.Ask, t.AskData = "", Fields{}
		c.tell(t.Lead, Handler, "extension_approved")
	case RefuseTransfer, RefuseExtend:
		t.Ask, t.AskData = "", Fields{}
		c.tell(t.Lead, Handler, "request_refused")
	case HandDown, HandUp:
		c.handOver(m, a, f)
	case Reclassify:
		c.reclassify(f)
	case CoSign:
		t.CoSigned = append(slices.Clone(t.CoSigned), a.DB.Agency())
		c.clocks.stop(coSignPrefix + a.DB.Agency().String())
	case CoReply:
		c.clocks.stop(coSignPrefix + a.DB.Agency().String())
		c.clocks.stop(coPrefix + a.DB.Agency().String())
		if !slices.Contains(t.CoSigned, a.DB.Agency()) {
			t.CoSigned = append(slices.Clone(t.CoSigned), a.DB.Agency())
		}
		c.tell(t.Lead, Handler, "co_reply")
	case CoDecline:
		c.clocks.stop(coSignPrefix + a.DB.Agency().String())
		c.clocks.stop(coPrefix + a.DB.Agency().String())
		c.dropCo([]uuid.UUID{a.DB.Agency()})
		c.tell(t.Lead, Handler, "co_declined")
		c.tell(desk, Dispatcher, "co_declined")
	case AddCo:
		for _, co := range f.Co {
			t.Co = append(slices.Clone(t.Co), co)
			c.clocks.startCo(co)
			c.tell(co, Handler, "dispatched")
		}
		c.tell(t.Lead, Handler, "co_added")
	case DropCo:
		c.dropCo(f.Co)
		for _, co := range f.Co {
			c.tell(co, Handler, "co_dropped")
		}
	case Supervise:
		t.Supervised, t.Supervision = true, "ordered"
		if t.Lead != uuid.Nil {
			c.tell(t.Lead, Head, "supervised")
			c.notices = append(c.notices, notice{agency: t.Lead, user: t.Assignee, role: Handler, kind: "supervised"})
		} else {
			c.tell(desk, Dispatcher, "supervised")
		}
	case AnswerOrder:
		t.Supervision = "answered"
		c.tell(desk, Supervisor, "supervision_answered")
	case LiftOrder:
		t.Supervised, t.Supervision = false, ""
		c.tell(t.Lead, Head, "supervision_lifted")
	case AnswerDirectly:
		t.Reply, t.Outcome = f.Text, f.Outcome
		t.repliedBy = a.DB.User()
	case Reply:
		t.Reply, t.Outcome, t.AgencyResolved = f.Text, f.Outcome, f.Resolved
		t.repliedBy = a.DB.User()
		t.Ask, t.AskData = "", Fields{}
		c.answerOver(f)
		c.ended = "done"
		c.tell(desk, Operator, "replied")
	case Refuse:
		t.decidedBy = a.DB.User()
	case Appeal:
		t.Appealed = true
		c.tell(desk, Supervisor, "appealed")
	case StartRevisit:
		t.Revisits = 0
	case RevisitAttempt:
		t.Revisits++
		c.nextCall()
	case AskRevisit:
		t.Revisits++
	case RevisitDone:
		if a.Kind == KindStaff {
			t.Revisits++
		}
		t.CitizenResolved, t.Satisfaction = f.Resolved, f.Satisfaction
		c.revisited()
	case RequestExclude:
		f.By = a.DB.User()
		t.Ask, t.AskData = "exclusion", *f
		c.tell(desk, Supervisor, "exclusion_requested")
	case ApproveExclude:
		f.Reason, f.Basis = t.AskData.Reason, t.AskData.Basis
		t.Excluded = true
	case RefuseExclude, Reopen:
		t.Ask, t.AskData = "", Fields{}
		t.CitizenResolved, t.Satisfaction = nil, 0
		c.tell(t.Lead, Handler, "reopened")
	case Merge:
		t.Parent = f.Parent
		// What was merged into this ticket goes along, so that every reporter hangs on the one that will be answered.
		id, parent := t.ID, t.Parent
		c.also(func(b *pgx.Batch) {
			b.Queue(`update tickets set parent_id = $2 where parent_id = $1 and state = 'merged'`, id, parent)
		})
	case Unmerge:
		t.Parent = uuid.Nil
		// The answer to the other matter is none to this one; the history keeps that it was told.
		t.Reply, t.Outcome, t.AgencyResolved = "", "", nil
	case CitizenReply, AddInformation, Resume:
		if t.Lead != uuid.Nil {
			c.notices = append(c.notices, notice{agency: t.Lead, user: t.Assignee, role: Handler, kind: string(m.Name)})
		} else {
			c.tell(desk, Operator, string(m.Name))
		}
	}
	if m.To == Accepted && m.Name != Accept {
		// Back from outside: routing starts afresh.
		c.release("transferred")
		t.Dispatches, t.Designated, t.designatedTo = 0, false, uuid.Nil
	}
}

// release takes the ticket from its agencies without a mark against them.
func (c *change) release(ended string) {
	if c.t.Lead == uuid.Nil {
		return
	}
	c.t.Lead, c.t.Co, c.t.CoSigned = uuid.Nil, nil, nil
	c.clocks.stopCo()
	c.ended = ended
}

// giveBack is release by the agency's own wish: routing does not propose it again.
func (c *change) giveBack(ended string) {
	if lead := c.t.Lead; lead != uuid.Nil && !slices.Contains(c.t.Past, lead) {
		c.t.Past = append(slices.Clone(c.t.Past), lead)
	}
	c.release(ended)
}

// redecide asks routing again, for the dispatcher to see; after a return a person dispatches.
func (c *change) redecide() {
	c.decide()
	c.tell(c.svc.router.Desk(), Dispatcher, "pending_dispatch")
}

// decide asks routing about the ticket as it is now, and keeps what it says with the ticket.
func (c *change) decide() Route {
	t := &c.t
	category := ""
	if t.categoryFixed {
		category = t.Category
	}
	r := c.svc.router.Decide(RouteFacts{Kind: t.Kind, Category: category, ServiceItem: t.ServiceItem, Text: t.Title + "\n" + t.Description,
		Urgency: t.Urgency, Confidential: t.Confidential, Lat: t.Lat, Lon: t.Lon, Excluded: t.Past})
	if len(r.Record) > 0 {
		t.Decision = r.Record
	}
	return r
}

// access lists who may see the ticket now. A confidential ticket is seen by the hotline and the agencies that work on it, not by those
// above them.
func (c *change) access() []access {
	t := c.t
	info := t.State.Info()
	desk := c.svc.router.Desk()
	out := []access{{desk, "desk", info.Open && (info.Holder == HeldByDesk || t.Ask != "")}}
	seen := map[uuid.UUID]bool{desk: true}
	put := func(id uuid.UUID, role string, acting bool) {
		if id != uuid.Nil && !seen[id] {
			seen[id] = true
			out = append(out, access{id, role, acting})
		}
	}
	put(t.Lead, "lead", info.Holder == HeldByLead)
	for _, co := range t.Co {
		clk := c.clocks.rows[coPrefix+co.String()]
		put(co, "co", info.Holder != HeldByDesk && clk != nil && clk.stoppedAt == nil)
	}
	if !t.Confidential {
		if a, ok := c.svc.router.Agency(t.Lead); ok {
			for _, id := range a.Ancestors {
				put(id, "ancestor", false)
			}
		}
		for _, id := range t.Past {
			put(id, "past", false)
		}
	}
	return out
}
