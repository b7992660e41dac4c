package httperr

import (
	"html/template"
	"net/http"
)

var fragment = template.Must(template.New("fragment").Parse(`<div class="alert alert-danger" role="alert"><p><strong>{{.Title}}</strong></p><p>{{.Message}}</p></div>`))

// plain is the page of last resort: no style sheet of its own, so that it also works where a surface has none.
var plain = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="{{.Lang}}" dir="{{.Dir}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}}</title></head><body><main><h1>{{.Title}}</h1><p>{{.Message}}</p><p>{{.Next}}</p>
<p><a href="/">{{call .T "errors.page.home"}}</a></p>{{if .RequestID}}<p><small>{{call .T "errors.page.request" "id" .RequestID}}</small></p>{{end}}</main></body></html>
`))

func plainPage(w http.ResponseWriter, _ *http.Request, data PageData) {
	_ = plain.Execute(w, data) // the connection is all that can fail
}
