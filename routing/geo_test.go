package routing

import (
	"math"
	"testing"
)

func FuzzGeometry(f *testing.F) {
	f.Add([]byte(`{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}`), 0.5, 0.5)
	f.Add([]byte(`{"type":"MultiPolygon","coordinates":[]}`), 0.0, 0.0)
	f.Add([]byte(`{"type":"GeometryCollection","geometries":[]}`), math.NaN(), math.Inf(1))
	f.Add([]byte(`{"type":"Polygon","coordinates":[[[1e400,0]]]}`), 91.0, 181.0)
	f.Add([]byte(`null`), 1.0, 1.0)
	f.Fuzz(func(t *testing.T, raw []byte, lat, lon float64) {
		polygons, err := parseGeometry(raw)
		if err != nil {
			return
		}
		shapesAt([]shape{{code: "x", bound: polygons.Bound(), polygons: polygons}}, lat, lon)
	})
}
