package media

import (
	"encoding/binary"
	"hash/crc32"
)

// pngKeep lists the chunks that change what is seen. Texts, times, Exif and unknown chunks go.
var pngKeep = map[string]bool{"IHDR": true, "PLTE": true, "IDAT": true, "IEND": true, "tRNS": true, "gAMA": true, "cHRM": true, "sRGB": true,
	"iCCP": true, "sBIT": true, "bKGD": true, "pHYs": true, "acTL": true, "fcTL": true, "fdAT": true, "cICP": true}

func stripPNG(b []byte) (out []byte, width, height int, err error) {
	bad := ErrBroken.On("file")
	out = append(make([]byte, 0, len(b)), b[:8]...)
	data := false
	for i := 8; ; {
		if i+12 > len(b) {
			return nil, 0, 0, bad
		}
		n := int64(binary.BigEndian.Uint32(b[i:]))
		if n > int64(len(b)-i-12) {
			return nil, 0, 0, bad
		}
		end := i + 12 + int(n)
		kind := string(b[i+4 : i+8])
		if crc32.ChecksumIEEE(b[i+4:end-4]) != binary.BigEndian.Uint32(b[end-4:]) {
			return nil, 0, 0, bad
		}
		if (i == 8) != (kind == "IHDR") {
			return nil, 0, 0, bad
		}
		switch kind {
		case "IHDR":
			if n != 13 {
				return nil, 0, 0, bad
			}
			w, h := binary.BigEndian.Uint32(b[i+8:]), binary.BigEndian.Uint32(b[i+12:])
			if w > 1<<30 || h > 1<<30 {
				return nil, 0, 0, ErrHuge.On("file").With("max", MaxSide)
			}
			width, height = int(w), int(h)
		case "IDAT":
			data = true
		}
		if pngKeep[kind] {
			out = append(out, b[i:end]...)
		}
		if kind == "IEND" {
			if !data {
				return nil, 0, 0, bad
			}
			return out, width, height, nil
		}
		i = end
	}
}

// stripGIF keeps frames, their timing and the loop; comments, other applications' data and what follows the end go.
func stripGIF(b []byte) (out []byte, width, height int, err error) {
	bad := ErrBroken.On("file")
	if len(b) < 13 {
		return nil, 0, 0, bad
	}
	width, height = int(binary.LittleEndian.Uint16(b[6:])), int(binary.LittleEndian.Uint16(b[8:]))
	table := func(flags byte) int {
		if flags&0x80 == 0 {
			return 0
		}
		return 3 << (flags&7 + 1)
	}
	i := 13 + table(b[10])
	if i > len(b) {
		return nil, 0, 0, bad
	}
	out = append(make([]byte, 0, len(b)), b[:i]...)
	blocks := func(at int) int { // the end of a run of sub-blocks, or -1
		for at < len(b) {
			n := int(b[at])
			at += 1 + n
			if n == 0 {
				return at
			}
		}
		return -1
	}
	frames := 0
	for i < len(b) {
		start := i
		switch b[i] {
		case 0x3B:
			if frames == 0 {
				return nil, 0, 0, bad
			}
			return append(out, 0x3B), width, height, nil
		case 0x21:
			if i+2 >= len(b) {
				return nil, 0, 0, bad
			}
			kind := b[i+1]
			if i = blocks(i + 2); i < 0 {
				return nil, 0, 0, bad
			}
			loop := kind == 0xFF && start+14 <= len(b) && string(b[start+3:start+14]) == "NETSCAPE2.0"
			if kind == 0xF9 || loop {
				out = append(out, b[start:i]...)
			}
		case 0x2C:
			if i+11 > len(b) {
				return nil, 0, 0, bad
			}
			i += 10 + table(b[i+9]) + 1
			if i > len(b) {
				return nil, 0, 0, bad
			}
			if i = blocks(i); i < 0 {
				return nil, 0, 0, bad
			}
			frames++
			out = append(out, b[start:i]...)
		default:
			return nil, 0, 0, bad
		}
	}
	return nil, 0, 0, bad
}

// stripWebP drops Exif and XMP chunks and the flags that promise them.
func stripWebP(b []byte) (out []byte, width, height int, err error) {
	bad := ErrBroken.On("file")
	end := int64(binary.LittleEndian.Uint32(b[4:])) + 8
	if end > int64(len(b)) || end < 20 {
		return nil, 0, 0, bad
	}
	b = b[:end]
	out = append(make([]byte, 0, len(b)), b[:12]...)
	for i := 12; i+8 <= len(b); {
		n := int64(binary.LittleEndian.Uint32(b[i+4:]))
		if n > int64(len(b)-i-8) {
			return nil, 0, 0, bad
		}
		next := min(i+8+int(n+n&1), len(b))
		kind, body := string(b[i:i+4]), b[i+8:i+8+int(n)]
		at := len(out)
		switch kind {
		case "VP8X", "VP8 ", "VP8L", "ALPH", "ANIM", "ANMF", "ICCP":
			out = append(out, b[i:next]...)
		}
		switch {
		case kind == "VP8X" && len(body) >= 10:
			out[at+8] &^= 0x08 | 0x04
			width = 1 + int(body[4]) + int(body[5])<<8 + int(body[6])<<16
			height = 1 + int(body[7]) + int(body[8])<<8 + int(body[9])<<16
		case kind == "VP8 " && width == 0 && len(body) >= 10:
			width, height = int(binary.LittleEndian.Uint16(body[6:]))&0x3FFF, int(binary.LittleEndian.Uint16(body[8:]))&0x3FFF
		case kind == "VP8L" && width == 0 && len(body) >= 5:
			v := binary.LittleEndian.Uint32(body[1:])
			width, height = int(v&0x3FFF)+1, int(v>>14&0x3FFF)+1
		}
		i = next
	}
	if width == 0 || height == 0 {
		return nil, 0, 0, bad
	}
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out, width, height, nil
}
