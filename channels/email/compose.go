package email

import (
	"bytes"
	"context"
	_ "embed" // the page around the HTML part
	"errors"
	"fmt"
	"html/template"
	"io"
	"mime"
	"strings"
	"time"

	"github.com/emersion/go-message/mail"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/util"

	"hotline/channels"
)

// maxAttached is how many bytes of files go with a mail. In base64 they are a third more, and 25 MB is what the large providers take.
const maxAttached = 15 << 20

// markdown renders what goes into the HTML part. Tags in a text are text, as they are in the plain part: neither of the parsers that know HTML is
// there, and Goldmark leaves out addresses that run something.
var markdown = goldmark.New(
	goldmark.WithParser(parser.NewParser(
		parser.WithBlockParsers(without(parser.DefaultBlockParsers(), parser.NewHTMLBlockParser())...),
		parser.WithInlineParsers(without(parser.DefaultInlineParsers(), parser.NewRawHTMLParser())...),
		parser.WithParagraphTransformers(parser.DefaultParagraphTransformers()...))),
	goldmark.WithExtensions(extension.Table, extension.Strikethrough, extension.Linkify),
	goldmark.WithRendererOptions(html.WithHardWraps()))

func without(all []util.PrioritizedValue, one any) []util.PrioritizedValue {
	out := all[:0]
	for _, v := range all {
		if fmt.Sprintf("%T", v.Value) != fmt.Sprintf("%T", one) {
			out = append(out, v)
		}
	}
	return out
}

//go:embed mail.html
var pageSource string

var page = template.Must(template.New("mail").Parse(pageSource))

// letter is a mail before it is written: what both its parts say.
type letter struct {
	Lang, Name    string
	Body          template.HTML
	Text          string
	SourcesTitle  string
	Sources       []source
	ChoicesTitle  string
	Choices       []string
	Left          []string // sentences on files that are too large to go along
	Footer        string
	attached      []channels.Upload
	subject       string
	replied       bool
	machine       bool
	messageID, to string
	inReplyTo     string
	stop          string
	date          time.Time
}

type source struct{ Words, URL string }

// compose decides what a mail says.
func (a *Adapter) compose(out channels.Outbound, to string) letter {
	say := func(key string, args ...any) string { return a.o.Words(out.Lang, "channel."+key, args...) }
	l := letter{Lang: out.Lang, to: to, date: now(), machine: out.Author != "staff", replied: out.ReplyTo != "", Text: channels.Plain(out.Text, a.o.BaseURL), Footer: say("email.footer"),
		subject: say("email.subject")}
	if out.Author == "staff" {
		l.Name = out.Name
	}
	if out.Title != "" {
		l.subject = reply(out.Title)
	}
	if out.Subject != "" {
		l.subject = out.Subject
	}
	l.stop = out.Stop
	if strings.TrimSpace(out.Text) == "" && len(out.Uploads) > 0 {
		out.Text = say("email.files_only")
		l.Text = out.Text
	}
	l.Body = render(a.absolute(out.Text))
	if len(out.Citations) > 0 {
		l.SourcesTitle = say("sources")
	}
	for _, c := range out.Citations {
		l.Sources = append(l.Sources, source{Words: say("source", "title", c.Title, "version", c.Version), URL: channels.Absolute(c.URL, a.o.BaseURL)})
	}
	if len(out.Choices) > 0 {
		l.ChoicesTitle = say("choices")
	}
	for _, c := range out.Choices {
		l.Choices = append(l.Choices, c.Line())
	}
	var total int64
	for _, u := range out.Uploads {
		if total+u.Size > maxAttached {
			l.Left = append(l.Left, say("file_left_out", "name", u.Name))
			continue
		}
		total += u.Size
		l.attached = append(l.attached, u)
	}
	if out.Key != "" {
		l.messageID = a.messageID(out.Key)
	}
	if strings.ContainsRune(out.ReplyTo, '@') { // mails without an id of their own are known by something else
		l.inReplyTo = out.ReplyTo
	}
	return l
}

// absolute gives links within the site their beginning, which a mail does not have.
func (a *Adapter) absolute(md string) string {
	if a.o.BaseURL == "" {
		return md
	}
	return strings.ReplaceAll(md, "](/", "]("+strings.TrimSuffix(a.o.BaseURL, "/")+"/")
}

// reply is the subject of an answer.
func reply(subject string) string {
	s := strings.TrimSpace(subject)
	for _, known := range []string{"re:", "re：", "回复:", "回复：", "答复:", "答复："} {
		if strings.HasPrefix(strings.ToLower(s), known) {
			return s
		}
	}
	return "Re: " + s
}

func render(md string) template.HTML {
	var out bytes.Buffer
	if err := markdown.Convert([]byte(strings.ToValidUTF8(md, "\uFFFD")), &out); err != nil { // a buffer takes everything
		return template.HTML("<p>" + template.HTMLEscapeString(md) + "</p>")
	}
	return template.HTML(out.String())
}

// plain is the text part.
func (l letter) plain() string {
	var b strings.Builder
	if l.Name != "" {
		b.WriteString(l.Name + ":\n\n")
	}
	b.WriteString(l.Text)
	if len(l.Choices) > 0 {
		b.WriteString("\n\n" + l.ChoicesTitle)
		for _, c := range l.Choices {
			b.WriteString("\n" + c)
		}
	}
	if len(l.Sources) > 0 {
		b.WriteString("\n\n" + l.SourcesTitle)
		for _, s := range l.Sources {
			b.WriteString("\n- " + s.Words)
			if s.URL != "" {
				b.WriteString("\n  " + s.URL)
			}
		}
	}
	for _, s := range l.Left {
		b.WriteString("\n\n" + s)
	}
	return b.String() + "\n\n-- \n" + l.Footer + "\n"
}

// write makes the mail. Files are read while it is written.
func (a *Adapter) write(ctx context.Context, w io.Writer, l letter) (err error) {
	var h mail.Header
	h.SetAddressList("From", []*mail.Address{{Name: a.from.Name, Address: a.from.Address}})
	h.SetAddressList("To", []*mail.Address{{Address: l.to}})
	h.SetSubject(l.subject)
	h.SetDate(l.date)
	h.SetMessageID(l.messageID)
	if l.inReplyTo != "" {
		h.SetMsgIDList("In-Reply-To", []string{l.inReplyTo})
		h.SetMsgIDList("References", []string{l.inReplyTo})
	}
	switch {
	case l.machine && l.replied:
		h.Set("Auto-Submitted", "auto-replied") // RFC 3834, section 5
	case l.machine:
		h.Set("Auto-Submitted", "auto-generated")
	}
	h.Set("X-Auto-Response-Suppress", "DR, NDR, RN, NRN, OOF, AutoReply") // the same for Exchange, which minds nothing else; bounces come from elsewhere
	if l.Lang != "" {
		h.Set("Content-Language", l.Lang)
	}
	if l.stop != "" { // the mail program's own button (RFC 8058)
		h.Set("List-Unsubscribe", "<"+l.stop+">")
		h.Set("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
	}
	if len(l.attached) == 0 {
		in, err := mail.CreateInlineWriter(w, h)
		if err != nil {
			return err
		}
		return errors.Join(l.parts(in), in.Close())
	}
	m, err := mail.CreateWriter(w, h)
	if err != nil {
		return err
	}
	in, err := m.CreateInline()
	if err != nil {
		return err
	}
	if err := errors.Join(l.parts(in), in.Close()); err != nil {
		return err
	}
	for _, u := range l.attached {
		if err := attach(ctx, m, u); err != nil {
			return err
		}
	}
	return m.Close()
}

func (l letter) parts(in *mail.InlineWriter) error {
	var rich bytes.Buffer
	if err := page.Execute(&rich, l); err != nil {
		return err
	}
	for _, p := range []struct{ kind, body string }{{"text/plain", strings.ReplaceAll(l.plain(), "\n", "\r\n")}, {"text/html", rich.String()}} {
		var h mail.InlineHeader
		h.SetContentType(p.kind, map[string]string{"charset": "utf-8"})
		w, err := in.CreatePart(h)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, p.body); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
	}
	return nil
}

func attach(ctx context.Context, m *mail.Writer, u channels.Upload) error {
	f, err := u.Open(ctx)
	if err != nil {
		return err
	}
	defer f.Close()
	var h mail.AttachmentHeader
	kind := u.Type
	if _, _, err := mime.ParseMediaType(kind); err != nil {
		kind = "application/octet-stream"
	}
	h.SetContentType(kind, nil)
	h.SetFilename(u.Name)
	w, err := m.CreateAttachment(h)
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, f); err != nil {
		return err
	}
	return w.Close()
}
