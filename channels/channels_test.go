package channels

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"hotline/internal/errs"
)

func ok() Inbound {
	return Inbound{Channel: "web", Account: "demo", Thread: "t", ExternalID: "1", Text: "hello"}
}

func TestCleanRefusesWhatCannotBeMeant(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*Inbound)
		want   error
		field  string
	}{
		"nothing said":          {func(in *Inbound) { in.Text = " \u200b\x00\n " }, ErrEmpty, "text"},
		"too long":              {func(in *Inbound) { in.Text = strings.Repeat("水", MaxText+1) }, ErrTooLong, "text"},
		"no id":                 {func(in *Inbound) { in.ExternalID = "" }, ErrBadID, "external_id"},
		"broken id":             {func(in *Inbound) { in.Thread = "a\xff" }, ErrBadID, "thread"},
		"id with a line end":    {func(in *Inbound) { in.Account = "a\nb" }, ErrBadID, "account"},
		"long choice":           {func(in *Inbound) { in.Choice = strings.Repeat("x", MaxChoice+1) }, ErrBadID, "choice"},
		"place off the planet":  {func(in *Inbound) { in.Place = &Place{Lat: 91} }, ErrBadPlace, "place"},
		"place that is nowhere": {func(in *Inbound) { in.Place = &Place{Lat: math.NaN()} }, ErrBadPlace, "place"},
		"eleven files":          {func(in *Inbound) { in.Uploads = make([]uuid.UUID, 11) }, ErrManyFiles, "uploads"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := ok()
			c.change(&in)
			err := in.Clean()
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if got := fieldOf(err); got != c.field {
				t.Errorf("names the field %q, want %q", got, c.field)
			}
		})
	}
}

func TestCleanRepairsText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a\x00b\x07c":          "abc",
		"bro\xffken":           "bro\uFFFDken",
		"one\r\ntwo\rthree":    "one\ntwo\nthree",
		"  停水了  ":              "停水了",
		"invoice\u202Efdp.exe": "invoicefdp.exe",
		"می\u200cخواهم":        "می\u200cخواهم",
		"👩\u200d👧":             "👩\u200d👧",
		"<script>x</script>":   "<script>x</script>", // text stays text; whoever shows it escapes it
	} {
		if got := CleanText(in); got != want {
			t.Errorf("CleanText(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("web", "1", "hello\x00", "c", "Ann", 1.5, 2.5)
	f.Add("\xff", "", strings.Repeat("\u202e", 10), "\n", "\x1b[31m", math.Inf(1), math.NaN())
	f.Fuzz(func(t *testing.T, thread, id, text, choice, name string, lat, lon float64) {
		in := Inbound{Channel: "web", Account: "a", Thread: thread, ExternalID: id, Text: text, Choice: choice, Contact: Contact{Name: name}, Place: &Place{Lat: lat, Lon: lon, Label: name}}
		if in.Clean() != nil {
			return
		}
		for _, s := range []string{in.Thread, in.ExternalID, in.Text, in.Choice, in.Contact.Name, in.Place.Label} {
			if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
				t.Fatalf("not storable: %q", s)
			}
			for _, r := range s {
				if unicode.IsControl(r) && r != '\n' && r != '\t' {
					t.Fatalf("control character left in %q", s)
				}
			}
		}
		if again := CleanText(in.Text); again != in.Text {
			t.Fatalf("cleaning twice changes %q to %q", in.Text, again)
		}
	})
}

type named string

func (n named) Name() string                                 { return string(n) }
func (named) Send(context.Context, Outbound) (Result, error) { return Result{}, nil }

func TestRegistry(t *testing.T) {
	t.Parallel()
	r, err := NewRegistry(named("telegram"), named("email"))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := r.Get("telegram"); !ok {
		t.Error("telegram is not found")
	}
	if _, ok := r.Get(Web); ok {
		t.Error("the web chat has no adapter")
	}
	for _, bad := range [][]Adapter{{named("a"), named("a")}, {named("Bad Name")}, {named("web")}, {named("xx"), named("xx")}} {
		if _, err := NewRegistry(bad...); err == nil {
			t.Errorf("%v was accepted", bad)
		}
	}
	var none *Registry
	if _, ok := none.Get("x"); ok || len(none.Names()) != 0 {
		t.Error("no registry means no adapters")
	}
}

func fieldOf(err error) string {
	var e *errs.Error
	if errors.As(err, &e) {
		return e.Field
	}
	return ""
}

func TestMobile(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"138 0000 1111": "+8613800001111", "+86 138-0000-1111": "+8613800001111", "0086 13800001111": "+8613800001111", "8613800001111": "+8613800001111", "１３８００００１１１１": "+8613800001111",
		"+1 (212) 555-0100": "+12125550100", "+44 7700 900123": "+447700900123",
		"0571 8888 1111": "", "12345": "", "+86 571 88881111": "", "": "", "13800001111转2": "", "+": "", "+1234567890123456": "",
	} {
		if got, ok := Mobile(in, "86"); got != want || ok != (want != "") {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
	if got, ok := Mobile("07700 900123", "44"); !ok || got != "+447700900123" {
		t.Errorf("at home in another country: %q", got)
	}
	if got, ok := Mobile("13800001111", ""); ok {
		t.Errorf("without a country: %q", got)
	}
}
