package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/alexedwards/scs/pgxstore"
	"github.com/alexedwards/scs/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/internal/auth"
	"hotline/internal/errs"
	"hotline/tickets"
	"hotline/web/httperr"
)

// A session lasts a working day; it ends at once when the user's password or rights change: it carries the user's version.
const sessionLife = 12 * time.Hour

const (
	keyUser    = "user"
	keyVersion = "version"
)

var errSignedOut = errs.New(errs.Unauthenticated, "console.signed_out", "the session has ended")

// newSessionStore is the sessions table. Its own housekeeping stays off: pgxstore starts it in a goroutine that Stop races with. The
// application removes what has expired.
func newSessionStore(pool *pgxpool.Pool) *pgxstore.PostgresStore {
	return pgxstore.NewWithCleanupInterval(pool, 0)
}

func newSessions(store *pgxstore.PostgresStore, secure bool) *scs.SessionManager {
	m := scs.New()
	m.Store = store
	m.HashTokenInStore = true
	m.Lifetime = sessionLife
	m.Cookie.Name, m.Cookie.Path = "hotline_console", "/console/"
	m.Cookie.HttpOnly, m.Cookie.Secure, m.Cookie.SameSite = true, secure, http.SameSiteLaxMode
	m.ErrorFunc = httperr.Write
	return m
}

type principalKey struct{}

// principal is who is signed in.
func principal(ctx context.Context) (auth.Principal, bool) {
	p, ok := ctx.Value(principalKey{}).(auth.Principal)
	return p, ok
}

// actor is the principal as tickets know it.
func actor(p *auth.Principal) tickets.Actor { return tickets.Staff(p.Actor(), p.Roles) }

// identify puts the signed-in person and their language into the request. A session whose user was closed or changed has ended.
func (c *Console) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		id, err := uuid.Parse(c.sessions.GetString(ctx, keyUser))
		if err != nil {
			next.ServeHTTP(w, r)
			return
		}
		// ByID rather than Current: a request that its page has given up must not look like an account that was closed.
		p, err := c.Auth.ByID(ctx, id)
		ended := err == nil && p.Version != c.sessions.GetInt(ctx, keyVersion)
		switch {
		case ended, errors.Is(err, auth.ErrInactive), errors.Is(err, auth.ErrNotFound):
			if err := c.sessions.Destroy(ctx); err != nil {
				httperr.Write(w, r, err)
				return
			}
			next.ServeHTTP(w, r)
			return
		case err != nil:
			httperr.Write(w, r, err)
			return
		}
		ctx = context.WithValue(ctx, principalKey{}, p)
		if c.words.Has(p.Lang) && r.URL.Query().Get("lang") == "" {
			ctx = httperr.WithLang(ctx, p.Lang)
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// guard lets signed-in people with one of the roles through; no roles means anybody who is signed in.
func (c *Console) guard(need []string, h handle) http.Handler {
	return c.plain(func(w http.ResponseWriter, r *http.Request) error {
		p, ok := principal(r.Context())
		switch {
		case !ok && (isHX(r) || r.Header.Get("X-Page") != ""):
			// What is being typed stays on the page: sign in elsewhere and send again.
			return errSignedOut
		case !ok && r.Method == http.MethodGet:
			http.Redirect(w, r, "/console/sign-in?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
			return nil
		case !ok:
			return errSignedOut
		case len(need) > 0 && !p.Has(need...):
			return auth.ErrForbidden
		}
		return h(w, r)
	})
}

type signInData struct{ Email, Next, Error, Notice string }

func (c *Console) signInForm(w http.ResponseWriter, r *http.Request) error {
	if _, ok := principal(r.Context()); ok {
		http.Redirect(w, r, "/console/", http.StatusSeeOther)
		return nil
	}
	v := c.view(r)
	v.Title = v.T("signin.title")
	d := signInData{Next: localPath(r.URL.Query().Get("next"))}
	if r.URL.Query().Get("out") != "" {
		d.Notice = v.T("signin.out")
	}
	v.D = d
	c.page(w, r, http.StatusOK, "sign-in", v)
	return nil
}

func (c *Console) signIn(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return httperr.ErrMalformed.Wrap(err)
	}
	ctx := r.Context()
	email := clean(r.PostForm.Get("email"), 320)
	p, err := c.Auth.SignIn(ctx, email, r.PostForm.Get("password"), httperr.Address(r, c.TrustedProxies))
	if kind := errs.KindOf(err); kind == errs.Unauthenticated || kind == errs.RateLimited {
		v := c.view(r)
		v.Title = v.T("signin.title")
		v.D = signInData{Email: email, Next: localPath(r.PostForm.Get("next")), Error: c.words.Error(v.Lang, err)}
		c.page(w, r, httperr.Status(kind), "sign-in", v)
		return nil
	}
	if err != nil {
		return err
	}
	if err := c.begin(ctx, p); err != nil {
		return err
	}
	next := localPath(r.PostForm.Get("next"))
	if next == "" {
		next = "/console/"
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

// begin makes the session p's, under a new token.
func (c *Console) begin(ctx context.Context, p auth.Principal) error {
	if err := c.sessions.RenewToken(ctx); err != nil {
		return err
	}
	c.sessions.Put(ctx, keyUser, p.UserID.String())
	c.sessions.Put(ctx, keyVersion, p.Version)
	return nil
}

func (c *Console) signOut(w http.ResponseWriter, r *http.Request) error {
	if err := c.sessions.Destroy(r.Context()); err != nil {
		return err
	}
	http.Redirect(w, r, "/console/sign-in?out=1", http.StatusSeeOther)
	return nil
}

// localPath lets only pages of the console be gone to after sign-in.
func localPath(s string) string {
	if u, err := url.Parse(s); err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(u.Path, "/console/") || strings.ContainsAny(s, "\\\r\n") {
		return ""
	}
	return s
}
