package routing_test

import (
	"strings"
	"testing"

	"hotline/internal/demo"
	"hotline/internal/testkit"
	"hotline/routing"
)

// The demonstration city as a first run has it: loaded as the application,
// read back, and asked in both languages.
func TestDemoCityFromTheDatabase(t *testing.T) {
	t.Parallel()
	pool := testkit.DB(t)
	city, err := demo.Read()
	if err != nil {
		t.Fatal(err)
	}
	if loaded, err := demo.Load(t.Context(), pool, city, ""); err != nil || !loaded {
		t.Fatalf("loaded %v, %v", loaded, err)
	}
	s := start(t, pool, nil)
	snap := s.Snapshot()
	if snap.Desk().Code != "hotline" || snap.Root().Code != "city" || len(snap.Agencies()) != len(city.Agencies) {
		t.Errorf("desk %q, root %q, %d agencies", snap.Desk().Code, snap.Root().Code, len(snap.Agencies()))
	}
	for _, a := range city.Areas {
		centre := a.Geometry.Bound().Center()
		if at := snap.AreaAt(centre.Lat(), centre.Lon()); a.Level == "street" && len(at) < 3 {
			t.Errorf("the middle of %s lies in %v", a.Code, at)
		}
	}
	for text, agency := range map[string]string{
		"The school will not give my daughter a place although we live next door": "dept-education",
		"孩子上小学没有学位怎么办":                                                            "dept-education",
	} {
		d := s.Decide(routing.Facts{Kind: "complaint", Text: text})
		if a, _ := snap.Agency(d.Lead); a.Code != agency {
			t.Errorf("%q goes to %q, want %q:\n%s", text, a.Code, agency, strings.Join(s.Explain("en", d.Explanation), "\n"))
		}
	}
}
