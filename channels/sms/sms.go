// Package sms connects a short-message centre (SMSC) of an operator or an aggregator over SMPP 3.4, which all of them speak: people write to the
// hotline's number, and answers go back as short messages.
//
// The protocol is our own code, written from the specification ("Short Message Peer to Peer Protocol Specification v3.4, issue 1.2"; sections are named
// where they are used): the six PDUs that a transceiver needs are a few hundred lines, and the libraries there are hand messages over in memory and
// acknowledge them before anybody has them.
//
// In. deliver_sm is answered when the message is stored. SMPP gives a message no id of its own, and a long one comes in parts that may be minutes
// apart; so each part is held (HoldFunc) before it is answered, and what is held says whether a part is new or delivered again.
// Out. A text that the default alphabet of GSM holds goes out in it, any other in UCS-2; a long one in parts of one message. The last part asks for a
// receipt, which makes the delivery delivered or failed later.
package sms

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"hotline/channels"
)

// Name of the channel in stored data.
const Name = "sms"

// Options of New.
type Options struct {
	URL      string // smpp://system-id:password@host:2775, smpps:// with TLS; ?system_type=… where the operator wants one
	From     string // what people see and answer to: +E.164, a short code, or a name of up to 11 letters
	BaseURL  string // of the site
	MaxParts int    // longest answer in short messages, 0: no limit
	TLS      *tls.Config
	Log      *slog.Logger
	Words    func(lang, key string, args ...any) string // texts of the catalogue "channel"
	Ingest   channels.IngestFunc
	Report   channels.ReportFunc
	Hold     HoldFunc
	Release  ReleaseFunc
}

// HoldFunc keeps a part durably and says which message it belongs to: the same when the same part is delivered again. whole holds the texts of all parts,
// in order, once none is missing.
type HoldFunc func(ctx context.Context, p channels.Part) (message string, whole []string, err error)

// ReleaseFunc forgets the parts of a message that has been taken in and acknowledged.
type ReleaseFunc func(ctx context.Context, message string) error

// Adapter is one account at an SMSC.
type Adapter struct {
	o      Options
	server smsc
	from   address
	channels.Health

	mu      sync.Mutex
	session *session
	here    bool
	ref     byte              // of messages in parts
	recent  map[string]string // the SMSC's ids of what was sent lately, and our keys
	order   []string
}

// smsc is where to connect and as whom.
type smsc struct {
	host, addr, user, password, systemType string
	secure                                 bool
}

// New reads the settings without calling anybody. Errors name the setting.
func New(o Options) (*Adapter, error) {
	a := &Adapter{o: o, recent: map[string]string{}}
	u, err := url.Parse(o.URL)
	if err != nil || u.Hostname() == "" || u.Scheme != "smpp" && u.Scheme != "smpps" || u.User.Username() == "" {
		// url.Parse's error repeats the address, and with it the password
		return nil, errors.New("HOTLINE_SMS_URL: it must look like smpp://system-id:password@host:2775 or smpps://…, with % for what is special in the password")
	}
	a.server = smsc{host: u.Hostname(), addr: u.Host, user: u.User.Username(), systemType: u.Query().Get("system_type"), secure: u.Scheme == "smpps"}
	a.server.password, _ = u.User.Password()
	if u.Port() == "" {
		a.server.addr = u.Host + map[bool]string{false: ":2775", true: ":3550"}[a.server.secure]
	}
	if len(a.server.user) > 15 || len(a.server.password) > 8 {
		return nil, errors.New("HOTLINE_SMS_URL: SMPP has room for a system id of 15 and a password of 8 characters")
	}
	if a.from, err = source(o.From); err != nil {
		return nil, fmt.Errorf("HOTLINE_SMS_FROM: %w", err)
	}
	return a, nil
}

// source is our own address (sections 5.2.5 and 5.2.6).
func source(from string) (address, error) {
	digits := strings.TrimPrefix(from, "+")
	switch {
	case from == "":
		return address{}, errors.New("it must be a number such as +8675512345, a short code, or a name of up to 11 letters")
	case isDigits(digits) && digits != from && len(digits) <= 15:
		return address{tonInternational, 1, digits}, nil
	case isDigits(from) && len(from) <= 20:
		return address{tonNetwork, 0, from}, nil
	case len(from) > 11:
		return address{}, errors.New("a name has at most 11 letters")
	}
	for _, c := range []byte(from) {
		if c < ' ' || c > '~' {
			return address{}, errors.New("a name is made of the letters A to Z, digits and blanks")
		}
	}
	return address{tonAlphanumeric, 0, from}, nil
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// Name implements channels.Adapter.
func (a *Adapter) Name() string { return Name }

// Account names the number in stored data.
func (a *Adapter) Account() string { return a.o.From }

// Here implements channels.Single: Run is at work.
func (a *Adapter) Here() bool { a.mu.Lock(); defer a.mu.Unlock(); return a.here }

func (a *Adapter) turn(here bool) { a.mu.Lock(); defer a.mu.Unlock(); a.here = here }

// Run keeps a session bound until ctx ends. Only one process may do so for an account: many SMSCs have room for one session.
func (a *Adapter) Run(ctx context.Context) {
	a.turn(true)
	defer func() { a.turn(false); a.Note("connection", "") }() // whoever is next says how it is
	for pause := time.Second; ctx.Err() == nil; {
		s, err := a.open(ctx)
		if err == nil {
			pause = time.Second
			a.Note("connection", "")
			a.use(s)
			ended := make(chan struct{})
			go func() { defer close(ended); a.receive(ctx, s) }()
			select {
			case <-ctx.Done():
				a.use(nil)
				s.unbind()
			case <-s.gone:
				a.use(nil)
			}
			<-ended
			err = s.why
		}
		if ctx.Err() != nil {
			return
		}
		words := "the SMSC " + a.server.addr + " cannot be reached, or the connection ended"
		var refused *refusal
		if errors.As(err, &refused) {
			words = fmt.Sprintf("the SMSC %s does not accept the system id and password of HOTLINE_SMS_URL, or has another session already (0x%08X)", a.server.addr, refused.status)
		}
		a.Note("connection", words)
		a.o.Log.WarnContext(ctx, "sms: connection", "server", a.server.addr, "error", err, "again_in", pause.String())
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, time.Minute)
	}
}

func (a *Adapter) use(s *session) { a.mu.Lock(); defer a.mu.Unlock(); a.session = s }

// bound gives the session, and a reference for the next message in parts.
func (a *Adapter) bound() (*session, byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ref++
	return a.session, a.ref
}
