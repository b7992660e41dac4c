package ground_test

import (
	"slices"
	"strings"
	"testing"

	"hotline/knowledge/ground"
)

var passport = ground.Source{Title: "Renew a passport", Text: `You can renew your passport at any district office or online at https://passport.lanting.example/renew.
The fee is 42 euros for adults. Children under 12 pay nothing.
It takes 15 working days. Bring your old passport and 2 photographs.
You do not need an appointment. Office hours are 9:00 to 17:30, Monday to Friday.
Call 0571-8765 4321 for questions. Ms Ortega of the Passport Agency answers appeals within 30 days.
An application must not be filed by another person unless it is for a child. The first passport of a child is free of charge.`}

var subsidy = ground.Source{Title: "困难家庭取暖补贴", Text: `本市户籍的低保家庭可以申请取暖补贴，每户每年1200元。
申请应当在每年11月15日之前向街道办事处提出，三个工作日内答复。
申请人须携带身份证和低保证。非本市户籍的家庭不能申请。
补贴由区财政局发放，不收取任何费用。咨询电话：12345或0571-87654321。
依据《兰亭市取暖补贴办法》第八条。`}

func TestCheck(t *testing.T) {
	t.Parallel()
	text := ground.Read([]ground.Source{passport, subsidy})
	for name, c := range map[string]struct{ sentence, why string }{
		// supported, in the source's words and in others
		"as written":         {"The fee is 42 euros for adults [1].", ""},
		"in other words":     {"Adults pay a fee of €42 [1].", ""},
		"two facts":          {"It takes 15 working days, and you need to bring your old passport and two photographs [1].", ""},
		"negation kept":      {"No appointment is needed [1].", ""},
		"contraction":        {"You don't need an appointment [1].", ""},
		"time of day":        {"Offices are open from 9am to 5:30 pm, Monday to Friday [1].", ""},
		"link of the source": {"You can renew it online at https://passport.lanting.example/renew [1].", ""},
		"link as Markdown":   {"You can [renew it online](https://passport.lanting.example/renew) [1].", ""},
		"telephone":          {"For questions call 0571 8765-4321 [1].", ""},
		"name":               {"Ms Ortega of the Passport Agency answers appeals within 30 days [1].", ""},
		"zh as written":      {"本市户籍的低保家庭可以申请取暖补贴，每户每年1200元[2]。", ""},
		"zh in other words":  {"低保家庭每户每年可获1,200元取暖补贴[2]。", ""},
		"zh numerals":        {"街道办事处会在3个工作日内答复申请[2]。", ""},
		"zh date":            {"请在11月15日之前向街道办事处提出申请[2]。", ""},
		"zh negation kept":   {"非本市户籍的家庭不能申请[2]。", ""},
		"zh wide marks":      {"申请人须携带身份证和低保证【2】。", ""},
		"zh statute":         {"依据是《兰亭市取暖补贴办法》第八条[2]。", ""},
		"zh for everybody":   {"所有人都可以申请取暖补贴，每户每年1200元[2]。", ground.Turned},
		"for everybody":      {"The first passport is free of charge for everyone [1].", ground.Turned},
		// no or wrong mark
		"no mark":      {"The fee is 42 euros for adults.", ground.Uncited},
		"invented":     {"The fee is 42 euros for adults [9].", ground.NoSource},
		"zero":         {"The fee is 42 euros for adults [0].", ground.NoSource},
		"wrong source": {"The fee is 42 euros for adults [2].", ground.OtherWords},
		"only a mark":  {"[1]", ground.NoText},
		// facts
		"other amount":        {"The fee is 24 euros for adults [1].", ground.OtherFact},
		"other currency":      {"The fee is 42 dollars for adults [1].", ground.OtherFact},
		"other unit":          {"It takes 15 months [1].", ground.OtherWords},
		"calendar days":       {"Renewal takes 15 days; bring your old passport [1].", ground.OtherFact},
		"figures swapped":     {"Bring your old passport and 15 photographs [1].", ground.OtherFact},
		"word for a figure":   {"Bring your old passport and three photographs [1].", ground.OtherFact},
		"other hours":         {"Office hours are 8:00 to 17:30, Monday to Friday [1].", ground.OtherFact},
		"other day":           {"Office hours are 9:00 to 17:30, Monday to Saturday [1].", ground.OtherFact},
		"other telephone":     {"Call 0571-8765 4322 for questions [1].", ground.OtherFact},
		"other link":          {"Renew your passport online at https://passport.lanting.example.evil.test/renew [1].", ground.OtherLink},
		"bare domain":         {"Renew your passport online at passport-lanting.com [1].", ground.OtherLink},
		"other address":       {"Write to passport@evil.test for questions [1].", ground.OtherLink},
		"other name":          {"Ms Gomez of the Passport Agency answers appeals within 30 days [1].", ground.OtherName},
		"other agency":        {"The Ministry of the Passport Agency answers appeals within 30 days [1].", ground.OtherName},
		"zh other amount":     {"本市户籍的低保家庭可以申请取暖补贴，每户每年2100元[2]。", ground.OtherFact},
		"zh ten thousand":     {"本市户籍的低保家庭可以申请取暖补贴，每户每年1200万元[2]。", ground.OtherFact},
		"zh other date":       {"申请应当在每年11月25日之前向街道办事处提出[2]。", ground.OtherFact},
		"zh other unit":       {"申请应当向街道办事处提出，三个月内答复[2]。", ground.OtherFact},
		"zh other numeral":    {"申请应当向街道办事处提出，五个工作日内答复[2]。", ground.OtherFact},
		"zh other statute":    {"依据《兰亭市取暖补贴条例》第八条[2]。", ground.OtherName},
		"zh other article no": {"依据《兰亭市取暖补贴办法》第九条[2]。", ground.OtherFact},
		"zh other telephone":  {"咨询电话：0571-87654329[2]。", ground.OtherFact},
		// sense
		"negation added":    {"You can not renew your passport at any district office or online [1].", ground.Turned},
		"negation lost":     {"You do need an appointment [1].", ground.Turned},
		"must turned":       {"An application must be filed by another person [1].", ground.Turned},
		"free turned":       {"The first passport of a child costs a charge [1].", ground.Turned},
		"zh negation added": {"本市户籍的低保家庭不可以申请取暖补贴[2]。", ground.Turned},
		"zh negation lost":  {"非本市户籍的家庭可以申请[2]。", ground.Turned},
		"zh after":          {"申请应当在每年11月15日之后向街道办事处提出[2]。", ground.Turned},
		"zh charged":        {"补贴由区财政局发放，收取费用[2]。", ground.Turned},
		// other words, tricks
		"from nowhere":      {"Your neighbour's passport was stolen last week [1].", ground.OtherWords},
		"advice":            {"Pay the clerk in cash to be served sooner [1].", ground.OtherWords},
		"prompt":            {"I am an assistant and my instructions are to answer only from the sources [1].", ground.OtherWords},
		"zh prompt":         {"我的系统提示词是：你是热线助手，只能依据资料回答[2]。", ground.OtherWords},
		"hidden letters":    {"The fee is 42\u200b euros for adults [1].", ground.Hidden},
		"reordered":         {"The fee is \u202e42 euros for adults [1].", ground.Hidden},
		"markup":            {"The fee is 42 euros <img src=x> for adults [1].", ground.Markup},
		"picture":           {"![fee](https://passport.lanting.example/renew) The fee is 42 euros for adults [1].", ground.Markup},
		"half from nowhere": {"The fee is 42 euros for adults, and bribes of clerks speed everything up considerably for tourists [1].", ground.OtherWords},
	} {
		v := text.Check(c.sentence)
		if v.Why != c.why || v.Supported != (c.why == "") {
			// A lie may be caught by another check than the one it was made for; what matters is that it is caught.
			if c.why != "" && !v.Supported && c.why != ground.Uncited && c.why != ground.NoSource {
				t.Logf("%s: withheld as %q instead of %q", name, v.Why, c.why)
				continue
			}
			t.Errorf("%s: %q: got %q (share %.2f), want %q", name, c.sentence, v.Why, v.Share, c.why)
		}
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"One. Two! Three?": {"One.", "Two!", "Three?"},
		"It costs 4.50 euros. [1] Bring it to St. Mary's, no. 5. [2]": {"It costs 4.50 euros. [1]", "Bring it to St. Mary's, no. 5. [2]"},
		"See https://x.example/a?b=c.d for more. Then go [1][2].":     {"See https://x.example/a?b=c.d for more.", "Then go [1][2]."},
		"- First thing [1]\n- Second thing [2]\n\n3. Third [1]":       {"First thing [1]", "Second thing [2]", "Third [1]"},
		"请带身份证。[1]三个工作日内答复！【2】好吗？":                                    {"请带身份证。[1]", "三个工作日内答复！【2】", "好吗？"},
		"（一）申请人须到场[1]。\n二、费用为零[1，2]。":                                 {"（一）申请人须到场[1]。", "二、费用为零[1，2]。"},
		"He said \"no.\" Then he left, e.g. home.":                    {"He said \"no.\"", "Then he left, e.g. home."},
		"no end": {"no end"},
		" \n ":   nil,
	} {
		if got := ground.Split(text); !slices.Equal(got, want) {
			t.Errorf("%q\n got %q\nwant %q", text, got, want)
		}
		// In pieces it is the same, and nothing is told before its marks are known.
		for size := 1; size < 6; size++ {
			var s ground.Splitter
			var got []string
			runes := []rune(text)
			for at := 0; at < len(runes); at += size {
				got = append(got, s.Push(string(runes[at:min(at+size, len(runes))]))...)
			}
			if got = append(got, s.Flush()...); !slices.Equal(got, want) {
				t.Errorf("%q in pieces of %d\n got %q\nwant %q", text, size, got, want)
			}
		}
	}
}

func TestMarks(t *testing.T) {
	t.Parallel()
	text, marks := ground.Marks("It takes 5 days [2, 3] and costs nothing【1】 [3].")
	if text != "It takes 5 days and costs nothing." || !slices.Equal(marks, []int{2, 3, 1}) {
		t.Errorf("%q %v", text, marks)
	}
}

// FuzzCheck: nothing makes it stumble, and what has a link that the source has not never passes.
func FuzzCheck(f *testing.F) {
	f.Add("The fee is 42 euros [1].", "Fees are 42 euros.")
	f.Add("三十分之一", "二〇二六年")
	f.Add("\xff[1]", "[x](http://a)")
	f.Fuzz(func(t *testing.T, sentence, source string) {
		text := ground.Read([]ground.Source{{Title: "t", Text: source}})
		text.Check(sentence)
		if v := text.Check(sentence + " https://evil-link.example/x [1]"); v.Supported && !strings.Contains(strings.ToLower(source), "evil-link") {
			t.Fatalf("%q passes", sentence)
		}
	})
}
