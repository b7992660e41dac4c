package console_test

import (
	"html"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	numberCell = regexp.MustCompile(`(?s)<td class="r num">(.*?)</td>`)
	cellLink   = regexp.MustCompile(`href="([^"]+)"[^>]*>([^<]*)<`)
	digits     = regexp.MustCompile(`[1-9]`)
)

// TestEveryNumberLeadsToItsTickets presses every number of the breakdowns: each opens a list, and a count opens exactly as many.
func TestEveryNumberLeadsToItsTickets(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.late()
	r.file("help", "No water", "No water since this morning in the whole house.", "utilities.water")
	r.file("complaint", "Something else", "Nobody knows what this is about at all.", "")
	r.measure()
	b := r.signIn("supervisor")
	const period = "?period=custom&from=2026-03-01&to=2026-03-31"
	pressed := 0
	for _, by := range []string{"agency", "area", "category", "channel", "kind", "day"} {
		page := b.get("/console/statistics" + period + "&by=" + by)
		page.wants(t, http.StatusOK)
		for _, cell := range numberCell.FindAllStringSubmatch(excerpt2(page.body), -1) {
			if !digits.MatchString(cell[1]) || strings.Contains(cell[1], `class="change`) {
				continue
			}
			link := cellLink.FindStringSubmatch(cell[1])
			if link == nil {
				t.Errorf("by %s: nothing behind %q", by, cell[1])
				continue
			}
			list := b.get(html.UnescapeString(link[1]))
			list.wants(t, http.StatusOK)
			rows := strings.Count(list.body, "data-row")
			pressed++
			if n, err := strconv.Atoi(link[2]); err == nil && n != rows || rows == 0 {
				t.Errorf("by %s: %q opens %d rows", by, link[2], rows)
			}
		}
	}
	if pressed < 20 {
		t.Errorf("only %d numbers were there to press", pressed)
	}
	// The large numbers on top, too: a rate opens what it is a rate of.
	page := b.get("/console/statistics" + period)
	for _, name := range []string{"Answered on time", "Time to the answer"} {
		if !regexp.MustCompile(`<span class="stat-name">` + name + `</span><a class="stat-value num" href="/console/statistics/tickets`).MatchString(page.body) {
			t.Errorf("nothing behind the number on top: %s", name)
		}
	}
	// And those of the scorecards.
	cards := b.get("/console/statistics/scorecards" + period)
	if !regexp.MustCompile(`<dd class="small muted num"><a href="/console/statistics/tickets[^"]*">0 / 1</a>`).MatchString(cards.body) {
		t.Errorf("nothing behind the counts of a scorecard\n%s", excerpt(cards.body))
	}
}

// TestEveryBarLeadsToItsTickets presses the bars of the chart: each opens as many tickets as it says.
func TestEveryBarLeadsToItsTickets(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.file("help", "No water", "No water since this morning in the whole house.", "utilities.water")
	r.file("complaint", "Something else", "Nobody knows what this is about at all.", "")
	r.measure()
	b := r.signIn("supervisor")
	page := b.get("/console/statistics?period=custom&from=2026-03-01&to=2026-03-31")
	bars := regexp.MustCompile(`<a href="([^"]+)" tabindex="-1"><title>[^:<]*: (\d+)`).FindAllStringSubmatch(page.body, -1)
	if len(bars) == 0 {
		t.Fatalf("no bar leads anywhere\n%s", excerpt(page.body))
	}
	for _, bar := range bars {
		list := b.get(html.UnescapeString(bar[1]))
		list.wants(t, http.StatusOK)
		if n, _ := strconv.Atoi(bar[2]); strings.Count(list.body, "data-row") != n || n != 2 {
			t.Errorf("a bar of %s opens %d rows", bar[2], strings.Count(list.body, "data-row"))
		}
	}
}

// TestEveryLightLeadsToItsTickets presses every number of the supervision board, those of the hotline's own row too.
func TestEveryLightLeadsToItsTickets(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.led(r.file("complaint", "Drilling at night", "The site drills every night, we cannot sleep.", "environment.noise"))
	r.file("complaint", "Something else", "Nobody knows what this is about at all.", "")
	b := r.signIn("supervisor")
	pressed := map[string]int{}
	for range 12 {
		page := b.get("/console/supervision")
		page.wants(t, http.StatusOK)
		for _, cell := range regexp.MustCompile(`(?s)<td data-th='([^']*)' class="r num">(.*?)</td>`).FindAllStringSubmatch(page.body, -1) {
			if !digits.MatchString(cell[2]) {
				continue
			}
			link := cellLink.FindStringSubmatch(cell[2])
			if link == nil {
				t.Fatalf("nothing behind %s: %q", cell[1], cell[2])
			}
			list := b.get(html.UnescapeString(link[1]))
			if n, _ := strconv.Atoi(link[2]); strings.Count(list.body, "data-row>") != n {
				t.Errorf("%s %s opens %d rows: %s", cell[1], link[2], strings.Count(list.body, "data-row>"), link[1])
			}
			pressed[cell[1]]++
		}
		r.clock.Advance(9 * time.Hour)
		must(t, r.tickets.Reload(t.Context()))
	}
	for _, light := range []string{"Overdue", "In time", "Open"} {
		if pressed[light] < 2 {
			t.Errorf("%s was there %d times", light, pressed[light])
		}
	}
}
