package tickets

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// AgencyLights is how the open tickets of one agency stand.
type AgencyLights struct {
	Agency            uuid.UUID // the lead; uuid.Nil: with the hotline itself
	Open              int
	Green             int
	Yellow            int
	Red               int
	Oldest            time.Time // the earliest deadline; zero when nothing runs
	CriticismStanding int       // their running clocks on the upper rungs of the ladder
}

// One pass over the hotline's open rows is for everybody: each reader takes from it the agencies that they may see. It is renewed while somebody looks, behind their back, so that a
// reader waits for a pass only when nobody has looked for a while.
const (
	lightsEvery = 15 * time.Second // how old it may be before it is renewed; a pass that takes long is made more rarely
	lightsRarer = 10               // times as long as it took
	lightsOld   = 45 * time.Second // what is older is told to nobody
	lightsLimit = 30 * time.Second // for one pass
)

const lightsSQL = `
select a.lead_id, a.confidential, count(*), count(*) filter (where a.due_at <= $1), count(*) filter (where a.warn_at <= $1 and a.due_at > $1), nullif(min(a.due_at), 'infinity'), sum(a.standing)
from ticket_access a where a.role = 'desk' and a.open group by a.lead_id, a.confidential`

// lightsPass is what one pass found.
type lightsPass struct {
	at, next time.Time // when it was made, and from when on it is renewed
	sums     []lightsSum
	err      error
}

type lightsSum struct {
	AgencyLights
	confidential bool
}

// lightsBoard holds the last pass that went well and the one under way. The lock is never held over a query.
type lightsBoard struct {
	mu    sync.Mutex
	last  *lightsPass
	under *lightsUnderway
}

type lightsUnderway struct {
	done chan struct{} // closed when pass is there
	pass *lightsPass
}

// Lights counts the open tickets by agency and light, those with the most red ones first: of all agencies for the hotline's staff, of itself and those below it
// for an agency, confidential ones for who is cleared. The figures are at most 45 seconds old, and mostly 15.
// Errors: ErrForbidden (no staff).
func (s *Service) Lights(ctx context.Context, a Actor) ([]AgencyLights, error) {
	if a.Kind != KindStaff || a.DB.Agency() == uuid.Nil {
		return nil, ErrForbidden.With("action", "list")
	}
	last, under := s.passLights(ctx)
	if last == nil {
		select {
		case <-under.done:
			last = under.pass
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if last.err != nil {
			return nil, fmt.Errorf("lights by agency: %w", last.err)
		}
	}
	return s.lightsFor(a, last.sums), nil
}

// passLights returns the last pass unless it is too old, and sees to it that one is under way when it should be renewed.
func (s *Service) passLights(ctx context.Context) (*lightsPass, *lightsUnderway) {
	b, now := &s.lights, s.clock.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	last := b.last
	if last != nil && (now.Before(last.at) || now.Sub(last.at) > lightsOld) {
		last = nil
	}
	if last != nil && now.Before(last.next) {
		return last, b.under
	}
	if b.under == nil {
		under := &lightsUnderway{done: make(chan struct{})}
		b.under = under
		// Whoever asked may go away; those who come meanwhile still wait for it.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lightsLimit)
		go func() {
			defer cancel()
			pass := s.readLights(ctx, now)
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.under, under.pass = nil, pass; pass.err == nil {
				b.last = pass
			} else {
				s.log.WarnContext(ctx, "lights of the supervision board not counted", "error", pass.err)
			}
			close(under.done)
		}()
	}
	return last, b.under
}

func (s *Service) readLights(ctx context.Context, now time.Time) *lightsPass {
	p := &lightsPass{at: now}
	started := time.Now() // how long it takes is no matter of the clock that tests set
	p.err = db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		rows, err := tx.Query(ctx, lightsSQL, now)
		if err != nil {
			return err
		}
		p.sums, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (l lightsSum, err error) {
			var lead *uuid.UUID
			var oldest *time.Time
			err = row.Scan(&lead, &l.confidential, &l.Open, &l.Red, &l.Yellow, &oldest, &l.CriticismStanding)
			if l.Agency = id(lead); oldest != nil {
				l.Oldest = *oldest
			}
			return l, err
		})
		return err
	})
	p.next = now.Add(min(max(lightsEvery, lightsRarer*time.Since(started)), lightsOld-lightsEvery))
	return p
}

// lightsFor takes from a pass what the actor may see. An agency above another has no access to that one's confidential tickets, so it does not count them.
func (s *Service) lightsFor(a Actor, sums []lightsSum) []AgencyLights {
	by := map[uuid.UUID]*AgencyLights{}
	for _, l := range sums {
		if own := a.DB.Desk() || l.Agency == a.DB.Agency(); own {
			if l.confidential && !a.DB.Cleared() {
				continue
			}
		} else {
			lead, ok := s.router.Agency(l.Agency)
			if l.confidential || !ok || !slices.Contains(lead.Ancestors, a.DB.Agency()) {
				continue
			}
		}
		sum := by[l.Agency]
		if sum == nil {
			sum = &AgencyLights{Agency: l.Agency}
			by[l.Agency] = sum
		}
		sum.Open, sum.Red, sum.Yellow, sum.CriticismStanding = sum.Open+l.Open, sum.Red+l.Red, sum.Yellow+l.Yellow, sum.CriticismStanding+l.CriticismStanding
		if !l.Oldest.IsZero() && (sum.Oldest.IsZero() || l.Oldest.Before(sum.Oldest)) {
			sum.Oldest = l.Oldest
		}
	}
	out := make([]AgencyLights, 0, len(by))
	for _, l := range by {
		l.Green = l.Open - l.Red - l.Yellow
		out = append(out, *l)
	}
	slices.SortFunc(out, func(x, y AgencyLights) int {
		return cmp.Or(cmp.Compare(y.Red, x.Red), cmp.Compare(y.Yellow, x.Yellow), cmp.Compare(y.Open, x.Open), slices.Compare(x.Agency[:], y.Agency[:]))
	})
	return out
}
