package tickets

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"hotline/internal/clock"
	"hotline/internal/db"
	"hotline/tickets/sla"
)

// Agency is what tickets need to know of an agency.
type Agency struct {
	ID        uuid.UUID
	Code      string
	Ancestors []uuid.UUID // from the root down to the parent
	Desk      bool        // the hotline itself
	Active    bool
	// Jurisdiction whose rules of time it works by, resolved up the tree; "" is the hotline's.
	Jurisdiction string
}

// RouteFacts is what a decision rests on.
type RouteFacts struct {
	Kind, Category, ServiceItem, Text, Urgency string
	Lat, Lon                                   *float64
	Confidential                               bool
	Excluded                                   []uuid.UUID // agencies that gave the ticket back
}

// Route is routing's answer.
type Route struct {
	Lead     uuid.UUID // uuid.Nil: nobody found
	Co       []uuid.UUID
	Auto     bool // sure enough to dispatch without a person
	Score    float64
	Category string
	Area     string
	Urgency  string // of the category, where the citizen named none
	// Confidential: the category's tickets are.
	Confidential bool
	// Record is kept with the ticket as it is: score, explanation, alternatives.
	Record []byte
}

// Router is the part of routing that tickets use. Every function answers from memory: they are called inside transactions.
type Router struct {
	Decide        func(RouteFacts) Route
	Agency        func(uuid.UUID) (Agency, bool)
	Desk          func() uuid.UUID
	Below         func(uuid.UUID) bool // optional: an active agency stands below this one
	CategoryKnown func(code string) bool
	CategoryLeaf  func(code string) bool     // optional: no category lies below it
	ItemKnown     func(code string) bool     // optional
	ItemCategory  func(code string) string   // optional: of a service item, "" where it has none
	AreaKnown     func(code string) bool     // optional: else every area is
	AreasBelow    func(code string) []string // optional: the areas inside one
	// CategoriesBelow is optional: the categories under one.
	CategoriesBelow func(code string) []string
}

// Deps are what New needs. Settings may be zero: the shipped defaults for China then hold until Reload.
type Deps struct {
	Pool     *pgxpool.Pool
	Clock    clock.Clock
	Key      []byte // the installation's secret
	Router   Router
	Log      *slog.Logger
	Settings Settings
	// Notify tells the citizen about a public entry, in the same transaction. May be nil.
	Notify func(ctx context.Context, tx db.Tx, t Ticket, e Event) error
}

// Service works on tickets. It is safe for concurrent use.
type Service struct {
	pool     *pgxpool.Pool
	clock    clock.Clock
	keys     codeKeys
	router   Router
	log      *slog.Logger
	notify   func(context.Context, db.Tx, Ticket, Event) error
	reaches  func(context.Context, db.Tx, Ticket) (bool, error)
	settings atomic.Pointer[Settings]
	fields   atomic.Pointer[fieldBook]

	lights lightsBoard

	inline int // see inlineReporters
}

// New makes the service. It fails when the shipped settings cannot be read or the key is short.
func New(d Deps) (*Service, error) {
	if len(d.Key) < 32 {
		return nil, fmt.Errorf("tickets: the installation's key has %d bytes, want at least 32", len(d.Key))
	}
	if d.Settings.Calendar == nil {
		cal, set, err := sla.Shipped("cn")
		if err != nil {
			return nil, fmt.Errorf("tickets: %w", err)
		}
		d.Settings.Calendar, d.Settings.SLA = cal, set
	}
	if d.Router.ItemKnown == nil {
		d.Router.ItemKnown = func(string) bool { return true } // an installation without a service-item catalogue
	}
	if d.Router.CategoryLeaf == nil {
		d.Router.CategoryLeaf = func(string) bool { return false }
	}
	if d.Router.ItemCategory == nil {
		d.Router.ItemCategory = func(string) string { return "" }
	}
	if d.Router.AreaKnown == nil {
		d.Router.AreaKnown = func(string) bool { return true }
	}
	if d.Router.AreasBelow == nil {
		d.Router.AreasBelow = func(string) []string { return nil }
	}
	if d.Router.CategoriesBelow == nil {
		d.Router.CategoriesBelow = func(string) []string { return nil }
	}
	if d.Router.Below == nil {
		d.Router.Below = func(uuid.UUID) bool { return true }
	}
	s := &Service{pool: d.Pool, clock: d.Clock, keys: newCodeKeys(d.Key), router: d.Router, log: d.Log, notify: d.Notify, reaches: byMessage, inline: inlineReporters}
	s.use(d.Settings)
	return s, nil
}

// OnPublic sets who tells the citizen, for wiring where that part needs this service first. Call it before the first use.
func (s *Service) OnPublic(notify func(ctx context.Context, tx db.Tx, t Ticket, e Event) error) {
	s.notify = notify
}

func byMessage(_ context.Context, _ db.Tx, t Ticket) (bool, error) { return t.ByMessage(), nil }

// OnReach sets who knows whether a message reaches the contact of a ticket: whom none reaches is called for the revisit. Call it before the first use.
func (s *Service) OnReach(reaches func(ctx context.Context, tx db.Tx, t Ticket) (bool, error)) {
	s.reaches = reaches
}

// Desk is the hotline's own agency.
func (s *Service) Desk() uuid.UUID { return s.router.Desk() }

// Zone is where the jurisdiction's days begin and end.
func (s *Service) Zone() *time.Location { return s.settings.Load().Calendar.Location() }
