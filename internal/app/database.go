package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/internal/config"
	"hotline/internal/db"
	"hotline/internal/db/privatepg"
)

// Database is an installation's database without the rest of a node: for commands such as import and admin create.
type Database struct{ Pool *pgxpool.Pool }

// WithDatabase opens the database as a node would, runs f, and closes it. A private one that a running node has started is used beside that
// node; otherwise it is started, and stopped afterwards.
func WithDatabase(ctx context.Context, cfg config.Config, log *slog.Logger, f func(Database) error) error {
	a := &App{cfg: cfg, log: log, loops: newLoops()}
	defer a.Stop(context.WithoutCancel(ctx))
	if err := a.openData(ctx); err != nil {
		url, running := privatepg.Running(cfg.Data)
		if !running {
			return err
		}
		a.cfg.Database = url // the node has migrated it
	}
	if err := a.openDatabase(ctx); err != nil {
		return err
	}
	return f(Database{a.pool})
}

// EnsureInstallation gives a new installation its jurisdiction and the agency that is the hotline itself; an existing one is left alone.
func (d Database) EnsureInstallation(ctx context.Context, city string) error {
	if city == "" {
		city = "Hotline"
	}
	names := map[string]string{"en": city, "zh-CN": city}
	return db.WithTx(ctx, d.Pool, db.System(), func(tx db.Tx) error {
		b := &pgx.Batch{}
		b.Queue(`insert into jurisdictions (code, names, timezone, languages) select 'main', $1, 'Asia/Shanghai', '{en,zh-CN}' where not exists (select from jurisdictions)`, names)
		b.Queue(`insert into agencies (id, code, names, kind) select $1, 'hotline', $2, 'hotline' where not exists (select from agencies)`, db.NewID(), names)
		return tx.SendBatch(ctx, b).Close()
	})
}

// Desk is the agency that is the hotline itself.
func (d Database) Desk(ctx context.Context) (id uuid.UUID, err error) {
	err = db.ReadTx(ctx, d.Pool, db.System(), func(tx db.Tx) error {
		return tx.QueryRow(ctx, `select id from agencies where kind = 'hotline' order by created_at limit 1`).Scan(&id)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return uuid.Nil, fmt.Errorf("there is no agency of kind hotline")
	}
	return id, err
}
