// Package config reads the settings of one process from its environment, checks them, and can print them as a table. Every setting has a
// default that works on a fresh machine. A secret may come from a file: NAME_FILE holds the path.
package config

import (
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"reflect"
	"strings"

	"github.com/caarlos0/env/v11"
)

// Config is the settings of one process.
type Config struct {
	Addr     string `env:"HOTLINE_ADDR" envDefault:"localhost:8080" help:"address and port to listen on"`
	BaseURL  string `env:"HOTLINE_BASE_URL" help:"public address of the installation, used in links; default: http:// and the listen address"`
	Data     string `env:"HOTLINE_DATA" envDefault:"./data" help:"data folder: private database, files, secret key"`
	Files    string `env:"HOTLINE_FILES" help:"folder of uploaded files, shared by all nodes; default: <data>/files"`
	KeyFile  string `env:"HOTLINE_KEY_FILE" help:"secret key of the installation (32 bytes, hex), the same on every node; default: <data>/secret.key, made at the first start"`
	Database string `env:"HOTLINE_DATABASE_URL" secret:"true" help:"PostgreSQL as the application's role; empty: a private server is started in the data folder"`
	Owner    string `env:"HOTLINE_DATABASE_OWNER_URL" secret:"true" help:"PostgreSQL as the owner of the tables, for migrations; empty: migrations are run elsewhere (hotline migrate)"`
	Conns    int    `env:"HOTLINE_DATABASE_CONNS" envDefault:"24" help:"most connections to PostgreSQL of this node"`
	NATS     string `env:"HOTLINE_NATS_URL" help:"NATS cluster for live messages between nodes; empty: a server inside the process (one node)"`

	MeiliURL       string `env:"HOTLINE_MEILI_URL" help:"Meilisearch, the search engine for collections that outgrow a node; empty: the engine inside each node"`
	MeiliKey       string `env:"HOTLINE_MEILI_KEY" secret:"true" help:"API key of Meilisearch with the rights search, documents.*, indexes.*, settings.*, tasks.get and stats.get"`
	MeiliEmbedders string `env:"HOTLINE_MEILI_EMBEDDERS" secret:"true" help:"Meilisearch's setting 'embedders' as JSON; searches are then hybrid with the first by name. Empty: words only"`

	Sites          []string `env:"HOTLINE_SITES" envSeparator:";" help:"site keys of the chat widget and the origins that may use each: key=https://a.example,https://b.example; several separated by ';'. The portal's own origin may always use the key 'portal'"`
	TrustedProxies []string `env:"HOTLINE_TRUSTED_PROXIES" envSeparator:"," help:"networks of reverse proxies whose X-Forwarded-For is believed, e.g. 10.0.0.0/8"`
	SecureCookies  bool     `env:"HOTLINE_SECURE_COOKIES" help:"cookies over HTTPS only; set by itself when HOTLINE_BASE_URL is https"`
	MetricsAddr    string   `env:"HOTLINE_METRICS_ADDR" help:"second address for /metrics; empty: /metrics answers on the main address to loopback only"`

	TelegramToken  string `env:"HOTLINE_TELEGRAM_TOKEN" secret:"true" help:"bot token; empty: no Telegram"`
	TelegramMode   string `env:"HOTLINE_TELEGRAM_MODE" envDefault:"polling" help:"polling, or webhook (needs HOTLINE_BASE_URL with https)"`
	TelegramSecret string `env:"HOTLINE_TELEGRAM_SECRET" secret:"true" help:"secret token that Telegram repeats in each webhook call; 16 to 256 of A-Z a-z 0-9 _ -"`
	TelegramAPI    string `env:"HOTLINE_TELEGRAM_API" envDefault:"https://api.telegram.org" help:"address of the Bot API server"`

	EmailFrom string `env:"HOTLINE_EMAIL_FROM" help:"the hotline's own address, e.g. City Hotline <hotline@city.example>; empty: no e-mail"`
	SMTP      string `env:"HOTLINE_SMTP_URL" secret:"true" help:"mail server that sends: smtps://user:password@host:465, or smtp://user:password@host:587 with STARTTLS; ?tls=no for a relay on this machine"`
	IMAP      string `env:"HOTLINE_IMAP_URL" secret:"true" help:"mailbox that receives: imaps://user:password@host:993, or imap://user:password@host:143 with STARTTLS; /Folder behind it for another than the inbox; empty: mails are only sent"`

	EmailTokenURL     string `env:"HOTLINE_EMAIL_OAUTH_TOKEN_URL" help:"token endpoint (OAuth 2.0) of a provider that takes no passwords; the user then stands without one in HOTLINE_SMTP_URL and HOTLINE_IMAP_URL"`
	EmailClientID     string `env:"HOTLINE_EMAIL_OAUTH_CLIENT_ID" help:"the hotline's client id at that endpoint"`
	EmailClientSecret string `env:"HOTLINE_EMAIL_OAUTH_CLIENT_SECRET" secret:"true" help:"its secret"`
	EmailRefreshToken string `env:"HOTLINE_EMAIL_OAUTH_REFRESH_TOKEN" secret:"true" help:"refresh token of whoever agreed that the hotline uses the mailbox; empty: client credentials"`
	EmailScope        string `env:"HOTLINE_EMAIL_OAUTH_SCOPE" help:"scope to ask for, e.g. https://outlook.office365.com/.default"`

	SMS         string `env:"HOTLINE_SMS_URL" secret:"true" help:"short-message centre (SMPP 3.4): smpp://system-id:password@host:2775, or smpps:// with TLS; ?system_type= where the operator wants one; empty: no SMS"`
	SMSFrom     string `env:"HOTLINE_SMS_FROM" help:"the hotline's number at that centre: +8675512345, a short code, or a name of up to 11 letters, which nobody can answer"`
	SMSParts    int    `env:"HOTLINE_SMS_MAX_PARTS" envDefault:"10" help:"most short messages that one answer may take; what is longer ends with where to read on"`
	CallingCode string `env:"HOTLINE_CALLING_CODE" envDefault:"86" help:"country's calling code of telephone numbers that name none, for text messages"`

	LogLevel  slog.Level `env:"HOTLINE_LOG_LEVEL" envDefault:"info" help:"debug, info, warn or error"`
	LogFormat string     `env:"HOTLINE_LOG_FORMAT" envDefault:"text" help:"text or json"`
}

// Load reads the process environment. Errors name the setting and what it should be.
func Load() (Config, error) { return Parse(os.Environ()) }

// Parse reads settings from "NAME=value" pairs.
func Parse(environ []string) (Config, error) {
	vars := map[string]string{}
	for _, kv := range environ {
		if k, v, ok := strings.Cut(kv, "="); ok && strings.HasPrefix(k, "HOTLINE_") {
			vars[k] = v
		}
	}
	for name, path := range vars {
		plain, isFile := strings.CutSuffix(name, "_FILE")
		if !isFile || !isSecret(plain) {
			continue
		}
		if vars[plain] != "" {
			return Config{}, fmt.Errorf("both %s and %s are set; keep one", plain, name)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return Config{}, fmt.Errorf("%s: %w", name, err)
		}
		vars[plain] = strings.TrimSpace(string(text))
	}
	c, err := env.ParseAsWithOptions[Config](env.Options{Environment: vars})
	if err != nil {
		return Config{}, fmt.Errorf("settings: %w", err)
	}
	return c, c.check()
}

func (c Config) check() error {
	for name, value := range map[string]string{"HOTLINE_BASE_URL": c.BaseURL, "HOTLINE_TELEGRAM_API": c.TelegramAPI, "HOTLINE_MEILI_URL": c.MeiliURL} {
		if value == "" {
			continue
		}
		u, err := url.Parse(value)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return fmt.Errorf("%s: %q is not an http(s) address", name, value)
		}
	}
	if c.TelegramMode != "polling" && c.TelegramMode != "webhook" {
		return fmt.Errorf("HOTLINE_TELEGRAM_MODE: %q is neither polling nor webhook", c.TelegramMode)
	}
	if c.TelegramToken != "" && c.TelegramMode == "webhook" {
		if !strings.HasPrefix(c.BaseURL, "https://") {
			return fmt.Errorf("HOTLINE_BASE_URL must be https for the Telegram webhook")
		}
		if n := len(c.TelegramSecret); n < 16 || n > 256 {
			return fmt.Errorf("HOTLINE_TELEGRAM_SECRET must be 16 to 256 characters for the webhook")
		}
	}
	if (c.EmailFrom == "") != (c.SMTP == "") {
		return fmt.Errorf("HOTLINE_EMAIL_FROM and HOTLINE_SMTP_URL belong together; one of them is missing")
	}
	if c.IMAP != "" && c.EmailFrom == "" {
		return fmt.Errorf("HOTLINE_IMAP_URL needs HOTLINE_EMAIL_FROM and HOTLINE_SMTP_URL, which answers go out by")
	}
	if (c.SMS == "") != (c.SMSFrom == "") {
		return fmt.Errorf("HOTLINE_SMS_URL and HOTLINE_SMS_FROM belong together; one of them is missing")
	}
	if c.SMSParts < 1 || c.SMSParts > 255 {
		return fmt.Errorf("HOTLINE_SMS_MAX_PARTS: %d is outside 1–255", c.SMSParts)
	}
	if c.LogFormat != "text" && c.LogFormat != "json" {
		return fmt.Errorf("HOTLINE_LOG_FORMAT: %q is neither text nor json", c.LogFormat)
	}
	if c.Conns < 4 || c.Conns > 1000 {
		return fmt.Errorf("HOTLINE_DATABASE_CONNS: %d is outside 4–1000", c.Conns)
	}
	if strings.Trim(c.CallingCode, "0123456789") != "" || strings.HasPrefix(c.CallingCode, "0") || len(c.CallingCode) > 3 {
		return fmt.Errorf("HOTLINE_CALLING_CODE: %q is no calling code such as 86", c.CallingCode)
	}
	if _, err := c.SiteOrigins(); err != nil {
		return err
	}
	_, err := c.Proxies()
	return err
}

// SiteOrigins gives the origins that may use each site key.
func (c Config) SiteOrigins() (map[string][]string, error) {
	sites := map[string][]string{}
	for _, entry := range c.Sites {
		if strings.TrimSpace(entry) == "" {
			continue
		}
		key, list, ok := strings.Cut(entry, "=")
		key = strings.TrimSpace(key)
		if !ok || key == "" {
			return nil, fmt.Errorf("HOTLINE_SITES: %q is not key=origin,origin", entry)
		}
		for origin := range strings.SplitSeq(list, ",") {
			origin = strings.TrimSuffix(strings.TrimSpace(origin), "/")
			u, err := url.Parse(origin)
			if err != nil || u.Host == "" || u.Path != "" || (u.Scheme != "http" && u.Scheme != "https") {
				return nil, fmt.Errorf("HOTLINE_SITES: %q is not an origin such as https://www.example.org", origin)
			}
			sites[key] = append(sites[key], origin)
		}
	}
	return sites, nil
}

// Proxies gives the networks whose forwarding headers are believed.
func (c Config) Proxies() ([]netip.Prefix, error) {
	var nets []netip.Prefix
	for _, s := range c.TrustedProxies {
		s = strings.TrimSpace(s)
		if s == "" {
			continue
		}
		p, err := netip.ParsePrefix(s)
		if err != nil {
			addr, err2 := netip.ParseAddr(s)
			if err2 != nil {
				return nil, fmt.Errorf("HOTLINE_TRUSTED_PROXIES: %q is neither a network nor an address", s)
			}
			p = netip.PrefixFrom(addr, addr.BitLen())
		}
		nets = append(nets, p)
	}
	return nets, nil
}

// Setting is a row of the configuration table.
type Setting struct {
	Name, Default, Help string
	Secret              bool
}

// Settings lists every setting in the order of the struct: the help text and the README are made from it.
func Settings() []Setting {
	var rows []Setting
	t := reflect.TypeFor[Config]()
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		rows = append(rows, Setting{Name: tag.Get("env"), Default: tag.Get("envDefault"), Help: tag.Get("help"), Secret: tag.Get("secret") == "true"})
	}
	return rows
}

func isSecret(name string) bool {
	for _, s := range Settings() {
		if s.Name == name {
			return s.Secret
		}
	}
	return false
}

// Table is the configuration table of the README, in Markdown.
func Table() string {
	var b strings.Builder
	b.WriteString("| variable | default | meaning |\n| --- | --- | --- |\n")
	for _, s := range Settings() {
		name, def := "`"+s.Name+"`", ""
		if s.Secret {
			name += " (or `" + s.Name + "_FILE`)"
		}
		if s.Default != "" {
			def = "`" + s.Default + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", name, def, s.Help)
	}
	return b.String()
}

// LogValue shows no secret.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(slog.String("addr", c.Addr), slog.String("data", c.Data), slog.Bool("private_database", c.Database == ""),
		slog.Bool("own_bus", c.NATS == ""), slog.Bool("telegram", c.TelegramToken != ""), slog.Bool("email", c.EmailFrom != ""), slog.Bool("sms", c.SMS != ""))
}
