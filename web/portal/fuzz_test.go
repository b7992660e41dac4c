package portal

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"hotline/channels"
)

var alive = regexp.MustCompile(`(?i)<(script|img|svg|iframe|object|style|form|input|link|meta|base)\b|<[^>]*\son\w+\s*=|href="\s*(javascript|data|vbscript):`)

// Whatever an article's source holds, the page holds text and links.
func FuzzMarkdown(f *testing.F) {
	for _, seed := range []string{hostile, "[a](javascript:alert(1))", "| a |\n| --- |\n| <b onclick=x> |", "<scr<script>ipt>", "[x]: data:text/html,x\n[x]", "# a\n\n1. b", "![i](http://x/y.png)"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		out, err := newMarkdown().html(source)
		if err != nil {
			t.Skip()
		}
		if found := alive.FindString(string(out)); found != "" {
			t.Errorf("%q became %q", source, found)
		}
	})
}

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
