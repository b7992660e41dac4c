package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"hotline/internal/app"
	"hotline/internal/telemetry"
)

// measuresCommand builds the statistics again. It may run beside nodes: they share the work.
func measuresCommand(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 || args[0] != "rebuild" {
		return usageError{"usage: hotline measures rebuild [--data D]"}
	}
	cfg, err := settings("measures rebuild", args[1:], nil)
	if err != nil {
		return err
	}
	return app.WithMeasures(ctx, cfg, telemetry.NewLogger(os.Stderr, cfg.LogLevel, cfg.LogFormat), func(m app.Measured) error {
		began, shown := time.Now(), time.Now()
		var built int64
		err := m.Statistics.Rebuild(ctx, func(done, total int64) {
			if built = done; time.Since(shown) < 2*time.Second {
				return
			}
			shown = time.Now()
			fmt.Fprintf(os.Stderr, "%d of %d tickets and chats, %.0f/s\n", done, total, float64(done)/time.Since(began).Seconds())
		})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "%d tickets and chats counted in %.1f s\n", built, time.Since(began).Seconds())
		return err
	})
}

// export writes what leaves the installation as files.
func export(ctx context.Context, args []string, out io.Writer) error {
	if len(args) > 0 && args[0] == "city" {
		return exportCity(ctx, args, out)
	}
	if len(args) > 0 && args[0] == "open-data" {
		return exportOpenData(ctx, args, out)
	}
	if len(args) > 0 && args[0] == "knowledge" {
		return exportKnowledge(ctx, args[1:], out)
	}
	return usageError{"usage: hotline export city DIR | hotline export knowledge --format md|jsonl|csv|xlsx|html [--out FILE] | hotline export open-data --month 2026-10 [--out DIR]"}
}

// exportOpenData writes a month's open data into a folder.
func exportOpenData(ctx context.Context, args []string, out io.Writer) error {
	month, dir := "", "."
	cfg, err := settings("export open-data", args[1:], func(set func(string, *string, string), _ func(string, string) *bool) {
		set("month", &month, "the month, YYYY-MM")
		set("out", &dir, "folder for the two files")
	})
	if err != nil {
		return err
	}
	if month == "" {
		return usageError{"--month is needed: hotline export open-data --month 2026-10"}
	}
	return app.WithMeasures(ctx, cfg, telemetry.NewLogger(os.Stderr, cfg.LogLevel, cfg.LogFormat), func(m app.Measured) error {
		d, err := m.OpenData.Of(ctx, month, m.Trees)
		if err != nil {
			return err
		}
		for format, write := range map[string]func(io.Writer) error{"csv": d.WriteCSV, "json": d.WriteJSON} {
			if err := toFile(filepath.Join(dir, "hotline-"+month+"."+format), write); err != nil {
				return err
			}
		}
		_, err = fmt.Fprintf(out, "%d rows of %s; %d left out because too few were alike\n", d.Rows, month, d.LeftOut)
		return err
	})
}

// toFile writes a file; half of one is removed.
func toFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err = write(f); err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		_ = os.Remove(path) // the first error is the one to tell
	}
	return err
}
