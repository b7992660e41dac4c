package console

import (
	"strings"
	"testing"
	"time"
)

// marked writes a comparison with [marks].
func marked(lines []diffLine) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.Op)
		if l.Parts == nil {
			b.WriteString(l.Text)
		}
		for _, p := range l.Parts {
			if p.Mark {
				b.WriteString("[" + p.Text + "]")
			} else {
				b.WriteString(p.Text)
			}
		}
		b.WriteString("\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func TestDifferencesAreMarkedByWord(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, before, after, want string }{
		{"a word", "The fee is 20 yuan.", "The fee is 25 yuan.", "-The fee is [20] yuan.\n+The fee is [25] yuan."},
		{"neighbouring words are one mark", "closed on Sunday morning", "closed on public holidays", "-closed on [Sunday morning]\n+closed on [public holidays]"},
		{"Chinese by character", "每年缴费二十元", "每年缴费三十元", "-每年缴费[二]十元\n+每年缴费[三]十元"},
		{"another line", "Bring two photos.", "Opening hours: 9 to 5", "-Bring two photos.\n+Opening hours: 9 to 5"},
		{"a line that moved up", "## Steps\n\nBring two photos.", "Bring three photos.", "-## Steps\n-\n-Bring [two] photos.\n+Bring [three] photos."},
		{"a new title beside a changed summary", "Heating: season and money back\nThe heating season is winter. Rooms have 18 degrees and you get money back.",
			"Cold rooms\nThe heating season is winter. Rooms have 20 degrees and you get money back.",
			"-Heating: season and money back\n-The heating season is winter. Rooms have [18] degrees and you get money back.\n+Cold rooms\n+The heating season is winter. Rooms have [20] degrees and you get money back."},
		{"nothing", "same", "same", "…"},
	} {
		if got := marked(diff(c.before, c.after)); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

// A page of a comparison costs what a reviewer can wait for, also where a long article was written anew: looking for pairs among all its lines took minutes.
func TestALongTextWrittenAnewIsComparedSoon(t *testing.T) {
	t.Parallel()
	anew := func(from rune) string {
		lines := make([]string, 500)
		for i := range lines {
			var b strings.Builder
			for j := range 200 {
				b.WriteRune(from + rune((i*7+j)%1000))
			}
			lines[i] = b.String()
		}
		return strings.Join(lines, "\n")
	}
	began := time.Now()
	got := diff("The fee is 20 yuan.\n\n"+anew(0x4e00), "The fee is 25 yuan.\n\n"+anew(0x6000))
	if took := time.Since(began); took > time.Minute {
		t.Errorf("it took %v", took)
	}
	if head := marked(got[:2]); len(got) != 1003 || head != "-The fee is [20] yuan.\n+The fee is [25] yuan." {
		t.Errorf("%d lines, the first are\n%s", len(got), head)
	}
}
