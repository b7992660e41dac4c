package channeltest_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"hotline/channels"
	"hotline/channels/channeltest"
	"hotline/internal/errs"
)

// postbox is a channel without a vendor; it shows that the suite can be passed.
type postbox struct {
	mu     sync.Mutex
	inbox  []channeltest.Remote
	next   channeltest.Failure
	ingest channels.IngestFunc
}

func (p *postbox) Name() string { return "postbox" }

func (p *postbox) Send(ctx context.Context, out channels.Outbound) (channels.Result, error) {
	if err := ctx.Err(); err != nil {
		return channels.Result{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	failure := p.next
	p.next = ""
	switch failure {
	case channeltest.Refuse:
		return channels.Result{}, &channels.PermanentError{Code: "blocked", Reason: "the person has blocked this account"}
	case channeltest.Busy:
		return channels.Result{}, &channels.RetryError{After: time.Second, Cause: errors.New("busy")}
	case channeltest.Broken:
		return channels.Result{}, errors.New("bad gateway")
	}
	text := out.Text
	for _, c := range out.Citations {
		text += "\n" + c.Title
	}
	for r := []rune(text); len(r) > 0; {
		n := min(len(r), 1000)
		p.inbox = append(p.inbox, channeltest.Remote{Thread: out.Thread, Text: string(r[:n])})
		r = r[n:]
	}
	if failure == channeltest.Silence {
		return channels.Result{State: channels.Unknown}, nil
	}
	return channels.Result{State: channels.Delivered}, nil
}

func TestSuiteOnAPlainChannel(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, func(_ *testing.T, ingest channels.IngestFunc) channeltest.Fixture {
		p := &postbox{ingest: ingest}
		return channeltest.Fixture{
			Adapter: p, Account: "corner", Thread: "ann", MaxText: 1000,
			Inbox: func() []channeltest.Remote { p.mu.Lock(); defer p.mu.Unlock(); return p.inbox },
			Fail:  func(f channeltest.Failure) { p.mu.Lock(); defer p.mu.Unlock(); p.next = f },
			Say: func(ctx context.Context, id, text string) bool {
				_, err := p.ingest(ctx, channels.Inbound{Channel: "postbox", Account: "corner", Thread: "ann", ExternalID: id, Text: text})
				return err == nil || errs.KindOf(err) == errs.Invalid
			},
		}
	})
}
