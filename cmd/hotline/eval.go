package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"hotline/chat/bot/dialogeval"
	"hotline/internal/app"
	"hotline/internal/telemetry"
	"hotline/knowledge/eval"
	"hotline/routing/classify"
	"hotline/routing/nomatch"
)

// evaluate measures on files and prints one JSON object; nothing of an installation is needed or touched.
func evaluate(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		return usageError{"usage: hotline eval retrieval --articles F --queries F [--teach F] | eval retrieval --own [--data D] | eval routing --train F --test F | eval nomatch --train F --test F --label NAME | eval dialog --dialogs F"}
	}
	fs := flags("eval " + args[0])
	switch args[0] {
	case "retrieval":
		if slices.Contains(args[1:], "--own") || slices.Contains(args[1:], "-own") {
			return evaluateOwn(ctx, args[1:], out)
		}
		articles := fs.String("articles", "", "articles, JSON Lines {id, lang, topic, title, body, keywords?}")
		queries := fs.String("queries", "", "queries, JSON Lines {id, lang, text, relevant:[article id]}")
		teach := fs.String("teach", "", "pairs {text, relevant:[article id]} that become stored questions of the articles before the queries are asked")
		if err := parseAll(fs, args[1:]); err != nil {
			return err
		}
		return withFiles(*articles, *queries, func(a, q io.Reader) error {
			var pairs io.Reader
			if *teach != "" {
				f, err := os.Open(*teach)
				if err != nil {
					return err
				}
				defer f.Close()
				pairs = f
			}
			result, err := eval.Retrieval(ctx, nil, a, q, pairs)
			if err != nil {
				return err
			}
			return printJSON(out, result)
		})
	case "routing":
		train := fs.String("train", "", "examples to learn from, JSON Lines {text, label}")
		test := fs.String("test", "", "examples to measure on")
		if err := parseAll(fs, args[1:]); err != nil {
			return err
		}
		return withExamples(*train, *test, func(learn, check []classify.Example) error {
			result, err := classify.Evaluate(learn, check, classify.Options{}, time.Now)
			if err != nil {
				return err
			}
			return printJSON(out, result)
		})
	case "nomatch":
		train := fs.String("train", "", "examples to learn from, JSON Lines {text, label}")
		test := fs.String("test", "", "examples to measure on")
		label := fs.String("label", "", "label of what no answer fits, e.g. NO_NODES_DETECTED")
		if err := parseAll(fs, args[1:]); err != nil {
			return err
		}
		if *label == "" {
			return usageError{"--label must name the label of what no answer fits"}
		}
		return withExamples(*train, *test, func(learn, check []classify.Example) error {
			result, err := nomatch.Evaluate(learn, check, *label, 0)
			if err != nil {
				return err
			}
			return printJSON(out, result)
		})
	}
	if args[0] == "dialog" {
		dialogs := fs.String("dialogs", "", "recorded turns, JSON Lines {tree, scenario, history:[{follow_up_question, follow_up_answer}], answer}; forms are made of those without a scenario")
		if err := parseAll(fs, args[1:]); err != nil {
			return err
		}
		f, err := os.Open(*dialogs)
		if err != nil {
			return err
		}
		defer f.Close()
		result, err := dialogeval.Evaluate(f)
		if err != nil {
			return err
		}
		return printJSON(out, result)
	}
	return usageError{fmt.Sprintf("there is no evaluation %q: retrieval, routing, nomatch or dialog", args[0])}
}

// evaluateOwn measures on the installation's own articles and evaluation set.
func evaluateOwn(ctx context.Context, args []string, out io.Writer) error {
	cfg, err := settings("eval retrieval", args, func(_ func(string, *string, string), flag func(string, string) *bool) {
		flag("own", "measure on the installation's own articles and evaluation set")
	})
	if err != nil {
		return err
	}
	var articles, queries bytes.Buffer
	if err := app.WithOwnEvaluation(ctx, cfg, telemetry.NewLogger(os.Stderr, cfg.LogLevel, cfg.LogFormat), &articles, &queries); err != nil {
		return err
	}
	result, err := eval.Retrieval(ctx, nil, &articles, &queries, nil)
	if err != nil {
		return err
	}
	return printJSON(out, result)
}

// parseAll parses flags and refuses what is left over: a forgotten flag name
// must not measure something else.
func parseAll(fs *flag.FlagSet, args []string) error {
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return usageError{fmt.Sprintf("%q belongs to no flag", fs.Arg(0))}
	}
	return nil
}

func withExamples(train, test string, use func(learn, check []classify.Example) error) error {
	return withFiles(train, test, func(a, b io.Reader) error {
		learn, err := classify.ReadExamples(a)
		if err != nil {
			return fmt.Errorf("%s: %w", train, err)
		}
		check, err := classify.ReadExamples(b)
		if err != nil {
			return fmt.Errorf("%s: %w", test, err)
		}
		for name, examples := range map[string][]classify.Example{train: learn, test: check} {
			if len(examples) == 0 {
				return fmt.Errorf("%s: no example in it", name)
			}
		}
		return use(learn, check)
	})
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
