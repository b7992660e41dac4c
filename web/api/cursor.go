package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"hotline/internal/errs"
)

// ErrCursor: a page marker that we did not make, or that belongs to another list, filter or caller.
var ErrCursor = errs.New(errs.Invalid, "api.bad_cursor", "this page marker does not belong to this list").On("cursor")

// cursorKey signs page markers, so that what the domain packages put into theirs is never read from a stranger's hand.
type cursorKey []byte

func newCursorKey(installation []byte) cursorKey { return derive(installation, "api page marker") }

// derive makes a key for one purpose.
func derive(installation []byte, purpose string) []byte {
	h := hmac.New(sha256.New, installation)
	h.Write([]byte(purpose))
	return h.Sum(nil)
}

const cursorMAC = 16

func (k cursorKey) mac(inner string, scope []string) []byte {
	h := hmac.New(sha256.New, k)
	h.Write([]byte(strings.Join(append([]string{inner}, scope...), "\x00")))
	return h.Sum(nil)[:cursorMAC]
}

// seal makes a page marker of a domain cursor; scope is what it is good for: caller, list, filter.
func (k cursorKey) seal(inner string, scope ...string) string {
	if inner == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(append(k.mac(inner, scope), inner...))
}

// open gives the domain cursor back.
// Errors: ErrCursor.
func (k cursorKey) open(marker string, scope ...string) (string, error) {
	if marker == "" {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(marker)
	if err != nil || len(raw) <= cursorMAC {
		return "", ErrCursor
	}
	inner := string(raw[cursorMAC:])
	if !hmac.Equal(raw[:cursorMAC], k.mac(inner, scope)) {
		return "", ErrCursor
	}
	return inner, nil
}
