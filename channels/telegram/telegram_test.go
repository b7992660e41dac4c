package telegram_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/channels/channeltest"
	"hotline/channels/telegram"
	"hotline/channels/telegram/telegramtest"
	"hotline/internal/errs"
	"hotline/internal/testkit"
)

const secret = "webhook-secret-0123456789"

func adapter(t *testing.T, s *telegramtest.Server, ingest channels.IngestFunc, store telegram.StoreFunc) *telegram.Adapter {
	t.Helper()
	a, err := telegram.New(telegram.Options{Token: telegramtest.Token, API: s.URL, Secret: secret, Log: slog.New(slog.DiscardHandler), Ingest: ingest, Store: store})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestConformance(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, func(t *testing.T, ingest channels.IngestFunc) channeltest.Fixture {
		s := telegramtest.New(t)
		a := adapter(t, s, ingest, nil)
		return channeltest.Fixture{
			Adapter: a, Account: a.Account(), Thread: "77", MaxText: 4096,
			Inbox: func() (box []channeltest.Remote) {
				for _, m := range s.Sent() {
					box = append(box, channeltest.Remote{Thread: "77", Text: m.Text})
				}
				return box
			},
			Fail: func(f channeltest.Failure) {
				s.FailNext(map[channeltest.Failure]string{channeltest.Refuse: "forbidden", channeltest.Busy: "busy", channeltest.Broken: "broken", channeltest.Silence: "silence"}[f])
			},
			Say: func(_ context.Context, id, text string) bool {
				n := int(id[0])
				return telegramtest.Deliver(t, a.Webhook(), secret, telegramtest.TextUpdate(n, n, 77, "zh-hans", text)) == http.StatusOK
			},
		}
	})
}

// Telegram gets nothing before it is noted that it may have it, so what a node that died had not begun is sent by another.
func TestNothingGoesOutBeforeItIsNoted(t *testing.T) {
	t.Parallel()
	s := telegramtest.New(t)
	var a channels.Announcer = adapter(t, s, nil, nil)
	taken, noted := errors.New("another worker has it"), 0
	out := channels.Outbound{Thread: "77", Author: "bot", Text: strings.Repeat("Night work ends at ten. ", 400), Lang: "en"}
	out.Begin = func(context.Context) error { return taken }
	if _, err := a.Send(t.Context(), out); !errors.Is(err, taken) || len(s.Sent()) != 0 {
		t.Fatalf("%v, %d messages", err, len(s.Sent()))
	}
	out.Begin = func(context.Context) error {
		if noted++; len(s.Sent()) != 0 {
			t.Error("it was noted after the first piece had gone out")
		}
		return nil
	}
	if _, err := a.Send(t.Context(), out); err != nil || noted != 1 || len(s.Sent()) < 2 {
		t.Fatalf("%v, noted %d times, %d messages", err, noted, len(s.Sent()))
	}
}

type inbox struct {
	mu   sync.Mutex
	got  []channels.Inbound
	fail error
}

func (b *inbox) ingest(_ context.Context, in channels.Inbound) (channels.Receipt, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		err := b.fail
		b.fail = nil
		return channels.Receipt{}, err
	}
	b.got = append(b.got, in)
	return channels.Receipt{ConversationID: uuid.New(), Seq: int64(len(b.got))}, nil
}

func TestWebhookRefusesStrangersAndOversizedBodies(t *testing.T) {
	t.Parallel()
	box := &inbox{}
	a := adapter(t, telegramtest.New(t), box.ingest, nil)
	update := telegramtest.TextUpdate(1, 1, 77, "en", "hello")
	for _, wrong := range []string{"", "webhook-secret-012345678", "x"} {
		if code := telegramtest.Deliver(t, a.Webhook(), wrong, update); code != http.StatusUnauthorized {
			t.Errorf("secret %q: status %d", wrong, code)
		}
	}
	post := func(body io.Reader) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", body)
		r.Header.Set("X-Telegram-Bot-Api-Secret-Token", secret)
		w := httptest.NewRecorder()
		a.Webhook().ServeHTTP(w, r)
		return w.Code
	}
	if code := post(bytes.NewReader(make([]byte, 2<<20))); code != http.StatusRequestEntityTooLarge {
		t.Errorf("2 MB body: status %d", code)
	}
	if code := post(strings.NewReader("{nonsense")); code != http.StatusBadRequest {
		t.Errorf("nonsense: status %d", code)
	}
	if len(box.got) != 0 {
		t.Fatalf("%d messages came in from strangers", len(box.got))
	}
	none, err := telegram.New(telegram.Options{Token: telegramtest.Token, API: "http://127.0.0.1:1", Log: slog.New(slog.DiscardHandler), Ingest: box.ingest})
	if err != nil {
		t.Fatal(err)
	}
	if code := telegramtest.Deliver(t, none.Webhook(), "", update); code != http.StatusUnauthorized {
		t.Errorf("a bot without a secret takes anything: status %d", code)
	}
}

func TestPollingConfirmsOnlyWhatIsStored(t *testing.T) {
	t.Parallel()
	s := telegramtest.New(t)
	box := &inbox{fail: errs.New(errs.Unavailable, "db.unavailable", "away")}
	a := adapter(t, s, box.ingest, nil)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { a.Poll(ctx); close(done) }()
	s.Push(telegramtest.TextUpdate(10, 1, 77, "en", "first"))
	s.Push(telegramtest.TextUpdate(11, 2, 77, "en", "second"))
	s.AwaitOffset(t, 12)
	cancel()
	<-done
	box.mu.Lock()
	defer box.mu.Unlock()
	if len(box.got) != 2 || box.got[0].Text != "first" || box.got[1].Text != "second" {
		t.Fatalf("came in: %+v", box.got)
	}
}

func TestTapCarriesChoiceAndItsWords(t *testing.T) {
	t.Parallel()
	box := &inbox{}
	a := adapter(t, telegramtest.New(t), box.ingest, nil)
	code := telegramtest.Deliver(t, a.Webhook(), secret, telegramtest.TapUpdate(5, "q1", 77, "zh-hans", telegramtest.Button{Text: "转人工", Data: "human"}))
	if code != http.StatusOK || len(box.got) != 1 {
		t.Fatalf("status %d, %d messages", code, len(box.got))
	}
	if in := box.got[0]; in.Choice != "human" || in.Text != "转人工" || in.Lang != "zh-CN" || in.Thread != "77" {
		t.Fatalf("%+v", in)
	}
}

func TestPhotoIsFetchedAndGoesWithItsCaption(t *testing.T) {
	t.Parallel()
	s := telegramtest.New(t)
	s.AddFile("big", []byte("picture"))
	box, id := &inbox{}, uuid.New()
	var kept []byte
	a := adapter(t, s, box.ingest, func(_ context.Context, thread, _ string, r io.Reader) ([16]byte, error) {
		var err error
		kept, err = io.ReadAll(r)
		return id, err
	})
	if code := telegramtest.Deliver(t, a.Webhook(), secret, telegramtest.PhotoUpdate(6, 9, 77, "en", "The lamp is broken", "big")); code != http.StatusOK {
		t.Fatal(code)
	}
	if string(kept) != "picture" || len(box.got) != 1 || box.got[0].Text != "The lamp is broken" || len(box.got[0].Uploads) != 1 || box.got[0].Uploads[0] != id {
		t.Fatalf("kept %q, in %+v", kept, box.got)
	}
}

// The vendor delivers again what it thinks was not acknowledged. The picture is then fetched anew, so its message is not the same to the byte.
func TestPhotoThatComesAgainIsNoRefusal(t *testing.T) {
	t.Parallel()
	s := telegramtest.New(t)
	s.AddFile("big", []byte("picture"))
	box := &inbox{fail: errs.New(errs.Conflict, "chat.receipt_conflict", "another message was taken in under this id")}
	a := adapter(t, s, box.ingest, func(context.Context, string, string, io.Reader) ([16]byte, error) { return uuid.New(), nil })
	if code := telegramtest.Deliver(t, a.Webhook(), secret, telegramtest.PhotoUpdate(6, 9, 77, "en", "The lamp is broken", "big")); code != http.StatusOK {
		t.Fatalf("status %d: it would come again for ever", code)
	}
	if sent := s.Sent(); len(sent) != 0 {
		t.Fatalf("the person is told that a message was not taken in that was: %+v", sent)
	}
}

func TestGroupsAndBotsAreNotCitizens(t *testing.T) {
	t.Parallel()
	box := &inbox{}
	a := adapter(t, telegramtest.New(t), box.ingest, nil)
	group := telegramtest.TextUpdate(7, 1, -100, "en", "hi all")
	group["message"].(map[string]any)["chat"] = map[string]any{"id": -100, "type": "supergroup"}
	if code := telegramtest.Deliver(t, a.Webhook(), secret, group); code != http.StatusOK || len(box.got) != 0 {
		t.Fatalf("status %d, %d messages", code, len(box.got))
	}
}

func TestTokenNeverReachesErrorsOrLog(t *testing.T) {
	t.Parallel()
	log, out := testkit.NewLog()
	a, err := telegram.New(telegram.Options{Token: telegramtest.Token, API: "http://127.0.0.1:1", Log: log, Ingest: (&inbox{}).ingest})
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.Send(t.Context(), channels.Outbound{Thread: "77", Text: "hello"})
	if err == nil || strings.Contains(err.Error(), "AAfake") || strings.Contains(out.String(), "AAfake") {
		t.Fatalf("error %v, log %s", err, out)
	}
}

func FuzzWebhook(f *testing.F) {
	for _, u := range []map[string]any{telegramtest.TextUpdate(1, 1, 77, "en", "hello"), telegramtest.TapUpdate(2, "q", 77, "zh-hans", telegramtest.Button{Text: "x", Data: "y"})} {
		data, err := json.Marshal(u)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	a, err := telegram.New(telegram.Options{Token: telegramtest.Token, API: "http://127.0.0.1:1", Secret: secret, Log: slog.New(slog.DiscardHandler),
		Ingest: func(ctx context.Context, in channels.Inbound) (channels.Receipt, error) {
			if err := in.Clean(); err != nil {
				return channels.Receipt{}, errs.New(errs.Unavailable, "x", "keeps the fuzz target from calling the vendor").Wrap(err)
			}
			return channels.Receipt{}, errs.New(errs.Unavailable, "x", "as above")
		}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", bytes.NewReader(body))
		r.Header.Set("X-Telegram-Bot-Api-Secret-Token", secret)
		w := httptest.NewRecorder()
		a.Webhook().ServeHTTP(w, r)
		if w.Code >= 500 && w.Code != http.StatusServiceUnavailable {
			t.Fatalf("status %d", w.Code)
		}
	})
}
