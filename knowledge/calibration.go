package knowledge

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
	"hotline/internal/errs"
	"hotline/knowledge/calibrate"
)

// Calibration says how sure the scores of one language are, and how sure they are wanted to be.
type Calibration struct {
	Lang       string
	Version    int     // of what is wanted
	WantAnswer float64 // share of answers that are to be right; 0: the program's own threshold
	WantChoice float64 // chance of the first article from which on articles are offered; 0: the program's own threshold
	N          int     // questions it was learned from
	Articles   int
	Measured   *time.Time
	Fitted     Fitted
}

// Bounds of calibrating.
const (
	EnoughTrials  = 100  // fewer questions say nothing, and the program's own thresholds stay
	mostTrials    = 2000 // questions of one round
	calibrateDays = 1    // between two rounds, unless the articles change much
)

// Errors of calibrating.
var (
	ErrWanted        = errs.New(errs.Invalid, "knowledge.wanted", "a share is outside of what makes sense")
	ErrNotCalibrated = errs.New(errs.NotFound, "knowledge.not_calibrated", "nothing was learned for this language yet")
)

// Enough reports whether the trials decide anything.
func (c Calibration) Enough() bool { return c.N >= EnoughTrials }

// Thresholds are those that follow from what is wanted; met is false when the trials do not show that the wanted share of right answers is ever
// reached, and the most careful threshold that they know stands for it, no lower than the program's own. Without a wish, or without enough trials, they are the program's own.
func (c Calibration) Thresholds(own Thresholds) (t Thresholds, met bool) {
	t, met = own, true
	if !c.Enough() {
		return t, met
	}
	if c.WantAnswer > 0 {
		if t.Good, met = calibrate.Threshold(c.Fitted.Table, c.WantAnswer); !met {
			t.Good = max(t.Good, own.Good)
		}
		t.Good = max(t.Good, own.Close) // what the program would not even offer is never told as the answer
	}
	if c.WantChoice > 0 {
		if s, ok := c.Fitted.Curve.From(c.WantChoice); ok {
			t.Close = s
		} else {
			t.Close = t.Good
		}
	}
	t.Close = max(leastClose, min(t.Close, t.Good))
	t.Good = max(t.Good, t.Close)
	return t, met
}

// leastClose: an article that hardly shares a word with the question is never offered, whatever the trials say.
const leastClose = 0.1

const (
	sqlCalibrations = `select lang, version, coalesce(want_answer, 0)::float8, coalesce(want_choice, 0)::float8, n, articles, measured_at, fitted from knowledge_calibrations order by lang limit 100`
	sqlCalibrated   = `insert into knowledge_calibrations (lang, n, articles, fitted, measured_at) values ($1, $2, $3, $4, $5)
		on conflict (lang) do update set n = $2, articles = $3, fitted = $4, measured_at = $5`
	sqlWanted     = `update knowledge_calibrations set version = version + 1, want_answer = nullif($3::float8::numeric, 0), want_choice = nullif($4::float8::numeric, 0) where lang = $1 and version = $2`
	sqlTrialPairs = `select lang, question, array_agg(article_id order by article_id) from eval_pairs where active group by lang, question order by max(created_at) desc, lang, question limit $1`
)

// Calibrations lists what was learned, by language. Errors: the database's.
func (s *Service) Calibrations(ctx context.Context) ([]Calibration, error) {
	rows, err := s.Pool.Query(ctx, sqlCalibrations)
	if err != nil {
		return nil, fmt.Errorf("read calibrations: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c Calibration, err error) {
		err = row.Scan(&c.Lang, &c.Version, &c.WantAnswer, &c.WantChoice, &c.N, &c.Articles, &c.Measured, &c.Fitted)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("read calibrations: %w", err)
	}
	return list, nil
}

// LoadCalibration brings the thresholds of this node up to date. Errors: the database's; the thresholds stay as they were.
func (s *Service) LoadCalibration(ctx context.Context) error {
	list, err := s.Calibrations(ctx)
	if err != nil {
		return err
	}
	m := make(map[string]Thresholds, len(list))
	for _, c := range list {
		m[c.Lang], _ = c.Thresholds(s.Deps.Thresholds)
	}
	s.calibrated.Store(&m)
	return nil
}

// ThresholdsOf are those by which questions in a language are decided; the program's own where nothing else is wanted.
func (s *Service) ThresholdsOf(lang string) Thresholds {
	if m := s.calibrated.Load(); m != nil {
		if t, ok := (*m)[BaseLang(lang)]; ok {
			return t
		}
	}
	return s.Deps.Thresholds
}

// Want sets how sure answers and choices in a language are to be; version is the one that was seen. Errors: ErrNotAdmin, ErrWanted naming the field,
// ErrNotCalibrated, ErrSettingsChanged.
func (s *Service) Want(ctx context.Context, by Staff, lang string, version int, answer, choice float64) error {
	switch {
	case !by.Actor.IsSystem() && !by.Actor.Administrator():
		return ErrNotAdmin
	case answer != 0 && !(answer >= 0.5 && answer <= 0.99):
		return ErrWanted.On("want_answer").With("least", 50).With("limit", 99)
	case choice != 0 && !(choice >= 0.05 && choice <= 0.95):
		return ErrWanted.On("want_choice").With("least", 5).With("limit", 95)
	}
	list, err := s.Calibrations(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(list, func(c Calibration) bool { return c.Lang == lang }) {
		return ErrNotCalibrated
	}
	err = s.elevated(ctx, func(tx db.Tx) error {
		tag, err := tx.Exec(ctx, sqlWanted, lang, version, answer, choice)
		if err == nil && tag.RowsAffected() == 0 {
			return ErrSettingsChanged
		}
		return err
	})
	if err != nil {
		return err
	}
	return s.LoadCalibration(ctx)
}

// CalibrationDue reports whether it is time for another round: a day is over, or a tenth of the articles came or went. Errors: the database's.
func (s *Service) CalibrationDue(ctx context.Context) (bool, error) {
	list, err := s.Calibrations(ctx)
	if err != nil || len(list) == 0 {
		return err == nil && s.corpus().Len() > 0, err
	}
	var newest time.Time
	before := 0
	for _, c := range list {
		if c.Measured != nil && c.Measured.After(newest) {
			newest, before = *c.Measured, c.Articles
		}
	}
	now := s.corpus().Len()
	return !s.Clock.Now().Before(newest.AddDate(0, 0, calibrateDays)) || 10*max(now-before, before-now) > max(before, 1), nil
}

// Calibrate learns, from at most mostTrials questions whose article is known, how sure the scores of each language are: confirmed pairs first, then
// stored questions. For one node at a time, beside turns and never in one. Errors: the database's, ctx's own.
func (s *Service) Calibrate(ctx context.Context) error {
	began, articles := s.Clock.Now(), s.corpus().Len()
	all, err := s.confirmed(ctx)
	if err != nil {
		return err
	}
	stored := sample{most: mostTrials}
	if err := s.walk(ctx, spare(), func(docs []Doc) error { stored.add(docs); return ctx.Err() }); err != nil {
		return err
	}
	seen := make(map[[2]string]bool, len(all))
	for _, a := range all {
		seen[[2]string{BaseLang(a.Lang), a.Question}] = true
	}
	for _, a := range stored.list {
		if key := [2]string{BaseLang(a.Lang), a.Question}; !seen[key] && len(all) < mostTrials {
			seen[key] = true
			all = append(all, a.Asked)
		}
	}
	byLang := map[string][]Asked{}
	for _, a := range all {
		byLang[BaseLang(a.Lang)] = append(byLang[BaseLang(a.Lang)], a)
	}
	old, err := s.Calibrations(ctx)
	if err != nil {
		return err
	}
	for _, c := range old { // a language that has no questions any more has no say any more
		if byLang[c.Lang] == nil {
			byLang[c.Lang] = []Asked{}
		}
	}
	b := &pgx.Batch{}
	for lang, asked := range byLang {
		pairs, err := s.corpus().Trials(ctx, asked, s.Deps.Thresholds)
		if err != nil {
			return err
		}
		fitted, err := json.Marshal(Learn(pairs))
		if err != nil {
			return err
		}
		b.Queue(sqlCalibrated, lang, len(asked), articles, fitted, s.Clock.Now())
	}
	if err := s.elevated(ctx, func(tx db.Tx) error { return tx.SendBatch(ctx, b).Close() }); err != nil {
		return fmt.Errorf("keep calibration: %w", err)
	}
	s.Log.InfoContext(ctx, "scores calibrated", "questions", len(all), "ms", s.Clock.Now().Sub(began).Milliseconds())
	return s.LoadCalibration(ctx)
}

// confirmed are the questions of the evaluation set whose articles everybody may read now.
func (s *Service) confirmed(ctx context.Context) ([]Asked, error) {
	type pair struct {
		Lang, Question string
		Articles       []uuid.UUID
	}
	var pairs []pair
	err := db.ReadTx(ctx, s.Pool, db.System(), func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlTrialPairs, mostTrials)
		if err == nil {
			pairs, err = pgx.CollectRows(rows, pgx.RowToStructByPos[pair])
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read confirmed pairs: %w", err)
	}
	var ids []uuid.UUID
	for _, p := range pairs {
		ids = append(ids, p.Articles...)
	}
	es, err := s.Servable(ctx, ids, false)
	if err != nil {
		return nil, fmt.Errorf("read confirmed pairs: %w", err)
	}
	docs := make(map[uuid.UUID]Doc, len(es))
	for _, e := range es {
		docs[e.Article.ID] = e.Article.doc(e.Version)
	}
	var out []Asked
	for _, p := range pairs {
		a := Asked{Question: p.Question, Lang: p.Lang}
		for _, id := range p.Articles {
			if d, ok := docs[id]; ok {
				a.Right = append(a.Right, d)
			}
		}
		if len(a.Right) > 0 {
			out = append(out, a)
		}
	}
	return out, nil
}
