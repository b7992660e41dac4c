package ground

import (
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// fact is a figure with its unit, a time of day, or a telephone number, in one way of writing.
type fact struct {
	value string
	unit  string // "" where none is written
}

// in reports whether the facts of a source hold f. A figure with a unit needs the same unit; one without needs the figure.
func (f fact) in(have map[fact]bool) bool {
	if have[f] {
		return true
	}
	for h := range have {
		if h.value != f.value {
			continue
		}
		if f.unit == "" || h.unit == "" && loose[f.unit] {
			return true
		}
	}
	return false
}

// loose are units that are often left to the reader.
var loose = map[string]bool{"year": true, "date-month": true, "date-day": true}

var (
	linkShape  = regexp.MustCompile(`(?i)\b(?:https?://|www\.)[^\s<>"'，。；！？）】」\])]+|[a-z0-9][a-z0-9._%+-]*@[a-z0-9-]+(?:\.[a-z0-9-]+)+|\b[a-z0-9][a-z0-9-]+(?:\.[a-z0-9-]{2,})*\.(?:com|org|net|gov|edu|cn|eu|io|info|biz|co|uk|de|fr|example|test|xyz|top|ru|app|dev|me|tk|cc)\b(?:/[^\s<>"'，。；！？）】」\])]*)?`)
	phoneShape = regexp.MustCompile(`\+?\(?\d[\d()]*(?:[ \-–.][\d()]+)*`)
	timeShape  = regexp.MustCompile(`(?i)(上午|下午|晚上|早上)?\s*\b?(\d{1,2})(?:[:：](\d{2}))?\s*(a\.?m\b\.?|p\.?m\b\.?|点半|点|时(?:[^间限候段]|$))`)
	clockShape = regexp.MustCompile(`(上午|下午|晚上|早上)?\s*\b(\d{1,2})[:：](\d{2})\b`)
	// A figure with what may stand before and behind it.
	figure     = regexp.MustCompile(`(?i)([$€£¥])?\s?(\d+(?:[,.]\d+)*)\s?(万|亿|million|billion|thousand)?[\s-]?(个?工作日|working days?|business days?|workdays?|calendar days?|days?|个?自然日|天|日|weeks?|周|个?星期|个月|months?|月|years?|年|周岁|岁|hours?|个?小时|minutes?|分钟|seconds?|秒|percent|per cent|%|％|元|yuan|rmb|人民币|dollars?|usd|美元|euros?|eur|欧元|pounds?|gbp|times|次|倍|people|persons?|人|photos?|photographs?|份|张|条|级|km|kilomet(?:er|re)s?|公里|met(?:er|re)s?|米|平方米)?`)
	hanPart    = regexp.MustCompile(`([零〇一二两三四五六七八九十百千]+)分之([零〇一二两三四五六七八九十百千]+)`)
	hanFigure  = regexp.MustCompile(`(第)?([零〇一二两三四五六七八九十百千]+)(万|亿)?(个?工作日|个?自然日|天|日|周岁|周|个?星期|个月|月|年|岁|个?小时|分钟|秒|元|次|倍|人|份|张|条|级|公里|米|平方米|成|点|个|家|种|例|款|项|名|位|部|块|间|套|台|辆|件|声|者|方|倍)?`)
	wordFigure = regexp.MustCompile(`(?i)\b(zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fourteen|fifteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred)\b[\s-]?(working days?|business days?|calendar days?|days?|weeks?|months?|years?|hours?|minutes?|percent|per cent|dollars?|euros?|yuan|times|people|persons?|photos?|photographs?)?`)
	monthShape = regexp.MustCompile(`(?i)\b(january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\b\.?(?:\s+(\d{1,2})(?:st|nd|rd|th)?\b)?`)
	dayShape   = regexp.MustCompile(`(?i)\b(mondays?|tuesdays?|wednesdays?|thursdays?|fridays?|saturdays?|sundays?)\b|(?:星期|周|礼拜)([一二三四五六日天])`)
	isoDate    = regexp.MustCompile(`\b(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\b`)
	hanDate    = regexp.MustCompile(`(?:(\d{4})年)?(\d{1,2})月(\d{1,2})[日号]`)
	dayMonth   = regexp.MustCompile(`(?i)\b(\d{1,2})(?:st|nd|rd|th)?\s+(?:of\s+)?(january|february|march|april|may|june|july|august|september|october|november|december)\b`)
)

var months = map[string]string{"january": "1", "february": "2", "march": "3", "april": "4", "may": "5", "june": "6", "july": "7", "august": "8", "september": "9", "october": "10",
	"november": "11", "december": "12", "jan": "1", "feb": "2", "mar": "3", "apr": "4", "jun": "6", "jul": "7", "aug": "8", "sep": "9", "sept": "9", "oct": "10", "nov": "11", "dec": "12"}

var weekdays = map[string]string{"一": "mon", "二": "tue", "三": "wed", "四": "thu", "五": "fri", "六": "sat", "日": "sun", "天": "sun"}

var wordValues = map[string]string{"zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9", "ten": "10", "eleven": "11",
	"twelve": "12", "fourteen": "14", "fifteen": "15", "twenty": "20", "thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "seventy": "70", "eighty": "80", "ninety": "90", "hundred": "100"}

// facts finds the figures of a text.
func facts(s string) []fact {
	s = norm.NFKC.String(s)
	var out []fact
	take := func(shape *regexp.Regexp, f func(m []string) []fact) {
		s = shape.ReplaceAllStringFunc(s, func(hit string) string {
			got := f(shape.FindStringSubmatch(hit))
			if got == nil {
				return hit
			}
			out = append(out, got...)
			return strings.Repeat("\x01", 1) + " "
		})
	}
	date := func(y, m, d string) []fact {
		var fs []fact
		if y != "" {
			fs = append(fs, fact{trimZeros(y), ""})
		}
		return append(fs, fact{trimZeros(m), "date-month"}, fact{trimZeros(d), "date-day"})
	}
	take(isoDate, func(m []string) []fact { return date(m[1], m[2], m[3]) })
	take(hanDate, func(m []string) []fact { return date(m[1], m[2], m[3]) })
	take(dayMonth, func(m []string) []fact { return date("", months[strings.ToLower(m[2])], m[1]) })
	take(monthShape, func(m []string) []fact {
		name := strings.ToLower(m[1])
		if m[2] == "" {
			if name == "may" || name == "march" || len(name) <= 4 && name != "june" && name != "july" { // words of other senses
				return nil
			}
			return []fact{{months[name], "date-month"}}
		}
		return date("", months[name], m[2])
	})
	take(dayShape, func(m []string) []fact {
		if m[2] != "" {
			return []fact{{weekdays[m[2]], "weekday"}}
		}
		return []fact{{strings.ToLower(m[1])[:3], "weekday"}}
	})
	take(timeShape, func(m []string) []fact {
		minutes := m[3]
		if m[4] == "点半" {
			minutes = "30"
		}
		return []fact{clock(m[1], m[2], minutes, m[4])}
	})
	take(clockShape, func(m []string) []fact { return []fact{clock(m[1], m[2], m[3], "")} })
	take(phoneShape, func(m []string) []fact {
		if d := onlyDigits(m[0]); len(d) >= 7 && (strings.ContainsAny(m[0], " -–()+") || len(d) >= 8 && !strings.Contains(m[0], ".")) {
			return []fact{{d, "phone"}}
		}
		return nil
	})
	take(figure, func(m []string) []fact {
		v := number(m[2])
		switch strings.ToLower(m[3]) {
		case "万":
			v = shift(v, 4)
		case "亿":
			v = shift(v, 8)
		case "thousand":
			v = shift(v, 3)
		case "million":
			v = shift(v, 6)
		case "billion":
			v = shift(v, 9)
		}
		u := unit(m[4])
		if m[1] != "" {
			u = map[string]string{"$": "dollar", "€": "euro", "£": "pound", "¥": "yuan"}[m[1]]
		}
		return []fact{{v, u}}
	})
	take(hanPart, func(m []string) []fact {
		below, ok1 := hanNumber(m[1])
		above, ok2 := hanNumber(m[2])
		if !ok1 || !ok2 {
			return nil
		}
		return []fact{{strconv.Itoa(above) + "/" + strconv.Itoa(below), ""}}
	})
	take(hanFigure, func(m []string) []fact {
		if len([]rune(m[2])) < 2 && m[4] == "" && m[1] == "" {
			return nil // 一 is a word more often than a figure
		}
		v, ok := hanNumber(m[2])
		if !ok {
			return nil
		}
		switch m[3] {
		case "万":
			v *= 10_000
		case "亿":
			v *= 100_000_000
		}
		u := unit(m[4])
		if m[1] != "" {
			u = ""
		}
		if v == 1 && (u == "" || len([]rune(u)) == 1) {
			return nil
		}
		return []fact{{strconv.Itoa(v), u}}
	})
	take(wordFigure, func(m []string) []fact {
		u := unit(m[2])
		if w := strings.ToLower(m[1]); u == "" && (w == "one" || w == "two") {
			return nil
		}
		return []fact{{wordValues[strings.ToLower(m[1])], u}}
	})
	return out
}

func clock(part, hour, minute, ampm string) fact {
	h, err := strconv.Atoi(hour)
	if err != nil {
		return fact{hour, "clock"}
	}
	if minute == "" {
		minute = "00"
	}
	p := strings.ToLower(strings.ReplaceAll(ampm, ".", ""))
	if (p == "pm" || part == "下午" || part == "晚上") && h < 12 {
		h += 12
	}
	return fact{strconv.Itoa(h) + ":" + minute, "clock"}
}

func unit(s string) string {
	s = strings.ToLower(strings.TrimPrefix(s, "个"))
	switch {
	case s == "":
		return ""
	case strings.Contains(s, "work"), strings.Contains(s, "business"), s == "工作日":
		return "workday"
	case strings.Contains(s, "day"), s == "天", s == "日", s == "自然日":
		return "day"
	case strings.HasPrefix(s, "week"), s == "周", s == "星期":
		return "week"
	case strings.HasPrefix(s, "month"), s == "月":
		return "month"
	case strings.HasPrefix(s, "year"), s == "年", s == "岁", s == "周岁":
		return "year"
	case strings.HasPrefix(s, "hour"), s == "小时":
		return "hour"
	case strings.HasPrefix(s, "minute"), s == "分钟":
		return "minute"
	case strings.HasPrefix(s, "second"), s == "秒":
		return "second"
	case strings.HasPrefix(s, "per"), s == "%":
		if strings.HasPrefix(s, "person") {
			return "person"
		}
		return "percent"
	case s == "元", s == "yuan", s == "rmb", s == "人民币":
		return "yuan"
	case strings.HasPrefix(s, "dollar"), s == "usd", s == "美元":
		return "dollar"
	case strings.HasPrefix(s, "eur"), s == "欧元":
		return "euro"
	case strings.HasPrefix(s, "pound"), s == "gbp":
		return "pound"
	case s == "people", s == "人":
		return "person"
	case s == "times", s == "次":
		return "times"
	case strings.HasPrefix(s, "photo"), s == "张", s == "份":
		return "piece"
	case strings.HasPrefix(s, "k"), s == "公里":
		return "km"
	case strings.HasPrefix(s, "met"), s == "米":
		return "metre"
	}
	return s
}

// number writes a figure without separators of thousands and without zeros that say nothing.
func number(s string) string {
	parts := strings.Split(s, ",")
	if len(parts) > 1 {
		thousands := true
		for _, p := range parts[1:] {
			whole, _, _ := strings.Cut(p, ".")
			thousands = thousands && len(whole) == 3
		}
		if thousands {
			s = strings.Join(parts, "")
		}
	}
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return trimZeros(s)
}

func trimZeros(s string) string {
	t := strings.TrimLeft(s, "0")
	if t == "" || t[0] == '.' {
		t = "0" + t
	}
	return t
}

func shift(v string, by int) string {
	f, err := strconv.ParseFloat(v, 64)
	if err != nil {
		return v
	}
	for range by {
		f *= 10
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// hanNumber reads a Chinese numeral below ten thousand, or a row of digits (二〇二六).
func hanNumber(s string) (int, bool) {
	digit := map[rune]int{'零': 0, '〇': 0, '一': 1, '二': 2, '两': 2, '三': 3, '四': 4, '五': 5, '六': 6, '七': 7, '八': 8, '九': 9}
	unit := map[rune]int{'十': 10, '百': 100, '千': 1000}
	if !strings.ContainsAny(s, "十百千") {
		v := 0
		for _, r := range s {
			v = v*10 + digit[r]
			if v > 1e9 {
				return 0, false
			}
		}
		return v, true
	}
	total, last := 0, -1
	for _, r := range s {
		if u, ok := unit[r]; ok {
			if last < 0 {
				last = 1
			}
			total, last = total+last*u, -1
			continue
		}
		if last = digit[r]; r == '零' || r == '〇' {
			last = -1
		}
	}
	if last > 0 {
		total += last
	}
	return total, true
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// links gives the links and e-mail addresses of a text in one way of writing.
func links(s string) []string {
	var out []string
	for _, l := range linkShape.FindAllString(norm.NFKC.String(s), -1) {
		l = strings.ToLower(strings.TrimRight(l, ".,;:!?/"))
		l = strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(l, "https://"), "http://"), "www.")
		out = append(out, l)
	}
	return out
}
