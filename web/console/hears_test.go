package console_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/chat"
	"hotline/internal/i18n"
	"hotline/internal/jobs"
	"hotline/web/console"
)

// deadLetters is a mail service that knows no address.
type deadLetters struct{}

func (deadLetters) Name() string { return channels.Email }

func (deadLetters) Send(context.Context, channels.Outbound) (channels.Result, error) {
	return channels.Result{}, &channels.PermanentError{Code: "gone", Reason: "The mailbox does not exist."}
}

func TestStaffSeeAndChangeHowThePersonHears(t *testing.T) {
	t.Parallel()
	var mail *chat.Service
	r := newRig(t, func(d *console.Deps) {
		registry, err := channels.NewRegistry(deadLetters{})
		must(t, err)
		inserter, err := jobs.NewInserter(d.Pool, d.Log)
		must(t, err)
		mail, err = chat.New(chat.Deps{Pool: d.Pool, Clock: d.Clock, Log: d.Log, Bus: d.Bus, Words: i18n.MustLoad(), Tickets: d.Tickets, Channels: registry, Jobs: inserter,
			Options: chat.Options{BaseURL: "https://hotline.example"}})
		must(t, err)
		d.Chat = mail
	})
	r.tickets.OnPublic(mail.Notify)
	b := r.signIn("operator")
	b.get("/console/new").wants(t, http.StatusOK, "They want no news by e-mail or text message")
	done := b.post("/console/new", caseForm("email", "wang@citizen.example", "category", "environment.noise"))
	done.wants(t, http.StatusOK, "The case is filed")
	id := uuid.MustParse(strings.TrimPrefix(done.path, "/console/new/"))
	page := "/console/tickets/" + id.String()
	b.get(page).wants(t, http.StatusOK, "How they hear of it", "As they said on the telephone", "Received, with number and code", "waiting")
	if wait, err := mail.Deliver(t.Context(), r.ticket(id).ConversationID, 2); err != nil || wait != 0 {
		t.Fatal(wait, err)
	}
	b.get(page).wants(t, http.StatusOK, "does not arrive", "failed", "The mailbox does not exist.", "Send again")
	// They gave the address once more, then want nothing.
	b.post(page+"/hears", url.Values{"key": {uuid.NewString()}, "by": {"email"}}).wants(t, http.StatusOK, "to a member of staff").lacks(t, `danger">does not arrive`)
	b.post(page+"/hears", url.Values{"key": {uuid.NewString()}}).wants(t, http.StatusOK, "They want no messages", "changed on which channels the citizen hears")
	r.signIn("handler-util").post(page+"/hears", url.Values{"key": {uuid.NewString()}, "by": {"email"}}).wants(t, http.StatusNotFound)
	// Quiet from the beginning, and anonymous: nothing is kept.
	quiet := b.post("/console/new", caseForm("key", "case-2", "text", "The lamp in Oak Road is dark.", "place", "Oak Road 9", "name", "Zhao Min", "phone", "137 0000 2222", "email", "zhao@citizen.example", "quiet", "yes"))
	quiet.wants(t, http.StatusOK, "The case is filed")
	b.get("/console/tickets/"+strings.TrimPrefix(quiet.path, "/console/new/")).wants(t, http.StatusOK, "On the page behind their code").lacks(t, "As they said")
}
