package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// TestCommandsHaveNamesOfTheirOwn: of two commands with one name the second would never run.
func TestCommandsHaveNamesOfTheirOwn(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range commands() {
		if seen[c.name] {
			t.Errorf("two commands are called %s", c.name)
		}
		seen[c.name] = true
	}
}

func TestCommandsOfTheMeasuresSayWhatTheyNeed(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"export"}, {"export", "nonsense"}, {"export", "open-data"}, {"export", "city"}, {"measures"}, {"measures", "nonsense"}} {
		var out bytes.Buffer
		var usage usageError
		if err := dispatch(t.Context(), args, &out); !errors.As(err, &usage) || !strings.Contains(err.Error(), "hotline") {
			t.Errorf("%v: %v", args, err)
		}
	}
}
