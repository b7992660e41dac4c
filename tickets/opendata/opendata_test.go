package opendata_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hotline/internal/db"
	"hotline/internal/testkit"
	"hotline/tickets"
	"hotline/tickets/opendata"
	"hotline/tickets/statistics"
	"hotline/tickets/ticketstest"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// follow counts until nothing is left to count.
func follow(t *testing.T, s *statistics.Store) {
	t.Helper()
	for {
		f, err := s.Follow(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !f.More {
			return
		}
	}
}

// Every statement is prepared against the real schema, as the application.
func TestTheStatementsFitTheSchema(t *testing.T) {
	t.Parallel()
	testkit.Prepare(t, testkit.DB(t), opendata.Statements...)
}

var trees = opendata.Trees{
	AreaParent: func(code string) string {
		return map[string]string{"street-east-1": "dist-east", "street-east-2": "dist-east", "dist-east": "city"}[code]
	},
	CategoryParent: func(code string) string { top, _, ok := strings.Cut(code, "."); return map[bool]string{true: top}[ok] },
	AgencyCode:     func(id string) string { return "agency" },
}

func TestNoRowOfTheOpenDataIsAlone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.IntRange(1, 6).Draw(t, "k")
		pick := func(name string, of ...string) string { return rapid.SampledFrom(of).Draw(t, name) }
		var rows []opendata.Row
		for range rapid.IntRange(0, 60).Draw(t, "rows") {
			rows = append(rows, opendata.Row{Area: pick("area", "street-east-1", "street-east-2", "dist-east", ""), Category: pick("category", "a.b", "a.c", "d", ""),
				Kind: pick("kind", "help", "praise"), Channel: pick("channel", "web", "phone"), Agency: pick("agency", "x", "y")})
		}
		kept, leftOut := opendata.Coarsen(rows, k, trees)
		if len(kept)+leftOut != len(rows) {
			t.Fatalf("%d rows became %d and %d left out", len(rows), len(kept), leftOut)
		}
		alike := map[opendata.Row]int{}
		for _, r := range kept {
			alike[r]++
		}
		for r, n := range alike {
			if n < k {
				t.Fatalf("%+v stands for %d tickets, fewer than %d", r, n, k)
			}
		}
		if leftOut >= k {
			t.Fatalf("%d rows that are all alike by now were left out", leftOut)
		}
	})
}

type fileStore map[string][]byte

func (f fileStore) Put(_ context.Context, key string, r io.Reader) error {
	b, err := io.ReadAll(r)
	f[key] = b
	return err
}

func TestOpenDataHoldsNoPerson(t *testing.T) {
	t.Parallel()
	o := ticketstest.Open(t)
	count := statistics.New(o.Pool, o.Clock, o.Service)
	data := opendata.New(o.Pool, o.Clock, count)
	contact := db.NewID()
	if _, err := o.Owner.Exec(t.Context(), `insert into contacts (id, name, phone) values ($1, 'Zhang Wei', '13800001234')`, contact); err != nil {
		t.Fatal(err)
	}
	for range 7 {
		k := o.File(func(d *tickets.Draft) { d.ContactID, d.Place = &contact, "Lake Road 12" })
		k = o.Must("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: o.City.Agencies["dept-environment"]})
		o.Must("handler-env", o.Must("handler-env", k, tickets.Sign, tickets.Fields{}), tickets.Reply, ticketstest.Answer())
	}
	o.File(func(d *tickets.Draft) { d.Category = "utilities.water" }) // alone in its category
	secret := o.File(func(d *tickets.Draft) { d.Kind = "report" })
	follow(t, count)
	if _, err := data.Publish(t.Context(), "2026-03", trees, fileStore{}); !errors.Is(err, opendata.ErrBadMonth) {
		t.Errorf("a month that is not over: %v", err)
	}
	for _, bad := range []string{"", "2026-3", "2026-13", "2026-03-01", "1999-01"} {
		if _, err := data.Of(t.Context(), bad, trees); !errors.Is(err, opendata.ErrBadMonth) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	o.Clock.Advance(32 * 24 * time.Hour)
	follow(t, count)
	if due, err := data.Due(t.Context()); err != nil || due != "2026-03" {
		t.Errorf("due: %q %v", due, err)
	}
	files := fileStore{}
	d, err := data.Publish(t.Context(), "2026-03", trees, files)
	if err != nil {
		t.Fatal(err)
	}
	if d.Rows != 7 || d.LeftOut != 1 || d.Confidential != 0 {
		t.Errorf("%d rows, %d left out, %d confidential", d.Rows, d.LeftOut, d.Confidential)
	}
	list := ticketstest.Must(data.List(t.Context()))
	if len(list) != 2 || list[0].Format != "csv" || list[0].Rows != 7 || list[0].Size != int64(len(files[list[0].Blob])) {
		t.Fatalf("%+v", list)
	}
	rows, err := csv.NewReader(bytes.NewReader(files[list[0].Blob])).ReadAll()
	if err != nil || len(rows) != 8 || rows[1][0] != "2026-03-09" || rows[1][2] != "environment.noise" || rows[1][6] != "closed" && rows[1][6] != "open" {
		t.Errorf("%v %v", rows, err)
	}
	var parsed opendata.Table
	if err := json.Unmarshal(files[list[1].Blob], &parsed); err != nil || len(parsed.Data) != 7 || len(parsed.Columns) != len(parsed.Data[0]) {
		t.Errorf("%v", err)
	}
	for _, raw := range files {
		for _, private := range []string{"Zhang", "1380000", "Lake Road", "噪音", "Drilling", secret.Number, secret.ID.String(), contact.String()} {
			if bytes.Contains(raw, []byte(private)) {
				t.Errorf("the file says %q", private)
			}
		}
	}
	if due, err := data.Due(t.Context()); err != nil || due != "" {
		t.Errorf("still due: %q %v", due, err)
	}
}
