package email

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/textproto"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // GB18030, Big5, Shift JIS and the others that mails are written in
	"github.com/emersion/go-message/mail"
	"golang.org/x/text/encoding/simplifiedchinese"

	"hotline/channels"
)

// Limits of what is read from a mail.
const (
	maxMail    = 36 << 20 // bytes of a mail; ten files of citizens' phones fit
	maxHeader  = 256 << 10
	maxParts   = 100
	maxBody    = 1 << 20 // bytes of one text part; far above channels.MaxText
	maxFile    = 12 << 20
	maxAddress = 150    // bytes; a thread holds the address and 17 more
	smallLogo  = 20_000 // bytes of a picture in the text that is part of a signature and not of the message
)

// incoming is a mail that was taken apart.
type incoming struct {
	header  mail.Header
	from    mail.Address
	id      string   // unique for the mail, always there
	refs    []string // Message-IDs it refers to, oldest first
	subject string
	text    string // as its writer meant it: decoded, without quotes and signature
	files   []fileIn
	left    []string // names of files that were too large or too many to read
	date    time.Time
	report  *mailReport
}

type fileIn struct {
	name string
	data []byte
}

var (
	errNotAMail = errors.New("it has no readable header")
	errNoSender = errors.New("it has no sender that can be answered")
	anyID       = regexp.MustCompile(`<([^<>\s@]{1,900}@[^<>\s]{1,255})>`)
	splitWord   = regexp.MustCompile(`(=\?[^?\s]+\?[bB]\?)([A-Za-z0-9+/]*)\?=\s+(=\?[^?\s]+\?[bB]\?)`)
)

// parse takes a mail apart. An error says in words, without personal data, why that cannot be done; the letter then holds what was found.
func parse(raw []byte) (incoming, error) {
	l := incoming{id: contentID(raw)}
	e, err := message.ReadWithOptions(bytes.NewReader(raw), &message.ReadOptions{MaxHeaderBytes: maxHeader})
	if e == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
		return l, errNotAMail
	}
	l.header = mail.Header{Header: e.Header}
	l.head()
	b := bodies{answers: len(l.refs) > 0}
	walkErr := b.walk(e, 0, false)
	l.text, l.files, l.left, l.report = b.text(), b.files, b.left, b.report
	if walkErr != nil && l.text == "" && len(l.files) == 0 && l.report == nil {
		return l, fmt.Errorf("its body cannot be read: %w", errNotAMail)
	}
	if l.from.Address == "" {
		return l, errNoSender
	}
	return l, nil
}

// contentID names a mail that has no Message-ID, or one too long to keep.
func contentID(raw []byte) string {
	sum := sha256.Sum256(raw)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func (l *incoming) head() {
	if id, err := l.header.MessageID(); err == nil && id != "" && len(id) <= channels.MaxName && clean(id) {
		l.id = id
	}
	for _, name := range []string{"References", "In-Reply-To"} {
		// Some programs write anything here; what looks like an id is one.
		for _, m := range anyID.FindAllStringSubmatch(l.header.Get(name), 100) {
			l.refs = append(l.refs, m[1])
		}
	}
	l.subject = decodeHeader(l.header.Get("Subject"))
	if date, err := l.header.Date(); err == nil {
		l.date = date
	}
	for _, name := range []string{"Reply-To", "From"} {
		list, err := l.header.AddressList(name)
		if err != nil || len(list) == 0 {
			continue
		}
		a := list[0]
		at := strings.LastIndexByte(a.Address, '@')
		if at < 1 || len(a.Address) > maxAddress || !clean(a.Address) {
			continue
		}
		l.from = mail.Address{Name: decodeHeader(a.Name), Address: strings.ToLower(a.Address)}
		return
	}
}

// clean: no blank, no control character, valid UTF-8.
func clean(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

// decodeHeader reads a header as people wrote it: encoded words, also where a character was cut in two between them, and bytes without any encoding.
func decodeHeader(s string) string {
	for splitWord.MatchString(s) {
		joined := splitWord.ReplaceAllStringFunc(s, func(m string) string {
			p := splitWord.FindStringSubmatch(m)
			if !strings.EqualFold(p[1], p[3]) || len(p[2])%4 != 0 {
				return m
			}
			return p[1] + p[2]
		})
		if joined == s {
			break
		}
		s = joined
	}
	d := mime.WordDecoder{CharsetReader: message.CharsetReader}
	if out, err := d.DecodeHeader(s); err == nil {
		s = out
	}
	return guess(s)
}

// guess repairs text whose encoding was not said, or not truly: what is no UTF-8 is most often GB18030, which every byte sequence of older Chinese
// programs is.
func guess(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	if out, err := simplifiedchinese.GB18030.NewDecoder().String(s); err == nil {
		return out
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// bodies collects the parts of a mail.
type bodies struct {
	plain, html []string
	files       []fileIn
	left        []string
	report      *mailReport
	answers     bool
	parts       int
}

func (b *bodies) walk(e *message.Entity, depth int, reporting bool) error {
	b.parts++
	if b.parts > maxParts || depth > 12 {
		return errNotAMail
	}
	kind, params, err := e.Header.ContentType()
	if err != nil {
		kind = "text/plain"
	}
	if mr := e.MultipartReader(); mr != nil {
		isReport := kind == "multipart/report"
		if isReport && b.report == nil {
			b.report = &mailReport{kind: strings.ToLower(params["report-type"])}
		}
		for {
			p, err := mr.NextPart()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if p == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
				return err
			}
			if err := b.walk(p, depth+1, reporting || isReport); err != nil {
				return err
			}
		}
	}
	if reporting && kind != "text/plain" && kind != "text/html" {
		return b.report.read(kind, io.LimitReader(e.Body, maxBody))
	}
	disposition, dparams, _ := e.Header.ContentDisposition()
	name := decodeHeader(dparams["filename"])
	if name == "" {
		name = decodeHeader(params["name"])
	}
	if disposition != "attachment" && name == "" && (kind == "text/plain" || kind == "text/html") || kind == "text/html" && disposition != "attachment" {
		text, err := io.ReadAll(io.LimitReader(e.Body, maxBody))
		if kind == "text/html" {
			b.html = append(b.html, guess(string(text)))
		} else {
			b.plain = append(b.plain, guess(string(text)))
		}
		return err
	}
	return b.file(e, kind, disposition, name)
}

func (b *bodies) file(e *message.Entity, kind, disposition, name string) error {
	if name == "" {
		name = "file"
		if ext, err := mime.ExtensionsByType(kind); err == nil && len(ext) > 0 {
			name += ext[0]
		}
		if kind == "message/rfc822" {
			name = "mail.eml"
		}
	}
	data, err := io.ReadAll(io.LimitReader(e.Body, maxFile+1))
	switch {
	case err != nil && len(data) == 0:
		return err
	case disposition != "attachment" && e.Header.Get("Content-Id") != "" && len(data) < smallLogo && strings.HasPrefix(kind, "image/"):
	case kind == "application/pgp-signature", kind == "application/pkcs7-signature", kind == "application/x-pkcs7-signature", kind == "text/calendar":
	case len(data) > maxFile || len(b.files) >= channels.MaxUploads:
		b.left = append(b.left, name)
	default:
		b.files = append(b.files, fileIn{name: name, data: data})
	}
	return nil
}

// text is what the person wrote.
func (b *bodies) text() string {
	s := channels.CleanText(strings.Join(b.plain, "\n\n"))
	if s == "" {
		for _, h := range b.html {
			s += "\n\n" + htmlText(h)
		}
		s = channels.CleanText(s)
	}
	return written(s, b.answers)
}

// mailReport is what a mail server says about a mail of ours (RFC 3464).
type mailReport struct {
	kind     string // report-type
	action   string // failed, delayed, delivered, relayed, expanded
	status   string // 5.1.1
	envelope string // Original-Envelope-Id, as we gave it
	about    string // Message-ID of the mail
}

func (r *mailReport) read(kind string, body io.Reader) error {
	data, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	switch kind {
	case "message/delivery-status", "message/global-delivery-status":
		for block := range strings.SplitSeq(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n\n") {
			h := fields(block)
			if v := h.Get("Original-Envelope-Id"); v != "" {
				r.envelope = v
			}
			// One failed recipient makes a failure: we write to one.
			if v := strings.ToLower(h.Get("Action")); v != "" && r.action != "failed" {
				r.action, r.status = v, h.Get("Status")
			}
		}
	case "message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers":
		head, _, _ := strings.Cut(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n\n")
		r.about = strings.Trim(fields(head).Get("Message-Id"), "<> ")
	}
	return nil
}

// fields reads header lines, leaving out what is none.
func fields(block string) textproto.MIMEHeader {
	h, last := textproto.MIMEHeader{}, ""
	for line := range strings.Lines(block) {
		line = strings.TrimRight(line, "\r\n")
		if last != "" && (strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t")) {
			h.Set(last, h.Get(last)+" "+strings.TrimSpace(line))
			continue
		}
		if k, v, ok := strings.Cut(line, ":"); ok && clean(k) {
			last = textproto.CanonicalMIMEHeaderKey(k)
			h.Add(last, strings.TrimSpace(v))
		}
	}
	return h
}
