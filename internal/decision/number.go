package decision

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

const num = `(-?\d+(?:\.\d+)?)`

// The ways in which editors write a range. In Chinese law 以上 and 以下 include the number, 不满 and 超过 do not (民法典 第一千二百五十九条).
var (
	below   = regexp.MustCompile(`^(?:under|below|less than|fewer than|younger than|<|不满|未满|低于|小于|少于|不到)\s*` + num + `$`)
	above   = regexp.MustCompile(`^(?:over|above|more than|older than|>|超过|多于|大于|高于)\s*` + num + `$`)
	atLeast = regexp.MustCompile(`^(?:at least|from|>=|≥|至少|不低于|不少于)\s*` + num + `$`)
	atMost  = regexp.MustCompile(`^(?:at most|up to|no more than|<=|≤|至多|最多|不超过)\s*` + num + `$`)
	orMore  = regexp.MustCompile(`^` + num + `\s*(?:or more|or over|or older|or above|or higher|and over|and more|and above|and older|\+|及以上|或以上|和以上|以上)$`)
	orLess  = regexp.MustCompile(`^` + num + `\s*(?:or less|or fewer|or under|or below|or younger|or lower|and under|and less|and below|及以下|或以下|和以下|以下)$`)
	between = regexp.MustCompile(`^` + num + `\s*(?:to|-|–|—|~|～|到|至)\s*` + num + `$`)
	openLow = regexp.MustCompile(`^(?:over|above|more than|older than|>|超过|多于|大于|高于)\s*` + num + `\s*(?:to|up to|and up to|-|–|到|至|且不超过)\s*` + num + `$`)
	openEnd = regexp.MustCompile(`^(?:满)?` + num + `\s*(?:to|and|-|–|到|至|但)?\s*(?:under|below|less than|不满|未满)\s*` + num + `$`)
	exactly = regexp.MustCompile(`^` + num + `$`)
	rest    = regexp.MustCompile(`^(?:otherwise|else|any other|any other number|其他|其它|否则|其余)$`)
	comma   = regexp.MustCompile(`(\d)[,，](\d{3})`)
)

// readRange reads a condition such as "65 or more". It reports ok false for what is none, and other for "otherwise".
func readRange(label string, q *Question) (r Range, other, ok bool) {
	s := strings.ToLower(narrow(label))
	if q.Unit != "" {
		s = strings.ReplaceAll(s, strings.ToLower(q.Unit), "")
		s = strings.ReplaceAll(s, strings.TrimSuffix(strings.ToLower(q.Unit), "s")+" ", " ")
	}
	for comma.MatchString(s) {
		s = comma.ReplaceAllString(s, "$1$2")
	}
	s = strings.Join(strings.Fields(s), " ")
	if rest.MatchString(s) {
		return r, true, true
	}
	r = Range{Low: q.Min, High: q.Max}
	value := func(i int, m []string) float64 { v, _ := strconv.ParseFloat(m[i], 64); return v }
	for _, form := range []struct {
		re  *regexp.Regexp
		set func(m []string)
	}{
		{below, func(m []string) { r.High, r.HighOpen = value(1, m), true }},
		{above, func(m []string) { r.Low, r.LowOpen = value(1, m), true }},
		{atLeast, func(m []string) { r.Low = value(1, m) }},
		{orMore, func(m []string) { r.Low = value(1, m) }},
		{atMost, func(m []string) { r.High = value(1, m) }},
		{orLess, func(m []string) { r.High = value(1, m) }},
		{between, func(m []string) { r.Low, r.High = value(1, m), value(2, m) }},
		{openLow, func(m []string) { r.Low, r.LowOpen, r.High = value(1, m), true, value(2, m) }},
		{openEnd, func(m []string) { r.Low, r.High, r.HighOpen = value(1, m), value(2, m), true }},
		{exactly, func(m []string) { r.Low, r.High = value(1, m), value(1, m) }},
	} {
		if m := form.re.FindStringSubmatch(s); m != nil {
			form.set(m)
			return r, false, true
		}
	}
	return r, false, false
}

// whole closes the borders of a range of whole numbers.
func (r Range) whole() Range {
	if low := math.Ceil(r.Low); low == r.Low && r.LowOpen {
		r.Low++
	} else {
		r.Low = low
	}
	if high := math.Floor(r.High); high == r.High && r.HighOpen {
		r.High--
	} else {
		r.High = high
	}
	r.LowOpen, r.HighOpen = false, false
	return r
}

func (r Range) empty() bool { return r.Low > r.High || r.Low == r.High && (r.LowOpen || r.HighOpen) }

// meets reports whether two ranges have a number in common, and which.
func (r Range) meets(o Range) (float64, bool) {
	low, high := r, r
	if o.Low > r.Low || o.Low == r.Low && o.LowOpen {
		low = o
	}
	if o.High < r.High || o.High == r.High && o.HighOpen {
		high = o
	}
	both := Range{Low: low.Low, LowOpen: low.LowOpen, High: high.High, HighOpen: high.HighOpen}
	if both.empty() {
		return 0, false
	}
	if both.LowOpen {
		return (both.Low + both.High) / 2, true
	}
	return both.Low, true
}

// narrow writes full-width digits, letters and signs as ASCII.
func narrow(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '！' && r <= '～' {
			return r - 0xFEE0
		}
		if r == '\u3000' {
			return ' '
		}
		return r
	}, s)
}
