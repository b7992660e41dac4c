package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ownCPU is the processor time of this process in seconds.
func ownCPU() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0 // RUSAGE_SELF is always there
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// clockTick is the unit of /proc/<pid>/stat, which Linux fixes at a hundredth of a second for user space.
const clockTick = 100

// serverCPU is the processor time of a PostgreSQL server and all its processes, those that have ended too, in seconds. It is 0 where there is
// no /proc.
func serverCPU(postmaster int) float64 {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is a constant
	ticks := 0
	for _, path := range stats {
		raw, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		head, rest, ok := strings.Cut(string(raw), " (")
		if !ok {
			continue
		}
		f := strings.Fields(rest[strings.LastIndexByte(rest, ')')+1:]) // f[0] is the state, field 3 of proc(5)
		if len(f) < 15 {
			continue
		}
		number := func(i int) int { n, _ := strconv.Atoi(f[i]); return n } // the kernel writes numbers
		pid, _ := strconv.Atoi(head)
		switch {
		case pid == postmaster:
			ticks += number(11) + number(12) + number(13) + number(14) // with the children that it has waited for
		case number(1) == postmaster:
			ticks += number(11) + number(12)
		}
	}
	return float64(ticks) / clockTick
}

// postmaster finds the first process of the private server in a data folder.
func postmaster(dir string) (int, error) {
	raw, err := os.ReadFile(filepath.Join(dir, "postgres", "data", "postmaster.pid"))
	if err != nil {
		return 0, fmt.Errorf("the database's process: %w", err)
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	return strconv.Atoi(strings.TrimSpace(line))
}
