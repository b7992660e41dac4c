package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/internal/config"
	"hotline/internal/db"
	"hotline/internal/db/privatepg"
)

// Database is an installation's database without the rest of a node: for commands such as import and admin create.
type Database struct {
	Pool *pgxpool.Pool
	log  *slog.Logger
}

// Log is where a command on the database writes what it notices.
func (d Database) Log() *slog.Logger { return d.log }

// Zone is the jurisdiction's time zone, in which days begin.
func (d Database) Zone(ctx context.Context) *time.Location {
	var name string
	err := db.ReadTx(ctx, d.Pool, db.System(), func(tx db.Tx) error {
		return tx.QueryRow(ctx, `select timezone from jurisdictions order by code limit 1`).Scan(&name)
	})
	if zone, bad := time.LoadLocation(name); err == nil && bad == nil && name != "" {
		return zone
	}
	return time.UTC
}

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
	return f(Database{Pool: a.pool, log: log})
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

// Missing says in words which reference data tickets cannot be routed without, and how to load it; "" when nothing is missing.
func (d Database) Missing(ctx context.Context) (string, error) {
	var agencies, categories int
	var catalogue, admins bool
	err := db.ReadTx(ctx, d.Pool, db.System(), func(tx db.Tx) error {
		return tx.QueryRow(ctx, `select (select count(*) from agencies where kind <> 'hotline' and active), (select count(*) from categories where active),
			exists (select from catalogue_versions where state = 'published'), exists (select from users where active and 'administrator' = any(roles))`).Scan(&agencies, &categories, &catalogue, &admins)
	})
	if err != nil {
		return "", err
	}
	var missing []string
	for _, m := range []struct {
		there bool
		words string
	}{{agencies > 0, "agencies that answer"}, {categories > 0, "categories"}, {catalogue, "a dispatch catalogue"}} {
		if !m.there {
			missing = append(missing, m.words)
		}
	}
	var b strings.Builder
	if !admins {
		b.WriteString("\nNobody can sign in yet. Make the first administrator:\n  hotline admin create --email you@example.org --name \"Your Name\" --city \"Your City\"\n")
	}
	if len(missing) > 0 {
		b.WriteString("\nReference data is missing: " + strings.Join(missing, ", ") + ". Tickets are taken in and nobody is found who answers them.\n" +
			"Load a folder of it (docs/operations.md, \"A new installation step by step\"):\n" +
			"  hotline import city DIR --check    says what would change\n  hotline import city DIR            loads it; this node follows by itself\n" +
			"or enter it in the console under Administration.\n")
	}
	return b.String(), nil
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
