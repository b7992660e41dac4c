package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
)

// asCommand makes the test binary the program itself, so that documents are tried with the real command line.
const asCommand = "HOTLINE_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// documented lists the lines of the commands in a section of a document.
func documented(t *testing.T, path, section string) []string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(string(raw), "## "+section+"\n")
	if !ok {
		t.Fatalf("%s has no section %q", path, section)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	var lines []string
	for _, block := range regexp.MustCompile("(?s)```\n(.*?)```").FindAllStringSubmatch(text, -1) {
		lines = append(lines, strings.Split(strings.TrimSpace(block[1]), "\n")...)
	}
	return lines
}

// TestANewInstallationStepByStep does what docs/operations.md says, on an empty machine, to the first ticket that is routed.
func TestANewInstallationStepByStep(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a server")
	}
	t.Parallel()
	steps := documented(t, "../../docs/operations.md", "A new installation step by step")
	if len(steps) != 5 {
		t.Fatalf("%d commands, want serve, admin create, import --check, import, export: mend this test\n%s", len(steps), strings.Join(steps, "\n"))
	}
	base, err := os.MkdirTemp("", "hl-new-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(base, 0o755); err != nil { // the database's own user goes in there
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	folder, exported := filepath.Join(base, "city"), filepath.Join(base, "exported")
	if err := os.CopyFS(folder, os.DirFS("../../internal/demo/city")); err != nil {
		t.Fatal(err)
	}
	for _, own := range []string{"users.json", "articles"} { // a real city does not begin with the demo's people
		if err := os.RemoveAll(filepath.Join(folder, own)); err != nil {
			t.Fatal(err)
		}
	}
	bin := filepath.Join(base, "bin")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bin, "hotline"), []byte("#!/bin/sh\n"+asCommand+"=1 exec '"+self+"' \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	shell := func(line string) *exec.Cmd {
		line = strings.NewReplacer("/var/lib/hotline", filepath.Join(base, "data"), "/etc/hotline/city", folder, "/var/backups/hotline-city", exported, "127.0.0.1:8080", "127.0.0.1:0").Replace(line)
		cmd := exec.Command("sh", "-c", line)
		cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "HOTLINE_DATABASE_URL=", "HOTLINE_LOG_LEVEL=warn")
		return cmd
	}
	run := func(line string, want ...string) string {
		t.Helper()
		out, err := shell(line).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		for _, w := range want {
			if !strings.Contains(string(out), w) {
				t.Errorf("%s says\n%s\nwant it to hold %q", line, out, w)
			}
		}
		return string(out)
	}

	server := shell("exec " + steps[0])
	server.Stderr = os.Stderr
	said, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		if err := server.Wait(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	var url, first string
	for lines := bufio.NewScanner(said); lines.Scan(); {
		first += lines.Text() + "\n"
		if m := regexp.MustCompile(`http://\S+`).FindString(lines.Text()); m != "" && url == "" {
			url = m
		}
		if strings.HasPrefix(lines.Text(), "or enter it in the console") {
			break
		}
	}
	for _, want := range []string{"Nobody can sign in yet", "hotline admin create", "Reference data is missing: agencies that answer, categories, a dispatch catalogue", "hotline import city DIR"} {
		if !strings.Contains(first, want) {
			t.Errorf("the first start says\n%s\nwant it to hold %q", first, want)
		}
	}

	run(steps[1], "you@example.org can sign in as administrator", "Reference data is missing")
	run(steps[2], "~ jurisdiction lanting: ", "+ category utilities.gas.leak", "This would change", "Nothing was written")
	run(steps[3], "Done: ", "Running nodes follow")
	run(steps[3], "Nothing changes")
	run(steps[4], " holds ")
	run("hotline import city "+exported+" --check --deactivate-missing --data /var/lib/hotline", "Nothing changes")

	// The running server follows by itself; until then the category does not exist for it.
	post := func(path, key string, in any, out any) int {
		t.Helper()
		body, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+path, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		if key != "" {
			req.Header.Set("Idempotency-Key", key)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if err := json.NewDecoder(res.Body).Decode(out); err != nil {
			t.Fatal(err)
		}
		return res.StatusCode
	}
	var filed struct {
		Code      string `json:"tracking_code"`
		Detail    string `json:"detail"`
		Emergency *struct {
			Number string `json:"number"`
		} `json:"emergency"`
	}
	for deadline := time.Now().Add(30 * time.Second); !strings.Contains(get(t, url+"/api/v1/categories"), "urban.streetlights"); {
		if time.Now().After(deadline) {
			t.Fatal("the server did not follow the import")
		}
		time.Sleep(100 * time.Millisecond) // what is waited for is another process
	}
	if status := post("/api/v1/tickets", uuid.NewString(), map[string]any{"kind": "help", "category": "urban.streetlights", "description": "It smells of gas in our stairwell, and the street lamp is out.",
		"place": map[string]any{"text": "Lotus Road", "lat": 30.25, "lon": 125.2}, "anonymous": true}, &filed); status != http.StatusCreated {
		t.Fatalf("filing: %d %s", status, filed.Detail)
	}
	if filed.Emergency == nil || filed.Emergency.Number != "555-2800" {
		t.Errorf("who smells gas is told %+v, not the imported number", filed.Emergency)
	}
	var tracked struct {
		State string `json:"state"`
		Lead  *struct {
			Name string `json:"name"`
		} `json:"lead"`
	}
	if status := post("/api/v1/tracking", "", map[string]string{"code": filed.Code}, &tracked); status != http.StatusOK || tracked.Lead == nil || tracked.Lead.Name == "" {
		t.Errorf("the first ticket is %d %+v: want it with an agency", status, tracked)
	}
	t.Logf("the first ticket lies with %+v in state %s", tracked.Lead, tracked.State)
}

func get(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
