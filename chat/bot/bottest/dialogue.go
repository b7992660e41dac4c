// Package bottest runs golden dialogues against a bot.Policy. A dialogue is a text file that a person can read aloud:
//
//	# what this dialogue is about
//	lang: en
//	now: 2026-03-04T10:00:00+08:00
//	duty: 2026-03-05T09:00:00+08:00     (nobody on duty until then; leave the line out when somebody is)
//
//	> what the citizen types            (several lines in a row are several messages before the bot's turn)
//	> [file]                            (a tapped quick reply, by id)
//	> (2 files) look at this            (attachments)
//	> (at 30.27,120.15 Town Hall)       (a shared location)
//	> (invite T-1 2026-000001)          (not the citizen: the hotline asks for a rating of a ticket)
//	< what the bot says
//	| next line of the same bubble
//	<~ ^a regular expression, where the text may vary$
//	{cites heating-fault v2}
//	? where                             (the slot asked for)
//	[human: Talk to a person] …         (quick replies)
//	! open kind=complaint …             (what the turn leads to)
//
// Between turns the state goes through JSON, as it does between nodes.
package bottest

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"hotline/chat/bot"
)

// Dialogue is a parsed golden file.
type Dialogue struct {
	Name  string
	Lang  string
	Now   time.Time
	Next  time.Time // next duty; zero means that somebody is on duty now
	head  []string
	Turns []Turn
}

// Turn is what the citizen sends, and the lines the bot is expected to answer with.
type Turn struct {
	said   []string
	Inputs []bot.Input
	Invite [2]string // ticket id and number
	Want   []string
}

// Duty is Env.Duty for the dialogue.
func (d *Dialogue) Duty(time.Time) (bool, time.Time) { return d.Next.IsZero(), d.Next }

var (
	filesInput  = regexp.MustCompile(`^\((\d+) files?\)\s*`)
	placeInput  = regexp.MustCompile(`^\(at (-?[\d.]+),(-?[\d.]+)\s*([^)]*)\)\s*`)
	choiceInput = regexp.MustCompile(`^\[([^\]]+)\]$`)
	inviteInput = regexp.MustCompile(`^\(invite (\S+) (\S+)\)$`)
)

// Parse reads a golden file. It returns an error that names the line.
func Parse(name string, raw []byte) (*Dialogue, error) {
	d := &Dialogue{Name: name, Lang: "en", Now: time.Date(2026, 3, 4, 10, 0, 0, 0, time.FixedZone("", 8*3600))}
	sc := bufio.NewScanner(bytes.NewReader(raw))
	sc.Buffer(nil, 1<<20)
	for n := 1; sc.Scan(); n++ {
		line := strings.TrimRight(sc.Text(), " ")
		said, ok := strings.CutPrefix(line, ">")
		if !ok && len(d.Turns) == 0 {
			d.head = append(d.head, line)
			if err := d.header(line); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", name, n, err)
			}
			continue
		}
		if ok {
			if last := len(d.Turns) - 1; last < 0 || len(d.Turns[last].Want) > 0 {
				d.Turns = append(d.Turns, Turn{})
			}
			if err := d.Turns[len(d.Turns)-1].add(strings.TrimSpace(said)); err != nil {
				return nil, fmt.Errorf("%s:%d: %w", name, n, err)
			}
			continue
		}
		if line != "" {
			t := &d.Turns[len(d.Turns)-1]
			t.Want = append(t.Want, line)
		}
	}
	return d, sc.Err()
}

func (d *Dialogue) header(line string) (err error) {
	key, value, ok := strings.Cut(line, ": ")
	if !ok || strings.HasPrefix(line, "#") {
		return nil
	}
	switch key {
	case "lang":
		d.Lang = value
	case "now":
		d.Now, err = time.Parse(time.RFC3339, value)
	case "duty":
		d.Next, err = time.Parse(time.RFC3339, value)
	default:
		err = fmt.Errorf("unknown header %q", key)
	}
	return err
}

func (t *Turn) add(said string) error {
	t.said = append(t.said, said)
	if m := inviteInput.FindStringSubmatch(said); m != nil {
		t.Invite = [2]string{m[1], m[2]}
		return nil
	}
	var in bot.Input
	if m := choiceInput.FindStringSubmatch(said); m != nil {
		in.Choice = m[1]
		t.Inputs = append(t.Inputs, in)
		return nil
	}
	if m := filesInput.FindStringSubmatch(said); m != nil {
		in.Attachments, _ = strconv.Atoi(m[1])
		said = said[len(m[0]):]
	}
	if m := placeInput.FindStringSubmatch(said); m != nil {
		lat, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return err
		}
		lon, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			return err
		}
		in.Place = &bot.Place{Lat: lat, Lon: lon, Label: strings.TrimSpace(m[3])}
		said = said[len(m[0]):]
	}
	in.Text = said
	t.Inputs = append(t.Inputs, in)
	return nil
}

// write puts the dialogue back into its file with what the bot says now.
func (d *Dialogue) write(file string, got [][]string) error {
	var b strings.Builder
	for _, l := range d.head {
		b.WriteString(l + "\n")
	}
	for i, t := range d.Turns {
		if i > 0 {
			b.WriteString("\n")
		}
		for _, s := range t.said {
			b.WriteString("> " + s + "\n")
		}
		lines := got[i]
		if same(t.Want, lines) {
			lines = t.Want // keeps the regular expressions
		}
		for _, l := range lines {
			b.WriteString(l + "\n")
		}
	}
	return os.WriteFile(file, []byte(b.String()), 0o644)
}

// same compares expected with actual lines.
func same(want, got []string) bool {
	if len(want) != len(got) {
		return false
	}
	for i, w := range want {
		if pattern, ok := strings.CutPrefix(w, "<~ "); ok {
			re, err := regexp.Compile(pattern)
			if err != nil || !re.MatchString(strings.TrimPrefix(got[i], "< ")) {
				return false
			}
		} else if w != strings.TrimRight(got[i], " ") {
			return false
		}
	}
	return true
}
