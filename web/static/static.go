// Package static serves the style sheets, scripts and pictures of the web surfaces: from memory, under names that carry the hash of
// their content, so that browsers may keep them for a year and a new release is seen at once.
//
// tokens.css holds the values (colours, sizes, space), base.css what portal and console share, htmx.min.js is htmx 2.0.7 exactly as published on npm
// (its licence is in licenses/). A surface adds files of its own: static.New("/console/static/", static.Files(), consoleFiles).
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed files
var files embed.FS

// Files are the shared assets.
func Files() fs.FS {
	sub, err := fs.Sub(files, "files")
	if err != nil {
		panic(err) // a constant path
	}
	return sub
}

// Assets is a fixed set of files, read-only after New.
type Assets struct {
	prefix string
	byName map[string]string // tokens.css → /static/tokens-1a2b3c4d5e6f.css
	byPath map[string]*asset
}

type asset struct {
	contentType   string
	etag          string
	plain, zipped []byte // zipped is nil where it would not be smaller
}

// New reads all files of the given folders; a later one wins over an earlier one of the same name. prefix is where Assets is mounted, with its slashes.
func New(prefix string, folders ...fs.FS) (*Assets, error) {
	a := &Assets{prefix: prefix, byName: map[string]string{}, byPath: map[string]*asset{}}
	for _, folder := range folders {
		err := fs.WalkDir(folder, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			content, err := fs.ReadFile(folder, name)
			if err != nil {
				return err
			}
			return a.add(name, content)
		})
		if err != nil {
			return nil, fmt.Errorf("static files: %w", err)
		}
	}
	return a, nil
}

func (a *Assets) add(name string, content []byte) error {
	sum := sha256.Sum256(content)
	hash := hex.EncodeToString(sum[:6])
	ext := path.Ext(name)
	one := &asset{contentType: contentType(ext), etag: `"` + hash + `"`, plain: content}
	if !strings.HasPrefix(one.contentType, "image/") || ext == ".svg" {
		var buf bytes.Buffer
		zip, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
		if err != nil {
			return err
		}
		if _, err := zip.Write(content); err != nil {
			return err
		}
		if err := zip.Close(); err != nil {
			return err
		}
		if buf.Len() < len(content) {
			one.zipped = buf.Bytes()
		}
	}
	full := a.prefix + strings.TrimSuffix(name, ext) + "-" + hash + ext
	a.byName[name], a.byPath[full] = full, one
	return nil
}

// contentType does not ask the machine's own table, which differs from one to the next.
func contentType(ext string) string {
	switch ext {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".woff2":
		return "font/woff2"
	}
	if t := mime.TypeByExtension(ext); t != "" {
		return t
	}
	return "application/octet-stream"
}

// URL is the address of a file. A name that does not exist panics: templates name their assets, so a wrong one fails at start or in the
// first test that renders it.
func (a *Assets) URL(name string) string {
	url, ok := a.byName[name]
	if !ok {
		panic("static: no file " + name)
	}
	return url
}

// Find answers whether the path is one of the assets.
func (a *Assets) Find(path string) bool { return a.byPath[path] != nil }

// ServeHTTP serves one file, for a year when its name carries its hash. An unknown path is a plain 404.
func (a *Assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	one := a.byPath[r.URL.Path]
	if one == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	one.serve(w, r)
}

func (f *asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept-Encoding")
	body, etag := f.plain, f.etag
	if f.zipped != nil && AcceptsGzip(r) {
		body, etag = f.zipped, strings.TrimSuffix(f.etag, `"`)+`-gz"`
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", etag)
	if strings.Contains(r.Header.Get("If-None-Match"), etag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the connection is all that can fail
	}
}

// AcceptsGzip reports whether the client takes gzip. "gzip;q=0" is a refusal.
func AcceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") && strings.ReplaceAll(q, " ", "") != "q=0" {
			return true
		}
	}
	return false
}

// File serves one file under a name that stays the same, such as a script that other sites embed: it may be kept for maxAge seconds and is then asked for again with its ETag.
func File(name string, content []byte, maxAge int) (http.Handler, error) {
	a := &Assets{byName: map[string]string{}, byPath: map[string]*asset{}}
	if err := a.add(name, content); err != nil {
		return nil, err
	}
	one := a.byPath[a.byName[name]]
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age="+strconv.Itoa(maxAge))
		one.serve(w, r)
	}), nil
}
