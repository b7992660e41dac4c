// Package smstest is an SMSC in the process, for tests. It is written from the SMPP 3.4 specification (issue 1.2), apart from the adapter's own code, and
// strict: it checks every field of what it gets against the section that defines it, and says what is wrong to the test.
package smstest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"
)

// SystemID and Password of the account.
const (
	SystemID = "hotline"
	Password = "s3same"
)

// Submitted is a short message that was taken.
type Submitted struct {
	From, To         string
	FromTON, FromNPI byte
	Coding           byte
	Receipt          bool
	Ref, Total, Part int // 0, 1, 1 for a message in one part
	Text             string
	ID               string // that it was given
}

// SMSC is a message centre with one account, which has room for one session.
type SMSC struct {
	Addr string

	t         testing.TB
	mu        sync.Mutex
	conn      *link
	bound     chan struct{} // closed and renewed at each bind
	submitted []Submitted
	arrived   chan struct{} // closed and renewed at each message
	next      uint32        // status of the next submit_sm
	silent    bool
	ids       int
	number    uint32
	answers   map[uint32]chan uint32
	binds     int  // so far
	twice     int  // binds that were refused because there was a session
	hex       bool // ids in the answers are hexadecimal, in receipts decimal
}

type link struct {
	net.Conn
	writing sync.Mutex
	last    uint32 // sequence number
	bound   bool
}

// New starts an SMSC that ends with the test.
func New(t testing.TB) *SMSC {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &SMSC{Addr: l.Addr().String(), t: t, bound: make(chan struct{}), arrived: make(chan struct{}), answers: map[uint32]chan uint32{}}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { s.serve(&link{Conn: c}) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); s.Cut(); all.Wait() })
	return s
}

// URL is the setting that reaches it.
func (s *SMSC) URL() string { return "smpp://" + SystemID + ":" + Password + "@" + s.Addr }

func (s *SMSC) wrong(section, format string, args ...any) {
	s.t.Errorf("SMPP 3.4, section %s: %s", section, fmt.Sprintf(format, args...))
}

// AwaitBind waits for a session.
func (s *SMSC) AwaitBind() { s.t.Helper(); s.AwaitBinds(1) }

// AwaitBinds waits for the n-th session: the one before may be dead already and not yet found to be.
func (s *SMSC) AwaitBinds(n int) {
	s.t.Helper()
	limit := time.After(30 * time.Second)
	for {
		s.mu.Lock()
		there, bound := s.conn != nil && s.binds >= n, s.bound
		s.mu.Unlock()
		if there {
			return
		}
		select {
		case <-bound:
		case <-limit:
			s.t.Fatal("nobody binds")
		}
	}
}

// Binds is how many sessions there were so far, one at a time, and how many were asked for while there was another.
func (s *SMSC) Binds() (made, refused int) { s.mu.Lock(); defer s.mu.Unlock(); return s.binds, s.twice }

// Cut breaks the connection.
func (s *SMSC) Cut() {
	s.mu.Lock()
	c := s.conn
	s.conn = nil
	s.mu.Unlock()
	if c != nil {
		_ = c.Close()
	}
}

// HexIDs makes ids hexadecimal in answers, as some SMSCs have them, and decimal in receipts.
func (s *SMSC) HexIDs(on bool) { s.mu.Lock(); defer s.mu.Unlock(); s.hex = on }

// FailNext answers the next submit_sm with a status.
func (s *SMSC) FailNext(status uint32) { s.mu.Lock(); defer s.mu.Unlock(); s.next = status }

// SilenceNext takes the next submit_sm and breaks the connection before it answers.
func (s *SMSC) SilenceNext() { s.mu.Lock(); defer s.mu.Unlock(); s.silent = true }

// Submitted lists what was taken so far.
func (s *SMSC) Submitted() []Submitted {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Submitted(nil), s.submitted...)
}

// Await waits for a message, joined from its parts, that is as wanted.
func (s *SMSC) Await(what string, want func(Submitted) bool) Submitted {
	s.t.Helper()
	limit := time.After(30 * time.Second)
	for {
		s.mu.Lock()
		arrived := s.arrived
		s.mu.Unlock()
		for _, m := range Join(s.Submitted()) {
			if want(m) {
				return m
			}
		}
		select {
		case <-arrived:
		case <-limit:
			s.t.Fatalf("no message is %s", what)
		}
	}
}

// Join puts the parts together as a telephone does.
func Join(parts []Submitted) (out []Submitted) {
	at := map[string]int{}
	for _, p := range parts {
		key := fmt.Sprintf("%s %d %d", p.To, p.Ref, p.Total)
		i, open := at[key]
		if p.Total == 1 || p.Part == 1 || !open {
			at[key] = len(out)
			out = append(out, p)
			continue
		}
		out[i].Text += p.Text
		out[i].ID, out[i].Receipt = p.ID, p.Receipt
	}
	return out
}

func (s *SMSC) serve(c *link) {
	defer c.Close()
	defer func() {
		s.mu.Lock()
		if s.conn == c {
			s.conn = nil
		}
		s.mu.Unlock()
	}()
	for {
		var h [16]byte
		if _, err := io.ReadFull(c, h[:]); err != nil {
			return
		}
		n, command, status, seq := binary.BigEndian.Uint32(h[:]), binary.BigEndian.Uint32(h[4:]), binary.BigEndian.Uint32(h[8:]), binary.BigEndian.Uint32(h[12:])
		if n < 16 || n > 70_000 {
			s.wrong("3.2", "command_length %d", n)
			return
		}
		body := make([]byte, n-16)
		if _, err := io.ReadFull(c, body); err != nil {
			return
		}
		if command < 0x80000000 {
			if status != 0 {
				s.wrong("3.2", "a request has command_status %d", status)
			}
			if seq == 0 || seq > 0x7FFFFFFF || seq <= c.last {
				s.wrong("5.1.4", "sequence_number %d after %d", seq, c.last)
			}
			c.last = seq
		}
		f := &fields{s: s, b: body}
		switch command {
		case 0x00000009:
			s.bindTransceiver(c, f, seq)
		case 0x00000004:
			if !c.bound {
				s.wrong("2.2", "submit_sm before a bind")
			}
			s.submit(c, f, seq)
		case 0x80000005:
			f.cstring("4.6.2 message_id", 1)
			f.end("4.6.2")
			s.mu.Lock()
			if answer := s.answers[seq]; answer != nil {
				answer <- status
				delete(s.answers, seq)
			} else {
				s.wrong("3.2", "a deliver_sm_resp to nothing")
			}
			s.mu.Unlock()
		case 0x00000015:
			f.end("4.11.1")
			c.send(0x80000015, 0, seq, nil)
		case 0x00000006:
			f.end("4.2.1")
			c.send(0x80000006, 0, seq, nil)
			return
		default:
			s.wrong("5.1.2.1", "command_id %08X", command)
			c.send(0x80000000, 3, seq, nil)
		}
	}
}

func (c *link) send(command, status, seq uint32, body []byte) {
	out := binary.BigEndian.AppendUint32(nil, uint32(16+len(body)))
	out = binary.BigEndian.AppendUint32(out, command)
	out = binary.BigEndian.AppendUint32(out, status)
	out = binary.BigEndian.AppendUint32(out, seq)
	c.writing.Lock()
	defer c.writing.Unlock()
	_, _ = c.Write(append(out, body...)) // the reader hears of a broken connection
}

// fields takes a body apart and says what is wrong.
type fields struct {
	s *SMSC
	b []byte
}

func (f *fields) octet(name string) byte {
	if len(f.b) == 0 {
		f.s.wrong(name, "is missing")
		return 0
	}
	v := f.b[0]
	f.b = f.b[1:]
	return v
}

func (f *fields) cstring(name string, max int) string {
	i := bytes.IndexByte(f.b, 0)
	if i < 0 || i+1 > max {
		f.s.wrong(name, "is no C-octet string of at most %d", max)
		f.b = nil
		return ""
	}
	v := string(f.b[:i])
	f.b = f.b[i+1:]
	for _, c := range []byte(v) {
		if c >= 0x80 {
			f.s.wrong("3.1", "%s is not ASCII", name)
		}
	}
	return v
}

func (f *fields) end(section string) {
	if len(f.b) > 0 {
		f.s.wrong(section, "%d octets too many", len(f.b))
	}
}

func (s *SMSC) bindTransceiver(c *link, f *fields, seq uint32) {
	user, password := f.cstring("4.1.5 system_id", 16), f.cstring("4.1.5 password", 9)
	f.cstring("4.1.5 system_type", 13)
	if v := f.octet("4.1.5 interface_version"); v != 0x34 {
		s.wrong("5.2.4", "interface_version %02X", v)
	}
	f.octet("4.1.5 addr_ton")
	f.octet("4.1.5 addr_npi")
	f.cstring("4.1.5 address_range", 41)
	f.end("4.1.5")
	switch {
	case c.bound:
		s.wrong("4.1.5", "a second bind")
		c.send(0x80000009, 5, seq, nil)
		return
	case user != SystemID:
		c.send(0x80000009, 0x0F, seq, nil)
		return
	case password != Password:
		c.send(0x80000009, 0x0E, seq, nil)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil { // the account has room for one session: "ESME already in bound state"
		s.twice++
		c.send(0x80000009, 5, seq, nil)
		return
	}
	c.bound = true
	s.binds++
	c.send(0x80000009, 0, seq, append([]byte("SMSC"), 0))
	s.conn = c
	close(s.bound)
	s.bound = make(chan struct{})
}

func (s *SMSC) submit(c *link, f *fields, seq uint32) {
	m := Submitted{Total: 1, Part: 1}
	f.cstring("4.4.1 service_type", 6)
	m.FromTON, m.FromNPI = f.octet("4.4.1 source_addr_ton"), f.octet("4.4.1 source_addr_npi")
	m.From = f.cstring("4.4.1 source_addr", 21)
	ton, npi := f.octet("4.4.1 dest_addr_ton"), f.octet("4.4.1 dest_addr_npi")
	m.To = f.cstring("4.4.1 destination_addr", 21)
	if ton != 1 || npi != 1 || strings.Trim(m.To, "0123456789") != "" {
		s.wrong("5.2.5", "an international number is digits with TON 1 and NPI 1, not %q with %d, %d", m.To, ton, npi)
	}
	esm := f.octet("4.4.1 esm_class")
	if esm&^0x40 != 0 {
		s.wrong("5.2.12", "esm_class %02X", esm)
	}
	f.octet("4.4.1 protocol_id")
	if v := f.octet("4.4.1 priority_flag"); v > 3 {
		s.wrong("5.2.14", "priority_flag %d", v)
	}
	f.cstring("4.4.1 schedule_delivery_time", 17)
	f.cstring("4.4.1 validity_period", 17)
	registered := f.octet("4.4.1 registered_delivery")
	if registered > 1 {
		s.wrong("5.2.17", "registered_delivery %02X", registered)
	}
	m.Receipt = registered == 1
	if v := f.octet("4.4.1 replace_if_present_flag"); v != 0 {
		s.wrong("5.2.18", "replace_if_present_flag %d", v)
	}
	m.Coding = f.octet("4.4.1 data_coding")
	f.octet("4.4.1 sm_default_msg_id")
	n := int(f.octet("4.4.1 sm_length"))
	if n > 254 || n != len(f.b) {
		s.wrong("5.2.21", "sm_length %d of %d octets", n, len(f.b))
		n = len(f.b)
	}
	data := f.b[:n]
	if esm&0x40 != 0 {
		if len(data) < 6 || !bytes.Equal(data[:3], []byte{5, 0, 3}) || data[4] < 2 || data[5] < 1 || data[5] > data[4] {
			s.wrong("5.2.12", "the header of user data is % X", data[:min(6, len(data))])
		} else {
			m.Ref, m.Total, m.Part, data = int(data[3]), int(data[4]), int(data[5]), data[6:]
		}
	}
	m.Text = s.text(m, data)
	s.mu.Lock()
	status, silent, id := s.next, s.silent, ""
	s.next, s.silent = 0, false
	if status == 0 {
		s.ids++
		m.ID = fmt.Sprint(1000 + s.ids)
		if id = m.ID; s.hex {
			id = fmt.Sprintf("%X", 1000+s.ids)
		}
		s.submitted = append(s.submitted, m)
		close(s.arrived)
		s.arrived = make(chan struct{})
	}
	s.mu.Unlock()
	switch {
	case silent:
		s.Cut()
	case status != 0:
		c.send(0x80000004, status, seq, nil) // section 4.4.2: no body when the status is not zero
	default:
		c.send(0x80000004, 0, seq, append([]byte(id), 0))
	}
}

// text reads a message as a telephone does and counts what it needs on the air: 140 octets, of which a header takes 6 (7 septets with its fill).
func (s *SMSC) text(m Submitted, data []byte) string {
	switch m.Coding {
	case 8:
		if room := map[bool]int{true: 140, false: 134}[m.Total == 1]; len(data) > room || len(data)%2 != 0 {
			s.wrong("5.2.19", "%d octets of UCS2", len(data))
		}
		var units []uint16
		for i := 0; i+1 < len(data); i += 2 {
			units = append(units, binary.BigEndian.Uint16(data[i:]))
		}
		if len(units) > 0 && (units[0]&0xFC00 == 0xDC00 || units[len(units)-1]&0xFC00 == 0xD800) {
			s.wrong("5.2.19", "a character is cut in two")
		}
		return string(utf16.Decode(units))
	case 0:
		if room := map[bool]int{true: 160, false: 153}[m.Total == 1]; len(data) > room {
			s.wrong("5.2.19", "%d septets", len(data))
		}
		if len(data) > 0 && data[len(data)-1] == 0x1B {
			s.wrong("5.2.19", "an escape is cut from its character")
		}
		var b strings.Builder
		for i := 0; i < len(data); i++ {
			switch c := data[i]; {
			case c >= 0x80:
				s.wrong("5.2.19", "%02X is no septet", c)
			case c == 0x1B && i+1 < len(data):
				i++
				b.WriteRune(map[byte]rune{0x14: '^', 0x28: '{', 0x29: '}', 0x2F: '\\', 0x3C: '[', 0x3D: '~', 0x3E: ']', 0x40: '|', 0x65: '€'}[data[i]])
			case special[c] != 0:
				b.WriteRune(special[c])
			default:
				b.WriteByte(c)
			}
		}
		return b.String()
	}
	s.wrong("5.2.19", "data_coding %d", m.Coding)
	return ""
}

// special are the places of the GSM alphabet that are not those of ASCII (3GPP TS 23.038, table 6.2.1).
var special = map[byte]rune{0x00: '@', 0x01: '£', 0x02: '$', 0x03: '¥', 0x04: 'è', 0x05: 'é', 0x06: 'ù', 0x07: 'ì', 0x08: 'ò', 0x09: 'Ç', 0x0B: 'Ø', 0x0C: 'ø', 0x0E: 'Å', 0x0F: 'å',
	0x10: 'Δ', 0x11: '_', 0x12: 'Φ', 0x13: 'Γ', 0x14: 'Λ', 0x15: 'Ω', 0x16: 'Π', 0x17: 'Ψ', 0x18: 'Σ', 0x19: 'Θ', 0x1A: 'Ξ', 0x1C: 'Æ', 0x1D: 'æ', 0x1E: 'ß', 0x1F: 'É', 0x24: '¤', 0x40: '¡',
	0x5B: 'Ä', 0x5C: 'Ö', 0x5D: 'Ñ', 0x5E: 'Ü', 0x5F: '§', 0x60: '¿', 0x7B: 'ä', 0x7C: 'ö', 0x7D: 'ñ', 0x7E: 'ü', 0x7F: 'à'}
