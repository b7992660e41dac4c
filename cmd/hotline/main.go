// Command hotline is the whole product in one binary: server, demo city, migrations, import, evaluation and benchmarks.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"hotline/internal/config"
)

// command is one sub-command. run gets the arguments behind its name.
type command struct {
	name, args, help string
	run              func(ctx context.Context, args []string, out io.Writer) error
}

func commands() []command {
	return []command{
		{"serve", "[--addr A] [--data D]", "serve an installation", serve},
		{"demo", "[--addr A] [--data D] [--public]", "serve a demo city with well-known passwords; loads it when the database is empty", demoCity},
		{"admin", "create --email E --name N", "make an administrator; the password is asked for, or read from standard input", admin},
		{"migrate", "", "bring the schema of HOTLINE_DATABASE_OWNER_URL up to date", migrate},
		{"import", "city DIR | knowledge DIR|FILE", "load reference data, or articles; --check says what would change", importFile},
		{"export", "city DIR | knowledge --format F | open-data --month M", "write the reference data into a folder that import city takes, all articles, or a month's open data", export},
		{"eval", "retrieval|routing|nomatch …", "measure search, routing or knowing when not to answer on files; prints JSON", evaluate},
		{"verify", "[--from D] [--to D] [--anchors FILE]", "check every history and the daily anchors; names the first broken entry", verify},
		{"anchors", "[--after D]", "print the daily anchors of the history, for keeping outside", anchors},
		{"measures", "rebuild [--data D]", "build the facts and sums of the statistics again, with progress", measuresCommand},
		{"bench", "[tickets-at --tickets N]", "measure intake, idle chats, bot turn and search on this machine", benchmark},
		{"chat", "[--url U] [--lang L]", "talk to a running installation from the terminal", chatTerminal},
		{"config", "", "list every setting as a Markdown table", printConfig},
		{"version", "", "print the version", printVersion},
	}
}

func main() {
	runtime.MemProfileRate = 0 // nobody reads a heap profile, and its samples are two megabytes
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := dispatch(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.As(err, new(usageError)):
		fmt.Fprintln(os.Stderr, "hotline:", err)
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "hotline:", err)
		os.Exit(1)
	}
}

// usageError is a call whose words are off: exit status 2.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

func dispatch(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		fmt.Fprintln(out, "hotline: consultation, complaint and reporting hotline with a chatbot")
		for _, c := range commands() {
			fmt.Fprintf(out, "  hotline %-8s %-34s %s\n", c.name, c.args, c.help)
		}
		fmt.Fprintln(out, "Settings come from HOTLINE_… variables; hotline config lists them.")
		return nil
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(ctx, args[1:], out)
		}
	}
	return usageError{fmt.Sprintf("there is no command %q; hotline help lists them", args[0])}
}

// flags makes the flag set of a sub-command; parse turns its errors into usage errors.
func flags(name string) *flag.FlagSet {
	fs := flag.NewFlagSet("hotline "+name, flag.ContinueOnError)
	fs.SetOutput(os.Stderr)
	return fs
}

func parse(fs *flag.FlagSet, args []string) error {
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return usageError{err.Error()}
	}
	return nil
}

func printConfig(_ context.Context, _ []string, out io.Writer) error {
	_, err := io.WriteString(out, config.Table())
	return err
}
