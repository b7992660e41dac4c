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

// parseGeometry reads a GeoJSON Polygon or MultiPolygon in WGS 84. Rings after
// the first are holes.
func parseGeometry(raw json.RawMessage) (orb.MultiPolygon, error) {
	g, err := geojson.UnmarshalGeometry(raw)
	if err != nil {
		return nil, fmt.Errorf("geometry: %w", err)
	}
	var out orb.MultiPolygon
	switch p := g.Geometry().(type) {
	case orb.Polygon:
		out = orb.MultiPolygon{p}
	case orb.MultiPolygon:
		out = p
	default:
		return nil, fmt.Errorf("geometry: want Polygon or MultiPolygon, not %s", g.Type)
	}
	for _, polygon := range out {
		if len(polygon) == 0 {
			return nil, fmt.Errorf("geometry: a polygon has no ring")
		}
		for _, ring := range polygon {
			if len(ring) < 4 || !ring.Closed() {
				return nil, fmt.Errorf("geometry: a ring has fewer than four points or is not closed")
			}
			for _, p := range ring {
				if !validPoint(p.Lat(), p.Lon()) {
					return nil, fmt.Errorf("geometry: a point lies outside the globe")
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
