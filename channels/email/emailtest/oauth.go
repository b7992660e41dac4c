package emailtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
)

// ClientID and ClientSecret of the program at the token endpoint, and the Scope that it must ask for.
const (
	ClientID     = "hotline-client"
	ClientSecret = "s3cret~of-the-client"
	Scope        = "https://mail.lanting.example/.default"
)

// Tokens is a token endpoint (RFC 6749), strict: what is not as the specification has it fails the test.
type Tokens struct {
	URL string

	t       testing.TB
	mu      sync.Mutex
	n       int
	refresh string // the only one that is good; empty: client credentials
	good    map[string]bool
	lives   int
}

// NewTokens starts an endpoint that ends with the test. refresh is the first refresh token, "" for client credentials; tokens live for so many seconds.
func NewTokens(t testing.TB, refresh string, lives int) *Tokens {
	s := &Tokens{t: t, refresh: refresh, good: map[string]bool{}, lives: lives}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.URL = server.URL + "/oauth2/token"
	return s
}

// Given counts the tokens that were given out.
func (s *Tokens) Given() int { s.mu.Lock(); defer s.mu.Unlock(); return s.n }

// Revoke makes every token bad.
func (s *Tokens) Revoke() { s.mu.Lock(); defer s.mu.Unlock(); s.good = map[string]bool{} }

func (s *Tokens) ok(user, token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return user == User && s.good[token]
}

// ServeHTTP implements http.Handler.
func (s *Tokens) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") || r.URL.RawQuery != "" {
		s.t.Errorf("RFC 6749, section 3.2: %s %s of %q", r.Method, r.URL, r.Header.Get("Content-Type"))
	}
	if err := r.ParseForm(); err != nil {
		s.t.Error(err)
	}
	user, secret, basic := r.BasicAuth()
	if !basic {
		user, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	no := func(status int, code string) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": code, "error_description": "no, " + User + " " + secret})
	}
	grant := r.PostForm.Get("grant_type")
	switch {
	case user != ClientID || secret != ClientSecret && secret != strings.ReplaceAll(ClientSecret, "~", "%7E"):
		no(http.StatusUnauthorized, "invalid_client")
		return
	case s.refresh == "" && (grant != "client_credentials" || r.PostForm.Get("scope") != Scope):
		s.t.Errorf("section 4.4.2: %v", r.PostForm)
		no(http.StatusBadRequest, "invalid_scope")
		return
	case s.refresh != "" && (grant != "refresh_token" || r.PostForm.Get("refresh_token") != s.refresh):
		no(http.StatusBadRequest, "invalid_grant")
		return
	}
	s.n++
	answer := map[string]any{"access_token": fmt.Sprintf("access-%d", s.n), "token_type": "Bearer", "expires_in": s.lives}
	s.good[fmt.Sprintf("access-%d", s.n)] = true
	if s.refresh != "" {
		s.refresh = fmt.Sprintf("refresh-%d", s.n)
		answer["refresh_token"] = s.refresh
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// server is the other side of SASL XOAUTH2 and OAUTHBEARER: a refusal comes with a reason first, which the client must answer.
func (s *Tokens) server(mechanism string, refused error, in func()) sasl.Server {
	return &bearerServer{s: s, mechanism: mechanism, refused: refused, in: in}
}

type bearerServer struct {
	s         *Tokens
	mechanism string
	refused   error
	in        func()
	said      bool
}

func (b *bearerServer) Next(response []byte) ([]byte, bool, error) {
	if b.said {
		if want := map[string]string{"XOAUTH2": "", "OAUTHBEARER": "\x01"}[b.mechanism]; string(response) != want {
			b.s.t.Errorf("%s: a refusal is answered with %q", b.mechanism, response)
		}
		return nil, false, b.refused
	}
	if response == nil {
		return []byte{}, false, nil // no initial response
	}
	head := "user=" + User + "\x01auth=Bearer "
	if b.mechanism == "OAUTHBEARER" {
		head = "n,a=" + User + ",\x01auth=Bearer "
	}
	token, ok := strings.CutPrefix(string(response), head)
	token, ends := strings.CutSuffix(token, "\x01\x01")
	if !ok || !ends {
		b.s.t.Errorf("%s: %q", b.mechanism, response)
	}
	if !b.s.ok(User, token) {
		b.said = true
		return []byte(`{"status":"401","schemes":"bearer"}`), false, nil
	}
	b.in()
	return nil, true, nil
}
