// Package channeltest is the suite that every channel adapter must pass. An adapter's test builds a Fixture around a fake of its vendor
// and calls Run; what the suite asks is what a citizen would notice: nothing lost, nothing doubled, nothing garbled, failures told apart.
package channeltest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/internal/errs"
)

// Failure is what the vendor does to the next send.
type Failure string

// The failures a fixture must be able to play.
const (
	Refuse  Failure = "refuse"  // for good: the person has blocked us
	Busy    Failure = "busy"    // too many requests, with a time to come back
	Broken  Failure = "broken"  // an error of the vendor's own that may pass
	Silence Failure = "silence" // the vendor takes the message and the answer is lost
)

// Remote is a message as the person's device got it.
type Remote struct {
	Thread string
	Text   string
}

// Fixture is one adapter beside a fake of its vendor. Every subtest gets its own.
type Fixture struct {
	Adapter channels.Adapter
	Account string // an account the adapter serves
	Thread  string // a person who can be written to
	// Inbox lists what the person has received so far, in order.
	Inbox func() []Remote
	// Fail makes the next send meet this failure.
	Fail func(Failure)
	// Say lets the person send a text; id is the vendor's id of it. It reports whether the vendor was told "received": without that a
	// vendor delivers again. Nil for channels that only send.
	Say func(ctx context.Context, id, text string) (received bool)
	// MaxText is the vendor's limit of one message in characters, 0 for none. Longer texts must arrive in several pieces, all of it.
	MaxText int
	// Skip names failures that this vendor cannot show, with the reason.
	Skip map[Failure]string
}

// Run checks an adapter. The fixture's inbound side must call ingest.
func Run(t *testing.T, build func(t *testing.T, ingest channels.IngestFunc) Fixture) {
	out := func(f Fixture, text string) channels.Outbound {
		return channels.Outbound{ConversationID: uuid.New(), Seq: 1, Account: f.Account, Thread: f.Thread, Author: "bot", Text: text, Lang: "en", Key: uuid.NewString()}
	}
	nobody := func(context.Context, channels.Inbound) (channels.Receipt, error) {
		return channels.Receipt{}, errors.New("nothing should come in")
	}

	t.Run("name can be registered", func(t *testing.T) {
		t.Parallel()
		if _, err := channels.NewRegistry(build(t, nobody).Adapter); err != nil {
			t.Fatal(err)
		}
	})

	t.Run("sends text as it was written", func(t *testing.T) {
		t.Parallel()
		f := build(t, nobody)
		for _, text := range []string{"Hello.", "停水了，怎么办？", "1 < 2 & 3 > 2", "a_b*c[d](e)`f`", "two\nlines", "👩‍👧 مرحبا"} {
			o := out(f, text)
			o.Author = "staff" // what the bot says is Markdown; what people write is what it is
			res, err := f.Adapter.Send(t.Context(), o)
			if err != nil {
				t.Fatalf("send %q: %v", text, err)
			}
			if res.State != channels.Sent && res.State != channels.Delivered {
				t.Errorf("send %q: state %q after a plain success", text, res.State)
			}
			box := f.Inbox()
			if len(box) == 0 || box[len(box)-1].Thread != f.Thread {
				t.Fatalf("%q did not reach the person", text)
			}
			if got := box[len(box)-1].Text; !strings.Contains(squash(got), squash(text)) {
				t.Errorf("sent %q, arrived %q", text, got)
			}
		}
	})

	t.Run("choices and citations can be read", func(t *testing.T) {
		t.Parallel()
		f := build(t, nobody)
		o := out(f, "Which one?")
		o.Choices = []channels.Choice{{ID: "a", Label: "Passport renewal"}, {ID: "b", Label: "Passport loss"}}
		o.Citations = []channels.Citation{{Article: "x", Version: 3, Title: "Renewing a passport", URL: "https://city.example/a/passport"}}
		if _, err := f.Adapter.Send(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		all := ""
		for _, m := range f.Inbox() {
			all += m.Text + "\n"
		}
		if !strings.Contains(all, "Renewing a passport") {
			t.Errorf("the source is not named in %q", all)
		}
	})

	t.Run("long text arrives whole", func(t *testing.T) {
		t.Parallel()
		f := build(t, nobody)
		n := 3000
		if f.MaxText > 0 {
			n = f.MaxText * 5 / 2
		}
		text := strings.Repeat("长文本 long text. ", n/16+1) + "end"
		if _, err := f.Adapter.Send(t.Context(), out(f, text)); err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for _, m := range f.Inbox() {
			if f.MaxText > 0 && len([]rune(m.Text)) > f.MaxText {
				t.Errorf("a piece of %d characters is longer than the vendor takes", len([]rune(m.Text)))
			}
			got.WriteString(m.Text)
		}
		if squash(got.String()) != squash(text) {
			t.Errorf("%d characters sent, %d arrived", len([]rune(squash(text))), len([]rune(squash(got.String()))))
		}
	})

	fails := func(kind Failure, check func(t *testing.T, f Fixture, res channels.Result, err error)) {
		t.Run("vendor failure "+string(kind), func(t *testing.T) {
			t.Parallel()
			f := build(t, nobody)
			if why := f.Skip[kind]; why != "" {
				t.Skip(why)
			}
			f.Fail(kind)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			res, err := f.Adapter.Send(ctx, out(f, "Hello."))
			check(t, f, res, err)
		})
	}
	var permanent *channels.PermanentError
	var retry *channels.RetryError
	fails(Refuse, func(t *testing.T, _ Fixture, _ channels.Result, err error) {
		if !errors.As(err, &permanent) {
			t.Fatalf("got %v, want a *channels.PermanentError", err)
		}
		if permanent.Code == "" || permanent.Reason == "" {
			t.Error("a permanent failure needs a code and a reason that staff can read")
		}
	})
	fails(Busy, func(t *testing.T, _ Fixture, _ channels.Result, err error) {
		if !errors.As(err, &retry) || retry.After <= 0 {
			t.Fatalf("got %v, want a *channels.RetryError with a time", err)
		}
	})
	fails(Broken, func(t *testing.T, f Fixture, _ channels.Result, err error) {
		if err == nil || errors.As(err, &permanent) {
			t.Fatalf("got %v, want an error that is tried again", err)
		}
		if _, err := f.Adapter.Send(t.Context(), out(f, "Hello again.")); err != nil {
			t.Errorf("the next attempt: %v", err)
		}
	})
	fails(Silence, func(t *testing.T, _ Fixture, res channels.Result, err error) {
		if err != nil || res.State != channels.Unknown {
			t.Errorf("got %q, %v; the message may have arrived, so the state is unknown and no error asks to send it again", res.State, err)
		}
	})

	t.Run("a cancelled send stops", func(t *testing.T) {
		t.Parallel()
		f := build(t, nobody)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if res, err := f.Adapter.Send(ctx, out(f, "Hello.")); err == nil && res.State != channels.Unknown {
			t.Error("a send with a cancelled context reported success")
		}
		if len(f.Inbox()) != 0 {
			t.Error("a send with a cancelled context was sent")
		}
	})

	runInbound(t, build)
}

func runInbound(t *testing.T, build func(t *testing.T, ingest channels.IngestFunc) Fixture) {
	t.Run("inbound", func(t *testing.T) {
		t.Parallel()
		rec := &recorder{}
		f := build(t, rec.ingest)
		if f.Say == nil {
			t.Skip("this channel only sends")
		}
		if !f.Say(t.Context(), "1", "停水了") || !f.Say(t.Context(), "2", "No water <b>here</b>") {
			t.Fatal("a message that was taken in was not acknowledged")
		}
		if !f.Say(t.Context(), "1", "停水了") {
			t.Error("a repeated message was not acknowledged, so the vendor will repeat it for ever")
		}
		got := rec.all()
		if len(got) != 3 {
			t.Fatalf("%d messages came in, want 3", len(got))
		}
		for i, in := range got {
			if err := in.Clean(); err != nil {
				t.Errorf("message %d cannot be stored: %v", i, err)
			}
			if in.Channel != f.Adapter.Name() || in.Account != f.Account {
				t.Errorf("message %d comes from %s/%s, want %s/%s", i, in.Channel, in.Account, f.Adapter.Name(), f.Account)
			}
		}
		if got[0].Text != "停水了" || got[1].Text != "No water <b>here</b>" {
			t.Errorf("texts changed on the way: %q, %q", got[0].Text, got[1].Text)
		}
		if got[0].ExternalID == got[1].ExternalID || got[0].Thread != got[1].Thread {
			t.Error("two messages of one person need different ids in one thread")
		}
		if got[0].ExternalID != got[2].ExternalID || got[0].Thread != got[2].Thread {
			t.Error("the same message delivered twice needs the same id")
		}
	})

	t.Run("what was not stored is not acknowledged", func(t *testing.T) {
		t.Parallel()
		rec := &recorder{fail: errs.New(errs.Unavailable, "db.unavailable", "the database is away")}
		f := build(t, rec.ingest)
		if f.Say == nil {
			t.Skip("this channel only sends")
		}
		if f.Say(t.Context(), "1", "Hello") {
			t.Fatal("acknowledged without having been stored")
		}
		rec.heal()
		if !f.Say(t.Context(), "1", "Hello") {
			t.Error("the repetition was not acknowledged")
		}
	})

	t.Run("what can never be stored is not asked for again", func(t *testing.T) {
		t.Parallel()
		rec := &recorder{fail: channels.ErrEmpty}
		f := build(t, rec.ingest)
		if f.Say == nil {
			t.Skip("this channel only sends")
		}
		if !f.Say(t.Context(), "1", "Hello") {
			t.Error("an invalid message must be acknowledged, or it blocks all that follow")
		}
	})
}

type recorder struct {
	mu   sync.Mutex
	in   []channels.Inbound
	fail error
}

func (r *recorder) ingest(_ context.Context, in channels.Inbound) (channels.Receipt, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		return channels.Receipt{}, r.fail
	}
	r.in = append(r.in, in)
	return channels.Receipt{ConversationID: uuid.New(), Seq: int64(len(r.in))}, nil
}

func (r *recorder) heal() { r.mu.Lock(); defer r.mu.Unlock(); r.fail = nil }

func (r *recorder) all() []channels.Inbound { r.mu.Lock(); defer r.mu.Unlock(); return r.in }

// squash ignores blanks: a vendor may wrap lines, and pieces are cut at blanks.
func squash(s string) string { return strings.Join(strings.Fields(s), "") }
