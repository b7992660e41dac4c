package app

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// How much the collector lets pile up on what is in use.
const (
	mostRoom    = 256 << 20 // bytes: as much again, as is usual, is a gigabyte that nothing needs with the terms of a hundred thousand articles
	mostPercent = 100
	// What stays for good is made in a node's first minute between much that does not. Collected more often then, it lies closer together.
	youngPercent = 40
	youngFor     = 5 * time.Minute // at most: until the first rest
)

// giveBack returns the memory that loading the articles or a busy hour needed, and bounds what may pile up where the operator has not said it.
func (a *App) giveBack() {
	debug.FreeOSMemory()
	a.collect()
}

func (a *App) collect() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	most := uint64(mostPercent)
	if a.young.Load() {
		most = youngPercent
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	debug.SetGCPercent(int(min(most, max(25, 100*mostRoom/max(1, m.HeapAlloc)))))
}

// restEvery is how often a node looks whether it is at rest.
const restEvery = 10 * time.Second

// giveBackAtRest returns what the start, a demo's past, learning and a busy hour have left behind, once nobody needs the node.
func (a *App) giveBackAtRest(ctx context.Context) {
	look := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"}}
	var r rest
	tick, grown := time.NewTicker(restEvery), time.After(youngFor)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-grown:
			a.young.Store(false)
			a.collect()
			continue
		case <-tick.C:
		}
		metrics.Read(look)
		if r.due(look[0].Value.Uint64(), look[1].Value.Uint64()) {
			a.young.Store(false)
			a.giveBack()
		}
	}
}

// rest tells when a node at rest has something to give back.
type rest struct {
	seen  uint64 // bytes ever allocated, at the last look
	given uint64 // and when memory was given back last
}

// idleBytes is what a node allocates between two looks while nobody uses it: it sends its heartbeat and asks the database for jobs.
const idleBytes = 2 << 20

// due is asked at every look, with the bytes ever allocated and those in use after the last collection. A collection walks over what is in use, so a node
// with much of it waits until there is more to give back.
func (r *rest) due(allocated, live uint64) bool {
	idle := allocated-r.seen < idleBytes
	r.seen = allocated
	if !idle || allocated-r.given < max(idleBytes, live/16) {
		return false
	}
	r.given = allocated
	return true
}
