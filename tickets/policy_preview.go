package tickets

import (
	"context"
	"time"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/tickets/sla"
)

// Preview says what a draft would do to the open clocks.
type Preview struct {
	Tally
	Complete bool          // every open clock was looked at
	Citizens int64         // who would be told a later date
	Largest  time.Duration // of the moves; negative: earlier
	Samples  []PreviewMove // some of the moves
}

// PreviewMove is one deadline that would move.
type PreviewMove struct {
	Ticket  uuid.UUID
	Number  string
	Clock   string
	Was     time.Time
	Due     time.Time
	Verdict sla.Verdict
}

const previewSamples = 8

// Preview applies a draft to open clocks in memory, for at most budget, and changes nothing. Errors: ErrForbidden, ErrNoDraft, ErrUnknownSetting.
func (s *Service) Preview(ctx context.Context, a Actor, kind, code string, budget time.Duration) (Preview, error) {
	now, err := s.Setting(ctx, a, kind, code)
	if err != nil {
		return Preview{}, err
	}
	if now.Draft == nil {
		return Preview{}, ErrNoDraft
	}
	var p Preview
	// Counts over all tickets, no texts: an administrator sees them whoever's tickets they are.
	err = db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		set, err := s.withDraft(ctx, tx, now)
		if err != nil {
			return err
		}
		began, changed := time.Now(), s.clock.Now()
		after, more := uuid.Nil, true
		for more && time.Since(began) < budget {
			var open []openTicket
			if open, after, more, err = openClocks(ctx, tx, after, 2000); err != nil {
				return err
			}
			for _, k := range open {
				tally, _ := s.tryRules(set, k, changed, func(c *clockRow, was time.Time, v sla.Verdict) {
					if v != sla.Earlier && v != sla.Later {
						return
					}
					if v == sla.Later && told(c.name) {
						p.Citizens++
					}
					if d := c.dueAt.Sub(was); d.Abs() > p.Largest.Abs() {
						p.Largest = d
					}
					if len(p.Samples) < previewSamples {
						p.Samples = append(p.Samples, PreviewMove{k.t.ID, k.t.Number, c.name, was, c.dueAt, v})
					}
				})
				p.plus(tally)
			}
		}
		p.Complete = !more
		return nil
	})
	return p, wrap("preview settings of", err)
}

// withDraft is what would be in force after the draft was published.
func (s *Service) withDraft(ctx context.Context, tx db.Tx, now Setting) (*Settings, error) {
	next := *s.settings.Load()
	next.Others = map[string]Rules{}
	apply := func(r Rules) (Rules, error) {
		if now.Kind == SettingPolicies && r.Code == now.Code {
			set, err := sla.ParseSet(now.Draft)
			if err != nil {
				return r, err
			}
			doc, _, err := calendarDoc(ctx, tx, set.Calendar)
			if err != nil {
				return r, err
			}
			r.SLA = set
			r.Calendar, err = doc.Build()
			return r, err
		}
		if now.Kind == SettingCalendar && r.Calendar.Code() == now.Code {
			cal, err := sla.ParseCalendar(now.Draft)
			r.Calendar = cal
			return r, err
		}
		return r, nil
	}
	own, err := apply(next.own())
	if err != nil {
		return nil, err
	}
	next.Calendar, next.SLA = own.Calendar, own.SLA
	for code, r := range s.settings.Load().Others {
		if next.Others[code], err = apply(r); err != nil {
			return nil, err
		}
	}
	return &next, nil
}
