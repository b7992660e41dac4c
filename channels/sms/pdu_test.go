package sms

import (
	"bytes"
	"testing"
	"unicode/utf8"
)

func FuzzDeliverSM(f *testing.F) {
	f.Add([]byte("\x00\x01\x018613800001111\x00\x01\x018612345\x00\x40\x00\x00\x00\x00\x00\x00\x08\x00\x08\x05\x00\x03\x07\x02\x01\x6c\x34"))
	f.Add([]byte("\x00\x05\x00BANK\x00\x01\x011\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x24\x00\x02\x1b\x65"))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := readDelivered(body)
		if err != nil {
			return
		}
		p, text := d.takeApart()
		if p.total < 1 || p.n < 1 || p.n > p.total || !utf8.ValidString(text) {
			t.Fatalf("%+v, %q", p, text)
		}
		if n := number(d.from); n != "" && (n[0] != '+' || !isDigits(n[1:])) {
			t.Fatalf("number %q", n)
		}
	})
}

func FuzzParts(f *testing.F) {
	f.Add("Hello €[]")
	f.Add("路灯坏了👩‍👧")
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		pieces, err := parts(text, 9)
		if err != nil {
			return
		}
		var got bytes.Buffer
		for _, p := range pieces {
			d := delivered{coding: p.coding, message: p.data}
			if p.udh {
				d.esm = esmUDHI
			}
			_, s := d.takeApart()
			got.WriteString(s)
		}
		if got.String() != text {
			t.Fatalf("%q came back as %q", text, got.String())
		}
	})
}
