package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"hotline/internal/auth"
)

// Every command of the guide is run, in its order, and gives the status that the guide says.
func TestTheGuideIsTrue(t *testing.T) {
	t.Parallel()
	r := newRig(t, generous)
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "api.md"))
	must(t, err)
	vars := map[string]string{"HOTLINE": "", "KEY": r.key("dept-environment", auth.Scopes()...)}
	ran := 0
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllSubmatch(text, -1) {
		for _, c := range commands(t, string(block[1])) {
			w := httptest.NewRecorder()
			r.handler.ServeHTTP(w, c.request(t, vars))
			if w.Code != c.status {
				t.Fatalf("%s\n\tgives %d %s", c.line, w.Code, w.Body)
			}
			if c.name != "" {
				vars[c.name] = pick(t, w.Body.Bytes(), c.path)
			}
			ran++
		}
	}
	if ran < 20 {
		t.Errorf("the guide has %d commands only", ran)
	}
}

// command is a line of the guide: curl, perhaps into jq and a variable, with the expected status as its comment.
type command struct {
	line, curl string
	name, path string
	status     int
}

var (
	commented = regexp.MustCompile(`^(.*?)\s+# (\d{3})$`)
	assigned  = regexp.MustCompile(`^([A-Z]+)=\$\((curl .*) \| jq -r (\S+)\)$`)
)

func commands(t *testing.T, block string) []command {
	t.Helper()
	// Lines end where no backslash and no open quote carries them on.
	var lines []string
	var line strings.Builder
	single, double := false, false
	for i := 0; i < len(block); i++ {
		switch b := block[i]; {
		case b == '\\' && i+1 < len(block) && block[i+1] == '\n' && !single:
			i++
			line.WriteByte(' ')
			continue
		case b == '\\' && double:
			line.WriteByte(b)
			i++
		case b == '\'' && !double:
			single = !single
		case b == '"' && !single:
			double = !double
		case b == '\n' && !single && !double:
			if s := strings.TrimSpace(line.String()); s != "" {
				lines = append(lines, s)
			}
			line.Reset()
			continue
		}
		line.WriteByte(block[i])
	}
	var out []command
	for _, l := range lines {
		m := regexp.MustCompile(`(?s)` + commented.String()).FindStringSubmatch(l)
		if m == nil {
			t.Fatalf("no status in %q", l)
		}
		c := command{line: l, curl: m[1]}
		c.status, _ = strconv.Atoi(m[2]) // three digits
		if a := regexp.MustCompile(`(?s)` + assigned.String()).FindStringSubmatch(m[1]); a != nil {
			c.name, c.curl, c.path = a[1], a[2], a[3]
		}
		if !strings.HasPrefix(c.curl, "curl -s ") {
			t.Fatalf("no curl: %q", l)
		}
		out = append(out, c)
	}
	return out
}

// words splits as a shell does, with variables filled outside single quotes.
func words(t *testing.T, line string, vars map[string]string) []string {
	t.Helper()
	var out []string
	var w strings.Builder
	started, single, double := false, false, false
	for i := 0; i < len(line); i++ {
		b := line[i]
		switch {
		case b == '\'' && !double:
			single, started = !single, true
		case b == '"' && !single:
			double, started = !double, true
		case b == '\\' && double:
			i++
			w.WriteByte(line[i])
		case b == '$' && !single:
			n := i + 1
			for n < len(line) && line[n] >= 'A' && line[n] <= 'Z' {
				n++
			}
			value, ok := vars[line[i+1:n]]
			if !ok {
				t.Fatalf("unknown variable in %q", line)
			}
			w.WriteString(value)
			started, i = true, n-1
		case b == ' ' && !single && !double:
			if started {
				out = append(out, w.String())
				w.Reset()
				started = false
			}
		default:
			w.WriteByte(b)
			started = true
		}
	}
	if started {
		out = append(out, w.String())
	}
	return out
}

func (c command) request(t *testing.T, vars map[string]string) *http.Request {
	t.Helper()
	method, target, header := http.MethodGet, "", http.Header{}
	var data []string
	var body bytes.Buffer
	get := false
	args := words(t, strings.TrimPrefix(c.curl, "curl -s "), vars)
	for i := 0; i < len(args); i++ {
		next := func() string { i++; return args[i] }
		switch args[i] {
		case "-X":
			method = next()
		case "-G":
			get = true
		case "-H":
			name, value, _ := strings.Cut(next(), ": ")
			header.Set(name, value)
		case "-d":
			data = append(data, next())
		case "--data-urlencode":
			name, value, _ := strings.Cut(next(), "=")
			data = append(data, name+"="+url.QueryEscape(value))
		case "-F":
			name, file, _ := strings.Cut(next(), "=@")
			form := multipart.NewWriter(&body)
			part, err := form.CreateFormFile(name, file)
			must(t, err)
			_, err = part.Write(picture(t))
			must(t, err)
			must(t, form.Close())
			header.Set("Content-Type", form.FormDataContentType())
		default:
			target = args[i]
		}
	}
	if get {
		target += "?" + strings.Join(data, "&")
	} else {
		body.WriteString(strings.Join(data, "&"))
	}
	req := httptest.NewRequest(method, target, &body)
	req.Header = header
	return req
}

// pick follows a jq path of names and indexes.
func pick(t *testing.T, body []byte, path string) string {
	t.Helper()
	var v any
	must(t, json.Unmarshal(body, &v))
	for _, step := range regexp.MustCompile(`\.(\w+)|\[(\d+)\]`).FindAllStringSubmatch(path, -1) {
		if step[1] != "" {
			v = v.(map[string]any)[step[1]]
		} else {
			n, _ := strconv.Atoi(step[2]) // digits
			v = v.([]any)[n]
		}
	}
	return fmt.Sprint(v)
}
