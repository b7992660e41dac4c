package llm_test

import (
	"encoding/json"
	"strings"
	"testing"

	"hotline/internal/llm"
	"hotline/internal/llm/llmtest"
)

var planted = []string{"13800138000", "11010519491231002X", "li.lei@example.cn", "李雷", "Maria Schmidt", "12345678901234567890", "京A12345", "192.168.7.9", "4111111111111111"}

func plantedText() string {
	return "我叫李雷，电话13800138000，身份证11010519491231002X，邮箱 li.lei@example.cn，车牌京A12345。Maria Schmidt saw it from 192.168.7.9; code 12345678901234567890, card 4111111111111111."
}

func TestNothingPersonalLeaves(t *testing.T) {
	t.Parallel()
	b := open(t, nil) // echoes what it got
	for size := 1; size <= 7; size++ {
		b.srv.Pieces(size)
		req := ask(plantedText())
		req.Known = []string{"Maria Schmidt"}
		// Words of an earlier message too: the name is told in a later one.
		req.Messages = append([]llm.Message{{Role: llm.System, Text: "李雷 wrote:"}}, req.Messages...)
		streamed := ""
		res, err := b.llm.Stream(t.Context(), req, func(p string) { streamed += p })
		if err != nil {
			t.Fatal(err)
		}
		if streamed != plantedText() || res.Text != plantedText() {
			t.Fatalf("pieces of %d: restored as\n%s\n%s", size, streamed, res.Text)
		}
	}
	if res, err := b.llm.Complete(t.Context(), ask("me "+plantedText())); err != nil || res.Text != "me "+plantedText() {
		t.Errorf("%q, %v", res.Text, err)
	}
	if _, err := b.llm.Embedder().Embed(t.Context(), []string{plantedText()}); err != nil {
		t.Fatal(err)
	}
	got := b.srv.Received()
	if !strings.Contains(got, "[PHONE_1]") || b.srv.Requests() != 9 {
		t.Fatalf("the endpoint got %d requests: %s", b.srv.Requests(), got)
	}
	for _, p := range planted {
		if p != "Maria Schmidt" && strings.Contains(got, p) {
			t.Errorf("%s left", p)
		}
	}
	if strings.Contains(b.srv.Chats()[0].Said("user"), "Maria") || strings.Contains(b.srv.Chats()[0].Said("system"), "李雷") {
		t.Error("a known name left")
	}
	if strings.Contains(b.log.String(), "13800138000") {
		t.Error("the log holds a telephone number")
	}
}

func TestAnAdministratorMayAllowIt(t *testing.T) {
	t.Parallel()
	b := open(t, nil)
	b.change(func(m *llm.Model) { m.MaySeePersonal = true })
	if res, err := b.llm.Complete(t.Context(), ask(plantedText())); err != nil || res.Text != plantedText() {
		t.Fatal(err)
	}
	if !strings.Contains(b.srv.Received(), "13800138000") || b.calls()[0].Redacted {
		t.Error("the model may see everything and did not")
	}
}

func TestRestoredInsideJSON(t *testing.T) {
	t.Parallel()
	type who struct {
		Name string `json:"name"`
	}
	b := open(t, func(c llmtest.Chat) string {
		out, err := json.Marshal(who{c.Said("user")})
		if err != nil {
			return err.Error()
		}
		return string(out)
	})
	req := ask(`Anna "Bo" Berg`)
	req.Known, req.Schema = []string{`Anna "Bo" Berg`}, llm.SchemaOf[who]("who")
	res, err := b.llm.Complete(t.Context(), req)
	var got who
	if err != nil || json.Unmarshal([]byte(res.Text), &got) != nil || got.Name != `Anna "Bo" Berg` {
		t.Fatalf("%s, %v", res.Text, err)
	}
	if strings.Contains(b.srv.Received(), "Bo") {
		t.Error("the name left")
	}
}
