package tickets

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/internal/errs"
)

// What staff see while they type a case for somebody: whether the person was here before, and whether the matter was.

// Earlier is a case of the same person that the reader may see.
type Earlier struct {
	ID            uuid.UUID
	Number, Title string
	State         State
	Category      string
	OpenedAt      time.Time
}

// maxEarlier is how many earlier cases are listed.
const maxEarlier = 6

// A confidential case is left out whoever reads: that this person filed it takes a reason, and the look is recorded.
const earlierSQL = `select id, number, title, state, coalesce(category, ''), opened_at from tickets where contact_id = any($1) and not confidential order by opened_at desc, id desc limit $2`

// EarlierCases lists the last cases of whoever has this telephone number or address, as far as the actor may see them.
// Errors: ErrForbidden for anybody but staff.
func (s *Service) EarlierCases(ctx context.Context, a Actor, phone, email string) ([]Earlier, error) {
	if a.Kind != KindStaff {
		return nil, ErrForbidden.With("action", "contact")
	}
	var out []Earlier
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		kin, err := contactsOf(ctx, tx, phone, email)
		if err != nil || len(kin) == 0 {
			return err
		}
		rows, err := tx.Query(ctx, earlierSQL, kin, maxEarlier)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Earlier])
		return err
	})
	return out, errs.Step("earlier cases", err)
}

// contactsOf lists the contacts with the telephone number or the address, the newest first.
func contactsOf(ctx context.Context, tx db.Tx, phone, email string) (ids []uuid.UUID, err error) {
	if phone == "" && email == "" {
		return nil, nil
	}
	err = tx.QueryRow(ctx, `select contacts_of($1, $2)`, phone, email).Scan(&ids)
	return ids, err
}

// DuplicatesOf lists what may be about the same matter as a case that is being typed, as far as the actor may see it; see Duplicates. The contact of
// a confidential draft is nobody here.
// Errors: ErrForbidden for anybody but staff.
func (s *Service) DuplicatesOf(ctx context.Context, a Actor, d Draft, phone, email string) ([]Duplicate, error) {
	if a.Kind != KindStaff {
		return nil, ErrForbidden.With("action", "duplicates")
	}
	k := seeker{agency: s.router.Desk(), category: d.Category, text: caseOf(d.Title, d.Description, d.Place, d.Category, d.Lat, d.Lon, s.clock.Now())}
	var out []Duplicate
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		who := []*uuid.UUID{nil}
		if !d.Confidential && d.Kind != "report" {
			known, err := knownAs(ctx, tx, phone, email)
			if err != nil {
				return err
			}
			if len(known) > 0 {
				who = known
			}
		}
		out = nil
		for _, k.contact = range who {
			found, err := s.alike(ctx, tx, k)
			if err != nil {
				return err
			}
			out = likelier(out, found)
		}
		return nil
	})
	return out, errs.Step("duplicates of a draft", err)
}

// knownAs gives the contact that the telephone number stands with, and the one of the address where that is another: a person may have left the one here and the other
// there, and no case has both.
func knownAs(ctx context.Context, tx db.Tx, phone, email string) ([]*uuid.UUID, error) {
	byPhone, err := contactsOf(ctx, tx, phone, "")
	if err != nil {
		return nil, err
	}
	byMail, err := contactsOf(ctx, tx, "", email)
	if err != nil {
		return nil, err
	}
	var out []*uuid.UUID
	if len(byPhone) > 0 {
		out = append(out, &byPhone[0])
	}
	if len(byMail) > 0 && (len(byPhone) == 0 || !slices.Contains(byMail, byPhone[0])) {
		out = append(out, &byMail[0])
	}
	return out, nil
}

// likelier unites two looks: of a ticket in both the better score counts.
func likelier(a, b []Duplicate) []Duplicate {
	for _, d := range b {
		i := slices.IndexFunc(a, func(o Duplicate) bool { return o.ID == d.ID })
		if i < 0 {
			a = append(a, d)
		} else if d.Score > a[i].Score {
			a[i] = d
		}
	}
	slices.SortFunc(a, func(x, y Duplicate) int {
		return cmp.Or(cmp.Compare(y.Score, x.Score), y.OpenedAt.Compare(x.OpenedAt), cmp.Compare(x.Number, y.Number))
	})
	return a[:min(len(a), maxDuplicates)]
}
