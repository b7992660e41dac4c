package blob_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"hotline/internal/blob"
	"hotline/internal/errs"
)

func TestFolderKeepsAndFindsAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, err := blob.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	key := uuid.NewString()
	if err := f.Put(t.Context(), key, strings.NewReader("hello")); err != nil {
		t.Fatal(err)
	}
	again, err := blob.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if again.ID() != f.ID() || f.ID() == "" {
		t.Fatal("the store has another id after a restart")
	}
	r, err := again.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if text, err := io.ReadAll(r); err != nil || string(text) != "hello" {
		t.Fatalf("%q %v", text, err)
	}
	if err := again.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if _, err := again.Open(t.Context(), key); !errors.Is(err, blob.ErrNotFound) {
		t.Fatal(err)
	}
}

func TestKeyCannotLeaveTheFolder(t *testing.T) {
	t.Parallel()
	f, err := blob.OpenFolder(filepath.Join(t.TempDir(), "in"))
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"../../etc/passwd", "..\\..\\x-long-enough", "a", strings.Repeat("x", 300), "with\x00zero-in-it", "/absolute/path"} {
		if err := f.Put(t.Context(), key, strings.NewReader("x")); errs.KindOf(err) != errs.Invalid {
			t.Errorf("key %q: %v", key, err)
		}
	}
}

func TestFailedWriteLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, err := blob.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	broken := io.MultiReader(strings.NewReader("half"), errReader{})
	key := uuid.NewString()
	if err := f.Put(t.Context(), key, broken); err == nil {
		t.Fatal("a broken upload was stored")
	}
	if _, err := f.Open(t.Context(), key); !errors.Is(err, blob.ErrNotFound) {
		t.Fatal(err)
	}
	left := 0
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != "STORE" {
			left++
		}
		return err
	})
	if err != nil || left != 0 {
		t.Fatalf("%d files left, %v", left, err)
	}
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errors.New("connection reset") }
