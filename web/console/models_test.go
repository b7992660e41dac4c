package console_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"hotline/internal/llm"
	"hotline/internal/llm/llmtest"
)

func TestLanguageModels(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	srv := llmtest.Start(t, func(llmtest.Chat) string { return "ready" })
	admin := r.signIn("administrator")
	admin.get("/console/admin/models").wants(t, http.StatusOK, "No language model")
	form := url.Values{"name": {"Town hall"}, "base_url": {srv.URL}, "model": {"small-1"}, "key": {llmtest.Key}, "use": {"answer", "draft"}, "max_tokens": {"500"}, "temperature": {"0"}, "timeout": {"5"},
		"concurrency": {"2"}, "daily_tokens": {"100000"}, "rank": {"0"}, "enabled": {"yes"}}
	wrong := url.Values{}
	for k, v := range form {
		wrong[k] = v
	}
	wrong["daily_tokens"] = []string{"many"}
	admin.post("/console/admin/models", wrong).wants(t, http.StatusBadRequest, `value="many"`, "Town hall", "out of bounds").lacks(t, llmtest.Key)
	wrong["daily_tokens"], wrong["base_url"] = form["daily_tokens"], []string{"http://api.example.com/v1"}
	admin.post("/console/admin/models", wrong).wants(t, http.StatusBadRequest, "https://").lacks(t, llmtest.Key)
	list := admin.post("/console/admin/models", form).wants(t, http.StatusOK, "Town hall", "Answers to citizens", "ready")
	list.lacks(t, llmtest.Key)
	states, err := r.llm.States(context.Background(), r.as("administrator").DB)
	must(t, err)
	at := "/console/admin/models/" + states[0].ID.String()
	admin.get(at).wants(t, http.StatusOK, "A key is kept").lacks(t, llmtest.Key)
	admin.post(at+"/do/try", url.Values{}).wants(t, http.StatusOK, "answered “ready”")
	srv.Always(llmtest.BadKey)
	admin.post(at+"/do/try", url.Values{}).wants(t, http.StatusOK, "refuses the key", "last call failed")
	if page := admin.get("/console/admin/models/calls").wants(t, http.StatusOK, "refuses the key"); strings.Count(page.body, "try/1") != 2 {
		t.Errorf("the record: %s", page.body)
	}
	page := admin.get("/console/admin/models/calls?failed=1")
	if strings.Count(page.body, "try/1") != 1 {
		t.Errorf("the record of failures: %s", page.body)
	}
	admin.get("/console/admin/models/calls/"+between(t, page.body, "/console/admin/models/calls/", `"`)).wants(t, http.StatusOK, "were not kept")
	form["id"], form["version"], form["has_key"], form["daily_tokens"] = []string{states[0].ID.String()}, []string{between(t, admin.get(at).body, `name="version" value="`, `"`)}, []string{"yes"}, []string{"1"}
	form.Del("key")
	admin.post("/console/admin/models", form).wants(t, http.StatusOK, "budget is used up")
	admin.post(at+"/do/off", url.Values{}).wants(t, http.StatusOK, "switched off")
	if r.llm.Has(context.Background(), llm.UseAnswer) {
		t.Error("it is still asked")
	}
	admin.post(at+"/do/remove", url.Values{}).wants(t, http.StatusOK, "No language model")
	for _, who := range []string{"operator", "dispatcher", "handler-env"} {
		if got := r.signIn(who).get("/console/admin/models"); got.status == http.StatusOK {
			t.Errorf("%s sees the page", who)
		}
	}
}

// modelPages sets up models in each state, with calls, and lists the pages that show them.
func (r *rig) modelPages() []pageOf {
	r.t.Helper()
	srv := llmtest.Start(r.t, func(llmtest.Chat) string { return "ready" })
	ctx, who, key := r.t.Context(), r.as("administrator").DB, llmtest.Key
	price := 0.6
	add := func(name string, change func(*llm.Model)) llm.Model {
		m := llm.NewModel()
		m.Name, m.BaseURL, m.Model, m.Uses, m.KeepTexts = name, srv.URL, "qwen3-32b", []llm.Use{llm.UseAnswer, llm.UseDraft, llm.UseSummary}, true
		change(&m)
		m, err := r.llm.Save(ctx, who, m, &key)
		must(r.t, err)
		return m
	}
	first := add("Town hall", func(m *llm.Model) { m.PriceIn, m.PriceOut = &price, &price })
	add("Vectors", func(m *llm.Model) { m.Model, m.Uses, m.MaySeePersonal = "bge-m3", []llm.Use{llm.UseEmbed}, true })
	add("Old vendor", func(m *llm.Model) { m.Enabled = false })
	trial, err := r.llm.Try(ctx, who, first.ID)
	must(r.t, err)
	srv.Always(llmtest.NoQuota)
	if _, err := r.llm.Try(ctx, who, first.ID); err == nil {
		r.t.Error("a model without quota answers")
	}
	return []pageOf{{"models", "administrator", "/console/admin/models"}, {"model", "administrator", "/console/admin/models/" + first.ID.String()},
		{"model-calls", "administrator", "/console/admin/models/calls"}, {"model-call", "administrator", "/console/admin/models/calls/" + trial.Call.String()}}
}

func TestHowModelsWriteAndWhatTheyReadHasAPage(t *testing.T) {
	t.Parallel()
	r, srv := modelled(t, nil)
	admin := r.signIn("administrator")
	page := admin.get("/console/admin/models/rules").wants(t, http.StatusOK, `name="tone" value=""`, "replaced before it leaves", "fake")
	version := between(t, page.body, `name="version" value="`, `"`)
	admin.post("/console/admin/models/rules", url.Values{"version": {version}, "tone": {"formal"}, "sentences": {"99"}}).wants(t, http.StatusBadRequest, "1 to 20 sentences", `value="99"`, `value="formal"`)
	admin.post("/console/admin/models/rules", url.Values{"version": {version}, "tone": {"formal"}, "sentences": {"3"}, "confidential": {"yes"}}).wants(t, http.StatusOK, "Saved", `value="formal"`, `value="3"`, `value="yes" checked`)
	admin.post("/console/admin/models/rules", url.Values{"version": {version}, "tone": {"cold"}}).wants(t, http.StatusConflict, `value="cold"`)
	for _, who := range []string{"operator", "dispatcher", "handler-env", "editor"} {
		r.signIn(who).post("/console/admin/models/rules", url.Values{"version": {"2"}, "tone": {"cold"}}).wants(t, http.StatusForbidden)
	}
	if got := r.routing.Snapshot().Jurisdiction().ModelRules(); got.Tone != "formal" || got.Sentences != 3 || !got.Confidential {
		t.Errorf("kept %+v", got)
	}
	// A case that nothing of was sent about may be asked about now.
	k := r.file("report", "Noise at night is allowed for money", "An inspector takes money for construction noise at night", "environment.noise")
	b := r.signIn("dispatcher")
	base := "/console/tickets/" + k.ID.String()
	b.waits(base, b.asks(base, "category"))
	if srv.Requests() == 0 {
		t.Error("the model was not asked")
	}
}
