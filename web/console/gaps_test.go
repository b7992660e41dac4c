package console_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/knowledge"
)

// ask records questions as the bot does, and lets the follower take them up.
func (r *rig) ask(outcome knowledge.Outcome, questions ...string) {
	r.t.Helper()
	ctx := context.Background()
	b := &pgx.Batch{}
	for _, q := range questions {
		knowledge.QueueTold(b, knowledge.Told{ID: db.NewID(), At: r.clock.Now(), Lang: "en", Channel: "portal", By: knowledge.ByPortal, Question: q, Outcome: outcome})
	}
	must(r.t, db.WithTx(ctx, r.pool, db.System(), func(tx db.Tx) error { return tx.SendBatch(ctx, b).Close() }))
	r.follow()
}

func (r *rig) follow() {
	r.t.Helper()
	for n := 1; n > 0; {
		var err error
		n, err = r.learn.Step(context.Background())
		must(r.t, err)
	}
}

func TestAGapBecomesADraftWithOneClick(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.ask(knowledge.None, "Where can I register a beehive?", "How do I register my beehive", "Who <b>paints</b> the benches?")
	b := r.signIn("editor")
	list := b.get("/console/gaps")
	list.wants(t, http.StatusOK, "Where can I register a beehive?", "Who &lt;b&gt;paints", "Knowledge gaps")
	gap := list.path + "/" + between(t, list.body, `/console/gaps/`, `"><strong`)
	b.get(gap).wants(t, http.StatusOK, "How do I register my beehive", "Make a draft")
	b.post(gap+"/do/dismiss", url.Values{"reason": {""}}).wants(t, http.StatusBadRequest, "Say why")
	page := b.post(gap+"/do/draft", nil)
	page.wants(t, http.StatusOK, "How do I register my beehive", "Write the answer here")
	if !strings.HasPrefix(page.path, "/console/knowledge/") || !strings.HasSuffix(page.path, "/edit") {
		t.Errorf("went to %s", page.path)
	}
	b.get(gap).wants(t, http.StatusOK, "In work", "Being written")
	b.get("/console/gaps/"+uuid.NewString()).wants(t, http.StatusNotFound)
	r.signIn("operator").get("/console/gaps").wants(t, http.StatusForbidden)
	other := r.signIn("administrator")
	other.get(gap+"?lang=zh-CN").wants(t, http.StatusOK, "编写中", "市民的问法")
}

// between cuts out what stands between two marks, the first time.
func between(t testing.TB, s, from, to string) string {
	t.Helper()
	_, rest, ok := strings.Cut(s, from)
	for ok {
		if found, _, end := strings.Cut(rest, to); end && !strings.Contains(found, from) {
			return found
		}
		_, rest, ok = strings.Cut(rest, from)
	}
	t.Fatalf("no %s…%s", from, to)
	return ""
}
