package routing

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/internal/errs"
)

// Errors of the service-item operations.
var (
	ErrItemNotFound  = errs.New(errs.NotFound, "routing.item_not_found", "there is no such service item")
	ErrItemCodeTaken = errs.New(errs.Conflict, "routing.item_code_taken", "another service item has this code").On("code")

	errItemAgency    = errs.New(errs.Invalid, "routing.item_agency_invalid", "choose an agency that is active").On("agency")
	errItemCategory  = errs.New(errs.Invalid, "routing.item_category_invalid", "choose a category that is active").On("category")
	errItemArea      = errs.New(errs.Invalid, "routing.item_area_invalid", "this area does not exist").On("area")
	errItemChannels  = errs.New(errs.Invalid, "routing.item_channels_invalid", "this channel does not exist").On("channels")
	errItemLifeEvent = errs.New(errs.Invalid, "routing.item_life_event_invalid", "this life event does not exist").On("life_event")
	errItemURL       = errs.New(errs.Invalid, "routing.item_url_invalid", "an address begins with https:// or http://").On("url")

	itemChannels   = []string{"online", "counter", "phone"}
	itemLifeEvents = []string{"birth", "school", "work", "home", "health", "retirement", "business", "legal", "travel", "safety"}
)

// ItemChannels lists how a service can be had; LifeEvents what it belongs to in a life.
func ItemChannels() []string { return slices.Clone(itemChannels) }

// LifeEvents lists the life events that service items are sorted by on the portal.
func LifeEvents() []string { return slices.Clone(itemLifeEvents) }

// ItemFields are what an administrator enters. The code is fixed: tickets and articles name it.
type ItemFields struct {
	Code      string
	Names     Names
	Agency    uuid.UUID
	Category  string
	Area      string
	Summary   Names
	Channels  []string
	LifeEvent string
	URL       string
}

const maxSummary = 1000 // characters

func (f *ItemFields) check(s *Snapshot, was ServiceItem) (err error) {
	if f.Names, err = s.checkNames(f.Names); err != nil {
		return err
	}
	if f.Summary, err = checkTexts(f.Summary, maxSummary, "summary"); err != nil {
		return err
	}
	// What was closed meanwhile may stay where it stands; it cannot be chosen anew.
	if a, ok := s.Agency(f.Agency); !ok || !a.Active && f.Agency != was.Agency {
		return errItemAgency
	}
	if c, ok := s.Category(f.Category); f.Category != "" && (!ok || !c.Active && f.Category != was.Category) {
		return errItemCategory
	}
	if _, ok := s.Area(f.Area); f.Area != "" && !ok {
		return errItemArea
	}
	channels := []string{}
	for _, c := range itemChannels {
		if slices.Contains(f.Channels, c) {
			channels = append(channels, c)
		}
	}
	if len(channels) < len(f.Channels) {
		return errItemChannels
	}
	f.Channels = channels
	if f.LifeEvent != "" && !slices.Contains(itemLifeEvents, f.LifeEvent) {
		return errItemLifeEvent
	}
	if f.URL = strings.TrimSpace(f.URL); f.URL != "" {
		u, err := url.Parse(f.URL)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || len(f.URL) > 2000 {
			return errItemURL
		}
	}
	return nil
}

const (
	sqlLockItem = `select version from service_items where code = $1 for update`
	sqlAddItem  = `
		insert into service_items (code, names, agency_id, category, area, summary, channels, life_event, url)
		values ($1, $2, $3, nullif($4, ''), nullif($5, ''), $6, $7, $8, $9)`
	sqlUpdateItem = `
		update service_items set names = $2, agency_id = $3, category = nullif($4, ''), area = nullif($5, ''), summary = $6, channels = $7, life_event = $8, url = $9,
			version = version + 1 where code = $1`
	sqlItemActive = `update service_items set active = $2, version = version + 1 where code = $1`
)

// CreateItem adds an active service item. Errors: forbidden, invalid fields, ErrItemCodeTaken.
func (s *Service) CreateItem(ctx context.Context, by db.Actor, f ItemFields) error {
	if err := mayChange(by); err != nil {
		return err
	}
	if f.Code = strings.TrimSpace(f.Code); !refCode.MatchString(f.Code) {
		return errRefCode
	}
	check := func(snap *Snapshot) error { return f.check(snap, ServiceItem{}) }
	return s.change(ctx, by, check, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, sqlAddItem, f.Code, f.Names, f.Agency, f.Category, f.Area, f.Summary, f.Channels, f.LifeEvent, f.URL)
		if db.Violates(err, "service_items_pkey") {
			return ErrItemCodeTaken
		}
		return err
	})
}

// UpdateItem changes a service item. Errors: forbidden, invalid fields, ErrItemNotFound, ErrReferenceStale.
func (s *Service) UpdateItem(ctx context.Context, by db.Actor, version int, f ItemFields) error {
	if err := mayChange(by); err != nil {
		return err
	}
	check := func(snap *Snapshot) error {
		was, ok := snap.ServiceItem(f.Code)
		if !ok {
			return ErrItemNotFound
		}
		return f.check(snap, was)
	}
	return s.changeRow(ctx, by, sqlLockItem, f.Code, version, ErrItemNotFound, check, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, sqlUpdateItem, f.Code, f.Names, f.Agency, f.Category, f.Area, f.Summary, f.Channels, f.LifeEvent, f.URL)
		return err
	})
}

// SetItemActive takes a service item out of use or back into it. Tickets and articles keep it.
// Errors: forbidden, ErrItemNotFound, ErrReferenceStale.
func (s *Service) SetItemActive(ctx context.Context, by db.Actor, code string, version int, active bool) error {
	return s.changeRow(ctx, by, sqlLockItem, code, version, ErrItemNotFound, anyway, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, sqlItemActive, code, active)
		return err
	})
}
