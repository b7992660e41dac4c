package chat

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/chat/bot"
	"hotline/internal/db"
)

// maxRounds bounds how often one call of TakeTurn starts again because the citizen goes on writing; the sweep takes over after it.
const maxRounds = 20

// turn is a claimed one.
type turn struct {
	conversation uuid.UUID
	lease        uuid.UUID
	channel      string
	confidential bool
	lang         string
	chosen       string // the conversation's language when the turn was claimed
	lastSeq      int64
	state        bot.State
	in           []bot.Input
	failures     int
	alert        *alert
	told         bool   // a part of an answer was shown before it was written
	address      string // of the person, on channels that have one
	recalled     recalled
}

// alert is an emergency that the intake has answered.
type alert struct {
	text  string
	place *bot.Place
}

// startTurn asks this process to answer now. When its hands are full the sweep, here or on another node, does it.
func (s *Service) startTurn(conversation uuid.UUID) {
	select {
	case s.turns <- conversation:
	default:
	}
}

func (s *Service) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case id := <-s.turns:
			if err := s.TakeTurn(ctx, id); err != nil && ctx.Err() == nil {
				s.log.ErrorContext(ctx, "turn failed", "conversation", id, "error", err)
			}
		}
	}
}

// TakeTurn lets the bot answer whatever is unanswered in a conversation, if it is the bot's to answer and nobody else is at it. It returns
// when nothing is left to do here. Errors: db.ErrUnavailable; the bot's own, after they were recorded for another try.
func (s *Service) TakeTurn(ctx context.Context, conversation uuid.UUID) error {
	for range maxRounds {
		t, ok, err := s.claimTurn(ctx, conversation)
		if err != nil || !ok {
			return err
		}
		again, err := s.oneTurn(ctx, t)
		if err != nil || !again {
			return err
		}
	}
	return nil
}

func (s *Service) oneTurn(ctx context.Context, t *turn) (again bool, err error) {
	reply, state, err := s.thinkTurn(ctx, t)
	wrote := false
	defer func() {
		if t.told && !wrote {
			s.partial(t.conversation, "") // it will not be said
		}
	}()
	if err == nil {
		var done answered
		if done, err = s.writeTurn(ctx, t, reply, state); err == nil {
			wrote = done.wrote
			s.afterTurn(ctx, t, reply, done)
			return done.again, nil
		}
	}
	// The turn must not be lost with its context: a stopping process gives it to the others at once.
	left, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if ctx.Err() != nil {
		return false, errors.Join(err, s.releaseTurn(left, t))
	}
	return false, errors.Join(err, s.turnFailed(left, t))
}

const claimTurnSQL = `update conversations set lease_owner = $2, lease_until = $3
	where id = $1 and holder = 'bot' and turn_due_at is not null and (lease_until is null or lease_until <= $4)
	returning channel, thread, confidential, lang, last_seq, answered_seq, bot_state, turn_failures`

// claimTurn takes the lease and reads what is to be answered.
func (s *Service) claimTurn(ctx context.Context, id uuid.UUID) (*turn, bool, error) {
	t := &turn{conversation: id, lease: db.NewID()}
	now := s.now()
	claimed := false
	err := db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		var raw []byte
		var answered int64
		var thread string
		err := tx.QueryRow(ctx, claimTurnSQL, id, t.lease, now.Add(s.opt.Lease), now).Scan(&t.channel, &thread, &t.confidential, &t.lang, &t.lastSeq, &answered, &raw, &t.failures)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("chat: claim turn: %w", err)
		}
		t.chosen = t.lang
		t.state = bot.DecodeState(raw)
		ms, err := collect(ctx, tx, messagesSQL, id, answered, MaxPage)
		if err != nil {
			return err
		}
		t.read(ms)
		claimed = true
		if len(t.in) > 0 {
			return s.recallTx(ctx, tx, t, thread, ms)
		}
		claimed = false
		_, err = tx.Exec(ctx, `update conversations set turn_due_at = null, lease_owner = null, lease_until = null, answered_seq = last_seq where id = $1`, id)
		return err
	})
	return t, claimed, err
}

// read turns messages into the bot's input.
func (t *turn) read(ms []Message) {
	for i, m := range ms {
		if m.Author != ByCitizen {
			continue
		}
		in := bot.Input{Text: m.Text, Choice: m.Payload.Choice, Attachments: len(m.Payload.Uploads)}
		if p := m.Payload.Place; p != nil {
			in.Place = &bot.Place{Lat: p.Lat, Lon: p.Lon, Label: p.Label}
		}
		// The intake writes its reply to an emergency right behind the message.
		if i+1 < len(ms) && ms[i+1].Author == ByBot && ms[i+1].Payload.Event == EventEmergency {
			in.Alerted = true
			t.alert = &alert{text: m.Text, place: in.Place}
		}
		t.in = append(t.in, in)
	}
}

// thinkTurn runs outside any transaction.
func (s *Service) thinkTurn(ctx context.Context, t *turn) (reply bot.Reply, state bot.State, err error) {
	if reply, done := s.recalledReply(t); done {
		return reply, t.state, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.opt.TurnTimeout)
	defer cancel()
	slow := time.AfterFunc(300*time.Millisecond, func() { s.Typing(t.conversation, ByBot) })
	defer slow.Stop()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("chat: the bot panicked: %v", r)
		}
	}()
	return s.think(bot.Telling(ctx, func(soFar string) {
		t.told = true
		s.partial(t.conversation, soFar)
	}), t.state, t.in, t.lang)
}

// releaseTurn lets somebody else take the turn at once.
func (s *Service) releaseTurn(ctx context.Context, t *turn) error {
	return db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		_, err := tx.Exec(ctx, `update conversations set lease_owner = null, lease_until = null, turn_due_at = $3 where id = $1 and lease_owner = $2`, t.conversation, t.lease, s.now())
		return err
	})
}

// turnFailed plans another try with a growing pause; after several the citizen gets a person.
func (s *Service) turnFailed(ctx context.Context, t *turn) error {
	var p Posting
	err := db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		pause := time.Second << min(t.failures, 6)
		tag, err := tx.Exec(ctx, `update conversations set turn_failures = turn_failures + 1, turn_due_at = $3, lease_owner = null, lease_until = null
			where id = $1 and lease_owner = $2 and holder = 'bot'`, t.conversation, t.lease, s.now().Add(pause))
		if err != nil || tag.RowsAffected() == 0 || t.failures+1 < s.opt.MaxTurnFail {
			return err
		}
		if err := s.toQueue(ctx, tx, t.conversation); err != nil {
			return err
		}
		p, err = s.appendTx(ctx, tx, t.conversation, Outgoing{Author: BySystem, Text: s.say(t.lang, "bot_failed"), Payload: Payload{Event: EventHandoff}})
		p.holder = HeldByQueue
		return err
	})
	if err == nil {
		s.Posted(p)
	}
	return err
}

func (s *Service) sweepLoop(ctx context.Context) {
	tick := time.NewTicker(s.opt.SweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if _, err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
				s.log.WarnContext(ctx, "turn sweep", "error", err)
			}
		}
	}
}

const sweepSQL = `update conversations set turn_due_at = $2 where id in (
	select id from conversations where turn_due_at <= $1 and (lease_until is null or lease_until <= $1) order by turn_due_at limit $3 for no key update skip locked)
	returning id`

// Sweep takes over turns that their process has not answered in time: conversations whose turn is due and whose lease, if any, ran out.
// Every node sweeps; SKIP LOCKED keeps them out of each other's way. It returns how many it started.
func (s *Service) Sweep(ctx context.Context) (int, error) {
	now := s.now()
	var ids []uuid.UUID
	err := db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sweepSQL, now, now.Add(s.opt.Lease), 64)
		if err != nil {
			return err
		}
		ids, err = pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("chat: sweep: %w", err)
	}
	for _, id := range ids {
		select {
		case s.turns <- id:
		case <-ctx.Done():
			return len(ids), ctx.Err()
		}
	}
	return len(ids), nil
}
