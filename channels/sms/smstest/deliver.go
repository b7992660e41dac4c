package smstest

import (
	"encoding/binary"
	"fmt"
	"time"
	"unicode/utf16"
)

// Message is what a telephone sends.
type Message struct {
	From             string // digits
	FromTON          byte   // 1 when zero
	Text             string
	Ref, Total, Part int  // of a part; Total 0: a message in one part
	Sar              bool // the parts are named by options (5.3.2.22) instead of a header of user data
	Payload          bool // the text is in message_payload (5.3.2.32)
	receipt          bool
	networkError     []byte // network_error_code (5.3.2.31) of a receipt
}

// Deliver sends a deliver_sm (section 4.6.1) and gives the status of its answer; ok is false when the connection ended without one.
func (s *SMSC) Deliver(m Message) (status uint32, ok bool) {
	s.t.Helper()
	s.AwaitBind()
	s.mu.Lock()
	c := s.conn
	s.number++
	seq := s.number
	answer := make(chan uint32, 1)
	s.answers[seq] = answer
	s.mu.Unlock()
	if c == nil {
		return 0, false
	}
	c.send(0x00000005, 0, seq, m.body())
	select {
	case status = <-answer:
		return status, true
	case <-time.After(20 * time.Second):
		return 0, false
	}
}

// Receipt sends a delivery receipt (appendix B). The error of a GSM network (5.3.2.31) may go with it.
func (s *SMSC) Receipt(id, state string, networkError ...uint16) (status uint32, ok bool) {
	s.t.Helper()
	var code []byte
	if len(networkError) > 0 {
		code = binary.BigEndian.AppendUint16([]byte{3}, networkError[0])
	}
	return s.Deliver(Message{From: "8613800001111", receipt: true, networkError: code, Text: fmt.Sprintf("id:%s sub:001 dlvrd:001 submit date:2611241000 done date:2611241001 stat:%s err:000 text:Hello", id, state)})
}

func (m Message) body() []byte {
	var esm, coding byte
	var data, options []byte
	if m.receipt {
		esm, data = 0x04, []byte(m.Text)
	} else {
		coding = 8
		for _, u := range utf16.Encode([]rune(m.Text)) {
			data = binary.BigEndian.AppendUint16(data, u)
		}
	}
	option := func(tag uint16, v ...byte) {
		options = binary.BigEndian.AppendUint16(options, tag)
		options = binary.BigEndian.AppendUint16(options, uint16(len(v)))
		options = append(options, v...)
	}
	switch {
	case m.Total > 0 && m.Sar:
		option(0x020C, byte(m.Ref>>8), byte(m.Ref))
		option(0x020E, byte(m.Total))
		option(0x020F, byte(m.Part))
	case m.Total > 0:
		esm |= 0x40
		data = append([]byte{5, 0, 3, byte(m.Ref), byte(m.Total), byte(m.Part)}, data...)
	}
	if len(m.networkError) > 0 {
		option(0x0423, m.networkError...)
	}
	if m.Payload {
		option(0x0424, data...)
		data = nil
	}
	ton := m.FromTON
	if ton == 0 {
		ton = 1
	}
	b := []byte{0, ton, 1}
	b = append(append(b, m.From...), 0)
	b = append(b, 1, 1)
	b = append(append(b, "8612345"...), 0)
	b = append(b, esm, 0, 0, 0, 0, 0, 0, coding, 0, byte(len(data)))
	return append(append(b, data...), options...)
}
