package email

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/google/uuid"

	"hotline/channels"
)

// The steps of a transaction; what a refusal means depends on where it came.
const (
	atConnect = "connect"
	atLogin   = "login"
	atSender  = "sender"
	atPerson  = "recipient"
	atContent = "content"
)

// Send implements channels.Adapter.
func (a *Adapter) Send(ctx context.Context, out channels.Outbound) (channels.Result, error) {
	if err := ctx.Err(); err != nil {
		return channels.Result{}, err
	}
	to, utf8, err := recipient(out.Thread)
	if err != nil {
		return channels.Result{}, &channels.PermanentError{Code: "bad_address", Reason: "the conversation has no e-mail address that can be answered to", Blames: channels.Gone}
	}
	if out.Key == "" {
		out.Key = uuid.NewString()
	}
	l := a.compose(out, to)
	c, err := a.connect(ctx)
	if err != nil {
		return channels.Result{}, err
	}
	defer context.AfterFunc(ctx, func() { _ = c.Close() })() // ends whatever waits for the server; a second close does no harm
	defer c.Close()
	if utf8 {
		if ok, _ := c.Extension("SMTPUTF8"); !ok {
			return channels.Result{}, &channels.PermanentError{Code: "bad_address", Reason: "the mail server cannot write to an address with such letters", Blames: channels.Gone}
		}
	}
	if err := c.Mail(a.from.Address, &smtp.MailOptions{UTF8: utf8, Return: smtp.DSNReturnHeaders, EnvelopeID: out.Key}); err != nil {
		return channels.Result{}, a.classify(atSender, err)
	}
	if err := c.Rcpt(to, &smtp.RcptOptions{Notify: []smtp.DSNNotify{smtp.DSNNotifyFailure}}); err != nil {
		return channels.Result{}, a.classify(atPerson, err)
	}
	w, err := c.Data()
	if err != nil {
		return channels.Result{}, a.classify(atContent, err)
	}
	if err := a.write(ctx, w, l); err != nil {
		return channels.Result{}, fmt.Errorf("email: the mail was not written to its end, so it does not count: %w", err)
	}
	// From here on the server may have the whole mail. Without the end of it that is written next it has none.
	if err := out.Begun(ctx); err != nil {
		return channels.Result{}, fmt.Errorf("email: %w", err)
	}
	_, err = w.CloseWithResponse()
	var refused *smtp.SMTPError
	switch {
	case err == nil:
		_ = c.Quit() // it is sent; how the farewell goes changes nothing
		return channels.Result{State: channels.Sent, RemoteID: l.messageID}, nil
	case errors.As(err, &refused):
		return channels.Result{}, a.classify(atContent, err)
	}
	return channels.Result{State: channels.Unknown, RemoteID: l.messageID}, nil
}

// Announces implements channels.Announcer.
func (*Adapter) Announces() {}

// connect brings up a connection that mails can be given to.
func (a *Adapter) connect(ctx context.Context) (*smtp.Client, error) {
	for {
		c, err := a.dial(ctx)
		if err != nil {
			a.Note("sending", "the mail server "+a.smtp.addr+" cannot be reached or does not speak TLS as it should")
			return nil, a.classify(atConnect, err)
		}
		again, err := a.login(ctx, c)
		if err == nil {
			a.Note("sending", "")
			return c, nil
		}
		_ = c.Close() // the first error is the one to tell
		var refused *smtp.SMTPError
		var none *tokenError
		switch {
		case errors.As(err, &none):
			a.Note("sending", none.words())
		case errors.As(err, &refused) && again:
			continue // it was taken back before its time; the next is a new one
		case errors.As(err, &refused) && a.smtp.bearer:
			a.Note("sending", "the mail server "+a.smtp.addr+" does not accept the token of HOTLINE_EMAIL_OAUTH_TOKEN_URL for the user of HOTLINE_SMTP_URL")
		case errors.As(err, &refused):
			a.Note("sending", "the mail server "+a.smtp.addr+" does not accept the user and password of HOTLINE_SMTP_URL")
		}
		return nil, a.classify(atLogin, err)
	}
}

func (a *Adapter) dial(ctx context.Context) (*smtp.Client, error) {
	conn, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, "tcp", a.smtp.addr)
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	var c *smtp.Client
	switch {
	case a.smtp.implicit:
		c = smtp.NewClient(tls.Client(conn, a.tls(a.smtp)))
	case a.smtp.plain:
		c = smtp.NewClient(conn)
	default:
		if c, err = smtp.NewClientStartTLS(conn, a.tls(a.smtp)); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	c.CommandTimeout, c.SubmissionTimeout = 20*time.Second, time.Minute
	if err := c.Hello(a.domain()); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// login says who we are. again: it failed with a token, and a new one may do better.
func (a *Adapter) login(ctx context.Context, c *smtp.Client) (again bool, err error) {
	s := a.smtp
	switch {
	case s.user == "":
		return false, nil
	case s.bearer:
		token, fresh, err := a.tok.get(ctx)
		if err != nil {
			return false, err
		}
		if err = c.Auth(&bearer{mechanismOf(c.SupportsAuth), s.user, token}); err != nil {
			return a.tok.spoil(token, fresh), err
		}
		return false, nil
	case !c.SupportsAuth(sasl.Plain) && c.SupportsAuth(sasl.Login):
		return false, c.Auth(sasl.NewLoginClient(s.user, s.password))
	}
	return false, c.Auth(sasl.NewPlainClient("", s.user, s.password))
}

// classify says what a refusal means for the next attempt. What is wrong with us (greeting, password) passes when an administrator sets it right, so
// nothing is given up for it; what is wrong with this mail or its reader does not pass.
func (a *Adapter) classify(step string, err error) error {
	var said *smtp.SMTPError
	var none *tokenError
	if errors.As(err, &none) {
		after := time.Minute
		if none.refused {
			after = 5 * time.Minute // until an administrator has looked at it
		}
		return &channels.RetryError{After: after, Cause: err}
	}
	if !errors.As(err, &said) {
		return fmt.Errorf("email: %s: %w", step, err)
	}
	code := said.EnhancedCode
	cause := fmt.Errorf("email: %s: %d %d.%d.%d", step, said.Code, code[0], code[1], code[2]) // the server's words may hold the address
	switch {
	case step == atLogin:
		return &channels.RetryError{After: 5 * time.Minute, Cause: cause}
	case said.Code == 421 || step == atConnect:
		return &channels.RetryError{After: time.Minute, Cause: cause}
	case said.Temporary():
		return &channels.RetryError{After: 5 * time.Minute, Cause: cause} // greylisting, a limit, a full disk
	}
	p := &channels.PermanentError{Code: "refused", Reason: "the mail server refuses the message", Cause: cause}
	switch {
	case step == atSender || code[1] == 1 && (code[2] == 7 || code[2] == 8): // RFC 3463, section 3.2: about the sender
		p.Code, p.Reason = "sender", "the mail server does not let us write from the hotline's address; an administrator must look at HOTLINE_EMAIL_FROM and HOTLINE_SMTP_URL"
	case code[1] == 2 && code[2] == 2 || said.Code == 552 && step == atPerson:
		p.Code, p.Reason = "full", "the person's mailbox is full"
	case said.Code == 552 || code[1] == 3 && code[2] == 4:
		p.Code, p.Reason = "too_large", "the message is larger than the mail server takes"
	case step == atPerson && code[1] == 7:
		p.Code, p.Blames, p.Reason = "blocked", channels.Doubt, "the person's mail server does not take mail from the hotline"
	case step == atPerson:
		p.Code, p.Blames, p.Reason = "gone", channels.Gone, "there is no such e-mail address"
	}
	return p
}
