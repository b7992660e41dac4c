package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"hotline/cmd/hotline/internal/bench"
	"hotline/internal/telemetry"
)

// benchmark prints the figures as JSON, and as a table for people on standard error.
func benchmark(ctx context.Context, args []string, out io.Writer) error {
	fs := flags("bench")
	o := bench.Options{Log: telemetry.NewLogger(os.Stderr, slog.LevelWarn, "text")}
	fs.IntVar(&o.Clients, "clients", 16, "clients at once")
	fs.DurationVar(&o.Length, "length", 8*time.Second, "of each load")
	fs.IntVar(&o.Sockets, "sockets", 10_000, "idle chats")
	fs.IntVar(&o.Articles, "articles", 10_000, "articles in the knowledge base")
	only := fs.String("only", "", "parts, separated by commas: tickets, first run, reader, idle chats, articles, search, turns, routing, messages; empty runs all")
	fs.StringVar(&o.Profile, "profile", "", "folder for a CPU profile of each part")
	generator := fs.Bool("generate", false, "be the generator of another bench: a job on standard input")
	listener := fs.Bool("listen", false, "hold the sockets of another bench: tokens on standard input")
	if err := parse(fs, args); err != nil {
		return err
	}
	if *listener {
		return bench.Listen(ctx, os.Stdin, out)
	}
	if *generator {
		return bench.Generate(ctx, os.Stdin, out)
	}
	if *only != "" {
		o.Only = strings.Split(*only, ",")
	}
	report, err := bench.Run(ctx, o)
	if err != nil {
		return err
	}
	if err := printJSON(out, report); err != nil {
		return err
	}
	return report.Table(os.Stderr)
}
