package testkit

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

func TestWhatAKilledProcessLeftIsRemoved(t *testing.T) {
	t.Parallel()
	over := exec.Command("true")
	if err := over.Run(); err != nil {
		t.Fatal(err)
	}
	full, roomy := t.TempDir(), t.TempDir()
	gone := func(base string) string { return filepath.Join(base, prefix+strconv.Itoa(over.Process.Pid)) }
	alive := filepath.Join(full, prefix+strconv.Itoa(os.Getpid()))
	for _, dir := range []string{gone(full), gone(roomy), alive} {
		if err := os.MkdirAll(filepath.Join(dir, "data"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	sweep(full, roomy)
	for _, base := range []string{full, roomy} {
		if _, err := os.Stat(gone(base)); !os.IsNotExist(err) {
			t.Errorf("the leftover in %s is still there: %v", base, err)
		}
	}
	if _, err := os.Stat(alive); err != nil {
		t.Errorf("what a living process uses was removed: %v", err)
	}
}
