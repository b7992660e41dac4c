package sms

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The PDUs of SMPP 3.4 that a transceiver needs, with their command ids (section 5.1.2.1); a response has the highest bit set.
const (
	cmdBindTransceiver uint32 = 0x00000009
	cmdUnbind          uint32 = 0x00000006
	cmdSubmit          uint32 = 0x00000004
	cmdDeliver         uint32 = 0x00000005
	cmdEnquireLink     uint32 = 0x00000015
	cmdGenericNack     uint32 = 0x80000000
	response           uint32 = 0x80000000
)

// Command statuses (section 5.1.3).
const (
	statusOK          uint32 = 0x00
	statusInvCommand  uint32 = 0x03
	statusSystemError uint32 = 0x08
	statusBadSource   uint32 = 0x0A
	statusBadTarget   uint32 = 0x0B
	statusQueueFull   uint32 = 0x14
	statusSubmitFail  uint32 = 0x45
	statusThrottled   uint32 = 0x58
	statusTryAgain    uint32 = 0x64 // ESME receiver temporary application error: the SMSC delivers again
	statusRejected    uint32 = 0x66
)

// Optional parameters (section 5.3.2).
const (
	tagReceiptedID   uint16 = 0x001E
	tagSarRef        uint16 = 0x020C
	tagSarTotal      uint16 = 0x020E
	tagSarSeq        uint16 = 0x020F
	tagNetworkError  uint16 = 0x0423
	tagPayload       uint16 = 0x0424
	tagMessageState  uint16 = 0x0427
	esmUDHI          byte   = 0x40
	esmTypeMask      byte   = 0x3C
	esmReceipt       byte   = 0x04
	tonInternational byte   = 1
	tonNetwork       byte   = 3
	tonAlphanumeric  byte   = 5
)

const (
	headerLength = 16
	maxPDU       = 72 << 10 // message_payload may have 64 KiB
)

// pdu is one protocol data unit: its header (section 3.2) and the rest as it came.
type pdu struct {
	command, status, sequence uint32
	body                      []byte
}

var errBroken = errors.New("sms: a PDU is broken")

// readPDU reads one.
func readPDU(r io.Reader) (pdu, error) {
	var h [headerLength]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return pdu{}, err
	}
	n := binary.BigEndian.Uint32(h[:])
	if n < headerLength || n > maxPDU {
		return pdu{}, fmt.Errorf("%w: it has %d bytes", errBroken, n)
	}
	p := pdu{command: binary.BigEndian.Uint32(h[4:]), status: binary.BigEndian.Uint32(h[8:]), sequence: binary.BigEndian.Uint32(h[12:]), body: make([]byte, n-headerLength)}
	_, err := io.ReadFull(r, p.body)
	return p, err
}

// bytes is the PDU on the wire.
func (p pdu) bytes() []byte {
	out := make([]byte, headerLength, headerLength+len(p.body))
	binary.BigEndian.PutUint32(out, uint32(headerLength+len(p.body)))
	binary.BigEndian.PutUint32(out[4:], p.command)
	binary.BigEndian.PutUint32(out[8:], p.status)
	binary.BigEndian.PutUint32(out[12:], p.sequence)
	return append(out, p.body...)
}

// writer puts fields together.
type writer struct{ bytes.Buffer }

// cstring writes a C-octet string of at most max bytes with its end (section 3.1).
func (w *writer) cstring(s string, max int) {
	if len(s) > max-1 {
		s = s[:max-1]
	}
	w.WriteString(s)
	w.WriteByte(0)
}

// bind is the body of bind_transceiver (section 4.1.5).
func bind(user, password, systemType string) []byte {
	var w writer
	w.cstring(user, 16)
	w.cstring(password, 9)
	w.cstring(systemType, 13)
	w.WriteByte(0x34)     // interface_version
	w.Write([]byte{0, 0}) // addr_ton, addr_npi
	w.cstring("", 41)     // address_range
	return w.Bytes()
}

// address is one of an SME (section 5.2.5 and following).
type address struct {
	ton, npi byte
	addr     string
}

// submission is a submit_sm (section 4.4.1).
type submission struct {
	from, to address
	esm      byte
	coding   byte
	receipt  bool
	message  []byte
}

func (s submission) bytes() []byte {
	var w writer
	w.cstring("", 6) // service_type
	for _, a := range []address{s.from, s.to} {
		w.Write([]byte{a.ton, a.npi})
		w.cstring(a.addr, 21)
	}
	w.Write([]byte{s.esm, 0, 0}) // esm_class, protocol_id, priority_flag
	w.cstring("", 17)            // schedule_delivery_time
	w.cstring("", 17)            // validity_period: the SMSC's own
	registered := byte(0)
	if s.receipt {
		registered = 1 // a receipt for success and failure (section 5.2.17)
	}
	w.Write([]byte{registered, 0, s.coding, 0, byte(len(s.message))}) // registered_delivery, replace_if_present, data_coding, sm_default_msg_id, sm_length
	w.Write(s.message)
	return w.Bytes()
}

// delivered is a deliver_sm (section 4.6.1).
type delivered struct {
	from, to address
	esm      byte
	coding   byte
	message  []byte
	options  map[uint16][]byte
}

// reader takes a body apart; the first error stays.
type reader struct {
	b   []byte
	err error
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.err = errBroken
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *reader) cstring() string {
	i := bytes.IndexByte(r.b, 0)
	if i < 0 {
		r.b, r.err = nil, errBroken
		return ""
	}
	s := string(r.b[:i])
	r.b = r.b[i+1:]
	return s
}

func (r *reader) take(n int) []byte {
	if n > len(r.b) {
		r.b, r.err = nil, errBroken
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func readDelivered(body []byte) (delivered, error) {
	r := reader{b: body}
	r.cstring() // service_type
	d := delivered{options: map[uint16][]byte{}}
	d.from = address{r.byte(), r.byte(), r.cstring()}
	d.to = address{r.byte(), r.byte(), r.cstring()}
	d.esm = r.byte()
	r.take(2)   // protocol_id, priority_flag
	r.cstring() // schedule_delivery_time
	r.cstring() // validity_period
	r.take(2)   // registered_delivery, replace_if_present_flag
	d.coding = r.byte()
	r.byte() // sm_default_msg_id
	d.message = r.take(int(r.byte()))
	for r.err == nil && len(r.b) > 0 {
		head := r.take(4)
		if head == nil {
			break
		}
		d.options[binary.BigEndian.Uint16(head)] = r.take(int(binary.BigEndian.Uint16(head[2:])))
	}
	if payload, ok := d.options[tagPayload]; ok && len(d.message) == 0 {
		d.message = payload
	}
	return d, r.err
}
