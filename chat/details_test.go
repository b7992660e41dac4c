package chat_test

import (
	"testing"

	"hotline/chat"
	"hotline/chat/bot"
	"hotline/internal/testkit"
	"hotline/tickets"
)

// needsSource makes noise need its source and lets it have a date.
func (r *rig) needsSource(t *testing.T) {
	t.Helper()
	admin := tickets.Staff(r.city.Staff("administrator"), []string{"administrator"})
	for _, f := range []tickets.CustomField{
		{Category: "environment.noise", Code: "source", Names: map[string]string{"en": "Source"}, Type: tickets.FieldText, Intake: true, Active: true},
		{Category: "environment.noise", Code: "since", Names: map[string]string{"en": "Since"}, Type: tickets.FieldDate, Asked: true, Active: true},
	} {
		if _, err := r.tickets.SaveField(ctxb, admin, f); err != nil {
			t.Fatal(err)
		}
	}
}

// What the bot was told about the category's own fields is the ticket's, whatever the bot took the category for; what nobody told is noted.
func TestWhatTheBotWasToldIsTheTickets(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		details       map[string]string
		kept, missing int
	}{
		"told":                            {map[string]string{"source": "the crane", "since": "2026-03-01"}, 2, 0},
		"skipped":                         {nil, 0, 1},
		"for a category it is not, badly": {map[string]string{"since": "long ago", "floors": "7"}, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(d *chat.Deps) {
				d.Think = fixed(bot.Reply{Lang: "en", Open: &bot.Draft{Kind: "complaint", Description: "noise all night", Lang: "en", Details: tt.details}, Messages: []bot.Message{{Text: "Done: {number}"}}})
			})
			r.needsSource(t)
			got := r.say(t, "t1", "m1", "noise all night")
			if err := r.TakeTurn(ctxb, got.ConversationID); err != nil {
				t.Fatal(err)
			}
			owner := testkit.OwnerPool(t, r.pool)
			if n := count(t, owner, `select count(*) from tickets`); n != 1 {
				t.Fatalf("%d tickets", n)
			}
			if n := count(t, owner, `select coalesce((select count(*) from ticket_fields, jsonb_object_keys(data)), 0)`); n != tt.kept {
				t.Errorf("%d values kept, want %d", n, tt.kept)
			}
			if n := count(t, owner, `select count(*) from ticket_events where type = 'fields_missing' and data->>'text' = 'source'`); n != tt.missing {
				t.Errorf("missing is noted %d times, want %d", n, tt.missing)
			}
		})
	}
}
