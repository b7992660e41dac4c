package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

const about = `Tickets, tracking, knowledge and routing of a public-service hotline.

**Who may call.** Citizens' calls (filing, tracking, knowledge, reference data) need no key. Calls for agencies and channels need an API key, sent as
` + "`Authorization: Bearer hlk_…`" + `; a key acts for one agency, within its scopes.

**Sending twice.** Calls that change something need an ` + "`Idempotency-Key`" + ` header: for callers without an API key a random text of at least 16
characters, such as a UUID. For 24 hours the same key with the same request gives the first result again (` + "`Idempotency-Replayed: true`" + `); with another
request it is a conflict. A call that failed stored nothing and can be repeated with its key.

**Errors** are problem documents (RFC 9457) in the language of Accept-Language; programs decide by ` + "`code`" + `. 429 comes with Retry-After.

**Growth.** Answers may gain fields; ignore those you do not know. Requests with fields that we do not know are refused.

**Times** are RFC 3339 in UTC. **Lists** are paged by an opaque marker: pass ` + "`next`" + ` as ` + "`cursor`" + `.`

// Tags of the operations, in the order of the description.
const (
	tagTickets   = "Tickets"
	tagTracking  = "Tracking"
	tagKnowledge = "Knowledge"
	tagReference = "Reference data"
	tagMessages  = "Messages"
)

const securityScheme = "apiKey"

// config is huma's configuration with everything off that fetches from elsewhere, adds links, or speaks for us.
func (a *API) config() huma.Config {
	c := huma.DefaultConfig("Hotline", a.Version)
	c.Info.Description = about
	c.Info.License = &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", ""
	c.CreateHooks = nil
	c.Transformers = []huma.Transformer{a.transform}
	c.RejectUnknownQueryParameters = true
	c.Formats = map[string]huma.Format{"application/json": jsonFormat, "json": jsonFormat} // "json" serves …+json
	c.Servers = []*huma.Server{{URL: a.BaseURL + Prefix}}
	c.Tags = []*huma.Tag{
		{Name: tagTickets, Description: "File a ticket, and work on those of an agency."},
		{Name: tagTracking, Description: "What the person who filed can do with the tracking code. The code travels in the body, never in an address."},
		{Name: tagKnowledge, Description: "Published articles: search, read, answer."},
		{Name: tagReference, Description: "Categories, service items, agencies, areas, and who would be responsible."},
		{Name: tagMessages, Description: "Channels of your own: bring messages in, fetch the answers."},
	}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		securityScheme: {Type: "http", Scheme: "bearer", BearerFormat: "hlk_…", Description: "An API key made by an administrator. It is shown once and stored hashed."},
	}
	return c
}

// jsonFormat writes an answer that is whole in memory: a client that has gone is no error, and its address is nothing for the log.
var jsonFormat = huma.Format{
	Marshal: func(w io.Writer, v any) error {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(v); err != nil {
			return err
		}
		_, _ = b.WriteTo(w) // the connection is all that can fail
		return nil
	},
	Unmarshal: json.Unmarshal,
}

// document completes an operation's description before huma sees it: errors, security, the idempotency header, the example.
func (a *API) document(h *huma.Operation, o *operation) {
	h.Responses = map[string]*huma.Response{}
	schema := a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	for _, status := range o.statuses() {
		r := &huma.Response{Description: errorWords[status], Content: map[string]*huma.MediaType{"application/problem+json": {Schema: schema, Example: exampleProblem(status)}}}
		if status == http.StatusTooManyRequests {
			r.Headers = map[string]*huma.Header{"Retry-After": {Description: "Seconds to wait", Schema: &huma.Schema{Type: huma.TypeInteger}}}
		}
		h.Responses[strconv.Itoa(status)] = r
	}
	if o.scope != "" {
		h.Security = []map[string][]string{{securityScheme: {o.scope}}}
		if o.public {
			h.Security = append(h.Security, map[string][]string{})
		}
	}
	if o.idempotent {
		least, most := 1, maxKey // without an API key it is minPublicKey, which a schema cannot say
		h.Parameters = append(h.Parameters, &huma.Param{Name: "Idempotency-Key", In: "header", Required: true,
			Description: "Random, the same for every try of one call. At least 16 characters without an API key.",
			Schema:      &huma.Schema{Type: huma.TypeString, MinLength: &least, MaxLength: &most}, Example: "4f8b0e3a-5a58-4c3e-9a0e-2f6b1c7d9e10"})
	}
	if o.example != nil {
		h.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{"application/json": {Example: o.example}}}
	}
}

func (o *operation) statuses() []int {
	out := append([]int{http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable}, o.errors...)
	// A key that is sent is checked everywhere.
	out = append(out, http.StatusUnauthorized)
	if o.scope != "" {
		out = append(out, http.StatusForbidden)
	}
	if o.method != http.MethodGet {
		out = append(out, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	if o.idempotent {
		out = append(out, http.StatusConflict)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

var errorWords = map[int]string{
	http.StatusBadRequest:            "The request cannot be read, or a value in it is not allowed.",
	http.StatusUnauthorized:          "An API key is needed, or the one sent is not valid.",
	http.StatusForbidden:             "The key was not made for this, or this is for somebody else to do.",
	http.StatusNotFound:              "There is nothing there, or nothing that the caller may see.",
	http.StatusConflict:              "Something happened before: the code says what.",
	http.StatusRequestEntityTooLarge: "The body, a text or a file is too large.",
	http.StatusUnsupportedMediaType:  "The body has a media type that is not accepted here.",
	http.StatusUnprocessableEntity:   "A field or parameter is unknown, missing or has a value that is not allowed; `field` and `errors` name it.",
	http.StatusTooManyRequests:       "Too many requests; Retry-After says when to come back.",
	http.StatusInternalServerError:   "Something went wrong on our side; request_id finds it in the log.",
	http.StatusServiceUnavailable:    "Not reachable just now; try again with the same Idempotency-Key.",
}

func exampleProblem(status int) Problem {
	codes := map[int]string{
		http.StatusBadRequest: "api.bad_json", http.StatusUnauthorized: "auth.bad_key", http.StatusForbidden: "api.scope", http.StatusNotFound: "tickets.not_found",
		http.StatusConflict: "api.idempotency_key_reused", http.StatusRequestEntityTooLarge: "http.body_too_large", http.StatusUnsupportedMediaType: "api.media_type",
		http.StatusUnprocessableEntity: "api.unknown_field", http.StatusTooManyRequests: "http.too_many_requests", http.StatusInternalServerError: "internal",
		http.StatusServiceUnavailable: "db.unavailable",
	}
	return Problem{Type: "urn:hotline:problem:" + codes[status], Title: http.StatusText(status), Status: status, Detail: errorWords[status], Code: codes[status], RequestID: "8f14e45fceea167a"}
}

// document is the description as it is served.
type document struct {
	body []byte
	etag string
}

func describe(spec *huma.OpenAPI) (document, error) {
	// huma registers its own error type, which nobody is ever sent.
	for _, unused := range []string{"ErrorModel", "ErrorDetail"} {
		delete(spec.Components.Schemas.Map(), unused)
	}
	openAnswers(spec)
	body, err := json.Marshal(spec)
	if err != nil {
		return document{}, fmt.Errorf("api: description: %w", err)
	}
	sum := sha256.Sum256(body)
	return document{body: body, etag: `"` + hex.EncodeToString(sum[:12]) + `"`}, nil
}

// openAnswers lets what only answers use gain fields later; what is sent to us stays strict.
func openAnswers(spec *huma.OpenAPI) {
	registry := spec.Components.Schemas
	strict := map[*huma.Schema]bool{}
	var walk func(s *huma.Schema)
	walk = func(s *huma.Schema) {
		if s == nil {
			return
		}
		if s.Ref != "" {
			s = registry.SchemaFromRef(s.Ref)
		}
		if strict[s] {
			return
		}
		strict[s] = true
		walk(s.Items)
		for _, p := range s.Properties {
			walk(p)
		}
	}
	for _, item := range spec.Paths {
		if item.Post != nil && item.Post.RequestBody != nil {
			for _, media := range item.Post.RequestBody.Content {
				walk(media.Schema)
			}
		}
	}
	for _, s := range registry.Map() {
		if closed, ok := s.AdditionalProperties.(bool); ok && !closed && !strict[s] {
			s.AdditionalProperties = nil
		}
	}
}

func (d document) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("ETag", d.etag)
	h.Set("Cache-Control", "public, max-age=300")
	if etagMatches(r.Header.Get("If-None-Match"), d.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", "application/openapi+json;version=3.1")
	h.Set("Content-Length", strconv.Itoa(len(d.body)))
	_, _ = bytes.NewReader(d.body).WriteTo(w) // the connection is all that can fail
}

// etagMatches compares weakly, as If-None-Match does.
func etagMatches(header, etag string) bool {
	if strings.TrimSpace(header) == "*" {
		return true
	}
	for candidate := range strings.SplitSeq(header, ",") {
		if strings.TrimPrefix(strings.TrimSpace(candidate), "W/") == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return false
}

// notModified sets what lets a client keep an answer, and reports whether the one it has is still good.
func (c *call) notModified(etag string, maxAge string) bool {
	h := c.w.Header()
	h.Set("ETag", etag)
	h.Set("Cache-Control", maxAge)
	return etagMatches(c.r.Header.Get("If-None-Match"), etag)
}

// readableAnywhere lists what scripts of other pages may read: published knowledge, published numbers and this description.
func readableAnywhere(path string) bool {
	return strings.HasPrefix(path, Prefix+"/knowledge/") || path == Prefix+"/openapi.json" || path == Prefix+"/statistics"
}

var _ huma.ContentTypeFilter = Problem{}
