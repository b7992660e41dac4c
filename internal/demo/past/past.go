// Package past gives the demo city some months of work, so that its lists, boards and published numbers have something to show on the day
// on which it is looked at first.
//
// Nothing is written past the program: every case is filed, dispatched, answered and rated by the services themselves, in the order of time, on
// a clock that is set to each moment, and the sweep fires what falls due in between. What comes out is therefore what the rules make of it. Chance
// is drawn from a fixed seed, so a past that is played twice to the same moment is the same. Only the demo uses this package.
package past

import (
	"container/heap"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/chat"
	"hotline/chat/bot"
	"hotline/internal/city"
	"hotline/internal/clock"
	"hotline/internal/errs"
	"hotline/routing"
	"hotline/tickets"
	"hotline/tickets/flags"
	"hotline/tickets/sla"
	"hotline/tickets/statistics"
)

// Office is what the past is played on: services of their own, whose clock is Clock.
type Office struct {
	Pool       *pgxpool.Pool
	Tickets    *tickets.Service
	Statistics *statistics.Store
	Flags      *flags.Store
	Chat       *chat.Service
	Routing    *routing.Service
	Clock      *clock.Fake
	City       city.City
	Log        *slog.Logger
}

const (
	days  = 70 // how far back it begins
	cases = 260
	seed  = 12345
	// shortest is less than the time after which a clock that a deed starts can fire at the earliest.
	shortest = 7 * time.Minute
)

// Sum is what came of it.
type Sum struct{ Cases, Deeds, Refused int }

type player struct {
	Office
	ctx    context.Context
	rand   *rand.Rand
	cal    *sla.Calendar
	staff  roster
	words  words
	danger *bot.Emergency
	now    time.Time // the end of the past
	queue  queue
	known  map[uuid.UUID]*story
	sum    Sum
	turn   int
	quiet  time.Time // until when no clock can fire
}

// Play plays the past up to now. What the rules refuse (a return after its window, say) is left: the case goes another way.
// Errors: those of the database, and what the rules should never refuse here.
func Play(ctx context.Context, o Office, now time.Time) (Sum, error) {
	p := &player{Office: o, ctx: ctx, rand: rand.New(rand.NewPCG(seed, seed)), now: now, known: map[uuid.UUID]*story{}}
	var err error
	if p.cal, err = sla.ShippedCalendar("cn"); err != nil {
		return p.sum, err
	}
	if p.words, err = readWords(); err != nil {
		return p.sum, err
	}
	if p.danger, err = bot.NewEmergency(nil); err != nil {
		return p.sum, err
	}
	if p.staff, err = readStaff(ctx, o.Pool); err != nil {
		return p.sum, err
	}
	for _, m := range p.matters() {
		p.at(m.at, func() error { return p.file(m) })
	}
	p.scenes()
	p.chats()
	if err := p.run(); err != nil {
		return p.sum, err
	}
	o.Clock.Set(now)
	if err := p.count(); err != nil {
		return p.sum, err
	}
	return p.sum, p.appeal()
}

// run takes one deed after the other, and before each what the clocks make happen by themselves.
func (p *player) run() error {
	for p.queue.Len() > 0 && !p.queue[0].at.After(p.now) {
		d := heap.Pop(&p.queue).(deed)
		if d.at.After(p.quiet) {
			if err := p.sweep(d.at); err != nil {
				return err
			}
		}
		p.Clock.Set(d.at)
		if first := d.at.Add(shortest); first.Before(p.quiet) {
			p.quiet = first
		}
		if err := p.allowed(d.do()); err != nil {
			return err
		}
	}
	return p.sweep(p.now)
}

// allowed counts a deed, and forgives what the rules refuse.
func (p *player) allowed(err error) error {
	p.sum.Deeds++
	switch errs.KindOf(err) {
	case errs.Conflict, errs.Forbidden, errs.Invalid, errs.NotFound:
		p.sum.Refused++
		p.Log.Debug("the past refused a deed", "error", err, "at", p.Clock.Now())
		return nil
	}
	return err
}

// sweep fires what is due until a time, each at its own moment.
func (p *player) sweep(until time.Time) error {
	at := p.Clock.Now()
	for {
		swept, err := p.Tickets.Sweep(p.ctx, at, tickets.SweepBatch)
		if err != nil {
			return err
		}
		for _, id := range swept.Tickets {
			if s := p.known[id]; s != nil {
				if err := p.follow(s); err != nil {
					return err
				}
			}
		}
		if len(swept.Tickets) > 0 {
			continue // what fired may have started a clock that is due at once
		}
		if swept.Next.IsZero() || swept.Next.After(until) {
			if p.quiet = swept.Next; swept.Next.IsZero() {
				p.quiet = p.now
			}
			return nil
		}
		at = swept.Next
		p.Clock.Set(at)
	}
}

// count brings facts and sums up to date, so that the numbers are there with the cases.
func (p *player) count() error {
	for {
		f, err := p.Statistics.Follow(p.ctx)
		if err != nil || !f.More {
			return err
		}
	}
}

// deed is something that somebody does at a time.
type deed struct {
	at    time.Time
	order int // of two at one time, the one that was planned first
	do    func() error
}

func (p *player) at(t time.Time, do func() error) {
	p.turn++
	heap.Push(&p.queue, deed{t, p.turn, do})
}

type queue []deed

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].at.Before(q[j].at) || q[i].at.Equal(q[j].at) && q[i].order < q[j].order
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(deed)) }
func (q *queue) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}

// chance is true in so many of a hundred cases.
func (p *player) chance(percent int) bool { return p.rand.IntN(100) < percent }

func (p *player) between(from, to time.Duration) time.Duration {
	return from + time.Duration(p.rand.Int64N(int64(to-from)))
}

func pick[T any](p *player, from []T) T { return from[p.rand.IntN(len(from))] }

// working is a moment in office hours, so long after the present one in working time.
func (p *player) working(from, to time.Duration) time.Time {
	return p.cal.AddWorking(p.Clock.Now(), p.between(from, to)).Add(time.Duration(p.rand.IntN(50)) * time.Second)
}

// awake is a moment at which people write, so long after the present one.
func (p *player) awake(from, to time.Duration) time.Time {
	t := p.Clock.Now().Add(p.between(from, to)).In(p.cal.Location())
	if h := t.Hour(); h < 7 {
		t = t.Add(time.Duration(7-h)*time.Hour + p.between(0, 3*time.Hour))
	}
	return t.Truncate(time.Second)
}

func (p *player) failed(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("the demo's past: %s: %w", what, err)
}
