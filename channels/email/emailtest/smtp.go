// Package emailtest is a mail server in the process, for tests: the SMTP side of emersion/go-smtp, with TLS, logins and failures on demand.
package emailtest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-message/mail"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// User and Password of the mailbox.
const (
	User     = "hotline@lanting.example"
	Password = "p@ss/word"
)

// Mail is one that was taken.
type Mail struct {
	From, To string // of the envelope
	Raw      []byte
}

// SMTP is a server that takes mails.
type SMTP struct {
	Addr    string // host:port
	Name    string // that its certificate is for
	Client  *tls.Config
	o       Options
	mu      sync.Mutex
	mails   []Mail
	arrived chan struct{} // closed and renewed at each mail
	next    string
	nextErr *smtp.SMTPError
	logins  int
	secure  int // transactions under TLS
}

// Options of NewSMTP.
type Options struct {
	Implicit bool // TLS from the first byte
	Plain    bool // no TLS at all, and no login
	// Tokens: logins are by a token of this endpoint, with this mechanism.
	Tokens    *Tokens
	Mechanism string
	// Pace is how long the server takes for the envelope of a mail, and once more for its content.
	Pace time.Duration
}

// NewSMTP starts a server that ends with the test.
func NewSMTP(t testing.TB, o Options) *SMTP {
	t.Helper()
	s := &SMTP{o: o, Name: "mail.lanting.example", arrived: make(chan struct{})}
	config, client := certificate(t, s.Name)
	s.Client = client
	server := smtp.NewServer(s)
	server.Domain, server.MaxMessageBytes, server.EnableDSN, server.EnableSMTPUTF8 = s.Name, 40<<20, true, true
	server.ReadTimeout, server.WriteTimeout = 30*time.Second, 30*time.Second
	server.ErrorLog = silent{}
	server.AllowInsecureAuth = o.Plain
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Addr = l.Addr().String()
	switch {
	case o.Implicit:
		l = tls.NewListener(l, config)
	case !o.Plain:
		server.TLSConfig = config
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()          // ends with Close
	t.Cleanup(func() { _ = server.Close(); _ = l.Close(); <-done }) // a test may end before Serve knows its listener
	return s
}

type silent struct{}

func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

// Mails lists what was taken so far.
func (s *SMTP) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.mails...)
}

// Logins counts those that succeeded.
func (s *SMTP) Logins() int { s.mu.Lock(); defer s.mu.Unlock(); return s.logins }

// Secure counts the transactions under TLS.
func (s *SMTP) Secure() int { s.mu.Lock(); defer s.mu.Unlock(); return s.secure }

// Await waits for a mail that is as wanted.
func (s *SMTP) Await(t testing.TB, what string, want func(Mail) bool) Mail {
	t.Helper()
	limit := time.After(30 * time.Second)
	for {
		s.mu.Lock()
		arrived := s.arrived
		for _, m := range s.mails {
			if want(m) {
				s.mu.Unlock()
				return m
			}
		}
		s.mu.Unlock()
		select {
		case <-arrived:
		case <-limit:
			t.Fatalf("no mail is %s; %d arrived", what, len(s.Mails()))
		}
	}
}

// Refuse makes the next command of this name (LOGIN, MAIL, RCPT, DATA, BODY) fail.
func (s *SMTP) Refuse(command string, code int, enhanced smtp.EnhancedCode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next, s.nextErr = command, &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: "no, ann@citizen.example"}
}

// Silence makes the server take the next mail and break off before it says so.
func (s *SMTP) Silence() { s.mu.Lock(); defer s.mu.Unlock(); s.next = "SILENCE" }

func (s *SMTP) fails(command string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next != command {
		return nil
	}
	s.next = ""
	return s.nextErr
}

// NewSession implements smtp.Backend.
func (s *SMTP) NewSession(c *smtp.Conn) (smtp.Session, error) { return &session{s: s, c: c}, nil }

type session struct {
	s    *SMTP
	c    *smtp.Conn
	mail Mail
}

func (x *session) AuthMechanisms() []string {
	if x.s.o.Tokens != nil {
		return []string{x.s.o.Mechanism}
	}
	return []string{sasl.Plain}
}

func (x *session) Auth(mechanism string) (sasl.Server, error) {
	if x.s.o.Tokens != nil {
		return x.s.o.Tokens.server(mechanism, smtp.ErrAuthFailed, func() { x.s.mu.Lock(); x.s.logins++; x.s.mu.Unlock() }), nil
	}
	return sasl.NewPlainServer(func(_, user, password string) error {
		if err := x.s.fails("LOGIN"); err != nil {
			return err
		}
		if user != User || password != Password {
			return smtp.ErrAuthFailed
		}
		x.s.mu.Lock()
		defer x.s.mu.Unlock()
		x.s.logins++
		return nil
	}), nil
}

func (x *session) Reset() { x.mail = Mail{} }

func (x *session) Logout() error { return nil }

func (x *session) Mail(from string, _ *smtp.MailOptions) error {
	time.Sleep(x.s.o.Pace)
	x.mail = Mail{From: from}
	return x.s.fails("MAIL")
}

func (x *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	x.mail.To = to
	return x.s.fails("RCPT")
}

func (x *session) Data(r io.Reader) error {
	if err := x.s.fails("DATA"); err != nil {
		return err
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := x.s.fails("BODY"); err != nil {
		return err
	}
	time.Sleep(x.s.o.Pace)
	x.mail.Raw = raw
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	x.s.mails = append(x.s.mails, x.mail)
	close(x.s.arrived)
	x.s.arrived = make(chan struct{})
	if _, secure := x.c.TLSConnectionState(); secure {
		x.s.secure++
	}
	if x.s.next == "SILENCE" {
		x.s.next = ""
		return errors.Join(x.c.Conn().Close(), errors.New("the line is cut"))
	}
	return nil
}

// Read is a mail taken apart.
type Read struct {
	Header      mail.Header
	Text, HTML  string
	Attachments map[string][]byte
}

// Open takes a mail apart.
func (m Mail) Open(t testing.TB) Read {
	t.Helper()
	r, err := mail.CreateReader(bytes.NewReader(m.Raw))
	if err != nil {
		t.Fatalf("not a mail: %v\n%s", err, m.Raw)
	}
	out := Read{Header: r.Header, Attachments: map[string][]byte{}}
	for {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(p.Body)
		if err != nil {
			t.Fatal(err)
		}
		switch h := p.Header.(type) {
		case *mail.InlineHeader:
			if kind, _, _ := h.ContentType(); kind == "text/html" {
				out.HTML = string(body)
			} else {
				out.Text = string(body)
			}
		case *mail.AttachmentHeader:
			name, err := h.Filename()
			if err != nil {
				t.Fatal(err)
			}
			out.Attachments[name] = body
		}
	}
}

// certificate makes one for a name, and the configuration of a client that trusts it.
func certificate(t testing.TB, name string) (server, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12},
		&tls.Config{RootCAs: pool, ServerName: name, MinVersion: tls.VersionTLS12}
}
