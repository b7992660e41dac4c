// Package toxics puts a bad network in front of a server on the loopback: Shopify's toxiproxy, run inside the test. The faults of a test
// are real ones on real sockets (a connection that hangs, crawls, is cut after some bytes or reset), so what is tested is what the
// operating system does and not what a fake client imagines.
//
//	bad := toxics.Front(t, server.URL)
//	client := New(bad.URL)
//	bad.Hang()
//	... the client gives up in time ...
//	bad.Heal()
package toxics

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// Proxy stands between a client and a server. Its faults count for what the server sends (Hang: for both), on open connections and new ones.
type Proxy struct {
	// URL is the server's address by way of the proxy, with the scheme and the path that were given to Front.
	URL string
	// Addr is host and port alone.
	Addr string

	t     testing.TB
	proxy *toxiproxy.Proxy
}

// Front starts a proxy in front of a server, an address such as http://127.0.0.1:1234/v1 or 127.0.0.1:1234, without faults. It stops with
// the test.
func Front(t testing.TB, server string) *Proxy {
	t.Helper()
	u := &url.URL{Host: server}
	if strings.Contains(server, "://") {
		var err error
		if u, err = url.Parse(server); err != nil {
			t.Fatalf("toxics: %v", err)
		}
	}
	home := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	p := toxiproxy.NewProxy(home, t.Name(), "127.0.0.1:0", u.Host)
	if err := p.Start(); err != nil {
		t.Fatalf("toxics: %v", err)
	}
	t.Cleanup(p.Stop)
	u.Host = p.Listen
	out := &Proxy{Addr: p.Listen, URL: u.Host, t: t, proxy: p}
	if u.Scheme != "" {
		out.URL = u.String()
	}
	return out
}

// Hang lets nothing through in either direction and keeps connections open.
func (p *Proxy) Hang() {
	for _, stream := range []string{"upstream", "downstream"} {
		p.addTo(stream, "timeout", map[string]any{"timeout": 0})
	}
}

// Delay holds every piece back.
func (p *Proxy) Delay(d time.Duration) { p.add("latency", map[string]any{"latency": d.Milliseconds()}) }

// Crawl lets pieces of a few bytes through with a pause after each.
func (p *Proxy) Crawl(bytes int, pause time.Duration) {
	p.add("slicer", map[string]any{"average_size": bytes, "size_variation": 0, "delay": pause.Microseconds()})
}

// Cut closes a connection after so many bytes of the server.
func (p *Proxy) Cut(bytes int) { p.add("limit_data", map[string]any{"bytes": bytes}) }

// Reset ends connections with RST as soon as the server sends something.
func (p *Proxy) Reset() { p.add("reset_peer", map[string]any{"timeout": 0}) }

// Down refuses connections and closes the open ones; Up takes them again, at the same address.
func (p *Proxy) Down() { p.proxy.Stop() }

// Up ends Down.
func (p *Proxy) Up() {
	p.t.Helper()
	if err := p.proxy.Start(); err != nil {
		p.t.Fatalf("toxics: %v", err)
	}
}

// Heal takes all faults away.
func (p *Proxy) Heal() { p.proxy.Toxics.ResetToxics(p.t.Context()) }

func (p *Proxy) add(kind string, attributes map[string]any) {
	p.t.Helper()
	p.addTo("downstream", kind, attributes)
}

func (p *Proxy) addTo(stream, kind string, attributes map[string]any) {
	p.t.Helper()
	raw, err := json.Marshal(map[string]any{"type": kind, "stream": stream, "attributes": attributes})
	if err != nil {
		p.t.Fatalf("toxics: %v", err)
	}
	if _, err := p.proxy.Toxics.AddToxicJson(strings.NewReader(string(raw))); err != nil {
		p.t.Fatalf("toxics: %s: %v", kind, err)
	}
}
