package chat_test

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/chat"
	"hotline/chat/bot"
	"hotline/chat/media"
	"hotline/internal/db"
	"hotline/internal/errs"
	"hotline/internal/testkit"
	"hotline/tickets"
)

func filing(id string) chat.Filing {
	return chat.Filing{Channel: channels.Portal, Account: "form", ExternalID: id, Lang: "en",
		Draft: tickets.Draft{Kind: "complaint", Description: "Drilling every night", Lang: "en"}, Contact: channels.Contact{Name: "Ann Lee", Phone: "555 0100"}}
}

func TestFilingIsOneTransactionAndIdempotent(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	got := make([]chat.Filed, 20)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() {
			var err error
			if got[i], err = r.FileTicket(ctxb, filing("form-1")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, f := range got {
		if f.Ticket.ID != got[0].Ticket.ID || f.Code != got[0].Code || len(f.Code) != 20 {
			t.Fatalf("repeated filing gives another result: %+v", f)
		}
	}
	owner := testkit.OwnerPool(t, r.pool)
	if n := count(t, owner, `select count(*) from tickets`) + count(t, owner, `select count(*) from messages`); n != 2 {
		t.Errorf("%d rows for one ticket and one message", n)
	}
	if n := count(t, owner, `select count(*) from conversations c join tickets k on k.id = c.ticket_id join messages m on m.conversation_id = c.id and m.ticket_id = k.id join contacts p on p.id = k.contact_id where c.holder = 'none'`); n != 1 {
		t.Error("conversation, message, ticket and contact do not know one another")
	}
	changed := filing("form-1")
	changed.Draft.Place = "elsewhere"
	if _, err := r.FileTicket(ctxb, changed); !errors.Is(err, chat.ErrReceiptConflict) {
		t.Errorf("another form under the same id: %v", err)
	}
	broken := filing("form-2")
	broken.Draft.Kind = "nonsense"
	if _, err := r.FileTicket(ctxb, broken); errs.KindOf(err) != errs.Invalid {
		t.Errorf("a ticket that cannot be: %v", err)
	}
	if n := count(t, owner, `select count(*) from conversations`); n != 1 {
		t.Error("a refused filing left a conversation behind")
	}
}

func TestAgencysAnswerReachesTheCitizenWhereTheyAsked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	f, err := r.FileTicket(ctxb, filing("form-1"))
	if err != nil {
		t.Fatal(err)
	}
	handler, k := r.handling(t, f.Ticket.ID)
	yes := true
	for range 2 { // a double click
		if _, err = r.ReplyToTicket(ctxb, handler, k.ID, k.Version, "They stop at ten from now on.", tickets.Reply, tickets.Fields{Outcome: tickets.Outcomes()[0].Code, Resolved: &yes}, "click-1"); err != nil {
			t.Fatal(err)
		}
	}
	ms, err := r.OfTicket(ctxb, db.CitizenOfTicket(k.ID), k.ID, 50)
	if err != nil {
		t.Fatal(err)
	}
	var answers []chat.Message
	for _, m := range ms {
		if m.Payload.Event == chat.EventAnswer {
			answers = append(answers, m)
		}
	}
	if len(answers) != 1 || !strings.Contains(answers[0].Text, "They stop at ten") || answers[0].Author != chat.ByStaff || answers[0].Payload.State != string(tickets.Replied) {
		t.Errorf("the citizen reads %+v", ms)
	}
	if _, err := r.ReplyToTicket(ctxb, handler, k.ID, 0, "PS: thank you.", "", tickets.Fields{}, "click-2"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.ReplyByCitizen(ctxb, k.ID, "c1", "Thanks, it is quiet.", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := r.ReplyByCitizen(ctxb, k.ID, "c1", "Thanks, it is quiet.", nil); err != nil {
		t.Errorf("a double submit of the citizen: %v", err)
	}
	ms, _ = r.OfTicket(ctxb, db.CitizenOfTicket(k.ID), k.ID, 50)
	if n := len(ms); n < 2 || ms[n-1].Text != "Thanks, it is quiet." || ms[n-2].Text != "PS: thank you." {
		t.Errorf("the correspondence ends with %+v", ms)
	}
	if ms, err := r.OfTicket(ctxb, r.city.Staff("handler-util"), k.ID, 50); err != nil || len(ms) != 0 {
		t.Errorf("another agency reads %d messages, %v", len(ms), err)
	}
}

// The bot may say more after a ticket was opened: the number belongs to the message that names it.
func TestTheTicketStandsAtTheMessageThatNamesIt(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(d *chat.Deps) {
		d.Think = fixed(bot.Reply{Lang: "en", Open: &bot.Draft{Kind: "complaint", Description: "noise", Lang: "en"},
			Messages: []bot.Message{{Text: "Number {number}."}, {Text: "Now your other matter."}}})
	})
	got, err := r.Ingest(ctxb, message("ann", "1", "two things"))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.TakeTurn(ctxb, got.ConversationID); err != nil {
		t.Fatal(err)
	}
	ms := r.all(t, got.ConversationID)
	if len(ms) != 3 || ms[1].Payload.Event != chat.EventTicketOpened || ms[1].Payload.Ticket == nil || ms[2].Payload.Event != "" || ms[2].Payload.Ticket != nil {
		t.Errorf("%+v", ms)
	}
}

func TestTicketFiledInTheChat(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(d *chat.Deps) {
		d.Think = fixed(bot.Reply{Lang: "en", Open: &bot.Draft{Kind: "complaint", Description: "noise", Name: "Ann", Lang: "en", Category: "environment.noise"},
			Messages: []bot.Message{{Text: "Number {number}, code {tracking_code}."}}})
	})
	in := message("ann", "1", "file it, and print {tracking_code} for me")
	up, err := r.Upload(ctxb, db.System(), chat.Owner{Channel: in.Channel, Account: in.Account, Thread: in.Thread}, "photo.png", bytes.NewReader(pngFile(t)))
	if err != nil {
		t.Fatal(err)
	}
	in.Uploads = []uuid.UUID{up.ID}
	got, err := r.Ingest(ctxb, in)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.TakeTurn(ctxb, got.ConversationID); err != nil {
		t.Fatal(err)
	}
	k, err := r.tickets.ByConversation(ctxb, tickets.System(), got.ConversationID)
	if err != nil {
		t.Fatal(err)
	}
	code := tickets.FormatCode(r.tickets.TrackingCode(k))
	ms, err := r.RenderFor(ctxb, chat.ReaderCitizen, r.all(t, got.ConversationID))
	if err != nil || len(ms) != 2 || ms[1].Text != "Number "+k.Number+", code "+code+"." || ms[1].Payload.Event != chat.EventTicketOpened || ms[1].Payload.Ticket.Number != k.Number {
		t.Fatalf("the citizen reads %+v, %v", ms, err)
	}
	if strings.Contains(ms[0].Text, code) || !strings.Contains(ms[0].Text, "{tracking_code}") {
		t.Errorf("the citizen's own words were filled: %q", ms[0].Text)
	}
	for _, m := range ms {
		if m.TicketID != k.ID {
			t.Errorf("message %d does not belong to the ticket", m.Seq)
		}
	}
	staff, err := r.RenderFor(ctxb, chat.ReaderStaff, r.all(t, got.ConversationID))
	if err != nil || strings.Contains(staff[1].Text, code) || strings.Contains(staff[1].Text, "{") {
		t.Errorf("staff read %q, %v", staff[1].Text, err)
	}
	files, err := r.tickets.Attachments(ctxb, tickets.System(), k.ID)
	if err != nil || len(files) != 1 {
		t.Errorf("the photo is not with the ticket: %+v, %v", files, err)
	}
	owner := testkit.OwnerPool(t, r.pool)
	if n := count(t, owner, `select count(*) from messages where text ~ '[0-9]{4} [0-9]{4}'`); n != 0 {
		t.Error("a tracking code is stored in a message")
	}
}

func TestEmergencyIsKeptAsAnUrgentTicket(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	conv := r.say(t, "ann", "1", "help, my house is on fire").ConversationID
	if err := r.TakeTurn(ctxb, conv); err != nil {
		t.Fatal(err)
	}
	r.say(t, "ann", "2", "fire! the house is burning, help")
	if err := r.TakeTurn(ctxb, conv); err != nil {
		t.Fatal(err)
	}
	owner := testkit.OwnerPool(t, r.pool)
	if n := count(t, owner, `select count(*) from tickets where urgency = 'urgent' and conversation_id = $1`, conv); n != 1 {
		t.Errorf("%d urgent tickets for one fire", n)
	}
}

func TestUploads(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(d *chat.Deps) { d.Options.MaxFile, d.Options.MaxPending = 1<<20, 3 })
	ann := chat.Owner{Channel: "web", Account: "demo", Thread: "ann"}
	upload := func(name string, data []byte) (chat.Upload, error) {
		return r.Upload(ctxb, db.System(), ann, name, bytes.NewReader(data))
	}
	u, err := upload("../../日落.png", pngFile(t))
	if err != nil || u.Name != "日落.png" || u.Type != media.PNG || u.Width != 8 {
		t.Fatalf("%+v, %v", u, err)
	}
	_, f, err := r.OpenOwnUpload(ctxb, ann, u.ID)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(f)
	if err = errors.Join(err, f.Close()); err != nil || int64(len(data)) != u.Size {
		t.Errorf("%d bytes of %d, %v", len(data), u.Size, err)
	}
	ben := ann
	ben.Thread = "ben"
	if _, _, err := r.OpenOwnUpload(ctxb, ben, u.ID); !errors.Is(err, chat.ErrUnknownUpload) {
		t.Errorf("somebody else opened it: %v", err)
	}
	stolen := message("ben", "1", "look")
	stolen.Uploads = []uuid.UUID{u.ID}
	if _, err := r.Ingest(ctxb, stolen); !errors.Is(err, chat.ErrUnknownUpload) {
		t.Errorf("somebody else sent it: %v", err)
	}
	if _, err := upload("big.txt", bytes.Repeat([]byte("a"), 1<<20+1)); !errors.Is(err, chat.ErrFileTooLarge) {
		t.Errorf("too large: %v", err)
	}
	if _, err := upload("photo.jpg", []byte("MZ\x90\x00 program")); !errors.Is(err, media.ErrDisguised) {
		t.Errorf("a program named as a photo: %v", err)
	}
	own := message("ann", "1", "")
	own.Uploads = []uuid.UUID{u.ID}
	got, err := r.Ingest(ctxb, own)
	if err != nil {
		t.Fatal(err)
	}
	ms := r.all(t, got.ConversationID)
	if len(ms[0].Payload.Uploads) != 1 || ms[0].Payload.Uploads[0] != u {
		t.Errorf("the message shows %+v", ms[0].Payload.Uploads)
	}
	if _, f, err := r.OpenUpload(ctxb, r.city.Staff("operator"), u.ID); err != nil {
		t.Errorf("staff cannot open it: %v", err)
	} else {
		_ = f.Close()
	}
	if _, _, err := r.OpenUpload(ctxb, r.city.Staff("handler-env"), u.ID); !errors.Is(err, chat.ErrUnknownUpload) {
		t.Errorf("another agency opened it: %v", err)
	}
	for range 3 {
		if _, err := upload("a.txt", []byte("words")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := upload("a.txt", []byte("words")); !errors.Is(err, chat.ErrTooManyUploads) {
		t.Errorf("the fourth that is not sent: %v", err)
	}
	r.clock.Advance(48 * time.Hour)
	if n, err := r.PruneUploads(ctxb, 24*time.Hour, 100); err != nil || n != 3 {
		t.Errorf("pruned %d, %v", n, err)
	}
	staff, err := r.Upload(ctxb, r.city.Staff("operator"), chat.Owner{Conversation: got.ConversationID}, "plan.pdf", strings.NewReader("%PDF-1.7\n…"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Post(ctxb, r.city.Staff("operator"), got.ConversationID, chat.Outgoing{Text: "the plan", Uploads: []uuid.UUID{staff.ID}}); err != nil {
		t.Error(err)
	}
	if _, err := r.Upload(ctxb, r.city.Staff("handler-env"), chat.Owner{Conversation: got.ConversationID}, "x.txt", strings.NewReader("x")); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("another agency put a file into the conversation: %v", err)
	}
}

func pngFile(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A filing that was taken in stays taken in, whatever the rules ask for by the time it is sent again.
func TestFilingAgainAfterAFieldBecameNeeded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	f := filing("form-again")
	f.Draft.Category, f.Draft.InsistOnFields = "environment.noise", true
	first, err := r.FileTicket(ctxb, f)
	if err != nil {
		t.Fatal(err)
	}
	admin := tickets.Staff(r.city.Staff("administrator"), []string{"administrator"})
	if _, err := r.tickets.SaveField(ctxb, admin, tickets.CustomField{Category: "environment.noise", Code: "since", Names: map[string]string{"en": "Since"}, Type: tickets.FieldDate, Intake: true, Active: true}); err != nil {
		t.Fatal(err)
	}
	again, err := r.FileTicket(ctxb, f)
	if err != nil || again.Ticket.ID != first.Ticket.ID || !again.Receipt.Duplicate {
		t.Errorf("again: %v, %v", again.Ticket.Number, err)
	}
	f.ExternalID = "form-new"
	if _, err := r.FileTicket(ctxb, f); !errors.Is(err, tickets.ErrFieldNeeded) {
		t.Errorf("a new one: %v", err)
	}
}
