package bleve

import (
	"github.com/blevesearch/bleve/v2/document"
	index "github.com/blevesearch/bleve_index_api"

	"hotline/knowledge"
)

// How often a part of an article counts; compare the weights of the deciding score.
const (
	headTimes  = 3
	tagTimes   = 3
	briefTimes = 1
	bodyTimes  = 1
)

// maxBody bounds the bytes of a body that are indexed.
const maxBody = 64 << 10

// entry is a document as Bleve sees it.
func entry(d knowledge.Doc) *document.Document {
	audience := d.Audience
	if audience == "" {
		audience = knowledge.AudiencePublic
	}
	return document.NewDocument(d.ID).
		AddField(&terms{doc: d}).
		AddField(document.NewTextFieldCustom(audienceField, nil, []byte(audience), index.IndexField, nil))
}

// terms is the field of an article's words, counted by the knowledge package's own analysis. The way through a mapping and a tokenizer would make
// a text of the terms and an object of each occurrence first.
type terms struct {
	doc    knowledge.Doc // until it is analysed
	length int
	counts index.TokenFrequencies
}

var _ document.Field = (*terms)(nil)

// Analyze implements index.Field; Bleve calls it once, for several documents at a time.
func (f *terms) Analyze() {
	f.counts = index.TokenFrequencies{}
	var room []index.TokenFreq // a few allocations instead of one a term
	add := func(text string, times int) {
		for _, t := range knowledge.AnalyzeIn(f.doc.Lang, text) {
			n := f.counts[t.Text]
			if n == nil {
				if len(room) == 0 {
					room = make([]index.TokenFreq, 64)
				}
				n, room = &room[0], room[1:]
				n.Term = []byte(t.Text)
				f.counts[t.Text] = n
			}
			n.SetFrequency(n.Frequency() + times)
			f.length += times
		}
	}
	add(f.doc.Title, headTimes)
	for _, q := range f.doc.Questions {
		add(q, headTimes)
	}
	for _, k := range f.doc.Keywords {
		add(k, tagTimes)
	}
	add(f.doc.Summary, briefTimes)
	add(f.doc.Body[:min(len(f.doc.Body), maxBody)], bodyTimes)
	f.doc = knowledge.Doc{}
}

// Name implements index.Field.
func (f *terms) Name() string { return textField }

// Options implements index.Field: searched, neither stored nor located nor sorted by.
func (f *terms) Options() index.FieldIndexingOptions { return index.IndexField }

// AnalyzedLength implements index.Field.
func (f *terms) AnalyzedLength() int { return f.length }

// AnalyzedTokenFrequencies implements index.Field.
func (f *terms) AnalyzedTokenFrequencies() index.TokenFrequencies { return f.counts }

// EncodedFieldType implements index.Field: a text.
func (f *terms) EncodedFieldType() byte { return 't' }

// ArrayPositions implements index.Field.
func (f *terms) ArrayPositions() []uint64 { return nil }

// Value implements index.Field: nothing is stored.
func (f *terms) Value() []byte { return nil }

// NumPlainTextBytes implements index.Field; it is for Bleve's statistics.
func (f *terms) NumPlainTextBytes() uint64 { return uint64(len(f.doc.Body)) }

// Size implements document.Field; it is for Bleve's statistics.
func (f *terms) Size() int { return 64 * len(f.counts) }
