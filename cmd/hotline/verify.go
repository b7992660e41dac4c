package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"hotline/internal/app"
	"hotline/internal/telemetry"
	"hotline/tickets"
)

// verify checks every history and the anchors; it fails when anything does not hold.
func verify(ctx context.Context, args []string, out io.Writer) error {
	var o tickets.VerifyOptions
	file := ""
	cfg, err := settings("verify", args, func(set func(string, *string, string), _ func(string, string) *bool) {
		set("from", &o.From, "first day (YYYY-MM-DD) whose histories and anchors are checked")
		set("to", &o.To, "last day")
		set("anchors", &file, "file with anchors that were kept outside, one JSON object a line")
	})
	if err != nil {
		return err
	}
	if file != "" {
		b, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if o.Anchors, err = tickets.ParseAnchors(b); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	began := time.Now()
	shown := began
	o.Progress = func(r tickets.VerifyReport) {
		if time.Since(shown) < 2*time.Second {
			return
		}
		shown = time.Now()
		fmt.Fprintf(os.Stderr, "%d of about %d tickets, %d entries, %.0f entries/s, %d findings\n", r.Tickets, max(r.Total, r.Tickets), r.Entries,
			float64(r.Entries)/time.Since(began).Seconds(), len(r.Findings))
	}
	return app.WithHistory(ctx, cfg, telemetry.NewLogger(os.Stderr, cfg.LogLevel, cfg.LogFormat), func(s *tickets.Service) error {
		r, err := s.VerifyAll(ctx, o)
		if err != nil {
			return err
		}
		took := time.Since(began)
		for _, f := range r.Findings {
			fmt.Fprintln(out, f)
		}
		fmt.Fprintf(out, "%d tickets, %d entries, %d anchors checked in %.1f s (%.0f entries/s); %d kept outside\n", r.Tickets, r.Entries, r.Anchors, took.Seconds(),
			float64(r.Entries)/took.Seconds(), len(o.Anchors))
		if len(r.Findings) > 0 {
			return fmt.Errorf("the history does not hold; first: %s", r.Findings[0])
		}
		_, err = fmt.Fprintln(out, "the history holds")
		return err
	})
}

// anchors prints the anchors for keeping outside.
func anchors(ctx context.Context, args []string, out io.Writer) error {
	after := ""
	cfg, err := settings("anchors", args, func(set func(string, *string, string), _ func(string, string) *bool) {
		set("after", &after, "only the days after this one (YYYY-MM-DD)")
	})
	if err != nil {
		return err
	}
	return app.WithHistory(ctx, cfg, telemetry.NewLogger(os.Stderr, cfg.LogLevel, cfg.LogFormat), func(s *tickets.Service) error {
		for {
			list, err := s.Anchors(ctx, after, 1000)
			if err != nil || len(list) == 0 {
				return err
			}
			for _, a := range list {
				if _, err := fmt.Fprintln(out, a.Line()); err != nil {
					return err
				}
				after = a.Day
			}
		}
	})
}
