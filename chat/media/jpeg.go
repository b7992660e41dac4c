package media

import (
	"bytes"
	"encoding/binary"
)

// stripJPEG copies a JPEG without its metadata: application segments but JFIF, ICC profile and Adobe's colour transform, comments, and
// everything behind the end. The one fact kept from Exif is the orientation, because without it photos lie on their side.
func stripJPEG(b []byte) (out []byte, width, height int, err error) {
	bad := ErrBroken.On("file")
	out = make([]byte, 0, len(b))
	out = append(out, 0xFF, 0xD8)
	oriented := false
	i := 2
	for {
		// a marker: any number of FF, then a code
		if i+1 >= len(b) || b[i] != 0xFF {
			return nil, 0, 0, bad
		}
		for i < len(b) && b[i] == 0xFF {
			i++
		}
		if i >= len(b) {
			return nil, 0, 0, bad
		}
		code := b[i]
		i++
		switch {
		case code == 0xD9:
			if width == 0 {
				return nil, 0, 0, bad
			}
			return append(out, 0xFF, 0xD9), width, height, nil
		case code == 0x00 || code == 0xD8:
			return nil, 0, 0, bad
		case code == 0x01 || code >= 0xD0 && code <= 0xD7:
			out = append(out, 0xFF, code)
			continue
		}
		if i+2 > len(b) {
			return nil, 0, 0, bad
		}
		n := int(binary.BigEndian.Uint16(b[i:]))
		if n < 2 || i+n > len(b) {
			return nil, 0, 0, bad
		}
		body := b[i+2 : i+n]
		i += n
		switch {
		case code == 0xE1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")):
			if o := orientation(body[6:]); o > 1 && !oriented {
				oriented = true
				out = append(out, orientationOnly(o)...)
			}
			continue
		case code == 0xE2 && !bytes.HasPrefix(body, []byte("ICC_PROFILE\x00")),
			code == 0xE1, code >= 0xE3 && code <= 0xED, code == 0xEF, code == 0xFE:
			continue
		case code == 0xE0 && !bytes.HasPrefix(body, []byte("JFIF\x00")):
			continue // JFXX holds a thumbnail, perhaps of the picture before it was cropped
		case code == 0xE0 && len(body) > 14:
			body = append(append([]byte(nil), body[:12]...), 0, 0) // the same in JFIF itself
		case code >= 0xC0 && code <= 0xCF && code != 0xC4 && code != 0xC8 && code != 0xCC:
			if len(body) < 5 || width != 0 {
				return nil, 0, 0, bad
			}
			height, width = int(binary.BigEndian.Uint16(body[1:])), int(binary.BigEndian.Uint16(body[3:]))
		}
		out = append(out, 0xFF, code, byte((len(body)+2)>>8), byte(len(body)+2))
		out = append(out, body...)
		if code != 0xDA {
			continue
		}
		// entropy-coded data runs to the next marker that is neither a stuffed byte nor a restart
		start := i
		for {
			j := bytes.IndexByte(b[i:], 0xFF)
			if j < 0 || i+j+1 >= len(b) {
				return nil, 0, 0, bad
			}
			i += j
			if next := b[i+1]; next == 0x00 || next >= 0xD0 && next <= 0xD7 {
				i += 2
				continue
			}
			if b[i+1] == 0xFF {
				i++
				continue
			}
			break
		}
		out = append(out, b[start:i]...)
	}
}

// orientation reads tag 0x0112 of the first directory, 0 when there is none.
func orientation(tiff []byte) int {
	if len(tiff) < 8 {
		return 0
	}
	var o binary.ByteOrder = binary.BigEndian
	if string(tiff[:2]) == "II" {
		o = binary.LittleEndian
	} else if string(tiff[:2]) != "MM" {
		return 0
	}
	at := int64(o.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return 0
	}
	n := int64(o.Uint16(tiff[at:]))
	for k := range n {
		e := at + 2 + k*12
		if e+12 > int64(len(tiff)) {
			return 0
		}
		if o.Uint16(tiff[e:]) == 0x0112 && o.Uint16(tiff[e+2:]) == 3 {
			if v := int(o.Uint16(tiff[e+8:])); v >= 1 && v <= 8 {
				return v
			}
			return 0
		}
	}
	return 0
}

// orientationOnly is an Exif segment that says nothing else.
func orientationOnly(o int) []byte {
	body := []byte("Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00")
	body[25] = byte(o)
	return append([]byte{0xFF, 0xE1, 0, byte(len(body) + 2)}, body...)
}
