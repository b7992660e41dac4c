package console

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/chat"
	"hotline/chat/bot"
	"hotline/internal/auth"
	"hotline/tickets"
	"hotline/web/httperr"
)

// A case that an officer types for somebody: a caller, a visitor, the writer of a letter. It goes the way of every other filing (chat.FileTicket), and
// the form's key is its receipt, so that a form that is sent twice makes one ticket.

// Emergency finds danger to life in what is typed; it is *bot.Emergency.
type Emergency interface {
	Detect(text string) (bot.Service, bool)
	Message(s bot.Service, lang string) bot.Message
}

var (
	newCaseRoles    = []string{"operator", "dispatcher", "administrator", "handler", "head"}
	newCaseChannels = []string{channels.Phone, channels.Counter, channels.Letter}
)

// mayEnter: the hotline's desk, administrators, and agencies that take cases in.
func (c *Console) mayEnter(p *auth.Principal) bool {
	switch {
	case p.Has("administrator"), p.Desk && p.Has("operator", "dispatcher"):
		return true
	case p.Has("handler", "head"):
		a, ok := c.Routing.Snapshot().Agency(p.AgencyID)
		return ok && a.Counter
	}
	return false
}

func (c *Console) newCaseRoutes(on func(string, []string, handle)) {
	enter := func(pattern string, h handle) {
		on(pattern, newCaseRoles, func(w http.ResponseWriter, r *http.Request) error {
			if p, ok := principal(r.Context()); !ok || !c.mayEnter(&p) {
				return auth.ErrForbidden
			}
			return h(w, r)
		})
	}
	enter("GET /console/new", c.newCase)
	enter("POST /console/new", c.newCaseFile)
	enter("POST /console/new/look", c.newCaseLook)
	enter("POST /console/new/subject", c.newCaseSubject)
	enter("GET /console/new/{id}", c.newCaseDone)
	enter("GET /console/new/{id}/receipt", c.newCaseReceipt)
}

// caseForm is what was typed.
type caseForm struct {
	Key, Channel            string
	Name, Phone, Email      string
	Anonymous, Quiet        bool // Quiet: no news by e-mail or SMS
	Lang, Kind, Text        string
	Place, Lat, Lon         string
	Category, Item, Urgency string
	Confidential            bool
	Values                  map[string]string // of the category's fields, by code
	Without                 bool              // details that are needed cannot be had
	Follow                  uuid.UUID         // the matter of others that this one joins
	Seen                    []string          // duplicates that were shown
}

// problem is what is wrong with an input.
type problem struct{ Field, Words string }

// newCaseData is the page.
type newCaseData struct {
	F          caseForm
	Problems   []problem
	Filed      *tickets.Ticket // what the form made when it was sent before, with other content
	Look       bool            // the likely duplicates have to be looked at first
	Channels   []string
	Here       []string // channels by which news can be sent
	Kinds      []string
	Urgencies  []string
	Langs      []string
	Categories []option
	Subject    caseSubject
	Panel      casePanel
}

// Bad marks the input that a problem is about.
func (d *newCaseData) Bad(field string) string {
	for _, p := range d.Problems {
		if p.Field == field {
			return field
		}
	}
	return ""
}

// caseSubject is what depends on the category.
type caseSubject struct {
	F          caseForm
	Categories []option
	Items      []option
	Fields     []fieldRow
	Needs      bool // a field is needed at intake
	d          *newCaseData
}

// Bad marks the input that a problem is about.
func (s caseSubject) Bad(field string) string {
	if s.d == nil {
		return ""
	}
	return s.d.Bad(field)
}

func (c *Console) readCase(r *http.Request) caseForm {
	q := r.PostForm
	f := caseForm{Key: key(q.Get("key")), Channel: q.Get("channel"), Name: clean(q.Get("name"), 200), Phone: clean(q.Get("phone"), 50), Email: clean(q.Get("email"), 200), Anonymous: q.Get("anonymous") != "", Quiet: q.Get("quiet") != "",
		Lang: q.Get("lang_of"), Kind: q.Get("kind"), Text: text(q.Get("text")), Place: clean(q.Get("place"), channels.MaxLabel), Lat: clean(q.Get("lat"), 30), Lon: clean(q.Get("lon"), 30),
		Category: clean(q.Get("category"), 100), Item: clean(q.Get("item"), 100), Urgency: q.Get("urgency"), Confidential: q.Get("confidential") != "", Values: map[string]string{}, Without: q.Get("without") != "",
		Follow: parseID(q.Get("follow")), Seen: q["seen"]}
	if pick := clean(q.Get("pick"), 100); pick != "" {
		f.Category = pick
	}
	for name, all := range q {
		if code, ok := strings.CutPrefix(name, "f_"); ok && len(all) > 0 && len(f.Values) < 200 {
			f.Values[code] = text(all[0])
		}
	}
	if f.Key == "" {
		f.Key = uuid.NewString()
	}
	if f.Kind == "report" {
		f.Confidential = true
	}
	return f
}

// point is the place on the map, if both numbers are there and make sense.
func (f caseForm) point() (lat, lon *float64, ok bool) {
	if f.Lat == "" && f.Lon == "" {
		return nil, nil, true
	}
	a, err1 := strconv.ParseFloat(f.Lat, 64)
	o, err2 := strconv.ParseFloat(f.Lon, 64)
	if err1 != nil || err2 != nil || !(a >= -90 && a <= 90 && o >= -180 && o <= 180) {
		return nil, nil, false
	}
	return &a, &o, true
}

// draft is the case as tickets take it.
func (f caseForm) draft(p *auth.Principal) tickets.Draft {
	d := tickets.Draft{Kind: f.Kind, Category: f.Category, ServiceItem: f.Item, Description: f.Text, Place: f.Place, Lang: f.Lang, Urgency: f.Urgency, Confidential: f.Confidential,
		Author: string(tickets.KindStaff), UserID: p.UserID, AgencyID: p.AgencyID, Fields: map[string]string{}}
	d.Lat, d.Lon, _ = f.point()
	return d
}

// reach is the telephone number and the address under which the person may be known.
func (f caseForm) reach() (phone, email string) {
	if f.Anonymous {
		return "", ""
	}
	return f.Phone, f.Email
}

func (c *Console) newCase(w http.ResponseWriter, r *http.Request) error {
	v := c.view(r)
	f := caseForm{Key: uuid.NewString(), Channel: channels.Phone, Lang: v.Lang, Kind: "complaint"}
	if !v.Me.Desk {
		f.Channel = channels.Counter
	}
	return c.showCase(w, r, v, &newCaseData{F: f}, http.StatusOK)
}

func (c *Console) showCase(w http.ResponseWriter, r *http.Request, v View, d *newCaseData, status int) error {
	d.Here = c.Chat.Tells()
	d.Channels, d.Kinds, d.Urgencies, d.Langs = newCaseChannels, tickets.Kinds(), tickets.Urgencies(), c.words.Languages()
	var err error
	if d.Subject, err = c.subject(r, v, d.F, d); err != nil {
		return err
	}
	if d.Panel, err = c.panel(r, v, d.F); err != nil {
		return err
	}
	v.Nav, v.Title, v.D = "newcase", v.T("newcase.title"), d
	c.page(w, r, status, "newcase", v)
	return nil
}

// maxItems is how many service items are offered while no category is chosen.
const maxItems = 300

func (c *Console) subject(r *http.Request, v View, f caseForm, d *newCaseData) (caseSubject, error) {
	s := caseSubject{F: f, Categories: c.categories(v.Lang), d: d}
	for _, i := range c.Routing.Snapshot().ServiceItems() {
		if i.Active && len(s.Items) < maxItems && (f.Category == "" || i.Category == f.Category || strings.HasPrefix(i.Category, f.Category+".") || i.Code == f.Item) {
			s.Items = append(s.Items, option{Value: i.Code, Name: i.Names.In(v.Lang)})
		}
	}
	if f.Category == "" {
		return s, nil
	}
	fields, err := c.Tickets.CustomFields(r.Context(), actor(v.Me), f.Category)
	if err != nil {
		return s, err
	}
	for _, one := range fields {
		s.Fields = append(s.Fields, fieldRow{CustomField: one, Value: f.Values[one.Code]})
		s.Needs = s.Needs || one.Intake
	}
	return s, nil
}

// newCaseSubject is the part of the form that depends on the category, after another one was chosen.
func (c *Console) newCaseSubject(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v, f := c.view(r), c.readCase(r)
	if !isHX(r) {
		return c.showCase(w, r, v, &newCaseData{F: f}, http.StatusOK)
	}
	s, err := c.subject(r, v, f, nil)
	if err != nil {
		return err
	}
	v.D = s
	c.fragment(w, r, http.StatusOK, "newcase-subject", v)
	return nil
}

// check says what is wrong with the form.
func (c *Console) check(v View, f caseForm, fields []fieldRow) (out []problem) {
	bad := func(field, key string, args ...any) {
		out = append(out, problem{field, v.T("newcase.bad_"+key, args...)})
	}
	if !slices.Contains(newCaseChannels, f.Channel) {
		bad("channel", "channel")
	}
	if !f.Anonymous {
		if f.Name == "" && f.Phone == "" && f.Email == "" {
			bad("name", "contact")
		}
		if f.Phone != "" && !channels.LooksLikePhone(f.Phone) {
			bad("phone", "phone")
		}
		if f.Email != "" && !channels.LooksLikeEmail(f.Email) {
			bad("email", "email")
		}
	}
	if !slices.Contains(tickets.Kinds(), f.Kind) {
		bad("kind", "kind")
	}
	switch n := utf8.RuneCountInString(f.Text); {
	case n == 0:
		bad("text", "text")
	case n > channels.MaxText:
		bad("text", "text_long", "n", channels.MaxText)
	}
	if _, _, ok := f.point(); !ok {
		bad("lat", "point")
	}
	if _, ok := c.Routing.Snapshot().Category(f.Category); f.Category != "" && !ok {
		bad("category", "category")
	}
	for _, one := range fields {
		value, err := one.Judge(one.Value)
		switch {
		case err != nil:
			bad("f_"+one.Code, "field", "field", one.Label(v.Lang))
		case value == "" && one.Intake && !f.Without:
			bad("f_"+one.Code, "field_needed", "field", one.Label(v.Lang))
		}
	}
	return out
}

func (c *Console) newCaseFile(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v, f := c.view(r), c.readCase(r)
	d := &newCaseData{F: f}
	if r.PostForm.Get("pick") != "" || r.PostForm.Get("do") == "look" {
		d.Look = r.PostForm.Get("pick") == ""
		return c.showCase(w, r, v, d, http.StatusOK)
	}
	// Looked up before the receipt: of two submits at once the later one finds the first's case here only where it finds its receipt too.
	p, err := c.panel(r, v, f)
	if err != nil {
		return err
	}
	account := "staff." + v.Me.UserID.String()
	already, err := c.Chat.FiledUnder(r.Context(), newCaseChannels, account, f.Key)
	if err != nil {
		return err
	}
	if already != uuid.Nil { // sent again, perhaps for another channel: it is the same case, unless it says something else
		first, other, err := c.filedOtherwise(r.Context(), v, already, f)
		if err != nil {
			return err
		}
		if other {
			d.Problems, d.Filed = []problem{{Words: v.T("newcase.filed_otherwise", "number", first.Number)}}, &first
			return c.showCase(w, r, v, d, http.StatusConflict)
		}
		http.Redirect(w, r, "/console/new/"+already.String(), http.StatusSeeOther)
		return nil
	}
	s, err := c.subject(r, v, f, d)
	if err != nil {
		return err
	}
	if d.Problems = c.check(v, f, s.Fields); len(d.Problems) > 0 {
		return c.showCase(w, r, v, d, http.StatusUnprocessableEntity)
	}
	for _, one := range p.Found { // nobody files what was there before without having seen it
		if !slices.Contains(f.Seen, one.ID.String()) {
			d.Look = true
			return c.showCase(w, r, v, d, http.StatusOK)
		}
	}
	filing := chat.Filing{Channel: f.Channel, Account: account, ExternalID: f.Key, Text: f.Text, Lang: f.Lang, Draft: f.draft(v.Me)}
	if !f.Anonymous {
		filing.Contact = channels.Contact{Name: f.Name, Phone: f.Phone, Email: f.Email}
		if !f.Quiet {
			filing.Allows = c.Chat.Reachable(filing.Contact)
		}
	}
	for _, one := range s.Fields {
		if one.Value != "" {
			filing.Draft.Fields[one.Code] = one.Value
		}
	}
	if c.danger(f.Text, f.Lang) != "" && filing.Draft.Urgency == "" {
		filing.Draft.Urgency = "urgent"
	}
	if f.Follow != uuid.Nil && !f.Confidential {
		if _, err := c.Tickets.ByID(r.Context(), actor(v.Me), f.Follow); err != nil { // what the officer cannot see, nobody joins through them
			return err
		}
		filing.Follow = f.Follow
	}
	filed, err := c.Chat.FileTicket(r.Context(), filing)
	if err != nil {
		if !expected(err) {
			return err
		}
		d.Problems = []problem{{fieldOf(err), c.explain(r.Context(), v, err)}}
		return c.showCase(w, r, v, d, http.StatusUnprocessableEntity)
	}
	http.Redirect(w, r, "/console/new/"+filed.Ticket.ID.String(), http.StatusSeeOther)
	return nil
}

// danger is what somebody in danger has to hear at once; "" when the text speaks of none.
func (c *Console) danger(text, lang string) string {
	if c.Emergency == nil {
		return ""
	}
	service, found := c.Emergency.Detect(text)
	if !found {
		return ""
	}
	return c.Emergency.Message(service, lang).Text
}

// newCaseLife is how long after the filing its code can be read out again.
const newCaseLife = 24 * time.Hour

// newCaseDoneData is the receipt of a filing.
type newCaseDoneData struct {
	T       tickets.Ticket
	Groups  []string // the tracking code in groups of four; none when it was replaced
	Danger  string
	Parent  string // number of the case that it joined
	MaySee  bool
	Track   string // where the code opens the case
	City    string
	Phone   string
	Officer string
}

// filedByMe reads a case that this person typed a short while ago: for the code, which nobody else on the staff is shown.
func (c *Console) filedByMe(r *http.Request, v View) (*newCaseDoneData, error) {
	id, err := pathID(r, "id")
	if err != nil {
		return nil, err
	}
	t, err := c.Tickets.ByID(r.Context(), tickets.System(), id)
	if err != nil {
		return nil, err
	}
	history, err := c.Tickets.Timeline(r.Context(), tickets.System(), id)
	if err != nil {
		return nil, err
	}
	if len(history) == 0 || history[0].Type != "opened" || history[0].UserID != v.Me.UserID || v.Now.Sub(t.OpenedAt) > newCaseLife {
		return nil, httperr.ErrNotFound
	}
	j := c.Routing.Snapshot().Jurisdiction()
	d := &newCaseDoneData{T: t, Danger: c.danger(t.Description, v.Lang), Track: strings.TrimSuffix(c.BaseURL, "/") + "/track", City: j.Names.In(v.Lang), Phone: j.Phone, Officer: v.Me.Name}
	if !t.CodeReplaced() {
		d.Groups = strings.Fields(tickets.FormatCode(c.Tickets.TrackingCode(t)))
	}
	if _, err := c.Tickets.ByID(r.Context(), actor(v.Me), id); err == nil && v.Me.Has(ticketRoles...) {
		d.MaySee = true
	}
	if t.State == tickets.Merged {
		if parent, err := c.Tickets.ByID(r.Context(), actor(v.Me), t.Parent); err == nil {
			d.Parent = parent.Number
		}
	}
	return d, nil
}

func (c *Console) newCaseDone(w http.ResponseWriter, r *http.Request) error {
	v := c.view(r)
	d, err := c.filedByMe(r, v)
	if err != nil {
		return err
	}
	v.Nav, v.Title, v.D = "newcase", v.T("newcase.done"), d
	c.page(w, r, http.StatusOK, "newcase-done", v)
	return nil
}

// newCaseReceipt is a sheet of paper for the person who asked, in their language.
func (c *Console) newCaseReceipt(w http.ResponseWriter, r *http.Request) error {
	v := c.view(r)
	d, err := c.filedByMe(r, v)
	if err != nil {
		return err
	}
	if c.words.Has(d.T.Lang) {
		v.Lang = d.T.Lang
		d.City = c.Routing.Snapshot().Jurisdiction().Names.In(v.Lang)
	}
	v.Title, v.D = d.T.Number, d
	c.fragment(w, r, http.StatusOK, "newcase-receipt", v)
	return nil
}
