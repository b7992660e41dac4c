package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"hotline/knowledge/bleve"
	"hotline/knowledge/eval"
	"hotline/routing/classify"
)

// evaluate measures on files and prints one JSON object; nothing of an installation is needed or touched.
func evaluate(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		return usageError{"usage: hotline eval retrieval --articles F --queries F | hotline eval routing --train F --test F"}
	}
	fs := flags("eval " + args[0])
	switch args[0] {
	case "retrieval":
		articles := fs.String("articles", "", "articles, JSON Lines {id, lang, topic, title, body, keywords?}")
		queries := fs.String("queries", "", "queries, JSON Lines {id, lang, text, relevant:[article id]}")
		if err := parse(fs, args[1:]); err != nil {
			return err
		}
		return withFiles(*articles, *queries, func(a, q io.Reader) error {
			index, err := bleve.New("")
			if err != nil {
				return err
			}
			defer index.Close()
			result, err := eval.Retrieval(ctx, index, a, q)
			if err != nil {
				return err
			}
			return printJSON(out, result)
		})
	case "routing":
		train := fs.String("train", "", "examples to learn from, JSON Lines {text, label}")
		test := fs.String("test", "", "examples to measure on")
		if err := parse(fs, args[1:]); err != nil {
			return err
		}
		return withFiles(*train, *test, func(a, b io.Reader) error {
			learn, err := classify.ReadExamples(a)
			if err != nil {
				return fmt.Errorf("%s: %w", *train, err)
			}
			check, err := classify.ReadExamples(b)
			if err != nil {
				return fmt.Errorf("%s: %w", *test, err)
			}
			result, err := classify.Evaluate(learn, check, classify.Options{}, time.Now)
			if err != nil {
				return err
			}
			return printJSON(out, result)
		})
	}
	return usageError{fmt.Sprintf("there is no evaluation %q: retrieval or routing", args[0])}
}

// withFiles opens two files for reading; both must be named.
func withFiles(one, two string, use func(a, b io.Reader) error) (err error) {
	if one == "" || two == "" {
		return usageError{"both files must be named"}
	}
	a, err := os.Open(one)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	b, err := os.Open(two)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	return use(a, b)
}

func printJSON(out io.Writer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
