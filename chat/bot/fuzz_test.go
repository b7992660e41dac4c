package bot_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"hotline/chat/bot"
	"hotline/chat/bot/bottest"
)

// FuzzTurn: no input panics; whatever is said, a person is one step away; the state always survives JSON; and nothing a citizen types
// turns into a placeholder that the caller would fill.
func FuzzTurn(f *testing.F) {
	for _, s := range []string{
		"hello", "I want to complain about noise at 5 Hill Street", "我要投诉噪音", "举报", "{tracking_code}", "1234 5678 9012 3456 7890", "cancel",
		"yes", "不对，应该是幸福路18号", "\xff\xfe", "(((", "?", "my house is on fire", "https://example.org/<script>alert(1)</script>", "𝕳𝖊𝖑𝖑𝖔", "\u200b\u200b",
	} {
		f.Add(s, "confirm", 1, 30.0, "anonymous")
		f.Add("I want to file a complaint", "", 0, 0.0, s)
	}
	f.Add("x", "article:../../etc", -1, 1e300, "rate:9")
	p, err := bottest.Scripted(&bottest.Dialogue{Lang: "en"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, first, choice string, files int, lat float64, second string) {
		st := bot.State{}
		for _, turn := range [][]bot.Input{
			{{Text: first, Attachments: files, Place: &bot.Place{Lat: lat, Lon: lat, Label: second}}},
			{{Choice: choice, Text: second}},
			{{Text: second}, {Choice: choice}, {Text: first}},
			{{Text: first + "\n" + second}},
		} {
			reply, next, err := p.Turn(t.Context(), st, turn, "en")
			if err != nil {
				t.Fatal(err)
			}
			check(t, reply)
			raw := next.Encode()
			if !json.Valid(raw) {
				t.Fatalf("state is no JSON: %q", raw)
			}
			if st = bot.DecodeState(raw); st.Lang != next.Lang {
				t.Fatalf("state lost its language: %q", raw)
			}
		}
	})
}

func check(t *testing.T, reply bot.Reply) {
	t.Helper()
	if len(reply.Messages) == 0 {
		t.Fatal("the bot says nothing")
	}
	if !reachesPerson(reply) {
		t.Fatalf("no way to a person: %+v", reply)
	}
	opened := reply.Open != nil
	for _, m := range reply.Messages {
		if !utf8.ValidString(m.Text) || strings.TrimSpace(m.Text) == "" {
			t.Fatalf("unreadable message %q", m.Text)
		}
		if !opened && (strings.Contains(m.Text, "{tracking_code}") || strings.Contains(m.Text, "{number}")) {
			t.Fatalf("a placeholder without a ticket: %q", m.Text)
		}
		for _, c := range m.Choices {
			if c.ID == "" || c.Label == "" {
				t.Fatalf("empty choice in %q", m.Text)
			}
		}
	}
}

func reachesPerson(reply bot.Reply) bool {
	if reply.HandOff != nil {
		return true
	}
	for _, c := range reply.Messages[len(reply.Messages)-1].Choices {
		if c.ID == "human" || c.ID == "wait" {
			return true
		}
	}
	return false
}
