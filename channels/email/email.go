// Package email connects a mailbox: people write to it, and answers go back as mails that stay in their thread.
//
// Mails go out over SMTP, one connection a mail, and come in over IMAP. The libraries are emersion's go-smtp, go-imap, go-message and go-sasl:
// one family, in which each step of a transaction has its own call. That is what channels.Adapter asks for: before the final dot nothing was
// sent, after it the answer decides, and without an answer nobody knows.
//
// Threads. A thread is the person's address, and for a conversation that began with their mail also a name made of that mail's Message-ID:
// "ann@example.org 3f2a9c0d1b2e4f60". A fresh mail is a fresh conversation, so a person's cases do not mix. The Message-ID of what we send holds
// Outbound.Key: a repeated mail is recognised by its reader's mail program, and an answer to it says what it answers (Inbound.Answers).
//
// Loops. What a machine wrote is never answered: automatic replies, lists, reports of mail servers, our own mails, and people's programs that
// write faster than people (inbound.go). Our own mails say that a machine wrote them (RFC 3834).
package email

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"hotline/channels"
)

// Name of the channel in stored data.
const Name = "email"

// Options of New.
type Options struct {
	SMTP    string // smtps://user:password@host:465, or smtp://user:password@host:587, which must offer STARTTLS
	IMAP    string // imaps://user:password@host:993, with /Folder behind it where it is not the inbox; empty: nothing comes in
	From    string // Lanting Hotline <hotline@lanting.example>; the address is the account in stored data
	BaseURL string // of the site, for addresses in texts that begin with /
	OAuth   OAuth  // for servers whose address has a user and no password
	TLS     *tls.Config
	Log     *slog.Logger
	Words   func(lang, key string, args ...any) string // texts of the catalogue "channel"
	Ingest  channels.IngestFunc
	Report  channels.ReportFunc // hears of mails that came back; nil: they are only not answered
	Store   StoreFunc           // nil: files are answered with a sentence
}

// Adapter is one mailbox.
type Adapter struct {
	o    Options
	from mail.Address
	smtp server
	imap server
	tok  *tokens // nil: logins are by password
	rate rate
	channels.Health
}

// New reads the settings without calling anybody: the hotline starts although the mail server is away. Errors name the setting.
func New(o Options) (*Adapter, error) {
	from, err := mail.ParseAddress(o.From)
	if err != nil {
		return nil, fmt.Errorf("HOTLINE_EMAIL_FROM: %q is no address such as City Hotline <hotline@city.example>", o.From)
	}
	a := &Adapter{o: o, from: *from}
	a.from.Address = strings.ToLower(a.from.Address)
	if a.smtp, err = parseServer(o.SMTP, "smtp", "587", "465"); err != nil {
		return nil, fmt.Errorf("HOTLINE_SMTP_URL: %w", err)
	}
	if o.IMAP != "" {
		if a.imap, err = parseServer(o.IMAP, "imap", "143", "993"); err != nil {
			return nil, fmt.Errorf("HOTLINE_IMAP_URL: %w", err)
		}
	}
	if o.OAuth == (OAuth{}) {
		return a, nil
	}
	if err := o.OAuth.check(); err != nil {
		return nil, err
	}
	for _, s := range []*server{&a.smtp, &a.imap} {
		s.bearer = s.user != "" && s.password == ""
	}
	if !a.smtp.bearer && !a.imap.bearer {
		return nil, errors.New("HOTLINE_EMAIL_OAUTH_TOKEN_URL: no server uses it; write the user without a password in HOTLINE_SMTP_URL and HOTLINE_IMAP_URL, as in smtp://hotline%40city.example@host")
	}
	a.tok = &tokens{o: o.OAuth, refresh: o.OAuth.RefreshToken}
	return a, nil
}

// Name implements channels.Adapter.
func (a *Adapter) Name() string { return Name }

// Account names the mailbox in stored data.
func (a *Adapter) Account() string { return a.from.Address }

// Receives reports whether mails come in.
func (a *Adapter) Receives() bool { return a.o.IMAP != "" }

// server is where to connect and as whom.
type server struct {
	host, addr     string
	user, password string
	implicit       bool // TLS from the first byte
	plain          bool // no TLS at all
	bearer         bool // the login is a token
	path           string
}

// parseServer reads smtp://, smtps://, imap:// and imaps:// addresses.
func parseServer(raw, scheme, port, tlsPort string) (server, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.Scheme != scheme && u.Scheme != scheme+"s" {
		// url.Parse's error repeats the address, and with it the password
		return server{}, fmt.Errorf("it must look like %ss://user:password@host:%s or %s://user:password@host:%s, with %% for what is special in the password", scheme, tlsPort, scheme, port)
	}
	s := server{host: u.Hostname(), user: u.User.Username(), implicit: u.Scheme == scheme+"s", path: strings.Trim(u.Path, "/")}
	s.password, _ = u.User.Password()
	if p := u.Port(); p != "" {
		port = p
	} else if s.implicit {
		port = tlsPort
	}
	host := s.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	s.addr = host + ":" + port
	switch tls := u.Query().Get("tls"); {
	case tls == "no" && s.implicit:
		return server{}, errors.New("tls=no contradicts the scheme")
	case tls == "no" && s.user != "" && !local(s.host):
		return server{}, errors.New("tls=no would send the password in the clear; use it without a password, or on this machine")
	case tls == "no":
		s.plain = true
	case tls != "":
		return server{}, fmt.Errorf("tls=%s is not known; tls=no is", tls)
	}
	return s, nil
}

// tls is the configuration for this server.
func (a *Adapter) tls(s server) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if a.o.TLS != nil {
		c = a.o.TLS.Clone()
	}
	if c.ServerName == "" {
		c.ServerName = s.host
	}
	return c
}

// recipient finds the address in a thread, with its domain as the network knows it. utf8: the server must know SMTPUTF8.
func recipient(thread string) (addr string, utf8 bool, err error) {
	parsed, err := mail.ParseAddress(channels.Addressee(thread))
	if err != nil {
		return "", false, err
	}
	at := strings.LastIndexByte(parsed.Address, '@')
	domain, err := idna.Lookup.ToASCII(parsed.Address[at+1:])
	if err != nil {
		return "", false, err
	}
	local := parsed.Address[:at]
	for i := range len(local) {
		utf8 = utf8 || local[i] >= 0x80
	}
	return local + "@" + domain, utf8, nil
}

// messageID names a mail of ours.
func (a *Adapter) messageID(key string) string {
	return idPrefix + key + "@" + a.domain()
}

func (a *Adapter) domain() string {
	return a.from.Address[strings.LastIndexByte(a.from.Address, '@')+1:]
}

// idPrefix begins the Message-IDs of the hotline.
const idPrefix = "hotline."

// now is written into mails.
func now() time.Time { return time.Now() }
