package main

import (
	"flag"
	"os"
	"strings"
	"testing"

	"hotline/internal/config"
)

var update = flag.Bool("update", false, "rewrite the settings in the README")

// TestREADMEHasTheSettingsOfTheCode: the table is true on the day it is read.
func TestREADMEHasTheSettingsOfTheCode(t *testing.T) {
	t.Parallel()
	const path, begin, end = "../../README.md", "<!-- settings -->\n", "<!-- /settings -->"
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	i, j := strings.Index(text, begin), strings.Index(text, end)
	if i < 0 || j < i {
		t.Fatal("the README has no place for the settings")
	}
	want := text[:i+len(begin)] + config.Table() + text[j:]
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if text != want {
		t.Error("the README's settings are not those of the code; run: go test ./cmd/hotline -run README -update")
	}
}
