package llm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	openai "github.com/sashabaranov/go-openai"
)

// newHTTP is a client that follows no redirects (the key would travel along) and reaches no address that hands out a cloud's credentials.
func newHTTP() *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		if metadata(address) {
			return errors.New("llm: no model lives at this address")
		}
		return nil
	}}
	return &http.Client{
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 16,
			IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// attempt carries one request of go-openai over the wire: it puts in what the library leaves out, bounds what comes back, and remembers what
// the library forgets.
type attempt struct {
	http *http.Client
	// temperature is sent even when it is 0, which the library takes for "not set". nil: not sent at all.
	temperature *float64
	limit       int64 // bytes of a response

	status     int
	retryAfter time.Duration // what the server asked for; -1: nothing
}

// Do implements openai.HTTPDoer.
func (a *attempt) Do(req *http.Request) (*http.Response, error) {
	a.status, a.retryAfter = 0, -1
	if a.temperature != nil && req.Body != nil {
		if err := a.set(req, "temperature", *a.temperature); err != nil {
			return nil, err
		}
	}
	res, err := a.http.Do(req)
	if err != nil {
		return nil, err
	}
	a.status, a.retryAfter = res.StatusCode, retryAfter(res.Header, time.Now())
	res.Body = &bounded{res.Body, a.limit}
	if res.StatusCode >= 300 && res.StatusCode < 400 {
		_ = res.Body.Close() // nothing in it is of use
		return nil, errRedirect
	}
	return res, nil
}

var errRedirect = errors.New("llm: the address redirects elsewhere")

// set writes a field into a JSON body.
func (a *attempt) set(req *http.Request, name string, value any) error {
	raw, err := io.ReadAll(req.Body)
	if err != nil {
		return fmt.Errorf("llm: request: %w", err)
	}
	var body map[string]json.RawMessage
	if err := json.Unmarshal(raw, &body); err != nil {
		return fmt.Errorf("llm: request: %w", err)
	}
	if body[name], err = json.Marshal(value); err != nil {
		return fmt.Errorf("llm: request: %w", err)
	}
	if raw, err = json.Marshal(body); err != nil {
		return fmt.Errorf("llm: request: %w", err)
	}
	req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(raw)), int64(len(raw))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil }
	return nil
}

// bounded fails instead of reading more than it may.
type bounded struct {
	io.ReadCloser
	left int64
}

var errTooMuch = errors.New("llm: the response is too large")

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooMuch
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	return n, err
}

// retryAfter reads how long a server wants to be left alone: Retry-After in seconds or as a date (RFC 9110 §10.2.3), or OpenAI's
// retry-after-ms. -1 when it says nothing.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if ms, err := strconv.ParseFloat(strings.TrimSpace(h.Get("retry-after-ms")), 64); err == nil && ms >= 0 && ms < 1e9 {
		return time.Duration(ms * float64(time.Millisecond))
	}
	v := strings.TrimSpace(h.Get("Retry-After"))
	if secs, err := strconv.ParseFloat(v, 64); err == nil && secs >= 0 && secs < 1e6 {
		return time.Duration(secs * float64(time.Second))
	}
	if t, err := http.ParseTime(v); err == nil {
		return max(0, t.Sub(now))
	}
	return -1
}

const (
	maxAttempts = 4
	firstWait   = 200 * time.Millisecond
	longWait    = 4 * time.Second
)

// pause is how long to wait before the next try: what the server asked for, or a random part of a growing time, so that many callers do not
// come back together. false: there is no time left for it.
func (a *attempt) pause(ctx context.Context, tries int) (time.Duration, bool) {
	wait := min(firstWait<<(tries-1), longWait)
	wait = wait/2 + rand.N(wait/2+1)
	if a.retryAfter >= 0 {
		wait = a.retryAfter + rand.N(50*time.Millisecond)
	}
	deadline, ok := ctx.Deadline()
	return wait, !ok || time.Until(deadline) > wait
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// judge turns what happened into one of this package's errors and says whether another try may help. The vendor's own words are not kept:
// they may repeat a key or a text.
func (a *attempt) judge(ctx context.Context, err error) (judged error, again bool) {
	var api *openai.APIError
	var plain *openai.RequestError
	var syntax *json.SyntaxError
	var shape *json.UnmarshalTypeError
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return ErrTimeout, false
	case ctx.Err() != nil:
		return ctx.Err(), false
	case errors.Is(err, errTooMuch):
		return ErrTooLong, false
	case errors.Is(err, errRedirect):
		return ErrRefused, false
	case errors.Is(err, ErrCut):
		return ErrCut, true
	case errors.Is(err, ErrBadAnswer), errors.Is(err, ErrDeclined):
		return err, false
	case errors.As(err, &api) && a.status < 400: // an error in the middle of a stream
		return ErrDown, true
	case errors.As(err, &api), errors.As(err, &plain):
		switch {
		case a.status == http.StatusTooManyRequests && api != nil && noMoney(api):
			return ErrQuota, false
		case a.status == http.StatusTooManyRequests:
			return ErrRate, true
		case a.status == http.StatusUnauthorized || a.status == http.StatusForbidden:
			return ErrKey, false
		case a.status == http.StatusRequestTimeout || a.status == http.StatusConflict || a.status >= 500:
			return ErrDown, true
		default:
			return ErrRefused, false
		}
	case a.status == 200 && (errors.As(err, &syntax) || errors.As(err, &shape)):
		return ErrBadAnswer, false
	case a.status == 200 && errors.Is(err, io.EOF): // nothing at all
		return ErrBadAnswer, false
	case a.status == 200:
		return ErrCut, true
	case a.status >= 500: // the body of a failure broke
		return ErrDown, true
	case a.status >= 400:
		return ErrRefused, false
	default: // no connection
		return ErrDown, true
	}
}

// noMoney tells the refusals of 429 that no waiting helps against (OpenAI, guide "Error codes").
func noMoney(e *openai.APIError) bool {
	code, _ := e.Code.(string)
	return e.Type == "insufficient_quota" || strings.Contains(code, "quota") || strings.Contains(code, "credit_balance") || strings.Contains(code, "spend_limit")
}
