package telegram_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf16"

	"hotline/channels"
	"hotline/channels/telegram/telegramtest"
)

// seen is what a reader sees: the text, and each stretch that has a meaning.
func seen(t *testing.T, m telegramtest.Sent) []string {
	t.Helper()
	u := utf16.Encode([]rune(m.Text))
	out := []string{m.Text}
	for _, e := range m.Entities {
		if e.Offset < 0 || e.Length <= 0 || e.Offset+e.Length > len(u) {
			t.Fatalf("an entity outside the text: %+v of %d", e, len(u))
		}
		line := e.Type + ": " + string(utf16.Decode(u[e.Offset:e.Offset+e.Length]))
		if e.URL != "" {
			line += " → " + e.URL
		}
		out = append(out, line)
	}
	return out
}

func TestWhatTheBotSaysIsShownAsItIsMeant(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ say, want string }{
		"bold and a link":    {"**You can have it** 👍, see [the page](https://x.example/a?b=1&c=2).", "You can have it 👍, see the page.|bold: You can have it|text_link: the page → https://x.example/a?b=1&c=2"},
		"signs before":       {"😀 **bold** 中文 *it*", "😀 bold 中文 it|bold: bold|italic: it"},
		"a list":             {"Bring:\n\n- your **card**\n- a photo\n\nThen wait.", "Bring:\n\n• your card\n• a photo\n\nThen wait.|bold: card"},
		"steps":              {"1. Apply.\n2. Pay:\n   - cash\n   - card\n3. Wait.", "1. Apply.\n2. Pay:\n   • cash\n   • card\n3. Wait."},
		"a heading":          {"## Cost\n\n20 yuan", "Cost\n\n20 yuan|bold: Cost"},
		"a table":            {"| Income | Yuan |\n| --- | --- |\n| low | 22 |\n| high | 12 |", "Income · Yuan\nlow · 22\nhigh · 12|bold: Income · Yuan"},
		"HTML stays text":    {"<b>x</b> & <script>alert(1)</script>", "<b>x</b> & <script>alert(1)</script>"},
		"an HTML block":      {"<div onclick=x>\nhello\n</div>", "<div onclick=x>\nhello\n</div>"},
		"other destinations": {"[tap](javascript:alert) [me](tg://resolve?domain=x) [here](/a/x)", "tap (javascript:alert) me (tg://resolve?domain=x) here (/a/x)"},
		"escaped signs":      {`20 \* 3 \[x\] C:\dir`, `20 * 3 [x] C:\dir`},
		"nothing to close":   {"a ** b _ c ` d [e](", "a ** b _ c ` d [e]("},
		"lines of a summary": {"Here is what I have:\n• Kind: complaint\n• What: 5 * 3 * 2", "Here is what I have:\n• Kind: complaint\n• What: 5 * 3 * 2"},
		"a name with a mark": {"Thanks, \\*Anna\\*", "Thanks, *Anna*"},
		"a code":             {"Type `person`", "Type person|code: person"},
		"several paragraphs": {"One.\n\nTwo.\n\n\nThree.", "One.\n\nTwo.\n\nThree."},
		"a quotation":        {"> so it says", "so it says|blockquote: so it says"},
	} {
		s := telegramtest.New(t)
		a := adapter(t, s, (&inbox{}).ingest, nil)
		if _, err := a.Send(t.Context(), channels.Outbound{Thread: "77", Author: "bot", Text: c.say}); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := strings.Join(seen(t, s.Sent()[0]), "|"); got != c.want {
			t.Errorf("%s\n got %q\nwant %q", name, got, c.want)
		}
	}
}

func TestWhatPeopleWriteIsNoMarkup(t *testing.T) {
	t.Parallel()
	s := telegramtest.New(t)
	a := adapter(t, s, (&inbox{}).ingest, nil)
	if _, err := a.Send(t.Context(), channels.Outbound{Thread: "77", Author: "staff", Name: "Li [x](https://evil.example)", Text: "see **this** [page](https://evil.example)",
		Citations: []channels.Citation{{Title: "A [b](https://evil.example) **c**", Version: 2, URL: "https://city.example/a/b"}}}); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(seen(t, s.Sent()[0]), "|")
	want := "👤 Li [x](https://evil.example)\nsee **this** [page](https://evil.example)\n\n📄 A [b](https://evil.example) **c** (v2)|text_link: A [b](https://evil.example) **c** → https://city.example/a/b"
	if got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// A long text is cut into messages, and an entity goes on behind the cut.
func TestALongTextKeepsItsEntities(t *testing.T) {
	t.Parallel()
	s := telegramtest.New(t)
	a := adapter(t, s, (&inbox{}).ingest, nil)
	if _, err := a.Send(t.Context(), channels.Outbound{Thread: "77", Author: "bot", Text: "Before. **" + strings.Repeat("很长 words ", 900) + "end** after"}); err != nil {
		t.Fatal(err)
	}
	bold := ""
	for _, m := range s.Sent() {
		for _, line := range seen(t, m)[1:] {
			bold += strings.TrimPrefix(line, "bold: ")
		}
	}
	if squash := strings.ReplaceAll(bold, " ", ""); squash != strings.Repeat("很长words", 900)+"end" || len(s.Sent()) < 2 {
		t.Errorf("%d messages, bold: %d characters", len(s.Sent()), len(bold))
	}
}

func FuzzMarkdown(f *testing.F) {
	for _, s := range []string{"**a** [b](https://c.example) \n- d\n 1. e", "|a|b|\n|-|-|\n|c|", "```\nx", "&amp; \\* <b>", "😀**😀**"} {
		f.Add(s)
	}
	s := telegramtest.New(f)
	f.Fuzz(func(t *testing.T, md string) {
		a := adapter(t, s, (&inbox{}).ingest, nil)
		before := len(s.Sent())
		if _, err := a.Send(t.Context(), channels.Outbound{Thread: "77", Author: "bot", Text: strings.ToValidUTF8(md, "")}); err != nil {
			t.Skip("nothing to send in it: ", err)
		}
		for _, m := range s.Sent()[before:] {
			seen(t, m)
			if _, err := json.Marshal(m); err != nil {
				t.Fatal(err)
			}
		}
	})
}
