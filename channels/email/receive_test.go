package email_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/channels/channeltest"
	"hotline/channels/email"
	"hotline/channels/email/emailtest"
	"hotline/internal/errs"
	"hotline/internal/testkit"
)

// receiver starts an adapter that takes mails in until the test ends.
func receiver(t *testing.T, o emailtest.Options, change func(*email.Options)) (*email.Adapter, *emailtest.SMTP, *emailtest.IMAP) {
	t.Helper()
	s, box := emailtest.NewSMTP(t, emailtest.Options{Plain: true}), emailtest.NewIMAP(t, o)
	op := options(s, emailtest.Options{Plain: true})
	op.IMAP, op.TLS = box.URL(), box.Client
	change(&op)
	a, err := email.New(op)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); a.Receive(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	return a, s, box
}

func TestMailboxConforms(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, func(t *testing.T, ingest channels.IngestFunc) channeltest.Fixture {
		a, s, box := receiver(t, emailtest.Options{Implicit: true}, func(o *email.Options) { o.Ingest = ingest })
		return channeltest.Fixture{Adapter: a, Account: a.Account(), Thread: "ann@citizen.example", Inbox: func() []channeltest.Remote { return inbox(t, s) }, Fail: fail(s),
			Say: func(_ context.Context, id, text string) bool {
				box.Deliver(t, emailtest.Letter{From: "Ann <ann@citizen.example>", ID: id + "@citizen.example", References: "root@citizen.example", Subject: "Re: water", Text: text}.String())
				return box.AwaitMove(t) != ""
			}}
	})
}

// post is a box of what came in.
type post struct {
	mu   sync.Mutex
	in   []channels.Inbound
	came chan channels.Inbound
	errs []error
}

func newPost() *post { return &post{came: make(chan channels.Inbound, 100)} }

func (p *post) ingest(_ context.Context, in channels.Inbound) (channels.Receipt, error) {
	if err := in.Clean(); err != nil {
		return channels.Receipt{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.errs) > 0 {
		err := p.errs[0]
		p.errs = p.errs[1:]
		if err != nil {
			return channels.Receipt{}, err
		}
	}
	p.in = append(p.in, in)
	p.came <- in
	return channels.Receipt{ConversationID: uuid.New(), Seq: int64(len(p.in))}, nil
}

func TestFreshMailsAreFreshConversations(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]emailtest.Options{"TLS": {Implicit: true}, "STARTTLS": {}, "on this machine": {Plain: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPost()
			_, _, box := receiver(t, o, func(o *email.Options) { o.Ingest = p.ingest })
			box.Deliver(t, emailtest.Letter{From: "Ann <Ann@Citizen.example>", ID: "1@citizen.example", Subject: "The lamp at Oak Street 12", Text: "It has been dark for a week."}.String())
			if got := box.AwaitMove(t); got != "Hotline-Done" {
				t.Fatalf("moved to %q", got)
			}
			box.Deliver(t, emailtest.Letter{From: "ann@citizen.example", ID: "2@citizen.example", Subject: "Noise", Text: "The bar is loud."}.String())
			box.AwaitMove(t)
			box.Deliver(t, emailtest.Letter{From: "ann@citizen.example", ID: "3@citizen.example", References: "1@citizen.example", Subject: "Re: The lamp at Oak Street 12", Text: "Still dark."}.String())
			box.AwaitMove(t)
			box.Deliver(t, emailtest.Letter{From: "ann@citizen.example", ID: "4@citizen.example", References: "hotline.0197aaaa-key@lanting.example", Subject: "Re: Noise", Text: "1"}.String())
			box.AwaitMove(t)
			in := p.in
			if len(in) != 4 || box.Count(t, "INBOX") != 0 || box.Count(t, "Hotline-Done") != 4 {
				t.Fatalf("%d came in, %d left", len(in), box.Count(t, "INBOX"))
			}
			if in[0].Text != "The lamp at Oak Street 12\n\nIt has been dark for a week." || in[0].Title != "The lamp at Oak Street 12" || in[0].Contact.Email != "ann@citizen.example" || in[0].Contact.Name != "Ann" {
				t.Errorf("%+v", in[0])
			}
			if in[0].Thread == in[1].Thread {
				t.Error("two matters fell into one conversation")
			}
			if in[2].Thread != in[0].Thread || in[2].Text != "Still dark." {
				t.Errorf("a second mail of the thread went to %q, not %q: %q", in[2].Thread, in[0].Thread, in[2].Text)
			}
			if in[3].Answers != "0197aaaa-key" || in[0].Answers != "" {
				t.Errorf("the answer names %q", in[3].Answers)
			}
			for _, one := range in {
				if channels.Addressee(one.Thread) != "ann@citizen.example" || one.Account != "hotline@lanting.example" || !one.Typed {
					t.Errorf("%+v", one)
				}
			}
		})
	}
}

func TestMachinesAreNotAnswered(t *testing.T) {
	t.Parallel()
	p := newPost()
	_, s, box := receiver(t, emailtest.Options{Implicit: true}, func(o *email.Options) { o.Ingest = p.ingest })
	for name, l := range map[string]emailtest.Letter{
		"an automatic reply":      {Headers: "Auto-Submitted: auto-replied\r\n"},
		"one with a comment":      {Headers: "Auto-Submitted: auto-generated; owner-email=\"x@y.example\"\r\n"},
		"a list":                  {Headers: "List-Id: News <news.shop.example>\r\n"},
		"a newsletter":            {Headers: "Precedence: bulk\r\n"},
		"Exchange":                {Headers: "X-Auto-Response-Suppress: All\r\n"},
		"no way back":             {Headers: "Return-Path: <>\r\n"},
		"a Chinese absence":       {Subject: "自动回复：您好"},
		"an absence":              {Subject: "Out of Office: your message"},
		"a shop":                  {From: "no-reply@shop.example"},
		"a mail server":           {From: "MAILER-DAEMON@mx.example"},
		"ourselves":               {From: "Hotline <hotline@lanting.example>"},
		"a report that is a mail": {From: "postmaster@mx.example", Subject: "Undelivered Mail Returned to Sender"},
	} {
		if l.From == "" {
			l.From = "ann@citizen.example"
		}
		l.ID, l.Text = uuid.NewString()+"@x.example", "I am away"
		box.Deliver(t, l.String())
		if got := box.AwaitMove(t); got != "Hotline-Automatic" {
			t.Errorf("%s went to %q", name, got)
		}
	}
	box.Deliver(t, emailtest.Letter{From: "ann@citizen.example", ID: "p@x.example", Text: "I am a person", Headers: "Auto-Submitted: no\r\nReturn-Path: <ann@citizen.example>\r\n"}.String())
	if got := box.AwaitMove(t); got != "Hotline-Done" {
		t.Errorf("a person's mail went to %q", got)
	}
	if len(p.in) != 1 || len(s.Mails()) != 0 {
		t.Errorf("%d mails came in, %d were answered", len(p.in), len(s.Mails()))
	}
}

func TestBouncesAreReported(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var got []channels.Report
	_, _, box := receiver(t, emailtest.Options{Implicit: true}, func(o *email.Options) {
		o.Ingest = newPost().ingest
		o.Report = func(_ context.Context, r channels.Report) (bool, error) {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, r)
			return true, nil
		}
	})
	key := "0197b7a0-1111-7222-8333-444455556666"
	dsn := func(action, status, original string) string {
		return strings.ReplaceAll("Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nTo: hotline@lanting.example\nSubject: Undelivered Mail Returned to Sender\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n"+
			"Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\nMessage-ID: <"+uuid.NewString()+"@mx.example>\n\n--b\nContent-Type: text/plain; charset=us-ascii\n\nI could not deliver it.\n\n"+
			"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\nArrival-Date: Tue, 24 Nov 2026 10:00:00 +0800\n\nFinal-Recipient: rfc822; ann@citizen.example\nAction: "+action+"\nStatus: "+status+
			"\nDiagnostic-Code: smtp; 550 5.1.1 <ann@citizen.example>: unknown\n\n--b\n"+original+"\n--b--\n", "\n", "\r\n")
	}
	headers := "Content-Type: text/rfc822-headers\n\nFrom: hotline@lanting.example\nMessage-ID: <hotline." + key + "@lanting.example>\nSubject: x\n"
	for _, c := range []struct {
		raw, reason string
		blames      channels.Blame
	}{
		{dsn("failed", "5.1.1", headers), "no such e-mail address", channels.Gone},
		{dsn("failed", "5.1.8", headers), "own address is not accepted", ""},
		{dsn("failed", "5.7.1", headers), "does not take mail from the hotline", channels.Doubt},
		{dsn("failed", "4.4.7", headers), "could not be reached in time", ""},
		{dsn("failed", "5.2.2", strings.Replace(headers, "text/rfc822-headers", "message/rfc822", 1)+"\nHello.\n"), "full", ""},
		{dsn("delayed", "4.4.1", headers), "", ""},
		{dsn("failed", "5.1.1", strings.Replace(headers, "hotline."+key, "other", 1)), "", ""},
		{emailtest.Letter{From: "MAILER-DAEMON@qmail.example", ID: "q@x", Subject: "failure notice", Text: "Sorry, no mailbox here by that name.\r\n\r\n--- Below this line is a copy of the message.\r\nMessage-ID: <hotline." + key + "@lanting.example>\r\n"}.String(), "came back", channels.Doubt},
	} {
		mu.Lock()
		got = nil
		mu.Unlock()
		box.Deliver(t, c.raw)
		if where := box.AwaitMove(t); where != "Hotline-Automatic" {
			t.Errorf("a report went to %q", where)
		}
		mu.Lock()
		switch {
		case c.reason == "" && len(got) != 0:
			t.Errorf("reported %+v", got)
		case c.reason != "" && (len(got) != 1 || got[0].Key != key || !got[0].Failed || got[0].Blames != c.blames || !strings.Contains(got[0].Reason, c.reason) || strings.Contains(got[0].Reason, "ann@")):
			t.Errorf("reported %+v, want %q", got, c.reason)
		}
		mu.Unlock()
	}
}

// TestPoisonDoesNotBlockTheMailbox: what cannot be read, or keeps failing, is set aside and named in the log without its writer; the rest comes in.
func TestPoisonDoesNotBlockTheMailbox(t *testing.T) {
	t.Parallel()
	p := newPost()
	log, out := testkit.NewLog()
	_, s, box := receiver(t, emailtest.Options{Implicit: true}, func(o *email.Options) { o.Ingest, o.Log = p.ingest, log })
	box.Deliver(t, "\x00\x01 this is no mail")
	if got := box.AwaitMove(t); got != "Hotline-Aside" {
		t.Errorf("went to %q", got)
	}
	p.mu.Lock()
	p.errs = []error{channels.ErrTooLong}
	p.mu.Unlock()
	box.Deliver(t, emailtest.Letter{From: "zebulon@quagmire.example", ID: "z@x", Subject: "purple elephant", Text: "zzz"}.String())
	if got := box.AwaitMove(t); got != "Hotline-Aside" {
		t.Errorf("went to %q", got)
	}
	told := s.Await(t, "the refusal", func(m emailtest.Mail) bool { return m.To == "zebulon@quagmire.example" }).Open(t)
	if !strings.Contains(told.Text, "too large") || told.Header.Get("In-Reply-To") != "<z@x>" {
		t.Errorf("%q", told.Text)
	}
	box.Deliver(t, emailtest.Letter{From: "ann@citizen.example", ID: "1@x", Text: "hello"}.String())
	if got := box.AwaitMove(t); got != "Hotline-Done" {
		t.Errorf("went to %q", got)
	}
	for _, secret := range []string{"zebulon", "quagmire", "elephant", emailtest.Password} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
	if !strings.Contains(out.String(), "set aside") {
		t.Error("the log does not say what was set aside")
	}
}

func TestAThirtyFirstMailOfOneSenderWaitsForAPerson(t *testing.T) {
	t.Parallel()
	p := newPost()
	_, _, box := receiver(t, emailtest.Options{Plain: true}, func(o *email.Options) { o.Ingest = p.ingest })
	for i := range 31 {
		box.Deliver(t, emailtest.Letter{From: "robot@machine.example", ID: uuid.NewString() + "@x", Text: "Thank you for your message!"}.String())
		want := "Hotline-Done"
		if i == 30 {
			want = "Hotline-Aside"
		}
		if got := box.AwaitMove(t); got != want {
			t.Fatalf("mail %d went to %q", i+1, got)
		}
	}
}

func TestFilesGoThroughTheStore(t *testing.T) {
	t.Parallel()
	p := newPost()
	id := uuid.New()
	var kept []string
	_, _, box := receiver(t, emailtest.Options{Implicit: true}, func(o *email.Options) {
		o.Ingest = p.ingest
		o.Store = func(_ context.Context, thread, name string, r io.Reader) ([16]byte, error) {
			data, err := io.ReadAll(r)
			if strings.HasSuffix(name, ".exe") {
				return uuid.Nil, errs.New(errs.Invalid, "chat.file_type", "not taken")
			}
			if !strings.HasPrefix(thread, "ann@citizen.example ") {
				return uuid.Nil, errors.New("whose is it?")
			}
			kept = append(kept, name+"="+string(data))
			return id, err
		}
	})
	box.Deliver(t, strings.ReplaceAll("From: ann@citizen.example\nMessage-ID: <f@x>\nSubject: Lamp\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"b\"\n\n--b\nContent-Type: text/plain; charset=utf-8\n\nSee the lamp.\n"+
		"--b\nContent-Type: image/jpeg; name=\"=?gb2312?B?wre1xi5qcGc=?=\"\nContent-Disposition: attachment; filename*=GB2312''%C2%B7%B5%C6.jpg\nContent-Transfer-Encoding: base64\n\ncGljdHVyZQ==\n"+
		"--b\nContent-Type: application/octet-stream\nContent-Disposition: attachment; filename=\"virus.exe\"\n\nMZ\n"+
		"--b\nContent-Type: image/png\nContent-Disposition: inline\nContent-ID: <logo>\n\nsmall logo of a signature\n--b--\n", "\n", "\r\n"))
	box.AwaitMove(t)
	in := <-p.came
	if len(kept) != 1 || kept[0] != "路灯.jpg=picture" || len(in.Uploads) != 1 || in.Uploads[0] != id {
		t.Errorf("kept %q, %v", kept, in.Uploads)
	}
	if !strings.Contains(in.Text, "See the lamp.") || !strings.Contains(in.Text, "virus.exe ✗") || strings.Contains(in.Text, "logo") {
		t.Errorf("%q", in.Text)
	}
}

func TestAMailServerThatIsAwayIsSaidInWords(t *testing.T) {
	t.Parallel()
	s, box := emailtest.NewSMTP(t, emailtest.Options{Plain: true}), emailtest.NewIMAP(t, emailtest.Options{Implicit: true})
	warned := make(chan struct{})
	op := options(s, emailtest.Options{Plain: true})
	op.IMAP, op.TLS, op.Log, op.Ingest = strings.Replace(box.URL(), "hotline%40", "nobody%40", 1), box.Client, slog.New(&firstWarning{seen: warned}), newPost().ingest
	a, err := email.New(op)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); a.Receive(ctx) }()
	<-warned
	if words, _ := a.Trouble(); !strings.Contains(words, "receiving") || !strings.Contains(words, "HOTLINE_IMAP_URL") || strings.Contains(words, emailtest.Password) {
		t.Errorf("trouble: %q", words)
	}
	cancel()
	<-ended
	if words, _ := a.Trouble(); words != "" { // another node may be well with it
		t.Errorf("trouble of a mailbox that is not ours any more: %q", words)
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
