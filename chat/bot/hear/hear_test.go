package hear_test

import (
	"maps"
	"testing"

	"hotline/chat/bot/hear"
	"hotline/internal/decision"
)

const (
	alone   = "Do you live alone?"
	aloneZh = "您一个人住吗？"
	home    = "Do you own a home in the city?"
	homeZh  = "您在本市有没有房产？"
)

func TestYesAndNoInPeoplesWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		question, text string
		want           hear.Verdict
	}{
		{alone, "yes", hear.Yes}, {alone, "Yes!", hear.Yes}, {alone, "yep, since 2019", hear.Yes}, {alone, "I do", hear.Yes}, {alone, "of course", hear.Yes},
		{alone, "I live alone", hear.Yes}, {alone, "I'm living alone since my wife died", hear.Yes}, {alone, "mostly", hear.Yes}, {alone, "no doubt", hear.Yes},
		{alone, "no", hear.No}, {alone, "nope", hear.No}, {alone, "not really", hear.No}, {alone, "No, with my daughter", hear.No}, {alone, "I don't", hear.No},
		{alone, "I don't live alone", hear.No}, {alone, "of course not", hear.No}, {alone, "I'm not living alone", hear.No}, {alone, "I don't think so", hear.No},
		{alone, "unfortunately not", hear.No}, {alone, "not any more", hear.No}, {alone, "never", hear.No},
		{alone, "I don't know", hear.Unsure}, {alone, "not sure", hear.Unsure}, {alone, "it depends", hear.Unsure}, {alone, "no idea", hear.Unsure},
		{alone, "what does it cost?", hear.Unheard}, {alone, "I am 70", hear.Unheard}, {alone, "", hear.Unheard}, {alone, "with my daughter", hear.Unheard},
		{home, "I have a car", hear.Unheard}, {home, "yes and a car", hear.Yes}, {home, "I have one", hear.Unheard}, {home, "I own a home in the city", hear.Yes},
		{aloneZh, "是", hear.Yes}, {aloneZh, "是的", hear.Yes}, {aloneZh, "对", hear.Yes}, {aloneZh, "没错", hear.Yes}, {aloneZh, "我一个人住", hear.Yes}, {aloneZh, "嗯", hear.Yes},
		{aloneZh, "不是", hear.No}, {aloneZh, "不", hear.No}, {aloneZh, "我不是一个人住", hear.No}, {aloneZh, "不是，跟女儿住", hear.No},
		{aloneZh, "不知道", hear.Unsure}, {aloneZh, "不太清楚", hear.Unsure}, {aloneZh, "跟女儿住", hear.Unheard}, {aloneZh, "不好意思", hear.Unheard},
		{homeZh, "有", hear.Yes}, {homeZh, "没有", hear.No}, {homeZh, "没", hear.No}, {homeZh, "有一套房产", hear.Yes}, {homeZh, "没房", hear.No}, {homeZh, "有点远", hear.Unheard},
		{"您缴失业保险满一年了吗？", "缴满一年了", hear.Yes}, {"您缴失业保险满一年了吗？", "没缴满一年", hear.No}, {"您缴失业保险满一年了吗？", "什么是失业保险", hear.Unheard},
		{homeZh, "还没有", hear.No}, {homeZh, "有的", hear.Yes},
		// another number of the same thing
		{aloneZh, "两个人住", hear.No}, {aloneZh, "我们两个人", hear.No}, {aloneZh, "和老伴2个人住", hear.No}, {"您是一个人居住吗？", "两个人居住", hear.No},
		{aloneZh, "就我一个人", hear.Yes}, {aloneZh, "一个人住，女儿两个月来一次", hear.Yes},
		{alone, "two people", hear.No}, {alone, "there are two people living here", hear.No}, {alone, "just one person lives here", hear.Unheard},
		{"您有一套房吗？", "有两套", hear.Unheard}, {"您有一套房吗？", "有一套", hear.Yes}, {"您有两个孩子吗？", "一个孩子", hear.No}, {"您有两个孩子吗？", "三个孩子", hear.Unheard},
		{"您有两个孩子吗？", "有两个孩子", hear.Yes}, {"Do you have two children?", "yes, three children", hear.Unheard}, {"Do you have two children?", "one child", hear.No},
		{"Do you have two children?", "I have two children", hear.Yes}, {"Do you own one flat?", "I own one", hear.Unheard},
	} {
		if got := hear.YesNo(c.question, c.text); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.question, c.text, got, c.want)
		}
	}
}

func form(t *testing.T, source string) *decision.Form {
	t.Helper()
	f, problems := decision.Parse(source)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return f
}

const english = `question age: How old are you?
  number: 0 to 120 years
  65 or more -> alone
  under 65 -> b
question alone: Do you live alone?
  yes (by myself, on my own) -> children
  no (with my husband, with my wife, with my family) -> b
  not sure -> b
question children: How many children do you have?
  number: 0 to 20 children
  otherwise -> income
question income: What is your income each month?
  words: earn, pension
  number: 0 to 1,000,000 yuan, decimals
  up to 2,000 -> card
  over 2,000 -> b
question card: Which card do you have?
  Senior card (silver card) -> a
  Social security card -> a
  None of these -> b
outcome a: A
outcome b: B
`

const chinese = `问题 age：您多大年纪？
  数字：0到120岁
  65岁以上 → alone
  不满65岁 → b
问题 alone：您一个人住吗？
  是（独居，自己住） → children
  否（和家人住，跟女儿住） → b
  不知道 → b
问题 children：您有几个孩子？
  数字：0到20个
  其他 → income
问题 income：您每月收入多少元？
  说法：工资，退休金
  数字：0到1000000元，小数
  2000元以下 → card
  超过2000元 → b
问题 card：您有哪种卡？
  敬老卡（老年卡） → a
  社保卡 → a
  都没有 → b
结果 a：可以
结果 b：不行
`

// What is counted is compared, whatever the verb: the question says paid in, the citizen paid.
func TestNumbersInAnotherUnitThanAsked(t *testing.T) {
	t.Parallel()
	months := &decision.Question{Kind: decision.Number, Text: "How long have you worked there?", Unit: "months", Max: 600}
	for text, want := range map[string]string{"since two years": "24", "a year and a half": "", "18 months": "18", "three weeks": "0", "7": "7", "for 2 years now": "24"} {
		if got, _ := hear.Answer(months, text); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	个月 := &decision.Question{Kind: decision.Number, Text: "您在这里工作多久了？", Unit: "个月", Max: 600}
	for text, want := range map[string]string{"两年": "24", "一年半": "18", "干了八个月": "8"} {
		if got, _ := hear.Answer(个月, text); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestAgesOfOthers(t *testing.T) {
	t.Parallel()
	zh := form(t, chinese)
	for text, want := range map[string]string{"邻居大妈71能办吗": "71", "我奶奶80也可以吗": "80", "他64了": "64", "我家住3栋能办吗": "", "我们小区5号楼能报修吗": "", "我要2能吗": "", "我家在这里，3能办吗": ""} {
		if got := hear.Facts(zh, text)["age"]; got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestAnswersThatTellANumberToAQuestionThatCompares(t *testing.T) {
	t.Parallel()
	const paid, 缴满 = "Have you paid unemployment insurance for at least one year?", "您缴失业保险满一年了吗？"
	for _, c := range []struct {
		question, text string
		want           hear.Verdict
	}{
		{paid, "I paid for two and a half years", hear.Yes}, {paid, "two years", hear.Yes}, {paid, "12 months", hear.Yes}, {paid, "for 18 months", hear.Yes},
		{paid, "I paid unemployment insurance for 11 months", hear.No}, {paid, "half a year", hear.No}, {paid, "3 times", hear.Unheard}, {paid, "first 3 months, then 2 years", hear.Unheard},
		{paid, "exactly one year", hear.Yes}, {paid, "no, 3 years ago I stopped", hear.No}, {paid, "yes, I registered last week", hear.Unheard}, {paid, "I registered last month", hear.No}, {paid, "yes, since last year", hear.Yes}, {paid, "yes, 2 years", hear.Yes}, {paid, "from 2019 until today", hear.Unheard}, {paid, "I still pay today", hear.Unheard}, {paid, "since last year, today too", hear.Unheard}, {paid, "I registered today", hear.No}, {paid, "they fired me", hear.Unheard},
		{缴满, "交了两年", hear.Yes}, {缴满, "才交半年", hear.No}, {缴满, "八个月", hear.No}, {缴满, "两年半", hear.Yes}, {缴满, "三十岁", hear.Unheard}, {缴满, "上周才交的", hear.No}, {缴满, "交到上个月", hear.Unheard}, {缴满, "交到今天", hear.Unheard}, {缴满, "是的，上个月交的", hear.Unheard},
		{"Do you earn more than 3,000 yuan a month?", "I get 2,800 yuan", hear.No}, {"Do you earn more than 3,000 yuan a month?", "3000 yuan", hear.No}, {"Do you earn more than 3,000 yuan a month?", "I earn no more than 3,000 yuan", hear.No}, {"您家月收入至少3000元吗？", "我家不低于3000", hear.Yes},
		{"您家月收入不超过3000元吗？", "三千块", hear.Yes}, {"您家月收入不超过3000元吗？", "一万二千元", hear.No}, {"Are you 65 or older?", "67", hear.Yes}, {"Do you earn more than 15,000 yuan a month?", "18k", hear.Yes}, {"Do you earn more than 15,000 yuan a month?", "less than 15000 sorry", hear.No},
		{"Do you earn more than 15,000 yuan a month?", "over 15,000", hear.Yes}, {"您家月收入超过3000元吗？", "不到3000", hear.No}, {"Are you under 18?", "I am 19", hear.No},
		{"Did you move here less than six months ago?", "three weeks", hear.Yes}, {"Do you live alone?", "for 3 years", hear.Unheard},
	} {
		if got := hear.YesNo(c.question, c.text); got != c.want {
			t.Errorf("%s — %s: %q, want %q", c.question, c.text, got, c.want)
		}
	}
}

func TestAnswersToTheQuestionAsked(t *testing.T) {
	t.Parallel()
	en, zh := form(t, english), form(t, chinese)
	for _, c := range []struct {
		form     *decision.Form
		id, text string
		want     string // "" is not understood
	}{
		{en, "age", "67", "67"}, {en, "age", "I'm 67", "67"}, {en, "age", "sixty-seven", "67"}, {en, "age", "sixty seven years", "67"}, {en, "age", "67 years old, and retired for 5 years", "67"},
		{en, "age", "67.5", "67"}, {en, "age", "almost 65", ""}, {en, "age", "60 or 65", ""}, {en, "age", "old enough", ""}, {en, "age", "670", ""},
		{en, "children", "no, 3 children", "3"}, {en, "children", "none", "0"}, {en, "children", "no", "0"}, {en, "children", "two", "2"}, {en, "children", "one", "1"}, {en, "children", "a boy and a girl", ""},
		{en, "income", "2,000", "2000"}, {en, "income", "about 2k", "2000"}, {en, "income", "one thousand five hundred yuan", "1500"}, {en, "income", "1999.50 yuan", "1999.5"},
		{en, "alone", "not really", "no"}, {en, "alone", "on my own", "yes"}, {en, "alone", "not on my own", "no"}, {en, "alone", "with my husband", "no"}, {en, "alone", "I don't know", "unsure"},
		{en, "card", "Senior card", "1"}, {en, "card", "the silver card", "1"}, {en, "card", "social security", "2"}, {en, "card", "the second one", "2"}, {en, "card", "none", "3"}, {en, "card", "2", "2"},
		{en, "card", "a card", ""}, {en, "card", "I don't know", ""}, {en, "card", "not the senior card", ""},
		{zh, "age", "六十七岁", "67"}, {zh, "age", "67", "67"}, {zh, "age", "６７岁", "67"}, {zh, "age", "快65了", ""}, {zh, "age", "一百零二岁", "102"},
		{zh, "children", "没有", "0"}, {zh, "children", "两个", "2"}, {zh, "children", "不，三个", "3"}, {zh, "children", "一个", "1"},
		{zh, "income", "一千五", "1500"}, {zh, "income", "超过3800", "3800.01"}, {en, "income", "over 2,000", "2000.01"}, {en, "children", "less than 3", "2"}, {en, "age", "over 65", "66"}, {zh, "income", "三千多", "3000"}, {zh, "income", "1.5万元", "15000"}, {zh, "income", "两千元", "2000"}, {zh, "income", "一万二", "12000"},
		{zh, "alone", "还没装修 独居", ""}, {en, "alone", "no, by myself on my own", ""}, {zh, "alone", "独居", "yes"}, {zh, "alone", "没有独居", "no"}, {zh, "alone", "跟女儿住", "no"}, {zh, "alone", "不清楚", "unsure"},
		{zh, "card", "老年卡", "1"}, {zh, "card", "社保卡", "2"}, {zh, "card", "第二个", "2"}, {zh, "card", "都没有", "3"}, {zh, "card", "没有", "3"},
	} {
		got, ok := hear.Answer(c.form.Question(c.id), c.text)
		if ok != (c.want != "") || got != c.want {
			t.Errorf("%s %q: %q %v, want %q", c.id, c.text, got, ok, c.want)
		}
	}
}

func TestWhatIsToldUnasked(t *testing.T) {
	t.Parallel()
	en, zh := form(t, english), form(t, chinese)
	for _, c := range []struct {
		form *decision.Form
		text string
		want decision.Answers
	}{
		{en, "I am 67 and live alone", decision.Answers{"age": "67", "alone": "yes"}},
		{en, "My dad is 66, does he ride the bus free?", decision.Answers{"age": "66"}},
		{en, "I'm a 70 years old widow living on my own with 3 children", decision.Answers{"age": "70", "alone": "yes", "children": "3"}},
		{en, "I am 66, my pension is 1800 yuan and I have a senior card", decision.Answers{"age": "66", "income": "1800", "card": "1"}},
		{en, "I have lived here for 5 years and pay 300 yuan rent a month", decision.Answers{}},
		{en, "Do I have to live alone?", decision.Answers{}},
		{en, "Can I get the allowance?", decision.Answers{}},
		{en, "I don't live alone", decision.Answers{"alone": "no"}},
		{en, "call me at 555-2100", decision.Answers{}},
		{en, "I am 3 months late", decision.Answers{}},
		{zh, "我爸66了，坐公交免费吗？", decision.Answers{"age": "66"}},
		{zh, "我67岁，独居", decision.Answers{"age": "67", "alone": "yes"}},
		{zh, "我今年六十六岁，一个人住，退休金1800元", decision.Answers{"age": "66", "alone": "yes", "income": "1800"}},
		{zh, "我有三个孩子，和家人住", decision.Answers{"children": "3", "alone": "no"}},
		{zh, "我67岁，和老伴两个人住", decision.Answers{"age": "67", "alone": "no"}},
		{zh, "我没有敬老卡", decision.Answers{}},
		{zh, "是不是要一个人住？", decision.Answers{}},
		{zh, "请问怎么申请补贴", decision.Answers{}},
	} {
		if got := hear.Facts(c.form, c.text); !maps.Equal(got, c.want) {
			t.Errorf("%q: %v, want %v", c.text, got, c.want)
		}
	}
}

func FuzzHear(f *testing.F) {
	for _, s := range []string{"I am 67 and live alone", "六十七岁，一万万万", "no, 3 children", "\xff", "一百千万", "2k k million", "one hundred and and", "不"} {
		f.Add(s)
	}
	en, problems := decision.Parse(english)
	if len(problems) > 0 {
		f.Fatal(problems)
	}
	f.Fuzz(func(t *testing.T, text string) {
		hear.YesNo(text, text)
		for i := range en.Questions {
			q := &en.Questions[i]
			if v, ok := hear.Answer(q, text); ok {
				if again, fine := q.Accept(v); !fine || again != v {
					t.Fatalf("%q gives %q, which the question does not take", text, v)
				}
			}
		}
		for id, v := range hear.Facts(en, text) {
			if _, ok := en.Question(id).Accept(v); !ok {
				t.Fatalf("%q gives %s=%q", text, id, v)
			}
		}
	})
}
