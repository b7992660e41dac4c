package httperr

import (
	"container/list"
	"math"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limiter slows down whoever asks too often. It remembers at most a fixed number of callers and forgets the one that was quiet the longest, so
// that a flood from many addresses costs a bounded amount of memory.
type Limiter struct {
	mu     sync.Mutex
	every  rate.Limit
	burst  int
	size   int
	recent *list.List // of *caller, the most recent in front
	byKey  map[string]*list.Element
	now    func() time.Time
}

type caller struct {
	key    string
	bucket *rate.Limiter
}

// NewLimiter allows burst requests at once and then one each interval, for each of at most size callers. now is the clock.
func NewLimiter(interval time.Duration, burst, size int, now func() time.Time) *Limiter {
	return &Limiter{every: rate.Every(interval), burst: burst, size: size, recent: list.New(), byKey: map[string]*list.Element{}, now: now}
}

// Allow takes one token of key's. When there is none it says how long to wait.
func (l *Limiter) Allow(key string) (ok bool, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	reservation := l.bucket(key).ReserveN(now, 1)
	if wait = reservation.DelayFrom(now); wait > 0 {
		reservation.CancelAt(now)
		return false, wait
	}
	return true, 0
}

// Blocked reports whether key has no token left, without taking one: for counting failures only.
func (l *Limiter) Blocked(key string) (bool, time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	reservation := l.bucket(key).ReserveN(now, 1)
	wait := reservation.DelayFrom(now)
	reservation.CancelAt(now)
	return wait > 0, wait
}

func (l *Limiter) bucket(key string) *rate.Limiter {
	if el, ok := l.byKey[key]; ok {
		l.recent.MoveToFront(el)
		return el.Value.(*caller).bucket
	}
	for len(l.byKey) >= l.size {
		oldest := l.recent.Back()
		delete(l.byKey, oldest.Value.(*caller).key)
		l.recent.Remove(oldest)
	}
	c := &caller{key: key, bucket: rate.NewLimiter(l.every, l.burst)}
	l.byKey[key] = l.recent.PushFront(c)
	return c.bucket
}

// Address names the caller of a request: its address, an IPv6 one cut to the /64 that one subscriber has. Behind proxies the nearest
// address that is not a trusted proxy's counts; X-Forwarded-For is read only when the request comes from one.
func Address(r *http.Request, trusted []netip.Prefix) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return "unknown"
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && within(addr, trusted); i-- {
		next, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		addr = next
	}
	addr = addr.Unmap()
	if addr.Is6() {
		if prefix, err := addr.WithZone("").Prefix(64); err == nil {
			return prefix.String()
		}
	}
	return addr.String()
}

func within(addr netip.Addr, prefixes []netip.Prefix) bool {
	for _, p := range prefixes {
		if p.Contains(addr.Unmap()) {
			return true
		}
	}
	return false
}

// RateLimit refuses requests above the limiter's rate, by address.
func RateLimit(l *Limiter, trusted []netip.Prefix) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if ok, wait := l.Allow(Address(r, trusted)); !ok {
				SetRetryAfter(w, wait)
				Write(w, r, ErrTooManyRequests)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// SetRetryAfter says, in whole seconds rounded up, when to come back.
func SetRetryAfter(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
}
