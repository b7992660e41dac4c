package portal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
)

var errUnknownPicture = errors.New("not a picture whose metadata can be removed")

// withoutMetadata gives the picture without what a camera or a program wrote beside it: place, time, device, author, comments, previews, and
// anything after its end. The pixels are not touched. How a JPEG is to be turned is kept: without it the picture lies on its side.
// Errors: not a whole JPEG, PNG, GIF or WebP.
func withoutMetadata(in []byte) ([]byte, error) {
	switch {
	case bytes.HasPrefix(in, []byte{0xff, 0xd8, 0xff}):
		return stripJPEG(in)
	case bytes.HasPrefix(in, []byte("\x89PNG\r\n\x1a\n")):
		return stripPNG(in)
	case bytes.HasPrefix(in, []byte("GIF87a")), bytes.HasPrefix(in, []byte("GIF89a")):
		return stripGIF(in)
	case len(in) > 12 && string(in[:4]) == "RIFF" && string(in[8:12]) == "WEBP":
		return stripWebP(in)
	}
	return nil, errUnknownPicture
}

// stripJPEG keeps the segments that are needed to draw (JFIF, Adobe, colour profile) and drops the other application segments and comments.
func stripJPEG(in []byte) ([]byte, error) {
	out := append([]byte(nil), 0xff, 0xd8)
	turned, rest := byte(0), in[2:]
	for {
		for len(rest) > 1 && rest[0] == 0xff && rest[1] == 0xff { // fill bytes
			rest = rest[1:]
		}
		if len(rest) < 4 || rest[0] != 0xff {
			return nil, errUnknownPicture
		}
		marker := rest[1]
		if marker == 0xd9 || marker >= 0xd0 && marker <= 0xd7 || marker == 0x01 || marker == 0x00 {
			return nil, errUnknownPicture // an end or a scan's inside where a segment must stand
		}
		size := int(binary.BigEndian.Uint16(rest[2:])) + 2
		if size < 4 || size > len(rest) {
			return nil, errUnknownPicture
		}
		segment, body := rest[:size], rest[4:size]
		rest = rest[size:]
		switch {
		case marker == 0xe1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")):
			turned = orientation(body[6:])
		case marker == 0xe0 && bytes.HasPrefix(body, []byte("JFIF\x00")) && len(body) >= 14:
			out = append(out, 0xff, 0xe0, 0, 16)
			out = append(out, body[:12]...)
			out = append(out, 0, 0) // without its thumbnail
		case marker == 0xe2 && bytes.HasPrefix(body, []byte("ICC_PROFILE\x00")), marker == 0xee && bytes.HasPrefix(body, []byte("Adobe")):
			out = append(out, segment...)
		case marker >= 0xe0 && marker <= 0xef, marker == 0xfe:
		case marker == 0xda: // the picture itself, up to its end
			if turned > 1 && turned <= 8 {
				out = append(out, turn(turned)...)
			}
			out = append(out, segment...)
			end := scanEnd(rest)
			if end < 0 {
				return nil, errUnknownPicture
			}
			return stripScans(out, rest, end)
		default:
			out = append(out, segment...)
		}
	}
}

// scanEnd gives where the next real marker stands in the compressed data, or -1.
func scanEnd(data []byte) int {
	for i := 0; i+1 < len(data); i++ {
		if data[i] == 0xff && data[i+1] != 0 && data[i+1] != 0xff && (data[i+1] < 0xd0 || data[i+1] > 0xd7) {
			return i
		}
	}
	return -1
}

// stripScans copies one scan after the other (a progressive picture has several, with tables between) and stops at the end marker; what follows it is dropped.
func stripScans(out, rest []byte, end int) ([]byte, error) {
	for {
		out = append(out, rest[:end]...)
		rest = rest[end:]
		for {
			if len(rest) < 2 {
				return nil, errUnknownPicture
			}
			if rest[1] == 0xd9 {
				return append(out, 0xff, 0xd9), nil
			}
			if len(rest) < 4 {
				return nil, errUnknownPicture
			}
			size := int(binary.BigEndian.Uint16(rest[2:])) + 2
			if size < 4 || size > len(rest) {
				return nil, errUnknownPicture
			}
			marker := rest[1]
			if keep := marker != 0xfe && (marker < 0xe0 || marker > 0xef); keep {
				out = append(out, rest[:size]...)
			}
			rest = rest[size:]
			if marker == 0xda {
				break
			}
			for len(rest) > 1 && rest[0] == 0xff && rest[1] == 0xff {
				rest = rest[1:]
			}
			if len(rest) < 2 || rest[0] != 0xff {
				return nil, errUnknownPicture
			}
		}
		if end = scanEnd(rest); end < 0 {
			return nil, errUnknownPicture
		}
	}
}

// orientation reads tag 0x0112 of an Exif block; 0 when there is none.
func orientation(tiff []byte) byte {
	if len(tiff) < 14 {
		return 0
	}
	var order binary.ByteOrder = binary.LittleEndian
	if string(tiff[:2]) == "MM" {
		order = binary.BigEndian
	}
	at := int(order.Uint32(tiff[4:]))
	if at < 8 || at+2 > len(tiff) {
		return 0
	}
	n := int(order.Uint16(tiff[at:]))
	for i := range n {
		entry := at + 2 + 12*i
		if entry+12 > len(tiff) {
			return 0
		}
		if order.Uint16(tiff[entry:]) == 0x0112 {
			return byte(order.Uint16(tiff[entry+8:]))
		}
	}
	return 0
}

// turn is an Exif segment that says how to turn the picture, and nothing else.
func turn(orientation byte) []byte {
	return []byte{0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0}
}

var pngKeep = map[string]bool{"IHDR": true, "PLTE": true, "IDAT": true, "IEND": true, "tRNS": true, "gAMA": true, "cHRM": true, "sRGB": true, "iCCP": true,
	"sBIT": true, "bKGD": true, "pHYs": true, "acTL": true, "fcTL": true, "fdAT": true}

func stripPNG(in []byte) ([]byte, error) {
	out, rest := append([]byte(nil), in[:8]...), in[8:]
	for len(rest) >= 12 {
		size := int(binary.BigEndian.Uint32(rest)) + 12
		if size < 12 || size > len(rest) {
			return nil, errUnknownPicture
		}
		name := string(rest[4:8])
		if pngKeep[name] {
			if crc32.ChecksumIEEE(rest[4:size-4]) != binary.BigEndian.Uint32(rest[size-4:]) {
				return nil, errUnknownPicture
			}
			out = append(out, rest[:size]...)
		}
		if name == "IEND" {
			return out, nil
		}
		rest = rest[size:]
	}
	return nil, errUnknownPicture
}

// stripGIF drops comments, plain texts and application blocks other than the loop count.
func stripGIF(in []byte) ([]byte, error) {
	if len(in) < 13 {
		return nil, errUnknownPicture
	}
	at := 13
	if in[10]&0x80 != 0 {
		at += 3 << (in[10]&7 + 1)
	}
	if at > len(in) {
		return nil, errUnknownPicture
	}
	out := append([]byte(nil), in[:at]...)
	for at < len(in) {
		start := at
		switch in[at] {
		case 0x3b:
			return append(out, 0x3b), nil
		case 0x21:
			if at+2 > len(in) {
				return nil, errUnknownPicture
			}
			label := in[at+1]
			end := subBlocks(in, at+2)
			if end < 0 {
				return nil, errUnknownPicture
			}
			if label == 0xf9 || label == 0xff && bytes.HasPrefix(in[at+2:end], []byte("\x0bNETSCAPE2.0")) {
				out = append(out, in[start:end]...)
			}
			at = end
		case 0x2c:
			if at+10 > len(in) {
				return nil, errUnknownPicture
			}
			body := at + 10
			if in[at+9]&0x80 != 0 {
				body += 3 << (in[at+9]&7 + 1)
			}
			end := subBlocks(in, body+1)
			if end < 0 {
				return nil, errUnknownPicture
			}
			out = append(out, in[start:end]...)
			at = end
		default:
			return nil, errUnknownPicture
		}
	}
	return nil, errUnknownPicture
}

// subBlocks gives where a chain of GIF data blocks ends, or -1.
func subBlocks(in []byte, at int) int {
	for at < len(in) {
		size := int(in[at])
		at += size + 1
		if size == 0 {
			return at
		}
	}
	return -1
}

func stripWebP(in []byte) ([]byte, error) {
	out, rest := append([]byte(nil), in[:12]...), in[12:]
	whole := int(binary.LittleEndian.Uint32(in[4:])) - 4
	if whole < 0 || whole > len(rest) {
		return nil, errUnknownPicture
	}
	rest = rest[:whole]
	for len(rest) >= 8 {
		size := int(binary.LittleEndian.Uint32(rest[4:]))
		padded := 8 + size + size&1
		if size < 0 || padded < 8 || padded > len(rest) {
			return nil, errUnknownPicture
		}
		switch string(rest[:4]) {
		case "VP8 ", "VP8L", "ALPH", "ANIM", "ANMF", "ICCP":
			out = append(out, rest[:padded]...)
		case "VP8X":
			chunk := append([]byte(nil), rest[:padded]...)
			if size >= 10 {
				chunk[8] &^= 0x0c // says that Exif and XMP follow
			}
			out = append(out, chunk...)
		}
		rest = rest[padded:]
	}
	if len(rest) > 0 || len(out) == 12 {
		return nil, errUnknownPicture
	}
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out, nil
}
