package tickets_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/tickets"
)

// BenchmarkOpen is the ticket's part of intake: one transaction with conversation and ticket.
func BenchmarkOpen(b *testing.B) {
	o := open(b)
	ctx := b.Context()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			d := o.draft()
			d.ConversationID = db.NewID()
			err := db.WithTx(ctx, o.pool, db.System(), func(tx db.Tx) error {
				if _, err := tx.Exec(ctx, `insert into conversations (id, channel, account, thread) values ($1, 'web', 'test', $2)`, d.ConversationID, d.ConversationID.String()); err != nil {
					return err
				}
				_, err := o.OpenTx(ctx, tx, d)
				return err
			})
			if err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tickets/s")
}

// BenchmarkBareInserts writes the same rows with nothing around them: as many statements as there are tables, in one batch.
func BenchmarkBareInserts(b *testing.B) {
	o := open(b)
	ctx := b.Context()
	k := o.file() // for the shape of the rows
	words := tickets.SearchVector(k)
	desk := o.city.Agencies["hotline"]
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			id, conv := db.NewID(), db.NewID()
			now := time.Now()
			err := db.WithTx(ctx, o.pool, db.System(), func(tx db.Tx) error {
				q := &pgx.Batch{}
				q.Queue(`insert into conversations (id, channel, account, thread) values ($1, 'web', 'test', $2)`, conv, conv.String())
				q.Queue(`insert into tickets (id, number, code_hash, events, kind, category, title, description, lang, channel, conversation_id, state, warn_at, due_at, promised_at, opened_at, updated_at)
					values ($1, '2026-' || nextval('ticket_numbers'), $2, 3, $3, $4, $5, $6, 'en', 'web', $7, $8, $9, $9, $9, $9, $9)`,
					id, append(id[:], conv[:]...), k.Kind, k.Category, k.Title, k.Description, conv, string(k.State), now)
				q.Queue(`insert into ticket_access (agency_id, ticket_id, role, state, queue, open, acting, kind, category, urgency, confidential, due_at, opened_at, updated_at)
					values ($1, $2, 'desk', $3, 'dispatch', true, true, $4, $5, 'normal', false, $6, $6, $6)`, desk, id, string(k.State), k.Kind, k.Category, now)
				q.Queue(`insert into ticket_events (ticket_id, seq, type, actor, to_state, public, at) values ($1, 1, 'opened', 'citizen', 'received', true, $2), ($1, 2, 'accept', 'system', 'accepted', true, $2), ($1, 3, 'queue', 'system', 'pending_dispatch', false, $2)`, id, now)
				q.Queue(`insert into ticket_clocks (ticket_id, name, policy, n, unit, started_at, warn_at, due_at, next_fire_at, stopped_at) values ($1, 'accept', 'p', 1, 'hours', $2, $2, $2, null, $2),
					($1, 'first_reply', 'p', 1, 'hours', $2, $2, $2, $2, null), ($1, 'resolve', 'p', 1, 'hours', $2, $2, $2, $2, null), ($1, 'dispatch', 'p', 1, 'hours', $2, $2, $2, $2, null)`, id, now)
				q.Queue(`insert into ticket_search (ticket_id, words) values ($1, $2::text::tsvector)`, id, words)
				q.Queue(`insert into notifications (id, agency_id, role, ticket_id, type, created_at) values ($1, $2, 'dispatcher', $3, 'pending_dispatch', $4)`, db.NewID(), desk, id, now)
				q.Queue(`update conversations set ticket_id = $1 where id = $2`, id, conv)
				return tx.SendBatch(ctx, q).Close()
			})
			if err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tickets/s")
}
