package console_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/internal/llm/llmtest"
	"hotline/tickets"
)

func TestTheCategoryOfATicketIsChangedByTheHotline(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	k := r.noisy("en")
	base := "/console/tickets/" + k.ID.String()
	r.signIn("handler-env").get(base).lacks(t, base+"/do/reclassify")
	b := r.signIn("dispatcher")
	b.get(base).wants(t, http.StatusOK, base+"/do/reclassify")
	form := b.get(base + "/do/reclassify")
	form.wants(t, http.StatusOK, `value="utilities.water"`, "Now: Environment › Noise", "Filed under a category that does not fit")
	form.lacks(t, `value="environment.noise"`)
	post := url.Values{"version": {itoa(k.Version)}, "key": {"once"}, "category": {"utilities.water"}}
	b.post(base+"/do/reclassify", post).wants(t, http.StatusBadRequest, "Reason", `value="utilities.water" selected`)
	post.Set("reason", "citizen")
	post.Set("basis", "She means the pipe.")
	b.post(base+"/do/reclassify", post).wants(t, http.StatusOK, "Water supply", "changed the category", "now Water supply", "was Environment › Noise", "The citizen has said more about it", "She means the pipe.")
	if got := r.ticket(k.ID); got.Category != "utilities.water" {
		t.Errorf("it is %s", got.Category)
	}
}

func TestAModelsCategoryIsAppliedWithOneClickAndOnRecord(t *testing.T) {
	t.Parallel()
	r, _ := modelled(t, func(llmtest.Chat) string {
		return `{"category":"utilities.water","place":null,"kind":"complaint","urgent":false}`
	})
	k := r.noisy("en")
	base := "/console/tickets/" + k.ID.String()
	agency := r.signIn("handler-env")
	said := agency.waits(base, agency.asks(base, "category"))
	said.wants(t, http.StatusOK, "Water supply", "The hotline decides about the category")
	said.lacks(t, "Use this category")
	b := r.signIn("dispatcher")
	panel := b.get(base+"/suggest", "HX-Request", "true")
	panel.wants(t, http.StatusOK, "Water supply", "Use this category")
	form := url.Values{"version": {itoa(k.Version)}, "key": {"click"}, "reason": {"misfiled"}, "category": {"utilities.water"}, "ask": {askID.FindStringSubmatch(panel.body)[1]}}
	b.post(base+"/do/reclassify", form, "HX-Request", "true", "HX-Target", "pane").wants(t, http.StatusOK, "changed the category", "suggested by the language model")
	b.post(base+"/do/reclassify", form, "HX-Request", "true", "HX-Target", "pane").wants(t, http.StatusOK) // twice is once
	var applied int
	must(t, db.ReadTx(context.Background(), r.pool, db.System(), func(tx db.Tx) error {
		return tx.QueryRow(context.Background(), `select count(*) from ticket_events e join llm_calls c on c.id = (e.data->>'model_call')::uuid where e.ticket_id = $1 and e.type = 'reclassify'`, k.ID).Scan(&applied)
	}))
	if applied != 1 {
		t.Errorf("%d calls are on record as applied", applied)
	}
	after := b.get(base+"/suggest", "HX-Request", "true")
	after.wants(t, http.StatusOK, "The ticket has this category")
	after.lacks(t, "Use this category")
	// A call that suggested something else is not named as the source of a person's own choice.
	form.Set("category", "environment.noise")
	form.Set("version", itoa(r.ticket(k.ID).Version))
	form.Set("key", "other")
	b.post(base+"/do/reclassify", form, "HX-Request", "true", "HX-Target", "pane").wants(t, http.StatusOK)
	events, err := r.tickets.Timeline(context.Background(), tickets.System(), k.ID)
	must(t, err)
	if last := events[len(events)-1]; last.Type != "reclassify" || last.Data.ModelCall != uuid.Nil {
		t.Errorf("%+v", last)
	}
}
