package api

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"hotline/channels"
	"hotline/chat"
	"hotline/chat/media"
	"hotline/internal/auth"
	"hotline/internal/db"
	"hotline/internal/httpfile"
	"hotline/tickets"
	"hotline/web/httperr"
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
		about: "For a ticket that will be filed: send the Idempotency-Key that the filing will have. For a ticket that exists: before the file, the form field code with its tracking code, or, " +
			"with a key of the scope tickets:act, the field ticket with its number. For a message that you will bring in: with a key of the scope messages:write, the fields account and thread. " +
			"The type is read from the content (" + strings.Join(media.Types(), ", ") + "), pictures lose their metadata. A file that is never used is deleted.",
		filing: true, raw: true, status: http.StatusCreated, errors: []int{http.StatusForbidden, http.StatusNotFound},
		edit: func(h *huma.Operation) {
			h.Security = []map[string][]string{{securityScheme: {auth.ScopeTicketsWrite}}, {securityScheme: {auth.ScopeTicketsAct}}, {securityScheme: {auth.ScopeMessagesWrite}}, {}}
			h.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"multipart/form-data": {Schema: &huma.Schema{
				Type: huma.TypeObject, Required: []string{"file"}, Properties: map[string]*huma.Schema{
					"code":   {Type: huma.TypeString, Description: "Tracking code of the ticket that the file is for", Examples: []any{exampleCode}},
					"ticket": {Type: huma.TypeString, Description: "Number of the ticket that the agency's file is for", Examples: []any{"2026-000123"}},
					"file":   {Type: huma.TypeString, ContentEncoding: "binary", Description: "The file, with its name"},
				}}}}}
		},
	}, a.upload)
	register(a, operation{
		id: "get-ticket-file", method: http.MethodGet, path: "/tickets/{number}/files/{id}", tag: tagTickets, summary: "Fetch a file of a ticket", scope: auth.ScopeTicketsRead,
		errors: []int{http.StatusNotFound}, edit: func(h *huma.Operation) {
			h.Responses["200"] = &huma.Response{Description: "The file, to be saved", Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, ContentEncoding: "binary"}}}}
		},
	}, a.fetch)
}

type ticketFileInput struct {
	Number string    `path:"number" maxLength:"40" example:"2026-000123"`
	ID     uuid.UUID `path:"id"`
}

// fetch streams a file of a ticket. It is never shown in place: the content decides its type, and nothing here is a page.
func (a *API) fetch(c *call, in *ticketFileInput) (*huma.StreamResponse, error) {
	who := c.staff()
	t, err := a.byNumber(c, in.Number)
	if err != nil {
		return nil, err
	}
	of, err := a.Tickets.Attachments(c.ctx, who, t.ID)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(of, func(f tickets.Attachment) bool { return f.ID == in.ID }) {
		return nil, chat.ErrUnknownUpload
	}
	u, file, err := a.Chat.OpenUpload(c.ctx, who.DB, in.ID)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer file.Close()
		httpfile.Send(c.w, c.r, httpfile.File{Name: u.Name, Type: u.Type, Download: true}, file)
	}}, nil
}

func (a *API) upload(c *call, _ *uploadInput) (*uploadOutput, error) {
	kind, params, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" {
		return nil, ErrMediaType
	}
	defer hurry(c.w, uploadTime)()
	form := multipart.NewReader(http.MaxBytesReader(c.w, c.r.Body, a.MaxUpload+formOverhead), params["boundary"])
	field := map[string]string{}
	for {
		part, err := form.NextPart()
		if err == io.EOF { // bare: the form ended well; wrapped: it was cut off
			return nil, named(ErrMissingField, "file")
		}
		if err != nil {
			return nil, readingForm(err)
		}
		switch name := part.FormName(); name {
		case "code", "ticket", "account", "thread":
			raw, err := io.ReadAll(io.LimitReader(part, 300))
			if err != nil {
				return nil, readingForm(err)
			}
			field[name] = string(raw)
		case "file":
			owner, actor, err := a.owner(c, field)
			if err != nil {
				return nil, err
			}
			u, err := a.Chat.Upload(c.ctx, actor, owner, part.FileName(), part)
			if err != nil {
				return nil, readingForm(err)
			}
			return &uploadOutput{Body: fileOf(u)}, nil
		default:
			return nil, named(ErrUnknownField, name)
		}
	}
}

// owner says whose a file will be, by the fields that came before it.
// Errors: ErrField, ErrMissingField, those of byCode, permit, checkKey and tickets.ByNumber.
func (a *API) owner(c *call, field map[string]string) (chat.Owner, db.Actor, error) {
	code, ticket, account, thread := field["code"], field["ticket"], field["account"], field["thread"]
	switch {
	case code != "":
		t, err := a.byCode(c, code)
		return chat.Owner{Conversation: t.ConversationID}, db.CitizenOfTicket(t.ID), err
	case ticket != "":
		if err := a.permit(c.w, c.caller, &operation{scope: auth.ScopeTicketsAct}); err != nil {
			return chat.Owner{}, db.Actor{}, err
		}
		t, err := a.byNumber(c, ticket)
		return chat.Owner{Conversation: t.ConversationID}, c.staff().DB, err
	case account != "" || thread != "":
		if err := a.permit(c.w, c.caller, &operation{scope: auth.ScopeMessagesWrite}); err != nil {
			return chat.Owner{}, db.Actor{}, err
		}
		for name, value := range map[string]string{"account": account, "thread": thread} {
			if value == "" {
				return chat.Owner{}, db.Actor{}, named(ErrMissingField, name)
			}
			if len(value) > 200 || !utf8.ValidString(value) {
				return chat.Owner{}, db.Actor{}, named(ErrField, name)
			}
		}
		return chat.Owner{Channel: channels.API, Account: c.account(account), Thread: thread}, db.System(), nil
	}
	if err := a.permit(c.w, c.caller, &operation{scope: auth.ScopeTicketsWrite, public: true}); err != nil {
		return chat.Owner{}, db.Actor{}, err
	}
	if err := checkKey(c); err != nil {
		return chat.Owner{}, db.Actor{}, err
	}
	return chat.Owner{Channel: channels.API, Account: c.principal(), Thread: chat.FilingThread(c.onceKeyFor(http.MethodPost, filingPath))}, db.System(), nil
}

// formOverhead is what boundaries, headers and the code take beside the file.
const formOverhead = 64 << 10

// readingForm keeps typed errors and says of the parser's own that the form is broken: the client's doing, not ours.
func readingForm(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return chat.ErrFileTooLarge.Wrap(err)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return httperr.ErrTimeout
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
