package knowledge

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/internal/decision"
	"hotline/internal/errs"
)

// State of an article version.
type State string

// A version moves draft → in_review → published → superseded, expired or
// withdrawn; approved for a later moment it is scheduled in between. A review
// that is refused leads back to draft. At most one version of an article is
// published: the one its row names as live. A draft that was set aside by a
// restore is superseded without ever having been published.
const (
	Drafted    State = "draft"
	InReview   State = "in_review"
	Scheduled  State = "scheduled"
	Published  State = "published"
	Superseded State = "superseded"
	Expired    State = "expired"
	Withdrawn  State = "withdrawn"
)

// Article is what all versions of a text have in common. An article has one
// language; translations of one another share Key.
type Article struct {
	ID         uuid.UUID
	ExternalID string
	Key        string
	Lang       string
	Slug       string
	Topic      string
	Owner      uuid.UUID // agency; uuid.Nil when none
	Audience   string    // of the published version; of the latest where none is
	Disputed   bool
	Services   []string // codes of service items
	Live       int      // published version, 0 when none
	Latest     int
	Helpful    int
	Unhelpful  int
	CreatedAt  time.Time
	UpdatedAt  time.Time
	// ReviewMonths after it was published or confirmed somebody looks at it
	// again; 0 is as the settings say. ReviewBy is a day for the next look.
	ReviewMonths int
	ReviewBy     *time.Time
	ConfirmedAt  *time.Time
	Source       uuid.UUID // what it is a translation of; uuid.Nil for an original
}

// URL is the article's path on the citizen portal.
func (a Article) URL() string { return "/a/" + a.Slug }

// Text is what a version says.
type Text struct {
	Title     string
	Summary   string // the answer in a sentence or two; the bot says this
	Body      string // Markdown
	Keywords  []string
	Questions []string
	Audience  string         // public or staff; empty: as the article has it
	ValidFrom *time.Time     // date
	ValidTo   *time.Time     // last valid day
	Form      *decision.Form // questions that lead to an outcome; nil when there are none
}

// Version is one text of an article, with its review.
type Version struct {
	Article     uuid.UUID
	Number      int
	State       State
	Edit        int // grows with every change of the draft
	Author      uuid.UUID
	Reviewer    uuid.UUID
	ReviewNote  string
	CreatedAt   time.Time
	PublishedAt *time.Time
	PublishAt   *time.Time  // when a scheduled version goes live
	ExpireAt    *time.Time  // from when on it is served no more, whatever its last valid day
	BasedOn     int         // version of the original that a translation says; 0 for an original
	Files       []uuid.UUID // in order
	Restored    int         // the version whose text this one began with; 0 for none
	Text
}

func (a Article) doc(v Version) Doc {
	return Doc{ID: a.ID.String(), Lang: a.Lang, Topic: a.Topic, Title: v.Title, Summary: v.Summary, Body: PlainText(v.Body),
		Keywords: v.Keywords, Questions: v.Questions, Audience: a.Audience, Version: v.Number}
}

// Staff is who edits or reviews.
type Staff struct {
	Actor db.Actor
	Roles []string
}

// System is the program itself: import and the loading of a demo city.
func System() Staff { return Staff{Actor: db.System()} }

func (s Staff) has(roles ...string) bool {
	if s.Actor.IsSystem() {
		return true
	}
	return slices.ContainsFunc(roles, func(r string) bool { return slices.Contains(s.Roles, r) })
}

func (s Staff) user() *uuid.UUID { return optional(s.Actor.User()) }

func optional(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

// Errors of articles.
var (
	ErrNotFound     = errs.New(errs.NotFound, "knowledge.not_found", "there is no such article")
	ErrInCheck      = errs.New(errs.NotFound, "knowledge.in_check", "somebody said that this article is wrong, and it is not shown until that is checked")
	ErrNotEditor    = errs.New(errs.Forbidden, "knowledge.not_editor", "only editors may change articles")
	ErrNotReviewer  = errs.New(errs.Forbidden, "knowledge.not_reviewer", "only a reviewer of the owner agency or of the hotline may decide this")
	ErrOwnReview    = errs.New(errs.Forbidden, "knowledge.own_review", "a text is published by someone other than its author")
	ErrStale        = errs.New(errs.Conflict, "knowledge.stale", "someone else changed the article in the meantime")
	ErrNotOwner     = errs.New(errs.Forbidden, "knowledge.not_owner", "articles are changed by their owner agency and by the hotline")
	ErrState        = errs.New(errs.Conflict, "knowledge.wrong_state", "the article is not in a state that allows this")
	ErrSlugTaken    = errs.New(errs.Conflict, "knowledge.slug_taken", "another article has this address")
	ErrTextMissing  = errs.New(errs.Invalid, "knowledge.text_missing", "this text is required")
	ErrTextTooLong  = errs.New(errs.TooLarge, "knowledge.text_too_long", "this text is too long")
	ErrLang         = errs.New(errs.Invalid, "knowledge.lang", "the language is not a language tag such as en or zh-CN")
	ErrAudience     = errs.New(errs.Invalid, "knowledge.audience", "the audience is public or staff")
	ErrSlug         = errs.New(errs.Invalid, "knowledge.slug", "an address has lower-case letters, digits and hyphens")
	ErrValidity     = errs.New(errs.Invalid, "knowledge.validity", "the last valid day is before the first")
	ErrSchedule     = errs.New(errs.Invalid, "knowledge.schedule", "a text cannot stop being served before it begins, or in the past")
	ErrUnknownOwner = errs.New(errs.Invalid, "knowledge.unknown_owner", "there is no such agency")
)
