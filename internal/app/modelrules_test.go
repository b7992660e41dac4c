package app_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/internal/llm"
	"hotline/internal/llm/llmtest"
	"hotline/routing"
)

// What an administrator sets for the models' tone and length stands in what the next question's model is told.
func TestToneAndLengthReachTheModel(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	server := llmtest.Start(t, func(llmtest.Chat) string { return "Gold is needed [1]." })
	m, key := llm.NewModel(), llmtest.Key
	m.Name, m.BaseURL, m.Model, m.Uses = "model", server.URL, "model-1", []llm.Use{llm.UseAnswer}
	if _, err := a.LLM.Save(t.Context(), db.Staff(uuid.New(), uuid.New(), true, false).AsAdministrator(), m, &key); err != nil {
		t.Fatal(err)
	}
	version := a.Routing.Snapshot().Jurisdiction().Version
	if err := a.Routing.SetModelRules(t.Context(), db.System(), version, routing.ModelRules{Tone: "formal and brief", Sentences: 3}); err != nil {
		t.Fatal(err)
	}
	serves(t, a, "with rules")
	if got := server.Received(); !strings.Contains(got, "formal and brief, in at most 3 short sentences") {
		t.Errorf("the model was told\n%s", got)
	}
}
