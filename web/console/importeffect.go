package console

import (
	"context"
	"time"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/knowledge/exchange"
)

const (
	sqlHoldImport   = `update knowledge_imports set claimed_until = $2 where id = $1 and finished_at is null`
	sqlImportEffect = `update knowledge_imports set effect = $2, claimed_until = $3 where id = $1 and finished_at is null`
)

// foreseeLease is as long as thousands of questions may be searched for, while nothing renews the lease.
const foreseeLease = 10 * time.Minute

// foresee tries the texts that an import publishes and keeps what it finds with the report. Errors: those of reading the file and of the database.
func (c *Console) foresee(ctx context.Context, v View, id uuid.UUID, name string, data []byte) error {
	source, err := exchange.Read(name, data)
	if err != nil {
		return err
	}
	note := func(sql string, args ...any) error {
		return db.WithTx(ctx, c.Pool, v.Me.Actor(), func(tx db.Tx) error {
			_, err := tx.Exec(ctx, sql, args...)
			return err
		})
	}
	x, err := c.Learn.ForeseeImport(ctx, staff(v), source, func() error { return note(sqlHoldImport, id, c.clock.Now().Add(foreseeLease)) })
	if err != nil {
		return err
	}
	return note(sqlImportEffect, id, x, c.clock.Now().Add(importLease))
}
