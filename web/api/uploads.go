package api

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"hotline/channels"
	"hotline/chat"
	"hotline/chat/media"
	"hotline/internal/auth"
	"hotline/internal/db"
)

// File is a file that was taken in.
type File struct {
	ID     uuid.UUID `json:"id"`
	Name   string    `json:"name" example:"bin.jpg"`
	Type   string    `json:"type" doc:"As its content says" example:"image/jpeg"`
	Size   int64     `json:"size" doc:"Bytes, after metadata was removed" example:"182044"`
	Width  int       `json:"width,omitempty"`
	Height int       `json:"height,omitempty"`
}

func fileOf(u chat.Upload) File {
	return File{ID: u.ID, Name: u.Name, Type: u.Type, Size: u.Size, Width: u.Width, Height: u.Height}
}

func files(in []chat.Upload) []File {
	var out []File
	for _, u := range in {
		out = append(out, fileOf(u))
	}
	return out
}

type uploadInput struct {
	// The body is streamed: see upload.
	For string `header:"Idempotency-Key" maxLength:"200" doc:"The Idempotency-Key with which the ticket will be filed; not needed with a tracking code"`
}

type uploadOutput struct{ Body File }

func (a *API) uploadRoutes() {
	register(a, operation{
		id: "upload-file", method: http.MethodPost, path: "/uploads", tag: tagTickets, summary: "Send a file",
		about: "For a ticket that will be filed: send the Idempotency-Key that the filing will have. For a ticket that exists: put its tracking code into the form field code, before the file. " +
			"The type is read from the content (" + strings.Join(media.Types(), ", ") + "), pictures lose their metadata. A file that is never used is deleted.",
		scope: auth.ScopeTicketsWrite, public: true, filing: true, raw: true, status: http.StatusCreated, errors: []int{http.StatusNotFound},
		edit: func(h *huma.Operation) {
			h.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"multipart/form-data": {Schema: &huma.Schema{
				Type: huma.TypeObject, Required: []string{"file"}, Properties: map[string]*huma.Schema{
					"code": {Type: huma.TypeString, Description: "Tracking code of the ticket that the file is for", Examples: []any{exampleCode}},
					"file": {Type: huma.TypeString, ContentEncoding: "binary", Description: "The file, with its name"},
				}}}}}
		},
	}, a.upload)
}

func (a *API) upload(c *call, _ *uploadInput) (*uploadOutput, error) {
	kind, params, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" {
		return nil, ErrMediaType
	}
	form := multipart.NewReader(http.MaxBytesReader(c.w, c.r.Body, a.MaxUpload+formOverhead), params["boundary"])
	var owner *chat.Owner
	actor := db.System()
	for {
		part, err := form.NextPart()
		if err == io.EOF { // bare: the form ended well; wrapped: it was cut off
			return nil, named(ErrMissingField, "file")
		}
		if err != nil {
			return nil, readingForm(err)
		}
		switch part.FormName() {
		case "code":
			raw, err := io.ReadAll(io.LimitReader(part, 200))
			if err != nil {
				return nil, readingForm(err)
			}
			t, err := a.byCode(c, string(raw))
			if err != nil {
				return nil, err
			}
			owner, actor = &chat.Owner{Conversation: t.ConversationID}, db.CitizenOfTicket(t.ID)
		case "file":
			if owner == nil {
				if err := checkKey(c); err != nil {
					return nil, err
				}
				owner = &chat.Owner{Channel: channels.API, Account: c.principal(), Thread: chat.FilingThread(c.onceKeyFor(http.MethodPost, filingPath))}
			}
			u, err := a.Chat.Upload(c.ctx, actor, *owner, part.FileName(), part)
			if err != nil {
				return nil, readingForm(err)
			}
			return &uploadOutput{Body: fileOf(u)}, nil
		default:
			return nil, named(ErrUnknownField, part.FormName())
		}
	}
}

// formOverhead is what boundaries, headers and the code take beside the file.
const formOverhead = 64 << 10

// readingForm keeps typed errors and says of the parser's own that the form is broken: the client's doing, not ours.
func readingForm(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return chat.ErrFileTooLarge.Wrap(err)
	}
	for _, broken := range []error{io.ErrUnexpectedEOF, io.EOF, multipart.ErrMessageTooLarge} {
		if errors.Is(err, broken) {
			return ErrBadForm.Wrap(err)
		}
	}
	if strings.Contains(err.Error(), "multipart: ") || strings.Contains(err.Error(), "malformed MIME") {
		return ErrBadForm.Wrap(err)
	}
	return err
}
