package past

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"hotline/chat"
	"hotline/internal/db"
	"hotline/tickets"
)

// story is a case and what will become of it. What happens next follows from the state that the case is in and from these dispositions, so that every
// course is one that the rules allow.
type story struct {
	id     uuid.UUID
	m      matter
	wrong  bool // dispatched to the wrong agency, which gives it back
	slow   bool // answered after the deadline
	stuck  bool // and not answered at all
	asks   bool // the agency asks the citizen something
	longer bool // and for more time
	weak   bool // the hotline sends the answer back
	silent bool // the citizen says nothing when asked
	grade  int  // what the citizen thinks
	signed bool // the co-agencies were seen to
	wrote  bool // the agency sent a word before the answer

	state tickets.State // in which the next deed was planned
	plan  int           // counts plans: an older one is forgotten
	again int           // counts refusals one after the other
}

// patience is how often a case tries again what the rules refuse; then it stays where it is.
const patience = 3

// file takes a matter in.
func (p *player) file(m matter) error {
	s := &story{m: m, wrong: p.chance(7), slow: p.chance(13), stuck: p.chance(4), asks: p.chance(9), longer: p.chance(7), weak: p.chance(6), silent: p.chance(38), grade: 5}
	switch r := p.rand.IntN(100); {
	case r < 42:
	case r < 76:
		s.grade = 4
	case r < 88:
		s.grade = 3
	case r < 95:
		s.grade = 2
	default:
		s.grade = 1
	}
	if s.slow && s.grade > 3 {
		s.grade--
	}
	return p.open(s)
}

func (p *player) open(s *story) error {
	filed, err := p.Chat.FileTicket(p.ctx, chat.Filing{Channel: s.m.channel, Account: "past", ExternalID: fmt.Sprintf("past-%04d", p.sum.Cases), Lang: s.m.lang,
		Draft: p.draft(s.m), Contact: p.contact(s.m), At: p.Clock.Now()})
	if err != nil {
		return p.failed("file", err)
	}
	p.sum.Cases++
	s.id = filed.Ticket.ID
	p.known[s.id] = s
	return p.follow(s)
}

// follow plans the next deed of a case, unless it is planned.
func (p *player) follow(s *story) error {
	t, err := p.Tickets.ByID(p.ctx, tickets.System(), s.id)
	if err != nil {
		return p.failed("read a case", err)
	}
	if t.State == s.state && t.Ask == "" && t.Rectify == "" {
		return nil
	}
	p.next(s, t)
	return nil
}

// soon plans a deed; what happens first makes a later plan of the same case void.
func (p *player) soon(s *story, at time.Time, do func(t tickets.Ticket) (tickets.Ticket, error)) {
	s.plan++
	mine := s.plan
	p.at(at, func() error {
		if s.plan != mine {
			return nil
		}
		t, err := p.Tickets.ByID(p.ctx, tickets.System(), s.id)
		if err != nil {
			return p.failed("read a case", err)
		}
		after, err := do(t)
		if err := p.allowed(err); err != nil {
			return err
		}
		if err == nil {
			t, s.again = after, 0
		} else if s.again++; s.again > patience {
			return nil
		}
		p.next(s, t)
		return nil
	})
}

// move makes a move on a ticket as somebody.
func (p *player) move(t tickets.Ticket, w worker, a tickets.Action, f tickets.Fields) (tickets.Ticket, error) {
	if slices.Contains([]tickets.Action{tickets.Reply, tickets.AskCitizen}, a) {
		return p.Chat.ReplyToTicket(p.ctx, w.actor(), t.ID, t.Version, f.Text, a, f, "")
	}
	return p.Tickets.Apply(p.ctx, w.actor(), t.ID, t.Version, a, f, "")
}

func citizen(t tickets.Ticket) tickets.Actor { return tickets.CitizenBy(db.CitizenOfTicket(t.ID)) }

const (
	minute = time.Minute
	hour   = time.Hour
	day    = 8 * time.Hour // of work
)

// next is what happens to a case from the state that it is in.
func (p *player) next(s *story, t tickets.Ticket) {
	s.state = t.State
	handler, _ := p.staff.of(t.Lead, "handler", t.Confidential)
	dispatcher, operator, supervisor := p.desk("dispatcher", t.Confidential), p.desk("operator", t.Confidential), p.desk("supervisor", true)
	lang := s.m.lang
	switch {
	case t.Rectify == "open":
		p.soon(s, p.working(day, 4*day), func(t tickets.Ticket) (tickets.Ticket, error) {
			return p.Tickets.Rectify(p.ctx, handler.actor(), t.ID, pick(p, p.words.Rectified[lang]), "")
		})
		return
	case t.Rectify == "answered" && !s.silent:
		p.soon(s, p.awake(5*hour, 60*hour), func(t tickets.Ticket) (tickets.Ticket, error) { return p.rate(t, min(5, s.grade+2), lang) })
		return
	case t.Ask == "extension":
		p.soon(s, p.working(hour, 5*hour), func(t tickets.Ticket) (tickets.Ticket, error) {
			return p.move(t, dispatcher, tickets.ApproveExtend, tickets.Fields{})
		})
		return
	case t.Ask == "exclusion":
		p.soon(s, p.working(2*hour, day), func(t tickets.Ticket) (tickets.Ticket, error) {
			return p.move(t, supervisor, tickets.ApproveExclude, tickets.Fields{Text: among(p.words.Exclusion, lang)})
		})
		return
	}
	switch t.State {
	case tickets.PendingDispatch:
		p.soon(s, p.Clock.Now().Add(p.between(3*minute, 26*minute)), func(t tickets.Ticket) (tickets.Ticket, error) { return p.dispatch(t, dispatcher) })
	case tickets.Dispatched:
		p.dispatched(s, t, handler)
	case tickets.ReturnRequested:
		p.soon(s, p.working(hour, 6*hour), func(t tickets.Ticket) (tickets.Ticket, error) {
			return p.move(t, dispatcher, tickets.ApproveReturn, tickets.Fields{})
		})
	case tickets.InProgress:
		p.inProgress(s, t, handler)
	case tickets.AwaitingCitizen:
		if !s.silent {
			p.soon(s, p.awake(2*hour, 40*hour), func(t tickets.Ticket) (tickets.Ticket, error) {
				return p.Chat.ReplyByCitizen(p.ctx, t.ID, db.NewID().String(), pick(p, p.words.Answers[lang]), nil)
			})
		}
	case tickets.Replied:
		p.soon(s, p.working(30*minute, 6*hour), func(t tickets.Ticket) (tickets.Ticket, error) {
			if s.weak {
				s.weak = false
				return p.move(t, operator, tickets.Reopen, tickets.Fields{Text: among(p.words.SentBack, lang)})
			}
			return p.move(t, operator, tickets.Complete, tickets.Fields{})
		})
	case tickets.Reopened:
		p.soon(s, p.working(hour, 5*hour), func(t tickets.Ticket) (tickets.Ticket, error) {
			return p.move(t, handler, tickets.TakeUp, tickets.Fields{})
		})
	case tickets.Completed:
		p.completed(s, t, operator)
	case tickets.Revisiting:
		p.revisiting(s, t, operator)
	}
}

// dispatch sends a case where the catalogue, or what it proposes next, says.
func (p *player) dispatch(t tickets.Ticket, by worker) (tickets.Ticket, error) {
	d := p.Routing.Decide(routingFacts(t))
	lead := d.Lead
	for _, a := range d.Alternatives {
		if lead == uuid.Nil {
			lead = a.Agency
		}
	}
	if lead == uuid.Nil || lead == by.agency {
		a, _ := p.Routing.Snapshot().AgencyByCode("dept-government-services")
		lead = a.ID
	}
	return p.move(t, by, tickets.Dispatch, tickets.Fields{Lead: lead})
}

func (p *player) dispatched(s *story, t tickets.Ticket, handler worker) {
	p.helpers(s, t)
	if s.wrong {
		s.wrong = false
		p.soon(s, p.working(hour, 5*hour), func(t tickets.Ticket) (tickets.Ticket, error) {
			return p.move(t, handler, tickets.RequestReturn, tickets.Fields{Reason: "not_responsible", Basis: among(p.words.ReturnBasis, s.m.lang)})
		})
		return
	}
	after := p.working(10*minute, 150*minute)
	if s.slow && p.chance(50) {
		after = p.working(day+hour, day+6*hour)
	}
	p.soon(s, after, func(t tickets.Ticket) (tickets.Ticket, error) {
		return p.move(t, handler, tickets.Sign, tickets.Fields{})
	})
}

func (p *player) inProgress(s *story, t tickets.Ticket, handler worker) {
	lang := s.m.lang
	switch {
	case !s.wrote && handler.id != uuid.Nil && p.chance(92): // a word is a person's
		s.wrote = true
		p.soon(s, p.working(10*minute, 2*hour), func(t tickets.Ticket) (tickets.Ticket, error) {
			return p.Chat.ReplyToTicket(p.ctx, handler.actor(), t.ID, t.Version, pick(p, p.words.Words[lang]), "", tickets.Fields{}, "")
		})
	case s.asks:
		s.asks, s.wrote = false, true
		p.soon(s, p.working(hour, 6*hour), func(t tickets.Ticket) (tickets.Ticket, error) {
			return p.move(t, handler, tickets.AskCitizen, tickets.Fields{Text: pick(p, p.words.Questions[lang])})
		})
	case s.longer:
		s.longer = false
		p.soon(s, p.working(day, 2*day), func(t tickets.Ticket) (tickets.Ticket, error) {
			return p.move(t, handler, tickets.RequestExtend, tickets.Fields{Text: among(p.words.Extension, lang), Days: 2})
		})
	case !s.stuck:
		s.wrote = true
		after := p.working(hour, day)
		if t.PromisedAt != nil && t.PromisedAt.After(p.Clock.Now()) {
			left := p.cal.WorkingBetween(p.Clock.Now(), *t.PromisedAt)
			after = p.working(left/5, left/5+left/2+minute)
		}
		if s.slow && t.PromisedAt != nil && t.PromisedAt.After(p.Clock.Now()) {
			after = p.cal.AddWorking(*t.PromisedAt, p.between(hour, 2*day))
		}
		p.soon(s, after, func(t tickets.Ticket) (tickets.Ticket, error) {
			outcome := outcomeOf(s)
			solved := s.grade >= 3
			return p.move(t, handler, tickets.Reply, tickets.Fields{Text: pick(p, p.words.Replies[outcome][lang]), Outcome: outcome, Resolved: &solved})
		})
	}
}

// helpers are the co-agencies, who sign and reply for their part on clocks of their own.
func (p *player) helpers(s *story, t tickets.Ticket) {
	if s.signed {
		return
	}
	s.signed = true
	for _, agency := range t.Co {
		co, _ := p.staff.of(agency, "handler", t.Confidential)
		act := func(at time.Time, a tickets.Action, f tickets.Fields) {
			p.at(at, func() error {
				_, err := p.Tickets.Apply(p.ctx, co.actor(), t.ID, tickets.AnyVersion, a, f, "")
				return err
			})
		}
		act(p.working(20*minute, 5*hour), tickets.CoSign, tickets.Fields{})
		act(p.working(5*hour, 9*hour), tickets.CoReply, tickets.Fields{Text: pick(p, p.words.Helped[s.m.lang])})
	}
}

// outcomeOf is what an agency can say of a case of this kind.
func outcomeOf(s *story) string {
	switch {
	case s.m.kind == "consult":
		return "explained"
	case s.m.kind == "suggestion", s.m.kind == "praise":
		return "planned"
	case s.grade == 1:
		return "not_confirmed"
	case s.grade <= 3:
		return "partly_resolved"
	}
	return "resolved"
}

// completed: the program asks whoever a message reaches; the others are called.
func (p *player) completed(s *story, t tickets.Ticket, operator worker) {
	if t.ByMessage() {
		return
	}
	p.soon(s, p.working(hour, day), func(t tickets.Ticket) (tickets.Ticket, error) {
		return p.move(t, operator, tickets.StartRevisit, tickets.Fields{})
	})
}

func (p *player) revisiting(s *story, t tickets.Ticket, operator worker) {
	lang := s.m.lang
	if t.Unsatisfied() {
		p.soon(s, p.working(2*hour, 2*day), func(t tickets.Ticket) (tickets.Ticket, error) {
			if s.grade == 1 {
				return p.move(t, operator, tickets.RequestExclude, tickets.Fields{Reason: "private_dispute", Basis: among(p.words.Exclusion, lang)})
			}
			s.grade = 4
			return p.move(t, operator, tickets.Reopen, tickets.Fields{Text: pick(p, p.words.NotSolved[lang])})
		})
		return
	}
	if t.CitizenResolved != nil {
		return
	}
	if !t.ByMessage() {
		yes, solved := true, s.grade >= 3
		if s.silent {
			no := false
			p.soon(s, p.working(3*hour, day), func(t tickets.Ticket) (tickets.Ticket, error) {
				if t.Revisits >= 3 {
					return p.move(t, operator, tickets.Close, tickets.Fields{})
				}
				return p.move(t, operator, tickets.RevisitAttempt, tickets.Fields{Reached: &no})
			})
			return
		}
		p.soon(s, p.working(minute, hour), func(t tickets.Ticket) (tickets.Ticket, error) {
			return p.move(t, operator, tickets.RevisitDone, tickets.Fields{Reached: &yes, Resolved: &solved, Satisfaction: s.grade})
		})
		return
	}
	if s.silent {
		return // the program asks three times and closes the case
	}
	p.soon(s, p.awake(2*hour, 30*hour), func(t tickets.Ticket) (tickets.Ticket, error) { return p.rate(t, s.grade, lang) })
}

// rate is the citizen saying what they think, in the revisit or on the page of the case.
func (p *player) rate(t tickets.Ticket, grade int, lang string) (tickets.Ticket, error) {
	solved := grade >= 3
	r := tickets.Rating{Grade: grade, Resolved: &solved, Text: pick(p, p.words.Solved[lang])}
	if !solved {
		r.Text = pick(p, p.words.NotSolved[lang])
	}
	if t.State == tickets.Revisiting && t.CitizenResolved == nil {
		return p.Tickets.AnswerRevisit(p.ctx, citizen(t), t.ID, r)
	}
	return p.Tickets.Rate(p.ctx, citizen(t), t.ID, r)
}
