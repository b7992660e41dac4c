package httperr

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"

	"hotline/internal/errs"
	"hotline/internal/i18n"
)

// Errors that only this package makes.
var (
	ErrCrossOrigin     = errs.New(errs.Forbidden, "http.cross_origin", "cross-origin request refused")
	ErrNotFound        = errs.New(errs.NotFound, "http.not_found", "there is nothing at this address")
	ErrMethod          = errs.New(errs.Invalid, "http.method_not_allowed", "this address does not accept this method")
	ErrBodyTooLarge    = errs.New(errs.TooLarge, "http.body_too_large", "the request is too large")
	ErrMalformed       = errs.New(errs.Invalid, "http.malformed", "the request could not be read")
	ErrTooManyRequests = errs.New(errs.RateLimited, "http.too_many_requests", "too many requests")
	ErrTimeout         = errs.New(errs.Unavailable, "http.timeout", "the request took too long")
)

// PageData is what an error page needs.
type PageData struct {
	Status    int
	Code      string
	Title     string
	Message   string
	Next      string // what to do now
	RequestID string
	Lang, Dir string
	T         func(key string, args ...any) string
}

// Page renders an error page for people. The status and the headers are already set.
type Page func(w http.ResponseWriter, r *http.Request, data PageData)

// Responder writes errors. Page may be nil: then a plain page of its own is shown.
type Responder struct {
	words *i18n.Bundle
	log   *slog.Logger
	page  Page
}

// New makes a Responder.
func New(words *i18n.Bundle, log *slog.Logger, page Page) *Responder {
	if page == nil {
		page = plainPage
	}
	return &Responder{words: words, log: log, page: page}
}

type responderKey struct{}

// Write answers the request with err, through the Responder that wraps the handler; without one, a bare problem document is written.
func Write(w http.ResponseWriter, r *http.Request, err error) {
	if p, ok := r.Context().Value(responderKey{}).(*Responder); ok {
		p.Write(w, r, err)
		return
	}
	(&Responder{words: i18n.MustLoad(), log: slog.New(slog.DiscardHandler), page: plainPage}).Write(w, r, err)
}

// Status is the HTTP status of a kind.
func Status(kind errs.Kind) int {
	switch kind {
	case errs.Invalid:
		return http.StatusBadRequest
	case errs.Unauthenticated:
		return http.StatusUnauthorized
	case errs.Forbidden:
		return http.StatusForbidden
	case errs.NotFound:
		return http.StatusNotFound
	case errs.Conflict:
		return http.StatusConflict
	case errs.RateLimited:
		return http.StatusTooManyRequests
	case errs.TooLarge:
		return http.StatusRequestEntityTooLarge
	case errs.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// normalize turns what the standard library says into our own words.
func normalize(err error) (*errs.Error, int) {
	var tooLarge *http.MaxBytesError
	var e *errs.Error
	switch {
	case errors.As(err, &e):
	case errors.As(err, &tooLarge):
		e = ErrBodyTooLarge.Wrap(err)
	case errors.Is(err, context.DeadlineExceeded):
		e = ErrTimeout.Wrap(err)
	default:
		e = errs.New(errs.Internal, "internal", "internal error").Wrap(err)
	}
	if e.Code == ErrMethod.Code {
		return e, http.StatusMethodNotAllowed
	}
	return e, Status(e.Kind)
}

// about gives the words for an error of this code where there are some, and else of its kind.
func (p *Responder) about(key, lang string, e *errs.Error) string {
	if of := key + e.Code; p.words.Known(of) {
		return p.words.T(lang, of)
	}
	return p.words.T(lang, key+string(e.Kind))
}

// Write logs err once and answers with it. Headers that belong to the successful answer are removed.
func (p *Responder) Write(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return // the client has gone; there is nobody to tell and nothing that went wrong
	}
	e, status := normalize(err)
	id := RequestID(r.Context())
	level := slog.LevelInfo
	if status >= 500 {
		level = slog.LevelError
	}
	attrs := []slog.Attr{slog.String("code", e.Code), slog.Int("status", status), slog.String("method", r.Method),
		slog.String("route", r.Pattern), slog.String("request_id", id)}
	if status >= 500 {
		attrs = append(attrs, slog.Any("error", err))
	}
	p.log.LogAttrs(r.Context(), level, "request failed", attrs...)

	h := w.Header()
	for _, name := range []string{"Content-Length", "Content-Encoding", "Content-Disposition", "Content-Type", "ETag", "Last-Modified"} {
		h.Del(name)
	}
	h.Set("Cache-Control", "no-store")
	if status == http.StatusTooManyRequests && h.Get("Retry-After") == "" {
		h.Set("Retry-After", "60")
	}
	lang := LangOf(r.Context(), p.words, r)
	data := PageData{Status: status, Code: e.Code, Title: p.about("errors.title.", lang, e), Message: p.words.Error(lang, e),
		Next: p.about("errors.next.", lang, e), RequestID: id, Lang: lang, Dir: i18n.Dir(lang),
		T: func(key string, args ...any) string { return p.words.T(lang, key, args...) }}
	switch {
	case r.Header.Get("HX-Request") == "true":
		h.Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		_ = fragment.Execute(w, data) // the connection is all that can fail
	case wantsPage(r):
		h.Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		if r.Method != http.MethodHead {
			p.page(w, r, data)
		}
	default:
		h.Set("Content-Type", "application/problem+json")
		h.Set("Content-Language", lang)
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(problem(e, data))
	}
}

// Problem is the RFC 9457 document. Type is a URN of the code: stable, and nothing that needs to be fetched.
type Problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail"`
	Code      string `json:"code"`
	Field     string `json:"field,omitempty"`
	RequestID string `json:"request_id,omitempty"`
}

func problem(e *errs.Error, d PageData) Problem {
	return Problem{Type: "urn:hotline:problem:" + e.Code, Title: d.Title, Status: d.Status, Detail: d.Message, Code: e.Code, Field: e.Field, RequestID: d.RequestID}
}

// AsProblem gives the problem document for err in the request's language, and logs nothing: for frameworks that write their own answers.
func (p *Responder) AsProblem(r *http.Request, err error) Problem {
	e, status := normalize(err)
	lang := LangOf(r.Context(), p.words, r)
	return problem(e, PageData{Status: status, Title: p.words.T(lang, "errors.title."+string(e.Kind)), Message: p.words.Error(lang, e), RequestID: RequestID(r.Context())})
}

func wantsPage(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}

// Handler wraps a surface: the request gets its id and its language, panics become a 500 that is logged with its stack, and the mux's own plain
// 404 and 405 become ours.
func (p *Responder) Handler(mux *http.ServeMux) http.Handler {
	return p.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := mux.Handler(r); pattern == "" {
			p.unmatched(mux, w, r)
			return
		}
		mux.ServeHTTP(w, r)
	}))
}

// Wrap is Handler for something that answers its own 404s.
func (p *Responder) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := context.WithValue(r.Context(), responderKey{}, p)
		ctx = withRequestID(ctx, w, r)
		ctx = withLang(ctx, p.words, r)
		r = r.WithContext(ctx)
		tw := &trackingWriter{ResponseWriter: w}
		defer func() {
			switch v := recover(); {
			case v == nil:
			case v == http.ErrAbortHandler:
				panic(v)
			default:
				p.log.ErrorContext(ctx, "panic", "value", v, "method", r.Method, "route", r.Pattern, "request_id", RequestID(ctx), "stack", string(debug.Stack()))
				if tw.wrote {
					panic(http.ErrAbortHandler) // half an answer is out: break the connection rather than pretend it is whole
				}
				p.Write(w, r, errs.New(errs.Internal, "internal", "panic"))
			}
		}()
		next.ServeHTTP(tw, r)
	})
}

// unmatched asks the mux what it would have said and says it in our words.
func (p *Responder) unmatched(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) {
	rec := &statusRecorder{header: http.Header{}}
	mux.ServeHTTP(rec, r)
	switch {
	case rec.status == http.StatusMethodNotAllowed:
		w.Header().Set("Allow", rec.header.Get("Allow"))
		p.Write(w, r, ErrMethod)
	case rec.status >= 300 && rec.status < 400:
		http.Redirect(w, r, rec.header.Get("Location"), rec.status)
	default:
		p.Write(w, r, ErrNotFound)
	}
}

type statusRecorder struct {
	header http.Header
	status int
}

func (s *statusRecorder) Header() http.Header { return s.header }
func (s *statusRecorder) WriteHeader(code int) {
	if s.status == 0 {
		s.status = code
	}
}
func (s *statusRecorder) Write(b []byte) (int, error) {
	s.WriteHeader(http.StatusOK)
	return len(b), nil
}

// trackingWriter knows whether the answer has begun. Unwrap keeps http.ResponseController (flush, hijack, deadlines) working.
type trackingWriter struct {
	http.ResponseWriter
	wrote bool
}

func (t *trackingWriter) WriteHeader(code int) { t.wrote = true; t.ResponseWriter.WriteHeader(code) }
func (t *trackingWriter) Write(b []byte) (int, error) {
	t.wrote = true
	return t.ResponseWriter.Write(b)
}
func (t *trackingWriter) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// Flush keeps server-sent events working for code that asks for http.Flusher directly.
func (t *trackingWriter) Flush() {
	t.wrote = true
	_ = http.NewResponseController(t.ResponseWriter).Flush() // a writer that cannot flush sends at the end
}
