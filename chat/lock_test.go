package chat_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/chat"
	"hotline/chat/bot"
	"hotline/internal/db"
	"hotline/internal/testkit"
	"hotline/tickets"
)

// A message about a case names it, and a case that moves writes into its conversation: each holds what the other refers to, and neither may wait for that.
func TestAMessageAboutACaseDoesNotWaitForWhoeverMovesIt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rec := r.say(t, "ann", "1", "hello")
	if err := r.TakeTurn(ctxb, rec.ConversationID); err != nil {
		t.Fatal(err)
	}
	env := r.city.Agencies["dept-environment"]
	var k tickets.Ticket
	err := db.WithTx(ctxb, r.pool, db.System(), func(tx db.Tx) (err error) {
		k, err = r.tickets.OpenTx(ctxb, tx, tickets.Draft{Kind: "complaint", Category: "environment.noise", Description: "Drilling every night", Lang: "en", Channel: channels.Web, ConversationID: rec.ConversationID})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if k.State != tickets.Dispatched {
		desk := tickets.Staff(r.city.Staff("dispatcher"), []string{"dispatcher"})
		if k, err = r.tickets.Apply(ctxb, desk, k.ID, tickets.AnyVersion, tickets.Dispatch, tickets.Fields{Lead: env}, ""); err != nil {
			t.Fatal(err)
		}
	}
	handler := tickets.Staff(r.city.Staff("handler-env"), []string{"handler"})
	err = db.WithTx(ctxb, r.pool, handler.DB, func(tx db.Tx) error {
		if _, err := r.tickets.ApplyTx(ctxb, tx, handler, k.ID, tickets.AnyVersion, tickets.Sign, tickets.Fields{}, ""); err != nil {
			return err
		}
		soon, cancel := context.WithTimeout(ctxb, 20*time.Second)
		defer cancel()
		_, err := r.Post(soon, db.System(), k.ConversationID, chat.Outgoing{Author: chat.ByBot, Text: "Is there anything else?", TicketID: k.ID})
		return err
	})
	if err != nil {
		t.Errorf("the message and the signature: %v", err)
	}
}

// What citizens write on the page of their case is taken, also when it is being asked back at that very moment; sent twice, it is one answer.
func TestAWordThatCrossesAQuestionIsItsAnswer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	f, err := r.FileTicket(ctxb, filing("form-1"))
	if err != nil {
		t.Fatal(err)
	}
	handler, k := r.handling(t, f.Ticket.ID)
	say := func() error {
		_, err := r.ReplyByCitizen(ctxb, k.ID, "w1", "It is the site behind the school.", nil)
		return err
	}
	var said <-chan error
	err = db.WithTx(ctxb, r.pool, handler.DB, func(tx db.Tx) error {
		_, err := r.tickets.ApplyTx(ctxb, tx, handler, k.ID, k.Version, tickets.AskCitizen, tickets.Fields{Text: "Which site?"}, "")
		said = testkit.Hold(t, testkit.OwnerPool(t, r.pool), `select`).Start(1, say)
		return err
	})
	if err := errors.Join(err, <-said); err != nil {
		t.Fatal(err)
	}
	if k, err = r.tickets.ByID(ctxb, tickets.System(), k.ID); err != nil || k.State != tickets.InProgress {
		t.Errorf("the question waits on in %s: %v", k.State, err)
	}
	if err := say(); err != nil {
		t.Errorf("the same again: %v", err)
	}
}

// Whoever changes the language while the bot thinks is answered in the language that they chose.
func TestTheLanguageThatIsChosenWhileTheBotThinksStands(t *testing.T) {
	t.Parallel()
	var r *rig
	var conversation uuid.UUID
	var in []string
	r = newRig(t, func(d *chat.Deps) {
		d.Think = func(_ context.Context, s bot.State, _ []bot.Input, lang string) (bot.Reply, bot.State, error) {
			if in = append(in, lang); len(in) == 1 {
				if err := r.SetLang(ctxb, db.Citizen(conversation), conversation, "zh-CN"); err != nil {
					t.Error(err)
				}
			}
			return bot.Reply{Lang: lang, Messages: []bot.Message{{Text: "in " + lang}}}, s, nil
		}
	})
	conversation = r.say(t, "ann", "1", "hello").ConversationID
	if err := r.TakeTurn(ctxb, conversation); err != nil {
		t.Fatal(err)
	}
	c, err := r.Conversation(ctxb, db.System(), conversation)
	ms, err2 := r.Messages(ctxb, db.System(), conversation, 0, 10)
	if err != nil || err2 != nil || c.Lang != "zh-CN" || len(ms) != 2 || ms[1].Text != "in zh-CN" {
		t.Errorf("thought in %v, the conversation is in %s and reads %+v: %v %v", in, c.Lang, ms, err, err2)
	}
}
