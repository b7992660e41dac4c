package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime/debug"
	"time"

	"hotline/internal/app"
	"hotline/internal/auth"
	"hotline/internal/clock"
	"hotline/internal/config"
	"hotline/internal/db"
	"hotline/internal/telemetry"
)

// settings reads the environment and lets the flags of a sub-command override it.
func settings(name string, args []string, more func(set func(string, *string, string), flag func(string, string) *bool)) (config.Config, error) {
	cfg, err := config.Load()
	if err != nil {
		return cfg, err
	}
	fs := flags(name)
	addr := fs.String("addr", cfg.Addr, "address and port to listen on")
	data := fs.String("data", cfg.Data, "data folder")
	if more != nil {
		more(func(n string, p *string, help string) { fs.StringVar(p, n, *p, help) }, func(n, help string) *bool { return fs.Bool(n, false, help) })
	}
	if err := parse(fs, args); err != nil {
		return cfg, err
	}
	if fs.NArg() > 0 {
		return cfg, usageError{fmt.Sprintf("unexpected %q", fs.Arg(0))}
	}
	cfg.Addr, cfg.Data = *addr, *data
	return cfg, nil
}

func serve(ctx context.Context, args []string, out io.Writer) error {
	cfg, err := settings("serve", args, nil)
	if err != nil {
		return err
	}
	return app.Run(ctx, cfg, app.Options{Log: telemetry.NewLogger(os.Stderr, cfg.LogLevel, cfg.LogFormat)}, func(a *app.App) {
		fmt.Fprintf(out, "hotline serves %s\n", a.URL())
		words, err := app.Database{Pool: a.Pool()}.Missing(ctx)
		if err != nil {
			words = "" // the node serves; what is missing is told by the next start
		}
		fmt.Fprint(out, words)
	})
}

func demoCity(ctx context.Context, args []string, out io.Writer) error {
	start := time.Now()
	var public *bool
	cfg, err := settings("demo", args, func(_ func(string, *string, string), flag func(string, string) *bool) {
		public = flag("public", "listen on other than loopback addresses, with well-known passwords")
	})
	if err != nil {
		return err
	}
	if !*public && !loopback(cfg.Addr) {
		return usageError{fmt.Sprintf("the demo's passwords are well known, so it listens on loopback only; %s is not. Add --public if you mean it", cfg.Addr)}
	}
	return app.Run(ctx, cfg, app.Options{Log: telemetry.NewLogger(os.Stderr, cfg.LogLevel, cfg.LogFormat), Demo: true, Past: true}, func(a *app.App) {
		fmt.Fprintf(out, welcome, time.Since(start).Seconds(), a.URL(), app.DemoPassword)
	})
}

const welcome = `
The demo city of Lanting is ready (%.1f s).

  Citizens    %[2]s               search, file, track, chat
  Widget      %[2]s/demo-widget   the chat on somebody else's page
  Staff       %[2]s/console/      password for all of them: %[3]s
                dispatcher@lanting.example     the hotline's dispatcher
                operator@lanting.example       the hotline's operator: live chats
                supervisor@lanting.example     the hotline's supervisor
                environment@lanting.example    handler of the environment department
                environment.head@lanting.example   its head
                editor@lanting.example · reviewer@lanting.example   knowledge base
                administrator@lanting.example  users, agencies, keys
  API         %[2]s/api/v1/openapi.json
  Health      %[2]s/readyz

Stop with Ctrl-C; the next start finds everything again.
`

// loopback reports whether every address that addr stands for is on this machine only.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil || host == "" {
		return false
	}
	ips, err := net.LookupIP(host)
	if err != nil || len(ips) == 0 {
		return false
	}
	for _, ip := range ips {
		if !ip.IsLoopback() {
			return false
		}
	}
	return true
}

func migrate(ctx context.Context, args []string, out io.Writer) error {
	cfg, err := settings("migrate", args, nil)
	if err != nil {
		return err
	}
	if cfg.Owner == "" {
		return errors.New("HOTLINE_DATABASE_OWNER_URL is not set; a private database is migrated at every start by itself")
	}
	if err := db.Migrate(ctx, cfg.Owner, telemetry.NewLogger(os.Stderr, cfg.LogLevel, cfg.LogFormat)); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, "the schema is up to date")
	return err
}

func admin(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 || args[0] != "create" {
		return usageError{"usage: hotline admin create --email E --name N [--city NAME]; the password is asked for, or read from standard input"}
	}
	var email, name, city, lang = "", "", "", "en"
	cfg, err := settings("admin create", args[1:], func(set func(string, *string, string), _ func(string, string) *bool) {
		set("email", &email, "e-mail address, for signing in")
		set("name", &name, "name")
		set("city", &city, "name of the installation, when it is new")
		set("lang", &lang, "en or zh-CN")
	})
	if err != nil {
		return err
	}
	password, err := readPassword(os.Stdin, os.Stderr)
	if err != nil {
		return err
	}
	return app.WithDatabase(ctx, cfg, telemetry.NewLogger(os.Stderr, cfg.LogLevel, cfg.LogFormat), func(d app.Database) error {
		if err := d.EnsureInstallation(ctx, city); err != nil {
			return err
		}
		agency, err := d.Desk(ctx)
		if err != nil {
			return err
		}
		users := auth.New(d.Pool, clock.System{}, auth.Options{})
		if _, err := users.Create(ctx, auth.Machine(), auth.NewUser{Email: email, Name: name, Lang: lang, AgencyID: agency, Roles: []auth.Role{auth.Administrator}, Password: password}); err != nil {
			return err
		}
		words, err := d.Missing(ctx)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "%s can sign in as administrator\n%s", email, words)
		return err
	})
}

func importFile(ctx context.Context, args []string, out io.Writer) error {
	if len(args) > 0 && args[0] == "city" {
		return importCity(ctx, args[1:], out)
	}
	if len(args) > 0 && args[0] == "knowledge" {
		return importKnowledge(ctx, args[1:], out)
	}
	return usageError{"usage: hotline import city DIR [--check] [--deactivate-missing], or hotline import knowledge DIR|FILE [--check] [--draft] [--data D]"}
}

func printVersion(_ context.Context, _ []string, out io.Writer) error {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				version += " " + s.Value
			}
		}
	}
	_, err := fmt.Fprintln(out, "hotline", version)
	return err
}
