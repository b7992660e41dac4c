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
	if len(args) > 0 && args[0] == "tickets-at" {
		return benchTickets(ctx, args[1:], out)
	}
	if len(args) > 0 && args[0] == "knowledge-at" {
		return benchKnowledge(ctx, args[1:], out)
	}
	fs := flags("bench")
	o := bench.Options{Log: telemetry.NewLogger(os.Stderr, slog.LevelWarn, "text")}
	fs.IntVar(&o.Clients, "clients", 16, "clients at once")
	fs.DurationVar(&o.Length, "length", 8*time.Second, "of each load")
	fs.IntVar(&o.Sockets, "sockets", 10_000, "idle chats")
	fs.IntVar(&o.Articles, "articles", 10_000, "articles in the knowledge base")
	only := fs.String("only", "", "parts, separated by commas: tickets, first run, reader, nodes, idle chats, articles, search, rebuild, vectors, turns, routing, messages; empty runs all")
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

// benchTickets measures what staff do at a number of tickets.
func benchTickets(ctx context.Context, args []string, out io.Writer) error {
	fs := flags("bench tickets-at")
	o := bench.ScaleOptions{Log: telemetry.NewLogger(os.Stderr, slog.LevelInfo, "text")}
	fs.IntVar(&o.Tickets, "tickets", 1_000_000, "how many")
	fs.BoolVar(&o.Lean, "lean", false, "load inbox, clock and search rows only; above two million always")
	fs.IntVar(&o.Staff, "staff", 16, "people at once")
	fs.DurationVar(&o.Length, "length", 60*time.Second, "of the part with all people at once")
	fs.IntVar(&o.Repeat, "repeat", 100, "how often each list is read")
	fs.IntVar(&o.Due, "due", 2000, "clocks that become due in a minute; 0 leaves the sweep out, which changes the data")
	fs.StringVar(&o.Keep, "keep", "", "folder to load into and to use again; empty is a new one that is removed")
	only := fs.String("only", "", "parts, separated by commas: "+strings.Join(bench.ScaleParts(), ", ")+"; empty runs all")
	views := fs.String("views", "", "of the inbox, separated by commas; empty reads all")
	fs.StringVar(&o.Lock, "lock", "", "file to lock while measuring, for machines that run several such things")
	if err := parse(fs, args); err != nil {
		return err
	}
	o.Lean = o.Lean || o.Tickets > bench.LeanAbove
	if *only != "" {
		o.Only = strings.Split(*only, ",")
	}
	if *views != "" {
		o.Views = strings.Split(*views, ",")
	}
	report, err := bench.RunScale(ctx, o)
	if err != nil {
		return err
	}
	if err := printJSON(out, report); err != nil {
		return err
	}
	return report.Table(os.Stderr)
}

// benchKnowledge measures a large collection of articles.
func benchKnowledge(ctx context.Context, args []string, out io.Writer) error {
	fs := flags("bench knowledge-at")
	o := bench.KnowledgeOptions{Log: telemetry.NewLogger(os.Stderr, slog.LevelInfo, "text")}
	fs.IntVar(&o.Articles, "articles", 100_000, "how many")
	fs.DurationVar(&o.Length, "length", 8*time.Second, "of each load")
	fs.StringVar(&o.Keep, "keep", "", "folder to load into and to use again; empty is a new one that is removed")
	fs.StringVar(&o.Profile, "profile", "", "folder for a CPU profile of each part")
	if err := parse(fs, args); err != nil {
		return err
	}
	report, err := bench.RunKnowledge(ctx, o)
	if err != nil {
		return err
	}
	if err := printJSON(out, report); err != nil {
		return err
	}
	return report.Table(os.Stderr)
}
