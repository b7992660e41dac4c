package telegram

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"
	"github.com/google/uuid"

	"hotline/channels"
	"hotline/internal/errs"
)

const (
	maxUpdate = 1 << 20  // an update is a few kilobytes
	maxFile   = 20 << 20 // what the vendor lets a bot fetch
	pollWait  = 50       // seconds that getUpdates waits for something new
)

// updates that are asked for; everything else would only cost.
var updates = []string{"message", "callback_query"}

// take hands one update to ingest. nil means that the vendor may forget it: it is stored, can never be stored, or is nothing for us.
func (a *Adapter) take(ctx context.Context, u *models.Update) error {
	in, ok, err := a.inbound(ctx, u)
	if err != nil || !ok {
		return err
	}
	_, err = a.o.Ingest(ctx, in)
	if u.CallbackQuery != nil && err == nil {
		// Stops the button's spinner. A failure costs a spinner, not the answer.
		if _, err := a.bot.AnswerCallbackQuery(ctx, &bot.AnswerCallbackQueryParams{CallbackQueryID: u.CallbackQuery.ID}); err != nil {
			a.o.Log.DebugContext(ctx, "telegram callback not confirmed", "error", a.redact(err))
		}
	}
	switch errs.KindOf(err) {
	case "":
		return nil
	case errs.Conflict:
		// A message never changes under its id (edits are not asked for), so this is a redelivery whose files were fetched again and got ids of their
		// own. What was taken in first stands, and the person has nothing to do.
		return nil
	case errs.Invalid, errs.TooLarge:
		a.o.Log.WarnContext(ctx, "telegram message cannot be taken in", "code", errs.CodeOf(err), "update", u.ID)
		a.tell(ctx, in, err)
		return nil // asking for it again would block all that follow
	}
	return err
}

// tell says to the person that the message was not taken, in their language.
func (a *Adapter) tell(ctx context.Context, in channels.Inbound, cause error) {
	text := "Sorry, this message could not be taken in. Please send it as text."
	switch zh := in.Lang == "zh-CN"; {
	case errs.KindOf(cause) == errs.TooLarge && zh:
		text = "抱歉，这条消息太长或文件太大，没有收下。请分几次发送。"
	case errs.KindOf(cause) == errs.TooLarge:
		text = "Sorry, this message or file is too large and was not taken in. Please send it in smaller parts."
	case zh:
		text = "抱歉，这条消息没有收下。请用文字发送。"
	}
	if _, err := a.Send(ctx, channels.Outbound{Account: a.account, Thread: in.Thread, Author: "system", Text: text, Lang: in.Lang}); err != nil {
		a.o.Log.InfoContext(ctx, "telegram refusal not delivered", "error", err)
	}
}

// inbound reads an update. ok is false for what is not a private message to the bot.
func (a *Adapter) inbound(ctx context.Context, u *models.Update) (in channels.Inbound, ok bool, err error) {
	in = channels.Inbound{Channel: Name, Account: a.account}
	person := func(p *models.User) {
		if p != nil {
			in.Contact = channels.Contact{Name: strings.TrimSpace(p.FirstName + " " + p.LastName), Handle: p.Username}
			in.Lang = channels.Lang(p.LanguageCode)
		}
	}
	switch {
	case u.CallbackQuery != nil:
		q := u.CallbackQuery
		if q.Message.Message == nil && q.Message.InaccessibleMessage == nil {
			return in, false, nil
		}
		chat := q.From.ID // a button sits in the private chat with its owner
		in.Thread, in.ExternalID, in.Choice = strconv.FormatInt(chat, 10), "cb:"+q.ID, q.Data
		in.Text = label(q)
		person(&q.From)
		return in, true, nil
	case u.Message != nil:
		m := u.Message
		if m.Chat.Type != models.ChatTypePrivate || m.From == nil || m.From.IsBot {
			return in, false, nil
		}
		in.Thread, in.ExternalID = strconv.FormatInt(m.Chat.ID, 10), strconv.Itoa(m.ID)
		in.At = time.Unix(int64(m.Date), 0).UTC()
		person(m.From)
		in.Text = m.Text
		if m.Caption != "" {
			in.Text = m.Caption
		}
		if strings.HasPrefix(in.Text, "/start") {
			in.Text = greeting(in.Lang)
		}
		if m.Location != nil {
			in.Place = &channels.Place{Lat: m.Location.Latitude, Lon: m.Location.Longitude}
		}
		if m.Venue != nil {
			in.Place = &channels.Place{Lat: m.Venue.Location.Latitude, Lon: m.Venue.Location.Longitude, Label: m.Venue.Title}
		}
		if m.Contact != nil {
			in.Contact.Phone = m.Contact.PhoneNumber
			if in.Text == "" {
				in.Text = m.Contact.PhoneNumber
			}
		}
		if err := a.files(ctx, m, &in); err != nil {
			return in, true, err
		}
		return in, true, nil
	}
	return in, false, nil
}

// greeting is what "/start" says in words.
func greeting(lang string) string {
	if lang == "zh-CN" {
		return "你好"
	}
	return "Hello"
}

// label finds the words of the tapped button, so that the conversation reads well.
func label(q *models.CallbackQuery) string {
	if m := q.Message.Message; m != nil && m.ReplyMarkup != nil {
		for _, row := range m.ReplyMarkup.InlineKeyboard {
			for _, b := range row {
				if b.CallbackData == q.Data {
					return b.Text
				}
			}
		}
	}
	return q.Data
}

// files fetches what the person attached. A file that cannot be kept is replaced by a sentence; the message itself is never lost for it.
func (a *Adapter) files(ctx context.Context, m *models.Message, in *channels.Inbound) error {
	id, name := "", ""
	switch {
	case len(m.Photo) > 0:
		id, name = m.Photo[len(m.Photo)-1].FileID, "photo.jpg" // the last is the largest
	case m.Document != nil:
		id, name = m.Document.FileID, m.Document.FileName
	case m.Voice != nil || m.Video != nil || m.Audio != nil || m.Sticker != nil || m.VideoNote != nil:
		in.Text = strings.TrimSpace(in.Text + "\n[…]")
		return nil
	default:
		return nil
	}
	upload, err := a.fetch(ctx, id, in.Thread, name)
	switch errs.KindOf(err) {
	case "":
		in.Uploads = append(in.Uploads, upload)
		return nil
	case errs.Invalid, errs.TooLarge, errs.NotFound:
		a.o.Log.InfoContext(ctx, "telegram file not kept", "code", errs.CodeOf(err))
		in.Text = strings.TrimSpace(in.Text + "\n[" + name + " ✗]")
		return nil
	}
	return err // away just now: the vendor delivers again
}

var errFileTooLarge = errs.New(errs.TooLarge, "chat.upload_too_large", "the file is too large")

func (a *Adapter) fetch(ctx context.Context, id, thread, name string) (uuid.UUID, error) {
	if a.o.Store == nil {
		return uuid.Nil, errs.New(errs.Invalid, "telegram.no_files", "files are not taken on this channel")
	}
	f, err := a.bot.GetFile(ctx, &bot.GetFileParams{FileID: id})
	if err != nil {
		if errors.Is(err, bot.ErrorBadRequest) { // "file is too big"
			return uuid.Nil, errFileTooLarge.Wrap(a.redact(err))
		}
		return uuid.Nil, a.redact(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.bot.FileDownloadLink(f), nil)
	if err != nil {
		return uuid.Nil, a.redact(err)
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return uuid.Nil, a.redact(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return uuid.Nil, fmt.Errorf("telegram: file answers %d", resp.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxFile+1))
	if err != nil {
		return uuid.Nil, a.redact(err)
	}
	if len(data) > maxFile {
		return uuid.Nil, errFileTooLarge
	}
	stored, err := a.o.Store(ctx, thread, name, bytes.NewReader(data))
	return uuid.UUID(stored), err
}

// Webhook is the handler that Telegram calls (setWebhook). It answers 401 to a wrong or missing secret, compared in constant time, 413 to
// an oversized and 400 to a malformed body, 200 when the message is stored, and 503 when it must be delivered again.
func (a *Adapter) Webhook() http.Handler {
	want := sha256.Sum256([]byte(a.o.Secret))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := sha256.Sum256([]byte(r.Header.Get("X-Telegram-Bot-Api-Secret-Token")))
		if a.o.Secret == "" || !hmac.Equal(got[:], want[:]) {
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxUpdate))
		if err != nil {
			var large *http.MaxBytesError
			if errors.As(err, &large) {
				http.Error(w, "too large", http.StatusRequestEntityTooLarge)
				return
			}
			http.Error(w, "unreadable", http.StatusBadRequest)
			return
		}
		var u models.Update
		if err := json.Unmarshal(body, &u); err != nil || u.ID == 0 {
			http.Error(w, "not an update", http.StatusBadRequest)
			return
		}
		if err := a.take(r.Context(), &u); err != nil {
			a.o.Log.WarnContext(r.Context(), "telegram update not stored; the vendor will deliver it again", "update", u.ID, "error", err)
			http.Error(w, "try again", http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusOK)
	})
}

// SetWebhook tells the vendor where to deliver.
func (a *Adapter) SetWebhook(ctx context.Context, url string) error {
	_, err := a.bot.SetWebhook(ctx, &bot.SetWebhookParams{URL: url, SecretToken: a.o.Secret, AllowedUpdates: updates, MaxConnections: 20})
	if err != nil {
		return fmt.Errorf("telegram: set webhook: %w", a.redact(err))
	}
	return nil
}

// Poll fetches updates until ctx ends. Only one process of a bot may poll at a time. The offset moves when an update is stored, so a
// process that is killed gets the same updates again, and receipts make them harmless.
func (a *Adapter) Poll(ctx context.Context) {
	if _, err := a.bot.DeleteWebhook(ctx, &bot.DeleteWebhookParams{}); err != nil && ctx.Err() == nil {
		a.o.Log.WarnContext(ctx, "telegram webhook not removed; polling may be refused", "error", a.redact(err))
	}
	offset, pause := int64(0), time.Duration(0)
	for ctx.Err() == nil {
		if pause > 0 {
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}
		}
		batch, wait, err := a.getUpdates(ctx, offset)
		if err == nil {
			for i := range batch {
				if err = a.take(ctx, &batch[i]); err != nil {
					break
				}
				offset = batch[i].ID + 1
			}
		}
		if err == nil {
			pause = 0
			continue
		}
		if ctx.Err() != nil {
			return
		}
		pause = min(max(2*pause, 250*time.Millisecond), 30*time.Second)
		pause = max(pause, wait)
		a.o.Log.WarnContext(ctx, "telegram polling", "error", a.redact(err), "again_in", pause.String())
	}
}

func (a *Adapter) getUpdates(ctx context.Context, offset int64) (batch []models.Update, wait time.Duration, err error) {
	body, err := json.Marshal(map[string]any{"offset": offset, "timeout": pollWait, "limit": 50, "allowed_updates": updates})
	if err != nil {
		return nil, 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(a.o.API, "/")+"/bot"+a.o.Token+"/getUpdates", bytes.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := a.client.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	var answer struct {
		OK          bool            `json:"ok"`
		Result      []models.Update `json:"result"`
		Description string          `json:"description"`
		Parameters  struct {
			RetryAfter int `json:"retry_after"`
		} `json:"parameters"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, 0, fmt.Errorf("telegram: status %d, unreadable answer: %w", resp.StatusCode, err)
	}
	if !answer.OK {
		return nil, time.Duration(answer.Parameters.RetryAfter) * time.Second, fmt.Errorf("telegram: %s", answer.Description)
	}
	return answer.Result, 0, nil
}
