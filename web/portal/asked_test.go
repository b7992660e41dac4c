package portal

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
)

// listening remembers what the portal records.
type listening struct {
	mu    sync.Mutex
	heard []string
}

var pickedID = uuid.MustParse("00000000-0000-7000-8000-00000000000a")

func (l *listening) hear(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard = append(l.heard, fmt.Sprintf(format, args...))
}

func (l *listening) InVain(_ context.Context, lang, q string) error {
	l.hear("vain %s %s", lang, q)
	return nil
}

func (l *listening) Picked(_ context.Context, lang, q string, _ uuid.UUID, version, place int) (uuid.UUID, error) {
	l.hear("picked %s %s v%d at %d", lang, q, version, place)
	return pickedID, nil
}

func (l *listening) Word(_ context.Context, id, _ uuid.UUID, helped bool) error {
	l.hear("word %v %v", id == pickedID, helped)
	return nil
}

func TestWhatIsSearchedIsRecordedWithoutThePerson(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.asked
	get := func(path, from string) string {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		r.Header.Set("Sec-Fetch-Site", from)
		w := httptest.NewRecorder()
		s.srv.Config.Handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			t.Fatalf("%s: %d", path, w.Code)
		}
		return w.Body.String()
	}
	list := get("/search?q=rent+%26+more", "none")
	if !strings.Contains(list, `href="/a/rent-subsidy?q=rent%20%26%20more&amp;p=1"`) {
		t.Errorf("no link that tells the place: %s", list)
	}
	get("/search?q=nothing+here", "none")
	get("/a/rent-subsidy?q=rent&p=1", "cross-site") // a link that somebody shared
	if page := get("/a/rent-subsidy?q=rent&p=1", "same-origin"); !strings.Contains(page, pickedID.String()) {
		t.Error("the form does not know what was searched")
	}
	get("/a/rent-subsidy?q=rent&p=999", "same-origin")
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/a/rent-subsidy/feedback", strings.NewReader("helpful=yes&asked="+pickedID.String()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := httptest.NewRecorder()
	s.srv.Config.Handler.ServeHTTP(w, r)
	if w.Code != http.StatusSeeOther {
		t.Fatalf("feedback: %d", w.Code)
	}
	if want := []string{"vain en nothing here", "picked en rent v2 at 1", "word true true"}; !slices.Equal(l.heard, want) {
		t.Errorf("%q, wanted %q", l.heard, want)
	}
}
