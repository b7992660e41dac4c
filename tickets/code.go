package tickets

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"math/big"
	"strings"
	"unicode"

	"github.com/google/uuid"
)

const codeDigits = 20

var codeSpace = new(big.Int).Exp(big.NewInt(10), big.NewInt(codeDigits), nil)

// codeKeys are derived from the installation's key, one for each purpose.
type codeKeys struct {
	derive, lookup, history []byte
	anchors                 ed25519.PrivateKey
}

func newCodeKeys(key []byte) codeKeys {
	return codeKeys{derive: mac(key, []byte("tracking code")), lookup: mac(key, []byte("tracking code lookup")), history: mac(key, []byte("history")),
		anchors: ed25519.NewKeyFromSeed(mac(key, []byte("history anchors ed25519")))}
}

func mac(key, msg []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(msg)
	return h.Sum(nil)
}

// code derives the twenty digits: HMAC-SHA256 over ticket id and issue number, as a number modulo 10^20. The bias of the modulo is
// below 2^-189.
func (k codeKeys) code(ticket uuid.UUID, issue int) string {
	msg := binary.BigEndian.AppendUint64(append([]byte(nil), ticket[:]...), uint64(issue))
	n := new(big.Int).SetBytes(mac(k.derive, msg))
	s := n.Mod(n, codeSpace).String()
	return strings.Repeat("0", codeDigits-len(s)) + s
}

// hash is what the database stores in place of the code.
func (k codeKeys) hash(code string) []byte { return mac(k.lookup, []byte(code)) }

// TrackingCode derives the tracking code of a ticket's current issue. It is shown to the citizen, and once to whoever filed for one, to be handed over.
func (s *Service) TrackingCode(t Ticket) string { return s.keys.code(t.ID, t.codeIssue) }

// CodeReplaced reports whether the code that was handed out first opens nothing any more.
func (t Ticket) CodeReplaced() bool { return t.codeIssue > 1 }

// FormatCode groups a tracking code in fours for reading aloud.
func FormatCode(code string) string {
	var b strings.Builder
	for i, r := range code {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// ParseCode reads a tracking code as people type it: with spaces, dashes or full-width digits.
// Errors: ErrMalformedCode.
func ParseCode(input string) (string, error) {
	if len(input) > 200 {
		return "", ErrMalformedCode
	}
	var b strings.Builder
	for _, r := range input {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case r >= '０' && r <= '９':
			b.WriteRune('0' + r - '０')
		case strings.ContainsRune(" -\t\u00a0\u2009\u3000\u2010\u2011\u2012\u2013－", r):
		default:
			return "", ErrMalformedCode
		}
	}
	if b.Len() != codeDigits {
		return "", ErrMalformedCode
	}
	return b.String(), nil
}

// ContactKey is the keyed hash by which a contact is recognized where their address must not stand: of the telephone's digits, or the address; nil for nobody.
func (s *Service) ContactKey(phone, email string) []byte {
	digits := strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return r
		}
		return -1
	}, phone)
	switch {
	case len(digits) >= 5:
		return mac(s.keys.lookup, []byte("contact phone "+digits))
	case email != "":
		return mac(s.keys.lookup, []byte("contact email "+strings.ToLower(strings.TrimSpace(email))))
	}
	return nil
}
