package console_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"hotline/internal/db"
	"hotline/knowledge"
)

func TestTheRulesOfLearningHaveAPage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	admin := r.signIn("administrator")
	admin.get("/console/knowledge/rules").wants(t, http.StatusOK, `name="keep_months" min="1" max="240" value="24"`, `name="preview_days" min="1" max="366" value="28"`, `name="remind_share" min="1" max="90" value="25"`)
	admin.post("/console/knowledge/rules/learning", url.Values{"version": {"1"}, "keep_months": {"12"}, "preview_days": {"400"}}).
		wants(t, http.StatusBadRequest, "Try a publication on the questions of (days)", `value="12"`, `value="400"`)
	admin.post("/console/knowledge/rules/learning", url.Values{"version": {"1"}, "keep_months": {"12"}, "preview_days": {"14"}}).wants(t, http.StatusOK, "Saved", `value="12"`, `value="14"`)
	admin.post("/console/knowledge/rules/learning", url.Values{"version": {"1"}, "keep_months": {"1"}, "preview_days": {"14"}}).wants(t, http.StatusConflict)
	r.signIn("editor").post("/console/knowledge/rules/learning", url.Values{"version": {"2"}, "keep_months": {"1"}, "preview_days": {"1"}}).wants(t, http.StatusForbidden)
}

// The reminder of a correction comes when the rules say, not at a quarter that is written in the program.
func TestTheReminderOfACorrectionIsARule(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, id := r.published(r.signIn("editor"), r.signIn("reviewer"), nil)
	by := knowledge.Staff{Actor: r.city.Staff("operator"), Roles: []string{"operator"}}
	left := func(text string) time.Duration {
		t.Helper()
		c, err := r.knowledge.Dispute(context.Background(), by, id, text)
		must(t, err)
		return c.DueAt.Sub(*c.WarnAt) * 100 / c.DueAt.Sub(c.CreatedAt)
	}
	if got := left("The fee has changed."); got != 25 {
		t.Errorf("as delivered %d %% are left", got)
	}
	rules, err := r.knowledge.Settings(context.Background())
	must(t, err)
	rules.RemindShare = 50
	must(t, r.knowledge.SaveSettings(context.Background(), knowledge.Staff{Actor: r.city.Staff("administrator")}, rules))
	if got := left("And the office has moved."); got != 50 {
		t.Errorf("with a rule of 50 %% are left %d %%", got)
	}
}

// The editor of a translation shows what changed in the original since the version that the translation says.
func TestTheTranslatorSeesWhatChanged(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	edit, review := r.signIn("editor"), r.signIn("reviewer")
	_, id := r.published(edit, review, nil)
	zh := articleID(edit.post("/console/knowledge/"+id.String()+"/translate", url.Values{"lang_of": {"zh-CN"}}))
	edit.get(articlePath(zh.String())+"/edit").wants(t, http.StatusOK, "Original").lacks(t, "What changed in the original")
	r.rewrite(edit, id, func(f url.Values) { f["summary"] = []string{"No building work after 21:00."} })
	r.publish(edit, review, id)
	edit.get(articlePath(zh.String())+"/edit").wants(t, http.StatusOK, "What changed in the original since version 1", "<del", "<mark>22</mark>", "<mark>21</mark>")
	r.rewrite(edit, zh, func(f url.Values) { f["follows"] = []string{"2"} })
	edit.get(articlePath(zh.String())+"/edit").wants(t, http.StatusOK, "Original").lacks(t, "What changed in the original")
}

func TestSynonymsAreKeptInTheConsole(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	e := r.signIn("editor")
	e.get("/console/knowledge").wants(t, http.StatusOK, "/console/knowledge/synonyms")
	e.get("/console/knowledge/synonyms").wants(t, http.StatusOK, "No group")
	form := url.Values{"lang_of": {"en"}, "terms": {"drill\n<b>hammer drill</b>\n"}}
	e.post("/console/knowledge/synonyms", form).wants(t, http.StatusOK, "drill = &lt;b&gt;hammer drill&lt;/b&gt;")
	e.post("/console/knowledge/synonyms", url.Values{"lang_of": {"en"}, "terms": {"alone"}}).wants(t, http.StatusBadRequest, `role="alert"`, ">alone</textarea>", `aria-invalid="true"`)
	id := between(t, e.get("/console/knowledge/synonyms").body, "/console/knowledge/synonyms?edit=", `"`)
	e.get("/console/knowledge/synonyms?edit="+id).wants(t, http.StatusOK, "Change the group", "&lt;b&gt;hammer drill")
	e.post("/console/knowledge/synonyms", url.Values{"id": {id}, "version": {"1"}, "lang_of": {"en"}, "terms": {"drill\nborer"}}).wants(t, http.StatusOK, "drill = borer")
	e.post("/console/knowledge/synonyms", url.Values{"id": {id}, "version": {"1"}, "lang_of": {"en"}, "terms": {"drill\nlost"}}).wants(t, http.StatusConflict, "Somebody else changed")
	e.get("/console/knowledge/synonyms?q=BOR").wants(t, http.StatusOK, "drill = borer")
	e.get("/console/knowledge/synonyms?q=saw").wants(t, http.StatusOK, "No group")
	r.agencyUser("editor-util", "dept-utilities", "editor")
	util := r.signIn("editor-util")
	util.get("/console/knowledge/synonyms").wants(t, http.StatusOK, "drill = borer").lacks(t, "New group")
	util.post("/console/knowledge/synonyms", form).wants(t, http.StatusForbidden)
	e.post("/console/knowledge/synonyms/remove", url.Values{"id": {id}, "version": {"2"}}).wants(t, http.StatusOK, "No group")
}

// Row-level security lets whoever began an import go on with it, and nobody else.
func TestOnlyWhoBeganAnImportGoesOnWithIt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := context.Background()
	id := db.NewID()
	must(t, db.WithTx(ctx, r.pool, r.city.Staff("editor"), func(tx db.Tx) error {
		_, err := tx.Exec(ctx, `insert into knowledge_imports (id, user_id, agency_id, name, mode, created, updated, unchanged, failed, lines, at, claimed_until) values ($1, $2, $3, 'a.csv', 'draft', 0, 0, 0, 0, '[]', $4, $4)`,
			id, r.city.Users["editor"], r.city.Agencies["hotline"], r.clock.Now())
		return err
	}))
	touched := func(actor db.Actor) (n int64) {
		must(t, db.WithTx(ctx, r.pool, actor, func(tx db.Tx) error {
			tag, err := tx.Exec(ctx, `update knowledge_imports set seen = seen + 1 where id = $1`, id)
			n = tag.RowsAffected()
			return err
		}))
		return n
	}
	for name, c := range map[string]struct {
		actor db.Actor
		want  int64
	}{"who began it": {r.city.Staff("editor"), 1}, "the program": {db.System(), 1}, "a colleague": {r.city.Staff("reviewer"), 0}, "another agency": {r.city.Staff("handler-env"), 0}} {
		if got := touched(c.actor); got != c.want {
			t.Errorf("%s changed %d rows, want %d", name, got, c.want)
		}
	}
	// Nor can it be given to somebody else.
	err := db.WithTx(ctx, r.pool, r.city.Staff("editor"), func(tx db.Tx) error {
		_, err := tx.Exec(ctx, `update knowledge_imports set user_id = $2 where id = $1`, id, r.city.Users["reviewer"])
		return err
	})
	if err == nil {
		t.Error("an import was handed to somebody else")
	}
}
