package channels

import (
	"testing"
	"unicode/utf8"
)

func TestPlainKeepsWordsAndAddresses(t *testing.T) {
	t.Parallel()
	for md, want := range map[string]string{
		"## What to bring\n\n**Passport** and a [form](https://city.example/f).": "What to bring\n\nPassport and a form (https://city.example/f).",
		"See [the article](/a/passport).":                                        "See the article (https://city.example/a/passport).",
		"[https://city.example](https://city.example)":                           "https://city.example",
		"[Call](tel:12345) or [a@b.example](mailto:a@b.example)":                 "Call (12345) or a@b.example",
		"a_b*c[d](e)`f`": "a_b*c[d](e)`f`",
		"1 < 2 & 3 > 2":  "1 < 2 & 3 > 2",
		"- one\n- two":   "- one\n- two",
		"| fee | days |\n| --- | ---: |\n| 5 | 3 |": "| fee | days |\n| 5 | 3 |",
		"```\n# not a heading\n```":                 "# not a heading",
		`5 \* 3 \_x\_`:                              "5 * 3 _x_",
		"停水了，怎么办？\r\n**请拨打** 12345":                 "停水了，怎么办？\n请拨打 12345",
		"#hashtag": "#hashtag",
	} {
		if got := Plain(md, "https://city.example/"); got != want {
			t.Errorf("Plain(%q)\n got %q\nwant %q", md, got, want)
		}
	}
}

func FuzzPlain(f *testing.F) {
	f.Add("# a\n[b](/c) **d** \\* ```\n|---|")
	f.Fuzz(func(t *testing.T, md string) {
		if utf8.ValidString(md) && !utf8.ValidString(Plain(md, "https://x.example")) {
			t.Fatalf("broke the text %q", md)
		}
	})
}
