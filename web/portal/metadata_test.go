package portal

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"testing"
)

// jpegWith is a small JPEG with an Exif block that holds words and says "turn by 90°", and a comment.
func jpegWith(words string) []byte {
	m := image.NewRGBA(image.Rect(0, 0, 20, 10))
	for x := range 20 {
		m.Set(x, 5, color.RGBA{uint8(x * 12), 80, 160, 255})
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, m, nil); err != nil {
		panic(err)
	}
	exif := append([]byte("Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"), words...)
	segment := func(marker byte, body []byte) []byte {
		return append([]byte{0xff, marker, byte((len(body) + 2) >> 8), byte(len(body) + 2)}, body...)
	}
	extra := append(segment(0xe1, exif), segment(0xfe, []byte("comment "+words))...)
	plain := out.Bytes()
	return append(append(append(append([]byte(nil), plain[:2]...), extra...), plain[2:]...), []byte("after the end "+words)...)
}

func TestWithoutMetadata(t *testing.T) {
	t.Parallel()
	m := image.NewPaletted(image.Rect(0, 0, 8, 8), color.Palette{color.Black, color.White})
	m.SetColorIndex(3, 3, 1)
	var p, g bytes.Buffer
	if err := png.Encode(&p, m); err != nil {
		t.Fatal(err)
	}
	if err := gif.EncodeAll(&g, &gif.GIF{Image: []*image.Paletted{m, m}, Delay: []int{5, 5}}); err != nil {
		t.Fatal(err)
	}
	chunk := []byte("\x00\x00\x00\x0dtEXtAuthor\x00secret")
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	withText := append(append(append([]byte(nil), p.Bytes()[:33]...), chunk...), p.Bytes()[33:]...)
	comment := append([]byte{0x21, 0xfe, 6}, []byte("secret\x00")...)
	at := bytes.Index(g.Bytes(), []byte{0x21, 0xff})
	withComment := append(append(append([]byte(nil), g.Bytes()[:at]...), comment...), g.Bytes()[at:]...)
	webp := func(extra bool) []byte {
		body := []byte("WEBPVP8X\x0a\x00\x00\x00\x0c\x00\x00\x00\x00\x00\x00\x00\x00\x00VP8L\x04\x00\x00\x00\x2f\x00\x00\x00")
		if extra {
			body = append(body, []byte("EXIF\x06\x00\x00\x00secret")...)
		}
		return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
	}
	for name, in := range map[string][]byte{"jpeg": jpegWith("secret"), "png": append(withText, []byte("secret")...), "gif": append(withComment, []byte("secret")...), "webp": webp(true)} {
		out, err := withoutMetadata(in)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if bytes.Contains(out, []byte("secret")) {
			t.Errorf("%s: kept its metadata", name)
		}
		if name == "webp" {
			if int(binary.LittleEndian.Uint32(out[4:])) != len(out)-8 || out[20]&0x0c != 0 {
				t.Error("webp: the header does not fit")
			}
			continue
		}
		before, _, err := image.Decode(bytes.NewReader(in))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		after, _, err := image.Decode(bytes.NewReader(out))
		if err != nil {
			t.Errorf("%s: cannot be drawn any more: %v", name, err)
			continue
		}
		if before.Bounds() != after.Bounds() || before.At(3, 3) != after.At(3, 3) {
			t.Errorf("%s: another picture", name)
		}
	}
	turned, err := withoutMetadata(jpegWith("secret"))
	if err != nil || !bytes.Contains(turned, turn(6)) {
		t.Error("the picture lost how it is to be turned")
	}
	for _, bad := range []string{"", "MZ", "%PDF-1.7", "\xff\xd8\xff", "\xff\xd8\xff\xe1\xff\xff", "\x89PNG\r\n\x1a\n", "GIF89a", "RIFF\xff\xff\xff\xffWEBPxx", "<svg xmlns='http://www.w3.org/2000/svg'/>"} {
		if _, err := withoutMetadata([]byte(bad)); err == nil {
			t.Errorf("%q was taken as a picture", bad)
		}
	}
}

func FuzzWithoutMetadata(f *testing.F) {
	f.Add(jpegWith("x"))
	f.Add([]byte("RIFF\x0c\x00\x00\x00WEBPVP8 \x00\x00\x00\x00"))
	f.Add([]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x00\x3b"))
	f.Add([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x00IEND\xaeB`\x82"))
	f.Fuzz(func(t *testing.T, in []byte) {
		out, err := withoutMetadata(in)
		if err != nil {
			return
		}
		again, err := withoutMetadata(out)
		if err != nil || !bytes.Equal(out, again) {
			t.Errorf("not stable: %v", err)
		}
	})
}
