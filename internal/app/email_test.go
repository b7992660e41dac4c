package app_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"hotline/channels/email/emailtest"
	"hotline/chat"
	"hotline/internal/app"
	"hotline/internal/db"
	"hotline/internal/testkit"
)

// mailRig is a city with a mailbox.
func mailRig(t *testing.T) (*app.App, *emailtest.SMTP, *emailtest.IMAP, *testkit.Log) {
	t.Helper()
	out, in := emailtest.NewSMTP(t, emailtest.Options{Plain: true}), emailtest.NewIMAP(t, emailtest.Options{Plain: true})
	log, text := testkit.NewLog()
	a := start(t, log, "HOTLINE_EMAIL_FROM=Lanting Hotline <hotline@lanting.example>", "HOTLINE_SMTP_URL=smtp://"+out.Addr+"?tls=no", "HOTLINE_IMAP_URL="+in.URL())
	return a, out, in, text
}

// thread is one conversation by e-mail: each mail answers the last one that came.
type thread struct {
	t       *testing.T
	out     *emailtest.SMTP
	in      *emailtest.IMAP
	person  string
	subject string
	last    string // Message-ID of the mail that is answered
	seen    map[string]bool
}

func (th *thread) write(id, text string) {
	th.t.Helper()
	l := emailtest.Letter{From: "Zebulon Quagmire <" + th.person + ">", ID: id + "@citizen.example", Subject: th.subject, References: th.last, Text: text}
	if th.last != "" {
		l.Subject, l.Text = "Re: "+th.subject, text+"\r\n\r\nOn Tue, 24 Nov 2026 at 10:00, Lanting Hotline <hotline@lanting.example> wrote:\r\n> something\r\n"
	}
	th.in.Deliver(th.t, l.String())
}

// read waits for a mail that holds the words and has not been read.
func (th *thread) read(what, words string) emailtest.Read {
	th.t.Helper()
	m := th.out.Await(th.t, what, func(m emailtest.Mail) bool {
		return m.To == th.person && !th.seen[string(m.Raw)] && strings.Contains(m.Open(th.t).Text, words)
	})
	th.seen[string(m.Raw)] = true
	r := m.Open(th.t)
	th.last = strings.Trim(r.Header.Get("Message-Id"), "<>")
	return r
}

// TestComplaintByEmail: a mail becomes a ticket in a dialogue of mails, staff answer it, and the answer is a mail in the same thread.
func TestComplaintByEmail(t *testing.T) {
	t.Parallel()
	a, out, in, log := mailRig(t)
	th := &thread{t: t, out: out, in: in, person: "zebulon@quagmire.example", subject: "Noise from a building site at night", seen: map[string]bool{}}
	th.write("1", "I want to complain: every night the construction noise keeps us awake.")
	first := th.read("the first answer", "")
	if got := first.Header.Get("In-Reply-To"); got != "<1@citizen.example>" || first.Header.Get("Auto-Submitted") != "auto-replied" {
		t.Errorf("answers %q", got)
	}
	if subject, _ := first.Header.Subject(); subject != "Re: Noise from a building site at night" {
		t.Errorf("subject %q", subject)
	}
	// The bot asks for what is missing; what it offers is answered by its number.
	th.write("2", "At 12 Riverside Road")
	th.write("3", pick(t, th.read("the question how to reach", "  Just answer me here").Text, "Just answer me here"))
	th.write("4", pick(t, th.read("the question whether all is right", "  Yes, send it").Text, "Yes, send it"))
	filed := th.read("the number and the code", "racking code")
	if !code.MatchString(filed.Text) {
		t.Errorf("no tracking code in %q", filed.Text)
	}

	var ticket, conversation uuid.UUID
	var channel, contact string
	err := db.ReadTx(t.Context(), a.Pool(), db.System(), func(tx db.Tx) error {
		return tx.QueryRow(t.Context(), `select t.id, t.conversation_id, t.channel, c.email from tickets t join conversations v on v.id = t.conversation_id join contacts c on c.id = v.contact_id`).Scan(&ticket, &conversation, &channel, &contact)
	})
	if err != nil || channel != "email" || contact != th.person {
		t.Fatalf("channel %q, contact %q, %v", channel, contact, err)
	}
	if _, err := a.Chat.Post(t.Context(), staffOf(t, a, "dispatcher@lanting.example").Actor, conversation, chat.Outgoing{Text: "An inspector has been there: **quiet from tonight**.", TicketID: ticket}); err != nil {
		t.Fatal(err)
	}
	answer := th.read("the officer's answer", "quiet from tonight")
	if answer.Header.Has("Auto-Submitted") || answer.Header.Get("In-Reply-To") != "<4@citizen.example>" {
		t.Errorf("the officer's mail: %v", answer.Header)
	}
	// An answer to that mail alone, by a program that keeps no other reference, comes back to the case.
	th.write("5", "Thank you, it is quiet.")
	awaitRow(t, a, "the citizen's thanks", `select exists (select from messages where conversation_id = $1 and author = 'citizen' and text = 'Thank you, it is quiet.')`, conversation)

	// The mail that came back is a failed delivery in the console.
	key := strings.TrimPrefix(strings.Split(strings.Trim(answer.Header.Get("Message-Id"), "<>"), "@")[0], "hotline.")
	in.Deliver(t, emailtest.Letter{From: "MAILER-DAEMON@mx.example", ID: "b@mx.example", Subject: "failure notice", Text: "Message-ID: <hotline." + key + "@lanting.example>"}.String())
	awaitRow(t, a, "the failed delivery", `select exists (select from deliveries where id = $1 and state = 'failed' and error like '%came back%')`, key)
	for _, secret := range []string{"zebulon", "Zebulon", "quagmire", "Riverside", emailtest.Password} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}

var code = regexp.MustCompile(`\d{4} \d{4} \d{4} \d{4} \d{4}`)

// pick finds what is typed for a choice.
func pick(t *testing.T, text, label string) string {
	t.Helper()
	for line := range strings.SplitSeq(text, "\r\n") {
		if n, words, ok := strings.Cut(line, "  "); ok && strings.HasPrefix(words, label) {
			return n
		}
	}
	t.Fatalf("%q is not offered in %q", label, text)
	return ""
}

// A provider that takes no passwords: both sides of the mailbox are reached with one token, and no secret is in the log.
func TestAMailboxWithoutAPassword(t *testing.T) {
	t.Parallel()
	tokens := emailtest.NewTokens(t, "refresh-0", 3600)
	o := emailtest.Options{Plain: true, Tokens: tokens, Mechanism: "XOAUTH2"}
	out, in := emailtest.NewSMTP(t, o), emailtest.NewIMAP(t, o)
	log, text := testkit.NewLog()
	user := url.User(emailtest.User).String()
	start(t, log, "HOTLINE_EMAIL_FROM=Lanting Hotline <hotline@lanting.example>", "HOTLINE_SMTP_URL=smtp://"+user+"@"+out.Addr+"?tls=no", "HOTLINE_IMAP_URL=imap://"+user+"@"+in.Addr+"?tls=no",
		"HOTLINE_EMAIL_OAUTH_TOKEN_URL="+tokens.URL, "HOTLINE_EMAIL_OAUTH_CLIENT_ID="+emailtest.ClientID, "HOTLINE_EMAIL_OAUTH_CLIENT_SECRET="+emailtest.ClientSecret, "HOTLINE_EMAIL_OAUTH_REFRESH_TOKEN=refresh-0")
	th := &thread{t: t, out: out, in: in, person: "zebulon@quagmire.example", subject: "Parking", seen: map[string]bool{}}
	th.write("1", "Where do I get a parking permit?")
	th.read("the answer", "permit")
	if tokens.Given() != 1 || out.Logins() == 0 {
		t.Errorf("%d tokens, %d logins", tokens.Given(), out.Logins())
	}
	for _, secret := range []string{emailtest.ClientSecret, "refresh-0", "refresh-1", "access-1"} {
		if strings.Contains(text.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}
