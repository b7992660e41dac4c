package sms_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/channels/channeltest"
	"hotline/channels/sms"
	"hotline/channels/sms/smstest"
	"hotline/internal/errs"
	"hotline/internal/i18n"
)

var words = i18n.MustLoad()

// held stands for what chat keeps in the database.
type held struct {
	mu       sync.Mutex
	open     map[string][]string // message: its parts
	of       map[string]string   // person, reference, part and text: message
	released []string
	n        int
}

func (h *held) hold(_ context.Context, p channels.Part) (string, []string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open == nil {
		h.open, h.of = map[string][]string{}, map[string]string{}
	}
	key := fmt.Sprint(p.Thread, p.Ref, p.Total)
	if p.Total == 1 {
		key += p.Text
	}
	id := h.of[key]
	if id == "" {
		h.n++
		id = fmt.Sprint("m", h.n)
		h.of[key], h.open[id] = id, make([]string, p.Total)
	}
	h.open[id][p.N-1] = p.Text
	for _, t := range h.open[id] {
		if t == "" {
			return id, nil, nil
		}
	}
	return id, h.open[id], nil
}

func (h *held) release(_ context.Context, message string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.released = append(h.released, message)
	for k, id := range h.of {
		if id == message {
			delete(h.of, k)
		}
	}
	return nil
}

// bound starts an adapter that is connected until the test ends.
func bound(t *testing.T, ingest channels.IngestFunc, change func(*sms.Options)) (*sms.Adapter, *smstest.SMSC) {
	t.Helper()
	s := smstest.New(t)
	h := &held{}
	o := sms.Options{URL: s.URL(), From: "+8612345", BaseURL: "https://lanting.example", Log: slog.New(slog.DiscardHandler), Words: words.T, Ingest: ingest, Hold: h.hold, Release: h.release}
	if change != nil {
		change(&o)
	}
	a, err := sms.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); a.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	s.AwaitBind()
	for !a.Bound() { // bound on their side; ours hears of it by the answer
		runtime.Gosched()
	}
	return a, s
}

func isRetry(err error) bool {
	var retry *channels.RetryError
	return errors.As(err, &retry)
}

func nobody(context.Context, channels.Inbound) (channels.Receipt, error) {
	return channels.Receipt{}, errors.New("nothing should come in")
}

func TestConformance(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, func(t *testing.T, ingest channels.IngestFunc) channeltest.Fixture {
		a, s := bound(t, ingest, func(o *sms.Options) { o.Release = nil })
		begun := map[string]bool{}
		return channeltest.Fixture{Adapter: a, Account: a.Account(), Thread: "+8613800001111",
			Inbox: func() (box []channeltest.Remote) {
				for _, m := range smstest.Join(s.Submitted()) {
					box = append(box, channeltest.Remote{Thread: "+" + m.To, Text: m.Text})
				}
				return box
			},
			Fail: func(f channeltest.Failure) {
				switch f {
				case channeltest.Refuse:
					s.FailNext(0x0B)
				case channeltest.Busy:
					s.FailNext(0x58)
				case channeltest.Broken:
					s.FailNext(0x08)
				case channeltest.Silence:
					s.SilenceNext()
				}
			},
			Say: func(_ context.Context, id, text string) bool {
				// SMPP knows no ids: what was not acknowledged comes again as it was, with the reference that its parts had. The suite's repeat stands for a
				// message whose acknowledgement was lost, so nothing is released here.
				first, rest := text[:len(string([]rune(text)[0]))], text[len(string([]rune(text)[0])):]
				if !begun[id] {
					status, ok := s.Deliver(smstest.Message{From: "8613800001111", Text: rest, Ref: int(id[0]), Total: 2, Part: 2})
					if begun[id] = ok && status == 0; !begun[id] {
						return false
					}
				}
				status, ok := s.Deliver(smstest.Message{From: "8613800001111", Text: first, Ref: int(id[0]), Total: 2, Part: 1})
				return ok && status == 0
			}}
	})
}

func out(text string) channels.Outbound {
	return channels.Outbound{ConversationID: uuid.New(), Seq: 1, Thread: "+8613800001111", Author: "bot", Text: text, Lang: "en", Key: uuid.NewString()}
}

func send(t *testing.T, a *sms.Adapter, o channels.Outbound) {
	t.Helper()
	if res, err := a.Send(t.Context(), o); err != nil || res.State != channels.Sent || res.RemoteID == "" {
		t.Fatalf("%+v, %v", res, err)
	}
}

func TestTextsGoOutAsTelephonesReadThem(t *testing.T) {
	t.Parallel()
	a, s := bound(t, nobody, nil)
	for _, c := range []struct {
		text   string
		coding byte
		parts  int
	}{
		{strings.Repeat("a", 160), 0, 1},
		{strings.Repeat("a", 161), 0, 2},
		{strings.Repeat("[€]", 60), 0, 3},
		{strings.Repeat("水", 70), 8, 1},
		{strings.Repeat("水", 71), 8, 2},
		{strings.Repeat("👩", 100), 8, 4},
		{"Grüße: £5 @ ÄÖÜ {x} ~", 0, 1},
	} {
		before := len(s.Submitted())
		send(t, a, out(c.text))
		got := s.Submitted()[before:]
		whole := smstest.Join(got)
		if len(got) != c.parts || len(whole) != 1 || whole[0].Text != c.text || got[0].Coding != c.coding {
			t.Errorf("%.10q… went out as %d parts of coding %d, arrived as %.40q", c.text, len(got), got[0].Coding, whole[0].Text)
		}
		for i, m := range got {
			if m.Receipt != (i == len(got)-1) {
				t.Errorf("part %d of %d asks for a receipt: %v", i+1, len(got), m.Receipt)
			}
		}
		if got[0].From != "8612345" || got[0].FromTON != 1 {
			t.Errorf("from %q", got[0].From)
		}
	}
}

func TestAnAnswerIsPlainTextWithItsLinksAndChoices(t *testing.T) {
	t.Parallel()
	a, s := bound(t, nobody, func(o *sms.Options) { o.From = "12345" })
	o := out("## Bring\n**Passport**, see [the form](/f/1).")
	o.Choices = []channels.Choice{{ID: "y", Label: "Yes", Typed: "1"}, {ID: "n", Label: "No", Typed: "2"}, {ID: "s", Label: "Skip"}}
	o.Citations = []channels.Citation{{Title: "Passports", Version: 3, URL: "/a/passport"}}
	send(t, a, o)
	const want = "Bring\nPassport, see the form (https://lanting.example/f/1).\n1 Yes\n2 No\nSkip\nPassports (version 3)\nhttps://lanting.example/a/passport"
	if got := s.Submitted(); got[0].FromTON != 3 || smstest.Join(got)[0].Text != want {
		t.Errorf("%q", smstest.Join(got)[0].Text)
	}
}

func TestALongAnswerEndsWithWhereToReadOn(t *testing.T) {
	t.Parallel()
	a, s := bound(t, nobody, func(o *sms.Options) { o.MaxParts = 3 })
	send(t, a, out(strings.Repeat("A long answer of many words. ", 60)))
	got := s.Submitted()
	text := smstest.Join(got)[0].Text
	if len(got) > 3 || !strings.HasPrefix(text, "A long answer") || !strings.Contains(text, "https://lanting.example") || len(text) < 300 {
		t.Errorf("%d parts: %q", len(got), text)
	}
}

type inbox struct {
	mu   sync.Mutex
	in   []channels.Inbound
	fail error
}

func (b *inbox) ingest(_ context.Context, in channels.Inbound) (channels.Receipt, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return channels.Receipt{}, b.fail
	}
	if err := in.Clean(); err != nil {
		return channels.Receipt{}, err
	}
	b.in = append(b.in, in)
	return channels.Receipt{}, nil
}

func TestLongMessagesAreJoinedInAnyOrder(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]smstest.Message{"header": {}, "options": {Sar: true}, "payload": {Sar: true, Payload: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			box := &inbox{}
			_, s := bound(t, box.ingest, nil)
			for _, part := range []int{3, 1, 2} {
				m.From, m.Ref, m.Total, m.Part, m.Text = "8613800001111", 77, 3, part, []string{"", "路灯", "坏了", "三天。"}[part]
				if status, ok := s.Deliver(m); !ok || status != 0 {
					t.Fatalf("part %d: %v, status %d", part, ok, status)
				}
			}
			if len(box.in) != 1 || box.in[0].Text != "路灯坏了三天。" || box.in[0].Thread != "+8613800001111" || !box.in[0].Typed || box.in[0].Contact.Phone != "+8613800001111" {
				t.Fatalf("%+v", box.in)
			}
		})
	}
}

func TestAMessageIsAcknowledgedWhenItIsStored(t *testing.T) {
	t.Parallel()
	box := &inbox{fail: errs.New(errs.Unavailable, "db.unavailable", "away")}
	_, s := bound(t, box.ingest, nil)
	if status, ok := s.Deliver(smstest.Message{From: "8613800001111", Text: "yes"}); !ok || status != 0x64 {
		t.Fatalf("%v, status %02X", ok, status)
	}
	box.mu.Lock()
	box.fail = nil
	box.mu.Unlock()
	for range 2 { // the repeat of the first, then a second yes
		if status, ok := s.Deliver(smstest.Message{From: "8613800001111", Text: "yes"}); !ok || status != 0 {
			t.Fatalf("%v, status %02X", ok, status)
		}
	}
	if len(box.in) != 2 || box.in[0].ExternalID == box.in[1].ExternalID {
		t.Fatalf("%+v", box.in)
	}
	if status, ok := s.Deliver(smstest.Message{From: "BANK", FromTON: 5, Text: "Your code is 1234"}); !ok || status != 0 || len(box.in) != 2 {
		t.Errorf("a name, which cannot be answered: %v, %02X, %d came in", ok, status, len(box.in))
	}
}

func TestReceiptsAreReported(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var got []channels.Report
	a, s := bound(t, nobody, func(o *sms.Options) {
		o.Report = func(_ context.Context, r channels.Report) (bool, error) {
			mu.Lock()
			defer mu.Unlock()
			if r.Key == "" {
				return false, nil
			}
			got = append(got, r)
			return true, nil
		}
	})
	for _, hex := range []bool{false, true} {
		s.HexIDs(hex)
		o := out("Hello")
		send(t, a, o)
		id := s.Submitted()[len(s.Submitted())-1].ID
		for state, failed := range map[string]bool{"DELIVRD": false, "UNDELIV": true, "EXPIRED": true} {
			mu.Lock()
			got = nil
			mu.Unlock()
			if status, ok := s.Receipt(id, state); !ok || status != 0 {
				t.Fatalf("%v, %02X", ok, status)
			}
			mu.Lock()
			if len(got) != 1 || got[0].Key != o.Key || got[0].Failed != failed || failed && got[0].Reason == "" {
				t.Errorf("%s reported as %+v", state, got)
			}
			mu.Unlock()
		}
	}
	for _, c := range []struct {
		state  string
		code   []uint16
		blames channels.Blame
	}{
		{"EXPIRED", nil, ""},
		{"REJECTD", nil, ""},
		{"UNDELIV", nil, channels.Doubt},
		{"UNDELIV", []uint16{1}, channels.Gone}, // unknown subscriber
		{"UNDELIV", []uint16{27}, ""},           // absent
	} {
		send(t, a, out("Hello"))
		mu.Lock()
		got = nil
		mu.Unlock()
		s.Receipt(s.Submitted()[len(s.Submitted())-1].ID, c.state, c.code...)
		mu.Lock()
		if len(got) != 1 || got[0].Blames != c.blames {
			t.Errorf("%s %v: %+v, want %q", c.state, c.code, got, c.blames)
		}
		mu.Unlock()
	}
	mu.Lock()
	got = nil
	mu.Unlock()
	s.Receipt("1001", "ENROUTE")
	s.Receipt("999999", "DELIVRD")
	mu.Lock()
	defer mu.Unlock()
	if len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// The SMSC refuses a number that is not above the last (section 5.1.4): who sends at once must not overtake each other on the wire.
func TestManyWhoSendAtOnceKeepTheOrderOfNumbers(t *testing.T) {
	t.Parallel()
	a, s := bound(t, nobody, nil)
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			for range 100 {
				if res, err := a.Send(t.Context(), out("Hello")); err != nil || res.State != channels.Sent {
					t.Errorf("%+v, %v", res, err)
					return
				}
			}
		})
	}
	all.Wait()
	if n := len(s.Submitted()); n != 1000 {
		t.Errorf("%d of 1000 texts arrived", n)
	}
}

func TestABrokenConnectionIsMadeAnew(t *testing.T) {
	t.Parallel()
	a, s := bound(t, nobody, nil)
	s.Cut()
	s.AwaitBind()
	for {
		runtime.Gosched()
		res, err := a.Send(t.Context(), out("Hello again"))
		if isRetry(err) || res.State == channels.Unknown { // ours has not noticed yet, or is not back yet
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	s.Await("the message", func(m smstest.Submitted) bool { return m.Text == "Hello again" })
}

func TestAWrongPasswordIsSaidInWords(t *testing.T) {
	t.Parallel()
	s := smstest.New(t)
	warned := make(chan struct{})
	a, err := sms.New(sms.Options{URL: strings.Replace(s.URL(), smstest.Password, "wrong", 1), From: "12345", Log: slog.New(&firstWarning{seen: warned}), Words: words.T})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); a.Run(ctx) }()
	<-warned
	if words, since := a.Trouble(); !strings.Contains(words, "HOTLINE_SMS_URL") || strings.Contains(words, "wrong") || since.IsZero() {
		t.Errorf("trouble: %q", words)
	}
	if _, err := a.Send(t.Context(), out("Hello")); !isRetry(err) {
		t.Errorf("%v, want a time to come back", err)
	}
	if !a.Here() {
		t.Error("it tries, so it is this one's turn")
	}
	cancel()
	<-ended
	if words, _ := a.Trouble(); words != "" || a.Here() {
		t.Errorf("trouble of a session that is another's now: %q", words)
	}
}

// firstWarning closes a channel when something is warned of.
type firstWarning struct {
	slog.Handler
	once sync.Once
	seen chan struct{}
}

func (*firstWarning) Enabled(context.Context, slog.Level) bool { return true }

func (w *firstWarning) Handle(_ context.Context, r slog.Record) error {
	if r.Level >= slog.LevelWarn {
		w.once.Do(func() { close(w.seen) })
	}
	return nil
}

func TestSettingsAreNamedAndPasswordsAreNot(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ url, from, want string }{
		{"smpp://u:sesame@", "12345", "HOTLINE_SMS_URL"},
		{"http://u:sesame@h", "12345", "HOTLINE_SMS_URL"},
		{"smpp://u:sesamesesame@h", "12345", "HOTLINE_SMS_URL"},
		{"smpp://h", "12345", "HOTLINE_SMS_URL"},
		{"smpp://u:sesame@h", "", "HOTLINE_SMS_FROM"},
		{"smpp://u:sesame@h", "A very long name", "HOTLINE_SMS_FROM"},
		{"smpp://u:sesame@h", "热线", "HOTLINE_SMS_FROM"},
	} {
		if _, err := sms.New(sms.Options{URL: c.url, From: c.from}); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%s, %s: %v", c.url, c.from, err)
		}
	}
}
