package learn

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/knowledge"
)

// What a publication does to an answer.
const (
	Better   = "better"   // the right article is found where it was not, or found alone
	Worse    = "worse"    // the right article is found no more, or only among others
	Answers  = "answers"  // it was not answered, and is
	Silences = "silences" // it was answered, and is not
	Wrong    = "wrong"    // another article than the right one answers
	Other    = "other"    // another article answers; nobody knows which is right
)

// Forecast is what publishing a text would do.
type Forecast struct {
	Pairs     int // of the evaluation set that were tried
	Questions int // of the last weeks
	Effects   []Outlook
	Took      time.Duration
}

// Outlook is one question that would be answered otherwise.
type Outlook struct {
	knowledge.Effect
	Kind string
	Pair bool // of the evaluation set; else it was asked in the last weeks
}

// Bad reports whether somebody should think again.
func (o Outlook) Bad() bool { return o.Kind == Worse || o.Kind == Wrong || o.Kind == Silences }

// Better counts the questions that would be answered better.
func (f Forecast) Better() int {
	n := 0
	for _, o := range f.Effects {
		if o.Kind == Better || o.Kind == Answers {
			n++
		}
	}
	return n
}

// Worse counts the questions that would be answered worse.
func (f Forecast) Worse() int {
	n := 0
	for _, o := range f.Effects {
		if o.Bad() {
			n++
		}
	}
	return n
}

// Bounds of a forecast.
const (
	maxPairs  = 2000
	maxRecent = 2000
)

const (
	sqlTrialPairs  = `select question, lang, article_id from eval_pairs where active order by id desc limit $1`
	sqlTrialRecent = `select distinct on (question, lang) question, lang from (select question, lang from answers where at > $1 and question <> '' and not follows and by <> 'staff'
		and outcome in ('answer', 'choices', 'none') order by id desc limit $2) x`
)

const sqlHasTrials = `select exists (select from eval_pairs where active) or exists (select from answers where at > $1 and question <> '')`

// HasTrials reports whether there is anything to try a text on. Errors: the database's.
func (s *Service) HasTrials(ctx context.Context) (some bool, err error) {
	err = s.read(ctx, db.System(), func(tx db.Tx) error {
		rules, err := settingsOf(ctx, tx)
		if err != nil {
			return err
		}
		return tx.QueryRow(ctx, sqlHasTrials, s.Clock.Now().AddDate(0, 0, -rules.PreviewDays)).Scan(&some)
	})
	return some, err
}

// Forecast tries the latest text of an article on the evaluation set and on the questions of the last weeks, without touching anything that is served.
// Errors: knowledge.ErrNotFound.
func (s *Service) Forecast(ctx context.Context, article uuid.UUID) (Forecast, error) {
	a, err := s.Knowledge.Article(ctx, article)
	if err != nil {
		return Forecast{}, err
	}
	v, err := s.Knowledge.Version(ctx, article, a.Latest)
	if err != nil {
		return Forecast{}, err
	}
	return s.ForecastText(ctx, knowledge.Entry{Article: a, Version: v})
}

// ForecastText is Forecast for a text that need not be stored anywhere. Errors: the database's.
func (s *Service) ForecastText(ctx context.Context, e knowledge.Entry) (Forecast, error) {
	return s.ForecastTexts(ctx, []knowledge.Entry{e})
}

// ForecastTexts is ForecastText for texts that are published together. Errors: the database's.
func (s *Service) ForecastTexts(ctx context.Context, texts []knowledge.Entry) (Forecast, error) {
	start := time.Now()
	var f Forecast
	var trials []knowledge.Trial
	err := s.read(ctx, db.System(), func(tx db.Tx) error {
		known := map[[2]string]bool{}
		rows, err := tx.Query(ctx, sqlTrialPairs, maxPairs)
		if err != nil {
			return err
		}
		var t knowledge.Trial
		if _, err := pgx.ForEachRow(rows, []any{&t.Question, &t.Lang, &t.Want}, func() error {
			trials = append(trials, t)
			known[[2]string{t.Question, t.Lang}] = true
			return nil
		}); err != nil {
			return err
		}
		f.Pairs = len(trials)
		rules, err := settingsOf(ctx, tx)
		if err != nil {
			return err
		}
		if rows, err = tx.Query(ctx, sqlTrialRecent, s.Clock.Now().AddDate(0, 0, -rules.PreviewDays), maxRecent); err != nil {
			return err
		}
		t = knowledge.Trial{}
		_, err = pgx.ForEachRow(rows, []any{&t.Question, &t.Lang}, func() error {
			if !known[[2]string{t.Question, t.Lang}] {
				trials = append(trials, t)
			}
			return nil
		})
		f.Questions = len(trials) - f.Pairs
		return err
	})
	if err != nil {
		return Forecast{}, fmt.Errorf("learn: forecast: %w", err)
	}
	effects, err := s.Knowledge.PreviewAll(ctx, texts, trials)
	if err != nil {
		return Forecast{}, err
	}
	for _, e := range effects {
		if kind := kindOf(e); kind != "" {
			f.Effects = append(f.Effects, Outlook{Effect: e, Kind: kind, Pair: e.Want != uuid.Nil})
		}
	}
	f.Took = time.Since(start)
	return f, nil
}

// kindOf judges a change; "" is one that no citizen minds, as another order of what is offered.
func kindOf(e knowledge.Effect) string {
	if e.Want == uuid.Nil {
		b, a := e.Before.Outcome, e.After.Outcome
		switch {
		case a == knowledge.None && b != knowledge.None || b == knowledge.Answered && a != knowledge.Answered:
			return Silences
		case a == knowledge.Answered && b != knowledge.Answered || b == knowledge.None:
			return Answers
		case e.Before.Article != e.After.Article:
			return Other
		}
		return ""
	}
	before, after := worth(e.Before, e.Want), worth(e.After, e.Want)
	switch {
	case after > before:
		return Better
	case after < before && after < 0:
		return Wrong
	case after < before:
		return Worse
	}
	return ""
}

// worth of a verdict when the right article is known: 2 it answers, 1 it is offered, 0 nothing is claimed, -1 another one answers.
func worth(v knowledge.Verdict, want uuid.UUID) int {
	switch {
	case v.Outcome == knowledge.Answered && v.Article == want:
		return 2
	case v.Outcome == knowledge.Answered:
		return -1
	}
	for _, id := range v.Choices {
		if id == want {
			return 1
		}
	}
	return 0
}

const sqlPublishCheck = `insert into publish_checks (article_id, version, user_id, at, worse, reason) values ($1, $2, $3, $4, $5, $6) on conflict do nothing`

// MayPublish looks at what a publication would make worse. Where it does, the reviewer confirms it with a reason, which is kept.
// Errors: ErrWorse with the count n; those of Forecast.
func (s *Service) MayPublish(ctx context.Context, by knowledge.Staff, ref knowledge.Ref, confirmed bool, reason string) error {
	f, err := s.Forecast(ctx, ref.Article)
	if err != nil {
		return err
	}
	n := f.Worse()
	if n == 0 {
		return nil
	}
	if !confirmed || reason == "" {
		return ErrWorse.With("n", n)
	}
	return s.write(ctx, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, sqlPublishCheck, ref.Article, ref.Version, by.Actor.User(), s.Clock.Now(), n, clip(reason, 500))
		return err
	})
}
