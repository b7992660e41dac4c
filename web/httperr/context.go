package httperr

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"

	"hotline/internal/i18n"
)

type (
	requestIDKey struct{}
	langKey      struct{}
)

// RequestID is the id of the request in ctx, or "".
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// withRequestID always makes an id of our own: one that a client sends could be made to look like somebody else's in the log.
func withRequestID(ctx context.Context, w http.ResponseWriter, _ *http.Request) context.Context {
	if RequestID(ctx) != "" {
		return ctx
	}
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	id := hex.EncodeToString(b[:])
	w.Header().Set("X-Request-Id", id)
	return context.WithValue(ctx, requestIDKey{}, id)
}

// LangCookie remembers the language a person chose.
const LangCookie = "lang"

func withLang(ctx context.Context, words *i18n.Bundle, r *http.Request) context.Context {
	if _, ok := ctx.Value(langKey{}).(string); ok {
		return ctx
	}
	return context.WithValue(ctx, langKey{}, negotiate(words, r))
}

// WithLang sets the language for what follows: for signed-in staff, whose profile names one.
func WithLang(ctx context.Context, lang string) context.Context {
	return context.WithValue(ctx, langKey{}, lang)
}

// Lang is the language of the request in ctx; the default where no Responder has wrapped the handler.
func Lang(ctx context.Context) string {
	if lang, ok := ctx.Value(langKey{}).(string); ok {
		return lang
	}
	return i18n.Default
}

// LangOf is Lang that asks the request itself where no middleware has run.
func LangOf(ctx context.Context, words *i18n.Bundle, r *http.Request) string {
	if lang, ok := ctx.Value(langKey{}).(string); ok {
		return lang
	}
	return negotiate(words, r)
}

func negotiate(words *i18n.Bundle, r *http.Request) string {
	remembered := ""
	if c, err := r.Cookie(LangCookie); err == nil {
		remembered = c.Value
	}
	return words.Negotiate(r.URL.Query().Get("lang"), remembered, r.Header.Get("Accept-Language"))
}
