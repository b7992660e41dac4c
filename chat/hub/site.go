package hub

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Site is a page, or a family of pages, that may embed the chat. Its key is public.
type Site struct {
	Key     string
	Origins []string // "https://city.example", "self" for pages of this server, "*" for any (demonstrations only)
	Lang    string   // when the page does not say
}

// Self stands for the server's own origin.
const Self = "self"

// allows reports whether a page of this origin may use the site. A client without an origin is no browser and borrows nobody's page.
func (s Site) allows(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || slices.Contains(s.Origins, "*") {
		return true
	}
	if slices.Contains(s.Origins, Self) {
		if u, err := url.Parse(origin); err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host) {
			return true
		}
	}
	return slices.ContainsFunc(s.Origins, func(o string) bool { return strings.EqualFold(strings.TrimSuffix(o, "/"), origin) })
}

func (h *Hub) site(key string) (Site, bool) {
	for _, s := range h.opt.Sites() {
		if s.Key == key {
			return s, true
		}
	}
	return Site{}, false
}

// someSite reports whether any site lists the request's origin: the check before a socket has said which site it is.
func (h *Hub) someSite(r *http.Request) bool {
	return slices.ContainsFunc(h.opt.Sites(), func(s Site) bool { return s.allows(r) })
}

// NewToken makes the secret that a conversation is reached by: 32 random bytes, 43 characters.
func NewToken() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Thread is what is stored of a token; false for what is no token.
func Thread(token string) (string, bool) {
	if len(token) != 43 {
		return "", false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) != 32 {
		return "", false
	}
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:]), true
}
