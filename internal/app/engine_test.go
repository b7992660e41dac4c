package app_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"hotline/chat/hub/client"
	"hotline/internal/testkit/toxics"
)

// A node whose search engine hangs starts, answers a citizen in time, and says that it is degraded.
func TestSearchEngineThatHangs(t *testing.T) {
	t.Parallel()
	deaf := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(deaf.Close)
	bad := toxics.Front(t, deaf.URL)
	bad.Hang()
	began := time.Now()
	a := start(t, nil, "HOTLINE_MEILI_URL="+bad.URL, "HOTLINE_MEILI_KEY=k")
	if took := time.Since(began); took > 60*time.Second {
		t.Errorf("the start took %v", took)
	}
	c, err := client.Dial(t.Context(), client.Options{URL: "ws" + strings.TrimPrefix(a.URL(), "http") + "/chat/v1/socket", Site: "portal", Lang: "en"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	asked := time.Now()
	if _, err := c.Send(t.Context(), client.Out{Text: "How do I renew my driving licence?"}); err != nil {
		t.Fatal(err)
	}
	for m := range c.Messages() {
		if m.Author != "bot" {
			continue
		}
		if len(m.Payload.Citations) > 0 {
			break
		}
		t.Fatalf("the bot said %q", m.Text)
	}
	if took := time.Since(asked); took > 10*time.Second {
		t.Errorf("the answer took %v", took)
	}
	resp, err := http.Get(a.URL() + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	words, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusOK || !strings.Contains(string(words), "search degraded") {
		t.Errorf("readyz says %d %q", resp.StatusCode, words)
	}
}
