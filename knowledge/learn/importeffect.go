package learn

import (
	"context"
	"errors"

	"hotline/internal/db"
	"hotline/knowledge"
)

// An import that publishes changes what citizens are told, so it says what it does to the answers of the evaluation set, as publishing one article
// does: the file is gone through once without writing, and its texts are tried together.

const (
	mostForeseen = 1000 // texts of a file that are tried
	mostNamed    = 30   // pairs that are named
)

// ImportEffect names pairs of the evaluation set, which editors have confirmed, and no question that a citizen asked.
type ImportEffect struct {
	Tried     int            `json:"tried"` // texts that are new or differ
	Cut       bool           `json:"cut"`   // there are more in the file
	Pairs     int            `json:"pairs"` // of the evaluation set they were tried on
	Questions int            `json:"questions"`
	Better    int            `json:"better"`
	Worse     int            `json:"worse"`
	Rows      []EffectOnPair `json:"rows,omitempty"` // what gets worse comes first
}

// EffectOnPair is one pair that would be answered otherwise.
type EffectOnPair struct {
	Question string `json:"question"`
	Lang     string `json:"lang"`
	Kind     string `json:"kind"` // Better, Worse or Wrong
	Bad      bool   `json:"bad"`
}

var errForeseen = errors.New("learn: enough texts to try")

// ForeseeImport tries the texts that an import publishes. Between reading the file and searching the questions, which takes longest, it calls read,
// which may be nil. Errors: those of the source, the database's, read's.
func (s *Service) ForeseeImport(ctx context.Context, by knowledge.Staff, source knowledge.Source, read func() error) (ImportEffect, error) {
	var texts []knowledge.Entry
	_, err := s.Knowledge.ImportFrom(ctx, by, source, knowledge.ImportOptions{DryRun: true,
		Publishes: func(e knowledge.Entry) { texts = append(texts, e) },
		Told: func(context.Context, db.Tx, knowledge.ImportReport) error {
			if len(texts) > mostForeseen {
				return errForeseen
			}
			return nil
		}})
	cut := errors.Is(err, errForeseen)
	if err == nil || cut {
		err = nil
		if read != nil {
			err = read()
		}
	}
	if err != nil {
		return ImportEffect{}, err
	}
	texts = texts[:min(len(texts), mostForeseen)]
	f, err := s.ForecastTexts(ctx, texts)
	if err != nil {
		return ImportEffect{}, err
	}
	x := ImportEffect{Tried: len(texts), Cut: cut, Pairs: f.Pairs, Questions: f.Questions, Better: f.Better(), Worse: f.Worse()}
	for _, bad := range []bool{true, false} {
		for _, o := range f.Effects {
			if o.Pair && o.Bad() == bad && len(x.Rows) < mostNamed {
				x.Rows = append(x.Rows, EffectOnPair{o.Question, o.Lang, o.Kind, bad})
			}
		}
	}
	return x, nil
}
