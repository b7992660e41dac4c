package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func picture() image.Image {
	m := image.NewRGBA(image.Rect(0, 0, 40, 30))
	for x := range 40 {
		for y := range 30 {
			m.Set(x, y, color.RGBA{uint8(x * 6), uint8(y * 8), 99, 255})
		}
	}
	return m
}

func jpegFile(t testing.TB) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture(), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngFile(t testing.TB) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, picture()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gifFile(t testing.TB) []byte {
	var b bytes.Buffer
	if err := gif.Encode(&b, picture(), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const secret = "GPS 30.123 120.456"

// withExif puts an Exif segment with an orientation and a secret, and a comment, behind the start of a JPEG.
func withExif(j []byte) []byte {
	tiff := []byte("II\x2a\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00" + secret)
	seg := func(code byte, body string) []byte {
		return append([]byte{0xFF, code, byte((len(body) + 2) >> 8), byte(len(body) + 2)}, body...)
	}
	out := append([]byte{0xFF, 0xD8}, seg(0xE1, "Exif\x00\x00"+string(tiff))...)
	out = append(out, seg(0xFE, secret)...)
	out = append(out, j[2:]...)
	return append(out, []byte("PK\x03\x04 hidden archive "+secret)...)
}

func chunk(kind, body string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	b = append(append(b, kind...), body...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE([]byte(kind+body)))
}

func TestPicturesLoseWhatTheyTellAboutTheirOwner(t *testing.T) {
	t.Parallel()
	p := pngFile(t)
	pngTold := append(append(append([]byte(nil), p[:33]...), chunk("tEXt", "Location\x00"+secret)...), p[33:]...)
	g := gifFile(t)
	gifTold := append(append([]byte(nil), g[:len(g)-1]...), append([]byte{0x21, 0xFE, byte(len(secret))}, secret+"\x00\x3B"+secret...)...)
	for name, data := range map[string][]byte{"a.jpg": withExif(jpegFile(t)), "a.png": append(pngTold, secret...), "a.gif": gifTold} {
		f, err := Clean(name, data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if bytes.Contains(f.Data, []byte("GPS")) {
			t.Errorf("%s still tells where it was taken", name)
		}
		m, _, err := image.Decode(bytes.NewReader(f.Data))
		if err != nil {
			t.Fatalf("%s does not open any more: %v", name, err)
		}
		if m.Bounds().Dx() != 40 || f.Width != 40 || f.Height != 30 {
			t.Errorf("%s is %d×%d, was 40×30", name, f.Width, f.Height)
		}
	}
	f, err := Clean("a.jpg", withExif(jpegFile(t)))
	if err != nil {
		t.Fatal(err)
	}
	if i := bytes.Index(f.Data, []byte("Exif\x00\x00")); i < 0 || orientation(f.Data[i+6:]) != 6 {
		t.Error("the photo lost its orientation and lies on its side")
	}
}

func TestWebP(t *testing.T) {
	t.Parallel()
	part := func(kind, body string) string {
		s := kind + string(binary.LittleEndian.AppendUint32(nil, uint32(len(body)))) + body
		if len(body)%2 == 1 {
			s += "\x00"
		}
		return s
	}
	body := "WEBP" + part("VP8X", "\x0c\x00\x00\x00\x27\x00\x00\x1d\x00\x00") + part("VP8L", "\x2f\x27\x40\x07\x00") + part("EXIF", secret) + part("XMP ", secret)
	f, err := Clean("x.webp", []byte("RIFF"+string(binary.LittleEndian.AppendUint32(nil, uint32(len(body))))+body))
	if err != nil {
		t.Fatal(err)
	}
	if f.Width != 40 || f.Height != 30 || bytes.Contains(f.Data, []byte("GPS")) || int(binary.LittleEndian.Uint32(f.Data[4:]))+8 != len(f.Data) {
		t.Errorf("%d×%d, %q", f.Width, f.Height, f.Data)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	bomb := append([]byte(nil), pngFile(t)...)
	binary.BigEndian.PutUint32(bomb[16:], 60000)
	binary.BigEndian.PutUint32(bomb[20:], 60000)
	binary.BigEndian.PutUint32(bomb[29:], crc32.ChecksumIEEE(bomb[12:29]))
	cut := jpegFile(t)
	for name, c := range map[string]struct {
		file string
		data []byte
		want error
	}{
		"nothing":                      {"a.jpg", nil, ErrEmpty},
		"Windows program as a picture": {"holiday.jpg", []byte("MZ\x90\x00\x03\x00\x00\x00"), ErrDisguised},
		"Linux program as a picture":   {"a.png", []byte("\x7fELF\x02\x01\x01\x00"), ErrDisguised},
		"script as a picture":          {"a.png", []byte("#!/bin/sh\nrm -rf /"), ErrDisguised},
		"web page as a picture":        {"a.gif", []byte("<html><script>alert(1)</script>"), ErrDisguised},
		"text as a picture":            {"a.gif", []byte("just words"), ErrDisguised},
		"web page as text":             {"a.txt", []byte("  <!DOCTYPE html><p>"), ErrDisguised},
		"drawing with scripts":         {"a.svg", []byte("<svg xmlns='http://www.w3.org/2000/svg'/>"), ErrType},
		"program":                      {"setup.exe", []byte("MZ\x90\x00\x03\x00\x00\x00"), ErrType},
		"archive":                      {"a.zip", []byte("PK\x03\x04\x00\x00"), ErrType},
		"HEIC":                         {"a.heic", []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00"), ErrType},
		"bomb of pixels":               {"a.png", bomb, ErrHuge},
		"half a JPEG":                  {"a.jpg", cut[:len(cut)/2], ErrBroken},
		"half a PNG":                   {"a.png", pngFile(t)[:60], ErrBroken},
		"half a GIF":                   {"a.gif", gifFile(t)[:60], ErrBroken},
		"PNG with a wrong sum":         {"a.png", append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, 40)...), ErrBroken},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := Clean(c.file, c.data); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"../../etc/passwd":                "passwd.jpg",
		`C:\Users\me\holiday.JPEG`:        "holiday.jpeg",
		"invoice\u202Egpj.exe":            "invoicegpj.exe.jpg",
		"路灯.jpg":                          "路灯.jpg",
		"a\x00b\n.jpg":                    "ab.jpg",
		"...":                             "file.jpg",
		"":                                "file.jpg",
		"con.jpg":                         "filecon.jpg",
		"x.php":                           "x.php.jpg",
		`"><img onerror=1>.jpg`:           "___img onerror=1_.jpg",
		strings.Repeat("长", 300) + ".jpg": strings.Repeat("长", 96) + ".jpg",
	} {
		if got := CleanName(in, JPEG); got != want {
			t.Errorf("CleanName(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a.jpg", withExif(jpegFile(f)))
	f.Add("b.png", pngFile(f))
	f.Add("c.gif", gifFile(f))
	f.Add("d.webp", []byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x05\x00\x00\x00\x2f\x27\x40\x07\x00\x00"))
	f.Add("e/../\u202e", []byte("%PDF-1.7\n"))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		got, err := Clean(name, bytes.Clone(data))
		if err != nil {
			return
		}
		if n := utf8.RuneCountInString(got.Name); got.Name == "" || n > maxName+4 || strings.ContainsAny(got.Name, "/\\\x00\n\"<>") {
			t.Fatalf("bad name %q", got.Name)
		}
		for _, r := range got.Name {
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
				t.Fatalf("hidden character in %q", got.Name)
			}
		}
		if len(got.Data) == 0 || len(got.Data) > len(data)+64 {
			t.Fatalf("%d bytes became %d", len(data), len(got.Data))
		}
		again, err := Clean(got.Name, bytes.Clone(got.Data))
		if err != nil || again.Type != got.Type || !bytes.Equal(again.Data, got.Data) {
			t.Fatalf("cleaning twice differs: %v", err)
		}
	})
}
