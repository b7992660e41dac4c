package llm

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"hotline/internal/errs"
)

// Model is one that an administrator set up. Its key is not part of it: a key goes in and is never shown again.
type Model struct {
	ID             uuid.UUID
	Name           string
	BaseURL        string // up to and without /chat/completions
	Model          string // the vendor's id
	HasKey         bool
	Uses           []Use
	Rank           int // lower is asked first
	MaySeePersonal bool
	KeepTexts      bool
	Enabled        bool
	MaxTokens      int // of an answer
	Temperature    float64
	Timeout        time.Duration // of a call with all its tries
	Concurrency    int           // calls at once, of each node
	DailyTokens    int64         // of all nodes together; 0 is none at all
	PriceIn        *float64      // of a million tokens
	PriceOut       *float64
	Version        int
	LastOK         *time.Time
	LastError      string // a code of the catalogue, "" when the last call was fine
	LastErrorAt    *time.Time

	sealed []byte
}

// NewModel has the settings that a form begins with.
func NewModel() Model {
	return Model{Enabled: true, MaxTokens: 800, Timeout: 20 * time.Second, Concurrency: 4, DailyTokens: 1_000_000}
}

// State is a model as the list shows it.
type State struct {
	Model
	Used     int64 // tokens today
	Reserved int64 // promised to calls that run
	Calls    int64 // today
	Cost     *float64
	// Open is until when this node leaves the model alone; nil when it asks it.
	Open *time.Time
}

// Left is how many tokens are left today.
func (s State) Left() int64 { return max(0, s.DailyTokens-s.Used-s.Reserved) }

// UsedUp reports whether what is left of the day is too little for an answer.
func (s State) UsedUp() bool { return s.Left() < min(int64(s.MaxTokens), 1000) }

// Errors of changing models.
var (
	ErrForbidden = errs.New(errs.Forbidden, "llm.forbidden", "only administrators set up language models")
	ErrNotFound  = errs.New(errs.NotFound, "llm.not_found", "this language model does not exist (any more)")
	ErrStale     = errs.New(errs.Conflict, "llm.stale", "somebody else changed this language model")
	ErrNameTaken = errs.New(errs.Conflict, "llm.name_taken", "another language model has this name").On("name")
	errName      = errs.New(errs.Invalid, "llm.bad_name", "a name has 1 to 60 characters").On("name")
	errURL       = errs.New(errs.Invalid, "llm.bad_url", "the address must begin with https://; http:// is for machines of the own network").On("base_url")
	errModel     = errs.New(errs.Invalid, "llm.bad_model", "name the model as the vendor does").On("model")
	errUses      = errs.New(errs.Invalid, "llm.bad_uses", "choose what the model is used for").On("uses")
	errLimits    = errs.New(errs.Invalid, "llm.bad_limits", "a limit is out of bounds")
)

func (m *Model) check() error {
	m.Name, m.Model, m.BaseURL = strings.TrimSpace(m.Name), strings.TrimSpace(m.Model), strings.TrimRight(strings.TrimSpace(m.BaseURL), "/")
	switch {
	case m.Name == "" || utf8.RuneCountInString(m.Name) > 60:
		return errName
	case !goodURL(m.BaseURL):
		return errURL
	case m.Model == "" || len(m.Model) > 200:
		return errModel
	case len(m.Uses) == 0 || slices.ContainsFunc(m.Uses, func(u Use) bool { return !u.Valid() }):
		return errUses
	case m.MaxTokens < 1 || m.MaxTokens > 200_000:
		return errLimits.On("max_tokens")
	case m.Temperature < 0 || m.Temperature > 2:
		return errLimits.On("temperature")
	case m.Timeout < 100*time.Millisecond || m.Timeout > 10*time.Minute:
		return errLimits.On("timeout")
	case m.Concurrency < 1 || m.Concurrency > 1000:
		return errLimits.On("concurrency")
	case m.DailyTokens < 0 || m.DailyTokens > 1e12:
		return errLimits.On("daily_tokens")
	case m.PriceIn != nil && *m.PriceIn < 0 || m.PriceOut != nil && *m.PriceOut < 0:
		return errLimits.On("price")
	}
	return nil
}

// goodURL wants TLS on the way out of the house: a key and people's words travel there. Names without a dot, loopback and private addresses
// are the house.
func goodURL(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || len(s) > 500 {
		return false
	}
	host := u.Hostname()
	switch u.Scheme {
	case "https":
		return true
	case "http":
		if a, err := netip.ParseAddr(host); err == nil {
			return a.IsLoopback() || a.IsPrivate()
		}
		return host == "localhost" || !strings.Contains(host, ".") || strings.HasSuffix(host, ".internal") || strings.HasSuffix(host, ".local") || strings.HasSuffix(host, ".lan")
	}
	return false
}

// metadata reports the addresses at which clouds hand out credentials to whoever asks from inside: no model lives there.
func metadata(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	a, err := netip.ParseAddr(host)
	return err == nil && (a.IsLinkLocalUnicast() || a.Unmap() == netip.AddrFrom4([4]byte{100, 100, 100, 200}))
}

// serves reports whether the model may be asked for a use.
func (m Model) serves(u Use) bool { return m.Enabled && slices.Contains(m.Uses, u) }

func (m Model) cost(in, out int64) *float64 {
	if m.PriceIn == nil && m.PriceOut == nil {
		return nil
	}
	c := 0.0
	if m.PriceIn != nil {
		c += *m.PriceIn * float64(in) / 1e6
	}
	if m.PriceOut != nil {
		c += *m.PriceOut * float64(out) / 1e6
	}
	return &c
}
