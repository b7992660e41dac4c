package demo_test

import (
	"testing"

	"hotline/internal/db"
	"hotline/internal/demo"
	"hotline/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestLoadFillsAnEmptyInstallationOnce(t *testing.T) {
	t.Parallel()
	city, err := demo.Read()
	if err != nil {
		t.Fatal(err)
	}
	pool := testkit.DB(t)
	for round, want := range []bool{true, false} {
		loaded, err := demo.Load(t.Context(), pool, city, "x")
		if err != nil || loaded != want {
			t.Fatalf("round %d: loaded %v, %v", round, loaded, err)
		}
	}
	counts := map[string]int{"agencies": len(city.Agencies), "users": len(city.Users), "categories": len(city.Categories), "service_items": len(city.Services),
		"articles": len(city.Articles), "catalogue_entries": len(city.Catalogue.Entries), "areas": len(city.Areas)}
	for table, want := range counts {
		var n int
		err := db.ReadTx(t.Context(), pool, db.System(), func(tx db.Tx) error {
			return tx.QueryRow(t.Context(), `select count(*) from `+table).Scan(&n)
		})
		if err != nil || n != want {
			t.Errorf("%s: %d rows, want %d, %v", table, n, want, err)
		}
	}
	var depth int
	err = db.ReadTx(t.Context(), pool, db.System(), func(tx db.Tx) error {
		return tx.QueryRow(t.Context(), `select max(cardinality(ancestors)) from agencies where kind = 'street'`).Scan(&depth)
	})
	if err != nil || depth != 3 {
		t.Errorf("a street has %d ancestors, want hotline, city, district: %v", depth, err)
	}
}
