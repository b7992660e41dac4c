// Package likeness says how likely two cases are about the same matter, and why. It is pure: no database, no clock, no network.
//
// The score is a logistic sum of five kinds of evidence, so that evidence adds up and missing evidence (no place, no category) neither helps nor harms:
// the same person or conversation, the words, the distance, the category, and the time between. The weights were set on pairs of New York's 311 requests (the
// test derives them again and prints precision and recall) and rounded; a text of everyday language was kept from deciding alone.
package likeness

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"
)

// Case is what of a ticket is compared.
type Case struct {
	Words    []string // of title and text, cut and stemmed as for the search; repeated ones count once
	Place    []string // words of the place as typed
	Lat, Lon *float64 // degrees
	Category string   // path with dots; "" when not known
	At       time.Time
}

// Link is what the store knows about the two beyond their contents.
type Link struct {
	SameContact      bool // the same telephone, e-mail or contact
	SameConversation bool
}

// The reasons.
const (
	SameConversation = "same_conversation"
	SameContact      = "same_contact"
	Text             = "text"          // N: likeness of the words in percent
	Distance         = "distance"      // N: metres
	SamePlace        = "same_place"    // the place was written alike
	SameCategory     = "same_category" //
	NearCategory     = "near_category" // below the same node
	Time             = "time"          // N: hours between
)

// Reason is one piece of evidence that speaks for a match.
type Reason struct {
	Code string
	N    int
}

// Match is the answer: a probability between 0 and 1, and what speaks for it, the strongest first.
type Match struct {
	Score   float64
	Reasons []Reason
}

// Likely is the score from which a pair is worth a person's look, Sure the one from which a citizen is asked about it.
const (
	Likely = 0.35
	Sure   = 0.6
)

// Radius is how far apart, in metres, two places may be and still speak for one matter.
const Radius = 500

const bias = -4.2

// Score compares a case with an earlier or later one.
func Score(a, b Case, l Link) Match {
	type part struct {
		w float64
		r Reason
	}
	var parts []part
	z := bias
	add := func(w float64, code string, n int) {
		z += w
		if w > 0.2 && code != "" {
			parts = append(parts, part{w, Reason{code, n}})
		}
	}
	switch {
	case l.SameConversation:
		add(2.4, SameConversation, 0)
	case l.SameContact:
		add(1.8, SameContact, 0)
	}
	if s := Overlap(a.Words, b.Words); s > 0 {
		add(5*s, Text, int(math.Round(100*s)))
	}
	switch d, known := Metres(a, b); {
	case known && d <= Radius:
		add(3.2*math.Exp(-d/150), Distance, int(math.Round(d)))
	case known:
		add(-min(2+(d-Radius)/1000, 5), "", 0)
	default:
		if s := Overlap(a.Place, b.Place); s >= 0.5 {
			add(3*s, SamePlace, 0)
		} else if len(a.Place) > 0 && len(b.Place) > 0 {
			add(-1, "", 0)
		}
	}
	switch {
	case a.Category == "" || b.Category == "":
	case a.Category == b.Category:
		add(1.6, SameCategory, 0)
	case top(a.Category) == top(b.Category):
		add(0.3, NearCategory, 0)
	default:
		add(-2, "", 0)
	}
	days := math.Abs(a.At.Sub(b.At).Hours()) / 24
	z -= min(days/7, 4)
	if days < 3 {
		parts = append(parts, part{0.25, Reason{Time, int(math.Round(24 * days))}})
	}
	slices.SortStableFunc(parts, func(x, y part) int { return cmp.Compare(y.w, x.w) })
	m := Match{Score: 1 / (1 + math.Exp(-z))}
	for _, p := range parts {
		m.Reasons = append(m.Reasons, p.r)
	}
	return m
}

func top(category string) string {
	head, _, _ := strings.Cut(category, ".")
	return head
}

// Overlap is the cosine of two sets of words: 1 for the same, 0 for nothing in common.
func Overlap(a, b []string) float64 {
	x, y := set(a), set(b)
	if len(x) == 0 || len(y) == 0 {
		return 0
	}
	both := 0
	for w := range x {
		if y[w] {
			both++
		}
	}
	return float64(both) / math.Sqrt(float64(len(x))*float64(len(y)))
}

func set(words []string) map[string]bool {
	m := make(map[string]bool, len(words))
	for _, w := range words {
		if !empty[w] {
			m[w] = true
		}
	}
	return m
}

// empty words say nothing about the matter: the commonest of English, stemmed, and pairs of characters that any Chinese request holds.
var empty = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(`a an and ar as at be been but by can did do for from ha had have he her hi i if in is it me my no not of on or our out she so that the their
		them there thei thi to up us wa we were what when where which who will with you your pleas veri
		我们 你们 他们 这个 那个 可以 没有 什么 怎么 的时 时候 请问 希望 一下 一个 现在 已经 因为 所以 还是 就是 不能 能不 请相 相关 关部 部门 尽快 快处 处理`) {
		m[w] = true
	}
	return m
}()

// Metres is the distance between two cases, and whether both places are known.
func Metres(a, b Case) (float64, bool) {
	if a.Lat == nil || a.Lon == nil || b.Lat == nil || b.Lon == nil {
		return 0, false
	}
	return Between(*a.Lat, *a.Lon, *b.Lat, *b.Lon), true
}

// Between is the distance of two points in metres, on a sphere: far more exact than people say where they are.
func Between(lat1, lon1, lat2, lon2 float64) float64 {
	const earth = 6_371_000
	rad := math.Pi / 180
	dLat, dLon := (lat2-lat1)*rad/2, (lon2-lon1)*rad/2
	h := math.Sin(dLat)*math.Sin(dLat) + math.Cos(lat1*rad)*math.Cos(lat2*rad)*math.Sin(dLon)*math.Sin(dLon)
	return 2 * earth * math.Asin(math.Sqrt(min(h, 1)))
}

// Cells are the numbers of the cell of a point and of its eight neighbours, as the function geo_cell of the database counts them; nil without a place.
// At 60 degrees a cell is still 275 m wide, so nine of them hold what is within Radius up to there.
func Cells(lat, lon *float64) []int64 {
	if lat == nil || lon == nil {
		return nil
	}
	row, col := int64(math.Floor((*lat+90)*200)), int64(math.Floor((*lon+180)*200))
	out := make([]int64, 0, 9)
	for dr := int64(-1); dr <= 1; dr++ {
		for dc := int64(-1); dc <= 1; dc++ {
			out = append(out, (row+dr)*100000+(col+dc+72000)%72000)
		}
	}
	return out
}
