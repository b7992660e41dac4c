package email

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"hotline/channels"
	"hotline/internal/errs"
)

const (
	idleFor   = 2 * time.Minute  // then the mailbox is looked at anyway
	pollEvery = 30 * time.Second // where the server has no IDLE
	quietFor  = 4 * time.Minute  // a connection that says nothing for so long is dead
	batch     = 50               // mails looked up at once
	attempts  = 8                // of a mail that fails although others are taken in
)

// folders are made in the mailbox; what is in the inbox has not been dealt with, whoever has read it.
var folders = map[place]string{done: "Hotline-Done", byMachine: "Hotline-Automatic", aside: "Hotline-Aside"}

// Receive takes mails in until ctx ends. Only one process may do so for a mailbox. A mail leaves the inbox when it is stored, so a process that is killed
// gets the same mails again, and receipts make them harmless.
func (a *Adapter) Receive(ctx context.Context) {
	defer a.Note("receiving", "") // whoever is next says how it is
	failed := map[imap.UID]int{}
	for pause := time.Second; ctx.Err() == nil; {
		began := time.Now()
		err := a.session(ctx, failed)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > time.Minute {
			pause = time.Second
		}
		a.o.Log.WarnContext(ctx, "email: receiving", "server", a.imap.addr, "error", err, "again_in", pause.String())
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, 2*time.Minute)
	}
}

// mailbox is a connection with the inbox selected.
type mailbox struct {
	c       *imapclient.Client
	names   map[place]string
	arrived chan struct{}
}

// session works on one connection until it breaks.
func (a *Adapter) session(ctx context.Context, failed map[imap.UID]int) error {
	m, err := a.openMailbox(ctx)
	if err != nil {
		return err
	}
	defer m.c.Close()
	defer context.AfterFunc(ctx, func() { _ = m.c.Close() })()
	a.Note("receiving", "")
	for ctx.Err() == nil {
		if err := a.takeAll(ctx, m, failed); err != nil {
			return err
		}
		if err := m.wait(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (a *Adapter) openMailbox(ctx context.Context) (_ *mailbox, err error) {
	s := a.imap
	ail := func(words string) { a.Note("receiving", "the mail server "+s.addr+" "+words) }
	conn, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, "tcp", s.addr)
	if err != nil {
		ail("cannot be reached")
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = conn.Close() // the first error is the one to tell
		}
	}()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	m := &mailbox{arrived: make(chan struct{}, 1), names: map[place]string{}}
	o := &imapclient.Options{TLSConfig: a.tls(s), UnilateralDataHandler: &imapclient.UnilateralDataHandler{Mailbox: func(d *imapclient.UnilateralDataMailbox) {
		if d.NumMessages != nil {
			select {
			case m.arrived <- struct{}{}:
			default: // it will be looked at already
			}
		}
	}}}
	live := &patient{conn}
	switch {
	case s.implicit:
		m.c = imapclient.New(tls.Client(live, o.TLSConfig), o)
	case s.plain:
		m.c = imapclient.New(live, o)
	default:
		if m.c, err = imapclient.NewStartTLS(live, o); err != nil {
			ail("does not speak TLS as it should")
			return nil, err
		}
	}
	if err := m.c.WaitGreeting(); err != nil {
		ail("does not speak TLS or IMAP as it should")
		return nil, err
	}
	if err := a.enter(ctx, m.c, ail); err != nil {
		return nil, err
	}
	inbox := s.path
	if inbox == "" {
		inbox = "INBOX"
	}
	if _, err := m.c.Select(inbox, nil).Wait(); err != nil {
		ail("has no mailbox " + inbox)
		return nil, withoutWords("select", err)
	}
	for p, name := range folders {
		if m.names[p], err = m.folder(name); err != nil {
			ail("does not let us make the folder " + name)
			return nil, err
		}
	}
	return m, nil
}

// enter says who we are.
func (a *Adapter) enter(ctx context.Context, c *imapclient.Client, ail func(words string)) error {
	s := a.imap
	if !s.bearer {
		err := c.Login(s.user, s.password).Wait()
		if err == nil {
			return nil
		}
		ail("does not accept the user and password of HOTLINE_IMAP_URL")
		return withoutWords("login", err)
	}
	token, fresh, err := a.tok.get(ctx)
	var none *tokenError
	if errors.As(err, &none) {
		a.Note("receiving", none.words())
	}
	if err != nil {
		return err
	}
	has := c.Caps()
	err = c.Authenticate(&bearer{mechanismOf(func(m string) bool { return has.Has(imap.AuthCap(m)) }), s.user, token})
	if err == nil {
		return nil
	}
	a.tok.spoil(token, fresh) // the next attempt is with a new one
	ail("does not accept the token of HOTLINE_EMAIL_OAUTH_TOKEN_URL for the user of HOTLINE_IMAP_URL")
	return withoutWords("login", err)
}

// withoutWords keeps the server's words, which may hold a name, out of the log.
func withoutWords(step string, err error) error {
	var said *imap.Error
	if errors.As(err, &said) {
		return fmt.Errorf("email: %s: the server says %s %s", step, said.Type, said.Code)
	}
	return fmt.Errorf("email: %s: %w", step, err)
}

// folder finds or makes one. Some servers keep everything below the inbox.
func (m *mailbox) folder(name string) (string, error) {
	below := "INBOX." + name
	for _, n := range []string{name, below} {
		if list, err := m.c.List("", n, nil).Collect(); err == nil && len(list) > 0 {
			return n, nil
		}
	}
	if m.c.Create(name, nil).Wait() == nil {
		return name, nil
	}
	if err := m.c.Create(below, nil).Wait(); err != nil {
		return "", withoutWords("create", err)
	}
	return below, nil
}

// takeAll deals with everything in the inbox. A mail that fails is passed over, so that it does not block those behind it, and comes up again; one that
// keeps failing while others are taken in is set aside. When the database is away all of them wait.
func (a *Adapter) takeAll(ctx context.Context, m *mailbox, failed map[imap.UID]int) error {
	found, err := m.c.UIDSearch(&imap.SearchCriteria{NotFlag: []imap.Flag{imap.FlagDeleted}}, nil).Wait()
	if err != nil {
		return withoutWords("search", err)
	}
	uids := found.AllUIDs()
	var again error
	for len(uids) > 0 && ctx.Err() == nil {
		n := min(batch, len(uids))
		sizes, err := m.c.Fetch(imap.UIDSetNum(uids[:n]...), &imap.FetchOptions{UID: true, RFC822Size: true}).Collect()
		if err != nil {
			return withoutWords("fetch", err)
		}
		for _, one := range sizes {
			where, why, err := a.takeUID(ctx, m, one.UID, one.RFC822Size)
			switch {
			case err == nil:
				delete(failed, one.UID)
			case errors.Is(err, errAway) || ctx.Err() != nil || errs.KindOf(err) == errs.Unavailable:
				return err
			default:
				failed[one.UID]++
				a.o.Log.WarnContext(ctx, "email: a mail is not taken in yet", "uid", uint32(one.UID), "attempt", failed[one.UID], "error", err)
				again = err
				if failed[one.UID] < attempts {
					continue
				}
				where, why = aside, "it failed again and again"
				delete(failed, one.UID)
			}
			if where == aside {
				a.o.Log.WarnContext(ctx, "email: a mail is set aside; somebody should look", "uid", uint32(one.UID), "folder", m.names[aside], "why", why)
			} else if why != "" {
				a.o.Log.InfoContext(ctx, "email: a mail is not a message", "uid", uint32(one.UID), "why", why)
			}
			if _, err := m.c.Move(imap.UIDSetNum(one.UID), m.names[where]).Wait(); err != nil {
				return withoutWords("move", err)
			}
		}
		uids = uids[n:]
	}
	return again
}

// takeUID fetches one mail, without marking it as read, and deals with it.
func (a *Adapter) takeUID(ctx context.Context, m *mailbox, uid imap.UID, size int64) (place, string, error) {
	section := &imap.FetchItemBodySection{Peek: true}
	if size > maxMail { // its head says whom to tell
		section.Specifier = imap.PartSpecifierHeader
	}
	got, err := m.c.Fetch(imap.UIDSetNum(uid), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}}).Collect()
	if err != nil {
		return "", "", fmt.Errorf("%w: %w", errAway, withoutWords("fetch", err))
	}
	if len(got) != 1 || got[0].FindBodySection(section) == nil {
		return "", "", fmt.Errorf("email: the server does not give the mail")
	}
	raw := got[0].FindBodySection(section)
	if size > maxMail {
		return a.tooLarge(ctx, raw), "it is larger than the hotline takes", nil
	}
	return a.take(ctx, raw)
}

// tooLarge tells a person that the mail was too large, as far as one wrote it.
func (a *Adapter) tooLarge(ctx context.Context, head []byte) place {
	l, _ := parse(head) // there is no body; the head is enough
	if a.kindOf(l) != byPerson || l.from.Address == "" || !a.rate.allow(l.from.Address, now()) {
		return byMachine
	}
	a.tell(ctx, a.inbound(l), errs.TooLarge)
	return aside
}

// wait returns when there may be something new.
func (m *mailbox) wait(ctx context.Context) error {
	if !m.c.Caps().Has(imap.CapIdle) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pollEvery):
		}
		return m.c.Noop().Wait()
	}
	idle, err := m.c.Idle()
	if err != nil {
		return err
	}
	timeout := time.NewTimer(idleFor)
	defer timeout.Stop()
	select {
	case <-ctx.Done():
	case <-m.c.Closed():
	case <-m.arrived:
	case <-timeout.C:
	}
	return errors.Join(idle.Close(), idle.Wait())
}

// patient is a connection that ends when nothing comes for too long.
type patient struct{ net.Conn }

func (p *patient) Read(b []byte) (int, error) {
	if err := p.SetReadDeadline(time.Now().Add(quietFor)); err != nil {
		return 0, err
	}
	return p.Conn.Read(b)
}

var _ channels.Reachable = (*Adapter)(nil)
