package console_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/chat"
	"hotline/chat/assist"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/internal/llm"
	"hotline/internal/llm/llmtest"
	"hotline/knowledge"
	"hotline/tickets"
	"hotline/web/console"
)

// modelled is a console with a language model that says what the test wants.
func modelled(t testing.TB, said func(llmtest.Chat) string) (*rig, *llmtest.Server) {
	t.Helper()
	srv := llmtest.Start(t, said)
	r := newRig(t, func(d *console.Deps) {
		models, err := llm.New(llm.Deps{Pool: d.Pool, Clock: clock.System{}, Log: d.Log, Secret: []byte(strings.Repeat("s", 32))})
		must(t, err)
		m, key := llm.NewModel(), llmtest.Key
		m.Name, m.BaseURL, m.Model, m.Uses, m.DailyTokens, m.Timeout = "fake", srv.URL, "small-1", llm.Uses(), 1e9, 10*time.Second
		_, err = models.Save(t.Context(), db.Staff(uuid.New(), uuid.New(), true, false).AsAdministrator(), m, &key)
		must(t, err)
		d.Machine = assist.New(assist.Deps{LLM: models, Articles: func(ctx context.Context, ids []uuid.UUID) ([]assist.Article, error) {
			found, err := d.Knowledge.Servable(ctx, ids, false)
			var out []assist.Article
			for _, e := range found {
				out = append(out, assist.Article{ID: e.Article.ID, Version: e.Version.Number, Lang: e.Article.Lang, Title: e.Version.Title, Summary: e.Version.Summary, Text: e.Version.Body})
			}
			return out, err
		}})
	})
	return r, srv
}

var askID = regexp.MustCompile(`id="ask-([0-9a-f-]{36})"`)

// waits asks for what was begun until it is over, as the page does.
func (b *browser) waits(base string, begun answer) answer {
	b.t.Helper()
	m := askID.FindStringSubmatch(begun.body)
	if m == nil {
		b.t.Fatalf("nothing was begun: %d %s", begun.status, excerpt(begun.body))
	}
	deadline := time.Now().Add(20 * time.Second)
	for {
		page := b.get(base+"/ask/"+m[1], "HX-Request", "true")
		if !strings.Contains(page.body, "hx-trigger") {
			return page
		}
		if time.Now().After(deadline) {
			b.t.Fatal("it never ends")
		}
	}
}

func (b *browser) asks(base, kind string, more ...string) answer {
	b.t.Helper()
	form := url.Values{"kind": {kind}}
	for i := 0; i+1 < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return b.post(base+"/ask", form, "HX-Request", "true")
}

func TestWithoutAModelNothingOfItIsShown(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.library()
	k := r.noisy("en")
	b := r.signIn("handler-env")
	base := "/console/tickets/" + k.ID.String()
	for _, page := range []answer{b.get(base), b.get(base+"/suggest", "HX-Request", "true")} {
		page.lacks(t, "Language model", "Draft with the model", "Summarise", "Translate")
	}
	if got := b.asks(base, "draft"); got.status != http.StatusServiceUnavailable {
		t.Errorf("asked all the same: %d", got.status)
	}
	e, err := r.knowledge.Create(context.Background(), knowledge.System(), knowledge.Article{Lang: "en"}, knowledge.Text{Title: "T", Summary: "S"})
	must(t, err)
	r.signIn("editor").get("/console/knowledge/"+e.Article.ID.String()+"/edit").lacks(t, "Propose questions")
}

func TestADraftOfAModelKeepsWhatTheArticlesSay(t *testing.T) {
	t.Parallel()
	r, srv := modelled(t, func(llmtest.Chat) string {
		return "Building work is not allowed between 22:00 and 6:00 without a permit [1]. The mayor pays you 900 euros for every night [1]."
	})
	noise, _, _ := r.library()
	k := r.noisy("en")
	b := r.signIn("handler-env")
	base := "/console/tickets/" + k.ID.String()
	b.get(base+"/suggest", "HX-Request", "true").wants(t, http.StatusOK, "Draft with the model", "Suggest a category")
	done := b.waits(base, b.asks(base, "draft"))
	done.wants(t, http.StatusOK, "Made by a machine", "without a permit [1]", "left out because no source says so: 1", "Noise from building sites at night")
	done.lacks(t, "mayor")
	// It is asked once, whoever looks; and it is there when somebody comes back.
	b.asks(base, "draft")
	r.signIn("head-env").get(base+"/suggest", "HX-Request", "true").wants(t, http.StatusOK, "without a permit [1]")
	if n := srv.Requests(); n != 1 {
		t.Errorf("the model was asked %d times", n)
	}
	if strings.Contains(srv.Received(), "Zhang Wei") || strings.Contains(srv.Received(), "13800001234") {
		t.Error("who the citizen is has left")
	}
	// What goes out is in the reply form, without marks, and recorded with the call.
	value := uses(t, done.body, "model", noise.Article.ID)
	text := done.body[strings.Index(done.body, `data-insert="`)+len(`data-insert="`):]
	text = text[:strings.Index(text, `"`)]
	if !strings.HasPrefix(text, "Dear citizen,") || strings.Contains(text, "[1]") || !strings.Contains(text, "Source: Noise from building sites") {
		t.Errorf("inserts %q", text)
	}
	b.post(base+"/compose", url.Values{"mode": {"message"}, "version": {itoa(k.Version)}, "key": {"m"}, "text": {text}, "used": {value}, "used_text": {text}}).wants(t, http.StatusOK)
	if got := r.outcomes(noise.Article.ID); len(got) != 1 || got[0] != "model sent" {
		t.Errorf("recorded %q", got)
	}
	var calls int
	must(t, db.ReadTx(context.Background(), r.pool, db.System(), func(tx db.Tx) error {
		return tx.QueryRow(context.Background(), `select count(*) from assists a join llm_calls c on c.id = a.model_call where a.article_id = $1`, noise.Article.ID).Scan(&calls)
	}))
	if calls != 1 {
		t.Errorf("%d of the model's calls are known", calls)
	}
}

func TestAModelThatFailsIsSaidInWordsAndCanBeAskedAgain(t *testing.T) {
	t.Parallel()
	r, srv := modelled(t, func(llmtest.Chat) string { return "Building work is not allowed without a permit [1]." })
	r.library()
	k := r.noisy("en")
	b := r.signIn("handler-env")
	base := "/console/tickets/" + k.ID.String()
	srv.Next(llmtest.NoQuota)
	failed := b.waits(base, b.asks(base, "draft"))
	failed.wants(t, http.StatusOK, "quota", "Try again")
	b.waits(base, b.asks(base, "draft")).wants(t, http.StatusOK, "without a permit [1]")
	b.asks(base, "no such kind").wants(t, http.StatusNotFound)
	if got := r.signIn("handler-util").get(base+"/ask/"+askID.FindStringSubmatch(failed.body)[1], "HX-Request", "true"); got.status != http.StatusNotFound {
		t.Errorf("another agency reads it: %d", got.status)
	}
}

func TestASummaryNamesItsEntriesAndIsMadeOnceForAState(t *testing.T) {
	t.Parallel()
	r, srv := modelled(t, func(c llmtest.Chat) string {
		return "Construction noise from the building site keeps the citizen awake at night [1]. The citizen was given 7,000 euros [1]."
	})
	k := r.noisy("en")
	b := r.signIn("handler-env")
	base := "/console/tickets/" + k.ID.String()
	for _, words := range []string{"one", "two", "three", "four"} {
		_, err := r.tickets.Note(context.Background(), r.as("handler-env"), k.ID, "Called the site for the time number "+words, "")
		must(t, err)
	}
	b.get(base+"/suggest", "HX-Request", "true").wants(t, http.StatusOK, "Summarise")
	done := b.waits(base, b.asks(base, "summary"))
	done.wants(t, http.StatusOK, "Made by a machine", "keeps the citizen awake", "Rests on:", `href="#f-`)
	done.lacks(t, "7,000")
	key := regexp.MustCompile(`href="#(f-[a-z0-9-]+)"`).FindStringSubmatch(done.body)[1]
	b.get(base).wants(t, http.StatusOK, `id="`+key+`"`)
	b.asks(base, "summary").wants(t, http.StatusOK, "keeps the citizen awake")
	if n := srv.Requests(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	_, err := r.chat.ReplyByCitizen(context.Background(), k.ID, "c", "And it goes on every night", nil)
	must(t, err)
	b.get(base+"/suggest", "HX-Request", "true").wants(t, http.StatusOK, "Summarise")
}

func TestAMessageIsTranslatedBesideItsOriginal(t *testing.T) {
	t.Parallel()
	r, _ := modelled(t, func(llmtest.Chat) string { return "The site goes on after 23:00." })
	k := r.file("complaint", "噪音", "工地23:00以后还在施工", "environment.noise", func(f *chat.Filing) { f.Lang, f.Draft.Lang = "zh-CN", "zh-CN" })
	if k.State == tickets.PendingDispatch {
		k = r.apply("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: r.city.Agencies["dept-environment"]})
	}
	b := r.signIn("handler-env")
	base := "/console/tickets/" + k.ID.String()
	b.get(base).wants(t, http.StatusOK, "Translate")
	b.waits(base, b.asks(base, "translation", "seq", "1")).wants(t, http.StatusOK, "goes on after 23:00", "the original counts")
	b.get(base).wants(t, http.StatusOK, "工地23:00以后还在施工", "goes on after 23:00") // also after the page was left
	b.asks(base, "translation", "seq", "99").wants(t, http.StatusNotFound)
	// Without scripts the same button leads back to the message.
	if page := b.post(base+"/ask", url.Values{"kind": {"translation"}, "seq": {"1"}}); page.status != http.StatusOK || page.path != base {
		t.Errorf("%d %s", page.status, page.path)
	}
}

func TestNothingOfAConfidentialCaseGoesToAModel(t *testing.T) {
	t.Parallel()
	r, srv := modelled(t, nil)
	r.library()
	k := r.file("report", "Noise at night is allowed for money", "An inspector takes money for construction noise at night", "environment.noise")
	b := r.signIn("dispatcher")
	base := "/console/tickets/" + k.ID.String()
	page := b.get(base+"/suggest", "HX-Request", "true")
	page.wants(t, http.StatusOK, "nothing of it goes to a language model")
	page.lacks(t, "Suggest a category")
	for _, kind := range []string{"draft", "summary", "category", "translation"} {
		b.asks(base, kind, "seq", "1").wants(t, http.StatusForbidden)
	}
	if n := srv.Requests(); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestCategoriesAndQuestionsAreProposed(t *testing.T) {
	t.Parallel()
	r, _ := modelled(t, func(c llmtest.Chat) string {
		if c.ResponseFormat != nil && strings.Contains(string(c.ResponseFormat.JSONSchema.Schema), "questions") {
			return `{"questions":["When is construction noise at night not allowed?","Who was the first emperor?"]}`
		}
		return `{"category":"environment.noise","place":null,"kind":"complaint","urgent":false}`
	})
	noise, _, _ := r.library()
	k := r.noisy("en")
	base := "/console/tickets/" + k.ID.String()
	b := r.signIn("handler-env")
	b.waits(base, b.asks(base, "category")).wants(t, http.StatusOK, "Noise", "the case is not changed")
	editor, article := r.signIn("editor"), "/console/knowledge/"+noise.Article.ID.String()
	editor.get(article+"/edit").wants(t, http.StatusOK, "Propose questions")
	done := editor.waits(article, editor.post(article+"/ask", url.Values{}, "HX-Request", "true"))
	done.wants(t, http.StatusOK, "When is construction noise at night not allowed?", "data-take")
	done.lacks(t, "emperor")
	editor.get(article+"/edit").wants(t, http.StatusOK, "When is construction noise at night not allowed?")
}

func TestWhatAModelSaidIsSeenByThoseWhoSeeTheCase(t *testing.T) {
	t.Parallel()
	r, _ := modelled(t, func(llmtest.Chat) string { return "Building work is not allowed without a permit [1]." })
	r.library()
	k := r.noisy("en")
	b, base := r.signIn("handler-env"), "/console/tickets/"+k.ID.String()
	b.waits(base, b.asks(base, "draft"))
	count := func(a db.Actor) (n int) {
		must(t, db.ReadTx(context.Background(), r.pool, a, func(tx db.Tx) error {
			return tx.QueryRow(context.Background(), `select count(*) from model_asks`).Scan(&n)
		}))
		return n
	}
	for who, want := range map[string]int{"handler-env": 1, "head-env": 1, "dispatcher": 1, "handler-util": 0} {
		if got := count(r.city.Staff(who)); got != want {
			t.Errorf("%s sees %d", who, got)
		}
	}
	if n := count(db.Actor{}) + count(db.CitizenOfTicket(k.ID)) + count(db.Citizen(k.ConversationID)); n != 0 {
		t.Errorf("strangers and citizens see %d", n)
	}
	must(t, db.WithTx(context.Background(), r.pool, r.city.Staff("head-env"), func(tx db.Tx) error {
		tag, err := tx.Exec(context.Background(), `update model_asks set result = '{}'`)
		if err == nil && tag.RowsAffected() > 0 {
			t.Error("a colleague changes it")
		}
		return err
	}))
}
