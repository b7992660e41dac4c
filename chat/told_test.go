package chat_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/channels"
	"hotline/chat"
	"hotline/chat/bot"
	"hotline/internal/db"
	"hotline/internal/testkit"
	"hotline/tickets"
)

// told reads what an actor sees of the answers, oldest first, as "by outcome article-is-set helped question".
func (r *rig) told(t testing.TB, a db.Actor) []string {
	t.Helper()
	var out []string
	err := db.ReadTx(ctxb, r.pool, a, func(tx db.Tx) error {
		rows, err := tx.Query(ctxb, `select concat_ws(' ', by, outcome, case when follows then 'follows' end, 'v' || version, case helped when true then 'helped' when false then 'useless' end, '·', question)
			from answers order by id`)
		if err == nil {
			out, err = pgx.CollectRows(rows, pgx.RowTo[string])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (r *rig) wantTold(t testing.TB, want ...string) {
	t.Helper()
	if got := r.told(t, db.System()); !slices.Equal(got, want) {
		t.Errorf("recorded\n%s\nwanted\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestWhatTheBotTellsIsRecordedWithTheCitizensWord(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	passport := bot.Citation{ArticleID: uuid.NewString(), Version: 3, Title: "Passports"}
	answer := bot.Reply{Lang: "en", Messages: []bot.Message{{Text: "Bring a photo.", Citations: []bot.Citation{passport}}, {Text: "Did it help?"}},
		Told: []bot.Told{{Question: "passport?", Outcome: bot.OutcomeAnswer, Score: 0.7, Cited: []bot.Citation{passport}}}}
	conv := r.turnWith(t, "ann", "1", "passport?", answer)
	r.wantTold(t, "bot answer v3 · passport?")
	var seq, place int64
	err := db.ReadTx(ctxb, r.pool, db.System(), func(tx db.Tx) error {
		return tx.QueryRow(ctxb, `select seq, coalesce(place, 0) from answers where conversation_id = $1 and channel = 'web' and score > 0.69`, conv).Scan(&seq, &place)
	})
	if ms := r.all(t, conv); err != nil || ms[seq-1].Text != "Bring a photo." {
		t.Errorf("told by message %d: %v", seq, err)
	}
	r.turnWith(t, "ann", "2", "no", bot.Reply{Lang: "en", Messages: []bot.Message{{Text: "Sorry."}}, NotHelped: &passport, Question: "passport?"})
	r.wantTold(t, "bot answer v3 useless · passport?")
	// A list, none of which fits, and then a person.
	r.turnWith(t, "ben", "1", "bins?", bot.Reply{Lang: "en", Messages: []bot.Message{{Text: "Which?"}},
		Told: []bot.Told{{Question: "bins?", Outcome: bot.OutcomeChoices, Cited: []bot.Citation{passport, passport}}}})
	r.turnWith(t, "ben", "2", "none", bot.Reply{Lang: "en", Messages: []bot.Message{{Text: "Sorry."}}, NoneFits: true, Question: "bins?",
		HandOff: &bot.HandOff{Reason: bot.HandOffAsked}, Told: []bot.Told{{Question: "bins?", Outcome: bot.OutcomeHandOff, Follows: true}}})
	r.wantTold(t, "bot answer v3 useless · passport?", "bot choices useless · bins?", "bot handoff follows · bins?")
}

func TestWhatStaffTellWithASourceIsRecordedAndGraded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	conv := r.say(t, "ann", "1", "where do I get a passport?").ConversationID
	if err := r.AskHuman(ctxb, conv); err != nil {
		t.Fatal(err)
	}
	officer := r.city.Staff("operator")
	if err := r.TakeOver(ctxb, officer, conv); err != nil {
		t.Fatal(err)
	}
	out := chat.Outgoing{Text: "At the exit office.", Key: "k1", Payload: chat.Payload{Citations: []channels.Citation{{Article: uuid.NewString(), Version: 2}}}}
	for range 2 { // the second is the same once more
		if _, err := r.Post(ctxb, officer, conv, out); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Post(ctxb, officer, conv, chat.Outgoing{Text: "You are welcome."}); err != nil {
		t.Fatal(err)
	}
	r.wantTold(t, "staff answer v2 · where do I get a passport?")
	in := message("ann", "2", "very good")
	in.Choice = "rate_chat:5"
	if _, err := r.Ingest(ctxb, in); err != nil {
		t.Fatal(err)
	}
	r.wantTold(t, "staff answer v2 helped · where do I get a passport?")
}

func TestQuestionsAreSeenByThoseTheyConcern(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	owner := testkit.OwnerPool(t, r.pool)
	noise := uuid.New()
	if _, err := owner.Exec(ctxb, `insert into articles (id, lang, slug, owner_id) values ($1, 'en', 'noise', $2)`, noise, r.city.Agencies["dept-environment"]); err != nil {
		t.Fatal(err)
	}
	cited := []bot.Citation{{ArticleID: noise.String(), Version: 1}}
	r.turnWith(t, "ann", "1", "q", bot.Reply{Lang: "en", Messages: []bot.Message{{Text: "a", Citations: cited}}, Told: []bot.Told{
		{Question: "noise?", Outcome: bot.OutcomeAnswer, Cited: cited}, {Question: "unknown? call me on 13812345678", Outcome: bot.OutcomeNone}}})
	if got := r.told(t, db.System()); strings.Contains(strings.Join(got, " "), "1381234") {
		t.Errorf("a telephone number is kept: %q", got)
	}
	for who, want := range map[string]int{"editor": 2, "operator": 2, "head-env": 1, "handler-util": 0} {
		if got := r.told(t, r.city.Staff(who)); len(got) != want {
			t.Errorf("%s sees %q", who, got)
		}
	}
	if got := append(r.told(t, db.Actor{}), r.told(t, db.Citizen(uuid.New()))...); len(got) != 0 {
		t.Errorf("a stranger sees %q", got)
	}
	// Staff record what they tell themselves, and nothing in anybody else's name.
	err := db.WithTx(ctxb, r.pool, r.city.Staff("operator"), func(tx db.Tx) error {
		_, err := tx.Exec(ctxb, `insert into answers (id, at, lang, channel, by, user_id, question, outcome) values (gen_random_uuid(), now(), 'en', 'web', 'staff', $1, 'x', 'none')`, r.city.Users["editor"])
		return err
	})
	if err == nil {
		t.Error("a row in a colleague's name was taken")
	}
	for _, a := range []db.Actor{r.city.Staff("editor"), db.Citizen(uuid.New())} {
		_ = db.WithTx(ctxb, r.pool, a, func(tx db.Tx) error {
			if tag, err := tx.Exec(ctxb, `delete from answers`); err == nil && tag.RowsAffected() > 0 {
				t.Errorf("%d rows could be removed", tag.RowsAffected())
			}
			return fmt.Errorf("undo")
		})
	}
}

func TestTheQuestionOfAConfidentialConversationIsNotKept(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	conv := r.say(t, "ann", "1", "hello").ConversationID
	if _, err := testkit.OwnerPool(t, r.pool).Exec(ctxb, `update conversations set confidential = true where id = $1`, conv); err != nil {
		t.Fatal(err)
	}
	r.turnWith(t, "ann", "2", "my boss takes bribes", bot.Reply{Lang: "en", Messages: []bot.Message{{Text: "?"}}, Told: []bot.Told{{Question: "my boss takes bribes", Outcome: bot.OutcomeNone}}})
	r.wantTold(t, "bot none · ")
}

// A case that staff answer on the spot: the citizen reads it where they asked, and what it rests on is on record.
func TestADirectAnswerOfStaffIsToldWithItsSources(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	asked := filing("form-1")
	asked.Draft.Kind, asked.Draft.NeedsAcceptance = "consult", true // it waits for the desk
	f, err := r.FileTicket(ctxb, asked)
	if err != nil {
		t.Fatal(err)
	}
	article := uuid.New()
	operator := tickets.Staff(r.city.Staff("operator"), []string{"operator"})
	k, err := r.ReplyToTicket(ctxb, operator, f.Ticket.ID, f.Ticket.Version, "At the exit office.", tickets.AnswerDirectly,
		tickets.Fields{Outcome: tickets.Outcomes()[0].Code, Sources: []tickets.Source{{Article: article, Version: 2, Title: "Passports", URL: "/a/passports"}}}, "click-1")
	if err != nil || k.State != tickets.AnsweredDirectly {
		t.Fatalf("%s: %v", k.State, err)
	}
	ms, err := r.OfTicket(ctxb, db.CitizenOfTicket(k.ID), k.ID, 50)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(ms, func(m chat.Message) bool { return m.Payload.Event == chat.EventAnswer })
	if i < 0 || ms[i].Author != chat.ByStaff || !strings.Contains(ms[i].Text, "At the exit office.") || len(ms[i].Payload.Citations) != 1 || ms[i].Payload.Citations[0].Title != "Passports" {
		t.Errorf("the citizen reads %+v", ms)
	}
	if got := r.told(t, db.System()); len(got) != 1 || !strings.HasPrefix(got[0], "staff answer v2") {
		t.Errorf("recorded %q", got)
	}
}

// Those who were merged into an answered case are told the same, and it is on record for each of them.
func TestTheSourcesOfAnAnswerReachThoseWhoWereMergedIntoIt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	whole, err := r.FileTicket(ctxb, filing("form-1"))
	if err != nil {
		t.Fatal(err)
	}
	part, err := r.FileTicket(ctxb, filing("form-2"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err = r.tickets.Apply(ctxb, tickets.System(), part.Ticket.ID, tickets.AnyVersion, tickets.Merge, tickets.Fields{Parent: whole.Ticket.ID}, ""); err != nil {
		t.Fatal(err)
	}
	handler, k := r.handling(t, whole.Ticket.ID)
	yes := true
	if _, err = r.ReplyToTicket(ctxb, handler, k.ID, k.Version, "They stop at ten from now on.", tickets.Reply,
		tickets.Fields{Outcome: tickets.Outcomes()[0].Code, Resolved: &yes, Sources: []tickets.Source{{Article: uuid.New(), Version: 4, Title: "Quiet hours"}}}, "click-1"); err != nil {
		t.Fatal(err)
	}
	ms, err := r.OfTicket(ctxb, db.CitizenOfTicket(part.Ticket.ID), part.Ticket.ID, 50)
	if err != nil || !slices.ContainsFunc(ms, func(m chat.Message) bool {
		return m.Payload.Event == chat.EventAnswer && len(m.Payload.Citations) == 1 && m.Payload.Citations[0].Version == 4
	}) {
		t.Errorf("the other reporter reads %+v (%v)", ms, err)
	}
	if got := r.told(t, db.System()); len(got) != 2 || !strings.HasPrefix(got[0], "staff answer v4") || !strings.HasPrefix(got[1], "staff answer v4") {
		t.Errorf("recorded %q", got)
	}
}
