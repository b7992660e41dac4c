package redact

import (
	"cmp"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The kinds of placeholders. Their words are chosen so that a model knows what stands there.
const (
	kindText    = "TEXT" // something that looked like a placeholder
	kindLink    = "LINK"
	kindEmail   = "EMAIL"
	kindID      = "ID"
	kindCode    = "CODE"
	kindCard    = "CARD"
	kindNumber  = "NUMBER"
	kindPhone   = "PHONE"
	kindPlate   = "PLATE"
	kindIP      = "IP"
	kindAddress = "ADDRESS"
	kindName    = "NAME"
	kindAccount = "ACCOUNT"
)

// placeholder knows every shape that Restore accepts, and so every shape that Hide must not leave in a text.
var placeholder = regexp.MustCompile(`(?i)[\[【［]\s?(TEXT|LINK|EMAIL|ID|CODE|CARD|NUMBER|PHONE|PLATE|IP|ADDRESS|NAME|ACCOUNT)[_ -]?(\d{1,9})\s?[\]】］]`)

// rule finds one kind of thing. The match is the pattern's group 1 where it has one; keep decides about each match (nil: all).
type rule struct {
	kind    string
	pattern *regexp.Regexp
	keep    func(match string) bool
	edge    edge
}

// edge is what must not stand directly beside a match.
type edge uint8

const (
	anywhere  edge = iota
	noDigit        // a digit: the match would be part of a longer number
	noLetters      // a digit or Latin letter
)

// rules in the order in which they claim parts of a text: the more certain first.
var rules = []rule{
	{kindText, placeholder, nil, anywhere},
	{kindLink, regexp.MustCompile(`(?i)\b(?:https?|ftp|wss?)://[^\s<>"'，。；！？）】」]+|\bwww\.[^\s<>"'，。；！？）】」]+`), secretLink, anywhere},
	{kindEmail, regexp.MustCompile(`(?i)[\p{Latin}0-9][\p{Latin}0-9._%+'-]*@[\p{Latin}0-9-]+(?:\.[\p{Latin}0-9-]+)+`), nil, anywhere},
	{kindCard, regexp.MustCompile(`(?i)[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?`), iban, noLetters},
	{kindCode, regexp.MustCompile(`\d(?:[ -]?\d){19}`), nil, noDigit},
	{kindID, regexp.MustCompile(`\d{6}[ -]?\d{4}[ -]?\d{4}[ -]?\d{3}[\dXx]`), citizenID, noLetters},
	{kindID, regexp.MustCompile(`\d{15}`), oldCitizenID, noLetters},
	{kindCard, regexp.MustCompile(`\d(?:[ -]?\d){12,18}`), luhn, noDigit},
	{kindPhone, regexp.MustCompile(`0\d{2,3}-\d{7,8}-\d{1,6}`), nil, noDigit}, // with an extension it is long enough for a number
	{kindID, regexp.MustCompile(`\d{3}-\d{2}-\d{4}`), nil, noDigit},           // US social security
	{kindNumber, regexp.MustCompile(`\d(?:[ -]?\d){14,40}`), nil, noDigit},    // no fact that anybody asks for has so many digits
	{kindPhone, regexp.MustCompile(`(?:(?:\+|00)?86[ -]?)?1[3-9]\d(?:[ -]?\d{4}){2}`), nil, noDigit},
	{kindPhone, regexp.MustCompile(`(?:\+|\b00)[1-9]\d{0,2}(?:[ ()/.–-]{0,2}\d){6,12}`), nil, noDigit},
	{kindPhone, regexp.MustCompile(`\(?0\d{2,4}\)?(?:[ ()/.–-]{0,2}\d){6,8}(?:(?:-| ?转 ?| ?ext\.? ?)\d{1,6})?`), notDate, noDigit},
	{kindPhone, regexp.MustCompile(`\(?[2-9]\d{2}\)?[ .-]\d{3}[ .-]\d{4}`), nil, noDigit},
	{kindPhone, regexp.MustCompile(`(?i)(?:电话|手机|座机|热线|联系方式|号码|拨打|致电|打给我|\btel(?:ephone)?|\bphone|\bmobile|\bcell|\bfax|\bcall me|\breach me|\btext me)[^\d\n]{0,14}?(\d(?:[ -]?\d){6,12})`), notDate, noDigit},
	{kindAccount, regexp.MustCompile(`(?i)(?:微信号?|wechat(?: id)?|weixin|qq号?|whatsapp|telegram|微博|支付宝账?号?)\s*(?:号|账号|id|is)?\s*[:：是为]?\s*(@?[a-z0-9][a-z0-9_.-]{4,29})`), hasDigitOrSign, noLetters},
	{kindID, regexp.MustCompile(`(?i)(?:[EGDSPHMCKT]\d{8,10}|E[A-HJ-NP-Z]\d{7})`), nil, noLetters},
	{kindID, regexp.MustCompile(`(?i)(?:护照|通行证|居住证|身份证|证件|社保卡|医保卡|驾驶证|\bpassport|\bidentity card|\bid card|\bid number|\bsocial security|\bnational insurance|\bdriving licen[cs]e|\bdriver'?s licen[cs]e)[^\dA-Za-z\n]{0,8}(?:号码?|no\.?|number|is|nr\.?)?[^\dA-Za-z\n]{0,4}(?:is\s)?([A-Z0-9][A-Z0-9 -]{4,20}[A-Z0-9])`), fourDigits, noLetters},
	{kindPlate, regexp.MustCompile(`[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领][A-HJ-NP-Za-hj-np-z][·•. -]?[A-HJ-NP-Za-hj-np-z0-9]{4,5}[A-HJ-NP-Za-hj-np-z0-9挂学警港澳]`), fourOf, noLetters},
	{kindPlate, regexp.MustCompile(`(?i)(?:车牌|号牌|\blicen[cs]e plate|\bnumber plate|\bplate|\bregistration)(?:号码?|\snumber|\sno\.?)?\s*(?:is|was|[:：是为])?\s*([A-Z0-9]{1,4}[ ·-]?[A-Z0-9]{2,5}(?:[ -][A-Z0-9]{1,4})?)`), hasDigit, noLetters},
	{kindIP, regexp.MustCompile(`\d{1,3}(?:\.\d{1,3}){3}`), address, noLetters},
	{kindIP, regexp.MustCompile(`(?i)[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:\.\d{1,3}){0,3}`), address, noLetters},
	{kindAddress, regexp.MustCompile(`[\p{Han}\d]{0,12}\d{1,5}(?:号院?|弄)?\d{0,4}(?:号楼|栋|幢|座|单元|号)[\d一二三四五六七八九十]{0,4}(?:单元|层|楼)?-?\d{1,5}(?:室|户|房)`), nil, anywhere},
	{kindAddress, regexp.MustCompile(`\d{1,5}[A-Za-z]?,? (?:[A-Z][\p{Latin}'.-]+ ){1,3}(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Square|Sq|Terrace|Close|Way|Place|Crescent|Mews)\b\.?(?:,? (?:Apt|Apartment|Flat|Unit|Suite|#)\.? ?[0-9A-Za-z]{1,6})?`), nil, noDigit},
	{kindAddress, regexp.MustCompile(`\p{Lu}\p{Latin}+(?:straße|strasse|str\.|gasse|allee|weg|platz) \d{1,4}[a-z]?\b`), nil, anywhere},
}

// found is one part of a text, in bytes of its narrow form.
type found struct {
	kind     string
	from, to int
}

// find gives what must be hidden, in order and without overlaps.
func find(text string, known []string) []found {
	var out []found
	taken := make([]bool, len(text)+1)
	claim := func(kind string, from, to int) {
		if from >= to || slices.Contains(taken[from:to], true) {
			return
		}
		for i := from; i < to; i++ {
			taken[i] = true
		}
		out = append(out, found{kind, from, to})
	}
	for _, ru := range rules {
		for at := 0; at < len(text); {
			m := ru.pattern.FindStringSubmatchIndex(text[at:])
			if m == nil {
				break
			}
			from, to := m[0]+at, m[1]+at
			if len(m) > 2 && ru.kind != kindText && m[2] >= 0 {
				from, to = m[2]+at, m[3]+at
			}
			if ru.kind == kindLink {
				to = from + len(strings.TrimRight(text[from:to], ".,;:!?)"))
			}
			if clear(text, from, to, ru.edge) && (ru.keep == nil || ru.keep(text[from:to])) {
				claim(ru.kind, from, to)
				at = max(to, at+1)
				continue
			}
			_, size := utf8.DecodeRuneInString(text[m[0]+at:])
			at += m[0] + max(size, 1) // the true match may begin inside a false one
		}
	}
	for _, k := range known {
		kind := kindName
		if strings.ContainsAny(k, "0123456789") {
			kind = kindAddress
		}
		for at := 0; ; {
			i := strings.Index(text[at:], k)
			if i < 0 {
				break
			}
			from, to := at+i, at+i+len(k)
			at = to
			if !hasHan(k) && !wholeWord(text, from, to) {
				continue
			}
			claim(kind, from, to)
		}
	}
	slices.SortFunc(out, func(a, b found) int { return cmp.Compare(a.from, b.from) })
	return out
}

// clear reports whether nothing stands beside a match that would make it part of something longer.
func clear(text string, from, to int, e edge) bool {
	if e == anywhere {
		return true
	}
	before, after := byte(' '), byte(' ')
	if from > 0 {
		before = text[from-1]
	}
	if to < len(text) {
		after = text[to]
	}
	bad := isDigit
	if e == noLetters {
		bad = func(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z' }
	}
	return !bad(before) && !bad(after)
}

func wholeWord(text string, from, to int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:from])
	after, _ := utf8.DecodeRuneInString(text[to:])
	part := func(r rune) bool {
		return r != utf8.RuneError && !unicode.Is(unicode.Han, r) && (unicode.IsLetter(r) || unicode.IsDigit(r))
	}
	return !part(before) && !part(after)
}

func hasHan(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

func hasDigit(s string) bool       { return strings.ContainsAny(s, "0123456789") }
func hasDigitOrSign(s string) bool { return strings.ContainsAny(s, "0123456789_@") }
func fourDigits(s string) bool     { return len(digits(s)) >= 4 }

// fourOf keeps plates: at least two digits among the characters after the first two, so that words in Latin letters after 京 stay.
func fourOf(s string) bool { return len(digits(s)) >= 2 }

// notDate drops days such as 0226-11-26 and runs of years.
func notDate(s string) bool { return !dateShape.MatchString(s) }

var dateShape = regexp.MustCompile(`^(?:(?:19|20)\d{2}[-/. ](?:0?[1-9]|1[0-2])[-/. ](?:0?[1-9]|[12]\d|3[01])|(?:0?[1-9]|[12]\d|3[01])[-/. ](?:0?[1-9]|1[0-2])[-/. ](?:19|20)\d{2}|(?:19|20)\d{2}\s?[-–]\s?(?:19|20)\d{2}|(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))$`)

func address(s string) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && (a.Is4() || strings.Count(s, ":") >= 2 && hasHex(s))
}

// hasHex keeps "::" and the like, which are punctuation, out.
func hasHex(s string) bool { return len(strings.Trim(s, ":")) >= 2 }
