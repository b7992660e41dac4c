package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"hotline/channels/email/emailtest"
	"hotline/channels/sms/smstest"
	"hotline/channels/telegram/telegramtest"
	"hotline/internal/testkit"
)

// TestOneNodeHoldsEachVendorAndAnotherTakesOver: an operator with room for one session, a mailbox and a bot's updates are one node's at a time; what the others
// have to send goes out there, and when that node is killed another goes on.
func TestOneNodeHoldsEachVendorAndAnotherTakesOver(t *testing.T) {
	t.Parallel()
	smsc, telegram := smstest.New(t), telegramtest.New(t)
	out, in := emailtest.NewSMTP(t, emailtest.Options{Plain: true}), emailtest.NewIMAP(t, emailtest.Options{Plain: true})
	d, files, key, nats := testkit.NewDatabase(t), t.TempDir(), keyFile(t), natsServer(t)
	vendors := []string{"HOTLINE_SMS_URL=" + smsc.URL(), "HOTLINE_SMS_FROM=12345", "HOTLINE_TELEGRAM_TOKEN=" + telegramtest.Token, "HOTLINE_TELEGRAM_API=" + telegram.URL,
		"HOTLINE_EMAIL_FROM=Lanting Hotline <hotline@lanting.example>", "HOTLINE_SMTP_URL=smtp://" + out.Addr + "?tls=no", "HOTLINE_IMAP_URL=" + in.URL()}
	first := spawn(t, t.TempDir(), "127.0.0.1:0", append(vendors, "HOTLINE_DATABASE_URL="+d.URL, "HOTLINE_FILES="+files, "HOTLINE_KEY_FILE="+key, "HOTLINE_NATS_URL="+nats)...)
	t.Cleanup(first.kill)
	smsc.AwaitBind()
	if _, err := sharedNode(t, d, files, key, nats, vendors...); err != nil {
		t.Fatal(err)
	}

	round := 0
	answered := func(when string) {
		t.Helper()
		round++
		// The turns of these run where they came in; the deliveries on either node.
		for i := range 6 {
			from := fmt.Sprintf("86138%02d%06d", round, i)
			if status, ok := smsc.Deliver(smstest.Message{From: from, Text: "Where do I get a parking permit?"}); !ok || status != 0 {
				t.Fatalf("%s: %v, %02X", when, ok, status)
			}
		}
		for i := range 6 {
			to := fmt.Sprintf("86138%02d%06d", round, i)
			smsc.Await(when+": answered", func(m smstest.Submitted) bool {
				return m.To == to && strings.Contains(strings.ToLower(m.Text), "permit")
			})
		}
		telegram.Push(telegramtest.TextUpdate(round, round, int64(70+round), "en", "Where do I get a parking permit?"))
		telegram.Await(t, when+": the answer in Telegram", func(m telegramtest.Sent) bool { return m.Chat == int64(70+round) })
		person := fmt.Sprintf("p%d@citizen.example", round)
		in.Deliver(t, emailtest.Letter{From: person, ID: fmt.Sprint(round, "@citizen.example"), Subject: "Parking", Text: "Where do I get a parking permit?"}.String())
		out.Await(t, when+": the answer by mail", func(m emailtest.Mail) bool { return m.To == person })
	}
	answered("with two nodes")
	if made, refused := smsc.Binds(); made != 1 || refused != 0 {
		t.Errorf("%d sessions with the operator, %d more were asked for", made, refused)
	}
	if in.Together() != 1 || telegram.PolledTwice() != 0 {
		t.Errorf("%d programs in one mailbox, %d collisions of updates", in.Together(), telegram.PolledTwice())
	}
	first.kill()
	began := time.Now()
	smsc.AwaitBinds(2)
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("the session stood empty for %s", took)
	}
	answered("after the first was killed")
	if made, _ := smsc.Binds(); made != 2 {
		t.Errorf("%d sessions with the operator", made)
	}
}
