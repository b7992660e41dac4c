package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"hotline/internal/app"
	"hotline/internal/city"
	"hotline/internal/config"
	"hotline/internal/telemetry"
)

// importCity brings an installation in line with a folder of reference data.
func importCity(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 || args[0] == "" || args[0][0] == '-' {
		return usageError{"usage: hotline import city DIR [--check] [--deactivate-missing] [--data D]"}
	}
	var check, deactivate *bool
	cfg, err := settings("import city", args[1:], func(_ func(string, *string, string), flag func(string, string) *bool) {
		check = flag("check", "say what would change and write nothing")
		deactivate = flag("deactivate-missing", "take out of use what the folder does not have; nothing is ever deleted")
	})
	if err != nil {
		return err
	}
	// The folder is judged before the database is touched.
	c, err := city.ReadDir(args[0])
	if err != nil {
		return fmt.Errorf("%s does not hold together, and nothing was changed:\n%w", args[0], err)
	}
	for _, advice := range c.Advice {
		fmt.Fprintln(os.Stderr, "advice:", advice)
	}
	return withDatabase(ctx, cfg, func(d app.Database) error {
		p, err := city.Import(ctx, d.Pool, c, city.Options{Check: *check, DeactivateMissing: *deactivate})
		if err != nil {
			return fmt.Errorf("nothing was changed:\n%w", err)
		}
		for _, change := range p.Changes {
			fmt.Fprintln(out, change)
		}
		switch {
		case p.Empty():
			_, err = fmt.Fprintln(out, "Nothing changes: the installation holds what the folder says.")
		case *check:
			_, err = fmt.Fprintf(out, "This would change: %s. Nothing was written; leave --check away to do it.\n", p.Counts())
		default:
			_, err = fmt.Fprintf(out, "Done: %s. Running nodes follow within seconds.\n", p.Counts())
		}
		return err
	})
}

// exportCity writes the reference data of an installation into a folder that import city takes.
func exportCity(ctx context.Context, args []string, out io.Writer) error {
	if len(args) < 2 || args[0] != "city" || args[1] == "" || args[1][0] == '-' {
		return usageError{"usage: hotline export city DIR [--data D]"}
	}
	dir := args[1]
	cfg, err := settings("export city", args[2:], nil)
	if err != nil {
		return err
	}
	return withDatabase(ctx, cfg, func(d app.Database) error {
		c, err := city.Export(ctx, d.Pool)
		if err != nil {
			return err
		}
		left, err := city.Write(dir, c)
		if err != nil {
			return err
		}
		for _, key := range left {
			fmt.Fprintf(os.Stderr, "left out: article %s: no file can be named after its key\n", key)
		}
		if _, err := city.ReadDir(dir); err != nil {
			fmt.Fprintf(os.Stderr, "The folder is written, and import city would not take it as it is:\n%v\n", err)
		}
		_, err = fmt.Fprintf(out, "%s holds %d agencies, %d areas, %d categories, %d service items, %d catalogue entries, %d articles.\n",
			dir, len(c.Agencies), len(c.Areas), len(c.Categories), len(c.Services), len(c.Catalogue.Entries), len(c.Articles)-len(left))
		return err
	})
}

func withDatabase(ctx context.Context, cfg config.Config, f func(app.Database) error) error {
	return app.WithDatabase(ctx, cfg, telemetry.NewLogger(os.Stderr, cfg.LogLevel, cfg.LogFormat), f)
}
