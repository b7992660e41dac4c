package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A mistake in the command must not measure something else.
func TestEvalRefusesWhatBelongsToNoFlag(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"eval", "retrieval", "--articles", "a", "--queries", "q", "teach.jsonl"},
		{"eval", "nomatch", "--train", "a", "--test", "b", "--label", "NONE", "x"},
		{"eval", "routing", "a", "b"},
	} {
		var out bytes.Buffer
		var usage usageError
		if err := dispatch(t.Context(), args, &out); !errors.As(err, &usage) || !strings.Contains(err.Error(), args[len(args)-1]) && args[1] != "routing" {
			t.Errorf("%v: %v", args, err)
		}
	}
}

func TestEvalNamesTheEmptyFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	full, empty := filepath.Join(dir, "full.jsonl"), filepath.Join(dir, "empty.jsonl")
	if err := errors.Join(os.WriteFile(full, []byte(`{"text":"a","label":"x"}`), 0o600), os.WriteFile(empty, []byte("\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, files := range [][2]string{{full, empty}, {empty, full}} {
		var out bytes.Buffer
		err := dispatch(t.Context(), []string{"eval", "routing", "--train", files[0], "--test", files[1]}, &out)
		if err == nil || !strings.Contains(err.Error(), empty) {
			t.Errorf("%v: %v", files, err)
		}
	}
}
