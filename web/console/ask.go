package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/chat/assist"
	"hotline/internal/db"
	"hotline/internal/errs"
	"hotline/internal/llm"
)

// Asking a language model on behalf of staff takes seconds, and a page never waits for it: what was asked is a row that any node shows, and that
// is asked once for whoever wants the same.

// Kinds of asks.
const (
	askDraft     = "draft"
	askSummary   = "summary"
	askTranslate = "translation"
	askCategory  = "category"
	askQuestions = "questions"
)

var askUses = map[string]llm.Use{askDraft: llm.UseDraft, askSummary: llm.UseSummary, askTranslate: llm.UseTranslate, askCategory: llm.UseExtract, askQuestions: llm.UseQuestions}

// ask is what was asked, and what came of it.
type ask struct {
	ID           uuid.UUID
	At, Until    time.Time
	Kind, About  string
	Conversation uuid.UUID
	Ticket       uuid.UUID
	Article      uuid.UUID
	State        string // running, done, failed
	Result       askResult
	Error        string // code
	Call         uuid.UUID
}

// askResult is what a model wrote; which fields count says the kind.
type askResult struct {
	Text      string      `json:"text,omitempty"`
	Sources   []askSource `json:"sources,omitempty"`  // of a draft
	Entries   []askEntry  `json:"entries,omitempty"`  // that a summary rests on
	Withheld  int         `json:"withheld,omitempty"` // sentences without support
	Category  string      `json:"category,omitempty"`
	Kind      string      `json:"kind,omitempty"`
	Place     string      `json:"place,omitempty"`
	Questions []string    `json:"questions,omitempty"`
}

type askSource struct {
	Article uuid.UUID `json:"article"`
	Version int       `json:"version"`
}

// askEntry is an entry of a timeline, as the page names it.
type askEntry struct{ Key, Words string }

// maxAsk is how long a model may take before staff are told that it did not answer; the models' own limits are shorter.
const maxAsk = 90 * time.Second

const (
	sqlAsk      = `insert into model_asks (id, at, until, kind, about, conversation_id, ticket_id, article_id, user_id) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`
	sqlAskEnd   = `update model_asks set state = $2, result = $3, error = $4, model_call = $5 where id = $1 and state = 'running'`
	sqlAskOld   = `delete from model_asks where id in (select id from model_asks where at < $1 order by at limit 200)`
	askColumns  = `id, at, until, kind, about, coalesce(conversation_id, '00000000-0000-0000-0000-000000000000'), coalesce(ticket_id, '00000000-0000-0000-0000-000000000000'), coalesce(article_id, '00000000-0000-0000-0000-000000000000'), state, coalesce(result, '{}'), error, coalesce(model_call, '00000000-0000-0000-0000-000000000000')`
	sqlAskByID  = `select ` + askColumns + ` from model_asks where id = $1`
	sqlAsksOf   = `select distinct on (kind, about) ` + askColumns + ` from model_asks where at > $3 and (ticket_id = $1 or conversation_id = $2 or article_id = $4) order by kind, about, id desc limit 200`
	askKeptDays = 1
)

func scanAsk(r pgx.CollectableRow) (ask, error) {
	var a ask
	var raw []byte
	err := r.Scan(&a.ID, &a.At, &a.Until, &a.Kind, &a.About, &a.Conversation, &a.Ticket, &a.Article, &a.State, &raw, &a.Error, &a.Call)
	if err == nil {
		err = json.Unmarshal(raw, &a.Result)
	}
	return a, err
}

// Seq is that of the message that a translation is about.
func (a ask) Seq() string { seq, _, _ := strings.Cut(a.About, ":"); return seq }

// late turns an ask whose time is over into a failed one: its node may be gone.
func (a ask) late(now time.Time) ask {
	if a.State == "running" && !now.Before(a.Until) {
		a.State, a.Error = "failed", errs.CodeOf(llm.ErrTimeout)
	}
	return a
}

// asksOf reads what was asked about a case or an article, the newest of each.
func (c *Console) asksOf(ctx context.Context, v View, ticket, conversation, article uuid.UUID) (map[string]ask, error) {
	out := map[string]ask{}
	err := db.ReadTx(ctx, c.Pool, v.Me.Actor(), func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlAsksOf, some(ticket), some(conversation), v.Now.Add(-askKeptDays*24*time.Hour), some(article))
		if err != nil {
			return err
		}
		all, err := pgx.CollectRows(rows, scanAsk)
		for _, a := range all {
			out[a.Kind+":"+a.About] = a.late(v.Now)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("console: asks: %w", err)
	}
	return out, nil
}

func some(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

func (c *Console) askByID(ctx context.Context, v View, id uuid.UUID) (ask, error) {
	var a ask
	err := db.ReadTx(ctx, c.Pool, v.Me.Actor(), func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlAskByID, id)
		if err != nil {
			return err
		}
		a, err = pgx.CollectExactlyOneRow(rows, scanAsk)
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return a, errNoAsk
	}
	return a.late(v.Now), err
}

var errNoAsk = errs.New(errs.NotFound, "ask.gone", "this is not kept any more")

// asker works on asks behind the requests that began them.
type asker struct {
	ctx  context.Context
	stop context.CancelFunc
	wait sync.WaitGroup
}

func newAsker() *asker {
	ctx, stop := context.WithCancel(context.Background())
	return &asker{ctx: ctx, stop: stop}
}

func (a *asker) close() {
	a.stop()
	a.wait.Wait()
}

// beginAsk writes an ask down and works on it behind the request; do is what is asked.
func (c *Console) beginAsk(ctx context.Context, v View, a ask, do func(context.Context) (askResult, uuid.UUID, error)) (ask, error) {
	a.ID, a.At, a.Until, a.State = db.NewID(), v.Now, v.Now.Add(maxAsk), "running"
	actor := v.Me.Actor()
	err := db.WithTx(ctx, c.Pool, actor, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, sqlAsk, a.ID, a.At, a.Until, a.Kind, a.About, some(a.Conversation), some(a.Ticket), some(a.Article), v.Me.UserID)
		return err
	})
	if err != nil {
		return a, fmt.Errorf("console: ask: %w", err)
	}
	c.asks.wait.Go(func() {
		work, cancel := context.WithTimeout(c.asks.ctx, maxAsk)
		defer cancel()
		result, call, err := do(work)
		end, free := context.WithTimeout(context.WithoutCancel(work), 10*time.Second)
		defer free()
		c.endAsk(end, actor, a, result, call, err)
	})
	return a, nil
}

// endAsk writes down what came of it. What staff read is a code's words; the cause is in the model's record.
func (c *Console) endAsk(ctx context.Context, actor db.Actor, a ask, result askResult, call uuid.UUID, failed error) {
	state, code := "done", ""
	if failed != nil {
		state, code = "failed", errs.CodeOf(failed)
		if errs.KindOf(failed) == errs.Internal || code == "" {
			c.Log.WarnContext(ctx, "ask of a language model", "kind", a.Kind, "error", failed)
			code = errs.CodeOf(llm.ErrDown)
		}
	}
	raw, err := json.Marshal(result)
	if err == nil {
		err = db.WithTx(ctx, c.Pool, actor, func(tx db.Tx) error {
			_, err := tx.Exec(ctx, sqlAskEnd, a.ID, state, raw, code, some(call))
			return err
		})
	}
	if err == nil {
		err = db.WithTx(ctx, c.Pool, db.System(), func(tx db.Tx) error {
			_, err := tx.Exec(ctx, sqlAskOld, a.At.Add(-askKeptDays*24*time.Hour))
			return err
		})
	}
	if err != nil {
		c.Log.WarnContext(ctx, "what a language model said is not kept", "kind", a.Kind, "error", err)
	}
}

// mayAsk reports whether a kind may be asked for: a model is set up for it.
func (c *Console) mayAsk(ctx context.Context, kind string) bool {
	return c.Machine != nil && c.Machine.Has(ctx, askUses[kind])
}

// askerOf names who asks, and the names that must not leave.
func (c *Console) askerOf(ctx context.Context, v View, contact *uuid.UUID) assist.Asker {
	by := assist.Asker{User: v.Me.UserID}
	if contact == nil {
		return by
	}
	// The reader may not know the contact; the model must not either, so this looks as the program.
	if who, err := c.contact(ctx, db.System(), *contact); err == nil {
		for _, s := range []string{who.Name, who.Phone, who.Email} {
			if s != "" {
				by.Known = append(by.Known, s)
			}
		}
	}
	return by
}
