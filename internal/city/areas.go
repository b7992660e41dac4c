package city

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/paulmach/orb"
)

// featureCollection is the GeoJSON that areas.geojson holds. It is read by hand
// because a GeoJSON library accepts any property, and a mistyped one has to fail.
type featureCollection struct {
	Type     string    `json:"type"`
	Features []feature `json:"features"`
}

type feature struct {
	Type       string     `json:"type"`
	Properties properties `json:"properties"`
	Geometry   *geometry  `json:"geometry"`
}

type properties struct {
	Code     string `json:"code"`
	Parent   string `json:"parent"`
	Level    string `json:"level"`
	Names    Text   `json:"names"`
	Inactive bool   `json:"inactive,omitempty"`
}

type geometry struct {
	Type        string          `json:"type"`
	Coordinates json.RawMessage `json:"coordinates"`
}

func (fc featureCollection) areas(lines []int) ([]Area, error) {
	var broken []error
	areas := make([]Area, 0, len(fc.Features))
	for i, f := range fc.Features {
		entry := f.Properties.Code
		if entry == "" {
			entry = fmt.Sprintf("feature %d", i+1)
		}
		geometry, err := f.geometry()
		if err != nil {
			where := "areas.geojson"
			if i < len(lines) {
				where = fmt.Sprintf("areas.geojson:%d", lines[i])
			}
			broken = append(broken, fmt.Errorf("%s: %s: %w", where, entry, err))
			continue
		}
		areas = append(areas, Area{
			Code: f.Properties.Code, Parent: f.Properties.Parent, Level: f.Properties.Level,
			Names: f.Properties.Names, Geometry: geometry, Inactive: f.Properties.Inactive,
		})
	}
	return areas, errors.Join(broken...)
}

func (f feature) geometry() (orb.Geometry, error) {
	if f.Geometry == nil {
		return nil, nil
	}
	return f.Geometry.read()
}

func (f geometry) read() (orb.Geometry, error) {
	switch f.Type {
	case "Polygon":
		var rings [][]position
		if err := json.Unmarshal(f.Coordinates, &rings); err != nil {
			return nil, err
		}
		return polygon(rings)
	case "MultiPolygon":
		var parts [][][]position
		if err := json.Unmarshal(f.Coordinates, &parts); err != nil {
			return nil, err
		}
		if len(parts) == 0 {
			return nil, errors.New("a multipolygon without a polygon")
		}
		multi := make(orb.MultiPolygon, 0, len(parts))
		for _, rings := range parts {
			p, err := polygon(rings)
			if err != nil {
				return nil, err
			}
			multi = append(multi, p)
		}
		return multi, nil
	default:
		return nil, fmt.Errorf("geometry %q: want Polygon or MultiPolygon", f.Type)
	}
}

// position is longitude, latitude. A slice, because decoding into a fixed array
// would drop a third number and pad a missing second one with zero.
type position []float64

func polygon(rings [][]position) (orb.Polygon, error) {
	if len(rings) == 0 {
		return nil, errors.New("a polygon without a ring")
	}
	poly := make(orb.Polygon, 0, len(rings))
	for n, points := range rings {
		ring := make(orb.Ring, 0, len(points))
		for _, p := range points {
			if len(p) != 2 {
				return nil, fmt.Errorf("ring %d: a position of %d numbers: want longitude, latitude", n+1, len(p))
			}
			if p[0] < -180 || p[0] > 180 || p[1] < -90 || p[1] > 90 {
				return nil, fmt.Errorf("ring %d: position %v is not longitude, latitude", n+1, p)
			}
			ring = append(ring, orb.Point{p[0], p[1]})
		}
		if len(ring) < 4 {
			return nil, fmt.Errorf("ring %d: %d positions: a closed ring has at least 4", n+1, len(ring))
		}
		if ring[0] != ring[len(ring)-1] {
			return nil, fmt.Errorf("ring %d is not closed: the last position must repeat the first", n+1)
		}
		poly = append(poly, ring)
	}
	return poly, nil
}
