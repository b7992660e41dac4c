package hear

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"hotline/internal/hanzi"
)

// dayWords is how a language names days. In Patterns {name} stands for one of the words of that name; the groups say what is meant: y, m, d, weekday,
// which (last, next: counted from today), week, month and year (last, next: counted in weeks, months and years of the calendar), part for a day that is
// named by the part of its month, date for one that has a name, n and unit with ago or ahead, and either for two numbers of which each can be the month.
type dayWords struct {
	Days     map[string]int `json:"days"` // from today
	Which    map[string]int `json:"which"`
	Weekdays map[string]int `json:"weekdays"` // Sunday is 0
	Months   map[string]int `json:"months"`
	Units    map[string]int `json:"units"` // days of a week; below 0 they are months
	// Counts are numbers that only units have: "a couple of", 半.
	Counts   map[string]float64 `json:"counts"`
	Parts    map[string]int     `json:"parts"` // of a month: the day they begin with, endOfMonth for its last
	Dates    map[string][2]int  `json:"dates"` // month and day
	Spans    map[string][]int   `json:"spans"` // days that can be meant, from today
	Weeks    map[string]int     `json:"weeks"`
	Weekends map[string]int     `json:"weekends"`
	Closer   map[string]int     `json:"closer"`   // which of two days: -1 the earlier, 1 the later
	Past     []string           `json:"past"`     // say that a day is over
	Future   []string           `json:"future"`   // … that it is to come
	Unless   []string           `json:"unless"`   // behind a number that counts something else: 5号楼
	Patterns []string           `json:"patterns"` // the most telling first
}

type dayRule struct {
	words    dayWords
	patterns []*regexp.Regexp
	day      *regexp.Regexp // one day, or several that can be meant
}

// endOfMonth is the number of the last day of any month.
const endOfMonth = -1

// rule compiles the patterns of a language. It panics on a broken one: the words are part of the program.
func (w dayWords) rule(numbers map[string]float64) dayRule {
	alt := func(words []string) string {
		slices.SortFunc(words, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) }) // the longest first
		for i, s := range words {
			words[i] = regexp.QuoteMeta(s)
		}
		return strings.Join(words, "|")
	}
	count := alt(keys(numbers))
	if containsHan(count) {
		count = `(?:` + count + `)+`
	}
	count += "|" + alt(keys(w.Counts))
	names := strings.NewReplacer("{which}", alt(keys(w.Which)), "{weekday}", alt(keys(w.Weekdays)), "{month}", alt(keys(w.Months)), "{unit}", alt(keys(w.Units)), "{part}", alt(keys(w.Parts)), "{date}", alt(keys(w.Dates)), "{n}", `\d{1,3}|`+count)
	edge := ""
	if !containsHan(strings.Join(keys(w.Days), "")) {
		edge = `\b`
	}
	named := slices.Concat(keys(w.Days), keys(w.Spans), keys(w.Weeks), keys(w.Weekends))
	r := dayRule{words: w, day: regexp.MustCompile(edge + `(?:` + alt(named) + `)` + edge)}
	for _, p := range w.Patterns {
		r.patterns = append(r.patterns, regexp.MustCompile(edge+`(?:`+names.Replace(p)+`)`+edge))
	}
	return r
}

func keys[V any](m map[string]V) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	return out
}

func containsHan(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r >= 0x4e00 })
}

// Days gives the day that a text names, seen from today: several when it can mean any of them, none when it names none. asked is the question; "since
// when?" is about a day that is over. What comes back is midnight in today's time zone.
func Days(asked, text string, today time.Time) []time.Time {
	l := load()
	today = time.Date(today.Year(), today.Month(), today.Day(), 0, 0, 0, 0, today.Location())
	s, q := clock.ReplaceAllString(dayText(text), " "), dayText(asked)
	over, ahead := 0, 0
	for _, rule := range l.days {
		for _, w := range rule.words.Past {
			over += occurs(s, w) + occurs(q, w)
		}
		for _, w := range rule.words.Future {
			ahead += occurs(s, w) + occurs(q, w)
		}
	}
	misses := func(d time.Time) bool { // a day on the other side of today than the words say
		return (over > 0) != (ahead > 0) && (over > 0 && d.After(today) || ahead > 0 && d.Before(today))
	}
	var found []time.Time
	for _, rule := range l.days {
		if found = rule.named(l, s, q, today, misses); len(found) > 0 {
			break
		}
	}
	if kept := slices.DeleteFunc(slices.Clone(found), misses); len(found) > 1 && len(kept) > 0 {
		found = kept
	}
	slices.SortFunc(found, time.Time.Compare)
	return slices.CompactFunc(found, time.Time.Equal)
}

// clock is a time of day, which looks like a date where it is written with a dot, and "24/7".
var clock = regexp.MustCompile(`\b24/7\b|\b(?:at|around) \d{1,2}[.:]\d{2}\b|\b\d{1,2}[.:]\d{2} ?(?:am|pm|a\.m|p\.m|oclock)\b`)

// Direction tells which of several days a text like "the next one" or 上周的 means: -1 the earlier, 1 the later, 0 when it does not say.
func Direction(text string) int {
	s := dayText(text)
	back, on := false, false
	for _, rule := range load().days {
		for w, n := range rule.words.Which {
			if n != 0 && occurs(s, w) > 0 {
				back, on = back || n < 0, on || n > 0
			}
		}
		for w, n := range rule.words.Closer {
			if occurs(s, w) > 0 {
				back, on = back || n < 0, on || n > 0
			}
		}
	}
	switch {
	case back == on: // 下周的晚上 says both
		return 0
	case back:
		return -1
	}
	return 1
}

func dayText(s string) string {
	return strings.Join(strings.Fields(strings.NewReplacer(",", " ", "，", " ", "we'd", "we would", "we’d", "we would", "'", "", "’", "").Replace(strings.ToLower(hanzi.Simplify(strings.Map(narrow, s))))), " ")
}

// occurs counts a word once; a Latin one must stand alone.
func occurs(s, w string) int {
	i := strings.Index(s, w)
	if i < 0 || !containsHan(w) && !strings.Contains(" "+strings.Map(letters, s)+" ", " "+w+" ") {
		return 0
	}
	return 1
}

func letters(r rune) rune {
	if strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789 ", r) {
		return r
	}
	return ' '
}

// named reads a text by the rule of one language.
func (r *dayRule) named(l *lexicon, s, asked string, today time.Time, misses func(time.Time) bool) []time.Time {
	for _, re := range r.patterns {
		for _, at := range re.FindAllStringSubmatchIndex(s, -1) {
			if slices.ContainsFunc(r.words.Unless, func(w string) bool { return strings.HasPrefix(s[at[1]:], w) }) {
				continue
			}
			part := map[string]string{}
			for i, name := range re.SubexpNames() {
				if name != "" && at[2*i] >= 0 {
					part[name] = s[at[2*i]:at[2*i+1]]
				}
			}
			if found := r.meant(l, part, asked+s, today, misses); len(found) > 0 {
				return found
			}
		}
	}
	if w := r.day.FindString(s); w != "" {
		return r.span(w, today)
	}
	return nil
}

// span gives the day of a word like "yesterday", and all days of one like "last weekend" or 前几天.
func (r *dayRule) span(w string, today time.Time) (out []time.Time) {
	from := func(start time.Time, days ...int) {
		for _, n := range days {
			out = append(out, start.AddDate(0, 0, n))
		}
	}
	monday := mondayOf(today)
	if n, ok := r.words.Weeks[w]; ok {
		from(monday.AddDate(0, 0, 7*n), 0, 1, 2, 3, 4, 5, 6)
		return out
	}
	n, ok := r.words.Weekends[w]
	switch {
	case !ok && r.words.Spans[w] != nil:
		from(today, r.words.Spans[w]...)
	case !ok:
		from(today, r.words.Days[w])
	case n == 0 && today.Before(monday.AddDate(0, 0, 5)): // the one that is over or the one to come
		from(monday, -2, -1, 5, 6)
	default:
		from(monday.AddDate(0, 0, 7*n), 5, 6)
	}
	return out
}

func mondayOf(today time.Time) time.Time {
	return today.AddDate(0, 0, -(int(today.Weekday())+6)%7)
}

// meant gives the days that the parts of a date can mean.
func (r *dayRule) meant(l *lexicon, part map[string]string, all string, today time.Time, misses func(time.Time) bool) []time.Time {
	count := func(name string) (int, bool) {
		if part[name] == "" {
			return 0, false
		}
		ts := split(part[name])
		if roughly(part[name]) {
			return 0, false
		}
		n, ok := l.numberAt(ts, 0)
		return int(n.value), ok && n.to == len(ts)
	}
	monday := mondayOf(today)
	weekday := (r.words.Weekdays[part["weekday"]] + 6) % 7 // Monday is 0
	shift := func(name string) int { return r.words.Which[part[name]] }
	if few := []rune(part["n"]); len(few) == 2 && roughly(part["n"]) { // 两三天前
		var out []time.Time
		for _, one := range few {
			part["n"] = string(one)
			out = append(out, r.meant(l, part, all, today, misses)...)
		}
		return out
	}
	d, hasDay := count("d")
	if part["part"] != "" {
		d, hasDay = r.words.Parts[part["part"]], true
	}
	n, counted := r.words.Counts[part["n"]]
	if whole, ok := count("n"); ok && !counted {
		n, counted = float64(whole), true
	}
	switch {
	case counted:
		if part["ahead"] == "" {
			n = -n
		}
		return []time.Time{unitsFrom(today, n, r.words.Units[part["unit"]])}
	case part["date"] != "":
		on := r.words.Dates[part["date"]]
		if part["year"] != "" {
			return valid(today.Year()+shift("year"), on[0], on[1], today)
		}
		return nearest(on[0], on[1], today, misses)
	case part["either"] != "":
		return r.either(part, all, today, misses)
	case part["weekday"] != "" && part["week"] != "":
		return []time.Time{monday.AddDate(0, 0, 7*shift("week")+weekday)}
	case part["weekday"] != "":
		this := monday.AddDate(0, 0, weekday)
		before, after := this, this
		if !this.Before(today) {
			before = this.AddDate(0, 0, -7)
		}
		if !this.After(today) {
			after = this.AddDate(0, 0, 7)
		}
		switch which := shift("which"); {
		case part["which"] == "" && this.Equal(today):
			return []time.Time{this, after}
		case part["which"] == "":
			return []time.Time{before, after}
		case which == 0:
			return []time.Time{this}
		case which < 0 && !before.Before(monday): // of this week, or the one before?
			return []time.Time{before.AddDate(0, 0, -7), before}
		case which < 0:
			return []time.Time{before}
		case after.Before(monday.AddDate(0, 0, 7)):
			return []time.Time{after, after.AddDate(0, 0, 7)}
		default:
			return []time.Time{after}
		}
	case hasDay && part["month"] != "":
		return valid(today.Year(), int(today.Month())+shift("month"), d, today)
	case hasDay && part["m"] != "":
		m, ok := r.words.Months[part["m"]], true
		if m == 0 {
			m, ok = count("m")
		}
		if !ok || m < 1 || m > 12 {
			return nil
		}
		if part["year"] != "" {
			return valid(today.Year()+shift("year"), m, d, today)
		}
		if y, err := strconv.Atoi(part["y"]); err == nil {
			return valid(y, m, d, today)
		}
		return nearest(m, d, today, misses)
	case hasDay:
		var before, after []time.Time
		for months := 0; months <= 2; months++ { // the 31st of the month beside has to exist
			if t := valid(today.Year(), int(today.Month())-months, d, today); before == nil && len(t) > 0 && !t[0].After(today) {
				before = t
			}
			if t := valid(today.Year(), int(today.Month())+months, d, today); after == nil && len(t) > 0 && t[0].After(today) {
				after = t
			}
		}
		if len(before) > 0 && before[0].Equal(today) {
			return before
		}
		return append(before, after...)
	}
	return nil
}

// unitsFrom counts units from a day; half a month is fifteen days.
func unitsFrom(day time.Time, n float64, unit int) time.Time {
	if unit > 0 {
		return day.AddDate(0, 0, int(n*float64(unit)))
	}
	months := -n * float64(unit)
	if whole := int(months); float64(whole) == months {
		return inMonth(day.Year(), int(day.Month())+whole, day.Day(), day)
	}
	return day.AddDate(0, 0, int(30*months))
}

// roughly reports whether Chinese digits stand side by side: 两三 is two or three, not 23.
func roughly(s string) bool {
	before := false
	for _, c := range s {
		digit := strings.ContainsRune("一二两三四五六七八九", c)
		if digit && before {
			return true
		}
		before = digit
	}
	return false
}

// either reads 3/4, which is the third of April or the fourth of March; in Chinese the month comes first.
func (r *dayRule) either(part map[string]string, all string, today time.Time, misses func(time.Time) bool) []time.Time {
	a, _ := strconv.Atoi(part["either"])
	b, _ := strconv.Atoi(part["other"])
	y, err := strconv.Atoi(part["y"])
	on := func(m, d int) []time.Time {
		if m < 1 || m > 12 {
			return nil
		}
		if err == nil {
			return valid(y, m, d, today)
		}
		return nearest(m, d, today, misses)
	}
	if err == nil && utf8.RuneCountInString(part["y"]) == 2 {
		y += 2000
	}
	out := on(a, b)
	if !containsHan(all) || len(out) == 0 {
		out = append(on(b, a), out...)
	}
	return out
}

// nearest is the day of a month in this year or in one beside it: who says 30 December in January means the one a few days ago. A day that is over is
// looked for among those that are: "since 3 March", said in November.
func nearest(m, d int, today time.Time, misses func(time.Time) bool) []time.Time {
	var out []time.Time
	for y := today.Year() - 1; y <= today.Year()+1; y++ {
		for _, t := range valid(y, m, d, today) {
			if misses(t) {
				continue
			}
			if len(out) == 0 || t.Sub(today).Abs() < out[0].Sub(today).Abs() {
				out = []time.Time{t}
			}
		}
	}
	return out
}

// valid is the day, if there is one of that number.
func valid(y, m, d int, today time.Time) []time.Time {
	if d == endOfMonth {
		return []time.Time{time.Date(y, time.Month(m)+1, 0, 0, 0, 0, 0, today.Location())}
	}
	t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, today.Location())
	if d < 1 || t.Day() != d || m >= 1 && m <= 12 && int(t.Month()) != m {
		return nil
	}
	return []time.Time{t}
}

// inMonth is that day of a month, or its last one where it is shorter.
func inMonth(y, m, d int, today time.Time) time.Time {
	t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, today.Location())
	if t.Day() != d {
		t = time.Date(y, time.Month(m)+1, 0, 0, 0, 0, 0, today.Location())
	}
	return t
}
