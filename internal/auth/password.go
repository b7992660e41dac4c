package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// The parameters are OWASP's second choice for argon2id (19 MiB, 2 passes, 1 lane); they are part of each hash, so raising them here renews
// the hashes at the next sign-ins. At most as many hashes run at once as there are CPUs: a flood of sign-ins cannot take all memory.
const (
	memoryKiB = 19 * 1024
	passes    = 2
	lanes     = 1
	keyLen    = 32
	saltLen   = 16
)

type hasher struct {
	memory, passes uint32
	slots          chan struct{}
	dummy          string // hash for accounts that do not exist
}

func newHasher(weak bool) hasher {
	h := hasher{memory: memoryKiB, passes: passes, slots: make(chan struct{}, runtime.GOMAXPROCS(0))}
	if weak {
		h.memory, h.passes = 64, 1
	}
	h.dummy, _ = h.make(context.Background(), "a password that nobody has") // fails only when its context ends
	return h
}

// derive waits for a free slot. Errors: that of ctx.
func (h hasher) derive(ctx context.Context, password string, salt []byte, memory, passes uint32, lanes uint8) ([]byte, error) {
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-h.slots }()
	// Input methods differ in the forms they give to the same characters.
	return argon2.IDKey([]byte(norm.NFKC.String(password)), salt, passes, memory, lanes, keyLen), nil
}

// make hashes a password as a PHC string. Errors: that of ctx.
func (h hasher) make(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltLen)
	_, _ = rand.Read(salt) // never fails: crypto/rand ends the process instead
	key, err := h.derive(ctx, password, salt, h.memory, h.passes, lanes)
	if err != nil {
		return "", err
	}
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.passes, lanes, enc.EncodeToString(salt), enc.EncodeToString(key)), nil
}

// check compares in constant time; renew says that the hash has other parameters than today's. A hash that cannot be read fits no
// password. Errors: that of ctx.
func (h hasher) check(ctx context.Context, password, phc string) (ok, renew bool, err error) {
	parts := strings.Split(phc, "$")
	var version int
	var memory, passes uint32
	var lanes uint8
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false, false, nil
	}
	if n, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &memory, &passes, &lanes); n != 4 || err != nil || version != argon2.Version {
		return false, false, nil
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	want, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(want) != keyLen || memory > 1<<20 || passes > 64 || lanes == 0 || passes == 0 {
		return false, false, nil
	}
	got, err := h.derive(ctx, password, salt, memory, passes, lanes)
	if err != nil {
		return false, false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, memory != h.memory || passes != h.passes, nil
}

// The passwords of guessing lists that are long enough to pass the length rule.
var common = []string{"password1234", "passwordpassword", "123456789012", "1234567890123", "qwertyuiop12", "administrator", "hotlinehotline", "letmeinletmein", "iloveyou1234", "111111111111", "000000000000", "abcdefghijkl"}

// checkPassword: length and no common ones (NIST SP 800-63B, 5.1.1.2); no rules about kinds of characters.
func checkPassword(password, email string) error {
	if !utf8.ValidString(password) || utf8.RuneCountInString(password) < 12 || len(password) > 1024 {
		return ErrWeak
	}
	lower := strings.ToLower(password)
	for _, c := range common {
		if lower == c {
			return ErrWeak
		}
	}
	if name, _, _ := strings.Cut(strings.ToLower(email), "@"); len(name) >= 5 && strings.Contains(lower, name) && utf8.RuneCountInString(password) < len(name)+6 {
		return ErrWeak
	}
	return nil
}

// HashPassword makes the hash that users.password_hash holds; for the loader of the demo city, whose users share one well-known password.
func (s *Service) HashPassword(password string) string {
	hash, _ := s.hash.make(context.Background(), password) // fails only when its context ends
	return hash
}
