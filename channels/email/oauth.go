package email

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// Large providers take no passwords of mailboxes: a program logs in with a token (OAuth 2.0, RFC 6749), which it gets from the provider as itself (client
// credentials) or as somebody who once agreed (a refresh token), and shows as SASL XOAUTH2 or OAUTHBEARER (RFC 7628).

// OAuth is where tokens come from. The zero value: logins are by password.
type OAuth struct {
	TokenURL     string
	ClientID     string
	ClientSecret string
	RefreshToken string // empty: client credentials
	Scope        string // several with blanks
}

func (o OAuth) check() error {
	u, err := url.Parse(o.TokenURL)
	switch {
	case err != nil || u.Hostname() == "" || u.User != nil:
		return errors.New("HOTLINE_EMAIL_OAUTH_TOKEN_URL: it must look like https://login.provider.example/oauth2/token")
	case u.Scheme != "https" && (u.Scheme != "http" || !local(u.Hostname())):
		return errors.New("HOTLINE_EMAIL_OAUTH_TOKEN_URL: it must begin with https://, or the secret would be sent in the clear")
	case o.ClientID == "":
		return errors.New("HOTLINE_EMAIL_OAUTH_CLIENT_ID is missing")
	case o.ClientSecret == "" && o.RefreshToken == "":
		return errors.New("HOTLINE_EMAIL_OAUTH_CLIENT_SECRET or HOTLINE_EMAIL_OAUTH_REFRESH_TOKEN is missing")
	}
	return nil
}

func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

const (
	renewBefore = 2 * time.Minute  // a token that ends so soon is renewed first
	tokenWithin = 15 * time.Second // that the provider may take
	tokenPause  = 10 * time.Second // after a failure nobody asks again; many messages may be waiting
)

// tokens keeps one that is good.
type tokens struct {
	o       OAuth
	mu      sync.Mutex // held while one is fetched: everybody waits for the same
	refresh string     // the newest: some providers give another with each token
	current *oauth2.Token
	failed  error
	again   time.Time
	refused time.Time // when a mail server last refused one that had just been fetched
}

// tokenError says why there is no token, without a secret.
type tokenError struct {
	refused bool   // by the provider; otherwise it was not reached
	code    string // RFC 6749, section 5.2
}

func (e *tokenError) Error() string {
	if e.refused {
		return "email: the token endpoint refuses: " + e.code
	}
	return "email: the token endpoint cannot be reached"
}

// words are for who runs the hotline.
func (e *tokenError) words() string {
	if e.refused {
		return "the token endpoint of HOTLINE_EMAIL_OAUTH_TOKEN_URL refuses a token (" + e.code + "); an administrator must renew the client's secret or the consent"
	}
	return "the token endpoint of HOTLINE_EMAIL_OAUTH_TOKEN_URL cannot be reached"
}

// get gives a token; fresh: it was fetched just now. Errors: *tokenError.
func (t *tokens) get(ctx context.Context) (token string, fresh bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.current; c != nil && (c.Expiry.IsZero() || time.Until(c.Expiry) > renewBefore) {
		return c.AccessToken, false, nil
	}
	if t.failed != nil && time.Now().Before(t.again) {
		return "", false, t.failed
	}
	got, err := t.fetch(ctx)
	if err != nil {
		if ctx.Err() == nil { // else it was us who gave up
			t.failed, t.again = err, time.Now().Add(tokenPause)
		}
		return "", false, err
	}
	t.current, t.failed = got, nil
	if got.RefreshToken != "" {
		t.refresh = got.RefreshToken
	}
	return got.AccessToken, true, nil
}

// spoil forgets a token that a mail server did not take. again: a new one may do better. Where a new one was refused as well, nobody asks for another for a
// while; many messages may be waiting.
func (t *tokens) spoil(token string, fresh bool) (again bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if fresh {
		t.refused = time.Now()
	}
	if time.Since(t.refused) < tokenPause {
		return false
	}
	if t.current != nil && t.current.AccessToken == token {
		t.current = nil
	}
	return true
}

func (t *tokens) fetch(ctx context.Context) (*oauth2.Token, error) {
	ctx = context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Timeout: tokenWithin})
	var got *oauth2.Token
	var err error
	if t.refresh != "" {
		c := oauth2.Config{ClientID: t.o.ClientID, ClientSecret: t.o.ClientSecret, Endpoint: oauth2.Endpoint{TokenURL: t.o.TokenURL}}
		got, err = c.TokenSource(ctx, &oauth2.Token{RefreshToken: t.refresh}).Token()
	} else {
		c := clientcredentials.Config{ClientID: t.o.ClientID, ClientSecret: t.o.ClientSecret, TokenURL: t.o.TokenURL, Scopes: strings.Fields(t.o.Scope)}
		got, err = c.Token(ctx)
	}
	var said *oauth2.RetrieveError
	switch {
	case errors.As(err, &said) && said.Response != nil && said.Response.StatusCode < 500 && said.Response.StatusCode != http.StatusTooManyRequests:
		// What else it says may hold the name of the mailbox.
		code := said.ErrorCode
		if code == "" || strings.Trim(code, "abcdefghijklmnopqrstuvwxyz_") != "" {
			code = fmt.Sprintf("status %d", said.Response.StatusCode)
		}
		return nil, &tokenError{refused: true, code: code}
	case err != nil:
		return nil, &tokenError{}
	}
	return got, nil
}

// The mechanisms that show a token; the first is the one that all large providers know.
const (
	xoauth2     = "XOAUTH2"
	oauthBearer = "OAUTHBEARER"
)

// bearer is the client of both. A server that refuses sends a reason first and wants an answer to it before it says so.
type bearer struct {
	mechanism, user, token string
}

// Start implements sasl.Client.
func (b *bearer) Start() (string, []byte, error) {
	if b.mechanism == oauthBearer {
		name := strings.NewReplacer("=", "=3D", ",", "=2C").Replace(b.user)
		return b.mechanism, []byte("n,a=" + name + ",\x01auth=Bearer " + b.token + "\x01\x01"), nil
	}
	return b.mechanism, []byte("user=" + b.user + "\x01auth=Bearer " + b.token + "\x01\x01"), nil
}

// Next implements sasl.Client.
func (b *bearer) Next([]byte) ([]byte, error) {
	if b.mechanism == oauthBearer {
		return []byte{1}, nil
	}
	return []byte{}, nil
}

// mechanismOf picks one that a server has.
func mechanismOf(has func(mechanism string) bool) string {
	if !has(xoauth2) && has(oauthBearer) {
		return oauthBearer
	}
	return xoauth2
}
