// Package meili is the knowledge.Index on a Meilisearch server: for
// collections that outgrow one machine, shared by all nodes of an
// installation.
//
// What a document says reaches Meilisearch with its words stemmed by the
// knowledge package, as Meilisearch has no stemmer of its own, and with its
// Chinese as it is, for Meilisearch to cut into words. The server holds nothing
// that cannot be made again from PostgreSQL.
//
// Every call has a deadline of its own, and nothing is believed: an answer that
// is no JSON, too long, or names what is no document is an error or left out.
// knowledge falls back to its own search then.
//
// It is the only importer of meilisearch-go.
package meili

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/meilisearch/meilisearch-go"

	"hotline/internal/errs"
	"hotline/knowledge"
)

// Errors of an Index.
var (
	ErrClosed = errs.New(errs.Unavailable, "knowledge.index_closed", "the search index is closed")
	ErrAway   = errs.New(errs.Unavailable, "knowledge.engine_away", "the search engine does not answer")
	ErrKey    = errs.New(errs.Unavailable, "knowledge.engine_key", "the search engine refuses the key")
)

// Options of New.
type Options struct {
	URL string
	Key string // with the rights to documents, search, settings, indexes and tasks
	// UID names the index; empty means "hotline-articles".
	UID string
	// Embedders are given to Meilisearch as its setting of that name; the first by name makes searches hybrid. Empty: words only.
	Embedders map[string]meilisearch.Embedder
	// Transport is for tests; nil means one of its own.
	Transport http.RoundTripper
}

// Deadlines of single calls. A search has the caller's besides, which is shorter.
const (
	searchWithin = 2 * time.Second
	callWithin   = 10 * time.Second
	taskWithin   = 2 * time.Minute // until the server has worked through what was sent
	// maxAnswer bounds the bytes of an answer.
	maxAnswer = 8 << 20
)

// Index implements knowledge.Index.
type Index struct {
	server meilisearch.ServiceManager
	uid    string
	opt    Options
	closed atomic.Bool
	hybrid *meilisearch.SearchRequestHybrid
}

var _ knowledge.Index = (*Index)(nil)

// New makes the index's client. The server may be away: nothing is asked yet.
func New(o Options) *Index {
	if o.UID == "" {
		o.UID = "hotline-articles"
	}
	if o.Transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = 32
		o.Transport = t
	}
	client := &http.Client{Transport: bounded{o.Transport}, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // the key goes to no other address
	}}
	x := &Index{uid: o.UID, opt: o, server: meilisearch.New(strings.TrimSuffix(o.URL, "/"), meilisearch.WithAPIKey(o.Key), meilisearch.WithCustomClient(client), meilisearch.DisableRetries())}
	if names := embedders(o); len(names) > 0 {
		x.hybrid = &meilisearch.SearchRequestHybrid{Embedder: names[0], SemanticRatio: 1}
	}
	return x
}

func embedders(o Options) []string {
	var names []string
	for n := range o.Embedders {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// bounded cuts answers that are too long, which makes them broken JSON.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	}
	return resp, err
}

// call runs one request with a deadline. Errors: ErrClosed, ErrAway, ErrKey, ErrKey, ctx's own.
func (x *Index) call(ctx context.Context, within time.Duration, what string, f func(ctx context.Context) error) error {
	if x.closed.Load() {
		return ErrClosed
	}
	short, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	err := f(short)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", what, ctx.Err())
	}
	away := ErrAway
	if refused(err) {
		away = ErrKey
	}
	return away.Wrap(fmt.Errorf("%s: %w", what, plain(err)))
}

func refused(err error) bool {
	var e *meilisearch.Error
	return errors.As(err, &e) && (e.StatusCode == http.StatusUnauthorized || e.StatusCode == http.StatusForbidden)
}

// plain is the cause without the client's description of the request, which repeats the text that was searched or sent.
func plain(err error) error {
	var e *meilisearch.Error
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case e.APIError.Code != "":
		return fmt.Errorf("status %d, %s: %s", e.StatusCode, e.APIError.Code, cut(e.APIError.Message, 200))
	case e.OriginError != nil:
		return fmt.Errorf("status %d: %w", e.StatusCode, e.OriginError)
	}
	return fmt.Errorf("status %d", e.StatusCode)
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

func unknownIndex(err error) bool {
	var e *meilisearch.Error
	return errors.As(err, &e) && e.APIError.Code == "index_not_found"
}

// wait polls a task until the server is through with it.
func (x *Index) wait(ctx context.Context, what string, task *meilisearch.TaskInfo) error {
	long, cancel := context.WithTimeout(ctx, taskWithin)
	defer cancel()
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 500*time.Millisecond) {
		var t *meilisearch.Task
		if err := x.call(long, callWithin, what, func(ctx context.Context) (err error) {
			t, err = x.server.GetTask(ctx, task.TaskUID)
			return err
		}); err != nil {
			return err
		}
		switch t.Status {
		case meilisearch.TaskStatusSucceeded:
			return nil
		case meilisearch.TaskStatusFailed, meilisearch.TaskStatusCanceled:
			return ErrAway.Wrap(fmt.Errorf("%s: task %d %s: %s %s", what, task.TaskUID, t.Status, t.Error.Code, cut(t.Error.Message, 200)))
		}
		select {
		case <-long.Done():
			return ErrAway.Wrap(fmt.Errorf("%s: task %d: %w", what, task.TaskUID, long.Err()))
		case <-time.After(pause):
		}
	}
}

// run sends a task and waits for it.
func (x *Index) run(ctx context.Context, what string, send func(ctx context.Context) (*meilisearch.TaskInfo, error)) error {
	var task *meilisearch.TaskInfo
	if err := x.call(ctx, callWithin, what, func(ctx context.Context) (err error) { task, err = send(ctx); return err }); err != nil {
		return err
	}
	return x.wait(ctx, what, task)
}

// ensure makes the index with its settings where it is not there.
func (x *Index) ensure(ctx context.Context, uid string) error {
	missing := false
	if err := x.call(ctx, callWithin, "look for index", func(ctx context.Context) error {
		_, err := x.server.GetIndex(ctx, uid)
		if unknownIndex(err) {
			missing, err = true, nil
		}
		return err
	}); err != nil || !missing {
		return err
	}
	return x.create(ctx, uid, nil)
}

func (x *Index) create(ctx context.Context, uid string, groups []knowledge.SynonymGroup) error {
	if err := x.run(ctx, "create index", func(ctx context.Context) (*meilisearch.TaskInfo, error) {
		return x.server.CreateIndex(ctx, &meilisearch.IndexConfig{Uid: uid, PrimaryKey: "id"})
	}); err != nil {
		return err
	}
	return x.run(ctx, "index settings", func(ctx context.Context) (*meilisearch.TaskInfo, error) {
		return x.server.Index(uid).UpdateSettings(ctx, x.settings(groups))
	})
}

// Put implements knowledge.Index. Errors: ErrClosed, ErrAway, ErrKey, ctx's own.
func (x *Index) Put(ctx context.Context, docs ...knowledge.Doc) error {
	if len(docs) == 0 {
		return nil
	}
	if x.closed.Load() {
		return ErrClosed
	}
	if err := x.ensure(ctx, x.uid); err != nil {
		return err
	}
	return x.putIn(ctx, x.uid, docs)
}

func (x *Index) putIn(ctx context.Context, uid string, docs []knowledge.Doc) error {
	last := make(map[string]int, len(docs))
	for i, d := range docs {
		last[d.ID] = i
	}
	sent := make([]document, 0, len(docs))
	for i, d := range docs {
		if last[d.ID] == i {
			sent = append(sent, x.newDocument(d))
		}
	}
	return x.run(ctx, "send articles", func(ctx context.Context) (*meilisearch.TaskInfo, error) {
		return x.server.Index(uid).AddDocuments(ctx, sent, nil)
	})
}

// Delete implements knowledge.Index. Errors: ErrClosed, ErrAway, ErrKey, ctx's own.
func (x *Index) Delete(ctx context.Context, ids ...string) error {
	if x.closed.Load() {
		return ErrClosed
	}
	if len(ids) == 0 {
		return nil
	}
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = keyOf(id)
	}
	if err := x.ensure(ctx, x.uid); err != nil {
		return err
	}
	return x.run(ctx, "remove articles", func(ctx context.Context) (*meilisearch.TaskInfo, error) {
		return x.server.Index(x.uid).DeleteDocuments(ctx, keys, nil)
	})
}

// Count implements knowledge.Index; an index that was never made holds none. Errors: ErrClosed, ErrAway, ErrKey, ctx's own.
func (x *Index) Count(ctx context.Context) (n int, err error) {
	err = x.call(ctx, callWithin, "count articles", func(ctx context.Context) error {
		stats, err := x.server.Index(x.uid).GetStats(ctx, nil)
		if unknownIndex(err) {
			return nil
		}
		if err == nil {
			n = int(stats.NumberOfDocuments)
		}
		return err
	})
	return n, err
}

// Close implements knowledge.Index. The server keeps what it has.
func (x *Index) Close() error {
	x.closed.Store(true)
	return nil
}

// document is an article as Meilisearch sees it.
type document struct {
	Key       string   `json:"id"`
	Version   int      `json:"version"`
	Lang      string   `json:"lang"`
	Audience  string   `json:"audience"`
	Title     string   `json:"title"`
	Questions []string `json:"questions"`
	Keywords  []string `json:"keywords"`
	Summary   string   `json:"summary"`
	Body      string   `json:"body"`
	// Text is all of it as it was written, for a model of meaning to read; empty where there is none. Its name stands in operators' settings.
	Text string `json:"text,omitempty"`
}

// maxBody bounds the bytes of a body that are indexed.
const maxBody = 64 << 10

func (x *Index) newDocument(d knowledge.Doc) document {
	out := document{Key: keyOf(d.ID), Version: d.Version, Lang: langOf(d.Lang), Audience: d.Audience, Title: knowledge.Stems(d.Title),
		Questions: make([]string, len(d.Questions)), Keywords: make([]string, len(d.Keywords)), Summary: knowledge.Stems(d.Summary), Body: knowledge.Stems(d.Body[:min(len(d.Body), maxBody)])}
	if out.Audience == "" {
		out.Audience = knowledge.AudiencePublic
	}
	if x.hybrid != nil {
		out.Text = strings.TrimSpace(strings.Join(append([]string{d.Title, d.Summary, d.Body[:min(len(d.Body), maxBody)]}, d.Questions...), "\n"))
	}
	for i, q := range d.Questions {
		out.Questions[i] = knowledge.Stems(q)
	}
	for i, k := range d.Keywords {
		out.Keywords[i] = knowledge.Stems(k)
	}
	return out
}

func langOf(tag string) string {
	if l := knowledge.BaseLang(tag); l != "" {
		return l
	}
	return "und"
}

// Meilisearch takes few characters in a key. Ids are UUIDs here; others are kept apart by a dash that none of them begins with.
var plainKey = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_-]{0,199}$`)

func keyOf(id string) string {
	if plainKey.MatchString(id) {
		return id
	}
	return "-" + base64.RawURLEncoding.EncodeToString([]byte(id))
}

func idOf(key string) (string, bool) {
	coded, isCoded := strings.CutPrefix(key, "-")
	if !isCoded {
		return key, plainKey.MatchString(key)
	}
	raw, err := base64.RawURLEncoding.DecodeString(coded)
	return string(raw), err == nil
}
