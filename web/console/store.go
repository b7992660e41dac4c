package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// What pages show and no domain package serves: names of colleagues, a contact, notices, canned replies. Everything is read with the
// person's own actor.

// names gives the names of users in a language.
func (c *Console) names(ctx context.Context, actor db.Actor, lang string, ids map[uuid.UUID]bool) (map[uuid.UUID]string, error) {
	delete(ids, uuid.Nil)
	out := make(map[uuid.UUID]string, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	list := make([]uuid.UUID, 0, len(ids))
	for id := range ids {
		list = append(list, id)
	}
	err := db.ReadTx(ctx, c.Pool, actor, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, `select id, staff_name(names, name, $2) from users where id = any($1)`, list, lang)
		if err != nil {
			return err
		}
		var id uuid.UUID
		var name string
		_, err = pgx.ForEachRow(rows, []any{&id, &name}, func() error { out[id] = name; return nil })
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("console: names: %w", err)
	}
	return out, nil
}

// contact is who asked.
type contact struct{ Name, Phone, Email, Lang string }

func (c *Console) contact(ctx context.Context, actor db.Actor, id uuid.UUID) (contact, error) {
	var out contact
	err := db.ReadTx(ctx, c.Pool, actor, func(tx db.Tx) error {
		return tx.QueryRow(ctx, `select name, phone, email, lang from contacts where id = $1`, id).Scan(&out.Name, &out.Phone, &out.Email, &out.Lang)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return contact{}, nil // erased
	}
	if err != nil {
		return contact{}, fmt.Errorf("console: contact: %w", err)
	}
	return out, nil
}

// sibling is another ticket from the same conversation.
type sibling struct {
	ID            uuid.UUID
	Number, Title string
	State         string
}

func (c *Console) siblings(ctx context.Context, actor db.Actor, conversation, but uuid.UUID) ([]sibling, error) {
	var out []sibling
	err := db.ReadTx(ctx, c.Pool, actor, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, `select id, number, title, state from tickets where conversation_id = $1 and id <> $2 order by opened_at desc limit 10`, conversation, but)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, pgx.RowToStructByPos[sibling])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("console: tickets of a conversation: %w", err)
	}
	return out, nil
}

// cannedReply is a text that staff insert; placeholders are filled from the ticket.
type cannedReply struct {
	Code  string            `json:"code"`
	Names map[string]string `json:"names"`
	Text  map[string]string `json:"text"`
}

// cannedReplies come with the jurisdiction's settings.
func (c *Console) cannedReplies() []cannedReply {
	var settings struct {
		Canned []cannedReply `json:"canned"`
	}
	if json.Unmarshal(c.Routing.Snapshot().Jurisdiction().Settings, &settings) != nil {
		return nil // settings of another shape: there are none
	}
	return settings.Canned
}
