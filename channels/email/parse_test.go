package email

import (
	"encoding/base64"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"

	"hotline/channels"
)

func gb(s string) string {
	out, err := simplifiedchinese.GB18030.NewEncoder().String(s)
	if err != nil {
		panic(err)
	}
	return out
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func crlf(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }

func TestMailsAreReadAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	big5, err := traditionalchinese.Big5.NewEncoder().String("路燈壞了")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ raw, subject, text string }{
		"GB18030 in base64": {"From: a@b.example\nSubject: =?gb18030?B?" + b64(gb("停水了")) + "?=\nContent-Type: text/plain; charset=gb18030\nContent-Transfer-Encoding: base64\n\n" + b64(gb("小区停水三天了，㐀䶮。")) + "\n",
			"停水了", "小区停水三天了，㐀䶮。"},
		"GBK called gb2312, quoted-printable": {"From: a@b.example\nSubject: x\nContent-Type: text/plain; charset=\"gb2312\"\nContent-Transfer-Encoding: quoted-printable\n\n=C2=B7=B5=C6=BB=B5=C1=\n=CB\n", "x", "路灯坏了"},
		"Big5":                                {"From: a@b.example\nContent-Type: text/plain; charset=big5\nContent-Transfer-Encoding: 8bit\n\n" + big5 + "\n", "", "路燈壞了"},
		"bytes that nobody explains":          {"From: a@b.example\nSubject: " + gb("路灯") + "\n\n" + gb("路灯坏了") + "\n", "路灯", "路灯坏了"},
		"a charset that is none":              {"From: a@b.example\nContent-Type: text/plain; charset=x-unheard-of\n\n" + gb("路灯坏了") + "\n", "", "路灯坏了"},
		"a character cut between two words": {"From: a@b.example\nSubject: =?UTF-8?B?" + b64("路灯\xe5\x9d") + "?=\n =?UTF-8?B?" + b64("\x8f了") + "?=\n\nx\n",
			"路灯坏了", "x"},
		"latin letters, quoted-printable": {"From: a@b.example\nSubject: =?iso-8859-1?Q?Stra=DFe?=\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nStra=DFe=\n gesperrt\n", "Straße", "Straße gesperrt"},
		"HTML only": {"From: a@b.example\nContent-Type: text/html; charset=utf-8\n\n<html><head><title>t</title><style>p{}</style></head><body><p>The <b>lamp</b> is&nbsp;broken.</p><script>x()</script><ul><li>dark</li><li>cold</li></ul>See <a href=\"https://p.example/1\">this</a><br>Ann</body></html>\n",
			"", "The lamp is broken.\n\n- dark\n- cold\n\nSee this (https://p.example/1)\nAnn"},
		"text beside HTML":          {"From: a@b.example\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nplain\n--b\nContent-Type: text/html\n\n<p>rich</p>\n--b--\n", "", "plain"},
		"an empty text beside HTML": {"From: a@b.example\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\n \n--b\nContent-Type: text/html\n\n<div>rich</div>\n--b--\n", "", "rich"},
		"text around a picture":     {"From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nabove\n--b\nContent-Type: image/jpeg; name=a.jpg\n\nxx\n--b\nContent-Type: text/plain\n\nbelow\n--b--\n", "", "above\n\nbelow"},
		"an end that never comes":   {"From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nhalf\n", "", "half"},
		"a signature":               {"From: a@b.example\n\nThe lamp is broken.\n\n-- \nAnn Example\nOak Street 12\n", "", "The lamp is broken."},
		"a telephone's own words":   {"From: a@b.example\n\n路灯坏了\n\n发自我的iPhone\n", "", "路灯坏了"},
		"quotes in a fresh mail":    {"From: a@b.example\n\n> The city wrote this to me.\n\nI do not agree.\n", "", "> The city wrote this to me.\n\nI do not agree."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := parse(crlf(c.raw))
			if err != nil || l.from.Address != "a@b.example" {
				t.Fatalf("%v, from %q", err, l.from.Address)
			}
			if l.subject != c.subject || l.text != c.text {
				t.Errorf("subject %q, want %q\n got %q\nwant %q", l.subject, c.subject, l.text, c.text)
			}
		})
	}
}

func TestQuotesAreCutFromAnswers(t *testing.T) {
	t.Parallel()
	const ours = "> Where is the lamp?\n> \n> -- \n> You can answer this e-mail.\n"
	for name, c := range map[string]struct{ body, want string }{
		"Gmail":             {"At the corner.\n\nOn Tue, 24 Nov 2026 at 10:00, Lanting Hotline <hotline@lanting.example> wrote:\n\n" + ours, "At the corner."},
		"Gmail, two lines":  {"At the corner.\n\nOn Tue, 24 Nov 2026 at 10:00, Lanting Hotline <hotline@lanting.example>\nwrote:\n\n" + ours, "At the corner."},
		"Gmail, Chinese":    {"在街角。\n\nLanting Hotline <hotline@lanting.example> 于2026年11月24日周二 10:00写道：\n\n" + ours, "在街角。"},
		"QQ":                {"在街角。\n\n\n------------------ 原始邮件 ------------------\n发件人: \"Lanting Hotline\"<hotline@lanting.example>;\n发送时间: 2026年11月24日(星期二) 上午10:00\n主题: Re: 路灯\n\n路灯在哪里？\n", "在街角。"},
		"NetEase":           {"在街角。\n\n---- 回复的原邮件 ----\n| 发件人 | Lanting Hotline |\n", "在街角。"},
		"Outlook":           {"At the corner.\n\n________________________________\nFrom: Lanting Hotline <hotline@lanting.example>\nSent: Tuesday, 24 November 2026 10:00\nTo: Ann\nSubject: Re: lamp\n\nWhere is the lamp?\n", "At the corner."},
		"Outlook, German":   {"An der Ecke.\n\nVon: Lanting Hotline <hotline@lanting.example>\nGesendet: Dienstag, 24. November 2026 10:00\nAn: Ann\n\nWo?\n", "An der Ecke."},
		"an unknown tongue": {"Kulmalla.\n\nti 24. marrask. 2026 klo 10.00 Lanting Hotline kirjoitti:\n" + ours, "Kulmalla."},
		"bare quotes":       {"At the corner.\n\n" + ours, "At the corner."},
		"answered between":  {"On Tue, Lanting Hotline wrote:\n> Where is the lamp?\nAt the corner.\n> Since when?\nMonday.\n", "On Tue, Lanting Hotline wrote:\n> Where is the lamp?\nAt the corner.\n> Since when?\nMonday."},
		"answered below":    {ours + "\nAt the corner.\n", strings.TrimSpace(ours) + "\n\nAt the corner."},
		"nothing but quote": {ours, strings.TrimSpace(ours)},
		"no quote":          {"From: the corner to the park it is dark.\nIt was fine before.\n", "From: the corner to the park it is dark.\nIt was fine before."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := parse(crlf("From: a@b.example\nReferences: <x@y.example>\nContent-Type: text/plain; charset=utf-8\n\n" + c.body))
			if err != nil {
				t.Fatal(err)
			}
			if l.text != c.want {
				t.Errorf("\n got %q\nwant %q", l.text, c.want)
			}
		})
	}
	l, err := parse(crlf("From: a@b.example\nReferences: <x@y.example>\nContent-Type: text/html\n\n<div>At the corner.</div><div class=\"gmail_quote\"><div>On Tue wrote:</div><blockquote>Where?</blockquote></div>\n"))
	if err != nil || l.text != "At the corner." {
		t.Errorf("%q, %v", l.text, err)
	}
}

func TestMailsWithoutTheUsualHeaders(t *testing.T) {
	t.Parallel()
	raw := crlf("From: a@b.example\n\nhello\n")
	one, err := parse(raw)
	if err != nil || !strings.HasPrefix(one.id, "sha256:") {
		t.Fatalf("%q, %v", one.id, err)
	}
	if again, _ := parse(raw); again.id != one.id {
		t.Error("the same mail has another id the second time")
	}
	if l, _ := parse(crlf("From: a@b.example\nMessage-ID: <" + strings.Repeat("x", 300) + "@y>\n\nhello\n")); len(l.id) > channels.MaxName {
		t.Error("an id that cannot be kept was kept")
	}
	if l, err := parse(crlf("From: a@b.example\nReply-To: Other <Other@c.example>\nReferences: not-an-id <ok@x.example>, <\n\nhello\n")); err != nil || l.from.Address != "other@c.example" || len(l.refs) != 1 || l.refs[0] != "ok@x.example" {
		t.Errorf("%+v, %v", l, err)
	}
	for _, bad := range []string{"Subject: x\n\nhello\n", "From: undisclosed\n\nhello\n", "From: " + strings.Repeat("a", 300) + "@b.example\n\nhello\n"} {
		if _, err := parse(crlf(bad)); err == nil {
			t.Errorf("%.40q can be answered?", bad)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("From: a@b.example\r\nSubject: =?gb2312?B?w?=\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nAction: failed\r\n--b--"))
	f.Add(crlf("From: a@b.example\nReferences: <x@y>\nContent-Type: text/html\n\n<p>At <a href=http://x>y</a>\n> q\nOn 3 wrote:\n> z"))
	f.Add(crlf("From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Disposition: attachment; filename*=GB2312''%C2\nContent-Transfer-Encoding: base64\n\n!!\n--b--"))
	a := &Adapter{o: Options{Words: func(_, key string, _ ...any) string { return key }}}
	a.from.Address = "hotline@lanting.example"
	f.Fuzz(func(t *testing.T, raw []byte) {
		l, err := parse(raw)
		a.kindOf(l)
		a.reportOf(l, raw)
		if err != nil {
			return
		}
		in := a.inbound(l)
		for _, s := range []string{in.Text, in.Title, in.Thread, in.ExternalID, in.Contact.Name} {
			if !utf8.ValidString(s) {
				t.Fatalf("not storable: %q", s)
			}
		}
		if err := in.Clean(); err == nil && channels.Addressee(in.Thread) != l.from.Address {
			t.Fatalf("%q cannot be answered at %q", in.Thread, l.from.Address)
		}
	})
}
