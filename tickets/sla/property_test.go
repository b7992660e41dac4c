package sla

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func genCalendar(t *rapid.T) *Calendar {
	return cal2(t, rapid.SampledFrom(ShippedCalendars()).Draw(t, "calendar"))
}

func cal2(t *rapid.T, code string) *Calendar {
	c, err := ShippedCalendar(code)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func genTime(t *rapid.T, label string) time.Time {
	// 2025-10-01 to about the end of 2027, so that both edges of the published year are met.
	return time.Unix(1759276800+rapid.Int64Range(0, 70_000_000).Draw(t, label), 0)
}

func genSpan(t *rapid.T) Span {
	return Span{
		N:    rapid.IntRange(1, 40).Draw(t, "n"),
		Unit: rapid.SampledFrom([]Unit{Minutes, HoursUnit, Days, WorkingDays}).Draw(t, "unit"),
		Roll: rapid.Bool().Draw(t, "roll"),
	}
}

func TestDeadlineIsMonotone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, a, s := genCalendar(t), genTime(t, "a"), genSpan(t)
		b := a.Add(time.Duration(rapid.Int64Range(0, 3_000_000).Draw(t, "later")) * time.Second)
		dueA, _ := Deadline(a, s, c)
		dueB, _ := Deadline(b, s, c)
		if dueB.Before(dueA) {
			t.Fatalf("a later start moved the deadline from %s to %s", dueA, dueB)
		}
		if dueA.Before(a) {
			t.Fatalf("due %s before its start %s", dueA, a)
		}
		s.N++
		if longer, _ := Deadline(a, s, c); longer.Before(dueA) {
			t.Fatalf("a longer span moved the deadline from %s to %s", dueA, longer)
		}
	})
}

func TestPauseNeverMovesADeadlineEarlier(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, start, s := genCalendar(t), genTime(t, "start"), genSpan(t)
		due, _ := Deadline(start, s, c)
		p := start.Add(time.Duration(rapid.Int64Range(0, 4_000_000).Draw(t, "pause")) * time.Second)
		r := p.Add(time.Duration(rapid.Int64Range(-1000, 4_000_000).Draw(t, "resume")) * time.Second)
		limit := Span{}
		if rapid.Bool().Draw(t, "capped") {
			limit = Span{N: rapid.IntRange(1, 9).Draw(t, "cap"), Unit: WorkingDays}
		}
		rem := Pause(p, due, s.Unit, c)
		got, _ := Resume(p, r, due, rem, PauseEnds(p, limit, nil, c), c)
		if got.Before(due) {
			t.Fatalf("moved from %s to %s", due, got)
		}
		later, _ := Resume(p, r.Add(time.Hour), due, rem, PauseEnds(p, limit, nil, c), c)
		if later.Before(got) {
			t.Fatalf("a longer pause moved the deadline from %s to %s", got, later)
		}
		if capped, _ := Resume(p, r, due, rem, PauseEnds(p, Span{N: 1, Unit: WorkingDays}, nil, c), c); limit.N > 0 && capped.After(got) {
			t.Fatalf("a tighter cap moved the deadline from %s to %s", got, capped)
		}
	})
}

func TestLadderFiresInOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.SampledFrom(ShippedCalendars()).Draw(t, "calendar")
		c, set, err := Shipped(code)
		if err != nil {
			t.Fatal(err)
		}
		start, s := genTime(t, "start"), genSpan(t)
		due, _ := Deadline(start, s, c)
		warn := WarnAt(start, due, .25, s.Unit, c)
		if warn.Before(start) || warn.After(due) {
			t.Fatalf("warns at %s, outside %s to %s", warn, start, due)
		}
		last := start
		for st, at := set.Ladder.Next(Start, warn, due, c); st != Done; st, at = set.Ladder.Next(st, warn, due, c) {
			if at.Before(last) {
				t.Fatalf("%s fires at %s, before %s", st, at, last)
			}
			last = at
		}
	})
}

func TestWorkingTimeAddsUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, a := genCalendar(t), genTime(t, "a")
		d := time.Duration(rapid.Int64Range(1, 400_000).Draw(t, "seconds")) * time.Second
		end := c.AddWorking(a, d)
		if got := c.WorkingBetween(a, end); got != d {
			t.Fatalf("AddWorking(%s, %s) = %s, which is %s of work", a, d, end, got)
		}
		if back := c.subWorking(end, d); c.WorkingBetween(back, end) != d {
			t.Fatalf("subWorking does not undo AddWorking: %s", back)
		}
	})
}
