package console

import (
	"net/http"
	"time"

	"hotline/knowledge"
)

// The search engine's panel of the knowledge board, for who may have its index built anew.

func (c *Console) engineRoutes(on func(string, []string, handle)) {
	on("POST /console/knowledge/rebuild", editRoles, c.engineRebuild)
}

// engineView is the state of the search engine as this node sees it.
type engineView struct {
	knowledge.EngineStatus
	State   string // of the catalogue
	Class   string // of its badge
	Done    int
	Total   int
	Running bool // a page worth looking at again
	Since   time.Time
	// Why the engine and the model for vectors fail, in words.
	Why, ModelWhy string
}

func (c *Console) engine(v View) *engineView {
	if !staff(v).MayRebuild() {
		return nil
	}
	s := c.Knowledge.Engine()
	e := &engineView{EngineStatus: s, State: "ready", Class: "ok", Done: s.Articles, Total: s.Articles, Since: s.Since}
	if s.Fault.Code != "" {
		e.Why = c.words.T(v.Lang, "errors."+s.Fault.Code)
	}
	if s.ModelFault.Code != "" {
		e.ModelWhy = c.words.T(v.Lang, "errors."+s.ModelFault.Code)
	}
	switch {
	case !s.Since.IsZero():
		e.State, e.Class = "away", "danger"
	case s.Fault.Code != "":
		e.State, e.Class = "failing", "danger"
	case s.Filling:
		e.State, e.Class, e.Running, e.Done, e.Total = "filling", "warn", true, s.Done, max(s.Total, s.Articles)
	case s.Loading:
		e.State, e.Class, e.Running, e.Done, e.Total = "loading", "warn", true, s.Done, max(s.Total, s.Articles)
	case s.Rebuild:
		e.State, e.Class, e.Running = "wanted", "warn", true
	}
	return e
}

func (c *Console) engineRebuild(w http.ResponseWriter, r *http.Request) error {
	if err := c.Knowledge.AskForRebuild(r.Context(), staff(c.view(r))); err != nil {
		return err
	}
	http.Redirect(w, r, "/console/knowledge/board#engine", http.StatusSeeOther)
	return nil
}
