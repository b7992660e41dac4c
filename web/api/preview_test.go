package api

import (
	"net/http"
	"testing"

	"hotline/internal/auth"
	"hotline/internal/db"
)

func TestAProgramAsksWhatPublishingWouldDo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.article.Article.ID
	_, err := r.owner.Exec(t.Context(), `insert into eval_pairs (id, lang, question, article_id, source, created_at) values ($1, 'en', 'open a water account', $2, 'editor', $3)`, db.NewID(), id, r.clock.Now())
	must(t, err)
	path := "/knowledge/articles/" + id.String() + "/preview"
	with := func(agency string) []string {
		return []string{"Authorization", "Bearer " + r.key(agency, auth.ScopeTicketsRead)}
	}

	same := decode[Preview](r.send("POST", path, map[string]any{}, with("dept-utilities")...).is(http.StatusOK))
	if same.Pairs != 1 || same.Better != 0 || same.Worse != 0 || len(same.Effects) != 0 {
		t.Errorf("the text that is served: %+v", same)
	}
	lost := decode[Preview](r.send("POST", path, map[string]any{"title": "Opening hours of the swimming pool", "body": "From seven to nine."}, with("hotline")...).is(http.StatusOK))
	if lost.Worse != 1 || len(lost.Effects) != 1 {
		t.Fatalf("a text about something else: %+v", lost)
	}
	if e := lost.Effects[0]; e.Kind != "worse" || e.Question != "open a water account" || !e.Pair || e.Before.Outcome != "answer" || e.Before.Article != id.String() || e.After.Outcome != "none" {
		t.Errorf("%+v", e)
	}
	// Nothing of it was stored, and what is served is as it was.
	if n := r.count(`select count(*) from article_versions where article_id = $1`, id); n != 1 {
		t.Errorf("%d versions", n)
	}
	r.send("POST", path, map[string]any{}, with("dept-environment")...).problem(http.StatusNotFound, "knowledge.not_found")
	r.send("POST", path, map[string]any{}).problem(http.StatusUnauthorized, "api.key_needed")
	r.send("POST", "/knowledge/articles/"+db.NewID().String()+"/preview", map[string]any{}, with("hotline")...).problem(http.StatusNotFound, "knowledge.not_found")
}
