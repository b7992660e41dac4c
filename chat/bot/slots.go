package bot

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"hotline/internal/hanzi"
)

// narrowAll turns full-width digits, letters and signs into ASCII.
func narrowAll(s string) string { return strings.Map(narrow, s) }

// codeGuess is what looks like a tracking code or a public number in a text.
type codeGuess struct {
	digits string // 20 digits
	near   int    // length of a run of digits that is almost a code
	public bool   // a public ticket number, which opens nothing
}

var (
	digitRun     = regexp.MustCompile(`\d(?:[ \t\x{3000}._–—-]{0,2}\d)*`)
	publicNumber = regexp.MustCompile(`\b(?:[A-Za-z]{1,4}-?)?20\d{2}-\d{4,8}\b`)
	emailShape   = regexp.MustCompile(`[A-Za-z0-9._%+'-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}`)
	phoneShape   = regexp.MustCompile(`(?:\+|00)?\(?\d(?:[ ()./–-]{0,2}\d){5,19}`)
)

// codeLength is the number of digits of a tracking code.
const codeLength = 20

func findCode(text string) codeGuess {
	var g codeGuess
	text = narrowAll(text)
	for _, run := range digitRun.FindAllString(text, -1) {
		d := onlyDigits(run)
		switch {
		case len(d) == codeLength:
			g.digits = d
			return g
		case len(d) >= codeLength-4 && len(d) <= codeLength+6:
			g.near = len(d)
		}
	}
	g.public = publicNumber.MatchString(text)
	return g
}

// TrackingCode gives the 20 digits of a tracking code that a text contains, whatever spaces, dashes or full-width digits it is written
// with, so that a caller can keep it out of what it stores.
func TrackingCode(text string) (string, bool) {
	g := findCode(clean(text))
	return g.digits, g.digits != ""
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

func findEmail(text string) string {
	s := emailShape.FindString(narrowAll(text))
	if strings.Contains(s, "..") || strings.HasPrefix(s, ".") {
		return ""
	}
	return s
}

// findPhone gives the first run of 7 to 15 digits that is written like a telephone number.
func findPhone(text string) string {
	for _, s := range phoneShape.FindAllString(narrowAll(text), -1) {
		if n := len(onlyDigits(s)); n >= 7 && n <= 15 {
			return strings.TrimSpace(s)
		}
	}
	return ""
}

var mainlandMobile = regexp.MustCompile(`^(?:\+?86)?1[3-9]\d{9}$`)

// certainPhone reports whether a number is a telephone number even where nobody asked for one: a mainland mobile, or a leading plus.
func certainPhone(s string) bool {
	return strings.HasPrefix(s, "+") || mainlandMobile.MatchString(onlyDigits(s))
}

// leastTyped is how many digits somebody has typed who meant to give a number: "7 o'clock" is none.
const leastTyped = 3

// numberPlate is a run of letters and digits: no telephone number has any.
var numberPlate = regexp.MustCompile(`[A-Za-z][A-Za-z0-9]*\d{3}|\d{3}[A-Za-z]`)

// contactError gives the key of the text that says what is wrong with an attempted phone number or address, "" when there is no attempt.
func contactError(text string) string {
	s := narrowAll(text)
	if strings.Contains(s, "@") {
		return "contact.bad_email"
	}
	switch n := len(onlyDigits(s)); {
	case n < leastTyped || numberPlate.MatchString(s):
		return ""
	case n < 7:
		return "contact.short_phone"
	case n > 15:
		return "contact.long_phone"
	}
	return "contact.bad_phone"
}

// wrongMobile finds a mainland mobile number with digits too few or too many: it starts like one and has 9, 10 or 12 digits.
func wrongMobile(phone string) bool {
	d := onlyDigits(phone)
	return len(d) >= 9 && len(d) <= 12 && len(d) != 11 && d[0] == '1' && d[1] >= '3' && !strings.HasPrefix(phone, "+")
}

// placeWords describes how a language writes places.
type placeWords struct {
	// Pattern is a regular expression with {word} for Words and {before} for Before; its first group is the place.
	Pattern string   `json:"pattern"`
	Words   []string `json:"words"`
	Before  []string `json:"before"`
	// Not are endings that look like a place and are none, with = in front whole texts; Lead is cut off in front.
	Not  []string `json:"not"`
	Lead string   `json:"lead"`
	// Answer is what people say in front of an address when they were asked for it.
	Answer string `json:"answer"`
	// Clip maps a last character to characters behind it with which it forms another word: 12号楼下 is at 12号.
	Clip map[string]string `json:"clip"`
}

type placeRule struct {
	re, lead, answer *regexp.Regexp
	not              []string
	clip             map[string]string
	words            []string
	script           string
}

// compile returns an error when a pattern is no regular expression.
func (w *placeWords) compile() (placeRule, error) {
	src := strings.NewReplacer("{word}", strings.Join(w.Words, "|"), "{before}", strings.Join(w.Before, "|")).Replace(w.Pattern)
	re, err := regexp.Compile(src)
	if err != nil {
		return placeRule{}, fmt.Errorf("place pattern: %w", err)
	}
	rule := placeRule{re: re, not: w.Not, clip: w.Clip, words: w.Words}
	if w.Lead != "" {
		if rule.lead, err = regexp.Compile(w.Lead); err != nil {
			return placeRule{}, fmt.Errorf("place lead: %w", err)
		}
	}
	if w.Answer != "" {
		if rule.answer, err = regexp.Compile(w.Answer); err != nil {
			return placeRule{}, fmt.Errorf("place answer: %w", err)
		}
	}
	return rule, nil
}

// findPlace gives the first address or landmark in a sentence. It would rather find nothing than something wrong: the citizen is asked
// then, and sees in the summary what was found.
func (l *lexicon) findPlace(text string) string {
	written := cut(text, maxPlaceRead)
	text = hanzi.Simplify(written)
	han, first := containsHan(text), ""
	for _, rule := range l.places {
		if rule.script == "Han" && !han {
			continue
		}
	next:
		for _, m := range rule.re.FindAllStringSubmatchIndex(text, -1) {
			s, clipped := strings.TrimSpace(text[m[2]:m[3]]), false
			for last, behind := range rule.clip {
				if next, _ := utf8.DecodeRuneInString(text[m[3]:]); strings.HasSuffix(s, last) && strings.ContainsRune(behind, next) {
					s, clipped = strings.TrimSuffix(s, last), true
				}
			}
			if clipped && onlyDigits(narrowAll(s)) == "" && !slices.ContainsFunc(rule.words, func(w string) bool { return strings.HasSuffix(s, w) }) { // 小区门口那个路灯 names no place once 路 is gone
				continue
			}
			if rule.lead != nil {
				s = strings.TrimSpace(rule.lead.ReplaceAllString(s, ""))
			}
			for _, bad := range rule.not {
				whole, exact := strings.CutPrefix(bad, "=")
				if exact && strings.ToLower(s) == whole || !exact && strings.HasSuffix(strings.ToLower(s), bad) {
					continue next
				}
			}
			if utf8.RuneCountInString(s) >= 3 {
				from := m[2] + strings.Index(text[m[2]:m[3]], s)
				place := cut(written[from:from+len(s)], maxPlace)
				if first == "" {
					first = place
				}
				if onlyDigits(narrowAll(place)) != "" { // an address with its number says more than the landmark before it
					return place
				}
			}
		}
	}
	return first
}

// withoutContact takes phone number and address out of a description, so that they are seen only by who may see the contact.
func withoutContact(text, phone, email, instead string) string {
	for _, s := range []string{email, phone} {
		if s == "" {
			continue
		}
		if i := strings.Index(narrowAll(text), s); i >= 0 {
			// The narrowed text has other byte offsets than the original: count characters.
			from := utf8.RuneCountInString(narrowAll(text)[:i])
			r := []rune(text)
			text = string(r[:from]) + instead + string(r[from+utf8.RuneCountInString(s):])
		}
	}
	return text
}

// nameIn gives the name behind "my name is", "" when there is none.
func nameIn(r *reading) string {
	name, ok := r.after("my_name")
	if !ok {
		return ""
	}
	if i := strings.IndexAny(name, ",，。.;；0123456789\n"); i > 0 {
		name = strings.TrimSpace(name[:i])
	}
	if personName(name) || containsHan(name) && utf8.RuneCountInString(name) == 1 {
		return name
	}
	return ""
}

// personName reports whether a short answer could be a person's name: letters and blanks only.
func personName(s string) bool {
	n := utf8.RuneCountInString(s)
	if n < 2 || n > 40 || len(strings.Fields(s)) > 4 {
		return false
	}
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsMark(r) && !strings.ContainsRune(" .'-·’", r) {
			return false
		}
	}
	return !containsHan(s) || n <= 4
}

func containsHan(s string) bool {
	for _, r := range s {
		if unicode.Is(unicode.Han, r) {
			return true
		}
	}
	return false
}
