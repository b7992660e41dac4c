package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"hotline/internal/errs"
	"hotline/web/httperr"
)

// operation is what the interface has to know of a call beside its types.
type operation struct {
	id, method, path string
	tag              string
	summary, about   string
	scope            string // of an API key
	public           bool   // the scope is not needed without a key
	filing           bool   // without a key it counts against Limits.Filing
	idempotent       bool   // takes an Idempotency-Key
	raw              bool   // the handler reads the body itself
	status           int
	errors           []int                 // beside those that follow from the above
	example          any                   // of the request's body
	enums            map[string][]any      // values of parameters that code knows
	edit             func(*huma.Operation) // of the description alone, after huma has seen it
}

// call is one request in flight.
type call struct {
	caller
	ctx  context.Context
	r    *http.Request
	w    http.ResponseWriter
	op   *operation
	lang string
	body []byte // as it was sent
}

type callKey struct{}

// register adds an operation. The handler's error becomes a problem document; it may set headers on c.w.
func register[I, O any](a *API, o operation, handler func(c *call, in *I) (*O, error)) {
	op := &o
	h := huma.Operation{
		OperationID: o.id, Method: o.method, Path: o.path, Summary: o.summary, Description: o.about, Tags: []string{o.tag}, DefaultStatus: o.status,
		MaxBodyBytes: -1, BodyReadTimeout: -1, // readBody has bounded both
		Middlewares: huma.Middlewares{a.enter(op)},
	}
	a.document(&h, op)
	huma.Register(a.huma, h, func(ctx context.Context, in *I) (*O, error) {
		c := ctx.Value(callKey{}).(*call)
		c.ctx = ctx
		out, err := handler(c, in)
		if err != nil {
			return nil, &thrown{err: err}
		}
		return out, nil
	})
	documented := pathItemOperation(a.huma.OpenAPI(), op)
	if o.edit != nil {
		o.edit(documented)
	}
	// The schema is the one that huma validates with.
	for _, p := range documented.Parameters {
		if values := op.enums[p.Name]; values != nil {
			p.Schema.Enum = values
			p.Schema.PrecomputeMessages()
		}
	}
}

func pathItemOperation(spec *huma.OpenAPI, o *operation) *huma.Operation {
	item := spec.Paths[o.path]
	if o.method == http.MethodGet {
		return item.Get
	}
	return item.Post
}

// enter runs before an operation's input is parsed: who, how often, and whether the body is fit to look at.
func (a *API) enter(o *operation) func(huma.Context, func(huma.Context)) {
	return func(hc huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(hc)
		c := &call{r: r, w: w, op: o, lang: httperr.LangOf(r.Context(), a.Words, r)}
		if err := a.admit(c); err != nil {
			if errs.KindOf(err) == errs.Unauthenticated {
				w.Header().Set("WWW-Authenticate", `Bearer realm="hotline"`)
			}
			a.refuse(hc, err)
			return
		}
		next(huma.WithValue(hc, callKey{}, c))
	}
}

func (a *API) admit(c *call) (err error) {
	if bad := checkEncoding(c.r); bad != nil {
		return bad
	}
	if c.caller, err = a.identify(c.w, c.r); err != nil {
		return err
	}
	if err := a.permit(c.w, c.caller, c.op); err != nil {
		return err
	}
	if c.op.idempotent {
		if err := checkKey(c); err != nil {
			return err
		}
	}
	if c.op.method == http.MethodGet || c.op.raw {
		return nil
	}
	if c.body, err = readBody(c.w, c.r); err != nil {
		return err
	}
	c.r.Body = readCloser{strings.NewReader(string(c.body))}
	return nil
}

type readCloser struct{ *strings.Reader }

// Close does nothing: the bytes are in memory.
func (readCloser) Close() error { return nil }

// refuse answers an operation with an error before its handler runs.
func (a *API) refuse(hc huma.Context, err error) {
	t := &thrown{err: err}
	hc.SetHeader("Content-Type", t.ContentType(""))
	p, _ := a.transform(hc, "", t) // it fails on nothing
	hc.SetStatus(t.GetStatus())
	_ = a.huma.Marshal(hc.BodyWriter(), "application/json", p) // the connection is all that can fail
}
