package emailtest

import (
	"bytes"
	"crypto/tls"
	"net"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-sasl"
)

// IMAP is a mailbox in memory behind a server.
type IMAP struct {
	Addr   string
	Name   string // that its certificate is for
	Client *tls.Config
	o      Options
	user   *imapmemserver.User
	nudge  chan struct{} // something was delivered
	moved  chan string   // the folder that a mail was moved to
	ended  chan struct{} // a session that was logged in has ended

	now, most atomic.Int32 // sessions that are logged in, and the most there were at once
}

// NewIMAP starts a server with an empty inbox; it ends with the test.
func NewIMAP(t testing.TB, o Options) *IMAP {
	t.Helper()
	s := &IMAP{Name: "imap.lanting.example", o: o, user: imapmemserver.NewUser(User, Password), nudge: make(chan struct{}, 1000), moved: make(chan string, 1000), ended: make(chan struct{}, 1000)}
	if err := s.user.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	mem := imapmemserver.New()
	mem.AddUser(s.user)
	config, client := certificate(t, s.Name)
	s.Client = client
	options := &imapserver.Options{InsecureAuth: o.Plain, Logger: silent{}, Caps: imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapIMAP4rev2: {}},
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			x := &mailSession{SessionIMAP4rev2: mem.NewSession().(imapserver.SessionIMAP4rev2), s: s}
			if o.Tokens != nil {
				return &tokenSession{x}, nil, nil
			}
			return x, nil, nil
		}}
	if !o.Plain && !o.Implicit {
		options.TLSConfig = config
	}
	server := imapserver.New(options)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Addr = l.Addr().String()
	if o.Implicit {
		l = tls.NewListener(l, config)
	}
	end := make(chan struct{})
	go func() { defer close(end); _ = server.Serve(l) }() // ends with Close
	t.Cleanup(func() { _ = server.Close(); _ = l.Close(); <-end })
	return s
}

// URL is the setting that reaches the mailbox.
func (s *IMAP) URL() string {
	u := url.URL{Scheme: "imap", Host: s.Addr, User: url.UserPassword(User, Password)}
	if s.o.Tokens != nil {
		u.User = url.User(User)
	}
	if s.o.Implicit {
		u.Scheme = "imaps"
	}
	if s.o.Plain {
		u.RawQuery = "tls=no"
	}
	return u.String()
}

// Deliver puts a mail into the inbox.
func (s *IMAP) Deliver(t testing.TB, raw string) {
	t.Helper()
	if _, err := s.user.Append("INBOX", bytes.NewReader([]byte(raw)), &imap.AppendOptions{Time: time.Now()}); err != nil {
		t.Fatal(err)
	}
	s.nudge <- struct{}{}
}

// Together is the most programs that were logged in at once.
func (s *IMAP) Together() int { return int(s.most.Load()) }

// Count is how many mails a folder has.
func (s *IMAP) Count(t testing.TB, folder string) int {
	t.Helper()
	d, err := s.user.Status(folder, &imap.StatusOptions{NumMessages: true})
	if err != nil {
		return 0 // there is none yet
	}
	return int(*d.NumMessages)
}

// AwaitMove waits for a mail to leave the inbox and names its folder. It is "" when a session ended first.
func (s *IMAP) AwaitMove(t testing.TB) string {
	t.Helper()
	select {
	case folder := <-s.moved:
		return folder
	case <-s.ended:
		return ""
	case <-time.After(30 * time.Second):
		t.Fatal("nothing happens in the inbox")
		return ""
	}
}

type mailSession struct {
	imapserver.SessionIMAP4rev2
	s  *IMAP
	in bool
}

func (x *mailSession) Login(user, password string) error {
	err := x.SessionIMAP4rev2.Login(user, password)
	if x.in = err == nil; x.in {
		x.s.most.Store(max(x.s.most.Load(), x.s.now.Add(1)))
	}
	return err
}

// tokenSession takes a token and no password.
type tokenSession struct{ *mailSession }

func (x *tokenSession) AuthenticateMechanisms() []string { return []string{x.s.o.Mechanism} }

func (x *tokenSession) Authenticate(mechanism string) (sasl.Server, error) {
	return x.s.o.Tokens.server(mechanism, imapserver.ErrAuthFailed, func() { _ = x.mailSession.Login(User, Password) }), nil
}

func (x *tokenSession) Login(string, string) error { return imapserver.ErrAuthFailed }

func (x *mailSession) Move(w *imapserver.MoveWriter, set imap.NumSet, folder string) error {
	err := x.SessionIMAP4rev2.Move(w, set, folder)
	if err == nil {
		x.s.moved <- folder
	}
	return err
}

// Idle tells at once what came since the last command, as servers do; the one in memory forgets it.
func (x *mailSession) Idle(w *imapserver.UpdateWriter, stop <-chan struct{}) error {
	for {
		if err := x.Poll(w, true); err != nil {
			return err
		}
		select {
		case <-x.s.nudge:
		case <-stop:
			return nil
		}
	}
}

func (x *mailSession) Close() error {
	if x.in {
		x.s.now.Add(-1)
		x.s.ended <- struct{}{}
	}
	return x.SessionIMAP4rev2.Close()
}

// Letter is a mail to be delivered.
type Letter struct {
	From, ID, Subject, References, Text string
	Headers                             string // more lines, each with its end
}

// String writes the mail.
func (l Letter) String() string {
	s := "From: " + l.From + "\r\nTo: " + User + "\r\nSubject: " + l.Subject + "\r\nDate: Tue, 24 Nov 2026 10:00:00 +0800\r\n"
	if l.ID != "" {
		s += "Message-ID: <" + l.ID + ">\r\n"
	}
	if l.References != "" {
		s += "In-Reply-To: <" + l.References + ">\r\nReferences: <" + l.References + ">\r\n"
	}
	return s + l.Headers + "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + l.Text
}
