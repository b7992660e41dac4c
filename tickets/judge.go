package tickets

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"hotline/internal/errs"
	"hotline/tickets/sla"
)

// Limits of texts, in characters.
const (
	MaxText  = 20_000
	MaxTitle = 200
	MaxBasis = 2_000
	maxShort = 500
	maxCo    = 10 // co-agencies of one ticket
)

// Moves lists what the actor may do with a ticket at hand, guards included: the buttons of the console.
func (s *Service) Moves(a Actor, t Ticket) []Move {
	var out []Move
	for _, m := range table {
		if m.From != t.State || !m.CanDo(a.actsAs(t, m)...) {
			continue
		}
		c := s.newChange(t, nil, s.clock.Now())
		if c.guards(m, a) == nil {
			out = append(out, m.of(a))
		}
	}
	return out
}

// of is the move as this actor has to make it: a case does not go because somebody at the hotline wants it gone, so staff who withdraw one write who
// wished it.
func (m Move) of(a Actor) Move {
	if m.Name == Withdraw && a.Kind == KindStaff {
		m.Required = append(slices.Clone(m.Required), FText)
	}
	return m
}

// judge finds the move and decides whether the actor may make it with these fields. It changes nothing.
// Errors: ErrNoMove, ErrForbidden, the guards' errors, ErrMissing, ErrBadField, ErrTooLong, ErrUnknownAgency, ErrUnknownCategory, ErrSameCategory.
func (c *change) judge(a Actor, name Action, f Fields) (Move, error) {
	m, ok := find(c.t.State, name)
	if !ok {
		return Move{}, ErrNoMove.With("state", string(c.t.State)).With("action", string(name))
	}
	if !m.CanDo(a.actsAs(c.t, m)...) {
		return Move{}, ErrForbidden.With("state", string(c.t.State)).With("action", string(name))
	}
	if err := c.guards(m, a); err != nil {
		return Move{}, err
	}
	m = m.of(a)
	if err := c.check(m, f); err != nil {
		return Move{}, err
	}
	return m, nil
}

func (c *change) guards(m Move, a Actor) error {
	t := c.t
	for _, g := range m.Needs {
		var err *errs.Error
		switch g {
		case WithinSignWindow:
			until := t.SignDueAt
			if t.returnUntil != nil {
				until = t.returnUntil
			}
			if until != nil && !c.now.Before(*until) {
				err = ErrLateReturn.With("due", *until)
			}
		case NotDesignated:
			if t.Designated {
				err = ErrDesignated
			}
		case NotDesignee:
			if t.Designated && t.designatedTo == t.Lead {
				err = ErrDesignated
			}
		case AskedTransfer:
			if t.Ask != "transfer" {
				err = ErrNothingAsked
			}
		case AskedExtension:
			if t.Ask != "extension" {
				err = ErrNothingAsked
			}
		case NothingAsked:
			if t.Ask != "" {
				err = ErrAlreadyAsked.With("ask", t.Ask)
			}
		case BeforeExpiry:
			if t.PromisedAt != nil && !c.now.Before(*t.PromisedAt) {
				err = ErrExpired
			}
		case FirstAnswer:
			if t.AgencyResolved != nil || c.clocks.due(sla.Redo) != nil {
				err = ErrNoExtension
			}
		case PauseLeft:
			if clk := c.clocks.waiting(); clk != nil && clk.pausedAt == nil {
				if ends := c.clocks.pauseEnds(clk, c.now); !ends.IsZero() && !ends.After(c.now) {
					err = ErrPauseSpent
				}
			}
		case NotHeard:
			if t.CitizenResolved != nil && t.Satisfaction > 0 {
				err = ErrHeard
			}
		case RatedWell:
			if t.Grade < 3 {
				err = ErrNotAsked
			}
		case UnderExtCap:
			if t.Extensions >= c.set.MaxExtensions {
				err = ErrExtensionCap.With("limit", c.set.MaxExtensions)
			}
		case OtherOfficer:
			if t.Appealed && a.Kind == KindStaff && a.DB.User() == t.decidedBy {
				err = ErrSameOfficer
			}
		case NotTheHandler:
			if a.person() && a.DB.User() == t.repliedBy {
				err = ErrSameOfficer
			}
		case FirstAppeal:
			if t.Appealed {
				err = ErrAppealed
			}
		case HasReply:
			if t.Reply == "" || t.Outcome == "" {
				err = ErrNoReply
			}
		case UnderCoordinate:
			if t.Dispatches >= c.set.MaxDispatches {
				err = ErrCoordinate.With("dispatches", t.Dispatches)
			}
		case OverCoordinate:
			if t.Dispatches < c.set.MaxDispatches {
				err = ErrTooEarly.With("dispatches", t.Dispatches)
			}
		case RevisitsLeft:
			if t.Revisits >= c.set.RevisitTries {
				err = ErrRevisits.With("tries", t.Revisits)
			}
		case RevisitsSpent:
			if t.CitizenResolved == nil && t.Revisits < c.set.RevisitTries {
				err = ErrRevisits.With("tries", t.Revisits)
			}
		case Unsatisfied:
			if !t.Unsatisfied() {
				err = ErrNotUnsatisfied
			}
		case NotUnsatisfied:
			if t.Unsatisfied() {
				err = ErrUnsatisfied
			}
		case AskedExclusion:
			if t.Ask != "exclusion" {
				err = ErrNothingAsked
			}
		case OtherThanAsked:
			if t.AskData.By != uuid.Nil && a.DB.User() == t.AskData.By {
				err = ErrSameOfficer
			}
		case BelowLead:
			if !c.svc.router.Below(t.Lead) {
				err = ErrNotBelow
			}
		case HasAbove:
			if _, ok := c.above(); !ok {
				err = ErrNoneAbove
			}
		case CoUnsigned:
			if slices.Contains(t.CoSigned, a.DB.Agency()) {
				err = ErrCoSigned
			}
		case WithinCoWindow:
			if clk := c.clocks.rows[coSignPrefix+a.DB.Agency().String()]; clk != nil && !c.now.Before(clk.dueAt) {
				err = ErrLateReturn.With("due", clk.dueAt)
			}
		case NoOrder:
			if t.Supervision == "ordered" {
				err = ErrOrdered
			}
		case OpenOrder:
			switch {
			case t.Supervision != "ordered":
				err = ErrNoOrder
			case t.Lead != uuid.Nil && a.DB.Desk():
				err = ErrForbidden.With("state", string(t.State)).With("action", string(m.Name)) // the order went to the agency
			}
		case UnderSupervision:
			if !t.Supervised {
				err = ErrNoOrder
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *change) check(m Move, f Fields) error {
	for _, name := range m.Required {
		if !f.has(name) {
			return ErrMissing.On(string(name)).With("field", string(name))
		}
	}
	for _, l := range []struct {
		field Field
		text  string
		limit int
	}{{FText, f.Text, MaxText}, {FBasis, f.Basis, MaxBasis}, {FRight, f.RightChannel, maxShort}, {FTransferTo, f.TransferTo, maxShort}, {FOver, f.Over, MaxBasis}, {FCategory, f.Category, 100}, {FReason, f.Reason, 100}, {FOutcome, f.Outcome, 100}} {
		if err := CheckText(l.field, l.text, l.limit); err != nil {
			return err
		}
	}
	bad := func(field Field) error { return ErrBadField.On(string(field)).With("field", string(field)) }
	if list := Reasons(m.Name); len(list) > 0 && !known(list, f.Reason) {
		return bad(FReason)
	}
	if f.Outcome != "" && !known(codeLists["outcome"], f.Outcome) {
		return bad(FOutcome)
	}
	if f.Satisfaction < 0 || f.Satisfaction > 5 {
		return bad(FSatisfied)
	}
	switch m.Name {
	case Reply:
		return c.checkOver(f)
	case RequestExtend:
		return c.checkExtension(f.Days)
	case Merge:
		if f.Parent == c.t.ID {
			return bad(FParent)
		}
	case Dispatch, Designate:
		return c.checkAgencies(m, f)
	case HandDown:
		return c.checkBelow(f.Lead)
	case Reclassify:
		return c.checkCategory(f.Category)
	case AddCo, DropCo:
		return c.checkCo(m, f)
	}
	return nil
}

func (c *change) checkAgencies(m Move, f Fields) error {
	if a, ok := c.svc.router.Agency(f.Lead); !ok || !a.Active || a.Desk {
		return ErrUnknownAgency
	}
	if m.Name == Dispatch && slices.Contains(c.t.Past, f.Lead) {
		return ErrReturnedBefore.With("agency", f.Lead.String())
	}
	if len(f.Co) > maxCo {
		return ErrBadField.On("co").With("field", "co").With("limit", maxCo)
	}
	seen := map[uuid.UUID]bool{f.Lead: true}
	for _, id := range f.Co {
		if a, ok := c.svc.router.Agency(id); !ok || !a.Active || a.Desk || seen[id] {
			return ErrUnknownAgency.On("co")
		}
		seen[id] = true
	}
	return nil
}

// CheckText refuses what PostgreSQL or a reader could not take.
func CheckText(field Field, text string, limit int) error {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return ErrBadField.On(string(field)).With("field", string(field))
	}
	if len(text) > limit && utf8.RuneCountInString(text) > limit {
		return ErrTooLong.On(string(field)).With("limit", limit)
	}
	return nil
}
