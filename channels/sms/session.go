package sms

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// Times of a session; the specification leaves them to both sides (section 7.2).
const (
	answerWithin = 15 * time.Second
	linkEvery    = 30 * time.Second // enquire_link
	window       = 10               // requests without an answer at once
)

// session is a bound transceiver.
type session struct {
	conn     net.Conn
	deliver  chan pdu      // deliver_sm in the order in which they came
	slots    chan struct{} // of the window
	gone     chan struct{} // closed when the session ends
	writing  sync.Mutex
	mu       sync.Mutex
	sequence uint32
	waiting  map[uint32]*request
	why      error
}

// request waits for its response.
type request struct {
	answered chan pdu
	seen     func(pdu) // called before any later PDU is looked at
}

var (
	errGone   = errors.New("sms: the connection to the SMSC ended")
	errSilent = errors.New("sms: the SMSC does not answer")
)

// open connects and binds (section 4.1.5).
func (a *Adapter) open(ctx context.Context) (*session, error) {
	conn, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, "tcp", a.server.addr)
	if err != nil {
		return nil, err
	}
	if a.server.secure {
		c := &tls.Config{MinVersion: tls.VersionTLS12}
		if a.o.TLS != nil {
			c = a.o.TLS.Clone()
		}
		if c.ServerName == "" {
			c.ServerName = a.server.host
		}
		conn = tls.Client(conn, c)
	}
	s := &session{conn: conn, deliver: make(chan pdu, 100), slots: make(chan struct{}, window), gone: make(chan struct{}), waiting: map[uint32]*request{}}
	go s.read()
	p, err := s.ask(ctx, cmdBindTransceiver, bind(a.server.user, a.server.password, a.server.systemType), nil)
	if err == nil && p.status != statusOK {
		err = &refusal{step: "bind", status: p.status}
	}
	if err != nil {
		s.end(err)
		return nil, err
	}
	go s.keepAlive()
	return s, nil
}

// refusal is what the SMSC says no with.
type refusal struct {
	step   string
	status uint32
}

func (r *refusal) Error() string {
	return fmt.Sprintf("sms: %s: the SMSC says 0x%08X", r.step, r.status)
}

// end closes the session; the first reason stays.
func (s *session) end(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.why != nil {
		return
	}
	s.why = why
	close(s.gone)
	_ = s.conn.Close() // whoever reads or writes hears of it
}

// ask sends a request and waits for its response. An error that is not errUnanswered means that nothing was sent.
func (s *session) ask(ctx context.Context, command uint32, body []byte, seen func(pdu)) (pdu, error) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-s.gone:
		return pdu{}, errGone
	case <-ctx.Done():
		return pdu{}, ctx.Err()
	}
	r := &request{answered: make(chan pdu, 1), seen: seen}
	n, err := s.number(r, pdu{command: command, body: body})
	defer func() { s.mu.Lock(); delete(s.waiting, n); s.mu.Unlock() }()
	if err != nil {
		s.end(err)
		return pdu{}, &unanswered{err} // a part of it may have gone out
	}
	limit := time.NewTimer(answerWithin)
	defer limit.Stop()
	select {
	case p := <-r.answered:
		return p, nil
	case <-s.gone:
		select { // it may have come just before
		case p := <-r.answered:
			return p, nil
		default:
		}
		return pdu{}, &unanswered{errGone}
	case <-limit.C:
		return pdu{}, &unanswered{errSilent}
	case <-ctx.Done():
		return pdu{}, &unanswered{ctx.Err()}
	}
}

// unanswered is a request that may have arrived.
type unanswered struct{ cause error }

func (u *unanswered) Error() string { return "sms: no answer: " + u.cause.Error() }
func (u *unanswered) Unwrap() error { return u.cause }

// number gives the request the next number and writes it before another gets one: numbers rise on the wire (section 5.1.4).
func (s *session) number(r *request, p pdu) (uint32, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	s.sequence = s.sequence%0x7FFFFFFF + 1
	p.sequence = s.sequence
	s.waiting[p.sequence] = r
	s.mu.Unlock()
	return p.sequence, s.put(p)
}

func (s *session) write(p pdu) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.put(p)
}

// put wants the lock of writing.
func (s *session) put(p pdu) error {
	if err := s.conn.SetWriteDeadline(time.Now().Add(answerWithin)); err != nil {
		return err
	}
	_, err := s.conn.Write(p.bytes())
	return err
}

// answer responds to a request of the SMSC.
func (s *session) answer(p pdu, status uint32, body []byte) error {
	err := s.write(pdu{command: p.command | response, status: status, sequence: p.sequence, body: body})
	if err != nil {
		s.end(err)
	}
	return err
}

// read gives each PDU to whom it is for, until the connection ends. A link that is silent for three rounds of enquire_link is dead.
func (s *session) read() {
	for {
		if err := s.conn.SetReadDeadline(time.Now().Add(3 * linkEvery)); err != nil {
			s.end(err)
			return
		}
		p, err := readPDU(s.conn)
		if err != nil {
			s.end(err)
			return
		}
		switch {
		case p.command&response != 0: // generic_nack too: it carries the sequence number of what it refuses (section 4.3)
			s.mu.Lock()
			r := s.waiting[p.sequence]
			delete(s.waiting, p.sequence)
			s.mu.Unlock()
			if r == nil {
				continue
			}
			if p.command == cmdGenericNack && p.status == statusOK {
				p.status = statusSystemError
			}
			if r.seen != nil {
				r.seen(p)
			}
			r.answered <- p
		case p.command == cmdEnquireLink:
			_ = s.answer(p, statusOK, nil) // a failure ends the session by itself
		case p.command == cmdUnbind:
			_ = s.answer(p, statusOK, nil)
			s.end(errors.New("sms: the SMSC unbinds"))
			return
		case p.command == cmdDeliver:
			select {
			case s.deliver <- p:
			default: // we are behind; the SMSC keeps it
				_ = s.answer(p, statusTryAgain, []byte{0})
			}
		default: // section 4.3.1
			if err := s.write(pdu{command: cmdGenericNack, status: statusInvCommand, sequence: p.sequence}); err != nil {
				s.end(err)
				return
			}
		}
	}
}

// keepAlive asks now and then whether the other side is there (section 4.11).
func (s *session) keepAlive() {
	tick := time.NewTicker(linkEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.gone:
			return
		case <-tick.C:
			if _, err := s.ask(context.Background(), cmdEnquireLink, nil, nil); err != nil {
				s.end(err)
				return
			}
		}
	}
}

// unbind says goodbye (section 4.2).
func (s *session) unbind() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_, _ = s.ask(ctx, cmdUnbind, nil, nil) // it ends either way
	s.end(errGone)
}
