package redact

import (
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// citizenID reports whether a text is a resident identity number of 18 characters: the check character of GB 11643-1999 is right, or the
// birthday inside is one (a number with a typing error is still somebody's).
func citizenID(s string) bool {
	s = strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(s))
	if len(s) != 18 {
		return false
	}
	return idCheck(s[:17]) == s[17] || birthday(s[6:14])
}

// idCheck is the check character of the first 17 digits: ISO 7064 MOD 11-2.
func idCheck(s string) byte {
	weights := [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		sum += int(s[i]-'0') * w
	}
	return "10X98765432"[sum%11]
}

// oldCitizenID is the number of 15 digits that was given until 1999.
func oldCitizenID(s string) bool { return birthday("19" + s[6:12]) }

func birthday(s string) bool {
	t, err := time.Parse("20060102", s)
	return err == nil && t.Year() >= 1880 && t.Year() <= 2100
}

// luhn reports whether the digits end with the check digit of ISO/IEC 7812.
func luhn(s string) bool {
	d := digits(s)
	sum := 0
	for i := range len(d) {
		n := int(d[len(d)-1-i] - '0')
		if i%2 == 1 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0 && strings.Trim(d, "0") != ""
}

// iban checks an account number by ISO 13616 (mod 97).
func iban(s string) bool {
	s = strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(s))
	if len(s) < 15 || len(s) > 34 {
		return false
	}
	rem := 0
	for _, c := range s[4:] + s[:4] {
		v := strconv.Itoa(int(c - '0'))
		if c >= 'A' {
			v = strconv.Itoa(int(c-'A') + 10)
		}
		for _, d := range v {
			rem = (rem*10 + int(d-'0')) % 97
		}
	}
	return rem == 1
}

// secretLink reports whether a link carries something that opens a door: a name and password, a query, a fragment, or a part of its path
// that looks drawn by chance. Plain pages stay readable.
func secretLink(s string) bool {
	if strings.HasPrefix(strings.ToLower(s), "www.") {
		s = "http://" + s
	}
	u, err := url.Parse(s)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return true
	}
	for _, part := range strings.Split(u.Path, "/") {
		if random(part) {
			return true
		}
	}
	return false
}

// random guesses whether a part of a path is a key: 16 characters and more of letters and digits mixed, without word breaks.
func random(s string) bool {
	letters, nums := 0, 0
	for _, c := range s {
		switch {
		case unicode.IsDigit(c):
			nums++
		case unicode.IsLetter(c):
			letters++
		}
	}
	return len(s) >= 16 && (nums >= 12 || letters >= 3 && nums >= 3)
}
