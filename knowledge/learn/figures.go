package learn

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// Week is what happened in one week, by the questions asked in it. A question is one that goes on with none before.
type Week struct {
	From      time.Time // Monday, in the jurisdiction's time zone
	Questions int       // asked of the assistant or of the portal's search
	Covered   int       // of those, met with an answer or with articles to choose from
	Rated     int       // of those with a citizen's word on the answer
	Helped    int       // of the rated
	Chats     int       // conversations with a question to the assistant
	Contained int       // of those, without a person asked for
	Handed    int       // of those, with one
	Wrong     int       // reports by staff that an article is wrong
	Opened    int       // gaps that began
	Closed    int       // gaps that were answered
}

// Share is a part of a whole; ok is false where there is nothing to divide by.
func Share(part, whole int) (share float64, ok bool) {
	if whole == 0 {
		return 0, false
	}
	return float64(part) / float64(whole), true
}

// FigureFilter narrows the figures.
type FigureFilter struct {
	From, To time.Time // of the questions
	Lang     string    // base language; "" all
	Channel  string    // "" all
	Zone     *time.Location
}

const (
	asked = `a.at >= $1 and a.at < $2 and ($3 = '' or split_part(a.lang, '-', 1) = $3) and ($4 = '' or a.channel = $4) and a.by <> 'staff'`
	// Questions count for the week in which they were asked; the word on an answer counts for that week too.
	sqlWeekQuestions = `select date_trunc('week', a.at at time zone $5)::date as week, count(*)::int, count(*) filter (where a.outcome in ('answer', 'choices'))::int,
		count(*) filter (where a.helped is not null)::int, count(*) filter (where a.helped)::int
		from answers a where ` + asked + ` and not a.follows and a.outcome <> 'handoff' group by 1`
	sqlWeekChats = `select week, count(*)::int, count(*) filter (where not handed)::int, count(*) filter (where handed)::int from (
		select min(date_trunc('week', a.at at time zone $5)::date) as week, bool_or(a.outcome = 'handoff') as handed from answers a
		where ` + asked + ` and a.by = 'bot' and a.conversation_id is not null group by a.conversation_id having bool_or(a.outcome <> 'handoff')) c group by week`
	sqlWeekWrong = `select date_trunc('week', c.created_at at time zone $4)::date, count(*)::int from article_corrections c join articles r on r.id = c.article_id
		where c.created_at >= $1 and c.created_at < $2 and ($3 = '' or split_part(r.lang, '-', 1) = $3) group by 1`
	sqlWeekOpened = `select date_trunc('week', g.first_at at time zone $4)::date, count(*)::int from gaps g where g.first_at >= $1 and g.first_at < $2 and ($3 = '' or g.lang = $3) and g.state <> 'merged' group by 1`
	sqlWeekClosed = `select date_trunc('week', g.closed_at at time zone $4)::date, count(*)::int from gaps g where g.closed_at >= $1 and g.closed_at < $2 and ($3 = '' or g.lang = $3) group by 1`
)

// Figures gives the weeks from From to To, the oldest first; weeks without anything are there with zeros. What the actor may not see is not counted.
func (s *Service) Figures(ctx context.Context, actor db.Actor, f FigureFilter) ([]Week, error) {
	if f.Zone == nil {
		f.Zone = time.UTC
	}
	from := Monday(f.From, f.Zone)
	var weeks []Week
	at := map[string]int{}
	for d := from; d.Before(f.To); d = d.AddDate(0, 0, 7) {
		at[d.Format(time.DateOnly)] = len(weeks)
		weeks = append(weeks, Week{From: d})
	}
	err := s.read(ctx, actor, func(tx db.Tx) error {
		each := func(sql string, args []any, cols int, set func(w *Week, n []int)) error {
			rows, err := tx.Query(ctx, sql, args...)
			if err != nil {
				return err
			}
			var day time.Time
			n := make([]int, cols)
			dest := []any{&day}
			for i := range n {
				dest = append(dest, &n[i])
			}
			_, err = pgx.ForEachRow(rows, dest, func() error {
				if i, ok := at[day.Format(time.DateOnly)]; ok {
					set(&weeks[i], n)
				}
				return nil
			})
			return err
		}
		questions := []any{from, f.To, f.Lang, f.Channel, f.Zone.String()}
		others := []any{from, f.To, f.Lang, f.Zone.String()}
		if err := each(sqlWeekQuestions, questions, 4, func(w *Week, n []int) { w.Questions, w.Covered, w.Rated, w.Helped = n[0], n[1], n[2], n[3] }); err != nil {
			return err
		}
		if err := each(sqlWeekChats, questions, 3, func(w *Week, n []int) { w.Chats, w.Contained, w.Handed = n[0], n[1], n[2] }); err != nil {
			return err
		}
		if err := each(sqlWeekWrong, others, 1, func(w *Week, n []int) { w.Wrong = n[0] }); err != nil {
			return err
		}
		if err := each(sqlWeekOpened, others, 1, func(w *Week, n []int) { w.Opened = n[0] }); err != nil {
			return err
		}
		return each(sqlWeekClosed, others, 1, func(w *Week, n []int) { w.Closed = n[0] })
	})
	if err != nil {
		return nil, fmt.Errorf("learn: figures: %w", err)
	}
	return weeks, nil
}

// Monday is the beginning of the week of a moment.
func Monday(t time.Time, zone *time.Location) time.Time {
	y, m, d := t.In(zone).Date()
	day := time.Date(y, m, d, 0, 0, 0, 0, zone)
	return day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
}

// Behind is which questions a list shows.
type Behind string

// The lists behind the numbers.
const (
	AllQuestions Behind = "questions"
	Covered      Behind = "covered"
	Unanswered   Behind = "unanswered"
	Helpful      Behind = "helped"
	Useless      Behind = "useless"
	HandedOver   Behind = "handed"
)

var behind = map[Behind]string{
	AllQuestions: `not a.follows and a.outcome <> 'handoff'`,
	Covered:      `not a.follows and a.outcome in ('answer', 'choices')`,
	Unanswered:   `not a.follows and a.outcome = 'none'`,
	Helpful:      `not a.follows and a.outcome <> 'handoff' and a.helped`,
	Useless:      `not a.follows and a.outcome <> 'handoff' and not a.helped`,
	HandedOver:   `a.outcome = 'handoff' and a.by = 'bot'`,
}

// Row is a question behind a number.
type Row struct {
	ID       string
	At       time.Time
	Lang     string
	Channel  string
	Question string
	Outcome  string
	Helped   *bool
	Article  *string
	Version  *int
	Title    *string
	Gap      *string
}

func sqlBehind(b Behind) string {
	return `select a.id::text, a.at, a.lang, a.channel, a.question, a.outcome, a.helped, a.article_id::text, a.version, v.title, a.gap_id::text
		from answers a left join article_versions v on v.article_id = a.article_id and v.version = a.version
		where ` + asked + ` and ` + behind[b] + ` and ($5 = '' or a.id < $5::text::uuid) order by a.id desc limit $6`
}

// Rows lists the questions behind a number, the newest first; after is the ID of the last of the page before. Errors: ErrNotFound for an unknown list.
func (s *Service) Rows(ctx context.Context, actor db.Actor, f FigureFilter, b Behind, after string, limit int) ([]Row, error) {
	if behind[b] == "" {
		return nil, ErrNotFound
	}
	var list []Row
	err := s.read(ctx, actor, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlBehind(b), f.From, f.To, f.Lang, f.Channel, after, limit)
		if err == nil {
			list, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Row])
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("learn: questions: %w", err)
	}
	return list, nil
}

const sqlKeep = `delete from answers where id in (select id from answers where at < $1 order by id limit 5000)`

// Forget removes answers that are older than the installation keeps them, and returns how many.
func (s *Service) Forget(ctx context.Context) (int, error) {
	n := 0
	err := s.write(ctx, func(tx db.Tx) error {
		rules, err := settingsOf(ctx, tx)
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, sqlKeep, s.Clock.Now().AddDate(0, -rules.KeepMonths, 0))
		n = int(tag.RowsAffected())
		return err
	})
	return n, err
}
