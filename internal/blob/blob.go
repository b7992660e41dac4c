// Package blob keeps files that people upload. A key is made by the program ("uploads/<id>"), never from a file name, and every
// path is resolved inside an os.Root, so no key can leave the folder. Writing is complete or absent: a temporary file, synced, renamed.
package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/google/uuid"

	"hotline/internal/errs"
)

// ErrNotFound: no file has this key.
var ErrNotFound = errs.New(errs.NotFound, "blob.not_found", "the file does not exist")

// Store keeps files. Implementations: Folder here; an S3-compatible one for several machines.
type Store interface {
	// Put stores r under key. When it returns nil the bytes are durable. A key is written once.
	Put(ctx context.Context, key string, r io.Reader) error
	// Open gives the file's bytes. Errors: ErrNotFound.
	Open(ctx context.Context, key string) (io.ReadSeekCloser, error)
	// Delete removes a file; an absent one is no error.
	Delete(ctx context.Context, key string) error
}

// Folder is a Store in a directory.
type Folder struct {
	root *os.Root
	id   string
}

const marker = "STORE"

// OpenFolder opens or makes the directory and reads the marker that tells which store this is, so that a second node with another
// folder is noticed.
func OpenFolder(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("file store: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("file store: %w", err)
	}
	f := &Folder{root: root}
	// O_EXCL: of two nodes that start at once one writes the marker and both read it.
	w, err := root.OpenFile(marker, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		_, err = w.WriteString(uuid.NewString() + "\n")
		err = errors.Join(err, w.Sync(), w.Close())
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, errors.Join(fmt.Errorf("file store: %w", err), root.Close())
	}
	text, err := root.ReadFile(marker)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("file store: %w", err), root.Close())
	}
	f.id = strings.TrimSpace(string(text))
	return f, nil
}

// ID tells which store this is.
func (f *Folder) ID() string { return f.id }

// Close releases the directory.
func (f *Folder) Close() error { return f.root.Close() }

// place gives the path of a key: letters, digits, '-', '_' and single slashes.
func place(key string) (string, error) {
	bad := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '/')
	}
	if len(key) < 8 || len(key) > 200 || strings.ContainsFunc(key, bad) || path.Clean(key) != key || strings.HasPrefix(key, "/") || strings.HasSuffix(key, "/") {
		return "", errs.New(errs.Invalid, "blob.bad_key", "not a file key")
	}
	return path.Join(path.Dir(key), key[len(key)-2:], path.Base(key)), nil // UUIDv7 begins with the time: the end spreads better
}

// Put implements Store.
func (f *Folder) Put(ctx context.Context, key string, r io.Reader) (err error) {
	name, err := place(key)
	if err != nil {
		return err
	}
	if err := f.root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return fmt.Errorf("file store: %w", err)
	}
	half := name + "." + uuid.NewString() + ".part"
	w, err := f.root.OpenFile(half, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("file store: %w", err)
	}
	_, err = io.Copy(w, contextReader{ctx, r})
	if err = errors.Join(err, w.Sync(), w.Close()); err == nil {
		err = f.root.Rename(half, name)
	}
	if err == nil {
		err = f.syncDir(path.Dir(name))
	}
	if err != nil {
		_ = f.root.Remove(half) // the first error is the one to tell
		return fmt.Errorf("file store: %w", err)
	}
	return nil
}

func (f *Folder) syncDir(dir string) error {
	d, err := f.root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Open implements Store.
func (f *Folder) Open(_ context.Context, key string) (io.ReadSeekCloser, error) {
	name, err := place(key)
	if err != nil {
		return nil, err
	}
	r, err := f.root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("file store: %w", err)
	}
	return r, nil
}

// Delete implements Store.
func (f *Folder) Delete(_ context.Context, key string) error {
	name, err := place(key)
	if err != nil {
		return err
	}
	if err := f.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("file store: %w", err)
	}
	return nil
}

type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
