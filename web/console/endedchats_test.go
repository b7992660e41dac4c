package console_test

import (
	"context"
	"net/http"
	"strconv"
	"testing"

	"hotline/channels"
)

func TestEndedChatsAreListedByGrade(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := context.Background()
	ids := map[string]string{}
	for thread, grade := range map[string]int{"pleased": 5, "angry": 1, "silent": 0} {
		got, err := r.chat.Ingest(ctx, channels.Inbound{Channel: channels.Web, Account: "demo", Thread: thread, ExternalID: thread, Text: "Hello", Lang: "en"})
		must(t, err)
		must(t, r.chat.TakeOver(ctx, r.as("operator").DB, got.ConversationID))
		must(t, r.chat.Close(ctx, r.as("operator").DB, got.ConversationID))
		if grade > 0 {
			_, err := r.chat.Ingest(ctx, channels.Inbound{Channel: channels.Web, Account: "demo", Thread: thread, ExternalID: thread + " grade", Choice: "rate_chat:" + strconv.Itoa(grade), Text: strconv.Itoa(grade), Lang: "en"})
			must(t, err)
		}
		ids[thread] = got.ConversationID.String()
	}
	b := r.signIn("operator")
	b.get("/console/chats").wants(t, http.StatusOK, `href="/console/chats/ended"`)
	b.get("/console/chats/ended").wants(t, http.StatusOK, "Ended chats", ">Hello</a>", ids["pleased"], ids["angry"], ids["silent"])
	bad := b.get("/console/chats/ended?grade=1")
	bad.wants(t, http.StatusOK, ids["angry"], "very unsatisfied", "a person")
	bad.lacks(t, ids["pleased"])
	none := b.get("/console/chats/ended?grade=0")
	none.wants(t, http.StatusOK, ids["silent"])
	none.lacks(t, ids["angry"])
	b.get("/console/chats/ended?grade=3").wants(t, http.StatusOK, "No chat like this has ended")
	b.get("/console/chats/ended?after=x").wants(t, http.StatusBadRequest)
	r.signIn("handler-env").get("/console/chats/ended").wants(t, http.StatusForbidden)
}
