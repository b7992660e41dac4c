package bottest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hotline/chat/bot"
)

// Options of Run.
type Options struct {
	// Policy makes the policy for a dialogue, which gives the time and the duty.
	Policy func(t *testing.T, d *Dialogue) *bot.Policy
	// Loose compares what is cited, asked for and done, not the words: for runs against the real knowledge base.
	Loose bool
	// Update rewrites the files with what the bot says. Read them afterwards.
	Update bool
}

// Run plays every *.txt below dir as a parallel subtest and reports how many there were.
func Run(t *testing.T, dir string, o Options) int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			play(t, file, o)
		})
	}
	return len(files)
}

func play(t *testing.T, file string, o Options) {
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d, err := Parse(file, raw)
	if err != nil {
		t.Fatal(err)
	}
	p := o.Policy(t, d)
	stored := []byte("{}")
	var all [][]string
	for i, turn := range d.Turns {
		st := bot.DecodeState(stored)
		var reply bot.Reply
		if turn.Invite[0] != "" {
			var m bot.Message
			m, st = p.Invite(st, turn.Invite[0], turn.Invite[1], d.Lang)
			reply.Messages = []bot.Message{m}
		} else if reply, st, err = p.Turn(t.Context(), st, turn.Inputs, d.Lang); err != nil {
			t.Fatal(err)
		}
		stored = st.Encode()
		got, want := Render(reply), turn.Want
		all = append(all, got)
		if o.Update {
			continue
		}
		if o.Loose {
			got, want = loose(got), loose(want)
		}
		if !same(want, got) {
			t.Errorf("turn %d: citizen: %s\n--- want\n%s\n--- got\n%s", i+1, strings.Join(turn.said, " / "), strings.Join(want, "\n"), strings.Join(got, "\n"))
		}
	}
	if o.Update {
		if err := d.write(file, all); err != nil {
			t.Fatal(err)
		}
	}
}
