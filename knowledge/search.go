package knowledge

import (
	"context"
	"fmt"
	"math"
	"strings"
	"unicode"

	"github.com/google/uuid"
)

// Result is an article found for a question.
type Result struct {
	ID      uuid.UUID
	Version int
	Lang    string
	Slug    string
	Topic   string
	Title   string
	Summary string
	Snippet Snippet
	Score   float64 // the deciding score, 0..1
}

// URL is the article's path on the citizen portal.
func (r Result) URL() string { return "/a/" + r.Slug }

// Citation names what an answer rests on.
type Citation struct {
	Article string `json:"article"`
	Version int    `json:"version"`
	Title   string `json:"title"`
	URL     string `json:"url"`
	Snippet string `json:"snippet"`
}

// Citation is the result as a source.
func (r Result) Citation() Citation {
	return Citation{Article: r.ID.String(), Version: r.Version, Title: r.Title, URL: r.URL(), Snippet: r.Snippet.Text()}
}

// maxQuestion bounds the bytes of a question that are searched: more is a
// letter, and its beginning says what it is about.
const maxQuestionBytes = 4000

func cutQuestion(text string) string {
	if len(text) <= maxQuestionBytes {
		return text
	}
	return strings.ToValidUTF8(text[:maxQuestionBytes], "")
}

// questionLang is the language to search: the writing of the question decides
// over the reader's setting, so a Chinese question finds Chinese articles on
// an English page. Empty means any.
func questionLang(text, lang string) string {
	if l := DetectLang(text); l != "" {
		return l
	}
	if BaseLang(lang) == "zh" && latinWords(text) >= 2 {
		return ""
	}
	return BaseLang(lang)
}

func latinWords(text string) int {
	return len(strings.FieldsFunc(text, func(r rune) bool { return !unicode.Is(unicode.Latin, r) }))
}

// found is a judged entry.
type found struct {
	Entry
	score float64
}

func (f found) result(question string) Result {
	return Result{ID: f.Article.ID, Version: f.Version.Number, Lang: f.Article.Lang, Slug: f.Article.Slug, Topic: f.Article.Topic,
		Title: f.Version.Title, Summary: f.Version.Summary, Score: f.score,
		Snippet: Excerpt(question, f.Version.Summary+"\n"+PlainText(f.Version.Body))}
}

func (s *Service) find(ctx context.Context, q Query) ([]found, error) {
	q.Text = cutQuestion(q.Text)
	staff := q.Audience == AudienceStaff
	hits, err := s.Index.Search(ctx, Query{Text: s.corpus.Respell(q.Text), Lang: questionLang(q.Text, q.Lang), Audience: q.Audience,
		Limit: max(Proposals, q.Limit), Exact: true})
	if err != nil || len(hits) == 0 {
		return nil, err
	}
	ids := make([]uuid.UUID, 0, len(hits))
	for _, h := range hits {
		if id, err := uuid.Parse(h.ID); err == nil {
			ids = append(ids, id)
		}
	}
	entries, err := servables(ctx, s.Pool, sqlServable, s.today(), staff, ids)
	if err != nil {
		return nil, fmt.Errorf("read proposed articles: %w", err)
	}
	candidates := make([]candidate, len(entries))
	for i, e := range entries {
		candidates[i] = candidate{id: e.Article.ID.String(), version: e.Version.Number, doc: func() Doc { return e.Article.doc(e.Version) }}
	}
	js := s.corpus.judge(q.Text, candidates)
	out := make([]found, len(js))
	for i, j := range js {
		out[i] = found{Entry: entries[j.at], score: j.score}
	}
	return out, nil
}

// Search returns the articles for a question that may be shown to the audience
// now, best first. q.Lang is the reader's language; a question in Chinese
// characters searches Chinese articles whatever it is. Errors: the index's and
// the database's.
func (s *Service) Search(ctx context.Context, q Query) ([]Result, error) {
	if q.Limit <= 0 {
		q.Limit = DefaultLimit
	}
	fs, err := s.find(ctx, q)
	if err != nil {
		return nil, err
	}
	out := make([]Result, min(q.Limit, len(fs)))
	for i := range out {
		out[i] = fs[i].result(q.Text)
	}
	return out, nil
}

// Outcome of a question.
type Outcome string

// A question is answered from one article, met with a few to choose from, or
// with the admission that there is none.
const (
	Answered Outcome = "answer"
	Choices  Outcome = "choices"
	None     Outcome = "none"
)

// Thresholds turn deciding scores into an outcome.
type Thresholds struct {
	Good   float64 // from here on an article answers
	Close  float64 // from here on it is offered as a choice
	Margin float64 // a second article this near to the first makes both choices
}

// DefaultThresholds were set on articles whose own stored questions were held
// out one by one, and on small talk and questions about other things.
var DefaultThresholds = Thresholds{Good: 0.45, Close: 0.30, Margin: 0.06}

// maxChoices is how many articles are offered to choose from.
const maxChoices = 3

// Decide gives the outcome for scores ordered best first, and how many of
// them belong to it.
func (t Thresholds) Decide(scores []float64) (Outcome, int) {
	if len(scores) == 0 || scores[0] < t.Close {
		return None, 0
	}
	n := 1
	for n < len(scores) && n < maxChoices && scores[n] >= t.Close && scores[0]-scores[n] <= t.Margin {
		n++
	}
	if scores[0] >= t.Good && n == 1 {
		return Answered, 1
	}
	if n == 1 { // one article, not quite sure: offer what else comes near
		for n < len(scores) && n < maxChoices && scores[n] >= t.Close {
			n++
		}
	}
	return Choices, n
}

// Answer is what the knowledge base says to a question.
type Answer struct {
	Outcome   Outcome
	Lang      string     // of the first article
	Text      string     // of an answer: the article's own words
	Citations []Citation // one for an answer, up to three choices
	Score     float64    // of the best article, whatever the outcome
}

// answerColumns bounds an answer taken from the body; a Han character takes two.
const answerColumns = 600

// Answer answers a citizen's question from public articles. It never fails for
// what was asked: nothing good is outcome none. Errors: the index's and the
// database's.
func (s *Service) Answer(ctx context.Context, text, lang string) (Answer, error) {
	fs, err := s.find(ctx, Query{Text: text, Lang: lang, Audience: AudiencePublic})
	if err != nil {
		return Answer{}, err
	}
	fs = byScore(fs)
	scores := make([]float64, len(fs))
	for i, f := range fs {
		scores[i] = f.score
	}
	outcome, n := s.Thresholds.Decide(scores)
	a := Answer{Outcome: outcome, Citations: make([]Citation, 0, n)}
	if len(fs) > 0 {
		a.Score = math.Round(fs[0].score*1000) / 1000
	}
	for _, f := range fs[:n] {
		a.Citations = append(a.Citations, f.result(text).Citation())
	}
	if n > 0 {
		a.Lang = fs[0].Article.Lang
	}
	if outcome == Answered {
		a.Text = AnswerText(fs[0].Version)
	}
	return a, nil
}

// byScore puts the article with the best deciding score first and leaves the
// others in order of rank, below it only where their score is higher.
func byScore(fs []found) []found {
	best := 0
	for i, f := range fs {
		if f.score > fs[best].score {
			best = i
		}
	}
	if best == 0 {
		return fs
	}
	out := append([]found{fs[best]}, fs[:best]...)
	return append(out, fs[best+1:]...)
}

// AnswerText is what the bot says of a version: the summary, or the beginning of the body up to the end of a
// paragraph.
func AnswerText(v Version) string {
	if v.Summary != "" {
		return v.Summary
	}
	body := PlainText(v.Body)
	end := advance(body, 0, answerColumns)
	if end == len(body) {
		return body
	}
	if i := strings.LastIndexByte(body[:end], '\n'); i > end/3 {
		return body[:i]
	}
	return body[:wordEnd(body, end)] + " …"
}
