package portal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/google/uuid"

	"hotline/internal/clock"
)

// Draft is a form on its way. It is kept until it is cleared or draftLife after the last answer.
type Draft struct {
	Key       string            `json:"key"` // of the filing and its uploads: the same draft never makes two tickets
	Kind      string            `json:"kind"`
	Text      string            `json:"text"`
	Category  string            `json:"category"`
	Offered   []string          `json:"offered"` // categories that were suggested; empty: the question is left out
	Answered  []string          `json:"answered"`
	Details   map[string]string `json:"details,omitempty"`    // answers to what the category asks for, by code
	DetailsOf string            `json:"details_of,omitempty"` // the category they were given for
	wanted    []Detail          // what it asks for now
	Place     string            `json:"place"`
	Lat       *float64          `json:"lat"`
	Lon       *float64          `json:"lon"`
	Photos    []Upload          `json:"photos"`
	Who       string            `json:"who"` // anonymous, contact, or "" while it is open
	Name      string            `json:"name"`
	Phone     string            `json:"phone"`
	Email     string            `json:"email"`
	Quiet     bool              `json:"quiet,omitempty"` // no news by e-mail or SMS
	Nearby    []Nearby          `json:"nearby"`          // what others reported, as it was shown on the check page
	Filed     *Filed            `json:"filed"`
}

func newDraft() Draft { return Draft{Key: uuid.NewString()} }

// Anonymous reports whether the person chose to stay unknown.
func (d *Draft) Anonymous() bool { return d.Who == "anonymous" }

func (d *Draft) answered(step string) bool {
	if step == "details" {
		return d.detailed()
	}
	for _, s := range d.Answered {
		if s == step {
			return true
		}
	}
	return false
}

func (d *Draft) answer(step string) {
	if !slices.Contains(d.Answered, step) {
		d.Answered = append(d.Answered, step)
	}
}

const draftLife = 2 * time.Hour

// drafts keeps drafts in the session store. The browser's cookie is 32 random bytes: half of what comes from hashing it names the row, the
// other half is the key that the row is encrypted with, so the store alone opens nothing.
type drafts struct {
	store  scs.Store
	clock  clock.Clock
	secure bool
}

func newDrafts(store scs.Store, c clock.Clock, secure bool) (*drafts, error) {
	if store == nil {
		return nil, errors.New("portal: no store for drafts")
	}
	return &drafts{store: store, clock: c, secure: secure}, nil
}

func cookieName(f *flow) string { return "draft_" + f.name }

func seal(secret []byte) (id string, aead cipher.AEAD, err error) {
	name := sha256.Sum256(append([]byte("draft name\x00"), secret...))
	key := sha256.Sum256(append([]byte("draft key\x00"), secret...))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return "", nil, err
	}
	aead, err = cipher.NewGCM(block)
	return "draft:" + hex.EncodeToString(name[:16]), aead, err
}

func (d *drafts) secret(r *http.Request, f *flow) []byte {
	c, err := r.Cookie(cookieName(f))
	if err != nil {
		return nil
	}
	secret, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil || len(secret) != 32 {
		return nil
	}
	return secret
}

// load gives the request's draft; ok is false when there is none (any more).
func (d *drafts) load(r *http.Request, f *flow) (draft Draft, ok bool, err error) {
	secret := d.secret(r, f)
	if secret == nil {
		return Draft{}, false, nil
	}
	id, aead, err := seal(secret)
	if err != nil {
		return Draft{}, false, fmt.Errorf("portal: draft: %w", err)
	}
	sealed, found, err := d.store.Find(id)
	if err != nil {
		return Draft{}, false, fmt.Errorf("portal: draft: %w", err)
	}
	if !found || len(sealed) < aead.NonceSize() {
		return Draft{}, false, nil
	}
	n := aead.NonceSize()
	plain, err := aead.Open(nil, sealed[:n], sealed[n:], []byte(f.name))
	if err != nil || json.Unmarshal(plain, &draft) != nil {
		return Draft{}, false, nil // not ours, or of an older release: begin again
	}
	return draft, true, nil
}

// save keeps the draft, and gives the browser its cookie when it has none.
func (d *drafts) save(w http.ResponseWriter, r *http.Request, f *flow, draft Draft) error {
	secret := d.secret(r, f)
	if secret == nil {
		secret = make([]byte, 32)
		_, _ = rand.Read(secret) // never fails
	}
	id, aead, err := seal(secret)
	if err != nil {
		return fmt.Errorf("portal: draft: %w", err)
	}
	plain, err := json.Marshal(draft)
	if err != nil {
		return fmt.Errorf("portal: draft: %w", err)
	}
	nonce := make([]byte, aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	if err := d.store.Commit(id, aead.Seal(nonce, nonce, plain, []byte(f.name)), d.clock.Now().Add(draftLife)); err != nil {
		return fmt.Errorf("portal: draft: %w", err)
	}
	http.SetCookie(w, &http.Cookie{Name: cookieName(f), Value: base64.RawURLEncoding.EncodeToString(secret), Path: f.path, MaxAge: int(draftLife.Seconds()),
		HttpOnly: true, Secure: d.secure, SameSite: http.SameSiteStrictMode})
	return nil
}

// clear forgets the draft on both sides.
func (d *drafts) clear(w http.ResponseWriter, r *http.Request, f *flow) error {
	if secret := d.secret(r, f); secret != nil {
		id, _, err := seal(secret)
		if err != nil {
			return fmt.Errorf("portal: draft: %w", err)
		}
		if err := d.store.Delete(id); err != nil {
			return fmt.Errorf("portal: draft: %w", err)
		}
	}
	http.SetCookie(w, &http.Cookie{Name: cookieName(f), Path: f.path, MaxAge: -1, HttpOnly: true, Secure: d.secure, SameSite: http.SameSiteStrictMode})
	return nil
}
