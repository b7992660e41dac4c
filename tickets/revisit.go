package tickets

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/tickets/sla"
)

// Unsatisfied reports whether the citizen said, in the revisit, that the case is not solved or that they are not satisfied. Such a case is
// reopened or goes to an exclusion review; it is never just closed.
func (t Ticket) Unsatisfied() bool {
	return t.CitizenResolved != nil && !*t.CitizenResolved || t.Satisfaction > 0 && t.Satisfaction <= 2
}

// AskedBack reports whether the citizen is asked, in the revisit, whether it is solved, and has not said so yet.
func (t Ticket) AskedBack() bool { return t.State == Revisiting && t.CitizenResolved == nil }

// ByMessage reports whether the citizen can be asked by message, as far as the ticket alone says: on a channel on which they chat, or, when nothing else is
// known of them, in the mailbox behind the tracking code. Where messages are sent, OnReach knows better.
func (t Ticket) ByMessage() bool {
	switch t.Channel {
	case "web", "telegram", "wechat", "email", "sms":
		return true
	}
	return t.ContactID == nil
}

// revisited goes on after the citizen's word: a satisfied citizen's case is closed by the next sweep, an unsatisfied one's waits for the decision
// to reopen or to ask for an exclusion, and that decision has a clock.
func (c *change) revisited() {
	c.clocks.stop(string(sla.RevisitTry))
	if !c.t.Unsatisfied() {
		c.endSoon()
		return
	}
	c.clocks.start(sla.Check, nil)
	c.tell(c.svc.router.Desk(), Operator, "revisit_unsatisfied")
	c.tell(c.svc.router.Desk(), Supervisor, "revisit_unsatisfied")
}

// tryRevisit is what the program does when the clock of the next try is over: it asks by message where that reaches the citizen, puts the
// case on the call list where not, and closes it when the citizen has answered well or all tries are spent. The clock runs again for the next try.
func (s *Service) tryRevisit(ctx context.Context, tx db.Tx, ticket uuid.UUID, now time.Time) (moved bool, err error) {
	t, rows, _, err := s.lock(ctx, tx, ticket, "")
	if err != nil {
		return false, err
	}
	reached, err := s.reaches(ctx, tx, t)
	if err != nil {
		return false, err
	}
	c := s.newChange(t, rows, now)
	c.clocks.stop(string(sla.RevisitTry))
	step := func(name Action) bool {
		m, judged := c.judge(System(), name, Fields{})
		if judged != nil {
			return false
		}
		c.run(m, System(), Fields{})
		return true
	}
	switch {
	case c.t.State == Completed && c.t.Grade >= 3 && step(Close):
		// The assessment that was given with the answer is the citizen's word.
	case c.t.State != Completed && c.t.State != Revisiting || c.t.Unsatisfied():
	case c.t.State == Revisiting && (c.t.CitizenResolved != nil || c.t.Revisits >= c.set.RevisitTries):
		step(Close)
	case !reached:
		c.call()
	default:
		if c.t.State == Completed {
			step(StartRevisit)
		}
		step(AskRevisit)
	}
	return len(c.events) > 0, s.save(ctx, tx, c, "", Fields{})
}

// call asks the operators for a call, by the deadline of the revisit or, where that ended with a message, by a new one.
func (c *change) call() {
	if clk := c.clocks.rows[string(sla.Revisit)]; clk == nil || clk.stoppedAt != nil {
		c.clocks.start(sla.Revisit, nil)
		c.clocks.summarize(&c.t)
	}
	c.tell(c.svc.router.Desk(), Operator, "revisit_call")
}

// nextCall goes on after a call that reached nobody: the next one has the time of the first, and after the last the sweep closes the case.
func (c *change) nextCall() {
	if c.t.Revisits < c.set.RevisitTries {
		c.start = append(c.start, sla.Revisit)
		return
	}
	c.endSoon()
}

// endSoon lets the next sweep close the case.
func (c *change) endSoon() {
	if _, ok := c.clocks.policy.Clocks[sla.RevisitTry]; ok {
		c.clocks.startSpan(string(sla.RevisitTry), uuid.Nil, sla.Span{Unit: sla.Minutes})
	}
}

// checkTry wants some hours between two calls, and between two messages, so that three of them are three times of day and not three clicks. A call may
// follow at once on a message that failed. Errors: ErrRevisitSoon.
func (c *change) checkTry(ctx context.Context, tx db.Tx, name Action) error {
	var last *time.Time
	if err := tx.QueryRow(ctx, lastTrySQL, c.t.ID, string(name)).Scan(&last); err != nil || last == nil {
		return err
	}
	gap := time.Duration(c.set.SLA.Limits.WithDefaults().RevisitGapHours) * time.Hour
	if next := last.Add(gap); c.now.Before(next) {
		return ErrRevisitSoon.With("next", next)
	}
	return nil
}

// lastTrySQL: a reopened case begins its tries anew, so only those since the last reopening count.
const lastTrySQL = `select max(at) from ticket_events where ticket_id = $1 and type = $2
	and seq > coalesce((select max(seq) from ticket_events where ticket_id = $1 and type = 'start_revisit'), 0)`

// AnswerRevisit is the citizen's own answer to the revisit: whether the case is solved, and how satisfied they are. It is their assessment too
// when they have given none.
// Errors: those of Apply for the revisit's result, ErrBadField, ErrTooLong.
func (s *Service) AnswerRevisit(ctx context.Context, a Actor, ticket uuid.UUID, r Rating) (Ticket, error) {
	if r.Resolved == nil {
		return Ticket{}, ErrMissing.On(string(FResolved)).With("field", string(FResolved))
	}
	if err := r.check(); err != nil {
		return Ticket{}, err
	}
	var out Ticket
	err := db.WithTx(ctx, s.pool, a.DB, func(tx db.Tx) (err error) {
		out, err = s.answerRevisitTx(ctx, tx, a, ticket, r)
		return err
	})
	if err != nil {
		return Ticket{}, wrap("answer revisit", err)
	}
	return out, nil
}

func (s *Service) answerRevisitTx(ctx context.Context, tx db.Tx, a Actor, ticket uuid.UUID, r Rating) (Ticket, error) {
	out, err := s.ApplyTx(ctx, tx, a, ticket, AnyVersion, RevisitDone, Fields{Resolved: r.Resolved, Satisfaction: r.Grade, Text: r.Text}, "")
	if err != nil {
		return out, err
	}
	rated, err := s.rateTx(ctx, tx, a, ticket, r)
	if errors.Is(err, ErrRated) {
		return out, nil
	}
	return rated, err
}

// Assess takes the citizen's word on a ticket: the answer to the revisit where they are asked and say whether it is solved, else the assessment.
// Errors: those of AnswerRevisit and of Rate.
func (s *Service) Assess(ctx context.Context, a Actor, ticket uuid.UUID, r Rating) (Ticket, error) {
	if err := r.check(); err != nil {
		return Ticket{}, err
	}
	var out Ticket
	err := db.WithTx(ctx, s.pool, a.DB, func(tx db.Tx) (err error) {
		out, err = s.assessTx(ctx, tx, a, ticket, r)
		return err
	})
	if err != nil {
		return Ticket{}, wrap("assess", err)
	}
	return out, nil
}

func (s *Service) assessTx(ctx context.Context, tx db.Tx, a Actor, ticket uuid.UUID, r Rating) (Ticket, error) {
	t, _, _, err := s.lock(ctx, tx, ticket, "")
	if err != nil {
		return Ticket{}, err
	}
	if t.AskedBack() && r.Resolved != nil {
		return s.answerRevisitTx(ctx, tx, a, ticket, r)
	}
	return s.rateTx(ctx, tx, a, ticket, r)
}

// UnreachedTx puts a case on the call list at once, because the message that asked the citizen reached them on no channel; words say why, for staff. It
// does nothing where the citizen is not asked (any more).
func (s *Service) UnreachedTx(ctx context.Context, tx db.Tx, ticket uuid.UUID, channel, words string) error {
	_, err := s.amendTx(ctx, tx, ticket, "", unreachedEntry, Fields{}, func(_ context.Context, _ db.Tx, c *change) error {
		if !c.t.AskedBack() {
			return nil
		}
		c.clocks.stop(string(sla.RevisitTry))
		c.call()
		c.add(Event{Type: unreachedEntry, Data: Fields{Channels: []string{channel}, Text: words}}, System())
		return nil
	})
	return err
}

// unreachedEntry is the entry of the history that says why a citizen has to be called.
const unreachedEntry = "revisit_unreached"

// Call is a revisit that somebody has to make by telephone.
type Call struct {
	Ticket
	LastTry *time.Time // when the last try was noted
	Why     string     // why no message reached the citizen, in words; "" where none was tried
}

// CallList returns the cases whose revisit waits for a call, the one with the nearest deadline first: those completed that no message reaches,
// and those being revisited whose citizen has not answered. Only for the hotline's staff; after is the cursor of the page before.
// Errors: ErrForbidden, ErrBadCursor.
func (s *Service) CallList(ctx context.Context, a Actor, after string, limit int) (out []Call, next string, err error) {
	if a.Kind != KindStaff || !a.DB.Desk() {
		return nil, "", ErrForbidden.With("action", "revisit_attempt")
	}
	keys, err := s.board(ctx, a, "calls", callListSQL, after, &limit, func(row pgx.CollectableRow) (string, uuid.UUID, error) {
		var c Call
		var key string
		t, err := scanTicket(suffixed{row, []any{&c.LastTry, &c.Why, &key}})
		c.Ticket = t
		out = append(out, c)
		return key, t.ID, err
	})
	if len(out) > limit {
		out, next = out[:limit], keys[limit-1]
	}
	return out, next, err
}

// Completed cases that a message reaches are asked by the sweep; those without words of the citizen after all tries are closed by it. What is left
// in the queue "revisit" is for people.
const callListSQL = `
select ` + ticketColumns + `, (select max(e.at) from ticket_events e where e.ticket_id = t.id and e.type in ('revisit_attempt', 'ask_revisit')),
	coalesce((select e.data->>'text' from ticket_events e where e.ticket_id = t.id and e.type = 'revisit_unreached' order by e.seq desc limit 1), ''), a.due_at::text
from ticket_access a join tickets t on t.id = a.ticket_id
where a.agency_id = $1 and a.open and a.queue = 'revisit'
  and ($2 = '' or (a.due_at, a.ticket_id) > ($2::text::timestamptz, $3::uuid))
  and not exists (select from ticket_clocks c where c.ticket_id = a.ticket_id and c.name = 'revisit_try' and c.stopped_at is null)
order by a.due_at, a.ticket_id limit $4`

const exclusionsSQL = `
select ` + ticketColumns + `, a.due_at::text
from ticket_access a join tickets t on t.id = a.ticket_id
where a.agency_id = $1 and a.open and a.queue = 'ask' and a.state = 'revisiting' and t.ask = 'exclusion'
  and ($2 = '' or (a.due_at, a.ticket_id) > ($2::text::timestamptz, $3::uuid))
order by a.due_at, a.ticket_id limit $4`

// Exclusions lists the exclusion reviews that wait for a decision, the nearest deadline first. Only for the hotline's staff.
// Errors: ErrForbidden, ErrBadCursor, ErrNarrow.
func (s *Service) Exclusions(ctx context.Context, a Actor, after string, limit int) (out []Ticket, next string, err error) {
	if a.Kind != KindStaff || !a.DB.Desk() {
		return nil, "", ErrForbidden.With("action", string(ApproveExclude))
	}
	keys, err := s.board(ctx, a, "exclusions", exclusionsSQL, after, &limit, func(row pgx.CollectableRow) (string, uuid.UUID, error) {
		var key string
		t, err := scanTicket(suffixed{row, []any{&key}})
		out = append(out, t)
		return key, t.ID, err
	})
	if len(out) > limit {
		out, next = out[:limit], keys[limit-1]
	}
	return out, next, err
}
