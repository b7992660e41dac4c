package config_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hotline/internal/config"
)

func TestDefaultsStartOnAFreshMachine(t *testing.T) {
	t.Parallel()
	c, err := config.Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Addr != "localhost:8080" || c.Database != "" || c.NATS != "" {
		t.Fatalf("%+v", c)
	}
}

func TestBadSettingsAreNamed(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ set, want string }{
		{"HOTLINE_BASE_URL=example.org", "HOTLINE_BASE_URL"},
		{"HOTLINE_SITES=demo", "HOTLINE_SITES"},
		{"HOTLINE_SITES=demo=https://a.example/path", "HOTLINE_SITES"},
		{"HOTLINE_TRUSTED_PROXIES=everyone", "HOTLINE_TRUSTED_PROXIES"},
		{"HOTLINE_LOG_FORMAT=xml", "HOTLINE_LOG_FORMAT"},
		{"HOTLINE_CALLING_CODE=+86", "HOTLINE_CALLING_CODE"},
		{"HOTLINE_DATABASE_CONNS=1", "HOTLINE_DATABASE_CONNS"},
		{"HOTLINE_TELEGRAM_MODE=pigeon", "HOTLINE_TELEGRAM_MODE"},
		{"HOTLINE_EMAIL_FROM=hotline@city.example", "HOTLINE_SMTP_URL"},
		{"HOTLINE_SMS_FROM=12345", "HOTLINE_SMS_URL"},
		{"HOTLINE_SMS_MAX_PARTS=0", "HOTLINE_SMS_MAX_PARTS"},
		{"HOTLINE_IMAP_URL=imaps://u:p@mail.city.example", "HOTLINE_EMAIL_FROM"},
	} {
		if _, err := config.Parse([]string{row.set}); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v", row.set, err)
		}
	}
}

func TestSecretComesFromItsFileAndStaysOutOfTheLog(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(path, []byte("postgres://u:sesame@h/d\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse([]string{"HOTLINE_DATABASE_URL_FILE=" + path})
	if err != nil || c.Database != "postgres://u:sesame@h/d" {
		t.Fatalf("%q %v", c.Database, err)
	}
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("start", "config", c)
	if strings.Contains(out.String(), "sesame") {
		t.Fatal(out.String())
	}
	if _, err := config.Parse([]string{"HOTLINE_DATABASE_URL_FILE=" + path, "HOTLINE_DATABASE_URL=postgres://x"}); err == nil {
		t.Fatal("two sources for one secret were accepted")
	}
}

func TestSitesAndOrigins(t *testing.T) {
	t.Parallel()
	c, err := config.Parse([]string{"HOTLINE_SITES=town=https://a.example,http://localhost:3000/;school=https://b.example"})
	if err != nil {
		t.Fatal(err)
	}
	sites, err := c.SiteOrigins()
	if err != nil || len(sites["town"]) != 2 || sites["town"][1] != "http://localhost:3000" || len(sites["school"]) != 1 {
		t.Fatalf("%v %v", sites, err)
	}
}
