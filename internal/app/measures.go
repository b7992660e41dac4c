package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"hotline/internal/blob"
	"hotline/internal/clock"
	"hotline/internal/config"
	"hotline/routing"
	"hotline/tickets"
	"hotline/tickets/opendata"
	"hotline/tickets/statistics"
	"hotline/web/figures"
)

// followPause is how long the follower of the measures rests when nothing is left to do: numbers are at most this old, and a little.
const followPause = 2 * time.Second

// openDataEvery is how often the node that follows the measures looks whether a month's open data is due.
const openDataEvery = time.Hour

// followMeasures keeps facts and sums up to date and publishes the open data of each month, on one node at a time.
func (a *App) followMeasures(ctx context.Context) {
	var looked time.Time
	for ctx.Err() == nil {
		pause, began := followPause, time.Now()
		f, err := a.Statistics.Follow(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			a.log.Error("measures", "error", err)
			pause = 10 * followPause
		case f.More:
			pause = time.Since(began) // half of the time at most: under a rush the intake comes first
		case a.clock.Now().Sub(looked) > openDataEvery:
			looked = a.clock.Now()
			a.publishOpenData(ctx)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

func (a *App) publishOpenData(ctx context.Context) {
	month, err := a.OpenData.Due(ctx)
	if err == nil && month != "" {
		var d opendata.Table
		if d, err = a.OpenData.Publish(ctx, month, OpenDataTrees(a.Routing), a.files); err == nil {
			a.log.Info("open data published", "month", month, "rows", d.Rows, "left_out", d.LeftOut)
		}
	}
	if err != nil && ctx.Err() == nil {
		a.log.Error("open data", "error", err)
	}
}

// OpenDataTrees is how routing makes the rows of the open data coarser.
func OpenDataTrees(r *routing.Service) opendata.Trees {
	return opendata.Trees{
		AreaParent:     func(code string) string { a, _ := r.Snapshot().Area(code); return a.Parent },
		CategoryParent: func(code string) string { c, _ := r.Snapshot().Category(code); return c.Parent },
		AgencyCode: func(id string) string {
			if parsed, err := uuid.Parse(id); err == nil {
				a, _ := r.Snapshot().Agency(parsed)
				return a.Code
			}
			return ""
		},
	}
}

// numbers is what the public may see of the measures; portal and API share its memory.
func (a *App) numbers() *publicNumbers {
	if a.public == nil {
		a.public = &publicNumbers{Publisher: &figures.Publisher{Figures: figures.Figures{Statistics: a.Statistics, Routing: a.Routing, Knowledge: a.Knowledge}}, open: a.OpenData, files: a.files}
	}
	return a.public
}

type publicNumbers struct {
	*figures.Publisher
	open  *opendata.Store
	files *blob.Folder
}

// AgencyName implements portal.Numbers.
func (n *publicNumbers) AgencyName(id uuid.UUID, lang string) string {
	a, _ := n.Routing.Snapshot().Agency(id)
	return a.Names.In(lang)
}

// Files implements portal.Numbers.
func (n *publicNumbers) Files(ctx context.Context) ([]opendata.File, error) {
	return n.open.List(ctx)
}

// File implements portal.Numbers.
func (n *publicNumbers) File(ctx context.Context, month time.Time, format string) (opendata.File, io.ReadSeekCloser, error) {
	f, err := n.open.File(ctx, month, format)
	if err != nil {
		return f, nil, err
	}
	body, err := n.files.Open(ctx, f.Blob)
	return f, body, err
}

// Measured is what commands on the measures work with.
type Measured struct {
	Statistics *statistics.Store
	OpenData   *opendata.Store
	Trees      opendata.Trees
}

// WithMeasures runs f with the statistics and the open data, for commands on the measures beside a running node or without one.
func WithMeasures(ctx context.Context, cfg config.Config, log *slog.Logger, f func(Measured) error) error {
	path := cfg.KeyFile
	if path == "" {
		path = filepath.Join(cfg.Data, "secret.key")
	}
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("secret key: %w; contacts are recognized with it", err)
	}
	key, err := readKey(path)
	if err != nil {
		return err
	}
	return WithDatabase(ctx, cfg, log, func(d Database) error {
		r := routing.New(routing.Deps{Pool: d.Pool, Log: log, TrainLater: true})
		if err := r.Reload(ctx); err != nil {
			return err
		}
		s, err := tickets.New(tickets.Deps{Pool: d.Pool, Clock: clock.System{}, Key: key, Log: log, Router: tickets.RouterOf(r)})
		if err != nil {
			return err
		}
		if err := s.Reload(ctx); err != nil {
			return err
		}
		numbers := statistics.New(d.Pool, clock.System{}, s)
		return f(Measured{numbers, opendata.New(d.Pool, clock.System{}, numbers), OpenDataTrees(r)})
	})
}
