package channels

import (
	"net/mail"
	"regexp"
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

// chinaMobile: in China a message to a fixed line never arrives, and the number says what it is.
var chinaMobile = regexp.MustCompile(`^\+861[3-9][0-9]{9}$`)

// Mobile gives the number that a text message can be sent to as E.164 has it, false when the number is none. country is the calling code of numbers
// that name none, for example "86"; without it only numbers with a plus or 00 in front are understood.
func Mobile(number, country string) (string, bool) {
	digits := strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9':
			return r
		case r >= '０' && r <= '９':
			return '0' + r - '０'
		}
		return -1
	}, number)
	switch {
	case strings.ContainsRune(number, '转') || len(digits) < 5: // an extension
		return "", false
	case strings.HasPrefix(strings.TrimSpace(number), "+"):
	case strings.HasPrefix(digits, "00"):
		digits = digits[2:]
	case country == "":
		return "", false
	case strings.HasPrefix(digits, "0"): // the prefix of calls inside the country
		digits = country + strings.TrimLeft(digits, "0")
	case country == "86" && len(digits) == 13 && strings.HasPrefix(digits, "86"):
	default:
		digits = country + digits
	}
	out := "+" + digits
	if len(digits) < 8 || len(digits) > 15 || strings.HasPrefix(out, "+86") && !chinaMobile.MatchString(out) {
		return "", false
	}
	return out, true
}
