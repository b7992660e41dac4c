package chat

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"hotline/channels"
	"hotline/chat/bot"
	"hotline/internal/db"
)

// DeliverMessageArgs asks for one message to be sent on its push channel.
type DeliverMessageArgs struct {
	ConversationID uuid.UUID `json:"conversation"`
	Seq            int64     `json:"seq"`
}

// Kind names the job.
func (DeliverMessageArgs) Kind() string { return "chat_deliver_message" }

// deliverTx asks for a delivery in the transaction that wrote its row.
func (s *Service) deliverTx(ctx context.Context, tx db.Tx, conversation uuid.UUID, seq int64) error {
	return s.jobs.InsertTx(ctx, tx, DeliverMessageArgs{ConversationID: conversation, Seq: seq}, nil)
}

// Register adds the package's workers; the application hands them to the runner of its jobs.
func (s *Service) Register(workers *river.Workers) { river.AddWorker(workers, &deliverWorker{s: s}) }

type deliverWorker struct {
	river.WorkerDefaults[DeliverMessageArgs]
	s *Service
}

// Timeout covers a run of messages that one job sends in order.
func (w *deliverWorker) Timeout(*river.Job[DeliverMessageArgs]) time.Duration { return 5 * time.Minute }

// Work sends what is pending in the conversation, in order, up to the job's message. Whatever waits (for a pause, for another worker) is
// a snooze: attempts are counted in the deliveries, where staff see them.
func (w *deliverWorker) Work(ctx context.Context, job *river.Job[DeliverMessageArgs]) error {
	wait, err := w.s.Deliver(ctx, job.Args.ConversationID, job.Args.Seq)
	if err != nil {
		return err
	}
	if wait > 0 {
		return river.JobSnooze(wait)
	}
	return nil
}

// delivery is a claimed row.
type delivery struct {
	id                       uuid.UUID
	seq                      int64
	channel, account, thread string
	attempts                 int
	since                    time.Time // when it was made, or sent again by staff
	waited                   bool      // it was put off before
	away                     bool      // on a channel that the contact allowed, beside the conversation's own
}

// Deliver sends what is pending in a conversation, oldest first, until the message with this seq is no longer pending. A wait says when to
// come back. Errors: db.ErrUnavailable.
func (s *Service) Deliver(ctx context.Context, conversation uuid.UUID, seq int64) (wait time.Duration, err error) {
	for {
		d, wait, err := s.claimDelivery(ctx, conversation, seq)
		if err != nil || wait > 0 || d == nil {
			return wait, err
		}
		var res channels.Result
		out, adapter, sendErr := s.outbound(ctx, conversation, *d)
		if refused(sendErr) == nil && sendErr != nil {
			return 0, sendErr
		}
		if sendErr == nil {
			out.Begin = func(ctx context.Context) error { return s.beginDelivery(ctx, *d) }
			res, sendErr = s.send(ctx, adapter, out)
		}
		// What was sent must be noted even when the process is being stopped.
		keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		wait, err = s.noteDelivery(keep, conversation, *d, res, sendErr)
		cancel()
		if err != nil || wait > 0 {
			return wait, err
		}
	}
}

// refused is what an error says about a message that is not to be sent, now or ever; nil for a failure of our own.
func refused(err error) error {
	var permanent *channels.PermanentError
	var retry *channels.RetryError
	if errors.As(err, &permanent) || errors.As(err, &retry) {
		return err
	}
	return nil
}

func (s *Service) send(ctx context.Context, a channels.Adapter, out channels.Outbound) (res channels.Result, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.opt.SendTimeout)
	defer cancel()
	defer func() {
		if r := recover(); r != nil {
			res, err = channels.Result{State: channels.Unknown}, nil
			s.log.ErrorContext(ctx, "channel adapter panicked", "channel", a.Name(), "panic", fmt.Sprint(r))
		}
	}()
	return a.Send(ctx, out)
}

// claimDelivery takes the oldest pending delivery up to seq. Nothing left: nil and no wait.
func (s *Service) claimDelivery(ctx context.Context, conversation uuid.UUID, seq int64) (d *delivery, wait time.Duration, err error) {
	now := s.now()
	lost := false
	err = db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		for {
			one := delivery{}
			var claimed, next *time.Time
			var begun bool
			err := tx.QueryRow(ctx, `select id, seq, channel, account, thread, attempts, created_at, person is not null, claimed_until, next_at, begun_at is not null from deliveries
				where conversation_id = $1 and seq <= $2 and state = 'pending' order by seq, created_at limit 1 for update`, conversation, seq).
				Scan(&one.id, &one.seq, &one.channel, &one.account, &one.thread, &one.attempts, &one.since, &one.away, &claimed, &next, &begun)
			switch {
			case errors.Is(err, pgx.ErrNoRows):
				return nil
			case err != nil:
				return fmt.Errorf("chat: claim delivery: %w", err)
			case claimed != nil && claimed.After(now): // another worker is sending it
				wait = min(claimed.Sub(now), 2*time.Second)
				return nil
			case claimed != nil && begun: // its worker died in the middle: sending again might double it
				lost = true
				if _, err := tx.Exec(ctx, `update deliveries set state = 'unknown', claimed_until = null, error = $2, updated_at = $3 where id = $1`, one.id, s.say("en", "delivery.interrupted"), now); err != nil {
					return fmt.Errorf("chat: claim delivery: %w", err)
				}
				continue
			case next != nil && next.After(now):
				wait = next.Sub(now)
				return nil
			case s.elsewhere(one.channel):
				wait = elsewhere/2 + rand.N(elsewhere)
				return nil
			}
			one.attempts++
			one.waited = next != nil
			if _, err := tx.Exec(ctx, `update deliveries set attempts = $2, claimed_until = $3, updated_at = $4, begun_at = case when $5 then null else $4::timestamptz end where id = $1`,
				one.id, one.attempts, now.Add(s.opt.SendTimeout+15*time.Second), now, s.announces(one.channel)); err != nil {
				return fmt.Errorf("chat: claim delivery: %w", err)
			}
			d = &one
			return nil
		}
	})
	if err == nil && lost {
		s.announce(conversation)
	}
	return d, wait, err
}

func (s *Service) announces(channel string) bool {
	a, _ := s.channels.Get(channel)
	_, ok := a.(channels.Announcer)
	return ok
}

const beginSQL = `update deliveries set begun_at = $3 where id = $1 and attempts = $2 and state = 'pending' and claimed_until > $3`

// errTaken: a worker that was slow may not send any more what another one has taken.
var errTaken = errors.New("chat: another worker sends the message")

// beginDelivery notes that the vendor may have the message from now on.
// Errors: errTaken; db.ErrUnavailable.
func (s *Service) beginDelivery(ctx context.Context, d delivery) error {
	return db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		tag, err := tx.Exec(ctx, beginSQL, d.id, d.attempts, s.now())
		if err == nil && tag.RowsAffected() == 0 {
			err = errTaken
		}
		return err
	})
}

// elsewhere is about when a job looks again that came up on a node which cannot send its message: most likely on the one that can.
const elsewhere = 400 * time.Millisecond

// elsewhere reports whether another node sends the messages of a channel.
func (s *Service) elsewhere(channel string) bool {
	a, _ := s.channels.Get(channel)
	one, ok := a.(channels.Single)
	return ok && !one.Here()
}

// outboundSQL reads what a message needs of its conversation: the language, the person's message before it on that channel, and the latest subject line.
const outboundSQL = `select c.lang, coalesce(said.title, ''), coalesce(said.external_id, '') from conversations c left join lateral (
	select r.external_id, m.payload->>'title' as title from receipts r join messages m on m.conversation_id = r.conversation_id and m.seq = r.seq
	where r.channel = $2 and r.account = $3 and r.thread = $4 and r.conversation_id = c.id and r.seq < $5 order by r.seq desc limit 1) said on true where c.id = $1`

// typed tells for each quick reply what a person types for it on a channel where nothing can be tapped.
func typed(in []channels.Choice) []channels.Choice {
	offered, out := make([]bot.Choice, len(in)), slices.Clone(in)
	for i, c := range in {
		offered[i] = bot.Choice{ID: c.ID, Label: c.Label}
	}
	for i := range out {
		out[i].Typed = bot.Typed(offered, i)
	}
	return out
}

// outbound makes the message as the channel gets it.
// Errors: *channels.PermanentError and *channels.RetryError where it is not to be sent.
func (s *Service) outbound(ctx context.Context, conversation uuid.UUID, d delivery) (channels.Outbound, channels.Adapter, error) {
	adapter, ok := s.channels.Get(d.channel)
	if !ok {
		return channels.Outbound{}, nil, &channels.PermanentError{Code: "no_channel", Reason: s.say("en", "delivery.no_channel")}
	}
	ms, err := s.Messages(ctx, db.System(), conversation, d.seq-1, 1)
	if err != nil {
		return channels.Outbound{}, nil, err
	}
	if len(ms) == 0 {
		return channels.Outbound{}, nil, fmt.Errorf("chat: delivery %s has no message", d.id)
	}
	if ms, err = s.RenderFor(ctx, ReaderCitizen, ms); err != nil {
		return channels.Outbound{}, nil, err
	}
	m := ms[0]
	if d.away {
		out, err := s.outboundAway(ctx, adapter, d, m)
		return out, adapter, err
	}
	out := channels.Outbound{ConversationID: conversation, Seq: d.seq, Account: d.account, Thread: d.thread, Author: m.Author, Name: m.Name,
		Text: m.Text, Choices: typed(m.Payload.Choices), Citations: m.Payload.Citations, Key: d.id.String()}
	err = db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		if err := s.stoppedTx(ctx, tx, conversation, d); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, outboundSQL, conversation, d.channel, d.account, d.thread, d.seq).Scan(&out.Lang, &out.Title, &out.ReplyTo); err != nil {
			return err
		}
		for _, u := range m.Payload.Uploads {
			var key string
			if err := tx.QueryRow(ctx, `select blob from uploads where id = $1`, u.ID).Scan(&key); err != nil {
				return err
			}
			out.Uploads = append(out.Uploads, channels.Upload{ID: u.ID, Name: u.Name, Type: u.Type, Size: u.Size, Width: u.Width, Height: u.Height,
				Open: func(ctx context.Context) (io.ReadSeekCloser, error) { return s.blob.Open(ctx, key) }})
		}
		return nil
	})
	if refused(err) != nil {
		return out, nil, err
	}
	if err != nil {
		return out, nil, fmt.Errorf("chat: delivery: %w", err)
	}
	return out, adapter, nil
}

// busyFor is how long a channel may go on asking to wait. It ends with a second try at least: the first may come after days behind other messages, or without
// the server.
const busyFor = 72 * time.Hour

// noteDelivery records how an attempt ended. A wait says when the next one may begin.
func (s *Service) noteDelivery(ctx context.Context, conversation uuid.UUID, d delivery, res channels.Result, sendErr error) (time.Duration, error) {
	var permanent *channels.PermanentError
	var retry *channels.RetryError
	state, words, attempts, blames := string(res.State), "", d.attempts, channels.Blame("")
	var wait time.Duration
	switch {
	case sendErr == nil:
		if state != string(channels.Delivered) && state != string(channels.Unknown) {
			state = string(channels.Sent)
		}
		if state == string(channels.Unknown) {
			words = s.say("en", "delivery.unknown")
		}
	case errors.As(sendErr, &permanent):
		state, words, blames = "failed", permanent.Reason, permanent.Blames
	case errors.As(sendErr, &retry) && d.waited && s.now().Sub(d.since) >= busyFor:
		state, words = "failed", s.say("en", "delivery.stayed_busy", "n", int(busyFor.Hours()))
	case errors.As(sendErr, &retry):
		state, words, attempts = "pending", s.say("en", "delivery.busy"), d.attempts-1
		wait = min(max(retry.After, time.Second), busyFor)
	case d.attempts >= s.opt.MaxAttempts:
		state, words = "failed", s.say("en", "delivery.gave_up", "n", d.attempts)
	default:
		state, words = "pending", s.say("en", "delivery.retry", "n", d.attempts)
		wait = time.Duration(float64(time.Second<<min(d.attempts, 9)) * (0.75 + rand.Float64()/2))
	}
	if sendErr != nil {
		s.log.WarnContext(ctx, "delivery", "conversation", conversation, "seq", d.seq, "channel", d.channel, "attempt", d.attempts, "state", state, "error", sendErr)
	}
	now := s.now()
	var next *time.Time
	if wait > 0 {
		at := now.Add(wait)
		next = &at
	}
	err := db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) (err error) {
		var m matter
		if state == "failed" {
			if m, err = s.matterTx(ctx, tx, conversation, d.seq); err != nil {
				return err
			}
		}
		tag, err := tx.Exec(ctx, `update deliveries set state = $3, remote_id = $4, error = $5, attempts = $6, next_at = $7, claimed_until = null, updated_at = $8, blames = $9
			where id = $1 and state = 'pending' and attempts = $2`, d.id, d.attempts, state, res.RemoteID, words, attempts, next, now, blames)
		if err != nil || state != "failed" || tag.RowsAffected() == 0 {
			return err
		}
		return s.fallBackTx(ctx, tx, m, conversation, d, blames, words)
	})
	if err != nil {
		return 0, fmt.Errorf("chat: note delivery: %w", err)
	}
	if state == "failed" || state == string(channels.Unknown) {
		s.announce(conversation)
	}
	return wait, nil
}

// Redeliver sends a message again whose delivery failed or is unknown, because a member of staff says so. It is then as if it were told now.
// Errors: ErrNotFound; ErrNoDelivery; ErrStaffOnly.
func (s *Service) Redeliver(ctx context.Context, actor db.Actor, conversation uuid.UUID, seq int64) error {
	if actor.User() == uuid.Nil && !actor.IsSystem() {
		return ErrStaffOnly
	}
	return db.WithTx(ctx, s.pool, actor, func(tx db.Tx) error {
		if _, err := lockHeld(ctx, tx, conversation); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `update deliveries set state = 'pending', attempts = 0, error = '', blames = '', next_at = null, claimed_until = null, created_at = $3, updated_at = $3
			where conversation_id = $1 and seq = $2 and state in ('failed', 'unknown')`, conversation, seq, s.now())
		if err != nil {
			return fmt.Errorf("chat: redeliver: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return ErrNoDelivery
		}
		return s.deliverTx(ctx, tx, conversation, seq)
	})
}
