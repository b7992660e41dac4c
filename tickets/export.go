package tickets

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// exportPage is how many tickets an export holds at a time.
const exportPage = 500

// Exported is a ticket of an export with its contact; the contact is empty unless it was asked for, and for confidential tickets always.
type Exported struct {
	Row
	Name, Phone, Email string
	Fields             map[string]FieldValue // of a list that is narrowed to a category, by code; of confidential tickets none
}

// Each hands every ticket of a view to use, in the order of the list and without an end but the list's: a page in memory at a time, each read in a
// transaction of its own, so that a slow reader holds nothing open. A ticket that changes its place in the list meanwhile may come twice or not at all.
// Errors: those of List, and use's own, which ends it.
func (s *Service) Each(ctx context.Context, a Actor, v View, f Filter, contacts bool, use func(Exported) error) error {
	for after := ""; ; {
		page, err := s.page(ctx, a, v, f, after, exportPage)
		if err != nil {
			return err
		}
		out := make([]Exported, len(page.Rows))
		byContact := map[uuid.UUID][]int{}
		var ids []uuid.UUID
		for i, row := range page.Rows {
			out[i].Row = row
			if contacts && row.ContactID != nil && !row.Confidential {
				byContact[*row.ContactID] = append(byContact[*row.ContactID], i)
				ids = append(ids, *row.ContactID)
			}
		}
		if len(ids) > 0 {
			if err := s.contacts(ctx, a, ids, func(id uuid.UUID, name, phone, email string) {
				for _, i := range byContact[id] {
					out[i].Name, out[i].Phone, out[i].Email = name, phone, email
				}
			}); err != nil {
				return err
			}
		}
		if f.Category != "" {
			if err := s.exportFields(ctx, a, out); err != nil {
				return err
			}
		}
		for _, e := range out {
			if err := use(e); err != nil {
				return err
			}
		}
		if after = page.Next; after == "" {
			return nil
		}
	}
}

const exportFieldsSQL = `select ticket_id, data from ticket_fields where ticket_id = any($1)`

// exportFields adds what the tickets of a page say in the fields of their category.
func (s *Service) exportFields(ctx context.Context, a Actor, page []Exported) error {
	at := map[uuid.UUID]int{}
	var ids []uuid.UUID
	for i, e := range page {
		if !e.Confidential {
			at[e.ID] = i
			ids = append(ids, e.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, exportFieldsSQL, ids)
		if err != nil {
			return err
		}
		var id uuid.UUID
		var data []byte
		_, err = pgx.ForEachRow(rows, []any{&id, &data}, func() error {
			page[at[id]].Fields = map[string]FieldValue{}
			return json.Unmarshal(data, &page[at[id]].Fields)
		})
		return err
	})
	return wrap("export fields", err)
}

const contactsSQL = `select id, name, phone, email from contacts where id = any($1)`

func (s *Service) contacts(ctx context.Context, a Actor, ids []uuid.UUID, put func(id uuid.UUID, name, phone, email string)) error {
	err := db.ReadTx(ctx, s.pool, a.DB, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, contactsSQL, ids)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id uuid.UUID
			var name, phone, email string
			if err := rows.Scan(&id, &name, &phone, &email); err != nil {
				return err
			}
			put(id, name, phone, email)
		}
		return rows.Err()
	})
	if err != nil {
		return fmt.Errorf("export contacts: %w", err)
	}
	return nil
}
