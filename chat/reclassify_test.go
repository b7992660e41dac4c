package chat_test

import (
	"strings"
	"testing"

	"hotline/chat"
	"hotline/internal/db"
	"hotline/internal/i18n"
	"hotline/tickets"
)

func TestAnotherCategoryIsToldAndMailedOnlyWithANewDate(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	k := o.filed(func(f *chat.Filing) { f.Draft.Category = "utilities.water" })
	o.last(o.mail) // received
	k = o.inProgress(k)
	k = o.move(k, "dispatcher", "dispatcher", tickets.Reclassify, tickets.Fields{Category: "environment.noise", Reason: "misfiled"})
	due := i18n.Deadline("en", *k.PromisedAt, o.tickets.Settings().Calendar.Location())
	wants(t, o.last(o.mail).Text, "another subject: environment.noise", "new date", due)
	o.move(k, "dispatcher", "dispatcher", tickets.Reclassify, tickets.Fields{Category: "environment.dust", Reason: "misfiled"})
	o.silent("the date is as it was", o.mail)
	all, err := o.Messages(ctxb, db.System(), k.ConversationID, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if last := all[len(all)-1]; !strings.HasSuffix(last.Text, "now has another subject: environment.dust.") {
		t.Errorf("the page says %q", last.Text)
	}
}
