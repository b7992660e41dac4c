package tickets_test

import (
	"runtime"
	"testing"

	"hotline/internal/sheet"
	"hotline/tickets"
)

type sink struct{ n int64 }

func (s *sink) Write(p []byte) (int, error) { s.n += int64(len(p)); return len(p), nil }

func TestAnExportOfFiftyThousandRowsHoldsAPageAtATime(t *testing.T) {
	o := open(t)
	const rows = 50_000
	o.fill(rows)
	for _, format := range sheet.Formats() {
		out := &sink{}
		file, err := sheet.New(format, "tickets", out)
		if err != nil {
			t.Fatal(err)
		}
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		before, most := m.HeapAlloc, uint64(0)
		seen := map[string]bool{}
		early := int64(0)
		err = o.Each(t.Context(), o.as("supervisor"), tickets.ViewAll, tickets.Filter{}, true, func(e tickets.Exported) error {
			seen[e.Number] = true
			if len(seen)%10_000 == 0 {
				runtime.GC() // what is still held, not what waits to be collected
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
				if early == 0 {
					early = out.n
				}
			}
			return file.Row(e.Number, e.Title, e.OpenedAt, string(e.State), e.Name, e.Phone)
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		if len(seen) != rows {
			t.Errorf("%s: %d of %d tickets", format, len(seen), rows)
		}
		// The numbers that this test itself remembers are about 6 MB of it.
		if held := int64(most) - int64(before); held > 16<<20 {
			t.Errorf("%s: %d MiB are held", format, held>>20)
		}
		if early == 0 {
			t.Errorf("%s: after 10,000 rows not a byte was on its way", format)
		}
		t.Logf("%s: %d bytes, %d KiB held", format, out.n, (int64(most)-int64(before))>>10)
	}
}

func TestAnExportShowsWhatTheReaderMaySee(t *testing.T) {
	t.Parallel()
	o := open(t)
	contact := o.contact("13800001234", "")
	mine := o.dispatched(func(d *tickets.Draft) { d.ContactID = contact })
	o.file()
	secret := o.file(func(d *tickets.Draft) { d.Kind, d.ContactID = "report", contact })
	read := func(user string, contacts bool) map[string]tickets.Exported {
		out := map[string]tickets.Exported{}
		err := o.Each(t.Context(), o.as(user), tickets.ViewAll, tickets.Filter{}, contacts, func(e tickets.Exported) error { out[e.Number] = e; return nil })
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if got := read("supervisor", true); len(got) != 3 || got[mine.Number].Phone != "13800001234" || got[secret.Number].Phone != "" || got[secret.Number].Name != "" {
		t.Errorf("supervisor: %d tickets, %+v", len(got), got[secret.Number])
	}
	if got := read("supervisor", false); got[mine.Number].Phone != "" {
		t.Error("a contact that nobody asked for")
	}
	if got := read("head-env", true); len(got) != 1 || got[mine.Number].Phone != "13800001234" {
		t.Errorf("the lead exports %d tickets", len(got))
	}
	if got := read("handler-util", true); len(got) != 0 {
		t.Errorf("another agency exports %d tickets", len(got))
	}
}
