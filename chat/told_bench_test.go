package chat_test

import (
	"strconv"
	"testing"

	"github.com/google/uuid"

	"hotline/chat"
	"hotline/chat/bot"
)

// BenchmarkTurn is a message and the bot's reply to it, with and without the record of what was told: what the record costs a turn.
func BenchmarkTurn(b *testing.B) {
	cited := []bot.Citation{{ArticleID: uuid.NewString(), Version: 1, Title: "Passports"}}
	reply := bot.Reply{Lang: "en", Messages: []bot.Message{{Text: "Bring a photo.", Citations: cited}, {Text: "Did it help?"}}}
	recorded := reply
	recorded.Told = []bot.Told{{Question: "where do I get a passport?", Outcome: bot.OutcomeAnswer, Score: 0.7, Cited: cited}}
	for name, reply := range map[string]bot.Reply{"silent": reply, "recorded": recorded} {
		b.Run(name, func(b *testing.B) {
			r := newRig(b)
			s := r.another(b, func(d *chat.Deps) { d.Think = fixed(reply) })
			i := 0
			for b.Loop() {
				i++
				got, err := s.Ingest(ctxb, message("t"+strconv.Itoa(i), "1", "where do I get a passport?"))
				if err != nil {
					b.Fatal(err)
				}
				if err := s.TakeTurn(ctxb, got.ConversationID); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
