package portal

import (
	"context"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"hotline/internal/errs"
	"hotline/internal/httpfile"
	"hotline/web/httperr"
)

type caseBody struct {
	Case
	Key      string // of the next reply: pressed twice, it is one message
	Thanks   string // what was just done
	Text     string // reply that was not accepted
	RateText string
	Grade    int
	Resolved string // yes, no or nothing
	Grades   []int
	MaxFiles int
	MaxFile  int64
	Accept   string
}

// current gives the ticket of the session and the page for it; ok is false when the answer is already written.
func (p *Portal) current(w http.ResponseWriter, r *http.Request) (v *view, body *caseBody, ok bool) {
	id := p.session.ticket(r)
	if id == uuid.Nil {
		see(w, r, "/track?expired=1")
		return nil, nil, false
	}
	c, err := p.Cases.Case(r.Context(), id, httperr.Lang(r.Context()))
	if errs.KindOf(err) == errs.NotFound {
		p.session.open(w, uuid.Nil)
		see(w, r, "/track")
		return nil, nil, false
	}
	if err != nil {
		httperr.Write(w, r, err)
		return nil, nil, false
	}
	p.session.open(w, id) // half an hour from the last look
	body = &caseBody{Case: c, Key: uuid.NewString(), Grades: []int{5, 4, 3, 2, 1}, MaxFiles: maxFiles, MaxFile: maxFile, Accept: acceptFiles}
	if c.Confidential {
		body.Accept = acceptPictures
	}
	v = p.view(r, "case.title", body)
	v.NoChat = true
	return v, body, true
}

func (p *Portal) trackCase(w http.ResponseWriter, r *http.Request) {
	v, body, ok := p.current(w, r)
	if !ok {
		return
	}
	switch done := r.URL.Query().Get("done"); done {
	case "reply", "rate", "withdraw", "not_answered", "appeal", "quiet":
		body.Thanks = done
	}
	p.render(w, r, "case", v)
}

func (p *Portal) trackReply(w http.ResponseWriter, r *http.Request) {
	v, body, ok := p.current(w, r)
	if !ok {
		return
	}
	form, problems, err := p.receive(r, maxFiles, body.Confidential, func(ctx context.Context, name string, content io.Reader) (Upload, error) {
		return p.Cases.UploadTo(ctx, body.ID, name, content)
	})
	if err != nil {
		httperr.Write(w, r, err)
		return
	}
	body.Text = strings.TrimSpace(strings.ReplaceAll(form.values["text"], "\r\n", "\n"))
	for _, problem := range problems {
		if !v.add("photos", problem) {
			httperr.Write(w, r, problem)
			return
		}
	}
	switch n := utf8.RuneCountInString(body.Text); {
	case n > maxText:
		v.problem("text", "what.long", "n", maxText, "over", n-maxText)
	case n == 0 && len(form.uploads) == 0 && len(problems) == 0:
		v.problem("text", "case.reply_missing")
	}
	if len(v.Problems) > 0 {
		p.render(w, r, "case", v)
		return
	}
	reply := Reply{Key: keyOr(form.values["key"]), Text: body.Text}
	if reply.Text == "" {
		reply.Text = v.T("case.files_only") // staff see what the files are to their case, and a message always has words
	}
	for _, u := range form.uploads {
		reply.Uploads = append(reply.Uploads, u.ID)
	}
	p.finish(w, r, v, "text", "reply", p.Cases.Reply(r.Context(), body.ID, reply))
}

// finish shows what went wrong beside the form, or goes back to the case and says what was done.
func (p *Portal) finish(w http.ResponseWriter, r *http.Request, v *view, field, done string, err error) {
	switch {
	case err == nil:
		see(w, r, "/track/case?done="+done)
	case v.add(field, err):
		p.render(w, r, "case", v)
	default:
		httperr.Write(w, r, err)
	}
}

// keyOr takes the form's key when it is one: then a second press of the same button changes nothing.
func keyOr(key string) string {
	if id := parseID(key); id != uuid.Nil {
		return id.String()
	}
	return uuid.NewString()
}

func (p *Portal) trackMove(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		httperr.Write(w, r, readProblem(err))
		return
	}
	v, body, ok := p.current(w, r)
	if !ok {
		return
	}
	action, text := field(r, "action"), field(r, "reason")
	switch {
	case action != "withdraw" && action != "not_answered" && action != "appeal":
		httperr.Write(w, r, httperr.ErrMalformed)
		return
	case utf8.RuneCountInString(text) > maxText:
		v.problem("reason-"+action, "what.long", "n", maxText, "over", utf8.RuneCountInString(text)-maxText)
	case text == "" && action != "withdraw":
		v.problem("reason-"+action, "case.reason_missing")
	}
	if len(v.Problems) > 0 {
		p.render(w, r, "case", v)
		return
	}
	p.finish(w, r, v, "reason-"+action, action, p.Cases.Move(r.Context(), body.ID, action, text, keyOr(field(r, "key"))))
}

func (p *Portal) trackRate(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		httperr.Write(w, r, readProblem(err))
		return
	}
	v, body, ok := p.current(w, r)
	if !ok {
		return
	}
	rating := v.readRating(r, body.Revisit)
	body.RateText, body.Grade, body.Resolved = rating.text, rating.grade, rating.said
	if len(v.Problems) > 0 {
		p.render(w, r, "case", v)
		return
	}
	p.finish(w, r, v, "grade-5", "rate", p.Cases.Rate(r.Context(), body.ID, rating.grade, rating.resolved, rating.text))
}

// trackFile serves a file of the ticket.
func (p *Portal) trackFile(w http.ResponseWriter, r *http.Request) {
	ticket := p.session.ticket(r)
	if ticket == uuid.Nil {
		see(w, r, "/track?expired=1")
		return
	}
	meta, content, err := p.Cases.Open(r.Context(), ticket, parseID(r.PathValue("id")))
	if err != nil {
		httperr.Write(w, r, err)
		return
	}
	defer content.Close()
	httpfile.Send(w, r, httpfile.File{Name: meta.Name, Type: meta.Type}, content)
}
