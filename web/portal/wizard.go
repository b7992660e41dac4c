package portal

import (
	"net/http"

	"hotline/web/httperr"
)

// stepBody is what a question page shows.
type stepBody struct {
	Flow         *flow
	Path         string
	Step         string
	Confidential bool
	Back         string // address of the question before
	Change       bool   // came from the check page and goes back there
	Draft        *Draft
	Kinds        []string
	Lost         bool // the answers had expired
	MaxFiles     int
	MaxFile      int64
	Accept       string
	Number       int
	Of           int
}

func (p *Portal) stepPage(r *http.Request, f *flow, step string, d *Draft) *view {
	body := &stepBody{Flow: f, Path: f.path, Step: step, Confidential: f.confidential, Draft: d, Kinds: kinds, Change: r.FormValue("change") == "1",
		Lost: r.URL.Query().Get("lost") == "1", MaxFiles: maxFiles, MaxFile: maxFile, Accept: acceptFiles}
	if f.confidential {
		body.Accept = acceptPictures
	}
	switch previous := f.previous(step, d); {
	case body.Change && f.open(d) == "check":
		body.Back = f.path + "/check"
	case previous != "":
		body.Back = f.path + "/" + previous
	default:
		body.Back = "/"
		if f.confidential {
			body.Back = f.path
		}
	}
	for _, s := range f.steps {
		if s == "check" || f.left(s, d) {
			continue
		}
		body.Of++
		if s == step {
			body.Number = body.Of
		}
	}
	v := p.view(r, step+".title", body)
	if f.confidential && v.Known(step+".title_report") {
		v.Title = v.T(step + ".title_report")
	}
	v.NoChat = f.confidential
	return v
}

// load gives the request's draft with what its category asks for; ok is false when there is none (any more).
func (p *Portal) load(r *http.Request, f *flow) (d Draft, ok bool, err error) {
	if d, ok, err = p.drafts.load(r, f); ok {
		p.wants(f, &d, httperr.Lang(r.Context()))
	}
	return d, ok, err
}

// begin shows the way in: the report explains itself first, the ordinary form asks at once.
func (p *Portal) begin(f *flow) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !f.confidential {
			to := f.first()
			if kind := r.URL.Query().Get("kind"); kind != "" {
				to += "?kind=" + kindOr(kind)
			}
			see(w, r, to)
			return
		}
		v := p.view(r, "report.title", nil)
		v.NoChat = true
		p.render(w, r, "report", v)
	}
}

func kindOr(kind string) string {
	for _, k := range kinds {
		if k == kind {
			return k
		}
	}
	return ""
}

// start begins a new draft, whatever there was before.
func (p *Portal) start(f *flow) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		d := newDraft()
		if f.confidential {
			d.Kind = "report"
		}
		if err := p.drafts.save(w, r, f, d); err != nil {
			httperr.Write(w, r, err)
			return
		}
		see(w, r, f.first())
	}
}

// step shows one question with the answer given before.
func (p *Portal) step(f *flow) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		step := r.PathValue("step")
		if !f.has(step) {
			httperr.Write(w, r, httperr.ErrNotFound)
			return
		}
		d, ok, err := p.load(r, f)
		switch {
		case err != nil:
			httperr.Write(w, r, err)
			return
		case ok && d.Filed != nil && step == f.steps[0]:
			d, ok = newDraft(), false // a new matter
		case ok && d.Filed != nil:
			see(w, r, f.path+"/done")
			return
		}
		if !ok {
			if step != f.steps[0] {
				p.lost(w, r, f)
				return
			}
			d = newDraft()
			d.Kind = kindOr(r.URL.Query().Get("kind"))
		}
		if !f.reachable(step, &d) {
			see(w, r, f.path+"/"+f.open(&d))
			return
		}
		if step == "check" {
			p.offer(w, r, f, &d, httperr.Lang(r.Context()))
		}
		p.question(w, r, f, step, &d, p.stepPage(r, f, step, &d))
	}
}

// lost leads back to the start and says why.
func (p *Portal) lost(w http.ResponseWriter, r *http.Request, f *flow) {
	if f.confidential {
		see(w, r, f.path+"/"+f.steps[0]+"?lost=1")
		return
	}
	see(w, r, f.first()+"?lost=1")
}

func (p *Portal) question(w http.ResponseWriter, r *http.Request, _ *flow, step string, _ *Draft, v *view) {
	page := "step"
	if step == "check" {
		page = "check"
	}
	p.render(w, r, page, v)
}

// answer takes the answer of one question and goes on to the next.
func (p *Portal) answer(f *flow) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		step := r.PathValue("step")
		if !f.has(step) || step == "check" || step == "photos" {
			httperr.Write(w, r, httperr.ErrNotFound)
			return
		}
		if err := r.ParseForm(); err != nil {
			httperr.Write(w, r, readProblem(err))
			return
		}
		d, ok, err := p.load(r, f)
		if err != nil {
			httperr.Write(w, r, err)
			return
		}
		if ok && d.Filed != nil {
			if step != f.steps[0] {
				see(w, r, f.path+"/done")
				return
			}
			ok = false
		}
		if !ok {
			if step != f.steps[0] {
				p.lost(w, r, f)
				return
			}
			d = newDraft()
			if f.confidential {
				d.Kind = "report"
			}
		}
		if !f.reachable(step, &d) {
			see(w, r, f.path+"/"+f.open(&d))
			return
		}
		v := p.stepPage(r, f, step, &d)
		p.fill(v, f, step, &d, r)
		if len(v.Problems) > 0 {
			p.question(w, r, f, step, &d, v)
			return
		}
		d.answer(step)
		p.wants(f, &d, v.Lang) // another category asks for something else
		if err := p.drafts.save(w, r, f, d); err != nil {
			httperr.Write(w, r, err)
			return
		}
		to := p.after(r, f, step, &d)
		if r.FormValue("change") == "1" && to != "check" { // what the change leaves open is part of it
			to += "?change=1"
		}
		see(w, r, f.path+"/"+to)
	}
}

// after is where to go when a question is answered: on, or back to the check page when the answer was being changed and nothing new is open.
func (p *Portal) after(r *http.Request, f *flow, step string, d *Draft) string {
	if r.FormValue("change") == "1" {
		return f.open(d)
	}
	return f.next(step, d)
}
