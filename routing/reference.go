package routing

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/internal/errs"
)

// ErrReferenceStale: the entry is not the one that the caller saw.
var ErrReferenceStale = errs.New(errs.Conflict, "routing.reference_stale", "somebody else changed this entry meanwhile; look at it again")

var (
	errRefCode = errs.New(errs.Invalid, "routing.reference_code_invalid", "a code has 1 to 64 letters, digits, dots, hyphens and underscores").On("code")
	errRefName = errs.New(errs.Invalid, "routing.reference_name_invalid", "a name in each language is needed, with at most 200 characters").On("names")
	errRefText = errs.New(errs.Invalid, "routing.reference_text_invalid", "this text is too long or cannot be read")

	refCode = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
)

// checkNames wants a name in every language of the jurisdiction and drops empty ones.
func (s *Snapshot) checkNames(n Names) (Names, error) {
	out, err := checkTexts(n, maxText, "names")
	if err != nil || len(out) == 0 {
		return nil, errRefName
	}
	for _, lang := range s.jurisdiction.Languages {
		if out[lang] == "" {
			return nil, errRefName
		}
	}
	return out, nil
}

// checkTexts trims texts, drops empty ones and limits the others to so many characters.
func checkTexts(n Names, limit int, field string) (Names, error) {
	out := make(Names, len(n))
	for lang, text := range n {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		if !utf8.ValidString(text) || utf8.RuneCountInString(text) > limit {
			return nil, errRefText.On(field)
		}
		out[lang] = text
	}
	return out, nil
}

// checkWords does the same for lists of words or sentences, each said once.
func checkWords(w map[string][]string, many, limit int, field string) (map[string][]string, error) {
	out := make(map[string][]string, len(w))
	for lang, list := range w {
		var kept []string
		for _, word := range list {
			if word = strings.TrimSpace(word); word == "" || slices.Contains(kept, word) {
				continue
			}
			if !utf8.ValidString(word) || utf8.RuneCountInString(word) > limit || len(kept) == many {
				return nil, errRefText.On(field)
			}
			kept = append(kept, word)
		}
		if len(kept) > 0 {
			out[lang] = kept
		}
	}
	return out, nil
}

// ReferenceChange is one line of who changed what.
type ReferenceChange struct {
	ID     int64
	At     time.Time
	By     uuid.UUID // uuid.Nil: the command line or the program itself
	Action string    // created, changed, removed
	Before map[string]json.RawMessage
	After  map[string]json.RawMessage
}

const sqlReferenceChanges = `
	select id, at, coalesce(by_user, '00000000-0000-0000-0000-000000000000'), action, coalesce(before, '{}'), coalesce(after, '{}')
	from reference_changes where thing = $1 and code = $2 and ($3::bigint = 0 or id < $3) order by id desc limit $4`

// ReferenceChanges lists who changed an entry, the newest first: thing is agency, area, category or service_item. before is the id of the last
// line seen, 0 at first. Errors: forbidden.
func (s *Service) ReferenceChanges(ctx context.Context, by db.Actor, thing, code string, before int64, limit int) ([]ReferenceChange, error) {
	if err := mayChange(by); err != nil {
		return nil, err
	}
	var out []ReferenceChange
	err := db.ReadTx(ctx, s.pool, by, func(tx db.Tx) (err error) {
		out, err = collect(ctx, tx, sqlReferenceChanges, func(r pgx.CollectableRow) (c ReferenceChange, err error) {
			return c, r.Scan(&c.ID, &c.At, &c.By, &c.Action, &c.Before, &c.After)
		}, thing, code, before, min(max(limit, 1), 100))
		return err
	})
	return out, err
}

// errBehind: another node has changed something that this one does not know yet.
var errBehind = errors.New("routing: there is a newer state")

// sqlTurns makes changes of entries and imports of a city take turns; the import holds the same lock (internal/city).
const sqlTurns = `select pg_advisory_xact_lock(hashtext('hotline import city'))`

// change runs one change of an entry. check judges it by the newest state, of which the entry is only a part: two categories that are put below each other at
// once, here or on two nodes, would each have a good place. Until it is stored no other entry is changed.
func (s *Service) change(ctx context.Context, by db.Actor, check func(*Snapshot) error, write func(tx db.Tx) error) error {
	if err := mayChange(by); err != nil {
		return err
	}
	for {
		snap := s.Snapshot()
		err := db.WithTx(ctx, s.pool, by, func(tx db.Tx) error {
			if _, err := tx.Exec(ctx, sqlTurns); err != nil {
				return err
			}
			var newest int64
			if err := tx.QueryRow(ctx, sqlRevision).Scan(&newest); err != nil {
				return err
			}
			if newest != snap.revision {
				return errBehind
			}
			if err := check(snap); err != nil {
				return err
			}
			return write(tx)
		})
		switch {
		case err == nil:
			s.changedLater(ctx)
			return nil
		case !errors.Is(err, errBehind):
			return err
		}
		if err := s.loadOnly(ctx); err != nil {
			return err
		}
	}
}

// changeRow is change for a row that sqlLock finds by its code, at the version that the caller saw.
func (s *Service) changeRow(ctx context.Context, by db.Actor, sqlLock, code string, version int, notFound error, check func(*Snapshot) error, write func(tx db.Tx) error) error {
	return s.change(ctx, by, check, func(tx db.Tx) error {
		var now int
		err := tx.QueryRow(ctx, sqlLock, code).Scan(&now)
		if errors.Is(err, pgx.ErrNoRows) {
			return notFound
		}
		if err != nil {
			return err
		}
		if now != version {
			return ErrReferenceStale
		}
		return write(tx)
	})
}

// anyway is the check of what depends on no other entry.
func anyway(*Snapshot) error { return nil }
