// Package archtest holds the import rules of the house as a test. Each rule says why it exists.
package archtest

import (
	"encoding/json"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "hotline"

type pkg struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func load(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", module+"/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var pkgs []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		err := dec.Decode(&p)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
	if len(pkgs) < 10 {
		t.Fatalf("only %d packages found: the test looks at the wrong place", len(pkgs))
	}
	return pkgs
}

// within reports whether path is one of the trees.
func within(path string, trees ...string) bool {
	for _, tree := range trees {
		if path == tree || strings.HasPrefix(path, tree+"/") {
			return true
		}
	}
	return false
}

func TestImports(t *testing.T) {
	t.Parallel()
	type rule struct {
		name, why string
		from      func(path string) bool // packages the rule binds
		forbids   func(imported string) bool
	}
	in := func(trees ...string) func(string) bool {
		return func(p string) bool {
			return within(strings.TrimPrefix(p, module+"/"), trees...) && strings.HasPrefix(p, module+"/")
		}
	}
	not := func(f func(string) bool) func(string) bool { return func(p string) bool { return !f(p) } }
	is := func(paths ...string) func(string) bool {
		return func(p string) bool {
			for _, x := range paths {
				if p == x || strings.HasPrefix(p, x+"/") {
					return true
				}
			}
			return false
		}
	}
	domain := []string{"chat", "tickets", "routing", "knowledge", "channels"}
	rules := []rule{
		{"app and web are the top", "the domain must run without a transport and without the wiring",
			not(in("internal/app", "web", "cmd")), in("internal/app", "web")},
		{"routing is a leaf", "agencies and rules are used by tickets, never the other way", in("routing"), in("chat", "tickets", "knowledge", "channels")},
		{"knowledge is a leaf", "the knowledge base stands alone: eval and import use it without a ticket", in("knowledge"), in("chat", "tickets", "routing", "channels")},
		{"channels is a leaf", "an adapter speaks one protocol and knows no dialogue", in("channels"), in("chat", "tickets", "routing", "knowledge")},
		{"tickets does not know chat", "a ticket is told by its owner who to notify", in("tickets"), in("chat", "knowledge", "channels")},
		{"the bot is pure policy", "dialogue is tested with text files, without a database", in("chat/bot"), func(p string) bool {
			return in("tickets", "routing", "knowledge", "channels", "internal/db", "internal/bus", "internal/jobs")(p) || is("github.com/jackc/pgx/v5", "net/http")(p)
		}},
		{"clocks, rules and classifier are pure", "they are tested as tables and used in hot paths", in("tickets/sla", "tickets/likeness", "tickets/surge", "tickets/measures", "routing/rules", "routing/classify", "internal/decision", "knowledge/vector"), func(p string) bool {
			return in("internal/db", "internal/bus", "internal/clock")(p) || is("github.com/jackc/pgx/v5", "net/http", "net", "os/exec")(p)
		}},
		{"the check of answers is pure", "what a model may say is decided by the texts alone", in("knowledge/ground", "internal/redact"), func(p string) bool {
			return in("internal/db", "internal/llm", "internal/clock")(p) || is("github.com/jackc/pgx/v5", "net/http", "os/exec")(p)
		}},
		{"net/http stays at the edge", "a domain that knows HTTP statuses cannot serve e-mail", func(p string) bool {
			return in(append([]string{"internal"}, domain...)...)(p) && !in("chat/hub", "channels/telegram", "channels/email", "channels/phone", "channels/open311", "channels/webhook", "channels/wechat",
				"internal/httpfile", "internal/llm", "internal/app", "internal/telemetry", "internal/testkit", "knowledge/meili")(p)
		}, is("net/http")},
		{"one home for gorilla/websocket", "one package wraps one vendor", not(in("chat/hub")), is("github.com/gorilla/websocket")},
		{"one home for nats", "one package wraps one vendor", not(in("internal/bus")), is("github.com/nats-io")},
		{"one home for go-telegram", "one package wraps one vendor", not(in("channels/telegram")), is("github.com/go-telegram/bot")},
		{"one home for emersion's mail libraries", "one package wraps one vendor", not(in("channels/email")), is("github.com/emersion")},
		{"SMPP stays in its channel", "who sends a text knows nothing of parts and alphabets", not(in("channels/sms", "internal/app")), in("channels/sms")},
		{"one home for meilisearch", "one package wraps one vendor", not(in("knowledge/meili")), is("github.com/meilisearch/meilisearch-go")},
		{"one home for go-openai", "one package wraps one vendor", not(in("internal/llm")), is("github.com/sashabaranov/go-openai")},
		{"one home for huma", "one package wraps one vendor", not(in("web/api")), is("github.com/danielgtaylor/huma")},
		{"one home for toxiproxy", "a bad network is test code", not(in("internal/testkit/toxics")), is("github.com/Shopify/toxiproxy")},
		{"test code stays in tests", "factories and suites must not reach the binary", func(p string) bool {
			return !strings.HasSuffix(p, "test") && !in("internal/testkit")(p)
		}, func(p string) bool {
			return in("internal/testkit")(p) || (strings.HasPrefix(p, module+"/") && strings.HasSuffix(p, "test"))
		}},
		{"internal packages below app know no domain", "they serve every package alike", func(p string) bool {
			return in("internal")(p) && !in("internal/app", "internal/testkit", "internal/demo", "internal/bench")(p)
		}, in(domain...)},
	}
	for _, p := range load(t) {
		for _, r := range rules {
			if !r.from(p.ImportPath) {
				continue
			}
			for _, imported := range p.Imports {
				below := within(imported, p.ImportPath) && !strings.HasSuffix(imported, "test") // a kit below its package is still test code
				if r.forbids(imported) && !below && !sameTree(p.ImportPath, imported) {
					t.Errorf("%s imports %s\n\trule: %s, because %s", p.ImportPath, imported, r.name, r.why)
				}
			}
		}
	}
}

// sameTree lets packages of one top-level folder import each other (web/portal → web/httperr).
func sameTree(a, b string) bool {
	top := func(p string) string {
		p = strings.TrimPrefix(p, module+"/")
		first, rest, _ := strings.Cut(p, "/")
		if first == "internal" {
			second, _, _ := strings.Cut(rest, "/")
			return first + "/" + second
		}
		return first
	}
	return strings.HasPrefix(b, module+"/") && top(a) == top(b) && !strings.HasSuffix(b, "test")
}

// TestTicketsStandApart: each package below tickets has one idea and meets the others only here. What is pure knows none of them; tickets itself is the
// case file, which knows nothing of who counts or publishes it (the compiler would refuse the cycle).
func TestTicketsStandApart(t *testing.T) {
	t.Parallel()
	const root = module + "/tickets"
	may := map[string][]string{
		"":             {"measures", "sla", "likeness"},
		"/likeness":    {},
		"/measures":    {},
		"/sla":         {},
		"/surge":       {},
		"/lookout":     {"surge"}, // its figures
		"/flags":       {"", "lookout"},
		"/surges":      {"", "lookout", "surge"},
		"/statistics":  {"", "measures"},
		"/opendata":    {"", "measures", "statistics"},
		"/ticketstest": {""},
	}
	for _, p := range load(t) {
		if !within(p.ImportPath, root) {
			continue
		}
		name := strings.TrimPrefix(p.ImportPath, root)
		allowed, known := may[name]
		if !known {
			t.Errorf("%s is not in the list: say what it may import of tickets", p.ImportPath)
		}
		for _, imported := range p.Imports {
			if within(imported, root) && !slices.Contains(allowed, strings.TrimPrefix(strings.TrimPrefix(imported, root), "/")) {
				t.Errorf("%s imports %s, which is another idea", p.ImportPath, imported)
			}
		}
	}
}
