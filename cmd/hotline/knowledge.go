package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"hotline/chat/media"
	"hotline/internal/app"
	"hotline/internal/blob"
	"hotline/internal/clock"
	"hotline/internal/config"
	"hotline/knowledge"
	"hotline/knowledge/exchange"
	"hotline/knowledge/learn"
)

// importKnowledge loads articles from a folder or a file.
func importKnowledge(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 || args[0] == "" || args[0][0] == '-' {
		return usageError{"usage: hotline import knowledge DIR|FILE(.jsonl .csv .xlsx .zip .md .html) [--check] [--draft] [--data D]"}
	}
	path := args[0]
	var check, draft *bool
	cfg, err := settings("import knowledge", args[1:], func(_ func(string, *string, string), flag func(string, string) *bool) {
		check = flag("check", "say what would become of each article and write nothing")
		draft = flag("draft", "leave drafts for review instead of publishing")
	})
	if err != nil {
		return err
	}
	source, err := openSource(path)
	if err != nil {
		return err
	}
	return withKnowledge(ctx, cfg, func(kb *knowledge.Service) error {
		var told struct {
			knowledge.ImportReport
			Effect *learn.ImportEffect `json:"effect,omitempty"`
		}
		if !*draft {
			if told.Effect, err = foresee(ctx, kb, path); err != nil {
				return err
			}
		}
		// Running nodes see the new articles on their next look, within seconds.
		told.ImportReport, err = kb.ImportFrom(ctx, knowledge.System(), source, knowledge.ImportOptions{Draft: *draft, DryRun: *check})
		for _, bad := range told.Errors {
			fmt.Fprintln(os.Stderr, bad)
		}
		if *check {
			for _, l := range told.Lines {
				if l.What != knowledge.ImportUnchanged {
					fmt.Fprintln(os.Stderr, l.Line, l.What, l.ID, l.Why)
				}
			}
		}
		if err := errors.Join(printJSON(out, told), err); err != nil {
			return err
		}
		if told.Failed > 0 {
			return fmt.Errorf("%d articles were not taken in", told.Failed)
		}
		return nil
	})
}

// foresee says what an import that publishes does to answers; nil while there is nothing to try it on.
func foresee(ctx context.Context, kb *knowledge.Service, path string) (*learn.ImportEffect, error) {
	l := learn.New(learn.Deps{Pool: kb.Pool, Knowledge: kb, Clock: kb.Clock, Log: kb.Log})
	some, err := l.HasTrials(ctx)
	if err != nil || !some {
		return nil, err
	}
	if err := errors.Join(kb.Load(ctx), kb.LoadCalibration(ctx)); err != nil {
		return nil, err
	}
	source, err := openSource(path) // it is read once more for writing
	if err != nil {
		return nil, err
	}
	effect, err := l.ForeseeImport(ctx, knowledge.System(), source, nil)
	return &effect, err
}

func openSource(path string) (knowledge.Source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		root, err := os.OpenRoot(path) // no link leads out of the folder
		if err != nil {
			return nil, err
		}
		return exchange.ReadFS(root.FS())
	}
	if ext := filepath.Ext(path); ext == ".jsonl" || ext == ".ndjson" {
		f, err := os.Open(path) // of any size: it is read line by line, and closed with the program
		if err != nil {
			return nil, err
		}
		return knowledge.NewParser(f), nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return exchange.Read(path, data)
}

// exportKnowledge writes all articles into a file.
func exportKnowledge(ctx context.Context, args []string, out io.Writer) (err error) {
	format, to, drafts := "md", "", new(bool)
	cfg, err := settings("export knowledge", args, func(set func(string, *string, string), flag func(string, string) *bool) {
		set("format", &format, "md (a ZIP of Markdown pages with their files), jsonl, csv, xlsx or html")
		set("out", &to, "the file; standard output without")
		drafts = flag("drafts", "also articles of which nothing is published")
	})
	if err != nil {
		return err
	}
	return withKnowledge(ctx, cfg, func(kb *knowledge.Service) (err error) {
		w := out
		if to != "" {
			f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
			if errors.Is(err, fs.ErrExist) {
				return fmt.Errorf("%s is there already", to)
			}
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, f.Close()) }()
			w = f
		}
		next, err := kb.Export(ctx, [16]byte{}, *drafts)
		if err != nil {
			return err
		}
		n, err := exchange.Write(w, format, next)
		if err == nil {
			fmt.Fprintf(os.Stderr, "%d articles\n", n)
		}
		return err
	})
}

// withKnowledge is a knowledge base with nothing loaded to search, for import and export.
func withKnowledge(ctx context.Context, cfg config.Config, f func(*knowledge.Service) error) error {
	return withDatabase(ctx, cfg, func(d app.Database) (err error) {
		folder := cfg.Files
		if folder == "" {
			folder = filepath.Join(cfg.Data, "files")
		}
		files, err := blob.OpenFolder(folder)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, files.Close()) }()
		return f(knowledge.New(knowledge.Deps{Pool: d.Pool, Clock: clock.System{}, Log: d.Log(), Location: d.Zone(ctx), Blob: files,
			Clean: func(name string, data []byte) (knowledge.Cleaned, error) {
				c, err := media.Clean(name, data)
				return knowledge.Cleaned(c), err
			}}))
	})
}
