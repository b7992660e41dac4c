// Package chart draws small charts as SVG on the server: bars with the period before as a line, lines of shares, sparklines and meters. They take their
// colours from the page's style sheet by class, so that they follow light and dark, and carry no script and no style of their own.
//
// A chart is decoration: the numbers stand in a table beside it, and the SVG is hidden from screen readers by whoever places it.
package chart

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// Point is one bar. Ghost is the value of the period before; NaN where there is none.
type Point struct {
	Label string // under the bar
	Title string // what a pointer shows
	Value float64
	Ghost float64
	URL   string // what is behind the bar; "" leads nowhere
}

// Series is one line; NaN leaves a gap.
type Series struct {
	Name   string
	Class  string // s1, s2, s3: colour and dash of the line
	Values []float64
}

type canvas struct {
	strings.Builder
	w, h                     float64
	left, right, top, bottom float64
}

func newCanvas(w, h int, class string) *canvas {
	c := &canvas{w: float64(w), h: float64(h), left: 44, right: 8, top: 10, bottom: 24}
	fmt.Fprintf(c, `<svg class="chart %s" viewBox="0 0 %d %d" width="%d" height="%d" aria-hidden="true" focusable="false">`, class, w, h, w, h)
	return c
}

func (c *canvas) end() template.HTML {
	c.WriteString(`</svg>`)
	return template.HTML(c.String())
}

// n writes a coordinate, to a tenth of a pixel.
func n(v float64) string {
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}

func (c *canvas) plotW() float64 { return c.w - c.left - c.right }
func (c *canvas) plotH() float64 { return c.h - c.top - c.bottom }

// y is where a value between 0 and top lies.
func (c *canvas) y(v, top float64) float64 {
	if top <= 0 {
		return c.h - c.bottom
	}
	return c.top + c.plotH()*(1-v/top)
}

func (c *canvas) grid(top float64, steps int, label func(v float64) string) {
	for i := 0; i <= steps; i++ {
		v := top * float64(i) / float64(steps)
		y := c.y(v, top)
		fmt.Fprintf(c, `<line class="grid" x1="%s" x2="%s" y1="%s" y2="%s"/>`, n(c.left), n(c.w-c.right), n(y), n(y))
		fmt.Fprintf(c, `<text class="tick" x="%s" y="%s" text-anchor="end">%s</text>`, n(c.left-6), n(y+4), html.EscapeString(label(v)))
	}
}

// labels writes what fits under the axis: every k-th, counted from the last, which is the present.
func (c *canvas) labels(text []string, x func(i int) float64) {
	widest := 0.0
	for _, t := range text {
		widest = max(widest, width(t))
	}
	every := 1
	for len(text) > 0 && c.plotW()/float64(len(text))*float64(every) < widest+10 && every < len(text) {
		every++
	}
	for i := len(text) - 1; i >= 0; i -= every {
		at, anchor := x(i), "middle"
		if half := width(text[i]) / 2; at+half > c.w {
			at, anchor = c.w, "end"
		}
		fmt.Fprintf(c, `<text class="tick" x="%s" y="%s" text-anchor="%s">%s</text>`, n(at), n(c.h-7), anchor, html.EscapeString(text[i]))
	}
}

// width estimates a label's width at 12 px.
func width(s string) float64 {
	w := 0.0
	for _, r := range s {
		if r > 0x2e80 {
			w += 12
		} else {
			w += 6.6
		}
	}
	return w
}

// nice is the next round number for the top of an axis, and how many steps lead there.
func nice(v float64) (top float64, steps int) {
	if v <= 4 {
		return 4, 4
	}
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10} {
		if unit*m >= v {
			for _, s := range []int{4, 5, 3} {
				if step := unit * m / float64(s); step == math.Trunc(step) {
					return unit * m, s
				}
			}
			return unit * m, 2
		}
	}
	return unit * 10, 5
}

// Compact writes a count for an axis: 950, 1.2k, 3M.
func Compact(v float64) string {
	switch {
	case v >= 1e6:
		return strings.TrimSuffix(strconv.FormatFloat(v/1e6, 'f', 1, 64), ".0") + "M"
	case v >= 1e4:
		return strings.TrimSuffix(strconv.FormatFloat(v/1e3, 'f', 1, 64), ".0") + "k"
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// Bars draws one bar a point, and the period before as a line behind.
func Bars(w, h int, points []Point) template.HTML {
	c := newCanvas(w, h, "bars")
	most := 0.0
	for _, p := range points {
		most = max(most, p.Value)
		if !math.IsNaN(p.Ghost) {
			most = max(most, p.Ghost)
		}
	}
	top, steps := nice(most)
	c.grid(top, steps, Compact)
	slot := c.plotW() / float64(max(1, len(points)))
	x := func(i int) float64 { return c.left + slot*(float64(i)+.5) }
	thick := min(max(slot*.68, 1), 36)
	var text []string
	for i, p := range points {
		text = append(text, p.Label)
		y := c.y(p.Value, top)
		open, end := "<g>", "</g>"
		if p.URL != "" {
			// The chart is hidden from screen readers and the table beside it has the same links, so Tab passes it by.
			open, end = `<a href="`+html.EscapeString(p.URL)+`" tabindex="-1">`, "</a>"
		}
		fmt.Fprintf(c, `%s<title>%s</title><rect class="hit" x="%s" y="%s" width="%s" height="%s"/><rect class="bar" x="%s" y="%s" width="%s" height="%s" rx="%s"/>%s`, open, html.EscapeString(p.Title),
			n(x(i)-slot/2), n(c.top), n(slot), n(c.plotH()), n(x(i)-thick/2), n(y), n(thick), n(max(0, c.h-c.bottom-y)), n(min(2, thick/3)), end)
	}
	var ghost []float64
	for _, p := range points {
		ghost = append(ghost, p.Ghost)
	}
	c.path("ghost", ghost, x, top)
	c.labels(text, x)
	return c.end()
}

// path draws a line with gaps; a value alone is a dot.
func (c *canvas) path(class string, values []float64, x func(i int) float64, top float64) {
	var d strings.Builder
	pen := false
	for i, v := range values {
		if math.IsNaN(v) {
			pen = false
			continue
		}
		op := "L"
		if !pen {
			op = "M"
			if i+1 == len(values) || math.IsNaN(values[i+1]) {
				fmt.Fprintf(c, `<circle class="%s" cx="%s" cy="%s" r="2.5"/>`, class, n(x(i)), n(c.y(v, top)))
			}
		}
		fmt.Fprintf(&d, "%s%s %s", op, n(x(i)), n(c.y(v, top)))
		pen = true
	}
	if d.Len() > 0 {
		fmt.Fprintf(c, `<path class="%s" d="%s" fill="none"/>`, class, d.String())
	}
}

// Shares draws lines of shares between 0 and 1. Where all of them are high the axis begins where they do, and its labels say so.
func Shares(w, h int, labels []string, series []Series) template.HTML {
	c := newCanvas(w, h, "shares")
	low := 1.0
	for _, s := range series {
		for _, v := range s.Values {
			if !math.IsNaN(v) {
				low = min(low, v)
			}
		}
	}
	floor := 0.0
	if low >= .6 {
		floor = .5
	}
	c.grid(1-floor, 5-int(floor*10)%5/5, func(v float64) string { return strconv.Itoa(int(math.Round((v+floor)*100))) + "%" })
	slot := c.plotW() / float64(max(1, len(labels)))
	x := func(i int) float64 { return c.left + slot*(float64(i)+.5) }
	for _, s := range series {
		moved := make([]float64, len(s.Values))
		for i, v := range s.Values {
			moved[i] = v - floor
		}
		c.path("line "+s.Class, moved, x, 1-floor)
	}
	c.labels(labels, x)
	return c.end()
}

// Spark is a line without axes.
func Spark(values []float64) template.HTML {
	c := newCanvas(96, 26, "spark")
	c.left, c.right, c.top, c.bottom = 2, 2, 3, 3
	most := 0.0
	for _, v := range values {
		if !math.IsNaN(v) {
			most = max(most, v)
		}
	}
	if most == 0 {
		most = 1
	}
	step := c.plotW() / float64(max(1, len(values)-1))
	c.path("line s1", values, func(i int) float64 { return c.left + step*float64(i) }, most)
	return c.end()
}

// Meter is a bar that is filled to a share.
func Meter(share float64, class string) template.HTML {
	share = min(max(share, 0), 1)
	return template.HTML(fmt.Sprintf(`<svg class="chart meter %s" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" focusable="false"><rect class="rail" width="100" height="6"/><rect class="fill" width="%s" height="6"/></svg>`, class, n(share*100)))
}
