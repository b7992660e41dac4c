package portal

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"path"
	"slices"
	"strings"

	"hotline/internal/errs"
	"hotline/web/httperr"
)

// What the file chooser offers. The server decides by content.
const (
	acceptFiles    = "image/*,.pdf,.doc,.docx,.txt"
	acceptPictures = "image/jpeg,image/png,image/gif,image/webp"
)

// pictures are the types whose hidden data is removed when they are stored, and so the only ones that a confidential report takes.
var pictures = map[string]string{"image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/webp": ".webp"}

// Errors of uploads that the portal itself makes.
var (
	errTooManyFiles = errs.New(errs.Invalid, "portal.too_many_files", "too many files").On("photos")
	errFileTooLarge = errs.New(errs.TooLarge, "portal.file_too_large", "a file is too large").On("photos")
	errOnlyPictures = errs.New(errs.Invalid, "portal.only_pictures", "a confidential report takes pictures whose hidden data can be removed").On("photos")
)

// photos takes the files of the question and stays on the page when the person wants to add more.
func (p *Portal) photos(f *flow) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		d, ok, err := p.load(r, f)
		switch {
		case err != nil:
			httperr.Write(w, r, err)
			return
		case !ok:
			p.lost(w, r, f)
			return
		case d.Filed != nil:
			see(w, r, f.path+"/done")
			return
		case !f.reachable("photos", &d):
			see(w, r, f.path+"/"+f.open(&d))
			return
		}
		form, problems, err := p.receive(r, maxFiles-len(d.Photos), f.confidential, func(ctx context.Context, name string, body io.Reader) (Upload, error) {
			return p.Cases.Upload(ctx, d.Key, name, body)
		})
		if err != nil {
			httperr.Write(w, r, err)
			return
		}
		d.Photos = append(d.Photos, form.uploads...)
		done := form.values["action"] != "add"
		if done && len(problems) == 0 {
			d.answer("photos")
		}
		if len(form.uploads) > 0 || done {
			if err := p.drafts.save(w, r, f, d); err != nil {
				httperr.Write(w, r, err)
				return
			}
		}
		v := p.stepPage(r, f, "photos", &d)
		v.Body.(*stepBody).Change = form.values["change"] == "1"
		for _, problem := range problems {
			if !v.add("photos", problem) {
				httperr.Write(w, r, problem)
				return
			}
		}
		switch {
		case len(problems) > 0:
			p.render(w, r, "step", v)
		case !done:
			to := f.path + "/photos"
			if form.values["change"] == "1" {
				to += "?change=1"
			}
			see(w, r, to)
		default:
			see(w, r, f.path+"/"+f.next("photos", &d))
		}
	}
}

// removePhoto takes one file out of the draft. The stored bytes belong to nobody then and are swept away with other leftovers.
func (p *Portal) removePhoto(f *flow) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		d, ok, err := p.load(r, f)
		if err != nil || !ok {
			p.lost(w, r, f)
			return
		}
		id := parseID(r.PostFormValue("id"))
		d.Photos = slices.DeleteFunc(d.Photos, func(u Upload) bool { return u.ID == id })
		if err := p.drafts.save(w, r, f, d); err != nil {
			httperr.Write(w, r, err)
			return
		}
		see(w, r, f.path+"/photos")
	}
}

// received is a multipart form: its short values and its stored files.
type received struct {
	values  map[string]string
	uploads []Upload
}

// receive reads a multipart form part by part, so that no more than one file is ever in memory. problems are about single files and can be shown beside
// the form; err is about the request.
func (p *Portal) receive(r *http.Request, room int, picturesOnly bool, store func(context.Context, string, io.Reader) (Upload, error)) (form received, problems []error, err error) {
	form.values = map[string]string{}
	reader, err := r.MultipartReader()
	if err != nil {
		return form, nil, httperr.ErrMalformed.Wrap(err)
	}
	for parts := 0; ; parts++ {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return form, problems, nil
		}
		if err != nil {
			return form, nil, readProblem(err)
		}
		if parts > 50 {
			return form, nil, httperr.ErrMalformed
		}
		if part.FileName() == "" {
			value, err := io.ReadAll(io.LimitReader(part, maxForm))
			if err != nil {
				return form, nil, readProblem(err)
			}
			form.values[part.FormName()] = strings.ToValidUTF8(string(value), "\uFFFD")
			continue
		}
		upload, err := p.receiveFile(r.Context(), part, room-len(form.uploads), picturesOnly, store)
		switch kind := errs.KindOf(err); {
		case err == nil && upload != nil:
			form.uploads = append(form.uploads, *upload)
		case err == nil: // an empty chooser
		case kind == errs.Internal || kind == errs.Unavailable:
			return form, nil, readProblem(err)
		default:
			problems = append(problems, err)
		}
	}
}

func (p *Portal) receiveFile(ctx context.Context, part *multipart.Part, room int, picturesOnly bool, store func(context.Context, string, io.Reader) (Upload, error)) (*Upload, error) {
	name := path.Base(strings.ReplaceAll(part.FileName(), `\`, "/"))
	content, err := io.ReadAll(io.LimitReader(part, maxFile+1))
	switch {
	case err != nil:
		return nil, readProblem(err)
	case len(content) == 0:
		return nil, nil
	case len(content) > maxFile:
		if _, err := io.Copy(io.Discard, part); err != nil {
			return nil, readProblem(err)
		}
		return nil, errFileTooLarge.With("n", maxFile>>20)
	case room <= 0:
		return nil, errTooManyFiles.With("n", maxFiles)
	}
	if picturesOnly {
		extension, ok := pictures[http.DetectContentType(content)]
		if !ok {
			return nil, errOnlyPictures
		}
		name = "picture" + extension // a file's name may say who made it
	}
	u, err := store(ctx, name, bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	return &u, nil
}
