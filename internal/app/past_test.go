package app_test

import (
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"hotline/internal/app"
	"hotline/internal/config"
	"hotline/internal/db"
	"hotline/internal/testkit"
	"hotline/tickets"
)

// TestDemoHasAPast looks at a demo city on its first day: its boards and its published numbers have something to show, its history can be proven.
func TestDemoHasAPast(t *testing.T) {
	t.Parallel()
	cfg, err := config.Parse([]string{"HOTLINE_ADDR=127.0.0.1:0", "HOTLINE_DATA=" + testkit.DataFolder(t)})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelInfo}))
	a, err := app.Start(t.Context(), cfg, app.Options{Log: log, Demo: true, Past: true, Volatile: true, WeakHash: true, NoLimits: true, Learn: learnOnce})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Stop(t.Context()) })
	<-a.Settled()

	number := func(sql string) (n int) {
		t.Helper()
		err := db.ReadTx(t.Context(), a.Pool(), db.System(), func(tx db.Tx) error { return tx.QueryRow(t.Context(), sql).Scan(&n) })
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for what, sql := range map[string]string{
		"closed cases":                 `select count(*) / 100 from tickets where state = 'closed'`,
		"cases in progress":            `select count(*) from tickets where state = 'in_progress'`,
		"overdue cases":                `select count(*) from tickets t where due_at < now() and exists (select from ticket_access a where a.ticket_id = t.id and a.open)`,
		"a running supervision order":  `select count(*) from tickets where supervision = 'ordered'`,
		"returned cases":               `select count(*) from ticket_events where type = 'approve_return'`,
		"extensions":                   `select count(*) from ticket_events where type = 'approve_extension'`,
		"cases sent back by the check": `select count(*) from ticket_events where type = 'reopen'`,
		"rectifications":               `select count(*) from rectifications`,
		"bad grades":                   `select count(*) from ticket_ratings where grade <= 2`,
		"a mass event with reporters":  `select count(*) / 10 from tickets c join mass_events m on m.ticket_id = c.parent_id`,
		"an open mass event":           `select count(*) / 6 from tickets c join tickets m on m.id = c.parent_id where m.mass_event and m.state = 'in_progress'`,
		"chats with a person":          `select count(*) / 10 from conversations where taken_at is not null`,
		"graded chats":                 `select count(*) / 20 from conversations where rating is not null`,
		"answered questions":           `select count(*) / 40 from answers`,
		"a macro":                      `select count(*) from macros`,
		"a tag in use":                 `select count(*) from ticket_tags`,
		"a mention":                    `select count(*) from ticket_mentions`,
		"a flag on a contact":          `select count(*) from contact_flags`,
		"an appeal":                    `select count(*) from measure_appeals`,
		"confidential cases":           `select count(*) from tickets where confidential`,
		"cases filed by telephone":     `select count(*) from tickets where channel = 'phone'`,
	} {
		if number(sql) == 0 {
			t.Errorf("the past has no %s", what)
		}
	}
	if left := number(`select count(*) from conversations where turn_due_at is not null or lease_until is not null or holder in ('queue', 'staff')`); left > 0 {
		t.Errorf("%d chats of the past are not over", left)
	}
	if left := number(`select count(*) from tickets where urgency = 'urgent' and state in ('received', 'accepted')`); left > 0 {
		t.Errorf("%d urgent cases of the past were sent to nobody", left)
	}
	if late := number(`select count(*) from messages where created_at > now() or created_at < now() - interval '72 days'`); late > 0 {
		t.Errorf("%d messages lie in the future or before the past", late)
	}
	if late := number(`select count(*) from ticket_events where at > now() or at < now() - interval '72 days'`); late > 0 {
		t.Errorf("%d entries lie in the future or before the past", late)
	}
	var ids []string
	err = db.ReadTx(t.Context(), a.Pool(), db.System(), func(tx db.Tx) error {
		return tx.QueryRow(t.Context(), `select array_agg(id::text) from tickets where events > 20`).Scan(&ids)
	})
	if err != nil || len(ids) == 0 {
		t.Fatalf("no case with a long history: %v", err)
	}
	for _, id := range ids {
		if err := a.Tickets.VerifyHistory(t.Context(), tickets.System(), uuid.MustParse(id)); err != nil {
			t.Errorf("the history of %s: %v", id, err)
		}
	}

	// The public page ends with yesterday and has numbers all the same.
	res, err := http.Get(a.URL() + "/statistics?period=days_30")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	if res.StatusCode != http.StatusOK || strings.Contains(page, "no data yet") || len(regexp.MustCompile(`\d+(\.\d)? ?%`).FindAllString(page, -1)) < 5 {
		t.Errorf("the public statistics are empty on the first day: %d, %.2000s", res.StatusCode, page)
	}
}
