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
// which (last, next: counted from today), week, month and year (last, next: counted in weeks, months and years of the calendar), n and unit with ago
// or ahead, and either for two numbers of which each can be the month.
type dayWords struct {
	Days     map[string]int `json:"days"` // from today
	Which    map[string]int `json:"which"`
	Weekdays map[string]int `json:"weekdays"` // Sunday is 0
	Months   map[string]int `json:"months"`
	Units    map[string]int `json:"units"`    // days of a week; 0 is a month
	Past     []string       `json:"past"`     // say that a day is over
	Future   []string       `json:"future"`   // … that it is to come
	Unless   []string       `json:"unless"`   // behind a number that counts something else: 5号楼
	Patterns []string       `json:"patterns"` // the most telling first
}

type dayRule struct {
	words    dayWords
	patterns []*regexp.Regexp
	day      *regexp.Regexp
}

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
	names := strings.NewReplacer("{which}", alt(keys(w.Which)), "{weekday}", alt(keys(w.Weekdays)), "{month}", alt(keys(w.Months)), "{unit}", alt(keys(w.Units)), "{n}", `\d{1,3}|`+count)
	edge := ""
	if !containsHan(strings.Join(keys(w.Days), "")) {
		edge = `\b`
	}
	r := dayRule{words: w, day: regexp.MustCompile(edge + `(?:` + alt(keys(w.Days)) + `)` + edge)}
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

// Days gives the day that a text names, seen from today: two days when it can mean either, none when it names none. asked is the question; "since
// when?" is about a day that is over. What comes back is midnight in today's time zone.
func Days(asked, text string, today time.Time) []time.Time {
	l := load()
	today = time.Date(today.Year(), today.Month(), today.Day(), 0, 0, 0, 0, today.Location())
	s, q := dayText(text), dayText(asked)
	var found []time.Time
	for _, rule := range l.days {
		if found = rule.named(l, s, q, today); len(found) > 0 {
			break
		}
	}
	if len(found) < 2 {
		return found
	}
	over, ahead := 0, 0
	for _, rule := range l.days {
		for _, w := range rule.words.Past {
			over += occurs(s, w) + occurs(q, w)
		}
		for _, w := range rule.words.Future {
			ahead += occurs(s, w) + occurs(q, w)
		}
	}
	if (over > 0) != (ahead > 0) {
		kept := slices.DeleteFunc(slices.Clone(found), func(d time.Time) bool { return over > 0 && d.After(today) || ahead > 0 && d.Before(today) })
		if len(kept) > 0 {
			found = kept
		}
	}
	slices.SortFunc(found, time.Time.Compare)
	return slices.CompactFunc(found, time.Time.Equal)
}

// Direction tells which of several days a text like "the next one" or 上周的 means: -1 the earlier, 1 the later, 0 when it does not say.
func Direction(text string) int {
	s := dayText(text)
	for _, rule := range load().days {
		for w, n := range rule.words.Which {
			if n != 0 && occurs(s, w) > 0 {
				return n / max(n, -n)
			}
		}
	}
	return 0
}

func dayText(s string) string {
	return strings.Join(strings.Fields(strings.NewReplacer(",", " ", "，", " ", "'", "", "’", "").Replace(strings.ToLower(hanzi.Simplify(strings.Map(narrow, s))))), " ")
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
func (r *dayRule) named(l *lexicon, s, asked string, today time.Time) []time.Time {
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
			if found := r.meant(l, part, asked+s, today); len(found) > 0 {
				return found
			}
		}
	}
	if w := r.day.FindString(s); w != "" {
		return []time.Time{today.AddDate(0, 0, r.words.Days[w])}
	}
	return nil
}

// meant gives the days that the parts of a date can mean.
func (r *dayRule) meant(l *lexicon, part map[string]string, all string, today time.Time) []time.Time {
	count := func(name string) (int, bool) {
		if part[name] == "" {
			return 0, false
		}
		if part[name] == "a" || part[name] == "an" {
			return 1, true
		}
		ts := split(part[name])
		n, ok := l.numberAt(ts, 0)
		return int(n.value), ok && n.to == len(ts)
	}
	monday := today.AddDate(0, 0, -(int(today.Weekday())+6)%7)
	weekday := (r.words.Weekdays[part["weekday"]] + 6) % 7 // Monday is 0
	shift := func(name string) int { return r.words.Which[part[name]] }
	d, hasDay := count("d")
	switch n, counted := count("n"); {
	case counted:
		if part["ahead"] == "" {
			n = -n
		}
		if days := r.words.Units[part["unit"]]; days > 0 {
			return []time.Time{today.AddDate(0, 0, n*days)}
		}
		return []time.Time{inMonth(today.Year(), int(today.Month())+n, today.Day(), today)}
	case part["either"] != "":
		return r.either(part, all, today)
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
		return nearest(m, d, today)
	case hasDay:
		before, after := valid(today.Year(), int(today.Month()), d, today), []time.Time(nil)
		switch {
		case len(before) == 0 || before[0].After(today):
			after, before = before, nil
			for back := 1; before == nil && back <= 2; back++ { // the 31st of the month before has to exist
				before = valid(today.Year(), int(today.Month())-back, d, today)
			}
		case before[0].Before(today):
			for on := 1; after == nil && on <= 2; on++ {
				after = valid(today.Year(), int(today.Month())+on, d, today)
			}
		}
		return append(before, after...)
	}
	return nil
}

// either reads 3/4, which is the third of April or the fourth of March; in Chinese the month comes first.
func (r *dayRule) either(part map[string]string, all string, today time.Time) []time.Time {
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
		return nearest(m, d, today)
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

// nearest is the day of a month in this year or in one beside it: who says 30 December in January means the one a few days ago.
func nearest(m, d int, today time.Time) []time.Time {
	var out []time.Time
	for y := today.Year() - 1; y <= today.Year()+1; y++ {
		for _, t := range valid(y, m, d, today) {
			if len(out) == 0 || t.Sub(today).Abs() < out[0].Sub(today).Abs() {
				out = []time.Time{t}
			}
		}
	}
	return out
}

// valid is the day, if there is one of that number.
func valid(y, m, d int, today time.Time) []time.Time {
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
