package routing_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"hotline/internal/errs"
	"hotline/routing"
)

// category gives the fields of a category as a form would send them back.
func category(t *testing.T, s *routing.Service, code string) (routing.CategoryFields, int) {
	t.Helper()
	c, ok := s.Snapshot().Category(code)
	if !ok {
		t.Fatalf("no category %s", code)
	}
	return routing.CategoryFields{Code: c.Code, Parent: c.Parent, Names: c.Names, Kinds: c.Kinds, Urgency: c.Urgency, Confidential: c.Confidential,
		Description: c.Description, Keywords: c.Keywords, Examples: c.Examples}, c.Version
}

func TestCategoriesAreAddedChangedMovedAndRetired(t *testing.T) {
	t.Parallel()
	s, city, _ := tiny(t)
	ctx, admin := t.Context(), city.Staff("administrator")
	good := routing.CategoryFields{Code: "parks", Names: routing.Names{"en": " Parks ", "zh-CN": "公园"}, Kinds: []string{"help", "complaint"}, Urgency: "normal",
		Examples: map[string][]string{"en": {"The swing in the park is broken", " ", "The swing in the park is broken"}, "zh-CN": {"公园的秋千坏了"}}}
	if err := s.CreateCategory(ctx, admin, good); err != nil {
		t.Fatal(err)
	}
	c, _ := s.Snapshot().Category("parks")
	if c.Names["en"] != "Parks" || len(c.Examples["en"]) != 1 || !c.Leaf || !c.Active {
		t.Errorf("stored %+v", c)
	}
	if err := s.CreateCategory(ctx, admin, good); !errors.Is(err, routing.ErrCategoryCodeTaken) {
		t.Errorf("twice: %v", err)
	}
	swing := good
	swing.Code, swing.Parent = "parks.swings", "parks"
	if err := s.CreateCategory(ctx, admin, swing); err != nil {
		t.Fatal(err)
	}
	for field, spoil := range map[string]func(*routing.CategoryFields){
		"code":        func(f *routing.CategoryFields) { f.Code = "Par ks" },
		"names":       func(f *routing.CategoryFields) { f.Names = routing.Names{"en": "x"} },
		"kinds":       func(f *routing.CategoryFields) { f.Kinds = []string{"help", "poem"} },
		"urgency":     func(f *routing.CategoryFields) { f.Urgency = "now" },
		"parent":      func(f *routing.CategoryFields) { f.Parent = "nowhere" },
		"examples":    func(f *routing.CategoryFields) { f.Examples = map[string][]string{"en": {strings.Repeat("x", 501)}} },
		"description": func(f *routing.CategoryFields) { f.Description = routing.Names{"en": "\xff"} },
	} {
		in := good
		in.Code = "other"
		spoil(&in)
		var e *errs.Error
		if err := s.CreateCategory(ctx, admin, in); !errors.As(err, &e) || e.Kind != errs.Invalid || e.Field != field {
			t.Errorf("%s: got %v", field, err)
		}
	}
	// Moves: not below itself, not below a leaf that tickets are filed under, not where its kinds are not taken; elsewhere yes.
	parks, version := category(t, s, "parks")
	for name, want := range map[string]error{"parks.swings": nil, "utilities.water": routing.ErrCategoryParentUsed} {
		parks.Parent = name
		if err := s.UpdateCategory(ctx, admin, version, parks); err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("parks moves below %s: %v", name, err)
		}
	}
	parks.Parent, parks.Kinds = "", []string{"complaint"}
	if err := s.UpdateCategory(ctx, admin, version, parks); errs.KindOf(err) != errs.Invalid {
		t.Errorf("parks gives up a kind that swings take: %v", err)
	}
	swings, sv := category(t, s, "parks.swings")
	swings.Parent = ""
	if err := s.UpdateCategory(ctx, admin, sv, swings); err != nil {
		t.Errorf("swings move to the top: %v", err)
	}
	if err := s.UpdateCategory(ctx, admin, sv, swings); !errors.Is(err, routing.ErrReferenceStale) {
		t.Errorf("the same form again: %v", err)
	}
	swings, sv = category(t, s, "parks.swings")
	swings.Parent = "parks"
	if err := s.UpdateCategory(ctx, admin, sv, swings); err != nil {
		t.Fatal(err)
	}
	if err := s.SetCategoryActive(ctx, admin, "parks", version, false); !errors.Is(err, routing.ErrCategoryBelow) {
		t.Errorf("parks goes while swings stay: %v", err)
	}
	if err := s.SetCategoryActive(ctx, admin, "parks.swings", sv+1, false); err != nil {
		t.Fatal(err)
	}
	if err := s.SetCategoryActive(ctx, admin, "parks", version, false); err != nil {
		t.Errorf("parks goes: %v", err)
	}
	if err := s.SetCategoryActive(ctx, admin, "parks.swings", sv+2, true); !errors.Is(err, routing.ErrCategoryParentOff) {
		t.Errorf("swings come back alone: %v", err)
	}
	changes, err := s.ReferenceChanges(ctx, admin, "category", "parks", 0, 10)
	if err != nil || len(changes) != 2 || string(changes[0].After["active"]) != "false" || changes[1].Action != "created" || changes[0].By != city.Users["administrator"] {
		t.Errorf("who changed parks: %+v, %v", changes, err)
	}
	if _, err := s.ReferenceChanges(ctx, city.Staff("dispatcher"), "category", "parks", 0, 10); errs.KindOf(err) != errs.Forbidden {
		t.Errorf("a dispatcher reads who changed what: %v", err)
	}
}

// The classifier learns in the background, on this node and on the others.
func TestTheClassifierLearnsWhatAnAdministratorWrites(t *testing.T) {
	t.Parallel()
	_, city, pool := tiny(t)
	bus := &board{}
	learned := make(chan struct{}, 100)
	node := func() *routing.Service {
		s := routing.New(routing.Deps{Pool: pool, Bus: bus, Log: slog.New(slog.DiscardHandler), Trained: func() { learned <- struct{}{} }})
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Stop)
		return s
	}
	there, other := node(), node()
	text := "The merry-go-round creaks terribly"
	f := routing.CategoryFields{Code: "funfair", Names: routing.Names{"en": "Merry-go-round", "zh-CN": "旋转木马"}, Kinds: []string{"complaint"}, Urgency: "normal",
		Examples: map[string][]string{"en": {"The merry-go-round creaks", "The merry-go-round is terribly loud"}}}
	if err := there.CreateCategory(t.Context(), city.Staff("administrator"), f); err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*routing.Service{"the node that changed it": there, "another node": other} {
		for {
			if g := s.Predict(text); s.Trained() && len(g) > 0 && g[0].Label == "funfair" {
				break
			}
			select {
			case <-learned:
			case <-time.After(time.Minute):
				t.Fatalf("%s never learned", name)
			}
		}
	}
}

func TestServiceItemsAreAddedChangedAndRetired(t *testing.T) {
	t.Parallel()
	s, city, _ := tiny(t)
	ctx, admin := t.Context(), city.Staff("administrator")
	good := routing.ItemFields{Code: "TN-001", Names: routing.Names{"en": "Passport", "zh-CN": "护照"}, Agency: city.Agencies["city"], Category: "utilities.water", Area: "dist-east",
		Channels: []string{"phone", "online"}, LifeEvent: "travel", URL: "https://tiny.example/passport"}
	if err := s.CreateItem(ctx, admin, good); err != nil {
		t.Fatal(err)
	}
	if err := s.CreateItem(ctx, admin, good); !errors.Is(err, routing.ErrItemCodeTaken) {
		t.Errorf("twice: %v", err)
	}
	for field, spoil := range map[string]func(*routing.ItemFields){
		"agency": func(f *routing.ItemFields) { f.Agency = [16]byte{1} }, "category": func(f *routing.ItemFields) { f.Category = "x" }, "area": func(f *routing.ItemFields) { f.Area = "x" },
		"channels": func(f *routing.ItemFields) { f.Channels = []string{"fax"} }, "life_event": func(f *routing.ItemFields) { f.LifeEvent = "party" },
		"url": func(f *routing.ItemFields) { f.URL = "javascript:alert(1)" }, "names": func(f *routing.ItemFields) { f.Names = nil },
	} {
		in := good
		spoil(&in)
		var e *errs.Error
		if err := s.UpdateItem(ctx, admin, 1, in); !errors.As(err, &e) || e.Kind != errs.Invalid || e.Field != field {
			t.Errorf("%s: got %v", field, err)
		}
	}
	good.URL = ""
	if err := s.UpdateItem(ctx, admin, 1, good); err != nil {
		t.Fatal(err)
	}
	if err := s.SetItemActive(ctx, admin, "TN-001", 1, false); !errors.Is(err, routing.ErrReferenceStale) {
		t.Errorf("an old form: %v", err)
	}
	if err := s.SetItemActive(ctx, admin, "TN-001", 2, false); err != nil {
		t.Fatal(err)
	}
	if i, _ := s.Snapshot().ServiceItem("TN-001"); i.Active || i.Version != 3 || strings.Join(i.Channels, " ") != "online phone" {
		t.Errorf("stored %+v", i)
	}
	if err := s.UpdateItem(ctx, city.Staff("dispatcher"), 3, good); errs.KindOf(err) != errs.Forbidden {
		t.Errorf("a dispatcher: %v", err)
	}
}

const triangle = `{"type":"Polygon","coordinates":[[[125.2,30.0],[125.3,30.0],[125.25,30.1],[125.2,30.0]]]}`

func TestAreasAreAddedOutlinedAndRetired(t *testing.T) {
	t.Parallel()
	s, city, _ := tiny(t)
	ctx, admin := t.Context(), city.Staff("administrator")
	f := routing.AreaFields{Code: "block-7", Parent: "street-east-1", Level: "community", Names: routing.Names{"en": "Block 7", "zh-CN": "七号楼"},
		Geometry: json.RawMessage(`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"x":1},"geometry":` + triangle + `}]}`)}
	if err := s.CreateArea(ctx, admin, f); err != nil {
		t.Fatal(err)
	}
	if at := s.Snapshot().AreaAt(30.03, 125.25); len(at) == 0 || at[0] != "block-7" {
		t.Errorf("a place in the new area lies in %v", at)
	}
	for name, raw := range map[string]string{
		"no JSON": `{`, "a point": `{"type":"Point","coordinates":[1,2]}`, "an open ring": strings.Replace(triangle, `,[125.2,30.0]]`, `,[125.2,30.05]]`, 1),
		"off the globe": strings.ReplaceAll(triangle, "125.3", "925.3"), "two features": `{"type":"FeatureCollection","features":[{},{}]}`, "nothing": `{}`,
		"too large": strings.Repeat(" ", routing.MaxGeometry) + triangle, "null": `null`,
	} {
		in := f
		in.Geometry = json.RawMessage(raw)
		var e *errs.Error
		if err := s.UpdateArea(ctx, admin, 1, in); !errors.As(err, &e) || !errors.Is(err, routing.ErrAreaGeometry) || e.Args["reason"] == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	f.Geometry = nil
	for field, spoil := range map[string]func(*routing.AreaFields){
		"parent": func(f *routing.AreaFields) { f.Parent = "block-7" }, "level": func(f *routing.AreaFields) { f.Level = "planet" }, "names": func(f *routing.AreaFields) { f.Names = nil },
	} {
		in := f
		spoil(&in)
		var e *errs.Error
		if err := s.UpdateArea(ctx, admin, 1, in); !errors.As(err, &e) || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if err := s.UpdateArea(ctx, admin, 1, f); err != nil {
		t.Fatal(err)
	}
	if at := s.Snapshot().AreaAt(30.03, 125.25); len(at) == 0 || at[0] != "block-7" {
		t.Errorf("the outline was lost: %v", at)
	}
	if a, ok := s.Snapshot().Area("street-east-1"); !ok || !errors.Is(s.SetAreaActive(ctx, admin, a.Code, a.Version, false), routing.ErrAreaBelow) {
		t.Error("a street goes while a block in it stays")
	}
	if err := s.SetAreaActive(ctx, admin, "block-7", 2, false); err != nil {
		t.Fatal(err)
	}
	if at := s.Snapshot().AreaAt(30.03, 125.25); len(at) == 0 || at[0] != "street-east-1" {
		t.Errorf("a place in the retired area lies in %v", at)
	}
	raw, err := s.AreaGeometry(ctx, "street-east-1")
	if err != nil {
		t.Fatal(err)
	}
	a, _ := s.Snapshot().Area("street-east-1")
	m, err := s.Snapshot().Map(a, raw)
	if err != nil || m.Width < 100 || m.Height < 100 || len(m.Paths) != 3 || !m.Paths[len(m.Paths)-1].Main || !strings.HasPrefix(m.Paths[0].D, "M") {
		t.Errorf("the map %+v, %v", m, err)
	}
}

// Two nodes, and neither has heard of what the other did: what is judged by several entries is judged by the newest of them all.
func TestNodesThatHaveNotHeardOfEachOtherMakeNoCircle(t *testing.T) {
	t.Parallel()
	here, city, pool := tiny(t)
	ctx, admin := t.Context(), city.Staff("administrator")
	for _, code := range []string{"parks", "pools"} {
		f := routing.CategoryFields{Code: code, Names: routing.Names{"en": code, "zh-CN": code}, Kinds: []string{"help"}, Urgency: "normal"}
		if err := here.CreateCategory(ctx, admin, f); err != nil {
			t.Fatal(err)
		}
	}
	there := start(t, pool, nil)
	parks, version := category(t, here, "parks")
	pools, other := category(t, there, "pools")
	parks.Parent, pools.Parent = "pools", "parks"
	if err := here.UpdateCategory(ctx, admin, version, parks); err != nil {
		t.Fatal(err)
	}
	var e *errs.Error
	if err := there.UpdateCategory(ctx, admin, other, pools); !errors.As(err, &e) || e.Field != "parent" {
		t.Errorf("each below the other: %v", err)
	}
	if err := here.SetCategoryActive(ctx, admin, "parks", version+1, false); err != nil {
		t.Fatal(err)
	}
	if err := there.SetCategoryActive(ctx, admin, "pools", other, false); err != nil {
		t.Errorf("with nothing active below it: %v", err)
	}
	if err := here.SetCategoryActive(ctx, admin, "parks", version+2, true); !errors.Is(err, routing.ErrCategoryParentOff) {
		t.Errorf("active below what was retired elsewhere: %v", err)
	}
}
