package routing

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"hotline/routing/classify"
)

// Learn makes a classifier of texts.
type Learn func([]classify.Example, classify.Options) (*classify.Model, error)

// trainingTexts collects what the catalogue itself says about its categories:
// names, descriptions, keywords, examples and the service items filed there.
// The order is fixed, so the same data give the same model.
func (s *Snapshot) trainingTexts() []classify.Example {
	var out []classify.Example
	add := func(label, text string) { out = append(out, classify.Example{Text: text, Label: label}) }
	addNames := func(label string, n Names) {
		for _, lang := range slices.Sorted(maps.Keys(n)) {
			add(label, n[lang])
		}
	}
	for _, c := range s.categories {
		if !c.Leaf {
			continue
		}
		addNames(c.Code, c.Names)
		addNames(c.Code, c.Description)
		for _, words := range []map[string][]string{c.Keywords, c.Examples} {
			for _, lang := range slices.Sorted(maps.Keys(words)) {
				for _, text := range words[lang] {
					add(c.Code, text)
				}
			}
		}
	}
	for _, it := range s.items {
		if c, ok := s.Category(it.Category); ok && c.Leaf && it.Active {
			addNames(c.Code, it.Names)
			addNames(c.Code, it.Summary)
		}
	}
	return out
}

// adopt takes over the classifier of the snapshot before. It reports whether that still knows all that the texts say; an outdated one serves
// until learn has made a new one.
func (s *Snapshot) adopt(before *Snapshot) (current bool) {
	texts := s.trainingTexts()
	sum := sha256.New()
	for _, t := range texts {
		sum.Write([]byte(t.Label + "\x00" + t.Text + "\x00"))
	}
	s.fingerprint = hex.EncodeToString(sum.Sum(nil))
	if before == nil {
		return len(texts) == 0
	}
	s.model = before.model
	return before.fingerprint == s.fingerprint && !before.untrained
}

// learn gives a copy of the snapshot whose classifier was trained on its own texts.
func (s *Snapshot) learn(teach Learn) (*Snapshot, error) {
	c := *s
	c.untrained, c.model = false, nil
	texts := s.trainingTexts()
	if len(texts) == 0 {
		return &c, nil
	}
	model, err := teach(texts, classify.Options{Seed: 1})
	if err != nil {
		return nil, fmt.Errorf("routing: train: %w", err)
	}
	c.model = model
	return &c, nil
}
