package api

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/chat"
	"hotline/internal/auth"
	"hotline/internal/errs"
	"hotline/tickets"
)

// ErrContactAnonymous: a filing asks to be anonymous and names a contact.
var ErrContactAnonymous = errs.New(errs.Invalid, "api.contact_and_anonymous", "a filing is anonymous or has a contact, not both").On("contact")

// Place is where something is.
type Place struct {
	Text string   `json:"text,omitempty" maxLength:"300" doc:"In words" example:"12 Harbour Road, in front of the bakery"`
	Lat  *float64 `json:"lat,omitempty" minimum:"-90" maximum:"90" dependentRequired:"lon" doc:"WGS 84" example:"30.1"`
	Lon  *float64 `json:"lon,omitempty" minimum:"-180" maximum:"180" dependentRequired:"lat" example:"125.3"`
}

// Contact is who asks. All of it may be left out.
type Contact struct {
	Name  string `json:"name,omitempty" maxLength:"200" example:"Li Na"`
	Phone string `json:"phone,omitempty" maxLength:"50" example:"555-0100"`
	Email string `json:"email,omitempty" maxLength:"200" format:"email" example:"li.na@example.org"`
	// Who files for somebody says what they said; nobody is written to without it.
	Notify []string `json:"notify,omitempty" enum:"email,sms" maxItems:"2" doc:"How the person allowed to be told of news: e-mail to email, SMS to phone. E-mail comes first, SMS where it fails. Left out, nobody writes to them" example:"[\"email\"]"`
}

// NewTicket is what a program files for a citizen.
type NewTicket struct {
	Kind         string      `json:"kind" enum:"consult,help,complaint,report,suggestion,praise" example:"complaint"`
	Category     string      `json:"category,omitempty" maxLength:"100" doc:"Code from /categories; left out, it is found from the text" example:"environment.noise"`
	ServiceItem  string      `json:"service_item,omitempty" maxLength:"100" doc:"Code from /service-items" example:"T-ENV-001"`
	Title        string      `json:"title,omitempty" maxLength:"200" doc:"Left out, it is the beginning of the description" example:"Construction noise at night"`
	Description  string      `json:"description" minLength:"1" maxLength:"20000" example:"Since Monday the building site opposite works until three in the morning."`
	Place        *Place      `json:"place,omitempty"`
	Contact      *Contact    `json:"contact,omitempty" doc:"Left out, the ticket is anonymous: its tracking code is then the only way to it"`
	Anonymous    bool        `json:"anonymous,omitempty" doc:"Says that leaving out the contact is meant" example:"false"`
	Confidential bool        `json:"confidential,omitempty" doc:"Reports are confidential whatever is said here" example:"false"`
	Lang         string      `json:"lang,omitempty" enum:"en,zh-CN" doc:"Of the text and of the answers; left out, it is recognized" example:"en"`
	Uploads      []uuid.UUID `json:"uploads,omitempty" maxItems:"10" doc:"Files sent before to /uploads with the same Idempotency-Key" example:"[]"`
	// Values as programs have them: text, number, true or false.
	Fields map[string]any `json:"fields,omitempty" maxProperties:"100" doc:"The category's own fields, by code: see /categories/{code}/fields. Needs category" example:"{\"source\":\"site\"}"`
}

// FiledTicket is what came of a filing.
type FiledTicket struct {
	Number       string       `json:"number" doc:"Public; opens nothing" example:"2026-000123"`
	TrackingCode string       `json:"tracking_code" doc:"Twenty digits, for the person who files and nobody else. It opens the ticket. Empty when a repeated call comes after the code was replaced" example:"40718220946153308724"`
	State        string       `json:"state" example:"pending_dispatch"`
	ID           *uuid.UUID   `json:"id,omitempty" doc:"With an API key only"`
	Conversation *uuid.UUID   `json:"conversation,omitempty" doc:"With an API key only: where the correspondence is"`
	Emergency    *EmergencyTo `json:"emergency,omitempty" doc:"The text speaks of danger to life: show this at once"`
	Notify       []string     `json:"notify,omitempty" doc:"How the person will be told of news, of what was allowed: what this installation can send, to addresses that fit" example:"[\"email\"]"`
	Links        TicketLinks  `json:"links"`
}

// EmergencyTo is what somebody in danger has to read first.
type EmergencyTo struct {
	Service string `json:"service" example:"fire"`
	Number  string `json:"number" example:"119"`
	Text    string `json:"text" example:"Call 119 now."`
}

// TicketLinks are addresses that belong to a ticket. None holds a secret.
type TicketLinks struct {
	Track string `json:"track" doc:"The page on which the code is entered" example:"/track"`
	Self  string `json:"self" doc:"For keys with tickets:read" example:"/api/v1/tickets/2026-000123"`
}

type fileInput struct {
	Body NewTicket
}

type fileOutput struct {
	Location string `header:"Location"`
	Body     FiledTicket
}

func (a *API) ticketRoutes() {
	register(a, operation{
		id: "file-ticket", method: http.MethodPost, path: "/tickets", tag: tagTickets, summary: "File a ticket",
		about: "Takes a question, complaint, report or suggestion in. A category may have fields of its own, some of them needed (/categories/{code}/fields): " +
			"tickets.field_needed, tickets.field_type and tickets.unknown_field say in field which one is wrong. When this answers 201 the ticket is stored, has its clocks, and is on its way to the agency responsible. " +
			"Without an API key the number of filings an address can make is limited.",
		scope: auth.ScopeTicketsWrite, public: true, filing: true, idempotent: true, status: http.StatusCreated, errors: []int{http.StatusNotFound},
		example: map[string]any{
			"kind": "complaint", "description": "Since Monday the building site opposite works until three in the morning.",
			"place": map[string]any{"text": "12 Harbour Road", "lat": 30.1, "lon": 125.3}, "contact": map[string]any{"name": "Li Na", "phone": "555-0100"}, "lang": "en",
		},
	}, a.file)
}

// filingPath is the route under which filings are idempotent; uploads for a filing are made under its key.
const filingPath = "/tickets"

func (a *API) file(c *call, in *fileInput) (*fileOutput, error) {
	f, err := a.filing(c, in.Body)
	if err != nil {
		return nil, err
	}
	danger := a.emergency(in.Body.Description, f.Draft.Lang, c.lang)
	if danger != nil {
		f.Draft.Urgency, f.Draft.InsistOnFields = "urgent", false // nobody in danger is sent back for a detail
	}
	// The filing's receipt tells a repeated call, for as long as there is the ticket.
	filed, err := a.Chat.FileTicket(c.ctx, f)
	if errors.Is(err, chat.ErrReceiptConflict) {
		return nil, ErrKeyReused.Wrap(err)
	}
	if err != nil {
		return nil, err
	}
	t, code := filed.Ticket, filed.Code
	if filed.Receipt.Duplicate {
		c.w.Header().Set("Idempotency-Replayed", "true")
		if t.CodeReplaced() {
			code = "" // the old one opens nothing, and the new one is not this caller's
		}
	}
	out := FiledTicket{Number: t.Number, TrackingCode: code, State: string(filed.First), Emergency: danger,
		Links: TicketLinks{Track: a.BaseURL + "/track", Self: a.BaseURL + Prefix + "/tickets/" + url.PathEscape(t.Number)}}
	out.Notify = a.Chat.Allowed(f)
	if c.key != nil {
		out.ID, out.Conversation = &t.ID, &t.ConversationID
	}
	return &fileOutput{Location: out.Links.Self, Body: out}, nil
}

// filing turns the request into what chat takes.
// Errors: ErrContactAnonymous, ErrMissingField, ErrField.
func (a *API) filing(c *call, n NewTicket) (chat.Filing, error) {
	d := tickets.Draft{Kind: n.Kind, Category: n.Category, ServiceItem: n.ServiceItem, Title: channels.CleanLine(n.Title, tickets.MaxTitle),
		Description: channels.CleanText(n.Description), Lang: n.Lang, Confidential: n.Confidential}
	if strings.TrimSpace(d.Description) == "" {
		return chat.Filing{}, named(ErrMissingField, "description")
	}
	var err error
	if d.Fields, err = customFields(n); err != nil {
		return chat.Filing{}, err
	}
	d.InsistOnFields = true
	if n.Place != nil {
		d.Place, d.Lat, d.Lon = channels.CleanLine(n.Place.Text, channels.MaxLabel), n.Place.Lat, n.Place.Lon
	}
	f := chat.Filing{Channel: channels.API, Account: c.principal(), ExternalID: c.onceKey(), Lang: n.Lang, Draft: d, Uploads: n.Uploads, At: a.Clock.Now()}
	if n.Contact != nil {
		f.Contact = channels.Contact{Name: n.Contact.Name, Phone: n.Contact.Phone, Email: n.Contact.Email}
		for _, channel := range n.Contact.Notify {
			if channel == channels.Email && f.Contact.Email == "" {
				return chat.Filing{}, named(ErrMissingField, "contact.email")
			}
			if channel == channels.SMS && f.Contact.Phone == "" {
				return chat.Filing{}, named(ErrMissingField, "contact.phone")
			}
			if !slices.Contains(f.Allows, channel) {
				f.Allows = append(f.Allows, channel)
			}
		}
	}
	if n.Anonymous && f.Contact != (channels.Contact{}) {
		return chat.Filing{}, ErrContactAnonymous
	}
	return f, nil
}

// emergency says what somebody in danger has to read first; nil when the text speaks of none.
func (a *API) emergency(text string, langs ...string) *EmergencyTo {
	if a.Emergency == nil {
		return nil
	}
	lang := cmp.Or(langs...)
	service, found := a.Emergency.Detect(text)
	if !found {
		return nil
	}
	return &EmergencyTo{Service: string(service), Number: a.Emergency.Number(service), Text: a.Emergency.Message(service, lang).Text}
}
