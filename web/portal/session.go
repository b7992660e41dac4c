package portal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"hotline/internal/clock"
)

const (
	trackCookie = "track"
	trackLife   = 30 * time.Minute
)

// trackSessions remembers, in a sealed cookie that goes to /track only, whose ticket a browser may see. The server keeps nothing.
type trackSessions struct {
	aead   cipher.AEAD
	clock  clock.Clock
	secure bool
}

func newTrackSessions(key []byte, c clock.Clock, secure bool) (*trackSessions, error) {
	if len(key) < 16 {
		return nil, errors.New("portal: the installation's key is missing")
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("portal track session"))
	block, err := aes.NewCipher(mac.Sum(nil))
	if err != nil {
		return nil, fmt.Errorf("portal: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("portal: %w", err)
	}
	return &trackSessions{aead: aead, clock: c, secure: secure}, nil
}

// open gives the browser the ticket, or forgets it when ticket is uuid.Nil.
func (s *trackSessions) open(w http.ResponseWriter, ticket uuid.UUID) {
	cookie := &http.Cookie{Name: trackCookie, Path: "/track", MaxAge: -1, HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteStrictMode}
	if ticket != uuid.Nil {
		plain := binary.BigEndian.AppendUint64(append([]byte(nil), ticket[:]...), uint64(s.clock.Now().Add(trackLife).Unix()))
		nonce := make([]byte, s.aead.NonceSize())
		_, _ = rand.Read(nonce) // never fails
		cookie.Value = base64.RawURLEncoding.EncodeToString(s.aead.Seal(nonce, nonce, plain, nil))
		cookie.MaxAge = int(trackLife.Seconds())
	}
	http.SetCookie(w, cookie)
}

// ticket gives the ticket that the request may see, or uuid.Nil.
func (s *trackSessions) ticket(r *http.Request) uuid.UUID {
	c, err := r.Cookie(trackCookie)
	if err != nil {
		return uuid.Nil
	}
	sealed, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil || len(sealed) < s.aead.NonceSize() {
		return uuid.Nil
	}
	n := s.aead.NonceSize()
	plain, err := s.aead.Open(nil, sealed[:n], sealed[n:], nil)
	if err != nil || len(plain) != 24 || s.clock.Now().Unix() > int64(binary.BigEndian.Uint64(plain[16:])) {
		return uuid.Nil
	}
	return uuid.UUID(plain[:16])
}
