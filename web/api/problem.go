package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/danielgtaylor/huma/v2/validation"

	"hotline/internal/errs"
	"hotline/web/httperr"
)

// The errors of this package.
var (
	// ErrField: a field has a value that is not allowed. Status 422.
	ErrField = errs.New(errs.Invalid, "api.bad_field", "a field has a value that is not allowed")
	// ErrUnknownField: a field or parameter that the operation does not know. Status 422.
	ErrUnknownField = errs.New(errs.Invalid, "api.unknown_field", "the request has a field that is not known here")
	// ErrMissingField: a required field or parameter is missing. Status 422.
	ErrMissingField = errs.New(errs.Invalid, "api.missing_field", "a required field is missing")
	// ErrMediaType: the body is neither JSON nor what the operation takes.
	ErrMediaType = errs.New(errs.Invalid, "api.media_type", "the body has a media type that is not accepted here")
	// ErrBadJSON: the body is not JSON.
	ErrBadJSON = errs.New(errs.Invalid, "api.bad_json", "the body is not valid JSON")
	// ErrEncoding: the request holds bytes that are not UTF-8.
	ErrEncoding = errs.New(errs.Invalid, "api.encoding", "the request is not valid UTF-8")
	// ErrTooDeep: the body is nested deeper than any operation needs. Args: max.
	ErrTooDeep = errs.New(errs.Invalid, "api.too_deep", "the body is nested too deeply").With("max", maxDepth)
	// ErrDuplicateField: an object names a field twice; which one counts would be a guess.
	ErrDuplicateField = errs.New(errs.Invalid, "api.duplicate_field", "the body names a field twice")
	// ErrBadForm: a multipart form that ends early or has no boundary where one should be.
	ErrBadForm = errs.New(errs.Invalid, "api.bad_form", "the form is not well-formed")
	// ErrEmptyBody: the operation needs a body.
	ErrEmptyBody = errs.New(errs.Invalid, "api.empty_body", "the request has no body")
)

// Problem is the answer to every failed request (RFC 9457).
type Problem struct {
	Type      string         `json:"type" doc:"URN of the code: stable, and nothing that needs to be fetched" example:"urn:hotline:problem:tickets.stale"`
	Title     string         `json:"title" doc:"In the language of the request" example:"This has changed"`
	Status    int            `json:"status" example:"409"`
	Detail    string         `json:"detail" doc:"In the language of the request, for people" example:"Somebody else changed this in the meantime."`
	Code      string         `json:"code" doc:"Stable: programs decide by it" example:"tickets.stale"`
	Field     string         `json:"field,omitempty" doc:"The input it belongs to" example:"version"`
	RequestID string         `json:"request_id,omitempty" doc:"The same as in the header X-Request-Id and in the log" example:"8f14e45fceea167a"`
	Args      map[string]any `json:"args,omitempty" doc:"What the code is about, for example the version that is current"`
	Errors    []FieldProblem `json:"errors,omitempty" doc:"Every input that is wrong, where there are several"`
}

// FieldProblem is what is wrong with one input.
type FieldProblem struct {
	Field  string `json:"field" example:"place.lat"`
	Code   string `json:"code" example:"api.bad_field"`
	Detail string `json:"detail" example:"This value is not allowed here."`
	Hint   string `json:"hint,omitempty" doc:"For developers, in English" example:"expected number <= 90"`
}

// ContentType makes huma send and document the problem media type.
func (Problem) ContentType(string) string { return "application/problem+json" }

// thrown carries a handler's error through huma, which asks it for a status, to the transformer, which makes the problem document of it.
type thrown struct {
	err     error
	headers http.Header
}

func (t *thrown) Error() string             { return "failed" } // the cause is not for huma to write
func (t *thrown) Unwrap() error             { return t.err }
func (t *thrown) GetHeaders() http.Header   { return t.headers }
func (t *thrown) ContentType(string) string { return "application/problem+json" }

// GetStatus tells huma the status.
func (t *thrown) GetStatus() int { return statusOf(t.err) }

// statusOf is httperr's status, but what is well-formed and wrong in its values is 422 here.
func statusOf(err error) int {
	switch {
	case errors.Is(err, ErrField), errors.Is(err, ErrUnknownField), errors.Is(err, ErrMissingField):
		return http.StatusUnprocessableEntity
	case errors.Is(err, ErrMediaType):
		return http.StatusUnsupportedMediaType
	case errors.Is(err, httperr.ErrMethod):
		return http.StatusMethodNotAllowed
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return http.StatusRequestEntityTooLarge
	}
	if errors.Is(err, context.DeadlineExceeded) && errs.KindOf(err) == errs.Internal {
		return http.StatusServiceUnavailable
	}
	return httperr.Status(errs.KindOf(err))
}

// transform is where everything that huma answers passes: errors, huma's own and ours, become problem documents and are logged once.
func (a *API) transform(ctx huma.Context, _ string, v any) (any, error) {
	r, w := humago.Unwrap(ctx)
	switch e := v.(type) {
	case *thrown:
		return a.problem(w, r, e.err, nil), nil
	case *huma.ErrorModel:
		fields, err := a.fromHuma(r, e)
		p := a.problem(w, r, err, fields)
		p.Status = e.Status // huma writes this one
		return p, nil
	}
	return v, nil
}

// problem makes the document for err and logs it.
func (a *API) problem(w http.ResponseWriter, r *http.Request, err error, fields []FieldProblem) Problem {
	base := a.responder.AsProblem(r, err)
	p := Problem{Type: base.Type, Title: base.Title, Status: statusOf(err), Detail: base.Detail, Code: base.Code, Field: base.Field, RequestID: base.RequestID, Errors: fields}
	var known *errs.Error
	if errors.As(err, &known) && known.Kind != errs.Internal {
		p.Args = known.Args
	}
	level := slog.LevelInfo
	attrs := []slog.Attr{slog.String("code", p.Code), slog.Int("status", p.Status), slog.String("method", r.Method), slog.String("route", r.Pattern), slog.String("request_id", p.RequestID)}
	if p.Status >= 500 {
		level = slog.LevelError
		attrs = append(attrs, slog.Any("error", err))
	}
	a.Log.LogAttrs(r.Context(), level, "request failed", attrs...)
	h := w.Header()
	h.Del("ETag")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Language", httperr.LangOf(r.Context(), a.Words, r))
	switch {
	case p.Status == http.StatusTooManyRequests && h.Get("Retry-After") == "":
		h.Set("Retry-After", "60")
	case p.Status == http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="hotline"`)
	}
	return p
}

// fromHuma reads what huma found wrong. Its messages are English and stay hints; the codes and words are ours. The values are left out:
// they may be personal, and the client has them.
func (a *API) fromHuma(r *http.Request, m *huma.ErrorModel) ([]FieldProblem, error) {
	switch m.Status {
	case http.StatusUnsupportedMediaType:
		return nil, ErrMediaType
	case http.StatusRequestEntityTooLarge:
		return nil, httperr.ErrBodyTooLarge
	case http.StatusRequestTimeout:
		return nil, httperr.ErrTimeout
	case http.StatusBadRequest:
		if len(m.Errors) == 0 {
			return nil, ErrEmptyBody
		}
		return nil, ErrBadJSON
	case http.StatusUnprocessableEntity:
	default:
		return nil, fmt.Errorf("huma: status %d", m.Status)
	}
	lang := httperr.LangOf(r.Context(), a.Words, r)
	var fields []FieldProblem
	var first *errs.Error
	for _, d := range m.Errors {
		if d == nil || len(fields) == maxFieldProblems {
			continue
		}
		e, hint := classifyDetail(d)
		if first == nil {
			first = e
		}
		fields = append(fields, FieldProblem{Field: e.Field, Code: e.Code, Detail: a.Words.Error(lang, e), Hint: hint})
	}
	if first == nil {
		first = ErrField
	}
	if len(fields) == 1 && fields[0].Hint == "" {
		fields = nil
	}
	return fields, first
}

// maxFieldProblems keeps a body of a million wrong fields from making an answer of a million lines.
const maxFieldProblems = 20

var requiredPrefix, requiredSuffix, _ = strings.Cut(validation.MsgExpectedRequiredProperty, "%s")

func classifyDetail(d *huma.ErrorDetail) (e *errs.Error, hint string) {
	where := strings.TrimPrefix(strings.TrimPrefix(d.Location, "body"), ".")
	for _, in := range []string{"query.", "path.", "header.", "form."} {
		where = strings.TrimPrefix(where, in)
	}
	join := func(name string) string { return strings.TrimPrefix(where+"."+name, ".") }
	msg := d.Message
	switch {
	case msg == validation.MsgUnexpectedProperty, msg == "unknown query parameter":
		return named(ErrUnknownField, where), ""
	case strings.HasPrefix(msg, requiredPrefix) && strings.HasSuffix(msg, requiredSuffix):
		return named(ErrMissingField, join(strings.TrimSuffix(strings.TrimPrefix(msg, requiredPrefix), requiredSuffix))), ""
	case strings.HasPrefix(msg, "required ") && strings.HasSuffix(msg, " is missing"):
		return named(ErrMissingField, where), ""
	case strings.HasPrefix(msg, "expected "):
		// What follows a colon is the parser's text and may quote the value.
		hint, _, _ = strings.Cut(msg, ": ")
	}
	return named(ErrField, where), hint
}

// named puts a field's name, which a client may have made up, into an error: short and printable.
func named(e *errs.Error, field string) *errs.Error {
	field = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return -1
		}
		return r
	}, field)
	if runes := []rune(field); len(runes) > 100 {
		field = string(runes[:100])
	}
	shown := field
	if shown == "" {
		shown = "body"
	}
	return e.On(field).With("field", shown)
}
