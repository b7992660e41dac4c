package portal

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// events are the life events of the home page. Their words in the catalogue decide what they lead to (home.event.<code>.query: searches, separated
// by "|", of which each gives its best article), so that the page follows whatever articles an installation has.
var events = []string{"child", "school", "health", "housing", "work", "retirement", "business", "traffic", "environment", "safety", "papers", "law"}

type lifeEvent struct {
	Code, Query string
	Links       []Hit
}

// eventCache keeps the links of the life events for a few minutes: the home page is asked for most and changes least.
type eventCache struct {
	mu     sync.Mutex
	once   singleflight.Group
	now    func() time.Time
	byLang map[string]cachedEvents
}

type cachedEvents struct {
	at   time.Time
	list []lifeEvent
}

func (p *Portal) lifeEvents(ctx context.Context, lang string) []lifeEvent {
	c := p.events
	c.mu.Lock()
	cached, ok := c.byLang[lang]
	c.mu.Unlock()
	if ok && c.now().Sub(cached.at) < 5*time.Minute {
		return cached.list
	}
	list, _, _ := c.once.Do(lang, func() (any, error) {
		ctx := context.WithoutCancel(ctx) // others wait for it too
		var out []lifeEvent
		whole := true
		for _, code := range events {
			queries := strings.Split(p.Words.T(lang, "portal.home.event."+code+".query"), "|")
			e := lifeEvent{Code: code, Query: strings.Join(queries, " ")}
			for _, query := range queries {
				hits, err := p.Knowledge.Search(ctx, lang, query, 1)
				if err != nil {
					p.Log.WarnContext(ctx, "life event", "event", code, "error", err)
					whole = false
				}
				for _, hit := range hits {
					if !slices.ContainsFunc(e.Links, func(old Hit) bool { return old.Slug == hit.Slug }) {
						e.Links = append(e.Links, hit)
					}
				}
			}
			out = append(out, e)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.byLang == nil {
			c.byLang = map[string]cachedEvents{}
		}
		if whole {
			c.byLang[lang] = cachedEvents{c.now(), out}
		}
		return out, nil
	})
	return list.([]lifeEvent)
}

func (p *Portal) home(w http.ResponseWriter, r *http.Request) {
	v := p.view(r, "title", nil)
	v.Body = struct{ Events []lifeEvent }{p.lifeEvents(r.Context(), v.Lang)}
	p.render(w, r, "home", v)
}

// demoWidget is somebody else's page: another look, and our widget in the corner.
func (p *Portal) demoWidget(w http.ResponseWriter, r *http.Request) {
	v := p.view(r, "demo.title", nil)
	v.NoChat = true
	p.render(w, r, "demo", v)
}
