package app_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"hotline/chat/hub"
	"hotline/chat/hub/client"
	"hotline/internal/app"
	"hotline/internal/bus"
	"hotline/internal/db"
	"hotline/internal/testkit"
)

func natsServer(t *testing.T) string {
	t.Helper()
	url, stop, err := bus.Serve()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return url
}

func dial(t *testing.T, a *app.App, token, lang string) *client.Client {
	t.Helper()
	c, err := client.Dial(t.Context(), client.Options{URL: "ws" + strings.TrimPrefix(a.URL(), "http") + "/chat/v1/socket", Site: "portal", Lang: lang, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// await reads messages until one satisfies ok.
func await(t *testing.T, c *client.Client, what string, ok func(hub.MessageFrame) bool) hub.MessageFrame {
	t.Helper()
	deadline := time.After(40 * time.Second)
	var seen []string
	for {
		select {
		case m, open := <-c.Messages():
			if !open {
				t.Fatalf("connection ended while waiting for %s; saw %q", what, seen)
			}
			if ok(m) {
				return m
			}
			seen = append(seen, m.Author+": "+m.Text)
		case <-deadline:
			t.Fatalf("waited in vain for %s; saw %q", what, seen)
		}
	}
}

func TestMessageOfOneNodeIsReadOnTheOther(t *testing.T) {
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
	here := dial(t, one, "", "en")
	if _, err := here.Send(t.Context(), client.Out{Ref: uuid.NewString(), Text: "Hello"}); err != nil {
		t.Fatal(err)
	}
	there := dial(t, two, here.Token(), "en")
	await(t, there, "the history on the other node", func(m hub.MessageFrame) bool { return m.Author == "citizen" && m.Text == "Hello" })
	start := time.Now()
	if _, err := here.Send(t.Context(), client.Out{Ref: uuid.NewString(), Text: "Where do I get a parking permit?"}); err != nil {
		t.Fatal(err)
	}
	await(t, there, "the question", func(m hub.MessageFrame) bool { return m.Author == "citizen" && strings.Contains(m.Text, "parking") })
	if took := time.Since(start); took > 4*time.Second {
		t.Errorf("the message took %s to the other node: the bus did not carry it", took)
	}
	await(t, there, "the bot's cited answer", func(m hub.MessageFrame) bool { return m.Author == "bot" && len(m.Payload.Citations) > 0 })
}

func TestNodeThatDoesNotShareIsRefused(t *testing.T) {
	t.Parallel()
	d, files, key, nats := testkit.NewDatabase(t), t.TempDir(), keyFile(t), natsServer(t)
	if _, err := sharedNode(t, d, files, key, nats); err != nil {
		t.Fatal(err)
	}
	for what, try := range map[string]func() (*app.App, error){
		"HOTLINE_NATS_URL": func() (*app.App, error) { return sharedNode(t, d, files, key, "") },
		"HOTLINE_FILES":    func() (*app.App, error) { return sharedNode(t, d, t.TempDir(), key, nats) },
		"HOTLINE_KEY_FILE": func() (*app.App, error) { return sharedNode(t, d, files, keyFile(t), nats) },
	} {
		if _, err := try(); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("want a refusal that names %s, got %v", what, err)
		}
	}
}

func TestSecondProcessOnADataFolderIsRefused(t *testing.T) {
	t.Parallel()
	dir := testkit.DataFolder(t)
	a := start(t, nil, "HOTLINE_DATA="+dir, "HOTLINE_DATABASE_URL=")
	_ = a
	cfg := mustConfig(t, "HOTLINE_ADDR=127.0.0.1:0", "HOTLINE_DATA="+dir)
	_, err := app.Start(context.Background(), cfg, app.Options{Log: quiet(), Demo: true})
	if err == nil || !strings.Contains(err.Error(), "another hotline uses the data folder") {
		t.Fatal(err)
	}
}

func clientOut(text string) client.Out { return client.Out{Ref: uuid.NewString(), Text: text} }

// What a node had in hand when it was killed goes on within moments; what a living one has in hand stays with it.
func TestJobsOfAnEndedNodeGoOn(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	living, dead := uuid.New(), uuid.New()
	err := db.WithTx(t.Context(), a.Pool(), db.System(), func(tx db.Tx) error {
		if _, err := tx.Exec(t.Context(), `insert into nodes (id, address, seen_at) values ($1, '127.0.0.1:1', now() + interval '1 hour')`, living); err != nil {
			return err
		}
		_, err := tx.Exec(t.Context(), `insert into river_job (kind, args, queue, state, attempt, max_attempts, attempted_at, attempted_by)
			select 'chat_deliver_message', jsonb_build_object('conversation', gen_random_uuid(), 'seq', 1), 'default', 'running', 1, 25, now() - interval '20 seconds', array['earlier', node]
			from unnest($1::text[]) node`, []string{living.String(), dead.String()})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	awaitRow(t, a, "the dead node's job", `select exists (select from river_job where state = 'completed' and '`+dead.String()+`' = any(attempted_by))`)
	awaitRow(t, a, "the living node's job", `select exists (select from river_job where state = 'running' and attempt = 1 and '`+living.String()+`' = any(attempted_by))`)
}
