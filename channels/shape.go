package channels

import (
	"net/mail"
	"strings"
)

// maxShape is the most that a telephone number or an address has, in bytes.
const maxShape = 120

// LooksLikePhone reports whether something that a person typed can be a telephone number: what is no number is a slip to be told of before it is too late.
func LooksLikePhone(s string) bool {
	digits := 0
	for _, c := range s {
		switch {
		case c >= '0' && c <= '9', c >= '０' && c <= '９':
			digits++
		case !strings.ContainsRune("+-–() ./（）　转", c):
			return false
		}
	}
	return digits >= 5 && digits <= 20 && len(s) <= maxShape
}

// LooksLikeEmail reports whether something that a person typed can be an e-mail address.
func LooksLikeEmail(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s && len(s) <= maxShape && strings.Contains(s[strings.LastIndex(s, "@")+1:], ".")
}
