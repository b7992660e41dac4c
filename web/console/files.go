package console

import (
	"context"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"hotline/chat"
)

func (c *Console) takeFile(ctx context.Context, v View, header *multipart.FileHeader, conversation uuid.UUID) (uuid.UUID, error) {
	f, err := header.Open()
	if err != nil {
		return uuid.Nil, err
	}
	defer f.Close()
	u, err := c.Chat.Upload(ctx, v.Me.Actor(), chat.Owner{Conversation: conversation}, header.Filename, f)
	return u.ID, err
}

// file serves an upload that the person may see. It cannot run anything: a policy of its own puts it in a sandbox without scripts, the type
// is the one that was found in its content, and what is not a picture is only ever saved.
func (c *Console) file(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	p, _ := principal(r.Context())
	u, f, err := c.Chat.OpenUpload(r.Context(), p.Actor(), id)
	if err != nil {
		return err
	}
	defer f.Close()
	disposition := "attachment"
	if strings.HasPrefix(u.Type, "image/") && u.Type != "image/svg+xml" {
		disposition = "inline"
	}
	h := w.Header()
	h.Set("Content-Type", u.Type)
	h.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": u.Name}))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "private, max-age=3600")
	http.ServeContent(w, r, "", time.Time{}, f)
	return nil
}
