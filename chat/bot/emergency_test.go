package bot

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func detector(t *testing.T) *Emergency {
	t.Helper()
	e, err := NewEmergency(map[Service]string{"": "112", Fire: "119", Medical: "120", Police: "110"})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// The lists are the specification: what must be caught, and what may not cry wolf.
func TestDetectFollowsTheLists(t *testing.T) {
	t.Parallel()
	e := detector(t)
	files, err := filepath.Glob("testdata/emergency_*.txt")
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for sc := bufio.NewScanner(f); sc.Scan(); {
			want, text, ok := strings.Cut(sc.Text(), " | ")
			if !ok || strings.HasPrefix(want, "#") {
				continue
			}
			got, found := e.Detect(text)
			if !found {
				got = "-"
			}
			if string(got) != want {
				t.Errorf("%s: %q: got %s, want %s", filepath.Base(name), text, got, want)
			}
		}
	}
}

func TestEmergencyMessageNamesTheJurisdictionsNumber(t *testing.T) {
	t.Parallel()
	e := detector(t)
	for service, number := range map[Service]string{Fire: "119", Water: "112", Police: "110"} {
		for _, lang := range []string{"en", "zh-CN"} {
			m := e.Message(service, lang)
			if !strings.Contains(m.Text, number) || m.Choices[0].ID != "human" {
				t.Errorf("%s %s: %+v", service, lang, m)
			}
		}
	}
	bare, err := NewEmergency(nil)
	if err != nil {
		t.Fatal(err)
	}
	if m := bare.Message(Fire, "en"); strings.Contains(m.Text, "{") {
		t.Errorf("an installation without numbers shows a placeholder: %q", m.Text)
	}
}
