package portal

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2/memstore"
	"github.com/google/uuid"

	"hotline/internal/clock"
	"hotline/internal/i18n"
	"hotline/internal/testkit"
	"hotline/tickets/measures"
	"hotline/tickets/opendata"
	"hotline/tickets/statistics"
	"hotline/web/figures"
	"hotline/web/httperr"
)

// fakeNumbers publishes a made-up month.
type fakeNumbers struct{ none bool }

var agencyID = uuid.MustParse("01920000-0000-7000-8000-000000000001")

func (f fakeNumbers) Public(_ context.Context, q figures.Query) (figures.Public, error) {
	n := measures.Counts{measures.Tickets: 1234, measures.Worked: 1200, measures.Direct: 240, measures.Withdrawn: 30, measures.Merged: 4, measures.ResolveOK: 900, measures.ResolveLate: 100,
		measures.Solved: 3, measures.Unsolved: 1, measures.Grade5: 80, measures.Grade2: 20, measures.Open: 55}
	if f.none {
		n = measures.Counts{}
	}
	total, open, out := n[measures.Tickets], n[measures.Open], (*int64)(nil)
	grades, average, satisfied := int64(100), 4.4, .8
	set := measures.Default()
	p := figures.Public{Query: q, Settings: set, AsOf: q.Last(), Tickets: &total, Open: &open, Confidential: out, Values: figures.Numbers(n, set)}
	if !f.none {
		p.Agencies = []figures.AgencyResult{{Agency: agencyID, Tickets: &total, Graded: &grades, Average: &average, Satisfy: &satisfied}, {Agency: uuid.UUID{7}, Tickets: nil}}
	}
	for _, day := range q.StepsAs(statistics.ByMonth) {
		p.Groups = append(p.Groups, figures.Group{Key: day.Format(time.DateOnly), Tickets: &total, Values: figures.Numbers(n, set)})
	}
	return p, nil
}

func (fakeNumbers) Today() time.Time { return time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC) }

func (fakeNumbers) AgencyName(id uuid.UUID, lang string) string {
	return map[bool]string{true: "Environment department", false: "Tiny office"}[id == agencyID]
}

func (f fakeNumbers) Files(context.Context) ([]opendata.File, error) {
	if f.none {
		return nil, nil
	}
	month := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	return []opendata.File{{Month: month, Format: "csv", Rows: 1234, Size: 80_000, SHA256: strings.Repeat("ab", 32)}, {Month: month, Format: "json", Rows: 1234, Size: 120_000}}, nil
}

type nopCloser struct{ *strings.Reader }

func (nopCloser) Close() error { return nil }

func (fakeNumbers) File(_ context.Context, month time.Time, format string) (opendata.File, io.ReadSeekCloser, error) {
	if month.Month() != time.October {
		return opendata.File{}, nil, httperr.ErrNotFound
	}
	return opendata.File{SHA256: "abc"}, nopCloser{strings.NewReader("week,area\n")}, nil
}

func numbersSite(t *testing.T, numbers Numbers) *httptest.Server {
	t.Helper()
	log, _ := testkit.NewLog()
	h, err := New(Deps{Words: i18n.MustLoad(), Log: log, Clock: clock.NewFake(time.Now()), Key: bytes.Repeat([]byte("k"), 32), Knowledge: &fakeKnowledge{}, Cases: &fakeCases{}, City: fakeCity{},
		Numbers: numbers, Drafts: memstore.NewWithCleanupInterval(0)})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv
}

func TestPublicStatistics(t *testing.T) {
	t.Parallel()
	srv := numbersSite(t, fakeNumbers{})
	get := func(path string, want int) string {
		t.Helper()
		resp, err := http.Get(srv.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != want {
			t.Fatalf("%s: %d %v", path, resp.StatusCode, err)
		}
		return string(body)
	}
	page := get("/statistics?period=last_month", 200)
	for _, w := range []string{"1,234", "90%", "900 of 1,000", "fewer than 5", "Left out: withdrawn (not shown), merged", "made once a day", "Environment department", "4.4", "Tiny office", `<svg class="chart bars"`, "October 2026"} {
		if !strings.Contains(page, w) {
			t.Errorf("the page does not say %q", w)
		}
	}
	get("/statistics?period=nonsense", 200)
	files := get("/open-data", 200)
	for _, w := range []string{"/open-data/2026-10.csv", "October 2026", "dispatched_on_time", "How people are protected"} {
		if !strings.Contains(files, w) {
			t.Errorf("the page does not say %q", w)
		}
	}
	if got := get("/open-data/2026-10.csv", 200); got != "week,area\n" {
		t.Errorf("%q", got)
	}
	for _, path := range []string{"/open-data/2026-09.csv", "/open-data/2026-10.exe", "/open-data/x.csv", "/open-data/2026-10"} {
		get(path, 404)
	}
	srv = numbersSite(t, fakeNumbers{none: true})
	if page := get("/statistics?period=last_year", 200); !strings.Contains(page, "No case was filed") {
		t.Error("an empty year says nothing of it")
	}
	if page := get("/open-data", 200); !strings.Contains(page, "No file has been published yet") {
		t.Error("no file, and nothing of it")
	}
}
