package chart

import (
	"encoding/xml"
	"html/template"
	"io"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func wellFormed(t interface{ Fatalf(string, ...any) }, svg template.HTML) {
	for d := xml.NewDecoder(strings.NewReader(string(svg))); ; {
		if _, err := d.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatalf("%v in %s", err, svg)
		}
	}
}

func TestWhateverIsDrawnIsWellFormedAndInsideItsBox(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.Float64Range(0, 1e7), rapid.Just(math.NaN()))
		var points []Point
		var labels []string
		var shares []float64
		for range rapid.IntRange(0, 60).Draw(t, "points") {
			label := rapid.StringN(0, 8, 20).Filter(func(s string) bool {
				return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r >= 0xfffe && r < 0x10000 || r == 0xfffd })
			}).Draw(t, "label")
			points = append(points, Point{Label: label, Title: label + `<&">`, Value: rapid.Float64Range(0, 1e7).Draw(t, "value"), Ghost: value.Draw(t, "ghost")})
			labels, shares = append(labels, label), append(shares, rapid.OneOf(rapid.Float64Range(0, 1), rapid.Just(math.NaN())).Draw(t, "share"))
		}
		for _, svg := range []template.HTML{Bars(640, 200, points), Shares(640, 200, labels, []Series{{"a", "s1", shares}}), Spark(shares), Meter(rapid.Float64().Draw(t, "share"), "ok")} {
			wellFormed(t, svg)
			if strings.Contains(string(svg), "NaN") || strings.Contains(string(svg), "Inf") || strings.Contains(string(svg), `="-`) {
				t.Fatalf("outside of the box: %s", svg)
			}
		}
	})
}

func TestAxesEndAtRoundNumbers(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]float64{0: 4, 3: 4, 7: 8, 11: 15, 99: 100, 101: 150, 2400: 2500, 88000: 100000} {
		top, steps := nice(v)
		if top != want || math.Trunc(top/float64(steps)) != top/float64(steps) {
			t.Errorf("%v ends at %v in %d steps", v, top, steps)
		}
	}
}

func TestLabelsDoNotRunIntoEachOther(t *testing.T) {
	t.Parallel()
	points := make([]Point, 60)
	for i := range points {
		points[i] = Point{Label: "12 Mar", Ghost: math.NaN()}
	}
	if n := strings.Count(string(Bars(360, 180, points)), "12 Mar"); n < 3 || n > 8 {
		t.Errorf("%d labels on 360 pixels", n)
	}
}
