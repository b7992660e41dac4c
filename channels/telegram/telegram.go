// Package telegram connects a Telegram bot: people write to it in private chats, and answers go back there.
//
// The library (go-telegram/bot) is used for calls. Its own ways in are not: its webhook handler answers 200 to a wrong secret, reads without a
// limit and hands updates over in memory, and its polling confirms an update before anybody has it. Here an update counts as
// received only when ingest has returned nil: the webhook then answers 200, polling then moves its offset.
//
// Vendor's rules used (https://core.telegram.org/bots/api): a text has at most 4,096 characters, callback data 64 bytes, a file that a
// bot may fetch 20 MB; a message id is unique within its chat only; 429 carries retry_after; 403 means that the person blocked the bot.
package telegram

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"

	"hotline/channels"
)

// Name of the channel in stored data.
const Name = "telegram"

const (
	maxText     = 4096 // UTF-16 units, which is how the vendor counts
	maxCallback = 64   // bytes of callback data
	maxResponse = 4 << 20
)

// StoreFunc keeps a file that a person sent and returns its id; thread is the chat. It checks type and size itself.
type StoreFunc func(ctx context.Context, thread, name string, r io.Reader) (id [16]byte, err error)

// Options of New.
type Options struct {
	Token   string
	API     string // address of the Bot API server
	Secret  string // repeated by the vendor in each webhook call
	Log     *slog.Logger
	Ingest  channels.IngestFunc
	Store   StoreFunc // nil: files are answered with a sentence
	Account string    // name of the account in stored data; the bot's numeric id when empty
}

// Adapter is one bot.
type Adapter struct {
	bot     *bot.Bot
	client  *http.Client
	account string
	o       Options
}

// New prepares the bot without calling the vendor: the hotline starts although Telegram is away.
func New(o Options) (*Adapter, error) {
	id, _, ok := strings.Cut(o.Token, ":")
	if !ok || id == "" {
		return nil, errors.New("telegram: the bot token must look like 123456:ABC…")
	}
	if o.Account == "" {
		o.Account = id
	}
	a := &Adapter{o: o, account: o.Account, client: &http.Client{Timeout: 70 * time.Second, Transport: limited{http.DefaultTransport.(*http.Transport).Clone()}}}
	b, err := bot.New(o.Token, bot.WithSkipGetMe(), bot.WithServerURL(o.API), bot.WithHTTPClient(time.Minute, a.client),
		bot.WithErrorsHandler(func(err error) { o.Log.Warn("telegram", "error", a.redact(err)) }))
	if err != nil {
		return nil, fmt.Errorf("telegram: %w", a.redact(err))
	}
	a.bot = b
	return a, nil
}

// Name implements channels.Adapter.
func (a *Adapter) Name() string { return Name }

// Account names the bot in stored data.
func (a *Adapter) Account() string { return a.account }

// Announces implements channels.Announcer.
func (*Adapter) Announces() {}

// Send implements channels.Adapter. A long text goes out in pieces; when a later piece fails the state is unknown, because sending the
// whole again would double what has arrived.
func (a *Adapter) Send(ctx context.Context, out channels.Outbound) (channels.Result, error) {
	if err := ctx.Err(); err != nil {
		return channels.Result{}, err
	}
	chat, err := strconv.ParseInt(out.Thread, 10, 64)
	if err != nil {
		return channels.Result{}, &channels.PermanentError{Code: "bad_thread", Reason: "the conversation has no Telegram chat to answer to", Blames: channels.Gone}
	}
	text, keyboard := compose(out)
	pieces := text.pieces(maxText)
	last := channels.Result{State: channels.Sent}
	sent := 0
	begun := false
	deliver := func(call func() (*models.Message, error)) (stop bool, err error) {
		if !begun {
			if err := out.Begun(ctx); err != nil {
				return true, err
			}
			begun = true
		}
		m, err := call()
		if err == nil {
			sent++
			last.RemoteID = strconv.Itoa(m.ID)
			return false, nil
		}
		if sent > 0 || mayHaveArrived(err) {
			last.State = channels.Unknown
			return true, nil
		}
		return true, a.classify(err)
	}
	for i, piece := range pieces {
		p := &bot.SendMessageParams{ChatID: chat, Text: piece.text, Entities: piece.entities, LinkPreviewOptions: &models.LinkPreviewOptions{IsDisabled: bot.True()}}
		if i == len(pieces)-1 && len(keyboard) > 0 {
			p.ReplyMarkup = &models.InlineKeyboardMarkup{InlineKeyboard: keyboard}
		}
		if stop, err := deliver(func() (*models.Message, error) { return a.bot.SendMessage(ctx, p) }); stop {
			return last, err
		}
	}
	for _, up := range out.Uploads {
		if stop, err := deliver(func() (*models.Message, error) { return a.sendFile(ctx, chat, up) }); stop {
			return last, err
		}
	}
	return last, nil
}

func (a *Adapter) sendFile(ctx context.Context, chat int64, up channels.Upload) (m *models.Message, err error) {
	f, err := up.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	// The library writes the name into JSON as it is.
	name := strings.Map(func(r rune) rune {
		if r < ' ' || r == '"' || r == '\\' || r == '/' {
			return '_'
		}
		return r
	}, up.Name)
	file := &models.InputFileUpload{Filename: name, Data: f}
	if strings.HasPrefix(up.Type, "image/") {
		return a.bot.SendPhoto(ctx, &bot.SendPhotoParams{ChatID: chat, Photo: file})
	}
	return a.bot.SendDocument(ctx, &bot.SendDocumentParams{ChatID: chat, Document: file})
}

// compose makes the text with its sources below, and the buttons. Only what the bot says is Markdown; what people write is what it is.
func compose(out channels.Outbound) (*rich, [][]models.InlineKeyboardButton) {
	r := &rich{}
	if out.Author == "staff" && out.Name != "" {
		r.write("👤 " + out.Name + "\n")
	}
	if out.Author == "bot" {
		r.markdownTo(out.Text)
	} else {
		r.write(out.Text)
	}
	for _, c := range out.Citations {
		r.write("\n\n📄 ")
		r.link(c.URL, func() { r.write(c.Title) })
		r.write(" (v" + strconv.Itoa(c.Version) + ")")
	}
	var keyboard [][]models.InlineKeyboardButton
	for _, c := range out.Choices {
		if len(c.ID) > maxCallback {
			r.write("\n• " + c.Label) // still readable, and can be typed
			continue
		}
		keyboard = append(keyboard, []models.InlineKeyboardButton{{Text: c.Label, CallbackData: c.ID}})
	}
	if strings.TrimSpace(r.b.String()) == "" && len(out.Uploads) == 0 {
		r.write("…")
	}
	return r, keyboard
}

// split cuts a text into pieces of at most limit UTF-16 units, at blanks where it can.
func split(text string, limit int) []string {
	var pieces []string
	for text != "" {
		units, cut, blank := 0, 0, 0
		for i, r := range text {
			n := utf16.RuneLen(r)
			if n < 0 {
				n = 1
			}
			if units+n > limit {
				break
			}
			units += n
			cut = i + len(string(r))
			if r == ' ' || r == '\n' {
				blank = cut
			}
		}
		if cut < len(text) && blank > cut/2 {
			cut = blank
		}
		if piece := strings.TrimSpace(text[:cut]); piece != "" {
			pieces = append(pieces, piece)
		}
		text = text[cut:]
	}
	return pieces
}

// classify says what an error of the vendor means for the next attempt. Nothing of it holds the token.
func (a *Adapter) classify(err error) error {
	var busy *bot.TooManyRequestsError
	var moved *bot.MigrateError
	switch {
	case errors.As(err, &busy):
		return &channels.RetryError{After: time.Duration(max(busy.RetryAfter, 1)) * time.Second, Cause: a.redact(err)}
	case errors.Is(err, bot.ErrorForbidden):
		return &channels.PermanentError{Code: "blocked", Reason: "the person has blocked the bot or deleted the account", Blames: channels.Gone, Cause: a.redact(err)}
	case errors.As(err, &moved):
		return &channels.PermanentError{Code: "moved", Reason: "the chat has become another one", Blames: channels.Gone, Cause: a.redact(err)}
	case errors.Is(err, bot.ErrorBadRequest):
		return &channels.PermanentError{Code: "refused", Reason: "Telegram refuses the message", Cause: a.redact(err)}
	case errors.Is(err, bot.ErrorUnauthorized):
		return &channels.PermanentError{Code: "token", Reason: "Telegram does not accept the bot's token; an administrator must renew it", Cause: a.redact(err)}
	}
	return a.redact(err)
}

// mayHaveArrived: the request went out and its answer did not come. A dial that failed sent nothing.
func mayHaveArrived(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return false
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &op) || isTimeout(err)
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}

// redact removes the token from an error's text; the error keeps its kind for errors.Is where that is needed before redaction.
func (a *Adapter) redact(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(strings.ReplaceAll(err.Error(), a.o.Token, "***"))
}

// limited cuts answers of the vendor, which the library reads whole.
type limited struct{ next http.RoundTripper }

func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.next.RoundTrip(r)
	if err == nil && !strings.Contains(r.URL.Path, "/file/") {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, maxResponse), resp.Body}
	}
	return resp, err
}
