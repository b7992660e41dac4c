package console

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"hotline/knowledge"
	"hotline/routing"
)

type itemListData struct {
	Rows  []itemRow
	Query string
	More  template.URL
	Total int
}

type itemRow struct {
	routing.ServiceItem
	Name, Who, What, Where string
}

// itemsPage is how many service items a page shows.
const itemsPage = 50

func (c *Console) itemList(w http.ResponseWriter, r *http.Request) error {
	v, q := c.view(r), r.URL.Query()
	v.Nav, v.Title = "items", v.T("nav.items")
	d := &itemListData{Query: clean(q.Get("q"), 100)}
	want, after := strings.ToLower(d.Query), clean(q.Get("after"), 100)
	for _, i := range c.Routing.Snapshot().ServiceItems() { // in the order of their codes
		row := itemRow{ServiceItem: i, Name: i.Names.In(v.Lang), Who: v.Agency(i.Agency)}
		if i.Category != "" {
			row.What = v.Category(i.Category)
		}
		if i.Area != "" {
			row.Where = v.Area(i.Area)
		}
		if want != "" && !strings.Contains(strings.ToLower(i.Code+" "+row.Name+" "+row.Who+" "+row.What), want) {
			continue
		}
		d.Total++
		if i.Code <= after {
			continue
		}
		if len(d.Rows) == itemsPage {
			d.More = query(url.Values{"q": {d.Query}, "after": {d.Rows[itemsPage-1].Code}})
			continue
		}
		d.Rows = append(d.Rows, row)
	}
	v.D = d
	c.page(w, r, http.StatusOK, "items", v)
	return nil
}

type itemData struct {
	refForm
	F          routing.ItemFields
	Agencies   []option
	Categories []option
	Areas      []option
	Channels   []string
	LifeEvents []string
	Articles   []knowledge.Entry
}

// Through reports whether a channel is ticked.
func (d itemData) Through(channel string) bool { return slices.Contains(d.F.Channels, channel) }

func (c *Console) showItem(w http.ResponseWriter, r *http.Request, v View, d *itemData, status int) error {
	if err := d.begin(c, r, v, "service_item", d.F.Code); err != nil {
		return err
	}
	d.Agencies = c.agencyOptions(v.Lang, func(a routing.Agency) bool { return a.Active || a.ID == d.F.Agency })
	d.Categories, d.Areas, d.Channels, d.LifeEvents = c.categories(v.Lang), c.areaOptions(v.Lang), routing.ItemChannels(), routing.LifeEvents()
	if !d.New {
		var err error
		if d.Articles, err = c.Knowledge.ByService(r.Context(), d.F.Code, v.Lang, true); err != nil {
			return err
		}
	}
	v.Nav, v.Title, v.D = "items", d.F.Names.In(v.Lang), d
	if d.New {
		v.Title = v.T("reference.item_new")
	}
	c.page(w, r, status, "item", v)
	return nil
}

func (c *Console) itemNew(w http.ResponseWriter, r *http.Request) error {
	return c.showItem(w, r, c.view(r), &itemData{refForm: refForm{New: true}}, http.StatusOK)
}

func fieldsOfItem(i routing.ServiceItem) routing.ItemFields {
	return routing.ItemFields{Code: i.Code, Names: i.Names, Agency: i.Agency, Category: i.Category, Area: i.Area, Summary: i.Summary, Channels: i.Channels, LifeEvent: i.LifeEvent, URL: i.URL}
}

func (c *Console) itemPage(w http.ResponseWriter, r *http.Request) error {
	i, ok := c.Routing.Snapshot().ServiceItem(r.PathValue("code"))
	if !ok {
		return routing.ErrItemNotFound
	}
	return c.showItem(w, r, c.view(r), &itemData{refForm: refForm{Version: i.Version, Active: i.Active}, F: fieldsOfItem(i)}, http.StatusOK)
}

func (c *Console) itemSave(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v, q, code := c.view(r), r.PostForm, r.PathValue("code")
	d := &itemData{refForm: refForm{New: code == "", Version: number(q.Get("version"))}}
	d.F = routing.ItemFields{Code: code, Names: routing.Names{}, Agency: parseID(q.Get("agency")), Category: clean(q.Get("category"), 100), Area: clean(q.Get("area"), 100),
		Summary: routing.Names{}, Channels: q["channels"], LifeEvent: clean(q.Get("life_event"), 50), URL: clean(q.Get("url"), 3000)}
	for _, lang := range c.Routing.Snapshot().Jurisdiction().Languages {
		d.F.Names[lang], d.F.Summary[lang] = clean(q.Get("name_"+lang), 300), text(q.Get("summary_"+lang))
	}
	var err error
	if d.New {
		d.F.Code = clean(q.Get("code"), 100)
		err = c.Routing.CreateItem(r.Context(), v.Me.Actor(), d.F)
	} else {
		err = c.Routing.UpdateItem(r.Context(), v.Me.Actor(), d.Version, d.F)
	}
	if err != nil {
		status, passOn := c.refProblem(v, &d.refForm, err)
		if passOn != nil {
			return passOn
		}
		if i, ok := c.Routing.Snapshot().ServiceItem(code); ok {
			d.Version, d.Active = i.Version, i.Active // whoever saves again has been told
		}
		return c.showItem(w, r, v, d, status)
	}
	return see(w, r, "/console/admin/items/"+url.PathEscape(d.F.Code)+"?saved=1")
}

func (c *Console) itemActive(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v, code := c.view(r), r.PathValue("code")
	i, ok := c.Routing.Snapshot().ServiceItem(code)
	if !ok {
		return routing.ErrItemNotFound
	}
	if err := c.Routing.SetItemActive(r.Context(), v.Me.Actor(), code, number(r.PostForm.Get("version")), r.PostForm.Get("active") == "yes"); err != nil {
		d := &itemData{refForm: refForm{Version: i.Version, Active: i.Active}, F: fieldsOfItem(i)}
		status, passOn := c.refProblem(v, &d.refForm, err)
		if passOn != nil {
			return passOn
		}
		return c.showItem(w, r, v, d, status)
	}
	return see(w, r, "/console/admin/items/"+url.PathEscape(code)+"?saved=1")
}
