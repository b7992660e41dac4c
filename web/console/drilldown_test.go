package console_test

import (
	"html"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
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
