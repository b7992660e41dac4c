package hub

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// bucket is a token bucket in 16 bytes; the zero value is full.
type bucket struct {
	used float64 // taken and not yet flown back
	at   int64   // unix nanoseconds of the last take
}

// take reports whether one more fits, and how long until it would.
func (b *bucket) take(now time.Time, perSecond, burst float64) (bool, time.Duration) {
	n := now.UnixNano()
	if b.at != 0 && n > b.at {
		b.used = max(0, b.used-float64(n-b.at)/1e9*perSecond)
	}
	b.at = n
	if b.used+1 > burst {
		return false, time.Duration((b.used + 1 - burst) / perSecond * float64(time.Second))
	}
	b.used++
	return true, 0
}

// Rate is a limit: so many a second on average, so many at once.
type Rate struct{ PerSecond, Burst float64 }

// addresses counts what each address does. Loopback is not limited: it is this machine, or a proxy that was not told to name its clients.
type addresses struct {
	mu   sync.Mutex
	seen map[string]*address
}

type address struct {
	open     int
	connects bucket
	posts    bucket
	uploads  bucket
	last     time.Time
}

const maxAddresses = 200_000

func (a *addresses) with(addr string, now time.Time, fn func(*address) bool) bool {
	if free(addr) {
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.seen == nil {
		a.seen = map[string]*address{}
	}
	x := a.seen[addr]
	if x == nil {
		if len(a.seen) >= maxAddresses {
			a.forget(now)
		}
		x = &address{}
		a.seen[addr] = x
	}
	x.last = now
	return fn(x)
}

// forget drops addresses that did nothing for a while.
func (a *addresses) forget(now time.Time) {
	for k, x := range a.seen {
		if x.open == 0 && now.Sub(x.last) > 2*time.Minute {
			delete(a.seen, k)
		}
	}
}

func (a *addresses) clean(now time.Time) { a.mu.Lock(); defer a.mu.Unlock(); a.forget(now) }

func (a *addresses) left(addr string) {
	if free(addr) {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if x := a.seen[addr]; x != nil && x.open > 0 {
		x.open--
	}
}

func free(addr string) bool {
	ip, err := netip.ParseAddr(addr)
	return err == nil && ip.IsLoopback()
}

// addrOf is the client's address: an IPv6 client is its /64, because it has all of it.
func (h *Hub) addrOf(r *http.Request) string {
	host := ""
	if h.opt.ClientAddr != nil {
		host = h.opt.ClientAddr(r)
	} else if host, _, _ = net.SplitHostPort(r.RemoteAddr); host == "" {
		host = r.RemoteAddr
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is6() && !ip.IsLoopback() {
		if p, err := ip.Prefix(64); err == nil {
			return p.Addr().String()
		}
	}
	return ip.String()
}
