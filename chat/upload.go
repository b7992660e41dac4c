package chat

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/chat/media"
	"hotline/internal/blob"
	"hotline/internal/db"
	"hotline/internal/errs"
)

// Errors of uploads beside those of media.Clean.
var (
	ErrFileTooLarge = errs.New(errs.TooLarge, "chat.file_too_large", "the file is too large").On("file")
	ErrNoUploads    = errs.New(errs.Unavailable, "chat.no_uploads", "files cannot be taken just now")
)

// Owner is who uploads: a person on a channel, known by the thread, or (Conversation set) a member of staff for a conversation.
type Owner struct {
	Channel, Account, Thread string
	Conversation             uuid.UUID
}

// Upload takes a file in. The type is read from the content, pictures lose their metadata. The bytes are durable before the row exists.
// Errors: those of media.Clean; ErrFileTooLarge; ErrTooManyUploads; ErrNotFound for a conversation that the actor may not see; ErrNoUploads.
func (s *Service) Upload(ctx context.Context, actor db.Actor, owner Owner, name string, r io.Reader) (Upload, error) {
	if s.blob == nil {
		return Upload{}, ErrNoUploads
	}
	select {
	case s.uploading <- struct{}{}:
		defer func() { <-s.uploading }()
	case <-ctx.Done():
		return Upload{}, ctx.Err()
	}
	u, err := s.reserve(ctx, actor, owner)
	if err != nil {
		return Upload{}, err
	}
	data, err := io.ReadAll(io.LimitReader(r, s.opt.MaxFile+1))
	if err != nil {
		return Upload{}, fmt.Errorf("chat: upload: %w", err)
	}
	if int64(len(data)) > s.opt.MaxFile {
		return Upload{}, ErrFileTooLarge.With("max", s.opt.MaxFile)
	}
	f, err := media.Clean(name, data)
	if err != nil {
		return Upload{}, err
	}
	u.Name, u.Type, u.Size, u.Width, u.Height = f.Name, f.Type, int64(len(f.Data)), f.Width, f.Height
	key := "uploads/" + u.ID.String()
	if err := s.blob.Put(ctx, key, bytes.NewReader(f.Data)); err != nil {
		return Upload{}, err
	}
	err = db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		var hash []byte
		if owner.Conversation == uuid.Nil {
			hash = uploaderHash(owner.Channel, owner.Account, owner.Thread)
		}
		_, err := tx.Exec(ctx, `insert into uploads (id, conversation_id, thread_hash, blob, name, content_type, size, width, height, created_at)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, u.ID, orNil(owner.Conversation), hash, key, u.Name, u.Type, u.Size, u.Width, u.Height, s.now())
		return err
	})
	if err != nil {
		_ = s.blob.Delete(context.WithoutCancel(ctx), key) // without a row nobody finds it; the first error is the one to tell
		return Upload{}, fmt.Errorf("chat: upload: %w", err)
	}
	return u, nil
}

// reserve checks that the owner may upload one more.
func (s *Service) reserve(ctx context.Context, actor db.Actor, owner Owner) (Upload, error) {
	u := Upload{ID: db.NewID()}
	if owner.Conversation != uuid.Nil {
		_, err := s.visible(ctx, actor, owner.Conversation)
		return u, err
	}
	var n int
	err := db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		return tx.QueryRow(ctx, `select count(*) from uploads where thread_hash = $1 and conversation_id is null`, uploaderHash(owner.Channel, owner.Account, owner.Thread)).Scan(&n)
	})
	if err != nil {
		return u, fmt.Errorf("chat: upload: %w", err)
	}
	if n >= s.opt.MaxPending {
		return u, ErrTooManyUploads.With("max", s.opt.MaxPending)
	}
	return u, nil
}

const uploadColumns = `id, name, content_type, size, width, height, blob`

// OpenUpload gives a file that the actor may see. Errors: ErrUnknownUpload; blob.ErrNotFound.
func (s *Service) OpenUpload(ctx context.Context, actor db.Actor, id uuid.UUID) (Upload, io.ReadSeekCloser, error) {
	return s.openUpload(ctx, actor, `select `+uploadColumns+` from uploads where id = $1`, id)
}

// OpenOwnUpload gives a file to the person who uploaded it, sent or not yet. Errors: as OpenUpload.
func (s *Service) OpenOwnUpload(ctx context.Context, owner Owner, id uuid.UUID) (Upload, io.ReadSeekCloser, error) {
	return s.openUpload(ctx, db.System(), `select `+uploadColumns+` from uploads where id = $1 and thread_hash = $2`, id, uploaderHash(owner.Channel, owner.Account, owner.Thread))
}

func (s *Service) openUpload(ctx context.Context, actor db.Actor, sql string, args ...any) (Upload, io.ReadSeekCloser, error) {
	var u Upload
	var key string
	if s.blob == nil {
		return u, nil, ErrNoUploads
	}
	err := db.ReadTx(ctx, s.pool, actor, func(tx db.Tx) error {
		return tx.QueryRow(ctx, sql, args...).Scan(&u.ID, &u.Name, &u.Type, &u.Size, &u.Width, &u.Height, &key)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return u, nil, ErrUnknownUpload
	}
	if err != nil {
		return u, nil, fmt.Errorf("chat: upload: %w", err)
	}
	f, err := s.blob.Open(ctx, key)
	if errors.Is(err, blob.ErrNotFound) {
		return u, nil, ErrUnknownUpload.Wrap(err)
	}
	return u, f, err
}

// PruneUploads deletes files that were uploaded and never sent. It returns how many; call it again while it returns limit.
func (s *Service) PruneUploads(ctx context.Context, olderThan time.Duration, limit int) (int, error) {
	if s.blob == nil {
		return 0, nil
	}
	var keys []string
	err := db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		rows, err := tx.Query(ctx, `delete from uploads where id in (select id from uploads where conversation_id is null and ticket_id is null and created_at < $1
			limit $2 for update skip locked) returning blob`, s.now().Add(-olderThan), limit)
		if err != nil {
			return err
		}
		keys, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("chat: prune: %w", err)
	}
	for _, key := range keys {
		if err := s.blob.Delete(ctx, key); err != nil {
			s.log.WarnContext(ctx, "file without a row not deleted", "error", err)
		}
	}
	return len(keys), nil
}
