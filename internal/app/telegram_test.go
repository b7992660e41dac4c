package app_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"hotline/channels/telegram/telegramtest"
	"hotline/internal/app"
	"hotline/internal/db"
	"hotline/internal/testkit"
	"hotline/knowledge"
)

// staffOf gives a demo user as the knowledge base knows staff.
func staffOf(t *testing.T, a *app.App, email string) knowledge.Staff {
	t.Helper()
	var id uuid.UUID
	err := db.ReadTx(t.Context(), a.Pool(), db.System(), func(tx db.Tx) error {
		return tx.QueryRow(t.Context(), `select id from users where email = $1`, email).Scan(&id)
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := a.Auth.ByID(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return knowledge.Staff{Actor: p.Actor(), Roles: p.Roles}
}

func TestEditedArticleIsCitedInTelegram(t *testing.T) {
	t.Parallel()
	vendor := telegramtest.New(t)
	a := start(t, nil, "HOTLINE_TELEGRAM_TOKEN="+telegramtest.Token, "HOTLINE_TELEGRAM_API="+vendor.URL)
	const question = "How do I renew my driving licence?"
	vendor.Push(telegramtest.TextUpdate(1, 1, 77, "en", question))
	first := vendor.Await(t, "the cited answer", func(m telegramtest.Sent) bool { return strings.Contains(m.Text, "(v1)") })
	linked := slices.ContainsFunc(first.Entities, func(e telegramtest.Entity) bool { return strings.HasSuffix(e.URL, "/a/driving-licence-renewal") })
	if first.Chat != 77 || !linked {
		t.Fatalf("%+v", first)
	}

	found, err := a.Knowledge.BySlug(t.Context(), "driving-licence-renewal", true)
	if err != nil {
		t.Fatal(err)
	}
	editor, reviewer := staffOf(t, a, "editor@lanting.example"), staffOf(t, a, "reviewer@lanting.example")
	text := found.Version.Text
	text.Summary = "Renewal is free of charge this year. " + text.Summary
	draft, err := a.Knowledge.Save(t.Context(), editor, found.Version.Ref(), text)
	if err != nil {
		t.Fatal(err)
	}
	if draft, err = a.Knowledge.Submit(t.Context(), editor, draft.Version.Ref()); err != nil {
		t.Fatal(err)
	}
	if _, err = a.Knowledge.Publish(t.Context(), editor, draft.Version.Ref()); err == nil {
		t.Fatal("the author published the own text")
	}
	if _, err = a.Knowledge.Publish(t.Context(), reviewer, draft.Version.Ref()); err != nil {
		t.Fatal(err)
	}
	vendor.Push(telegramtest.TextUpdate(2, 2, 88, "en", question))
	second := vendor.Await(t, "the new version", func(m telegramtest.Sent) bool { return m.Chat == 88 && strings.Contains(m.Text, "(v2)") })
	if !strings.Contains(second.Text, "free of charge this year") {
		t.Fatalf("the bot does not say what the new version says: %q", second.Text)
	}
}

// TestLogHoldsNoPersonalData plants data in every way in and looks for it in the log at its most talkative.
func TestLogHoldsNoPersonalData(t *testing.T) {
	t.Parallel()
	log, out := testkit.NewLog()
	vendor := telegramtest.New(t)
	vendor.FailNext("forbidden")
	a := start(t, log, "HOTLINE_TELEGRAM_TOKEN="+telegramtest.Token, "HOTLINE_TELEGRAM_API="+vendor.URL)
	planted := []string{"Zebulon", "Quagmire", "5550147", "zebulon@quagmire.example", "purple elephant", telegramtest.Token}
	vendor.Push(telegramtest.TextUpdate(1, 1, 77, "en", "I am Zebulon Quagmire, 5550147, zebulon@quagmire.example, and I saw a purple elephant"))
	vendor.Push(telegramtest.TextUpdate(2, 2, 77, "en", "I want to complain: the purple elephant is loud"))
	vendor.AwaitOffset(t, 3)
	c := dial(t, a, "", "en")
	if _, err := c.Send(t.Context(), clientOut("I want to complain about the purple elephant at 12 Quagmire Road")); err != nil {
		t.Fatal(err)
	}
	awaitRow(t, a, "the bot's answers", `select not exists (select from conversations where holder = 'bot' and turn_due_at is not null) and (select count(*) from messages where author = 'bot') >= 2`)
	text := out.String()
	if !strings.Contains(text, "routing data loaded") {
		t.Fatal("the log was not captured")
	}
	for _, secret := range append(planted, c.Token()) {
		if strings.Contains(text, secret) {
			for line := range strings.Lines(text) {
				if strings.Contains(line, secret) {
					t.Errorf("%q is in the log: %s", secret, line)
				}
			}
		}
	}
}
