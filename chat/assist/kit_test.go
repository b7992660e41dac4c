package assist_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/chat/assist"
	"hotline/chat/bot"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/llm"
	"hotline/internal/llm/llmtest"
	"hotline/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const passportText = `You can renew your passport at any district office or online at https://passport.lanting.example/renew.
The fee is 42 euros for adults. It takes 15 working days. Bring your old passport and 2 photographs.
You do not need an appointment. Call 0571-8765 4321 for questions.
Ms Ortega of the Passport Agency answers appeals within 30 days.`

const subsidyText = `本市户籍的低保家庭可以申请取暖补贴，每户每年1200元。
申请应当在每年11月15日之前向街道办事处提出，三个工作日内答复。
申请人须携带身份证和低保证。非本市户籍的家庭不能申请。
依据《兰亭市取暖补贴办法》第八条。`

var (
	passport = assist.Article{ID: uuid.MustParse("00000000-0000-7000-8000-00000000000a"), Version: 3, Lang: "en", Title: "Renew a passport", URL: "https://x.example/a/passport", Text: passportText}
	subsidy  = assist.Article{ID: uuid.MustParse("00000000-0000-7000-8000-00000000000b"), Version: 1, Lang: "zh-CN", Title: "取暖补贴", URL: "https://x.example/a/subsidy", Text: subsidyText}
)

// desk is the service with one model that says what the test wants.
type desk struct {
	*testing.T
	*assist.Service
	llm   *llm.Service
	srv   *llmtest.Server
	model llm.Model
	said  string
	all   []assist.Article
}

func open(t *testing.T) *desk {
	t.Helper()
	d := &desk{T: t, all: []assist.Article{passport, subsidy}}
	d.srv = llmtest.Start(t, func(llmtest.Chat) string { return d.said })
	var err error
	if d.llm, err = llm.New(llm.Deps{Pool: testkit.DB(t), Clock: clock.System{}, Log: slog.New(slog.DiscardHandler), Secret: []byte(strings.Repeat("s", 32))}); err != nil {
		t.Fatal(err)
	}
	m, key := llm.NewModel(), llmtest.Key
	m.Name, m.BaseURL, m.Model, m.Uses, m.DailyTokens, m.Timeout = "fake", d.srv.URL, "small-1", llm.Uses(), 1e9, 5*time.Second
	admin := db.Staff(uuid.New(), uuid.New(), true, false).AsAdministrator()
	if d.model, err = d.llm.Save(t.Context(), admin, m, &key); err != nil {
		t.Fatal(err)
	}
	d.Service = assist.New(assist.Deps{LLM: d.llm, Articles: func(_ context.Context, ids []uuid.UUID) ([]assist.Article, error) {
		var out []assist.Article
		for _, id := range ids {
			for _, a := range d.all {
				if a.ID == id {
					out = append(out, a)
				}
			}
		}
		return out, nil
	}})
	return d
}

func cite(as ...assist.Article) []bot.Citation {
	var out []bot.Citation
	for _, a := range as {
		out = append(out, bot.Citation{ArticleID: a.ID.String(), Version: a.Version, Title: a.Title, URL: a.URL})
	}
	return out
}

// answer asks and gives what was said on the way too.
func (d *desk) answer(question, lang string, found ...assist.Article) (bot.Grounded, []string) {
	d.Helper()
	var parts []string
	g, err := d.Answer(d.Context(), bot.Grounding{Question: question, Lang: lang, Found: cite(found...)}, func(soFar string) { parts = append(parts, soFar) })
	if err != nil {
		d.Fatal(err)
	}
	return g, parts
}
