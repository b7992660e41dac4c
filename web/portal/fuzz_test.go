package portal

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"hotline/channels"
)

// A form's value is always valid text without control characters, however it was sent.
func FuzzField(f *testing.F) {
	for _, seed := range []string{"plain", "\xff\xfe", "a\x00b\r\nc", "\u202eevil", " 字 "} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		r := &http.Request{Method: http.MethodPost, PostForm: url.Values{"x": {value}}, Form: url.Values{}}
		got := field(r, "x")
		if !utf8.ValidString(got) || strings.ContainsAny(got, "\x00\r\u202e\x1b") {
			t.Errorf("%q became %q", value, got)
		}
		_, _ = channels.LooksLikePhone(got), channels.LooksLikeEmail(got)
	})
}
