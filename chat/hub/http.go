package hub

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/chat"
	"hotline/internal/db"
	"hotline/internal/errs"
	"hotline/internal/httpfile"
	"hotline/internal/i18n"
)

// Handler serves everything under /chat/v1/. It must not stand behind a check for same-origin requests: these routes belong to pages of
// other origins, carry no cookie and check the site's list themselves.
func (h *Hub) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /chat/v1/socket", h.serveSocket)
	mux.HandleFunc("GET /chat/v1/config", h.open(h.serveConfig))
	mux.HandleFunc("POST /chat/v1/token", h.open(h.serveToken))
	mux.HandleFunc("GET /chat/v1/messages", h.private(h.serveMessages))
	mux.HandleFunc("POST /chat/v1/messages", h.private(h.servePost))
	mux.HandleFunc("POST /chat/v1/uploads", h.private(h.serveUpload))
	mux.HandleFunc("GET /chat/v1/uploads/{id}", h.private(h.serveFile))
	mux.HandleFunc("OPTIONS /chat/v1/", h.servePreflight)
	return mux
}

// visitor is who asks on an HTTP route.
type visitor struct {
	site   Site
	lang   string
	thread string // private routes
	addr   string
}

// open wraps a route that needs a site and no token.
func (h *Hub) open(fn func(http.ResponseWriter, *http.Request, visitor) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := h.visitor(w, r)
		if err == nil {
			err = fn(w, r, v)
		}
		if err != nil {
			h.refuse(w, r, err)
		}
	}
}

// private wraps a route that needs a token too.
func (h *Hub) private(fn func(http.ResponseWriter, *http.Request, visitor) error) http.HandlerFunc {
	return h.open(func(w http.ResponseWriter, r *http.Request, v visitor) error {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if ok {
			v.thread, ok = Thread(token)
		}
		if !ok {
			return ErrBadToken
		}
		w.Header().Set("Cache-Control", "private, no-store")
		return fn(w, r, v)
	})
}

func (h *Hub) visitor(w http.ResponseWriter, r *http.Request) (visitor, error) {
	q := r.URL.Query()
	site, ok := h.site(q.Get("site"))
	if !ok || !site.allows(r) {
		return visitor{}, ErrBadSite
	}
	h.cors(w, r)
	v := visitor{site: site, lang: channels.Lang(q.Get("lang")), addr: h.addrOf(r)}
	if v.lang == "" {
		if v.lang = site.Lang; v.lang == "" {
			v.lang = h.opt.Words.Negotiate("", "", r.Header.Get("Accept-Language"))
		}
	}
	return v, nil
}

// cors lets the page read the answer. Never with credentials: there are none.
func (h *Hub) cors(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Origin")
	if origin := r.Header.Get("Origin"); origin != "" {
		w.Header().Set("Access-Control-Allow-Origin", origin)
		w.Header().Set("Access-Control-Expose-Headers", "Retry-After")
	}
}

func (h *Hub) servePreflight(w http.ResponseWriter, r *http.Request) {
	// A preflight carries the query too, so that the site's own list decides.
	ok := h.someSite(r)
	if key := r.URL.Query().Get("site"); key != "" {
		site, known := h.site(key)
		ok = known && site.allows(r)
	}
	if !ok {
		h.refuse(w, r, ErrBadSite)
		return
	}
	h.cors(w, r)
	w.Header().Set("Access-Control-Allow-Methods", "GET, POST")
	w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
	w.Header().Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}

// refuse writes an error; a page of a listed origin may read it.
func (h *Hub) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if w.Header().Get("Access-Control-Allow-Origin") == "" && h.someSite(r) {
		h.cors(w, r)
	}
	if errs.KindOf(err) == errs.RateLimited && w.Header().Get("Retry-After") == "" {
		w.Header().Set("Retry-After", "5")
	}
	h.opt.WriteError(w, r, err)
}

func writeJSON(w http.ResponseWriter, status int, v any) error {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the status is out; a client that has left cannot be told
	return nil
}

// configDoc is what a widget needs before anything is said.
type configDoc struct {
	Site         string            `json:"site"`
	Lang         string            `json:"lang"`
	Languages    []string          `json:"languages"`
	Greeting     string            `json:"greeting,omitempty"`
	QuickReplies []channels.Choice `json:"quick_replies"`
	Emergency    []EmergencyNumber `json:"emergency"`
	Texts        map[string]string `json:"texts"`
	Limits       Limits            `json:"limits"`
	Socket       string            `json:"socket"`
	Subprotocol  string            `json:"subprotocol"`
}

func (h *Hub) serveConfig(w http.ResponseWriter, _ *http.Request, v visitor) error {
	doc := configDoc{Site: v.site.Key, Lang: v.lang, Languages: h.opt.Words.Languages(), Texts: h.opt.Words.Surface(v.lang, "widget"), Limits: h.limits(),
		QuickReplies: []channels.Choice{}, Emergency: []EmergencyNumber{}, Socket: "/chat/v1/socket", Subprotocol: Subprotocol}
	if h.opt.Greeting != nil {
		var choices []channels.Choice
		doc.Greeting, choices = h.opt.Greeting(v.lang)
		doc.QuickReplies = append(doc.QuickReplies, choices...)
	}
	if h.opt.Emergency != nil {
		doc.Emergency = append(doc.Emergency, h.opt.Emergency(v.lang)...)
	}
	w.Header().Set("Cache-Control", "no-cache")
	return writeJSON(w, http.StatusOK, doc)
}

// serveToken mints a token for clients without a socket. Nothing is stored until the first message.
func (h *Hub) serveToken(w http.ResponseWriter, _ *http.Request, _ visitor) error {
	w.Header().Set("Cache-Control", "no-store")
	return writeJSON(w, http.StatusOK, map[string]string{"token": NewToken()})
}

// messagesDoc is a page of messages.
type messagesDoc struct {
	Conversation *uuid.UUID `json:"conversation"`
	Last         int64      `json:"last"`
	Holder       string     `json:"holder"`
	Name         string     `json:"name,omitempty"`
	Waiting
	StaffSeen int64          `json:"staff_seen"`
	Messages  []MessageFrame `json:"messages"`
	More      bool           `json:"more"`
}

func (h *Hub) serveMessages(w http.ResponseWriter, r *http.Request, v visitor) error {
	after := int64(0)
	if s := r.URL.Query().Get("after"); s != "" {
		var err error
		if after, err = strconv.ParseInt(s, 10, 64); err != nil || after < 0 || after > math.MaxInt64/2 {
			return chat.ErrBadCursor
		}
	}
	doc := messagesDoc{Holder: chat.HeldByBot, Messages: []MessageFrame{}}
	conv, err := h.chat.ByThread(r.Context(), channelOfSockets, v.site.Key, v.thread)
	if errors.Is(err, chat.ErrNotFound) {
		return writeJSON(w, http.StatusOK, doc)
	}
	if err != nil {
		return err
	}
	ms, err := h.page(conv.ID, after)
	if err != nil {
		return err
	}
	doc.Conversation, doc.Last, doc.Holder, doc.Name, doc.Waiting, doc.StaffSeen = &conv.ID, conv.LastSeq, conv.Holder, conv.HolderName, h.queueOf(conv), conv.StaffSeen
	for _, m := range ms {
		doc.Messages = append(doc.Messages, messageFrame(m))
	}
	doc.More = len(ms) == page
	return writeJSON(w, http.StatusOK, doc)
}

func (h *Hub) servePost(w http.ResponseWriter, r *http.Request, v visitor) error {
	now := h.opt.Clock.Now()
	if !h.addrs.with(v.addr, now, func(a *address) bool {
		ok, _ := a.posts.take(now, h.opt.Posts.PerSecond, h.opt.Posts.Burst)
		return ok
	}) {
		return ErrRate
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.opt.ReadLimit))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return channels.ErrTooLong.On("text")
	case err != nil:
		return ErrBadFrame.Wrap(err)
	}
	var f inFrame
	if !utf8.Valid(raw) || json.Unmarshal(raw, &f) != nil {
		return ErrBadFrame
	}
	if !goodRef(f.Ref) {
		return ErrBadRef
	}
	got, err := h.chat.Ingest(r.Context(), inbound(v.site.Key, v.thread, v.lang, f))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]any{"ref": f.Ref, "conversation": got.ConversationID, "seq": got.Seq, "duplicate": got.Duplicate})
}

func (h *Hub) owner(v visitor) chat.Owner {
	return chat.Owner{Channel: channelOfSockets, Account: v.site.Key, Thread: v.thread}
}

func (h *Hub) serveUpload(w http.ResponseWriter, r *http.Request, v visitor) error {
	now := h.opt.Clock.Now()
	if !h.addrs.with(v.addr, now, func(a *address) bool {
		ok, _ := a.uploads.take(now, h.opt.UploadRate.PerSecond, h.opt.UploadRate.Burst)
		return ok
	}) {
		return ErrRate
	}
	r.Body = http.MaxBytesReader(w, r.Body, h.opt.MaxFile+64<<10)
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(2 * time.Minute)) // not every writer knows deadlines
	parts, err := r.MultipartReader()
	if err != nil {
		return ErrBadFrame.On("file").Wrap(err)
	}
	for {
		part, err := parts.NextPart()
		if err != nil {
			return badForm(err)
		}
		if part.FormName() != "file" {
			continue
		}
		u, err := h.chat.Upload(r.Context(), db.System(), h.owner(v), rawName(part.Header.Get("Content-Disposition")), part)
		if err != nil {
			return badUpload(err)
		}
		return writeJSON(w, http.StatusCreated, u)
	}
}

// badForm: whatever is wrong with the form itself is the client's.
func badForm(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return chat.ErrFileTooLarge
	}
	return ErrBadFrame.On("file").Wrap(err)
}

// badUpload tells a form that ends in the middle of the file from a failure of ours.
func badUpload(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) || errors.Is(err, io.ErrUnexpectedEOF) {
		return badForm(err)
	}
	return err
}

// rawName is the file name as sent: Part.FileName cuts at slashes of this machine's kind only.
func rawName(disposition string) string {
	_, params, err := mime.ParseMediaType(disposition)
	if err != nil {
		return ""
	}
	return params["filename"]
}

func (h *Hub) serveFile(w http.ResponseWriter, r *http.Request, v visitor) error {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return chat.ErrUnknownUpload
	}
	u, f, err := h.chat.OpenOwnUpload(r.Context(), h.owner(v), id)
	if errors.Is(err, chat.ErrUnknownUpload) { // a file of the other side
		conv, convErr := h.chat.ByThread(r.Context(), channelOfSockets, v.site.Key, v.thread)
		if convErr != nil {
			return err
		}
		u, f, err = h.chat.OpenUpload(r.Context(), db.Citizen(conv.ID), id)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin") // the widget stands in pages of other sites
	httpfile.Send(w, r, httpfile.File{Name: u.Name, Type: u.Type}, f)
	return nil
}

var statuses = map[errs.Kind]int{
	errs.Invalid: 400, errs.Unauthenticated: 401, errs.Forbidden: 403, errs.NotFound: 404, errs.Conflict: 409,
	errs.TooLarge: 413, errs.RateLimited: 429, errs.Unavailable: 503, errs.Internal: 500,
}

// plainProblem writes a problem document; the application puts the house's own in its place.
func plainProblem(words *i18n.Bundle) func(http.ResponseWriter, *http.Request, error) {
	return func(w http.ResponseWriter, r *http.Request, err error) {
		lang := words.Negotiate(r.URL.Query().Get("lang"), "", r.Header.Get("Accept-Language"))
		status := statuses[errs.KindOf(err)]
		doc := map[string]any{"type": "about:blank", "title": http.StatusText(status), "status": status, "code": errs.CodeOf(err), "detail": words.Error(lang, err)}
		var e *errs.Error
		if errors.As(err, &e) && e.Field != "" {
			doc["field"] = e.Field
		}
		w.Header().Set("Content-Type", "application/problem+json; charset=utf-8")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(doc) // the client may have left
	}
}
