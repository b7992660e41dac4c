package channels

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"hotline/internal/errs"
)

// Limits of what comes from outside, in characters unless it says bytes.
const (
	MaxText    = 20_000
	MaxName    = 200 // bytes: account, thread, external id
	MaxChoice  = 200 // bytes
	MaxContact = 200
	MaxLabel   = 300
	MaxTitle   = 200
	MaxUploads = 10
)

// Errors of Clean.
var (
	ErrEmpty     = errs.New(errs.Invalid, "chat.empty", "the message has no text, choice, file or place")
	ErrTooLong   = errs.New(errs.TooLarge, "chat.too_long", "the message is too long").With("max", MaxText)
	ErrBadID     = errs.New(errs.Invalid, "chat.bad_id", "an identifier is missing, too long or holds unprintable characters")
	ErrBadPlace  = errs.New(errs.Invalid, "chat.bad_place", "the place is not on this planet").On("place")
	ErrManyFiles = errs.New(errs.TooLarge, "chat.too_many_files", "too many files with one message").On("uploads").With("max", MaxUploads)
)

// Clean makes an inbound message fit to store. Text is repaired, never refused for its encoding: broken UTF-8 becomes U+FFFD, characters
// that cannot be stored or seen are left out. Identifiers are refused instead, because a repaired one would name something else.
// Errors: ErrEmpty, ErrTooLong, ErrBadID (with its field), ErrBadPlace, ErrManyFiles.
func (in *Inbound) Clean() error {
	for _, id := range []struct{ field, value string }{
		{"channel", in.Channel}, {"account", in.Account}, {"thread", in.Thread}, {"external_id", in.ExternalID},
	} {
		if !goodID(id.value) {
			return ErrBadID.On(id.field)
		}
	}
	if in.Choice != "" && (len(in.Choice) > MaxChoice || !goodID(in.Choice)) {
		return ErrBadID.On("choice")
	}
	in.Text = CleanText(in.Text)
	if utf8.RuneCountInString(in.Text) > MaxText {
		return ErrTooLong.On("text")
	}
	if len(in.Uploads) > MaxUploads {
		return ErrManyFiles
	}
	if in.Place != nil {
		p := *in.Place // the caller's stays as it was
		if math.IsNaN(p.Lat) || math.IsNaN(p.Lon) || math.Abs(p.Lat) > 90 || math.Abs(p.Lon) > 180 {
			return ErrBadPlace
		}
		p.Label = CleanLine(p.Label, MaxLabel)
		in.Place = &p
	}
	in.Lang, in.Title = Lang(in.Lang), CleanLine(in.Title, MaxTitle)
	c := &in.Contact
	c.Name, c.Phone = CleanLine(c.Name, MaxContact), CleanLine(c.Phone, MaxContact)
	c.Email, c.Handle = CleanLine(c.Email, MaxContact), CleanLine(c.Handle, MaxContact)
	if in.Text == "" && in.Choice == "" && len(in.Uploads) == 0 && in.Place == nil {
		return ErrEmpty.On("text")
	}
	return nil
}

func goodID(s string) bool {
	if s == "" || len(s) > MaxName || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if unicode.IsControl(r) || hidden(r) {
			return false
		}
	}
	return true
}

// CleanText repairs a text of several lines: valid UTF-8, line ends as \n, no control characters but tab and line end, no characters that
// reorder or hide what people read, no blanks around.
func CleanText(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\r' || r == '\u2028' || r == '\u2029':
			return '\n'
		case unicode.IsControl(r) || hidden(r):
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

// CleanLine repairs a text of one line and cuts it to max characters.
func CleanLine(s string, max int) string {
	if len(s) > max*8 { // no sense in cleaning what is cut off anyway
		s = s[:max*8]
	}
	s = strings.Join(strings.Fields(CleanText(s)), " ")
	if utf8.RuneCountInString(s) > max {
		s = strings.TrimSpace(string([]rune(s)[:max]))
	}
	return s
}

// hidden: overrides that turn "exe.fdp" into "pdf.exe", byte order marks, tag characters and noncharacters. Joiners and the plain direction
// marks stay: Persian, Hindi and emoji need them.
func hidden(r rune) bool {
	switch {
	case r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r == 0xFEFF, r >= 0xE0000 && r <= 0xE007F,
		r >= 0xFDD0 && r <= 0xFDEF, r&0xFFFE == 0xFFFE, r == 0x200B, r == 0x2060:
		return true
	}
	return false
}

// Lang maps a language tag to one that the hotline stores, "" when it is none of them.
func Lang(tag string) string {
	tag = strings.ToLower(strings.ReplaceAll(tag, "_", "-"))
	switch {
	case tag == "en" || strings.HasPrefix(tag, "en-"):
		return "en"
	case tag == "zh" || strings.HasPrefix(tag, "zh-"):
		return "zh-CN"
	}
	return ""
}
