package tickets

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// What staff type into the search is words, and often something that names a case or a person: the number as it stands on a letter, its last digits as
// they are said on the telephone, a telephone number, an address.

var (
	numberShape = regexp.MustCompile(`^#?(20\d{2})\s?[-–—/ ]\s?(\d{6,12})$`) // a year: 0755-12345678 is a telephone
	shortShape  = regexp.MustCompile(`^(?:#\s?\d{1,6}|\d{3,6})$`)
	phoneShape  = regexp.MustCompile(`^\+?[\d\s()./-]{6,24}$`)
	emailShape  = regexp.MustCompile(`^[^\s@]+@[^\s@]+\.[^\s@]+$`)
)

// shortest is how many digits a telephone number has at least; contacts_of finds nobody by fewer.
const shortest = 6

func typed(text string) string { return strings.TrimSpace(norm.NFKC.String(text)) }

// wholeNumber reads a ticket's number as it is written in full.
func wholeNumber(text string) (string, bool) {
	m := numberShape.FindStringSubmatch(typed(text))
	if m == nil {
		return "", false
	}
	return m[1] + "-" + m[2], true
}

// shortNumber are the numbers of year and the one before that end as somebody says them.
func shortNumber(text string, year int) []string {
	text = typed(text)
	if !shortShape.MatchString(text) {
		return nil
	}
	n, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(text, "#")))
	if err != nil || n == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%d-%06d", year, n), fmt.Sprintf("%d-%06d", year-1, n)}
}

// reach reads a telephone number or an address; both are "" for anything else.
func reach(text string) (phone, email string) {
	text = typed(text)
	switch {
	case emailShape.MatchString(text):
		return "", text
	case phoneShape.MatchString(text) && strings.IndexFunc(text, func(r rune) bool { return r >= '0' && r <= '9' }) >= 0:
		digits := 0
		for _, r := range text {
			if r >= '0' && r <= '9' {
				digits++
			}
		}
		if digits >= shortest {
			return text, ""
		}
	}
	return "", ""
}

// found writes what a typed text finds as rows (ticket_id, rank): what it names comes before what holds its words. Who filed in confidence is found by nobody's
// address. It is "" when there is nothing to look for.
func (s *Service) found(text string, limit int, arg func(any) string) string {
	var parts []string
	if words := searchQuery(text); words != "" {
		parts = append(parts, fmt.Sprintf("select ticket_id, rank from search_tickets(%s::text::tsquery, %d, %d)", arg(words), searchDepth, limit))
	}
	if numbers := shortNumber(text, s.clock.Now().Add(14*time.Hour).Year()); len(numbers) > 0 { // a case has the year of its zone, at most 14 hours ahead
		parts = append(parts, "select t.id as ticket_id, 2000::real as rank from tickets t where t.number = any("+arg(numbers)+"::text[])")
	}
	if phone, email := reach(text); phone != "" || email != "" {
		parts = append(parts, fmt.Sprintf("(select t.id as ticket_id, 1000::real as rank from tickets t where t.contact_id = any((select contacts_of(%s, %s))::uuid[]) and not t.confidential order by t.opened_at desc limit %d)", arg(phone), arg(email), limit))
	}
	switch len(parts) {
	case 0:
		return ""
	case 1:
		return parts[0]
	}
	return "select ticket_id, max(rank) as rank from (" + strings.Join(parts, " union all ") + ") named group by ticket_id"
}
