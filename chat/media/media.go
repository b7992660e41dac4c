// Package media decides what people may send as files and makes it harmless: the type is read from the content, never believed from a name
// or a header; pictures lose their metadata (place, device, comments) and whatever hides behind their end; names lose paths and tricks.
//
// The package is pure: bytes in, bytes out, no files and no network, and it never decodes pixels, so a picture that would unpack to
// gigabytes costs nothing. HEIC is refused on purpose: its metadata cannot be cut out safely, and phones send JPEG when that is asked for.
package media

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"hotline/internal/errs"
)

// The types that are taken.
const (
	JPEG = "image/jpeg"
	PNG  = "image/png"
	GIF  = "image/gif"
	WebP = "image/webp"
	PDF  = "application/pdf"
	Text = "text/plain"
)

// Types lists what is taken, pictures first: for accept attributes.
func Types() []string { return []string{JPEG, PNG, GIF, WebP, PDF, Text} }

// Limits of pictures. A side of 16,384 covers every camera; 64 million pixels unpack to 256 MB at most, in the reader's browser.
const (
	MaxSide   = 16384
	MaxPixels = 64 << 20
)

// Errors of Clean.
var (
	ErrEmpty     = errs.New(errs.Invalid, "chat.file_empty", "the file is empty")
	ErrType      = errs.New(errs.Invalid, "chat.file_type", "files of this type are not taken")
	ErrDisguised = errs.New(errs.Invalid, "chat.file_disguised", "the file is not what its name says")
	ErrBroken    = errs.New(errs.Invalid, "chat.file_broken", "the picture is damaged")
	ErrHuge      = errs.New(errs.TooLarge, "chat.image_too_large", "the picture has too many pixels")
)

// File is a file made harmless.
type File struct {
	Name   string
	Type   string
	Data   []byte
	Width  int
	Height int
}

// Clean checks a file and makes it harmless. It may reuse data.
// Errors: ErrEmpty, ErrType, ErrDisguised, ErrBroken, ErrHuge.
func Clean(name string, data []byte) (File, error) {
	if len(data) == 0 {
		return File{}, ErrEmpty.On("file")
	}
	f := File{Type: sniff(data), Data: data}
	claimed := claimedType(name)
	if f.Type == "" || claimed != "" && isImage(claimed) && !isImage(f.Type) {
		if claimed != "" {
			return File{}, ErrDisguised.On("file")
		}
		return File{}, ErrType.On("file")
	}
	var err error
	switch f.Type {
	case JPEG:
		f.Data, f.Width, f.Height, err = stripJPEG(data)
	case PNG:
		f.Data, f.Width, f.Height, err = stripPNG(data)
	case GIF:
		f.Data, f.Width, f.Height, err = stripGIF(data)
	case WebP:
		f.Data, f.Width, f.Height, err = stripWebP(data)
	}
	if err != nil {
		return File{}, err
	}
	if isImage(f.Type) {
		if f.Width <= 0 || f.Height <= 0 {
			return File{}, ErrBroken.On("file")
		}
		if f.Width > MaxSide || f.Height > MaxSide || f.Width*f.Height > MaxPixels {
			return File{}, ErrHuge.On("file").With("max", MaxSide)
		}
	}
	f.Name = CleanName(name, f.Type)
	return f, nil
}

func isImage(t string) bool { return strings.HasPrefix(t, "image/") }

// sniff reads the type from the content, "" for everything that is not taken.
func sniff(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte{0xFF, 0xD8, 0xFF}):
		return JPEG
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")):
		return PNG
	case bytes.HasPrefix(b, []byte("GIF87a")), bytes.HasPrefix(b, []byte("GIF89a")):
		return GIF
	case len(b) >= 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP":
		return WebP
	case bytes.HasPrefix(b, []byte("%PDF-1.")), bytes.HasPrefix(b, []byte("%PDF-2.")):
		return PDF
	case isText(b):
		return Text
	}
	return ""
}

// isText: UTF-8 without control characters that does not begin like markup or a script. What a browser might run is refused, even though
// it is served as a download.
func isText(b []byte) bool {
	b = bytes.TrimPrefix(b, []byte("\xEF\xBB\xBF"))
	if !utf8.Valid(b) {
		return false
	}
	for _, c := range b {
		if c < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f' || c == 0x7F {
			return false
		}
	}
	head := bytes.ToLower(bytes.TrimSpace(b[:min(len(b), 1024)]))
	for _, bad := range []string{"<", "#!", "@echo", "%!ps"} {
		if bytes.HasPrefix(head, []byte(bad)) {
			return false
		}
	}
	return !bytes.Contains(head, []byte("<script")) && !bytes.Contains(head, []byte("<html")) && !bytes.Contains(head, []byte("<svg"))
}

var extensions = map[string][]string{
	JPEG: {".jpg", ".jpeg", ".jpe", ".jfif"},
	PNG:  {".png"},
	GIF:  {".gif"},
	WebP: {".webp"},
	PDF:  {".pdf"},
	Text: {".txt", ".log", ".csv", ".md"},
}

func claimedType(name string) string {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return ""
	}
	ext := strings.ToLower(strings.TrimSpace(name[i:]))
	for t, all := range extensions {
		for _, e := range all {
			if e == ext {
				return t
			}
		}
	}
	return ""
}
