package bench

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/chat/hub"
	"hotline/internal/auth"
)

// Intake is a load beside bare inserts of the same rows. The two alternate, so that both see the tables at the same size; each figure is the
// middle one of its runs.
type Intake struct {
	Load    Load    `json:"hotline"`
	Bare    Load    `json:"bare_inserts"`
	Ratio   float64 `json:"ratio"`
	ByCPU   float64 `json:"ratio_by_cpu"` // of the processor time of everything, which other work on the machine disturbs less
	Least   float64 `json:"ratio_least"`  // of the pairs of runs
	Most    float64 `json:"ratio_most"`
	Rows    int     `json:"rows_each"`
	CPU     CPU     `json:"hotline_cpu"`
	BareCPU CPU     `json:"bare_cpu"`
}

// CPU is processor time for one intake, in milliseconds. Chat messages are generated inside the node: their generator is in its figure.
type CPU struct {
	Node       float64 `json:"node_ms"`
	PostgreSQL float64 `json:"postgresql_ms"`
	Generator  float64 `json:"generator_ms"`
}

// rounds is how often the two loads alternate; odd, so that there is a middle one.
const rounds = 5

const filing = `{"kind":"complaint","category":"environment.noise.construction","title":"Building site at night","description":"The building site beside our house works until two in the morning, with drilling, every night this week.","place":{"text":"12 Lake Road"},"lang":"en","contact":{"name":"Li Hua","phone":"` + citizen + `"}}`

// tickets files through the REST API and compares with the rows of one such filing.
func (b *bed) tickets(ctx context.Context) (Intake, error) {
	var desk uuid.UUID
	if err := b.owner.QueryRow(ctx, `select id from agencies where kind = 'hotline'`).Scan(&desk); err != nil {
		return Intake{}, err
	}
	key, _, err := b.app.Auth.CreateKey(ctx, auth.Machine(), "bench", desk, []string{auth.ScopeTicketsWrite, auth.ScopeTicketsRead})
	if err != nil {
		return Intake{}, err
	}
	url := b.app.URL() + "/api/v1/tickets"
	if _, err := post(ctx, http.DefaultClient, url, key, filing); err != nil {
		return Intake{}, err
	}
	var sample uuid.UUID
	if err := b.owner.QueryRow(ctx, `select id from tickets order by opened_at desc limit 1`).Scan(&sample); err != nil {
		return Intake{}, err
	}
	const conv = `(select conversation_id from tickets where id = $1)`
	bare, err := newBare(ctx, b.owner, []rowSource{
		{"contacts", `id = (select contact_id from tickets where id = $1)`}, {"conversations", `id = ` + conv}, {"tickets", `id = $1`}, {"messages", `conversation_id = ` + conv},
		{"receipts", `conversation_id = ` + conv}, {"ticket_access", `ticket_id = $1`}, {"ticket_events", `ticket_id = $1`}, {"ticket_clocks", `ticket_id = $1`},
		{"assignments", `ticket_id = $1`}, {"ticket_search", `ticket_id = $1`}, {"notifications", `ticket_id = $1`},
	}, sample)
	if err != nil {
		return Intake{}, err
	}
	return b.compare(ctx, bare, func(ctx context.Context, length time.Duration) (Load, float64, error) {
		d, err := generate(ctx, job{URL: url, Key: key, Body: filing, Clients: b.o.Clients, Length: length})
		return d.Load, d.CPU, err
	})
}

// messages open new conversations, and each waits for its receipt. Turns are stopped, so that none shares the figure.
func (b *bed) messages(ctx context.Context) (Intake, error) {
	send := func(ctx context.Context, _, _ int) error {
		thread, _ := hub.Thread(hub.NewToken())
		_, err := b.app.Chat.Ingest(ctx, channels.Inbound{Channel: channels.API, Account: "bench", Thread: thread, ExternalID: uuid.NewString(), Text: "The street light in front of our house is broken since Monday.", Lang: "en"})
		return err
	}
	if err := send(ctx, 0, 0); err != nil {
		return Intake{}, err
	}
	var sample uuid.UUID
	if err := b.owner.QueryRow(ctx, `select id from conversations where account = 'bench' limit 1`).Scan(&sample); err != nil {
		return Intake{}, err
	}
	bare, err := newBare(ctx, b.owner, []rowSource{{"conversations", `id = $1`}, {"messages", `conversation_id = $1 and seq = 1`}, {"receipts", `conversation_id = $1`}}, sample)
	if err != nil {
		return Intake{}, err
	}
	b.app.Chat.Stop() // turns would be measured too; bot turns have their own figure
	return b.compare(ctx, bare, func(ctx context.Context, length time.Duration) (Load, float64, error) {
		l, err := run(ctx, b.o.Clients, length, send)
		return l, 0, err
	})
}

// sample is one run of one side.
type sample struct {
	Load
	CPU
}

// measured runs one load and splits its processor time. The generator says how much of it was its own.
func (b *bed) measured(f func() (Load, float64, error)) (s sample, err error) {
	node, server := ownCPU(), serverCPU(b.server)
	l, generator, err := f()
	if err != nil || l.N == 0 {
		return s, err
	}
	each := func(seconds float64) float64 { return 1000 * seconds / float64(l.N) }
	return sample{l, CPU{Node: each(ownCPU() - node), PostgreSQL: each(serverCPU(b.server) - server), Generator: each(generator)}}, nil
}

// compare alternates the two loads. load gives the generator's processor time apart where that is another process.
func (b *bed) compare(ctx context.Context, bare *bare, load func(ctx context.Context, length time.Duration) (Load, float64, error)) (Intake, error) {
	in := Intake{Rows: strings.Count(bare.sql, "insert into")}
	length := b.o.Length / rounds
	var ours, theirs []sample
	var ratios []float64
	for range rounds {
		o, err := b.measured(func() (Load, float64, error) { return load(ctx, length) })
		if err != nil {
			return in, err
		}
		t, err := b.measured(func() (Load, float64, error) {
			l, err := run(ctx, b.o.Clients, length, func(ctx context.Context, _, _ int) error { return bare.insert(ctx) })
			return l, 0, err
		})
		if err != nil {
			return in, err
		}
		ours, theirs, ratios = append(ours, o), append(theirs, t), append(ratios, o.PerSecond/t.PerSecond)
	}
	in.Load, in.CPU = middle(ours)
	in.Bare, in.BareCPU = middle(theirs)
	in.BareCPU.Node, in.BareCPU.Generator = 0, in.BareCPU.Node // this process did nothing else
	if all := in.CPU.Node + in.CPU.PostgreSQL + in.CPU.Generator; all > 0 {
		in.ByCPU = (in.BareCPU.PostgreSQL + in.BareCPU.Generator) / all
	}
	in.Ratio, in.Least, in.Most = in.Load.PerSecond/in.Bare.PerSecond, slices.Min(ratios), slices.Max(ratios)
	return in, nil
}

// middle is the run with the middle rate, its slowest the slowest of all runs.
func middle(all []sample) (Load, CPU) {
	slices.SortFunc(all, func(a, b sample) int {
		if a.PerSecond < b.PerSecond {
			return -1
		}
		return 1
	})
	m := all[len(all)/2]
	for _, s := range all {
		m.P99 = max(m.P99, s.P99)
	}
	m.Least, m.Most = all[0].PerSecond, all[len(all)-1].PerSecond
	return m.Load, m.CPU
}
