package routing

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"
	"github.com/paulmach/orb/planar"
)

// shape is an area's polygons with the box around them.
type shape struct {
	code     string
	bound    orb.Bound
	polygons orb.MultiPolygon
	depth    int
	size     float64 // in square degrees: for ordering, not for measuring
}

// geometryError says in one word what is wrong with an outline; the console has the words for it.
type geometryError string

const (
	outlineNotJSON  geometryError = "not_json"
	outlineTooLarge geometryError = "too_large"
	outlineMany     geometryError = "many"  // a collection of other than one feature
	outlineType     geometryError = "type"  // no polygon
	outlineEmpty    geometryError = "empty" // a polygon without a ring
	outlineRing     geometryError = "ring"  // fewer than four points, or not closed
	outlineGlobe    geometryError = "globe" // a point outside of it
)

func (e geometryError) Error() string { return "geometry: " + string(e) }

// parseGeometry reads a GeoJSON Polygon or MultiPolygon in WGS 84. Rings after
// the first are holes.
func parseGeometry(raw json.RawMessage) (orb.MultiPolygon, error) {
	g, err := geojson.UnmarshalGeometry(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", outlineType, err)
	}
	if g == nil {
		return nil, outlineType
	}
	var out orb.MultiPolygon
	switch p := g.Geometry().(type) {
	case orb.Polygon:
		out = orb.MultiPolygon{p}
	case orb.MultiPolygon:
		out = p
	default:
		return nil, fmt.Errorf("%w: want Polygon or MultiPolygon, not %s", outlineType, g.Type)
	}
	for _, polygon := range out {
		if len(polygon) == 0 {
			return nil, outlineEmpty
		}
		for _, ring := range polygon {
			if len(ring) < 4 || !ring.Closed() {
				return nil, outlineRing
			}
			for _, p := range ring {
				if !validPoint(p.Lat(), p.Lon()) {
					return nil, outlineGlobe
				}
			}
		}
	}
	return out, nil
}

func validPoint(lat, lon float64) bool {
	return math.Abs(lat) <= 90 && math.Abs(lon) <= 180 // false for NaN
}

// shapesAt lists the areas whose polygons hold the point, the smallest first.
// A point on a common border belongs to both sides, in a stable order.
func shapesAt(shapes []shape, lat, lon float64) []string {
	if !validPoint(lat, lon) {
		return nil
	}
	at := orb.Point{lon, lat}
	var hits []shape
	for _, s := range shapes {
		if s.bound.Contains(at) && planar.MultiPolygonContains(s.polygons, at) {
			hits = append(hits, s)
		}
	}
	slices.SortFunc(hits, func(a, b shape) int {
		return cmp.Or(cmp.Compare(b.depth, a.depth), cmp.Compare(a.size, b.size), cmp.Compare(a.code, b.code))
	})
	out := make([]string, len(hits))
	for i, s := range hits {
		out[i] = s.code
	}
	return out
}
