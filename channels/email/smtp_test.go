package email_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"
	"github.com/google/uuid"

	"hotline/channels"
	"hotline/channels/channeltest"
	"hotline/channels/email"
	"hotline/channels/email/emailtest"
	"hotline/internal/i18n"
	"hotline/internal/testkit"
)

var words = i18n.MustLoad()

// options reach a server; the certificate's name is not the address, so the test checks the name too.
func options(s *emailtest.SMTP, o emailtest.Options) email.Options {
	scheme, login, plain := "smtp", url.UserPassword(emailtest.User, emailtest.Password).String()+"@", ""
	switch {
	case o.Implicit:
		scheme = "smtps"
	case o.Plain:
		login, plain = "", "?tls=no"
	}
	return email.Options{SMTP: scheme + "://" + login + s.Addr + plain, From: "Lanting Hotline <Hotline@lanting.example>", BaseURL: "https://lanting.example", TLS: s.Client,
		Log: slog.New(slog.DiscardHandler), Words: words.T}
}

func sender(t *testing.T, o emailtest.Options) (*email.Adapter, *emailtest.SMTP) {
	t.Helper()
	s := emailtest.NewSMTP(t, o)
	a, err := email.New(options(s, o))
	if err != nil {
		t.Fatal(err)
	}
	return a, s
}

func TestSendingConforms(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, func(t *testing.T, _ channels.IngestFunc) channeltest.Fixture {
		a, s := sender(t, emailtest.Options{})
		return channeltest.Fixture{Adapter: a, Account: a.Account(), Thread: "ann@citizen.example", Inbox: func() []channeltest.Remote { return inbox(t, s) }, Fail: fail(s)}
	})
}

// inbox is what a person reads: the text above the line that says how to answer.
func inbox(t *testing.T, s *emailtest.SMTP) (box []channeltest.Remote) {
	for _, m := range s.Mails() {
		text, _, _ := strings.Cut(m.Open(t).Text, "\r\n-- \r\n")
		box = append(box, channeltest.Remote{Thread: m.To, Text: text})
	}
	return box
}

func fail(s *emailtest.SMTP) func(channeltest.Failure) {
	return func(f channeltest.Failure) {
		switch f {
		case channeltest.Refuse:
			s.Refuse("RCPT", 550, smtp.EnhancedCode{5, 1, 1})
		case channeltest.Busy:
			s.Refuse("RCPT", 450, smtp.EnhancedCode{4, 7, 1})
		case channeltest.Broken:
			s.Refuse("BODY", 451, smtp.EnhancedCode{4, 3, 0})
		case channeltest.Silence:
			s.Silence()
		}
	}
}

func message(key string) channels.Outbound {
	return channels.Outbound{ConversationID: uuid.New(), Seq: 2, Account: "hotline@lanting.example", Thread: "ann@citizen.example 3f2a9c0d1b2e4f60", Author: "bot", Text: "Hello.", Lang: "en", Key: key}
}

func send(t *testing.T, a *email.Adapter, out channels.Outbound) {
	t.Helper()
	if res, err := a.Send(t.Context(), out); err != nil || res.State != channels.Sent || res.RemoteID == "" {
		t.Fatalf("%+v, %v", res, err)
	}
}

func TestAnswerStaysInItsThread(t *testing.T) {
	t.Parallel()
	a, s := sender(t, emailtest.Options{Implicit: true})
	out := message("0197-key")
	out.Title, out.ReplyTo = "路灯坏了", "abc.1@citizen.example"
	send(t, a, out)
	send(t, a, out) // a repeat after a lost answer
	got := s.Mails()
	if len(got) != 2 || got[0].To != "ann@citizen.example" || got[0].From != "hotline@lanting.example" || s.Secure() != 2 || s.Logins() != 2 {
		t.Fatalf("%d mails, %d under TLS, %d logins: %+v", len(got), s.Secure(), s.Logins(), got)
	}
	m := got[0].Open(t)
	for name, want := range map[string]string{"In-Reply-To": "<abc.1@citizen.example>", "References": "<abc.1@citizen.example>", "Auto-Submitted": "auto-replied", "Content-Language": "en"} {
		if got := m.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if subject, err := m.Header.Subject(); err != nil || subject != "Re: 路灯坏了" {
		t.Errorf("subject %q, %v", subject, err)
	}
	if from, err := m.Header.AddressList("From"); err != nil || len(from) != 1 || from[0].Name != "Lanting Hotline" {
		t.Errorf("from %v, %v", from, err)
	}
	again := got[1].Open(t)
	if id := m.Header.Get("Message-Id"); !strings.Contains(id, "0197-key@lanting.example") || id != again.Header.Get("Message-Id") {
		t.Errorf("the repeat has another Message-ID: %q, %q", id, again.Header.Get("Message-Id"))
	}
}

func TestNewsHaveTheirOwnSubjectAndAButtonThatEndsThem(t *testing.T) {
	t.Parallel()
	a, s := sender(t, emailtest.Options{})
	out := message("k")
	out.Title, out.Subject, out.Stop = "lamp", "The answer to your case 2026-000123", "https://hotline.lanting.example/stop/abc"
	send(t, a, out)
	send(t, a, message("l"))
	m := s.Mails()[0].Open(t)
	if subject, err := m.Header.Subject(); err != nil || subject != out.Subject {
		t.Errorf("subject %q, %v", subject, err)
	}
	if m.Header.Get("List-Unsubscribe") != "<https://hotline.lanting.example/stop/abc>" || m.Header.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" {
		t.Errorf("%v", m.Header)
	}
	if other := s.Mails()[1].Open(t); other.Header.Has("List-Unsubscribe") {
		t.Error("an answer in a conversation can be unsubscribed from")
	}
}

func TestPersonsWordsAreNotMarkedAsAMachines(t *testing.T) {
	t.Parallel()
	a, s := sender(t, emailtest.Options{})
	out := message("k")
	out.Author, out.Name, out.Lang = "staff", "Li Wei", "zh-CN"
	send(t, a, out)
	m := s.Mails()[0].Open(t)
	if m.Header.Has("Auto-Submitted") {
		t.Error("an officer's mail says that a machine wrote it")
	}
	if !strings.Contains(m.Text, "Li Wei") || !strings.Contains(m.HTML, "Li Wei") || !strings.Contains(m.Text, "回复") {
		t.Errorf("%q\n%q", m.Text, m.HTML)
	}
}

func TestBothPartsSayTheSame(t *testing.T) {
	t.Parallel()
	a, s := sender(t, emailtest.Options{Plain: true})
	out := message("k")
	out.Text = "## Bring\n\n**Passport**, see [the form](/f/1).\n\n<script>alert(1)</script> <b>not bold</b>\n\n[bad](javascript:alert(1))"
	out.Citations = []channels.Citation{{Article: "x", Version: 3, Title: "Renewing a passport", URL: "/a/passport"}}
	out.Choices = []channels.Choice{{ID: "a", Label: "Yes <3", Typed: "1"}, {ID: "b", Label: "No"}}
	send(t, a, out)
	m := s.Mails()[0].Open(t)
	for _, want := range []string{"Bring", "Passport, see the form (https://lanting.example/f/1)", "<script>alert(1)</script> <b>not bold</b>", "Renewing a passport (version 3)",
		"https://lanting.example/a/passport", "1  Yes <3", "- No"} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("the text part lacks %q:\n%s", want, m.Text)
		}
	}
	for _, want := range []string{"<h2>Bring</h2>", "<strong>Passport</strong>", `href="https://lanting.example/f/1"`, "&lt;script&gt;alert(1)&lt;/script&gt;", "&lt;b&gt;not bold&lt;/b&gt;",
		`href="https://lanting.example/a/passport"`, "1  Yes &lt;3"} {
		if !strings.Contains(m.HTML, want) {
			t.Errorf("the HTML part lacks %q:\n%s", want, m.HTML)
		}
	}
	if strings.Contains(m.HTML, "<script") || strings.Contains(m.HTML, "javascript:") {
		t.Errorf("the HTML part could run something:\n%s", m.HTML)
	}
}

type file struct{ *bytes.Reader }

func (file) Close() error { return nil }

func TestFilesGoAlongAndLargeOnesAreNamed(t *testing.T) {
	t.Parallel()
	a, s := sender(t, emailtest.Options{})
	out := message("k")
	out.Text = ""
	give := func(name, kind string, size int, data string) {
		out.Uploads = append(out.Uploads, channels.Upload{Name: name, Type: kind, Size: int64(size),
			Open: func(context.Context) (io.ReadSeekCloser, error) { return file{bytes.NewReader([]byte(data))}, nil }})
	}
	give("答复.pdf", "application/pdf", 5, "%PDF-")
	give("video.bin", "application/octet-stream", 16<<20, "")
	send(t, a, out)
	m := s.Mails()[0].Open(t)
	if string(m.Attachments["答复.pdf"]) != "%PDF-" || len(m.Attachments) != 1 || !strings.Contains(m.Text, "video.bin") || !strings.Contains(m.HTML, "video.bin") {
		t.Errorf("%v, %q", m.Attachments, m.Text)
	}

	out.Uploads = []channels.Upload{{Name: "gone", Type: "x/y", Size: 1, Open: func(context.Context) (io.ReadSeekCloser, error) { return nil, errors.New("the store is away") }}}
	if _, err := a.Send(t.Context(), out); err == nil || len(s.Mails()) != 1 {
		t.Errorf("a mail without its file was sent: %v, %d", err, len(s.Mails()))
	}
}

func TestRefusalsAreToldApart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		command  string
		code     int
		enhanced smtp.EnhancedCode
		want     string // code of a permanent error, "" for "come back"
	}{
		"no such person":   {"RCPT", 550, smtp.EnhancedCode{5, 1, 1}, "gone"},
		"mailbox is full":  {"RCPT", 552, smtp.EnhancedCode{5, 2, 2}, "full"},
		"policy":           {"RCPT", 550, smtp.EnhancedCode{5, 7, 1}, "blocked"},
		"too large":        {"BODY", 552, smtp.EnhancedCode{5, 3, 4}, "too_large"},
		"content":          {"BODY", 554, smtp.EnhancedCode{5, 6, 0}, "refused"},
		"our address":      {"MAIL", 553, smtp.EnhancedCode{5, 7, 1}, "sender"},
		"greylisted":       {"RCPT", 451, smtp.EnhancedCode{4, 7, 1}, ""},
		"shutting down":    {"MAIL", 421, smtp.EnhancedCode{4, 3, 2}, ""},
		"our password":     {"LOGIN", 535, smtp.EnhancedCode{5, 7, 8}, ""},
		"disk of the host": {"BODY", 452, smtp.EnhancedCode{4, 3, 1}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, s := sender(t, emailtest.Options{})
			s.Refuse(c.command, c.code, c.enhanced)
			_, err := a.Send(t.Context(), message("k"))
			var permanent *channels.PermanentError
			var retry *channels.RetryError
			switch {
			case c.want == "" && (!errors.As(err, &retry) || retry.After <= 0):
				t.Errorf("%v, want a time to come back", err)
			case c.want != "" && (!errors.As(err, &permanent) || permanent.Code != c.want):
				t.Errorf("%v, want a permanent %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "citizen.example") {
				t.Errorf("the error names the person: %v", err)
			}
		})
	}
}

func TestAServerWithoutTLSGetsNothing(t *testing.T) {
	t.Parallel()
	s := emailtest.NewSMTP(t, emailtest.Options{Plain: true})
	o := options(s, emailtest.Options{})
	a, err := email.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Send(t.Context(), message("k")); err == nil || s.Logins() != 0 || len(s.Mails()) != 0 {
		t.Fatalf("%v; %d logins, %d mails in the clear", err, s.Logins(), len(s.Mails()))
	}
	if words, since := a.Trouble(); !strings.Contains(words, s.Addr) || since.IsZero() || strings.Contains(words, emailtest.Password) {
		t.Errorf("trouble: %q", words)
	}
}

func TestACertificateOfSomebodyElseIsRefused(t *testing.T) {
	t.Parallel()
	s := emailtest.NewSMTP(t, emailtest.Options{Implicit: true})
	o := options(s, emailtest.Options{Implicit: true})
	o.TLS.ServerName = "mail.elsewhere.example"
	a, err := email.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Send(t.Context(), message("k")); err == nil || s.Logins() != 0 {
		t.Fatalf("%v, %d logins", err, s.Logins())
	}
	o.TLS.ServerName = s.Name
	if a, err = email.New(o); err != nil {
		t.Fatal(err)
	}
	send(t, a, message("k"))
	if words, _ := a.Trouble(); words != "" {
		t.Errorf("trouble after a success: %q", words)
	}
}

func TestSettingsAreNamedAndPasswordsAreNot(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ url, from, want string }{
		{"smtps://u:sesame@", "a@b.example", "HOTLINE_SMTP_URL"},
		{"http://u:sesame@h", "a@b.example", "HOTLINE_SMTP_URL"},
		{"smtp://u:se%zzsame@h", "a@b.example", "HOTLINE_SMTP_URL"},
		{"smtp://u:sesame@mail.example?tls=no", "a@b.example", "HOTLINE_SMTP_URL"},
		{"smtps://mail.example?tls=no", "a@b.example", "HOTLINE_SMTP_URL"},
		{"smtps://u:sesame@mail.example", "hotline", "HOTLINE_EMAIL_FROM"},
	} {
		_, err := email.New(email.Options{SMTP: c.url, From: c.from, Words: words.T})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%s, %s: %v", c.url, c.from, err)
		}
	}
}

func TestThreadsWithoutAnAddressFailInWords(t *testing.T) {
	t.Parallel()
	log, out := testkit.NewLog()
	s := emailtest.NewSMTP(t, emailtest.Options{})
	o := options(s, emailtest.Options{})
	o.Log = log
	a, err := email.New(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, thread := range []string{"77", "", "@x", "a@\r\nRCPT TO:<b@c.example>"} {
		m := message("k")
		m.Thread = thread
		var permanent *channels.PermanentError
		if _, err := a.Send(t.Context(), m); !errors.As(err, &permanent) {
			t.Errorf("%q: %v", thread, err)
		}
	}
	m := message("k")
	m.Thread = "Ann@bücher.example"
	send(t, a, m)
	if got := s.Mails()[0].To; got != "Ann@xn--bcher-kva.example" {
		t.Errorf("sent to %q", got)
	}
	if strings.Contains(out.String(), emailtest.Password) {
		t.Error("the password is in the log")
	}
}
