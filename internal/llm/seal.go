package llm

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
)

// sealer keeps the vendors' keys: AES-256-GCM under a key derived from the installation's secret, bound to the model's id, so that a sealed
// key copied into another row opens nothing.
type sealer struct{ aead cipher.AEAD }

func newSealer(secret []byte) (sealer, error) {
	if len(secret) < 32 {
		return sealer{}, errors.New("llm: the installation's secret key has less than 32 bytes")
	}
	key, err := hkdf.Key(sha256.New, secret, nil, "hotline llm keys 1", 32)
	if err != nil {
		return sealer{}, fmt.Errorf("llm: derive key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return sealer{}, fmt.Errorf("llm: cipher: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return sealer{}, fmt.Errorf("llm: cipher: %w", err)
	}
	return sealer{aead}, nil
}

// seal gives nonce and ciphertext; an empty key stays empty.
func (s sealer) seal(key string, id []byte) []byte {
	if key == "" {
		return []byte{}
	}
	nonce := make([]byte, s.aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails: crypto/rand ends the process instead
	return s.aead.Seal(nonce, nonce, []byte(key), id)
}

func (s sealer) open(sealed, id []byte) (string, error) {
	if len(sealed) == 0 {
		return "", nil
	}
	n := s.aead.NonceSize()
	if len(sealed) < n {
		return "", errors.New("llm: a sealed key is too short")
	}
	key, err := s.aead.Open(nil, sealed[:n], sealed[n:], id)
	if err != nil {
		return "", fmt.Errorf("llm: a sealed key does not open with this installation's secret: %w", err)
	}
	return string(key), nil
}
