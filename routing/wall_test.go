package routing_test

import (
	"errors"
	"testing"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/internal/errs"
	"hotline/internal/testkit"
	"hotline/routing"
)

// Staff of the hotline who are no administrators, and administrators of another agency, are refused by the store, and again by the database where
// a store forgot.
func TestOnlyTheHotlinesAdministratorsWriteReferenceData(t *testing.T) {
	t.Parallel()
	s, city, pool := tiny(t)
	for name, by := range map[string]db.Actor{
		"dispatcher of the hotline":       city.Staff("dispatcher"),
		"handler of an agency":            city.Staff("handler-env"),
		"administrator of another agency": db.Staff(uuid.New(), city.Agencies["dept-environment"], false, false).AsAdministrator(),
		"citizen":                         db.Citizen(uuid.New()),
		"nobody":                          {},
	} {
		if _, err := s.Draft(t.Context(), by, "x"); errs.KindOf(err) != errs.Forbidden {
			t.Errorf("%s begins a draft: %v", name, err)
		}
		if _, err := s.CreateAgency(t.Context(), by, routing.AgencyFields{}); errs.KindOf(err) != errs.Forbidden {
			t.Errorf("%s makes an agency: %v", name, err)
		}
		for table, column := range map[string]string{"jurisdictions": "phone", "agencies": "phone", "areas": "level", "categories": "urgency", "service_items": "url", "catalogue_versions": "note"} {
			err := db.WithTx(t.Context(), pool, by, func(tx db.Tx) error {
				done, err := tx.Exec(t.Context(), `update `+table+` set `+column+` = 'x'`)
				if err == nil && done.RowsAffected() > 0 {
					return errors.New("written")
				}
				return err
			})
			if err != nil {
				t.Errorf("%s changes %s: %v", name, table, err)
			}
		}
		err := db.WithTx(t.Context(), pool, by, func(tx db.Tx) error {
			_, err := tx.Exec(t.Context(), `insert into categories (code, names, kinds) values ('mine', '{}', '{}')`)
			return err
		})
		if err == nil {
			t.Errorf("%s adds a category", name)
		}
		var seen int
		err = db.ReadTx(t.Context(), pool, by, func(tx db.Tx) error {
			return tx.QueryRow(t.Context(), `select count(*) from reference_changes`).Scan(&seen)
		})
		if err != nil || seen > 0 {
			t.Errorf("%s reads %d lines of who changed what, %v", name, seen, err)
		}
	}
	if err := db.WithTx(t.Context(), pool, city.Staff("administrator"), func(tx db.Tx) error {
		done, err := tx.Exec(t.Context(), `update agencies set phone = '1' where code = 'dept-environment'`)
		if err == nil && done.RowsAffected() != 1 {
			return errors.New("nothing was written")
		}
		return err
	}); err != nil {
		t.Errorf("an administrator: %v", err)
	}
}

func TestWhoChangedWhatIsKeptAndCannotBeRewritten(t *testing.T) {
	t.Parallel()
	s, city, pool := tiny(t)
	admin := city.Staff("administrator")
	a, _ := s.Snapshot().AgencyByCode("dept-environment")
	if _, err := s.UpdateAgency(t.Context(), admin, a.ID, a.Version, routing.AgencyFields{Names: a.Names, Area: a.Area, Phone: "555"}); err != nil {
		t.Fatal(err)
	}
	var by uuid.UUID
	var before, after string
	if err := db.ReadTx(t.Context(), pool, admin, func(tx db.Tx) error {
		return tx.QueryRow(t.Context(), `select by_user, before::text, after::text from reference_changes where thing = 'agency' and code = $1 order by id desc limit 1`, a.Code).Scan(&by, &before, &after)
	}); err != nil {
		t.Fatal(err)
	}
	if by != city.Users["administrator"] || before != `{"phone": ""}` || after != `{"phone": "555"}` {
		t.Errorf("%s changed %s to %s", by, before, after)
	}
	for _, sql := range []string{`delete from reference_changes`, `update reference_changes set by_user = null`, `insert into reference_changes (thing, code, action) values ('agency', 'x', 'changed')`} {
		if err := db.WithTx(t.Context(), pool, db.System(), func(tx db.Tx) error { _, err := tx.Exec(t.Context(), sql); return err }); err == nil {
			t.Errorf("the application may %s", sql)
		}
		if _, err := testkit.OwnerPool(t, pool).Exec(t.Context(), sql); err == nil && sql[0] != 'i' {
			t.Errorf("the owner may %s", sql)
		}
	}
}
