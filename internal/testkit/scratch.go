package testkit

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// A database is some nine hundred files. Making and removing them for each test costs a disk's file system many times what the test itself
// costs, so the databases of tests live in memory where the system offers enough of it.
const (
	memory = "/dev/shm"
	enough = 2 << 30 // bytes; a container's own has 64 MB
	prefix = "hotline-test-"
)

// scratch is this process's own folder, made on first use after what killed processes left behind is gone.
var scratch = sync.OnceValues(func() (string, error) {
	sweep(memory, os.TempDir()) // first: what was left may fill the memory
	dir := filepath.Join(roomiest(), prefix+strconv.Itoa(os.Getpid()))
	return dir, os.MkdirAll(dir, 0o755)
})

func roomiest() string {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(memory, &fs); err == nil && uint64(fs.Bavail)*uint64(fs.Bsize) >= enough {
		return memory
	}
	return os.TempDir()
}

// sweep removes folders whose process has ended.
func sweep(bases ...string) {
	for _, base := range bases {
		dirs, _ := filepath.Glob(filepath.Join(base, prefix+"*")) // constant pattern: no error possible
		for _, dir := range dirs {
			pid, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(dir), prefix))
			if err == nil && syscall.Kill(pid, 0) == syscall.ESRCH {
				_ = os.RemoveAll(dir) // another process may be removing it too
			}
		}
	}
}

// DataFolder is a folder for the data of a server that the test starts. Unlike t.TempDir it is open to the user that a root process runs
// PostgreSQL as. It goes with the test.
func DataFolder(t testing.TB) string {
	t.Helper()
	base, err := scratch()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp(base, "data-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
