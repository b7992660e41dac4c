package app_test

import (
	"strings"
	"testing"

	"hotline/chat/hub"
	"hotline/chat/hub/client"
	"hotline/internal/testkit"
)

// A decision form is begun on one node, which goes away in the middle; the other goes on with what was answered. The language changes on
// the way, and with it the article.
func TestADecisionFormGoesOnOnAnotherNode(t *testing.T) {
	t.Parallel()
	d, files, key, nats := testkit.NewDatabase(t), t.TempDir(), keyFile(t), natsServer(t)
	one, err := sharedNode(t, d, files, key, nats)
	if err != nil {
		t.Fatal(err)
	}
	two, err := sharedNode(t, d, files, key, nats)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(c *client.Client, text, want string) hub.MessageFrame {
		t.Helper()
		if _, err := c.Send(t.Context(), clientOut(text)); err != nil {
			t.Fatal(err)
		}
		return await(t, c, want, func(m hub.MessageFrame) bool { return m.Author == "bot" && strings.Contains(m.Text, want) })
	}
	here := dial(t, one, "", "en")
	m := ask(here, "I was fired. How do I apply for unemployment benefit?", "paid unemployment insurance")
	if !strings.Contains(m.Text, "I was dismissed") {
		t.Errorf("what was told is not noted: %q", m.Text)
	}
	token := here.Token()
	here.Close()
	one.Stop(t.Context())

	there := dial(t, two, token, "en")
	ask(there, "yes, for six years", "retirement age")
	m = ask(there, "没有，还没到退休年龄", "您可以领失业金")
	if len(m.Payload.Citations) != 1 || m.Payload.Citations[0].Title != "失业保险金申领" || !strings.Contains(m.Text, "因为您缴费满一年") {
		t.Errorf("%+v", m)
	}
}
