package email_test

import (
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"hotline/channels"
	"hotline/channels/email"
	"hotline/channels/email/emailtest"
	"hotline/internal/testkit"
)

func oauth(s *emailtest.Tokens, refresh string) email.OAuth {
	return email.OAuth{TokenURL: s.URL, ClientID: emailtest.ClientID, ClientSecret: emailtest.ClientSecret, RefreshToken: refresh, Scope: emailtest.Scope}
}

// withToken is a sender that logs in with tokens.
func withToken(t *testing.T, mechanism string, s *emailtest.Tokens, o email.OAuth, log *slog.Logger) (*email.Adapter, *emailtest.SMTP) {
	t.Helper()
	server := emailtest.NewSMTP(t, emailtest.Options{Tokens: s, Mechanism: mechanism})
	op := options(server, emailtest.Options{})
	op.SMTP, op.OAuth, op.Log = "smtp://"+url.User(emailtest.User).String()+"@"+server.Addr, o, log
	a, err := email.New(op)
	if err != nil {
		t.Fatal(err)
	}
	return a, server
}

var quiet = slog.New(slog.DiscardHandler)

func TestALoginWithATokenOfItsOwn(t *testing.T) {
	t.Parallel()
	for _, mechanism := range []string{"XOAUTH2", "OAUTHBEARER"} {
		tokens := emailtest.NewTokens(t, "", 3600)
		a, server := withToken(t, mechanism, tokens, oauth(tokens, ""), quiet)
		for range 3 {
			send(t, a, message("k"))
		}
		if server.Logins() != 3 || tokens.Given() != 1 {
			t.Errorf("%s: %d logins with %d tokens", mechanism, server.Logins(), tokens.Given())
		}
		// A token that the provider takes back is replaced by a new one, and the message goes out.
		tokens.Revoke()
		send(t, a, message("k"))
		if tokens.Given() != 2 || len(server.Mails()) != 4 {
			t.Errorf("%s: %d tokens, %d mails", mechanism, tokens.Given(), len(server.Mails()))
		}
		// One that the server does not take although it is new is a matter for an administrator.
		other := emailtest.NewTokens(t, "", 3600)
		b, _ := withToken(t, mechanism, tokens, oauth(other, ""), quiet)
		_, err := b.Send(t.Context(), message("k"))
		if words, _ := b.Trouble(); !isRetry(err) || !strings.Contains(words, "HOTLINE_EMAIL_OAUTH_TOKEN_URL") || other.Given() != 1 {
			t.Errorf("%s: %v, trouble %q after %d tokens", mechanism, err, words, other.Given())
		}
	}
}

func isRetry(err error) bool {
	var retry *channels.RetryError
	return errors.As(err, &retry)
}

func TestATokenIsRenewedBeforeItEndsWithTheNewestRefreshToken(t *testing.T) {
	t.Parallel()
	tokens := emailtest.NewTokens(t, "refresh-0", 60) // ends sooner than a message may take
	a, server := withToken(t, "XOAUTH2", tokens, oauth(tokens, "refresh-0"), quiet)
	for range 3 {
		send(t, a, message("k"))
	}
	if tokens.Given() != 3 || server.Logins() != 3 {
		t.Errorf("%d tokens for %d logins", tokens.Given(), server.Logins())
	}
}

func TestARefusedTokenIsSaidInWordsWithoutSecrets(t *testing.T) {
	t.Parallel()
	log, logged := testkit.NewLog()
	tokens := emailtest.NewTokens(t, "refresh-0", 3600)
	a, server := withToken(t, "XOAUTH2", tokens, oauth(tokens, "refresh-of-last-year"), log)
	_, err := a.Send(t.Context(), message("k"))
	var retry *channels.RetryError
	if !errors.As(err, &retry) || retry.After < time.Minute || !strings.Contains(err.Error(), "invalid_grant") {
		t.Errorf("%v", err)
	}
	words, _ := a.Trouble()
	if !strings.Contains(words, "invalid_grant") || !strings.Contains(words, "administrator") {
		t.Errorf("trouble: %q", words)
	}
	for _, secret := range []string{emailtest.ClientSecret, "refresh-of-last-year", emailtest.User} {
		if strings.Contains(words+err.Error()+logged.String(), secret) {
			t.Errorf("%q is told", secret)
		}
	}
	if len(server.Mails()) != 0 {
		t.Error("a mail went out without a login")
	}
}

func TestAMailboxIsOpenedWithAToken(t *testing.T) {
	t.Parallel()
	tokens := emailtest.NewTokens(t, "", 3600)
	box := newPost()
	_, _, mailbox := receiver(t, emailtest.Options{Implicit: true, Tokens: tokens, Mechanism: "XOAUTH2"}, func(o *email.Options) { o.Ingest, o.OAuth = box.ingest, oauth(tokens, "") })
	mailbox.Deliver(t, emailtest.Letter{From: "ann@citizen.example", ID: "1@citizen.example", Subject: "Lamp", Text: "It is dark."}.String())
	if where := mailbox.AwaitMove(t); where != "Hotline-Done" {
		t.Errorf("it went to %q", where)
	}
}

func TestSettingsOfTokensAreNamed(t *testing.T) {
	t.Parallel()
	good := email.OAuth{TokenURL: "https://login.provider.example/token", ClientID: "c", ClientSecret: "sesame"}
	for _, c := range []struct {
		change func(*email.OAuth)
		smtp   string
		want   string
	}{
		{func(o *email.OAuth) { o.TokenURL = "" }, "smtp://u@h", "OAUTH_TOKEN_URL"},
		{func(o *email.OAuth) { o.TokenURL = "http://login.provider.example/token" }, "smtp://u@h", "in the clear"},
		{func(o *email.OAuth) { o.ClientID = "" }, "smtp://u@h", "OAUTH_CLIENT_ID"},
		{func(o *email.OAuth) { o.ClientSecret = "" }, "smtp://u@h", "OAUTH_CLIENT_SECRET"},
		{func(*email.OAuth) {}, "smtp://u:p@h", "without a password"},
		{func(*email.OAuth) {}, "smtp://u@h?tls=no", "in the clear"},
	} {
		o := good
		c.change(&o)
		if _, err := email.New(email.Options{SMTP: c.smtp, From: "hotline@lanting.example", OAuth: o}); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%+v %s: %v", o, c.smtp, err)
		}
	}
	if _, err := email.New(email.Options{SMTP: "smtp://u@h", From: "hotline@lanting.example", OAuth: good}); err != nil {
		t.Error(err)
	}
}
