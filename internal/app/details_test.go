package app_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/chat"
	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/tickets"
)

func TestTheCitizenSeesTheDetailsTheyGave(t *testing.T) {
	t.Parallel()
	a := startAt(t, clock.NewFake(time.Date(2026, 3, 10, 2, 0, 0, 0, time.UTC)))
	admin := tickets.Staff(db.Staff(uuid.Nil, a.Routing.Snapshot().Desk().ID, true, false).AsAdministrator(), []string{"administrator"})
	const category = "environment.noise.construction"
	for _, f := range []tickets.CustomField{
		{Category: category, Code: "permit", Names: map[string]string{"en": "Is there a permit", "zh-CN": "有无许可"}, Type: tickets.FieldYesNo, Asked: true, Active: true},
		{Category: category, Code: "since", Names: map[string]string{"en": "Since when", "zh-CN": "何时开始"}, Type: tickets.FieldDate, Asked: true, Active: true},
		{Category: category, Code: "inspector", Names: map[string]string{"en": "Inspector", "zh-CN": "检查员"}, Type: tickets.FieldText, Active: true}} {
		if _, err := a.Tickets.SaveField(t.Context(), admin, f); err != nil {
			t.Fatal(err)
		}
	}
	filed, err := a.Chat.FileTicket(t.Context(), chat.Filing{Channel: channels.Portal, Account: "form", ExternalID: "details", Lang: "en",
		Draft: tickets.Draft{Kind: "complaint", Category: category, Description: "Drilling at night", Lang: "en", Fields: map[string]string{"permit": "no"}}})
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	for lang, want := range map[string]string{"en": "<dt>Is there a permit</dt><dd>No</dd>", "zh-CN": "<dt>有无许可</dt><dd>否</dd>"} {
		resp, err := client.PostForm(a.URL()+"/track?lang="+lang, url.Values{"code": {filed.Code}})
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp, err = client.Get(a.URL() + "/track/case?lang=" + lang); err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if page := string(body); err != nil || !strings.Contains(page, want) || strings.Contains(page, "Inspector") || strings.Contains(page, "检查员") {
			t.Errorf("%s: %d %v\n%s", lang, resp.StatusCode, err, page)
		}
	}
}
