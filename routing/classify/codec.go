package classify

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"math"
)

// ErrFormat is returned by UnmarshalBinary for bytes that are not a model of
// this version.
var ErrFormat = errors.New("classify: not a model of this version")

// formatVersion changes with the features, because a model only fits the ones
// it was trained on.
const formatVersion = 2

type stored struct {
	Version     int
	Grams       int
	Chars       float64
	Labels      []string
	Features    []uint64 // by column
	IDF         []float32
	Unseen      float64
	Weights     []float32
	Intercepts  []float32
	Temperature float64
}

// MarshalBinary returns the model as bytes that UnmarshalBinary reads.
func (m *Model) MarshalBinary() ([]byte, error) {
	s := stored{
		Version: formatVersion, Grams: m.vocab.shape.grams, Chars: m.vocab.shape.chars, Labels: m.labels, Features: make([]uint64, len(m.vocab.idf)),
		IDF: m.vocab.idf, Unseen: m.vocab.unseen,
		Weights: m.weights, Intercepts: m.intercepts, Temperature: m.temperature,
	}
	for h, c := range m.vocab.column {
		s.Features[c] = h
	}
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(s); err != nil {
		return nil, fmt.Errorf("classify: %w", err)
	}
	return b.Bytes(), nil
}

// UnmarshalBinary replaces the model. It returns ErrFormat, and leaves the
// model alone, when the bytes are not a whole model of this version.
func (m *Model) UnmarshalBinary(data []byte) error {
	var s stored
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&s); err != nil {
		return fmt.Errorf("%w: %v", ErrFormat, err)
	}
	n, k := len(s.Features), len(s.Labels)
	if s.Version != formatVersion || s.Grams < minGram || !(s.Chars >= 0 && s.Chars <= 1) || k == 0 || len(s.IDF) != n || len(s.Intercepts) != k || len(s.Weights) != n*k ||
		!(s.Temperature > 0) || math.IsInf(s.Temperature, 0) {
		return ErrFormat
	}
	v := &vocabulary{shape: shape{s.Grams, s.Chars}, column: make(map[uint64]uint32, n), idf: s.IDF, unseen: s.Unseen}
	for c, h := range s.Features {
		v.column[h] = uint32(c)
	}
	*m = Model{labels: s.Labels, vocab: v, weights: s.Weights, intercepts: s.Intercepts, temperature: s.Temperature}
	return nil
}
