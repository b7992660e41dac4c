package sms

import (
	"errors"
	"strings"
	"unicode/utf16"

	"golang.org/x/text/encoding/charmap"
)

// The default alphabet of GSM (3GPP TS 23.038, section 6.2.1): a character is its place. 0x1B announces one of the extension.
var gsmAlphabet = []rune("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà")

// gsmExtension is what follows the announcement (section 6.2.1.1).
var gsmExtension = map[rune]byte{'\f': 0x0A, '^': 0x14, '{': 0x28, '}': 0x29, '\\': 0x2F, '[': 0x3C, '~': 0x3D, ']': 0x3E, '|': 0x40, '€': 0x65}

var gsmByRune, gsmExtended = func() (map[rune]byte, map[byte]rune) {
	byRune, extended := map[rune]byte{}, map[byte]rune{}
	for i, r := range gsmAlphabet {
		if r != 0x1B {
			byRune[r] = byte(i)
		}
	}
	for r, c := range gsmExtension {
		extended[c] = r
	}
	return byRune, extended
}()

// data_coding (section 5.2.19).
const (
	codingDefault byte = 0x00
	codingASCII   byte = 0x01
	codingLatin1  byte = 0x03
	codingUCS2    byte = 0x08
)

// Room of a message in bytes: 140 octets on the air are 160 characters of 7 bits or 70 of 16; the header of a part takes 6 of the octets (TS 23.040, 9.2.3.24.1).
const (
	gsmAlone, gsmPart = 160, 153
	ucsAlone, ucsPart = 140, 134
)

// inGSM encodes a text in the default alphabet, one octet a character, as SMPP carries it; false when a character is not in it.
func inGSM(s string) (chars [][]byte, ok bool) {
	for _, r := range s {
		if c, ok := gsmByRune[r]; ok {
			chars = append(chars, []byte{c})
		} else if c, ok := gsmExtension[r]; ok {
			chars = append(chars, []byte{0x1B, c})
		} else {
			return nil, false
		}
	}
	return chars, true
}

func inUCS2(s string) (chars [][]byte) {
	for _, r := range s {
		var c []byte
		for _, u := range utf16.AppendRune(nil, r) {
			c = append(c, byte(u>>8), byte(u))
		}
		chars = append(chars, c)
	}
	return chars
}

// part is one short message.
type part struct {
	coding byte
	udh    bool
	data   []byte
}

var errTooLong = errors.New("sms: the text needs more than 255 messages")

// parts makes short messages of a text: one where it fits, otherwise several that say to which they belong. No character is cut in two.
func parts(text string, ref byte) ([]part, error) {
	coding, alone, room := codingDefault, gsmAlone, gsmPart
	chars, ok := inGSM(text)
	if !ok {
		chars, coding, alone, room = inUCS2(text), codingUCS2, ucsAlone, ucsPart
	}
	total := 0
	for _, c := range chars {
		total += len(c)
	}
	if total <= alone {
		one := part{coding: coding}
		for _, c := range chars {
			one.data = append(one.data, c...)
		}
		return []part{one}, nil
	}
	var out []part
	var data []byte
	for _, c := range chars {
		if len(data)+len(c) > room {
			out = append(out, part{coding: coding, udh: true, data: data})
			data = nil
		}
		data = append(data, c...)
	}
	out = append(out, part{coding: coding, udh: true, data: data})
	if len(out) > 255 {
		return nil, errTooLong
	}
	for i := range out {
		out[i].data = append([]byte{5, 0, 3, ref, byte(len(out)), byte(i + 1)}, out[i].data...)
	}
	return out, nil
}

// decode reads the text of a message.
func decode(coding byte, data []byte) string {
	switch coding {
	case codingUCS2:
		units := make([]uint16, 0, len(data)/2)
		for i := 0; i+1 < len(data); i += 2 {
			units = append(units, uint16(data[i])<<8|uint16(data[i+1]))
		}
		return string(utf16.Decode(units))
	case codingLatin1:
		out, err := charmap.ISO8859_1.NewDecoder().Bytes(data)
		if err == nil {
			return string(out)
		}
	case codingASCII:
		return strings.ToValidUTF8(string(data), "\uFFFD")
	}
	var b strings.Builder
	for i := 0; i < len(data); i++ {
		c := data[i]
		if c == 0x1B && i+1 < len(data) {
			i++
			if r, ok := gsmExtended[data[i]]; ok {
				b.WriteRune(r)
				continue
			}
			c = data[i] // TS 23.038: a receiver that does not know it shows the character of the default alphabet
		}
		if int(c) < len(gsmAlphabet) {
			b.WriteRune(gsmAlphabet[c])
		} else {
			b.WriteRune('\uFFFD')
		}
	}
	return b.String()
}

// piece says which part of which message a message is.
type piece struct{ ref, total, n int }

// takeApart reads the header of user data or the sar options (section 5.3.2.22 and following); the rest is text.
func (d delivered) takeApart() (p piece, text string) {
	data := d.message
	if d.esm&esmUDHI != 0 && len(data) > 0 {
		n := int(data[0])
		if n >= len(data) {
			return p, ""
		}
		for h := data[1 : n+1]; len(h) >= 2 && len(h) >= 2+int(h[1]); h = h[2+int(h[1]):] {
			switch v := h[2 : 2+int(h[1])]; {
			case h[0] == 0 && len(v) == 3:
				p = piece{int(v[0]), int(v[1]), int(v[2])}
			case h[0] == 8 && len(v) == 4:
				p = piece{int(v[0])<<8 | int(v[1]), int(v[2]), int(v[3])}
			}
		}
		data = data[n+1:]
	}
	if ref, total, n := d.options[tagSarRef], d.options[tagSarTotal], d.options[tagSarSeq]; len(ref) == 2 && len(total) == 1 && len(n) == 1 {
		p = piece{int(ref[0])<<8 | int(ref[1]), int(total[0]), int(n[0])}
	}
	if p.total < 2 || p.n < 1 || p.n > p.total {
		p = piece{total: 1, n: 1}
	}
	return p, decode(d.coding, data)
}
