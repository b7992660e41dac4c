package app

import "testing"

func TestANodeAtRestGivesItsMemoryBack(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	for _, c := range []struct {
		name  string
		live  uint64
		steps []uint64 // MiB allocated between two looks
		want  []bool
	}{
		{"after the start, once", 30, []uint64{200, 1, 0, 1}, []bool{false, true, false, false}},
		{"what an idle node litters adds up", 30, []uint64{200, 1, 1, 1, 1, 1}, []bool{false, true, false, true, false, true}},
		{"not while it is used", 30, []uint64{200, 50, 3, 2, 100}, []bool{false, false, false, false, false}},
		{"after a busy hour", 30, []uint64{200, 1, 5000, 5000, 1}, []bool{false, true, false, false, true}},
		{"a large one is not walked for little", 800, []uint64{200, 1, 20, 1, 40, 1}, []bool{false, true, false, false, false, true}},
	} {
		var r rest
		var allocated uint64
		for i, step := range c.steps {
			allocated += step * mib
			if got := r.due(allocated, c.live*mib); got != c.want[i] {
				t.Errorf("%s: look %d gives back: %v, want %v", c.name, i, got, c.want[i])
			}
		}
	}
}
