package routing

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/paulmach/orb"
)

// Outline is a small map in the units of an SVG view box.
type Outline struct {
	Width, Height int
	Paths         []OutlinePath
}

// OutlinePath is one area of a map; D is the data of an SVG path, to be filled by the even-odd rule.
type OutlinePath struct {
	Code string
	D    string
	Main bool // the area that the map is about
}

// outlineWidth is how wide a map is drawn; its height follows, within reason.
const outlineWidth = 480

// Map draws an area between its neighbours: the areas of its level in the one that holds both, and that one. raw is its outline, which may be one
// that is not stored yet. Errors: ErrAreaGeometry.
func (s *Snapshot) Map(a Area, raw json.RawMessage) (Outline, error) {
	main, err := parseGeometry(raw)
	if err != nil {
		return Outline{}, ErrAreaGeometry.Wrap(err)
	}
	type drawn struct {
		code     string
		polygons orb.MultiPolygon
	}
	var around []drawn
	bound := main.Bound()
	for _, x := range s.shapes {
		if at := s.areas[x.code]; x.code != a.Code && (x.code == a.Parent || at.Parent == a.Parent && a.Parent != "" || at.Parent == a.Code) {
			around = append(around, drawn{x.code, x.polygons})
			bound = bound.Union(x.bound)
		}
	}
	slices.SortFunc(around, func(x, y drawn) int { // the one around everything lies below the others
		if (x.code == a.Parent) != (y.code == a.Parent) {
			return map[bool]int{true: -1, false: 1}[x.code == a.Parent]
		}
		return strings.Compare(x.code, y.code)
	})
	// A degree of longitude is shorter away from the equator.
	squeeze := math.Max(0.05, math.Cos(bound.Center().Lat()*math.Pi/180))
	w, h := math.Max((bound.Max.Lon()-bound.Min.Lon())*squeeze, 1e-9), math.Max(bound.Max.Lat()-bound.Min.Lat(), 1e-9)
	scale := math.Min(outlineWidth/w, outlineWidth/h)
	out := Outline{Width: int(math.Ceil(w*scale)) + 2, Height: int(math.Ceil(h*scale)) + 2}
	path := func(polygons orb.MultiPolygon) string {
		var b strings.Builder
		for _, polygon := range polygons {
			for _, ring := range polygon {
				last := ""
				for i, p := range ring {
					at := strconv.FormatFloat(1+(p.Lon()-bound.Min.Lon())*squeeze*scale, 'f', 1, 64) + " " + strconv.FormatFloat(1+(bound.Max.Lat()-p.Lat())*scale, 'f', 1, 64)
					if at == last {
						continue // points closer than a tenth of a pixel
					}
					if last = at; i == 0 {
						b.WriteString("M" + at)
					} else {
						b.WriteString("L" + at)
					}
				}
				b.WriteString("Z")
			}
		}
		return b.String()
	}
	// The area itself goes above what is around it and below what lies in it.
	for _, d := range around {
		if s.areas[d.code].Parent != a.Code {
			out.Paths = append(out.Paths, OutlinePath{Code: d.code, D: path(d.polygons)})
		}
	}
	out.Paths = append(out.Paths, OutlinePath{Code: a.Code, D: path(main), Main: true})
	for _, d := range around {
		if s.areas[d.code].Parent == a.Code {
			out.Paths = append(out.Paths, OutlinePath{Code: d.code, D: path(d.polygons)})
		}
	}
	return out, nil
}
