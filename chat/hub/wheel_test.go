package hub

import (
	"testing"
	"testing/synctest"
	"time"

	"hotline/internal/clock"
)

// Thousands of sockets are due in one tick. Pinged at one moment, they would hold up every message that comes then.
func TestATickLeavesRoomBetweenItsPings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const tick, many = 320 * time.Millisecond, 320
		h := &Hub{ctx: t.Context(), opt: Options{TickEvery: tick, Clock: clock.System{}}}
		due := make([]*conn, many)
		for i := range due {
			due[i] = &conn{hub: h, phase: leaving} // nothing is written to it; it is planned again as the others are
		}
		visited := func() (n int) {
			h.wheel.mu.Lock()
			defer h.wheel.mu.Unlock()
			for _, slot := range h.wheel.slot {
				n += len(slot)
			}
			return n
		}
		done := make(chan struct{})
		go func() { defer close(done); h.visitAll(due) }()
		before, most := 0, 0
		for range 32 {
			synctest.Wait()
			now := visited()
			before, most = now, max(most, now-before)
			time.Sleep(tick / 32)
		}
		select {
		case <-done:
		default:
			t.Error("a tick's visits are not over when the next one is due")
		}
		if most > many/10 || visited() != many {
			t.Errorf("%d of %d were visited, up to %d at one moment", visited(), many, most)
		}
	})
}
