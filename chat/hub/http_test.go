package hub_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"hotline/channels"
	"hotline/chat"
	"hotline/chat/hub"
)

type answer struct {
	status int
	header http.Header
	body   map[string]any
	raw    []byte
}

// ask makes a request as a page of an origin would.
func (n *node) ask(t testing.TB, method, path, token, origin, contentType string, body io.Reader) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(ctxb, method, n.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if origin != "" {
		req.Header.Set("Origin", origin)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode, header: resp.Header}
	if a.raw, err = io.ReadAll(resp.Body); err != nil {
		t.Fatal(err)
	}
	_ = json.Unmarshal(a.raw, &a.body) // files are no JSON
	if resp.Header.Get("Set-Cookie") != "" || resp.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("%s %s uses cookies", method, path)
	}
	return a
}

const page = "https://city.example"

func TestChatWithoutASocket(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	n := p.node(t, func(_ *chat.Deps, o *hub.Options) {
		o.Greeting = func(lang string) (string, []channels.Choice) {
			return "Hello " + lang, []channels.Choice{{ID: "file", Label: "File"}}
		}
		o.Emergency = func(string) []hub.EmergencyNumber { return []hub.EmergencyNumber{{Name: "fire", Number: "119"}} }
	})
	cfg := n.ask(t, "GET", "/chat/v1/config?site=demo&lang=zh-CN", "", page, "", nil)
	if cfg.status != 200 || cfg.body["greeting"] != "Hello zh-CN" || cfg.body["lang"] != "zh-CN" || cfg.header.Get("Access-Control-Allow-Origin") != page || !strings.Contains(cfg.header.Get("Vary"), "Origin") {
		t.Errorf("config %d %s %v", cfg.status, cfg.raw, cfg.header)
	}
	token, _ := n.ask(t, "POST", "/chat/v1/token?site=demo", "", page, "", nil).body["token"].(string)
	if _, ok := hub.Thread(token); !ok {
		t.Fatalf("token %q", token)
	}
	post := func(body string) answer {
		return n.ask(t, "POST", "/chat/v1/messages?site=demo&lang=en", token, page, "application/json", strings.NewReader(body))
	}
	if empty := n.ask(t, "GET", "/chat/v1/messages?site=demo", token, page, "", nil); empty.status != 200 || empty.body["conversation"] != nil {
		t.Errorf("before the first message: %d %s", empty.status, empty.raw)
	}
	first := post(`{"ref":"a","text":"停水了"}`)
	if first.status != 200 || first.body["seq"] != 1.0 || first.body["duplicate"] != false {
		t.Fatalf("%d %s", first.status, first.raw)
	}
	if again := post(`{"ref":"a","text":"停水了"}`); again.status != 200 || again.body["duplicate"] != true || again.body["seq"] != 1.0 {
		t.Errorf("repeated: %d %s", again.status, again.raw)
	}
	for body, want := range map[string]struct {
		status int
		code   string
	}{
		`{"ref":"a","text":"other"}`:        {409, "chat.receipt_conflict"},
		`{"text":"no ref"}`:                 {400, "chat.bad_ref"},
		`{"ref":"b","text":""}`:             {400, "chat.empty"},
		`{"ref":`:                           {400, "chat.bad_frame"},
		"{\"ref\":\"b\",\"text\":\"\xff\"}": {400, "chat.bad_frame"},
		`{"ref":"b","text":"` + strings.Repeat("a", 20001) + `"}`:        {413, "chat.too_long"},
		`{"ref":"b","text":"` + strings.Repeat("a", 200<<10) + `"}`:      {413, "chat.too_long"},
		`{"ref":"b","uploads":["00000000-0000-0000-0000-000000000001"]}`: {404, "chat.unknown_upload"},
		`{"ref":"b","place":{"lat":1000,"lon":0}}`:                       {400, "chat.bad_place"},
		strings.Repeat(`[`, 20000):                                       {400, "chat.bad_frame"},
	} {
		if a := post(body); a.status != want.status || a.body["code"] != want.code || a.header.Get("Access-Control-Allow-Origin") != page {
			t.Errorf("%.60s: %d %s", body, a.status, a.raw)
		}
	}
	all := n.ask(t, "GET", "/chat/v1/messages?site=demo&after=0", token, page, "", nil)
	if ms, _ := all.body["messages"].([]any); len(ms) != 1 || all.body["more"] != false || all.body["last"] != 1.0 {
		t.Errorf("%s", all.raw)
	}
	if bad := n.ask(t, "GET", "/chat/v1/messages?site=demo&after=-1", token, page, "", nil); bad.status != 400 || bad.body["code"] != "chat.bad_cursor" {
		t.Errorf("%d %s", bad.status, bad.raw)
	}
}

func TestOnlyListedPagesAndTokens(t *testing.T) {
	t.Parallel()
	n := newPlace(t).node(t)
	token := hub.NewToken()
	for name, c := range map[string]struct {
		path, token, origin string
		status              int
	}{
		"foreign page":       {"/chat/v1/messages?site=demo", token, "https://evil.example", 403},
		"page of other site": {"/chat/v1/messages?site=demo", token, "https://other.example", 403},
		"unknown site":       {"/chat/v1/messages?site=nope", token, page, 403},
		"no site":            {"/chat/v1/config", "", page, 403},
		"no token":           {"/chat/v1/messages?site=demo", "", page, 401},
		"half a token":       {"/chat/v1/messages?site=demo", token[:20], page, 401},
		"token in the URL":   {"/chat/v1/messages?site=demo&token=" + token, "", page, 401},
		"fine":               {"/chat/v1/messages?site=demo", token, page, 200},
	} {
		a := n.ask(t, "GET", c.path, c.token, c.origin, "", nil)
		if a.status != c.status {
			t.Errorf("%s: %d %s", name, a.status, a.raw)
		}
		if strings.Contains(c.origin, "evil") && a.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s may read the answer", name)
		}
	}
	if a := n.ask(t, "OPTIONS", "/chat/v1/messages?site=demo", "", page, "", nil); a.status != 204 || !strings.Contains(a.header.Get("Access-Control-Allow-Headers"), "Authorization") {
		t.Errorf("preflight: %d %v", a.status, a.header)
	}
	if a := n.ask(t, "OPTIONS", "/chat/v1/messages?site=demo", "", "https://evil.example", "", nil); a.status != 403 || a.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("preflight of a foreign page: %d %v", a.status, a.header)
	}
}

func form(t testing.TB, name string, data []byte) (io.Reader, string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile("file", name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &b, w.FormDataContentType()
}

func TestUploadsOverHTTP(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	n := p.node(t, func(d *chat.Deps, o *hub.Options) { d.Options.MaxFile, o.MaxFile = 1<<20, 1<<20 })
	token := hub.NewToken()
	upload := func(name string, data []byte) answer {
		body, kind := form(t, name, data)
		return n.ask(t, "POST", "/chat/v1/uploads?site=demo", token, page, kind, body)
	}
	var pic bytes.Buffer
	if err := png.Encode(&pic, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	up := upload(`..\..\evil "name".png`, pic.Bytes())
	id, _ := up.body["id"].(string)
	if up.status != 201 || up.body["type"] != "image/png" || strings.ContainsAny(up.body["name"].(string), `\/"`) {
		t.Fatalf("%d %s", up.status, up.raw)
	}
	text, _ := upload("notes.txt", []byte("plain words")).body["id"].(string)
	for name, c := range map[string]struct {
		file string
		data []byte
		code string
		http int
	}{
		"program as picture": {"a.png", []byte("MZ\x90\x00"), "chat.file_disguised", 400},
		"web page":           {"a.html", []byte("<html><script>"), "chat.file_type", 400},
		"empty":              {"a.png", nil, "chat.file_empty", 400},
		"too large":          {"a.txt", bytes.Repeat([]byte("a"), 1<<20+10), "chat.file_too_large", 413},
		"much too large":     {"a.txt", bytes.Repeat([]byte("a"), 3<<20), "chat.file_too_large", 413},
	} {
		if a := upload(c.file, c.data); a.status != c.http || a.body["code"] != c.code {
			t.Errorf("%s: %d %s", name, a.status, a.raw)
		}
	}
	if a := n.ask(t, "POST", "/chat/v1/uploads?site=demo", token, page, "text/plain", strings.NewReader("x")); a.status != 400 {
		t.Errorf("no form: %d %s", a.status, a.raw)
	}
	if a := n.ask(t, "POST", "/chat/v1/uploads?site=demo", token, page, "multipart/form-data; boundary=x", strings.NewReader("--x\r\nbroken")); a.status != 400 {
		t.Errorf("half a form: %d %s", a.status, a.raw)
	}
	file := n.ask(t, "GET", "/chat/v1/uploads/"+id+"?site=demo", token, page, "", nil)
	if file.status != 200 || file.header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(file.header.Get("Content-Security-Policy"), "sandbox") || !strings.HasPrefix(file.header.Get("Content-Disposition"), "inline") {
		t.Errorf("%d %v", file.status, file.header)
	}
	if a := n.ask(t, "GET", "/chat/v1/uploads/"+text+"?site=demo", token, page, "", nil); !strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("text is shown in the page: %v", a.header)
	}
	if a := n.ask(t, "GET", "/chat/v1/uploads/"+id+"?site=demo", hub.NewToken(), page, "", nil); a.status != 404 {
		t.Errorf("somebody else's token: %d", a.status)
	}
	got := n.ask(t, "POST", "/chat/v1/messages?site=demo", token, page, "application/json", strings.NewReader(`{"ref":"1","uploads":["`+id+`"]}`))
	if got.status != 200 {
		t.Fatalf("%s", got.raw)
	}
	// A file that staff send is the citizen's to open.
	conv, err := n.chat.ByThread(ctxb, "web", "demo", thread(t, token))
	if err != nil {
		t.Fatal(err)
	}
	desk := p.city.Staff("operator")
	plan, err := n.chat.Upload(ctxb, desk, chat.Owner{Conversation: conv.ID}, "plan.pdf", strings.NewReader("%PDF-1.7\n"))
	if err != nil {
		t.Fatal(err)
	}
	if a := n.ask(t, "GET", "/chat/v1/uploads/"+plan.ID.String()+"?site=demo", token, page, "", nil); a.status != 200 || !strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("staff's file: %d %v", a.status, a.header)
	}
}

func TestAddressesAreSlowedDown(t *testing.T) {
	t.Parallel()
	n := newPlace(t).node(t, func(_ *chat.Deps, o *hub.Options) {
		o.ClientAddr = func(r *http.Request) string { return r.Header.Get("X-Test-Addr") }
		o.Posts = hub.Rate{PerSecond: 0.001, Burst: 2}
	})
	post := func(addr string) int {
		req, err := http.NewRequestWithContext(ctxb, "POST", n.url+"/chat/v1/messages?site=demo", strings.NewReader(`{"ref":"x","text":"x"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+hub.NewToken())
		req.Header.Set("X-Test-Addr", addr)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode == 429 && resp.Header.Get("Retry-After") == "" {
			t.Error("no word on when to come back")
		}
		return resp.StatusCode
	}
	for i, c := range []struct {
		addr string
		want int
	}{{"2001:db8::1", 200}, {"2001:db8::2", 200}, {"2001:db8::3", 429}, {"192.0.2.1", 200}, {"2001:db8:0:1::1", 200}} {
		if got := post(c.addr); got != c.want {
			t.Errorf("request %d from %s: %d, want %d", i, c.addr, got, c.want)
		}
	}
}
