package bottest

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"hotline/chat/bot"
	"hotline/internal/decision"
	"hotline/internal/hanzi"
)

// Article is one entry of the fake knowledge base. Words are what a question must contain; more of them wins.
type Article struct {
	ID, Lang, Title, Text string
	Version               int
	Words                 []string
}

// Knowledge is a fake that counts words.
type Knowledge struct {
	Articles []Article
	Down     bool
}

var errDown = errors.New("the index is away")

// Answer implements bot.Knowledge: a tie between the best two is a choice.
func (k Knowledge) Answer(_ context.Context, text, lang string) (bot.Answer, error) {
	if k.Down {
		return bot.Answer{}, errDown
	}
	text = hanzi.Simplify(strings.ToLower(text)) // as the real one does
	best, ties := 0, []Article(nil)
	for _, a := range k.Articles {
		if a.Lang != lang {
			continue
		}
		n := 0
		for _, w := range a.Words {
			if strings.Contains(text, w) {
				n++
			}
		}
		switch {
		case n == 0 || n < best:
		case n > best:
			best, ties = n, []Article{a}
		default:
			ties = append(ties, a)
		}
	}
	switch len(ties) {
	case 0:
		return bot.Answer{Outcome: bot.OutcomeNone}, nil
	case 1:
		return ties[0].answer(), nil
	}
	out := bot.Answer{Outcome: bot.OutcomeChoices}
	for _, a := range ties {
		out.Citations = append(out.Citations, a.cite())
	}
	return out, nil
}

// ByID implements bot.Knowledge.
func (k Knowledge) ByID(_ context.Context, id, lang string) (bot.Answer, error) {
	if k.Down {
		return bot.Answer{}, errDown
	}
	for _, a := range k.Articles {
		if a.ID == id && a.Lang == lang {
			return a.answer(), nil
		}
	}
	return bot.Answer{}, bot.ErrNotFound
}

// Sections implements bot.Knowledge.
func (k Knowledge) Sections(_ context.Context, id, lang string) ([]bot.Section, error) {
	if k.Down {
		return nil, errDown
	}
	return sections[id+" "+lang], nil
}

// Beside implements bot.Knowledge: the section of which the question has the heading.
func (k Knowledge) Beside(_ context.Context, id, lang, question string) (bot.Section, error) {
	if k.Down {
		return bot.Section{}, errDown
	}
	for _, s := range sections[id+" "+lang] {
		if strings.Contains(strings.ToLower(question), strings.ToLower(s.Heading)) {
			return s, nil
		}
	}
	return bot.Section{}, nil
}

func (a Article) cite() bot.Citation {
	return bot.Citation{ArticleID: a.ID, Version: a.Version, Title: a.Title, URL: "/a/" + a.ID}
}

func (a Article) answer() bot.Answer {
	return bot.Answer{Outcome: bot.OutcomeAnswer, Text: a.Text, Citations: []bot.Citation{a.cite()}, Form: forms[a.ID+" "+a.Lang]}
}

// Tickets is a fake that knows a few codes.
type Tickets map[string]bot.Status

// Status implements bot.Tickets. The code of twenty nines is one try too many.
func (f Tickets) Status(_ context.Context, code, _ string) (bot.Status, error) {
	if code == strings.Repeat("9", 20) {
		return bot.Status{}, bot.ErrTooMany
	}
	s, ok := f[code]
	if !ok {
		return bot.Status{}, bot.ErrNotFound
	}
	return s, nil
}

// Classifier is a scripted one: the first word found gives the category.
type Classifier [][2]string

// Predict implements bot.Classifier.
func (c Classifier) Predict(text string) []bot.Guess {
	for _, pair := range c {
		if strings.Contains(hanzi.Simplify(strings.ToLower(text)), pair[0]) {
			return []bot.Guess{{Label: pair[1], Score: 0.9}}
		}
	}
	return []bot.Guess{{Label: "other", Score: 0.1}}
}

// needed are the details that heating and dogs want, in both languages; nothing else wants any.
func needed(category, lang string) []bot.Field {
	name := func(en, zh string) string {
		if lang == "zh-CN" {
			return zh
		}
		return en
	}
	judge := func(ok func(string) bool) func(string) (string, error) {
		return func(s string) (string, error) {
			if s = strings.TrimSpace(s); !ok(s) {
				return "", errAnswer
			}
			return s, nil
		}
	}
	one := func(of ...string) func(string) (string, error) {
		return judge(func(s string) bool { return slices.Contains(of, s) })
	}
	number := judge(func(s string) bool { _, err := strconv.ParseFloat(s, 64); return err == nil })
	date := judge(func(s string) bool { _, err := time.Parse("2006-01-02", s); return err == nil })
	text := judge(func(s string) bool { return s != "" && len(s) < 200 })
	switch category {
	case "heating":
		return []bot.Field{
			{Code: "state", Label: name("What do the radiators do?", "暖气是什么情况？"), Type: bot.FieldChoice, Judge: one("cold", "lukewarm"),
				Options: []bot.Choice{{ID: "cold", Label: name("They are cold", "完全不热")}, {ID: "lukewarm", Label: name("They are lukewarm", "温度不够")}}},
			{Code: "degrees", Label: name("How many degrees is it in the room?", "室内多少度？"), Type: bot.FieldNumber, Judge: number},
			{Code: "since", Label: name("Since which day?", "从哪天开始的？"), Type: bot.FieldDate, Judge: date},
			{Code: "firm", Label: name("Who delivers the heat?", "供热单位是哪家？"), Type: bot.FieldText, Judge: text},
		}
	case "dogs":
		return []bot.Field{
			{Code: "bitten", Label: name("Has it bitten somebody?", "咬过人吗？"), Type: bot.FieldYesNo, Judge: one("yes", "no")},
			{Code: "tag", Label: name("Does it wear a tag? What is on it?", "狗牌上写的是什么？"), Type: bot.FieldText, Judge: text},
		}
	}
	return nil
}

var errAnswer = errors.New("no such answer")

// Scripted makes the policy that the golden dialogues were written for.
func Scripted(d *Dialogue) (*bot.Policy, error) {
	zone := time.FixedZone("CST", 8*3600)
	due := time.Date(2026, 3, 11, 18, 0, 0, 0, zone)
	return bot.New(bot.Options{
		Env: bot.Env{
			Now: func() time.Time { return d.Now }, Zone: zone, Duty: d.Duty,
			Numbers: map[bot.Service]string{bot.Fire: "119", bot.Gas: "119", bot.Water: "119", bot.Medical: "120", bot.Police: "110", bot.SelfHarm: "12356", "": "112"},
			Name:    map[string]string{"en": "the Lanting hotline", "zh-CN": "兰汀市民热线"},
			Phone:   "555-12345",
			Hours:   map[string]string{"en": "Staff answer from Monday to Saturday, 9:00 to 18:00.", "zh-CN": "人工服务：周一至周六9:00–18:00。"},
		},
		Knowledge: Knowledge{Articles: articles, Down: strings.Contains(d.Name, "knowledge-away")},
		Tickets: Tickets{
			"12345678901234567890": {TicketID: "T-1", Number: "2026-000017", Title: "Street light broken", State: "in_progress", Agency: "Lanting Utilities", Updated: time.Date(2026, 3, 3, 9, 0, 0, 0, zone), Due: &due},
			"11112222333344445555": {TicketID: "T-2", Number: "2026-000009", Title: "夜间施工噪音", State: "completed", Agency: "市生态环境局", Reply: "已责令施工单位22时后停工。", CanRate: true},
		},
		Fields:     needed,
		Classifier: Classifier{{"light", "street-lights"}, {"noise", "noise"}, {"pothole", "roads"}, {"rubbish", "waste"}, {"bench", "parks"}, {"lift", "lifts"}, {"路灯", "street-lights"}, {"噪音", "noise"}, {"施工", "noise"}, {"垃圾", "waste"}, {"电梯", "lifts"}, {"工资", "wages"}, {"radiator", "heating"}, {"stray dog", "dogs"}, {"暖气", "heating"}, {"流浪狗", "dogs"}},
	})
}

var articles = []Article{
	{"passport", "en", "Apply for a passport", "You apply in person at the Exit-Entry office. It takes 7 working days and costs 120 yuan. Bring your ID card and a photo.", 3, []string{"passport"}},
	{"passport-lost", "en", "Replace a lost passport", "Report the loss at the Exit-Entry office first. The new one costs 160 yuan.", 1, []string{"lost it", "lost passport"}},
	{"primary-school", "en", "Enrol a child in primary school", "You enrol online from 10 to 25 May. The place is free of charge.", 2, []string{"school", "enrol", "first grade"}},
	{"school-transfer", "en", "Move to another school", "Ask the new school first; it confirms the place within 5 working days.", 1, []string{"school", "transfer", "move"}},
	{"medical-card", "en", "Replace a lost medical card", "Order a new card in the app; it comes by post in 5 days. It costs nothing.", 4, []string{"medical card", "medicare", "lost my medical"}},
	{"answer-times", "en", "How long does a ticket take?", "Most tickets are answered within 5 working days; urgent ones sooner.", 1, []string{"how long", "take"}},
	{"allowance", "en", "Winter allowance for older people", "Older people get 600 yuan each winter towards their heating.", 5, []string{"allowance", "heating money"}},
	{"bus-card", "en", "Bus card for older people", "From 65 you ride free of charge. Any metro station office makes the card in ten minutes.", 2, []string{"bus card", "bus free", "senior card cost"}},
	{"noise-rules", "en", "Quiet hours", "Building work is not allowed from 22:00 to 6:00.", 2, []string{"quiet hours", "noise", "building work"}},
	{"passport", "es", "Solicitar un pasaporte", "Se pide en persona en la oficina de extranjería. Tarda 7 días laborables y cuesta 120 yuanes.", 1, []string{"pasaporte"}},
	{"passport", "zh-CN", "办理护照", "本人到出入境大厅办理，7个工作日，工本费120元，带身份证和照片。", 3, []string{"护照"}},
	{"passport-lost", "zh-CN", "护照丢失补办", "先到出入境大厅报失，补办工本费160元。", 1, []string{"丢了", "补办护照"}},
	{"primary-school", "zh-CN", "小学一年级入学报名", "每年5月10日至25日网上报名，不收费。", 2, []string{"小学", "上学", "学校", "报名"}},
	{"school-transfer", "zh-CN", "转学", "先联系转入学校，5个工作日内答复能否接收。", 1, []string{"转学", "学校"}},
	{"medical-card", "zh-CN", "医保卡丢失补办", "在App里申请补办，5天寄到，不收费。", 4, []string{"医保卡", "医保"}},
	{"answer-times", "zh-CN", "多久能办好", "一般5个工作日内答复，紧急的会更快。", 1, []string{"多久", "几天"}},
	{"allowance", "zh-CN", "老年人取暖补贴", "老年人每年冬天可领600元取暖补贴。", 5, []string{"取暖补贴", "补贴"}},
	{"bus-card", "zh-CN", "敬老卡", "满65岁免费乘公交，任一地铁站办公室十分钟办好。", 2, []string{"敬老卡怎么", "公交卡", "免费乘公交"}},
	{"noise-rules", "zh-CN", "夜间施工规定", "22时至次日6时不得进行建筑施工。", 2, []string{"噪音", "施工"}},
}

// forms are the decision forms of the articles that have one.
var forms = map[string]*decision.Form{"allowance en": form(allowanceEn), "allowance zh-CN": form(allowanceZh)}

func form(source string) *decision.Form {
	f, problems := decision.Parse(source)
	if len(problems) > 0 {
		panic(problems)
	}
	return f
}

const allowanceEn = `question age: How old are you?
  why: The allowance begins at 65.
  number: 0 to 120 years
  65 or more -> alone because you are 65 or older
  under 65 -> too young because you are younger than 65
question alone: Do you live alone?
  yes (by myself, on my own) -> granted because you live alone
  no (with my husband, with my wife, with my family) -> income because you do not live alone
question income: What does your household earn each month?
  words: earn, pension, income
  number: 0 to 1,000,000 yuan
  3,000 or less -> heating because your household earns 3,000 yuan or less
  more than 3,000 -> refused because your household earns more than 3,000 yuan
question heating: How is your home heated?
  District heating (radiators) -> granted
  Gas or coal -> granted
  Electric -> office
  not sure -> office
outcome granted: You can have the allowance.
  Apply at your community office before 31 March with your **ID card**.
outcome refused: You cannot have the allowance.
outcome too young: You cannot have the allowance yet.
  Come back when you are 65.
outcome office: We cannot tell from here.
  The community office looks at it: 555-2601.
`

const allowanceZh = `问题 age：您多大年纪？
  为什么：满65周岁才能领取。
  数字：0到120岁
  65岁以上 → alone 因为您年满65岁
  不满65岁 → too young 因为您不满65岁
问题 alone：您一个人住吗？
  是（独居，自己住） → granted 因为您一个人住
  否（和家人住，跟女儿住，跟老伴住） → income 因为您不是一个人住
问题 income：您家每月收入多少元？
  说法：收入，退休金
  数字：0到1000000元
  3000元以下 → heating 因为您家月收入不超过3000元
  超过3000元 → refused 因为您家月收入超过3000元
问题 heating：您家怎么取暖？
  集中供暖（暖气片） → granted
  烧煤或燃气 → granted
  用电 → office
  不知道 → office
结果 granted：您可以领取补贴。
  请在3月31日前带**身份证**到社区办理。
结果 refused：您不能领取补贴。
结果 too young：您现在还不能领取。
  满65岁后再来申请。
结果 office：从这里判断不了。
  请社区工作人员看一下：555-2601。
`

// sections are the parts of the articles that have any.
var sections = map[string][]bot.Section{
	"passport en": {
		{Heading: "Cost", Text: "120 yuan, paid at the desk."},
		{Heading: "Documents", Text: "- your ID card\n- a photo not older than six months"},
		{Heading: "Family", Text: "A child under 16 comes with a parent, who brings the birth certificate."},
		{Heading: "Who is responsible", Text: "Exit-Entry office, 12 Hill Street, Monday to Saturday."},
	},
	"noise-rules en":    {{Heading: "Legal basis", Text: "Quiet Hours Ordinance, to be read at the City Archive and on its website."}},
	"noise-rules zh-CN": {{Heading: "依据", Text: "《兰汀市噪声管理办法》，全文可在市档案馆网站查看。"}},
	"passport zh-CN": {
		{Heading: "费用", Text: "120元，现场缴费。"},
		{Heading: "准备材料", Text: "- 身份证\n- 近六个月的照片"},
		{Heading: "家人", Text: "16岁以下的孩子由父母陪同，并带出生证明。"},
		{Heading: "找谁办", Text: "出入境大厅，山前路12号，周一至周六。"},
	},
}
