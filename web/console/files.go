package console

import (
	"context"
	"mime/multipart"
	"net/http"

	"github.com/google/uuid"

	"hotline/chat"
	"hotline/internal/httpfile"
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
	w.Header().Set("Cache-Control", "private, max-age=3600")
	httpfile.Send(w, r, httpfile.File{Name: u.Name, Type: u.Type}, f)
	return nil
}
