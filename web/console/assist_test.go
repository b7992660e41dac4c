package console_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/channels"
	"hotline/chat"
	"hotline/internal/db"
	"hotline/knowledge"
	"hotline/tickets"
)

// offer puts an article of an agency before everybody.
func (r *rig) offer(lang, owner, audience, key string, text knowledge.Text) knowledge.Entry {
	r.t.Helper()
	ctx := context.Background()
	e, err := r.knowledge.Create(ctx, knowledge.System(), knowledge.Article{Lang: lang, Owner: r.city.Agencies[owner], Audience: audience, Key: key}, text)
	must(r.t, err)
	e, err = r.knowledge.Submit(ctx, knowledge.System(), e.Version.Ref())
	must(r.t, err)
	e, err = r.knowledge.Publish(ctx, knowledge.System(), e.Version.Ref())
	must(r.t, err)
	return e
}

// library has articles about noise, one of them in two languages and one for staff only.
func (r *rig) library() (noise, fines, inside knowledge.Entry) {
	noise = r.offer("en", "dept-environment", "public", "noise", knowledge.Text{Title: "Noise from building sites at night", Summary: "Building work is not allowed between 22:00 and 6:00 without a permit.",
		Body: "## How to report it\n\nTell us the place and the time of the construction noise.\n\n## Who pays\n\nNobody pays."})
	r.offer("zh-CN", "dept-environment", "public", "noise", knowledge.Text{Title: "夜间施工噪音", Summary: "没有许可证，22时至次日6时不得施工。", Body: "请告诉我们施工地点。"})
	fines = r.offer("en", "dept-environment", "public", "", knowledge.Text{Title: "Fines for noise", Summary: "The fine for noise is up to 5,000.", Body: "Noise at night costs more."})
	inside = r.offer("en", "dept-environment", "staff", "", knowledge.Text{Title: "Noise at night: whom to call at the depot", Summary: "Call Mr Li about construction noise.", Body: "Extension 12."})
	return noise, fines, inside
}

// noisy is a ticket about noise in the hands of its agency.
func (r *rig) noisy(lang string) tickets.Ticket {
	k := r.file("complaint", "Construction noise at night", "Construction noise from the building site keeps us awake at night", "environment.noise", func(f *chat.Filing) { f.Lang, f.Draft.Lang = lang, lang })
	if k.State == tickets.PendingDispatch {
		k = r.apply("dispatcher", k, tickets.Dispatch, tickets.Fields{Lead: r.city.Agencies["dept-environment"]})
	}
	return r.apply("handler-env", k, tickets.Sign, tickets.Fields{})
}

// outcomes reads the recorded ends of suggestions, as the owner of the tables does.
func (r *rig) outcomes(article uuid.UUID) []string {
	r.t.Helper()
	var out []string
	must(r.t, db.ReadTx(context.Background(), r.pool, db.System(), func(tx db.Tx) error {
		rows, err := tx.Query(context.Background(), `select concat_ws(' ', kind, outcome, nullif(reason, '')) from assists where article_id = $1 order by id`, article)
		if err == nil {
			out, err = pgx.CollectRows(rows, pgx.RowTo[string])
		}
		return err
	}))
	return out
}

var (
	usedField = regexp.MustCompile(`name="used" value="([^"]+)"`)
	shownBox  = regexp.MustCompile(`name="shown" value="([^"]+)"`)
)

// uses are the names of an article's suggestion in a panel, of one kind.
func uses(t testing.TB, body, kind string, article uuid.UUID) string {
	t.Helper()
	for _, m := range usedField.FindAllStringSubmatch(body, -1) {
		if strings.Contains(m[1], ":"+kind+":"+article.String()) {
			return m[1]
		}
	}
	t.Fatalf("the panel does not offer %s as %s\n%s", article, kind, excerpt(body))
	return ""
}

func shown(body string) []string {
	var out []string
	for _, m := range shownBox.FindAllStringSubmatch(body, -1) {
		out = append(out, m[1])
	}
	return out
}

func TestSuggestionsSayWhyAndHowSureAndLeaveOutWhatIsForStaff(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	noise, _, inside := r.library()
	k := r.noisy("en")
	b := r.signIn("handler-env")
	panel := b.get("/console/tickets/"+k.ID.String()+"/suggest", "HX-Request", "true")
	panel.wants(t, http.StatusOK, "Noise from building sites at night", "Matches:", "night", "May answer it", "Draft reply", "Dear citizen,", "Staff only")
	// The draft has the short answer, the section about it and the source; not the section about something else.
	draft := panel.body[strings.Index(panel.body, `class="draft-text"`):strings.Index(panel.body, `<ol class="suggestions"`)]
	for _, words := range []string{"without a permit", "Tell us the place", k.Number, "Source: Noise from building sites at night (version 1)"} {
		if !strings.Contains(draft, words) {
			t.Errorf("the draft does not say %q:\n%s", words, draft)
		}
	}
	if strings.Contains(draft, "Nobody pays") || strings.Contains(draft, "Mr Li") {
		t.Errorf("the draft says too much:\n%s", draft)
	}
	// What is for staff can be read here, and not be inserted.
	own := panel.body[strings.Index(panel.body, `data-article="`+inside.Article.ID.String()):]
	if own = own[:strings.Index(own, "</li>")]; strings.Contains(own, "data-insert") {
		t.Error("an article for staff can be inserted")
	}
	// The citizen's language decides: the translation stands for the article.
	_, err := r.chat.ReplyByCitizen(context.Background(), k.ID, "c1", "夜间施工噪音还在继续", nil)
	must(t, err)
	chinese := b.get("/console/tickets/"+r.noisy("zh-CN").ID.String()+"/suggest", "HX-Request", "true")
	chinese.wants(t, http.StatusOK, "没有许可证", "您好", "依据：夜间施工噪音")
	// What the citizen says now is what is suggested for.
	b.get("/console/tickets/"+k.ID.String()+"/suggest", "HX-Request", "true").wants(t, http.StatusOK, "For:", "夜间施工噪音还在继续")
	uses(t, panel.body, "article", noise.Article.ID)
	// Who only looks on cannot insert.
	r.signIn("supervisor").get("/console/tickets/"+k.ID.String()+"/suggest", "HX-Request", "true").wants(t, http.StatusOK, "Noise from building sites")
}

func TestWhatIsFarFromTheMatterIsFoldedAway(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.library()
	k := r.noisy("en")
	panel := r.signIn("handler-env").get("/console/tickets/"+k.ID.String()+"/suggest?q=swimming+pool+opening+at+night", "HX-Request", "true")
	body := panel.body
	at, fold := strings.Index(body, "Far from it"), strings.Index(body, `class="assist-more"`)
	if at < 0 || fold < 0 || at < fold {
		t.Errorf("something far from it stands in the open (%d, fold at %d):\n%s", at, fold, body)
	}
}

func TestWhatBecomesOfSuggestionsIsRecordedWithTheAnswer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	noise, fines, _ := r.library()
	k := r.noisy("en")
	b := r.signIn("handler-env")
	base := "/console/tickets/" + k.ID.String()
	panel := b.get(base+"/suggest", "HX-Request", "true").body
	inserted := "Building work is not allowed between 22:00 and 6:00 without a permit.\nSource: Noise from building sites at night (version 1)"
	value := uses(t, panel, "article", noise.Article.ID)
	b.post(base+"/assist", url.Values{"do": {"insert"}, "quiet": {"1"}, "used": {value}}).wants(t, http.StatusNoContent)
	if got := r.outcomes(noise.Article.ID); len(got) != 1 || got[0] != "article inserted" {
		t.Fatalf("recorded %q", got)
	}
	form := url.Values{"mode": {"message"}, "version": {itoa(k.Version)}, "key": {"m1"}, "text": {"Hello,\n" + inserted}, "used": {value}, "used_text": {inserted}, "shown": shown(panel)}
	b.post(base+"/compose", form).wants(t, http.StatusOK, "Noise from building sites at night")
	b.post(base+"/compose", form) // the same once more is the same
	if got := r.outcomes(noise.Article.ID); len(got) != 1 || got[0] != "article sent" {
		t.Errorf("recorded %q", got)
	}
	if got := r.outcomes(fines.Article.ID); len(got) != 1 || got[0] != "article shown" {
		t.Errorf("of the one below it: %q", got)
	}

	// A formal answer made of a draft that was changed, and of an article that stood below another.
	panel = b.get(base+"/suggest", "HX-Request", "true").body
	value = uses(t, panel, "article", fines.Article.ID)
	form = url.Values{"mode": {"reply"}, "version": {itoa(r.ticket(k.ID).Version)}, "key": {"m2"}, "outcome": {"resolved"}, "resolved": {"yes"},
		"text": {"The fine for noise is up to 9,000. They stop now."}, "used": {value}, "used_text": {"The fine for noise is up to 5,000."}, "shown": shown(panel)}
	b.post(base+"/compose", form).wants(t, http.StatusOK, "Fines for noise")
	if got := r.outcomes(fines.Article.ID); len(got) != 2 || got[1] != "article edited" {
		t.Errorf("recorded %q", got)
	}
	if got := r.outcomes(noise.Article.ID); len(got) != 2 || got[1] != "article replaced" {
		t.Errorf("of the one above it: %q", got)
	}
	var told int
	must(t, db.ReadTx(context.Background(), r.pool, db.System(), func(tx db.Tx) error {
		return tx.QueryRow(context.Background(), `select count(*) from answers where by = 'staff' and ticket_id = $1 and article_id = $2 and version = 1`, k.ID, fines.Article.ID).Scan(&told)
	}))
	if told != 1 {
		t.Errorf("the formal answer names its source %d times on record", told)
	}
	use, err := r.knowledge.AssistUse(context.Background(), knowledge.AssistFilter{Article: fines.Article.ID})
	must(t, err)
	if use.Shown != 2 || use.Inserted != 1 || use.Edited != 1 || use.Changed <= 0 || use.Changed > 0.3 {
		t.Errorf("counted %+v", use)
	}
	r.signIn("editor").get("/console/knowledge/"+noise.Article.ID.String()).wants(t, http.StatusOK, "Inserted: 1. Sent unchanged: 1, with changes: 0.")
	list, err := r.knowledge.AssistUseByArticle(context.Background(), knowledge.AssistFilter{Owner: r.city.Agencies["dept-environment"]}, 10)
	must(t, err)
	if len(list) < 2 || list[0].Inserted < list[1].Inserted {
		t.Errorf("by article %+v", list)
	}
	if other, err := r.knowledge.AssistUse(context.Background(), knowledge.AssistFilter{Owner: r.city.Agencies["dept-utilities"]}); err != nil || other.Shown != 0 {
		t.Errorf("of another owner %+v %v", other, err)
	}
}

func TestATextThatWasGivenUpNamesNoSource(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	noise, _, _ := r.library()
	k := r.noisy("en")
	b := r.signIn("handler-env")
	base := "/console/tickets/" + k.ID.String()
	value := uses(t, b.get(base+"/suggest", "HX-Request", "true").body, "article", noise.Article.ID)
	b.post(base+"/compose", url.Values{"mode": {"message"}, "version": {itoa(k.Version)}, "key": {"m1"}, "text": {"We shall come by tomorrow."}, "used": {value},
		"used_text": {"Building work is not allowed between 22:00 and 6:00 without a permit."}}).wants(t, http.StatusOK, "come by tomorrow")
	messages, err := r.chat.OfTicket(context.Background(), db.System(), k.ID, 50)
	must(t, err)
	if last := messages[len(messages)-1]; len(last.Payload.Citations) != 0 {
		t.Errorf("the message names %v", last.Payload.Citations)
	}
	if got := r.outcomes(noise.Article.ID); len(got) != 1 || got[0] != "article inserted" {
		t.Errorf("recorded %q", got)
	}
}

func TestAWrongArticleIsReportedWhereItIsSeen(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	noise, fines, _ := r.library()
	k := r.noisy("en")
	b := r.signIn("handler-env")
	base := "/console/tickets/" + k.ID.String()
	panel := b.get(base+"/suggest", "HX-Request", "true").body
	form := url.Values{"do": {"wrong"}, "kind": {"outdated"}, "used": {uses(t, panel, "article", noise.Article.ID)}, "text": {" "}}
	b.post(base+"/assist", form, "HX-Request", "true").wants(t, http.StatusBadRequest, "What should it say instead", "<details class=\"assist-wrong\" open>")
	form.Set("text", "It is 21:00 now.")
	page := b.post(base+"/assist", form, "HX-Request", "true")
	page.wants(t, http.StatusOK, "Thank you.", "Environment", "looks at your correction")
	page.lacks(t, `data-article="`+noise.Article.ID.String())
	corrections, err := r.knowledge.Corrections(context.Background(), noise.Article.ID)
	must(t, err)
	if len(corrections) != 1 || corrections[0].Text != "Outdated: It is 21:00 now." {
		t.Errorf("corrections %+v", corrections)
	}
	if got := r.outcomes(noise.Article.ID); len(got) != 1 || got[0] != "article wrong" {
		t.Errorf("recorded %q", got)
	}

	// One that is only not for this case goes from here, for everybody, and stays elsewhere.
	value := uses(t, page.body, "article", fines.Article.ID)
	b.post(base+"/assist", url.Values{"do": {"dismiss"}, "reason": {"no such reason"}, "used": {value}}, "HX-Request", "true").wants(t, http.StatusBadRequest)
	page = b.post(base+"/assist", url.Values{"do": {"dismiss"}, "reason": {"too_general"}, "used": {value}}, "HX-Request", "true")
	page.lacks(t, fines.Article.ID.String())
	if page.header.Get("X-Undo") == "" {
		t.Error("it cannot be undone")
	}
	r.signIn("head-env").get(base+"/suggest", "HX-Request", "true").lacks(t, fines.Article.ID.String())
	r.signIn("handler-env").get("/console/tickets/"+r.noisy("en").ID.String()+"/suggest", "HX-Request", "true").wants(t, http.StatusOK, fines.Article.ID.String())
	b.get(base+"/suggest?q=fines", "HX-Request", "true").wants(t, http.StatusOK, "Fines for noise") // who searches for it finds it
	b.post(base+"/assist", url.Values{"do": {"undo"}, "used": {value}}, "HX-Request", "true").wants(t, http.StatusOK, "Fines for noise")
}

func TestSuggestionsWithoutScripts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	noise, _, _ := r.library()
	k := r.noisy("en")
	b := r.signIn("handler-env")
	base := "/console/tickets/" + k.ID.String()
	b.get(base).wants(t, http.StatusOK, base+"?assist=1")
	page := b.get(base + "?assist=1")
	page.wants(t, http.StatusOK, "Draft reply", "Insert draft")
	page = b.post(base+"/assist", url.Values{"do": {"insert"}, "used": {uses(t, page.body, "draft", noise.Article.ID)}})
	page.wants(t, http.StatusOK, ">Dear citizen,", `data-title="Noise from building sites at night"`)
	text := page.body[strings.Index(page.body, `id="composer-text"`):]
	text = text[strings.Index(text, ">")+1 : strings.Index(text, "</textarea>")]
	b.post(base+"/compose", url.Values{"mode": {"message"}, "version": {itoa(k.Version)}, "key": {"m"}, "text": {text}, "used": {uses(t, page.body[strings.Index(page.body, `id="cites"`):], "draft", noise.Article.ID)}, "used_text": {text}}).wants(t, http.StatusOK)
	if got := r.outcomes(noise.Article.ID); len(got) != 1 || got[0] != "draft sent" {
		t.Errorf("recorded %q", got)
	}
}

func TestAChatIsSuggestedForItsLastUnansweredMessage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	noise, _, _ := r.library()
	r.offer("en", "dept-utilities", "public", "", knowledge.Text{Title: "Water bills", Summary: "A water bill can be paid in parts.", Body: "Ask for it."})
	ctx := context.Background()
	say := func(id, text string) uuid.UUID {
		got, err := r.chat.Ingest(ctx, channels.Inbound{Channel: channels.Web, Account: "demo", Thread: "v", ExternalID: id, Text: text, Lang: "en"})
		must(t, err)
		return got.ConversationID
	}
	conv := say("1", "There is construction noise at night from a building site")
	_, err := r.chat.Post(ctx, db.System(), conv, chat.Outgoing{Author: chat.ByBot, Text: "I will ask a person to join."})
	must(t, err)
	must(t, r.chat.AskHuman(ctx, conv))
	b := r.signIn("operator")
	base := "/console/chats/" + conv.String()
	panel := b.get(base+"/suggest", "HX-Request", "true")
	panel.wants(t, http.StatusOK, "construction noise at night", "Noise from building sites")
	panel.lacks(t, "data-insert") // nobody talks in it yet
	b.post(base+"/assist", url.Values{"do": {"insert"}, "used": {uses(t, panel.body, "article", noise.Article.ID)}}).wants(t, http.StatusForbidden)
	must(t, r.chat.TakeOver(ctx, r.as("operator").DB, conv))
	panel = b.get(base+"/suggest", "HX-Request", "true")
	panel.wants(t, http.StatusOK, "data-insert", "Does this answer your question?").lacks(t, "Source:") // below a chat's message it is a card
	words := "Building work is not allowed between 22:00 and 6:00 without a permit."
	b.post(base+"/send", url.Values{"text": {words}, "key": {"k"}, "used": {uses(t, panel.body, "article", noise.Article.ID)}, "used_text": {words}, "shown": shown(panel.body)}).wants(t, http.StatusOK)
	if got := r.outcomes(noise.Article.ID); len(got) != 1 || got[0] != "article sent" {
		t.Errorf("recorded %q", got)
	}
	say("2", "Thank you. Can I pay my water bill in parts?")
	say("3", "It is very high")
	b.get(base+"/suggest", "HX-Request", "true").wants(t, http.StatusOK, "water bill in parts?", "It is very high", "Water bills")
	b.get(base+"/live").wants(t, http.StatusOK, `data-asked="7"`)
}

func TestWhatWasSuggestedIsSeenByThoseWhoSeeTheCase(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	noise, _, _ := r.library()
	k := r.noisy("en")
	b := r.signIn("handler-env")
	base := "/console/tickets/" + k.ID.String()
	b.post(base+"/assist", url.Values{"do": {"insert"}, "quiet": {"1"}, "used": {uses(t, b.get(base+"/suggest", "HX-Request", "true").body, "article", noise.Article.ID)}}).wants(t, http.StatusNoContent)
	count := func(a db.Actor) (n int) {
		must(t, db.ReadTx(context.Background(), r.pool, a, func(tx db.Tx) error {
			return tx.QueryRow(context.Background(), `select count(*) from assists`).Scan(&n)
		}))
		return n
	}
	for who, want := range map[string]int{"handler-env": 1, "head-env": 1, "dispatcher": 1, "handler-util": 0} {
		if got := count(r.city.Staff(who)); got != want {
			t.Errorf("%s sees %d", who, got)
		}
	}
	if n := count(db.Actor{}) + count(db.CitizenOfTicket(k.ID)) + count(db.Citizen(k.ConversationID)); n != 0 {
		t.Errorf("strangers and citizens see %d", n)
	}
	// Nobody writes in a colleague's name, changes what a colleague did, or takes it back.
	for _, sql := range []string{`insert into assists (id, at, user_id, agency_id, kind, article_id, version, outcome) select gen_random_uuid(), now(), $1, $2, 'article', $3, 1, 'sent'`,
		`update assists set outcome = 'wrong' where user_id = $1 and agency_id = $2 and article_id = $3`, `delete from assists where user_id = $1 and agency_id = $2 and article_id = $3`} {
		err := db.WithTx(context.Background(), r.pool, r.city.Staff("head-env"), func(tx db.Tx) error {
			tag, err := tx.Exec(context.Background(), sql, r.city.Users["handler-env"], r.city.Agencies["dept-environment"], noise.Article.ID)
			if err == nil && tag.RowsAffected() > 0 {
				t.Errorf("%s was allowed", sql)
			}
			return err
		})
		if err == nil && strings.HasPrefix(sql, "insert") {
			t.Errorf("%s was allowed", sql)
		}
	}
}

// An officer inserts a suggestion and sends at once: what is recorded of the suggestion waits for nothing that the message holds, or each would wait for the other.
func TestASuggestionIsRecordedWhileItsMessageGoesOut(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	noise, _, _ := r.library()
	got, err := r.chat.Ingest(t.Context(), channels.Inbound{Channel: channels.Web, Account: "demo", Thread: "v", ExternalID: "1", Text: "There is noise at night", Lang: "en"})
	must(t, err)
	by := r.as("operator").DB
	must(t, r.chat.AskHuman(t.Context(), got.ConversationID))
	must(t, r.chat.TakeOver(t.Context(), by, got.ConversationID))
	row := knowledge.Assist{ID: db.NewID(), At: r.clock.Now(), User: by.User(), Agency: by.Agency(), Conversation: got.ConversationID, Kind: knowledge.AssistArticle, Article: noise.Article.ID,
		Version: noise.Version.Number, Place: 1, Outcome: knowledge.Inserted}
	_, err = r.chat.Post(t.Context(), by, got.ConversationID, chat.Outgoing{Text: "Call us tonight.", Also: func(ctx context.Context, tx db.Tx) error {
		// The page's other request, while the message holds the conversation.
		soon, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		if err := r.knowledge.Assisted(soon, knowledge.Staff{Actor: by}, row); err != nil {
			return err
		}
		sent := row
		sent.Outcome = knowledge.SentAsIs
		return knowledge.RecordAssists(ctx, tx, sent)
	}})
	must(t, err)
	r.wantLast(t, noise.Article.ID, "article sent")
}
