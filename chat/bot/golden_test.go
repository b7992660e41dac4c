package bot_test

import (
	"flag"
	"testing"

	"hotline/chat/bot"
	"hotline/chat/bot/bottest"
)

var update = flag.Bool("update", false, "rewrite the golden dialogues with what the bot says now; read them afterwards")

func TestGoldenDialogues(t *testing.T) {
	for _, lang := range []string{"en", "zh-CN"} {
		n := bottest.Run(t, "testdata/golden/"+lang, bottest.Options{
			Update: *update,
			Policy: func(t *testing.T, d *bottest.Dialogue) *bot.Policy {
				p, err := bottest.Scripted(d)
				if err != nil {
					t.Fatal(err)
				}
				return p
			},
		})
		if n < 20 {
			t.Errorf("%s: only %d dialogues", lang, n)
		}
	}
}
