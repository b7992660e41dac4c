package chat_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"hotline/chat"
	"hotline/internal/db"
	"hotline/internal/testkit"
)

// BenchmarkIntake takes in first messages of new conversations and stands beside BenchmarkBareInserts: the same rows, with the same indexes,
// in one statement without any logic. The budget is half of its rate.
func BenchmarkIntake(b *testing.B) {
	r := newRig(b, func(d *chat.Deps) { d.Tickets = nil })
	var n atomic.Int64
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			id := fmt.Sprint(n.Add(1))
			if _, err := r.Ingest(ctxb, message(id, id, "No water since this morning in our street.")); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tx/s")
}

func BenchmarkBareInserts(b *testing.B) {
	pool := testkit.DB(b)
	owner := testkit.OwnerPool(b, pool)
	var n atomic.Int64
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			id := fmt.Sprint(n.Add(1))
			_, err := owner.Exec(ctxb, `with c as (insert into conversations (id, channel, account, thread, last_seq, turn_due_at) values ($1, 'web', 'demo', $2, 1, now())),
				m as (insert into messages (conversation_id, seq, id, author, text) values ($1, 1, $3, 'citizen', 'No water since this morning in our street.'))
				insert into receipts (channel, account, thread, external_id, body_hash, conversation_id, seq) values ('web', 'demo', $2, $2, '\x00', $1, 1)`, db.NewID(), id, db.NewID())
			if err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tx/s")
}

// BenchmarkFiling files whole tickets: conversation, message, receipt, contact, ticket, history, clocks, access rows.
func BenchmarkFiling(b *testing.B) {
	r := newRig(b)
	var n atomic.Int64
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := r.FileTicket(ctxb, filing(fmt.Sprint(n.Add(1)))); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tx/s")
}
