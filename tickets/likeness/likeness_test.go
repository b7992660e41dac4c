package likeness

import (
	"math"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

func at(lat, lon float64) (a, b *float64) { return &lat, &lon }

// north is a case some metres north of a point in the middle of a city.
func north(metres float64, category, text string, after time.Duration) Case {
	lat, lon := at(31.2+metres/111_195, 121.5)
	return Case{Words: strings.Fields(text), Lat: lat, Lon: lon, Category: category, At: noon.Add(after)}
}

func TestScore(t *testing.T) {
	t.Parallel()
	const noise, water = "environment.noise", "utilities.water"
	base := north(0, noise, "drill next school night", 0)
	for _, c := range []struct {
		name       string
		other      Case
		link       Link
		least, top float64
		reasons    string
	}{
		{"the neighbours' words about the same site", north(60, noise, "drill night school awake", 5*time.Hour), Link{}, Sure, 1, "text distance same_category time"},
		{"the same site in other words", north(20, noise, "construct noise sleep", 5*time.Hour), Link{}, Likely, .9, "distance same_category time"},
		{"the same site, three weeks later", north(20, noise, "construct noise sleep", 21*24*time.Hour), Link{}, 0, Likely, "distance same_category"},
		{"the same person says it again, without a place", Case{Words: base.Words, Category: noise, At: noon.Add(time.Hour)}, Link{SameContact: true}, Sure, 1, "text same_contact same_category time"},
		{"the same person about another thing", north(3000, water, "pressur low tap", time.Hour), Link{SameContact: true}, 0, .1, "same_contact time"},
		{"the same words at the other end of the city", north(9000, noise, "drill next school night", time.Hour), Link{}, 0, Likely, "text same_category time"},
		{"the next house, another matter", north(15, water, "pressur low tap", time.Hour), Link{}, 0, Likely, "distance time"},
		{"nothing in common", north(9000, water, "pressur low tap", 20*24*time.Hour), Link{}, 0, .01, ""},
	} {
		got := Score(base, c.other, c.link)
		var codes []string
		for _, r := range got.Reasons {
			codes = append(codes, r.Code)
		}
		if got.Score < c.least || got.Score > c.top || strings.Join(codes, " ") != c.reasons {
			t.Errorf("%s: %.2f (want %.2f–%.2f) because of %q (want %q)", c.name, got.Score, c.least, c.top, strings.Join(codes, " "), c.reasons)
		}
		if back := Score(c.other, base, c.link); math.Abs(back.Score-got.Score) > 1e-9 {
			t.Errorf("%s: %.3f one way and %.3f the other", c.name, got.Score, back.Score)
		}
	}
}

func TestPlacesWrittenAlike(t *testing.T) {
	t.Parallel()
	words := []string{"路灯", "不亮"}
	a := Case{Words: words, Place: strings.Fields("解放 放路 12 号"), Category: "city.light", At: noon}
	same, other := a, a
	other.Place = strings.Fields("中山 山路 7 号")
	if s := Score(a, same, Link{}).Score; s < Sure {
		t.Errorf("the same address: %.2f", s)
	}
	if s, none := Score(a, other, Link{}).Score, Score(a, Case{Words: words, Category: "city.light", At: noon}, Link{}).Score; s >= none {
		t.Errorf("another address %.2f, none %.2f: what speaks against must weigh more than what is not known", s, none)
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	if d := Between(31.2, 121.5, 31.2, 121.6); math.Abs(d-9511) > 10 {
		t.Errorf("a tenth of a degree east: %.0f m", d)
	}
	lat, lon := at(31.2, 179.9999)
	cells := Cells(lat, lon)
	if len(cells) != 9 || Cells(nil, nil) != nil {
		t.Fatal(cells)
	}
	// The neighbour on the other side of the date line.
	found := false
	for _, c := range cells {
		found = found || c == int64(math.Floor((31.2+90)*200))*100000
	}
	if !found {
		t.Errorf("no cell across the date line: %v", cells)
	}
}
