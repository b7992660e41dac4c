package chat_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"hotline/channels"
	"hotline/chat"
	"hotline/internal/db"
	"hotline/internal/jobs"
	"hotline/internal/testkit"
)

// vendor is a push channel that does what it is told.
type vendor struct {
	mu   sync.Mutex
	sent []channels.Outbound
	next []error
	hold chan struct{}
	got  chan channels.Outbound
}

func (v *vendor) Name() string { return "postbox" }

func (v *vendor) Send(ctx context.Context, out channels.Outbound) (channels.Result, error) {
	if v.hold != nil {
		v.got <- out
		select {
		case <-v.hold:
		case <-ctx.Done():
			return channels.Result{}, ctx.Err()
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.next) > 0 {
		err := v.next[0]
		v.next = v.next[1:]
		if errors.Is(err, errSilence) {
			return channels.Result{State: channels.Unknown}, nil
		}
		if err != nil {
			return channels.Result{}, err
		}
	}
	v.sent = append(v.sent, out)
	if v.hold == nil && v.got != nil {
		v.got <- out
	}
	return channels.Result{State: channels.Sent, RemoteID: "r"}, nil
}

var errSilence = errors.New("silence")

func (v *vendor) texts() (out []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, o := range v.sent {
		out = append(out, o.Text)
	}
	return out
}

func pushRig(t *testing.T, v channels.Adapter) (*rig, uuid.UUID) {
	t.Helper()
	reg, err := channels.NewRegistry(v)
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, func(d *chat.Deps) {
		d.Channels = reg
		if d.Jobs, err = jobs.NewInserter(d.Pool, silent()); err != nil {
			t.Fatal(err)
		}
	})
	in := message("ann", "1", "hello")
	in.Channel = "postbox"
	got, err := r.Ingest(ctxb, in)
	if err != nil {
		t.Fatal(err)
	}
	return r, got.ConversationID
}

func (r *rig) post(t testing.TB, conv uuid.UUID, text string) int64 {
	t.Helper()
	seq, err := r.Post(ctxb, r.city.Staff("operator"), conv, chat.Outgoing{Text: text})
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func (r *rig) delivery(t testing.TB, conv uuid.UUID, seq int64) chat.Delivery {
	t.Helper()
	ms, err := r.Messages(ctxb, r.city.Staff("operator"), conv, seq-1, 1)
	if err != nil || len(ms) != 1 || len(ms[0].Deliveries) == 0 {
		t.Fatalf("no delivery beside message %d: %+v, %v", seq, ms, err)
	}
	return ms[0].Deliveries[0]
}

func TestDeliveriesAreJobsThatCommitWithTheirMessage(t *testing.T) {
	t.Parallel()
	v := &vendor{got: make(chan channels.Outbound, 10)}
	r, conv := pushRig(t, v)
	workers := river.NewWorkers()
	r.Register(workers)
	run, err := jobs.NewRunner(r.pool, jobs.RunnerOptions{Log: silent(), Workers: workers, MaxWorkers: 4, Node: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Start(ctxb); err != nil {
		t.Fatal(err)
	}
	r.post(t, conv, "one")
	r.post(t, conv, "two")
	in := message("ann", "2", "my house is on fire")
	in.Channel = "postbox"
	if _, err := r.Ingest(ctxb, in); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"one", "two", "119"} {
		o := receive(t, v.got, want)
		if !strings.Contains(o.Text, want) || o.Thread != "ann" || o.Account != "demo" || o.Key == "" {
			t.Errorf("delivery %d is %+v", i, o)
		}
	}
	ctx, cancel := context.WithTimeout(ctxb, 10*time.Second)
	defer cancel()
	if err := run.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	if d := r.delivery(t, conv, 2); d.State != "sent" || d.Attempts != 1 {
		t.Errorf("staff see %+v", d)
	}
}

func TestDeliveryKeepsOrderOverFailures(t *testing.T) {
	t.Parallel()
	v := &vendor{next: []error{errors.New("bad gateway"), &channels.RetryError{After: 40 * time.Second}}}
	r, conv := pushRig(t, v)
	first, second := r.post(t, conv, "first"), r.post(t, conv, "second")
	wait, err := r.Deliver(ctxb, conv, second)
	if err != nil || wait < time.Second || wait > 4*time.Second {
		t.Fatalf("after a failure: wait %s, %v", wait, err)
	}
	if d := r.delivery(t, conv, first); d.State != "pending" || d.Attempts != 1 || d.Error == "" {
		t.Errorf("staff see %+v", d)
	}
	if w, err := r.Deliver(ctxb, conv, second); err != nil || w <= 0 || len(v.texts()) != 0 {
		t.Errorf("the second went ahead of the first: %v, wait %s, %v", v.texts(), w, err)
	}
	r.clock.Advance(wait)
	if wait, err = r.Deliver(ctxb, conv, first); err != nil || wait != 40*time.Second {
		t.Fatalf("the vendor asked for 40 s: %s, %v", wait, err)
	}
	r.clock.Advance(wait)
	if wait, err = r.Deliver(ctxb, conv, second); err != nil || wait != 0 {
		t.Fatalf("%s, %v", wait, err)
	}
	if got := strings.Join(v.texts(), " "); got != "first second" {
		t.Errorf("delivered %q", got)
	}
	if d := r.delivery(t, conv, first); d.Attempts != 2 {
		t.Errorf("a busy vendor counts as a failure: %+v", d)
	}
}

func TestPermanentFailureIsShownToStaff(t *testing.T) {
	t.Parallel()
	v := &vendor{next: []error{&channels.PermanentError{Code: "blocked", Reason: "The person has blocked the bot."}, errSilence}}
	r, conv := pushRig(t, v)
	a, b, c := r.post(t, conv, "a"), r.post(t, conv, "b"), r.post(t, conv, "c")
	if wait, err := r.Deliver(ctxb, conv, c); err != nil || wait != 0 {
		t.Fatal(wait, err)
	}
	if d := r.delivery(t, conv, a); d.State != "failed" || d.Error != "The person has blocked the bot." {
		t.Errorf("staff see %+v", d)
	}
	if d := r.delivery(t, conv, b); d.State != "unknown" || d.Error == "" {
		t.Errorf("staff see %+v", d)
	}
	if got := strings.Join(v.texts(), " "); got != "c" {
		t.Errorf("delivered %q", got)
	}
	desk := r.city.Staff("operator")
	if err := r.Redeliver(ctxb, desk, conv, c); !errors.Is(err, chat.ErrNoDelivery) {
		t.Errorf("sent again although it was delivered: %v", err)
	}
	if err := r.Redeliver(ctxb, desk, conv, a); err != nil {
		t.Fatal(err)
	}
	if wait, err := r.Deliver(ctxb, conv, a); err != nil || wait != 0 || r.delivery(t, conv, a).State != "sent" {
		t.Errorf("not sent again: %s, %v", wait, err)
	}
	if err := r.Redeliver(ctxb, db.Citizen(conv), conv, b); !errors.Is(err, chat.ErrStaffOnly) {
		t.Errorf("a citizen repeated a delivery: %v", err)
	}
	v.next = make([]error, 0, 8)
	for range 8 {
		v.next = append(v.next, errors.New("down"))
	}
	d := r.post(t, conv, "d")
	for {
		wait, err := r.Deliver(ctxb, conv, d)
		if err != nil {
			t.Fatal(err)
		}
		if wait == 0 {
			break
		}
		r.clock.Advance(wait)
	}
	if got := r.delivery(t, conv, d); got.State != "failed" || got.Attempts != 8 {
		t.Errorf("after eight failures: %+v", got)
	}
}

func TestWorkerThatDiesWhileSendingLeavesUnknown(t *testing.T) {
	t.Parallel()
	v := &vendor{hold: make(chan struct{}), got: make(chan channels.Outbound, 2)}
	r, conv := pushRig(t, v)
	seq := r.post(t, conv, "x")
	owner := testkit.OwnerPool(t, r.pool)
	done := make(chan error, 1)
	go func() { _, err := r.Deliver(ctxb, conv, seq); done <- err }()
	receive(t, v.got, "the send")
	if wait, err := r.Deliver(ctxb, conv, seq); err != nil || wait <= 0 {
		t.Errorf("two workers send at once: wait %s, %v", wait, err)
	}
	r.clock.Advance(time.Hour) // the process is gone
	if wait, err := r.Deliver(ctxb, conv, seq); err != nil || wait != 0 {
		t.Fatal(wait, err)
	}
	if d := r.delivery(t, conv, seq); d.State != "unknown" {
		t.Errorf("staff see %+v", d)
	}
	close(v.hold)
	if err := receive(t, done, "the late worker"); err != nil {
		t.Fatal(err)
	}
	if n := count(t, owner, `select count(*) from deliveries where state = 'unknown'`); n != 1 {
		t.Error("the late worker overwrote what staff were told")
	}
}

// careful is a vendor that says when a message may have arrived; die ends the worker before or after.
type careful struct {
	*vendor
	die func(begin func(context.Context) error)
}

func (*careful) Announces() {}

func (c *careful) Send(ctx context.Context, out channels.Outbound) (channels.Result, error) {
	if c.die != nil {
		c.die(out.Begin)
		return channels.Result{}, errors.New("nobody is left to hear this")
	}
	if err := out.Begin(ctx); err != nil {
		return channels.Result{}, err
	}
	return c.vendor.Send(ctx, out)
}

// A worker that died before the vendor had anything of the message has sent nothing: another one sends it. One that may have sent it leaves it to staff.
func TestWorkerThatDiesBeforeItSendsLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	v := &careful{vendor: &vendor{}}
	r, conv := pushRig(t, v)
	owner := testkit.OwnerPool(t, r.pool)
	// dies plays a process that ends inside Send: nothing of what follows is noted.
	dies := func(seq int64, begun bool) {
		t.Helper()
		v.die = func(begin func(context.Context) error) {
			if begun {
				if err := begin(ctxb); err != nil {
					t.Error(err)
				}
			}
			if _, err := owner.Exec(ctxb, `update deliveries set attempts = attempts + 10 where conversation_id = $1 and seq = $2`, conv, seq); err != nil { // what the dead one would note is for nobody
				t.Error(err)
			}
		}
		if _, err := r.Deliver(ctxb, conv, seq); err != nil {
			t.Fatal(err)
		}
		v.die = nil
		r.clock.Advance(time.Hour)
	}
	first := r.post(t, conv, "first")
	dies(first, false)
	if wait, err := r.Deliver(ctxb, conv, first); err != nil || wait != 0 || r.delivery(t, conv, first).State != "sent" {
		t.Fatalf("wait %s, %v, %+v", wait, err, r.delivery(t, conv, first))
	}
	second := r.post(t, conv, "second")
	dies(second, true)
	if wait, err := r.Deliver(ctxb, conv, second); err != nil || wait != 0 || r.delivery(t, conv, second).State != "unknown" {
		t.Fatalf("wait %s, %v, %+v", wait, err, r.delivery(t, conv, second))
	}
	if got := strings.Join(v.texts(), " "); got != "first" {
		t.Errorf("delivered %q", got)
	}
	// One that was only slow finds that another has taken its place.
	third := r.post(t, conv, "third")
	var late error
	v.die = func(begin func(context.Context) error) {
		v.die = nil
		r.clock.Advance(time.Hour)
		if wait, err := r.Deliver(ctxb, conv, third); err != nil || wait != 0 {
			t.Error(wait, err)
		}
		late = begin(ctxb)
	}
	if _, err := r.Deliver(ctxb, conv, third); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(v.texts(), " "); got != "first third" || late == nil || r.delivery(t, conv, third).State != "sent" {
		t.Errorf("delivered %q; the late one was told %v", got, late)
	}
}
