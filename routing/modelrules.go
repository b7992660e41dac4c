package routing

import (
	"context"
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	"hotline/internal/db"
	"hotline/internal/errs"
)

// ModelRules say how a jurisdiction's language models write, and what they may read.
type ModelRules struct {
	Tone         string // in words, to the model: "formal", "warm and plain"; "" is the program's own
	Sentences    int    // of an answer at most; 0 is the program's own
	Confidential bool   // staff may ask models about confidential cases
}

// Bounds of what an administrator may set.
const (
	MaxTone      = 80 // characters
	MaxSentences = 20
)

var (
	errTone      = errs.New(errs.Invalid, "routing.model_tone_invalid", "the tone is one line of at most 80 characters").On("tone")
	errSentences = errs.New(errs.Invalid, "routing.model_sentences_invalid", "an answer has 1 to 20 sentences").On("sentences")
)

// storedRules is where they stand in the settings of a jurisdiction.
type storedRules struct {
	Answers struct {
		Tone      string `json:"tone,omitempty"`
		Sentences int    `json:"sentences,omitempty"`
	} `json:"answers"`
	Models struct {
		Confidential bool `json:"confidential"`
	} `json:"models"`
}

// ModelRules reads them from the settings; what cannot be read allows nothing.
func (j Jurisdiction) ModelRules() ModelRules {
	var s storedRules
	if json.Unmarshal(j.Settings, &s) != nil {
		return ModelRules{}
	}
	return ModelRules{s.Answers.Tone, s.Answers.Sentences, s.Models.Confidential}
}

const (
	sqlLockJurisdiction = `select version from jurisdictions where code = $1 for update`
	sqlModelRules       = `update jurisdictions set settings = settings || $2::jsonb, version = version + 1 where code = $1`
)

// SetModelRules changes them at the version of the jurisdiction that the caller saw.
// Errors: forbidden, invalid fields, ErrReferenceStale.
func (s *Service) SetModelRules(ctx context.Context, by db.Actor, version int, r ModelRules) error {
	if err := mayChange(by); err != nil {
		return err
	}
	r.Tone = strings.TrimSpace(r.Tone)
	switch {
	case !utf8.ValidString(r.Tone) || utf8.RuneCountInString(r.Tone) > MaxTone || strings.ContainsFunc(r.Tone, func(c rune) bool { return !unicode.IsGraphic(c) }):
		return errTone
	case r.Sentences < 0 || r.Sentences > MaxSentences:
		return errSentences
	}
	var stored storedRules
	stored.Answers.Tone, stored.Answers.Sentences, stored.Models.Confidential = r.Tone, r.Sentences, r.Confidential
	raw, err := json.Marshal(stored)
	if err != nil {
		return err
	}
	code := s.Snapshot().Jurisdiction().Code
	return s.changeRow(ctx, by, sqlLockJurisdiction, code, version, ErrReferenceStale, anyway, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, sqlModelRules, code, raw)
		return err
	})
}
