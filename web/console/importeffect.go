package console

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/knowledge"
	"hotline/knowledge/exchange"
)

// An import that publishes changes what citizens are told, so its report says what it does to the answers of the evaluation set, as publishing one
// article does: the file is gone through once without writing, and its texts are tried together.

const (
	mostForeseen = 1000 // texts of a file that are tried
	mostRows     = 30   // pairs that a report names
)

// importEffect is kept with the report. It names pairs of the evaluation set, which editors have confirmed, and no question that a citizen asked.
type importEffect struct {
	Tried            int  // texts
	Cut              bool // there are more in the file
	Pairs, Questions int
	Better, Worse    int
	Rows             []effectOnPair
}

type effectOnPair struct {
	Question, Lang, Kind string
	Bad                  bool
}

const (
	sqlHoldImport   = `update knowledge_imports set claimed_until = $2 where id = $1 and finished_at is null`
	sqlImportEffect = `update knowledge_imports set effect = $2, claimed_until = $3 where id = $1 and finished_at is null`
)

// foreseeLease is as long as thousands of questions may be searched for, while nothing renews the lease.
const foreseeLease = 10 * time.Minute

var errForeseen = errors.New("console: enough texts to try")

// foresee tries the texts that an import publishes and keeps what it finds. Errors: those of reading the file and of the database.
func (c *Console) foresee(ctx context.Context, v View, id uuid.UUID, name string, data []byte) error {
	source, err := exchange.Read(name, data)
	if err != nil {
		return err
	}
	var texts []knowledge.Entry
	_, err = c.Knowledge.ImportFrom(ctx, staff(v), source, knowledge.ImportOptions{DryRun: true,
		Publishes: func(e knowledge.Entry) { texts = append(texts, e) },
		Told: func(context.Context, db.Tx, knowledge.ImportReport) error {
			if len(texts) >= mostForeseen {
				return errForeseen
			}
			return nil
		}})
	cut := errors.Is(err, errForeseen)
	if err != nil && !cut {
		return err
	}
	texts = texts[:min(len(texts), mostForeseen)]
	if err := db.WithTx(ctx, c.Pool, v.Me.Actor(), func(tx db.Tx) error {
		_, err := tx.Exec(ctx, sqlHoldImport, id, c.clock.Now().Add(foreseeLease))
		return err
	}); err != nil {
		return err
	}
	f, err := c.Learn.ForecastTexts(ctx, texts)
	if err != nil {
		return err
	}
	x := importEffect{Tried: len(texts), Cut: cut, Pairs: f.Pairs, Questions: f.Questions, Better: f.Better(), Worse: f.Worse()}
	for _, bad := range []bool{true, false} { // what gets worse comes first
		for _, o := range f.Effects {
			if o.Pair && o.Bad() == bad && len(x.Rows) < mostRows {
				x.Rows = append(x.Rows, effectOnPair{o.Question, o.Lang, o.Kind, bad})
			}
		}
	}
	return db.WithTx(ctx, c.Pool, v.Me.Actor(), func(tx db.Tx) error {
		_, err := tx.Exec(ctx, sqlImportEffect, id, x, c.clock.Now().Add(importLease))
		return err
	})
}
