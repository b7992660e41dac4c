// Package widget serves the chat widget that other sites embed with one script tag:
//
//	<script src="https://hotline.example/widget/v1/widget.js" data-site="demo" data-lang="" async></script>
//
// The script is put together once, at start, from the files in src, the shared tokens and the catalogue: there is no build step and no framework.
// It defines <hotline-chat>, draws in a shadow root with a constructable style sheet, speaks the protocol of docs/chat-protocol.md and
// needs from the page's content security policy only script-src and connect-src of this origin (img-src blob: for pictures).
//
// Invariants, kept by tests: less than 30 KB gzipped; nothing from a server or a person is ever parsed as HTML; no eval.
package widget

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"hotline/internal/i18n"
	"hotline/web/static"
)

//go:embed src
var src embed.FS

// order is the order in which the files need one another.
var order = []string{"dom.js", "format.js", "store.js", "outbox.js", "transport.js", "forms.js", "tray.js", "bubbles.js", "element.js", "boot.js"}

// Path is where the script is mounted.
const Path = "/widget/v1/widget.js"

// New puts the script together. Errors: a file that is missing from the program.
func New(words *i18n.Bundle) (http.Handler, error) {
	script, err := build(words)
	if err != nil {
		return nil, fmt.Errorf("widget: %w", err)
	}
	file, err := static.File("widget.js", script, 300)
	if err != nil {
		return nil, fmt.Errorf("widget: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Path, func(w http.ResponseWriter, r *http.Request) {
		// Any page may load it: it holds nothing but the program, and what it may talk to is decided by the chat's origin list.
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
		file.ServeHTTP(w, r)
	})
	return mux, nil
}

func build(words *i18n.Bundle) ([]byte, error) {
	css, err := styles()
	if err != nil {
		return nil, err
	}
	texts, names, dirs := map[string]map[string]string{}, map[string]string{}, map[string]string{}
	for _, lang := range words.Languages() {
		texts[lang], names[lang], dirs[lang] = words.Surface(lang, "widget"), i18n.Name(lang), i18n.Dir(lang)
	}
	var b strings.Builder
	b.WriteString("(() => {\n\"use strict\";\n")
	for _, c := range []struct {
		name  string
		value any
	}{{"TEXTS", texts}, {"NAMES", names}, {"DIRS", dirs}, {"LANGS", words.Languages()}, {"CSS", css}} {
		raw, err := json.Marshal(c.value)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "const %s = %s;\n", c.name, raw)
	}
	for _, name := range order {
		file, err := fs.ReadFile(src, "src/"+name)
		if err != nil {
			return nil, err
		}
		b.Write(file)
	}
	b.WriteString("})();\n")
	return []byte(b.String()), nil
}

var (
	rem  = regexp.MustCompile(`([0-9]*\.?[0-9]+)rem\b`)
	note = regexp.MustCompile(`(?s)/\*.*?\*/`)
)

// styles moves the tokens into the shadow root. Sizes become pixels there: a host page may have set its root font size to anything.
func styles() (string, error) {
	tokens, err := fs.ReadFile(static.Files(), "tokens.css")
	if err != nil {
		return "", err
	}
	own, err := fs.ReadFile(src, "src/style.css")
	if err != nil {
		return "", err
	}
	css := strings.ReplaceAll(string(tokens), ":root:lang(zh)", ":host(:lang(zh))")
	css = strings.ReplaceAll(css, ":root", ":host")
	css = rem.ReplaceAllStringFunc(css, func(m string) string {
		n, err := strconv.ParseFloat(strings.TrimSuffix(m, "rem"), 64)
		if err != nil {
			return m
		}
		return strconv.FormatFloat(n*16, 'f', -1, 64) + "px"
	})
	// all: initial in the widget's own sheet comes first, so that it does not wipe out the values.
	head, rest, ok := strings.Cut(string(own), "\n")
	if !ok {
		return "", fmt.Errorf("src/style.css: no first rule")
	}
	return note.ReplaceAllString(head+"\n"+css+rest, ""), nil
}
