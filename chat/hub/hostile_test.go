package hub_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"hotline/chat/hub"
)

// FuzzFrames sends whatever it likes behind a hello. The server must answer or close, stay alive, and serve the next client.
func FuzzFrames(f *testing.F) {
	for _, s := range []string{`{"t":"send","ref":"1","text":"hi"}`, `{"t":"seen","seq":99999999999999}`, `{"t":"seen","seq":-5}`, `{"t":"lang","lang":"en"}`, `{"t":"typing"}`,
		`{"t":"hello","site":"demo"}`, `{"t":"send","ref":"1","place":{"lat":1e308,"lon":-1e308}}`, `[]`, `null`, `{"t":{}}`, `"\u0000"`, "\x00\xff", `{"t":"send","ref":"1","uploads":[null]}`,
		`{"t":"send","ref":"\u0000","text":"x"}`, strings.Repeat(`{"t":`, 3000), `{"t":"send","ref":"1","text":"` + strings.Repeat(`\u0000`, 500) + `"}`, `{"T":"bye"}`, `{"t":"human"}`} {
		f.Add([]byte(s), true)
	}
	f.Add([]byte(`{"t":"send"}`), false)
	n := newPlace(f).node(f)
	f.Fuzz(func(t *testing.T, data []byte, text bool) {
		ws := raw(t, n, "", 0)
		write(t, ws, map[string]any{"t": "hello", "site": "demo"})
		if w, _ := read(t, ws); w["t"] != "welcome" {
			t.Fatalf("no welcome: %v", w)
		}
		kind := websocket.BinaryMessage
		if text {
			kind = websocket.TextMessage
		}
		if ws.WriteMessage(kind, data) != nil {
			return
		}
		if ws.WriteMessage(websocket.TextMessage, []byte(`{"t":"bye"}`)) != nil {
			return
		}
		for {
			_ = ws.SetReadDeadline(time.Now().Add(20 * time.Second))
			_, got, err := ws.ReadMessage()
			if e, ok := err.(*websocket.CloseError); ok {
				if e.Code != hub.CloseBye && e.Code != hub.CloseBadFrame && e.Code != hub.CloseTooBig {
					t.Fatalf("%q: closed with %d", data, e.Code)
				}
				return
			}
			if err != nil {
				t.Fatalf("%q: %v", data, err)
			}
			var frame map[string]any
			if json.Unmarshal(got, &frame) != nil || frame["t"] == nil {
				t.Fatalf("%q was answered with %q", data, got)
			}
			if frame["code"] == "internal" {
				t.Fatalf("%q is an internal error: %s", data, got)
			}
		}
	})
}
