package knowledge

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/decision"
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

// QuestionLang is the language whose thresholds decide a question.
func QuestionLang(text, lang string) string { return questionLang(cutQuestion(text), lang) }

func latinWords(text string) int {
	return len(strings.FieldsFunc(text, func(r rune) bool { return !unicode.Is(unicode.Latin, r) }))
}

// found is a judged article that may be shown.
type found struct {
	id    uuid.UUID
	score float64
}

func (e Entry) result(question string, score float64) Result {
	return Result{ID: e.Article.ID, Version: e.Version.Number, Lang: e.Article.Lang, Slug: e.Article.Slug, Topic: e.Article.Topic,
		Title: e.Version.Title, Summary: e.Version.Summary, Score: score,
		Snippet: Excerpt(question, e.Version.Summary+"\n"+PlainText(e.Version.Body))}
}

// find judges what is proposed, best first. Of the articles proposed
// only their live versions are asked for: judging needs no text where the
// corpus has the version, and the texts of the few that are shown are read
// afterwards.
func (s *Service) find(ctx context.Context, q Query) ([]found, error) {
	staff := q.Audience == AudienceStaff
	pq := Query{Text: q.Text, Lang: questionLang(q.Text, q.Lang), Audience: q.Audience, Limit: max(Proposals, q.Limit)}
	near := make(chan []string, 1) // asked at the same time, as it may be a server
	go func() { near <- s.nearest(ctx, pq) }()
	hits, err := s.propose(ctx, pq)
	nearest := <-near
	if len(nearest) == 0 { // no vectors here: an engine may know of meaning itself
		nearest = nearOf(hits)
	}
	if err != nil || len(hits)+len(nearest) == 0 {
		return nil, err
	}
	ids := make([]uuid.UUID, 0, len(hits)+len(nearest))
	for _, h := range hits {
		if id, err := uuid.Parse(h.ID); err == nil {
			ids = append(ids, id)
		}
	}
	for _, n := range nearest {
		if id, err := uuid.Parse(n); err == nil {
			ids = append(ids, id)
		}
	}
	rows, err := s.Pool.Query(ctx, sqlServableVersions, s.today(), staff, s.Clock.Now(), ids)
	if err != nil {
		return nil, fmt.Errorf("check proposed articles: %w", err)
	}
	live, err := pgx.CollectRows(rows, pgx.RowToStructByPos[liveVersion])
	if err != nil {
		return nil, fmt.Errorf("check proposed articles: %w", err)
	}
	corpus := s.corpus()
	docs, err := s.unknown(ctx, corpus, live, staff)
	if err != nil {
		return nil, err
	}
	candidates := make([]candidate, len(live))
	for i, v := range live {
		candidates[i] = candidate{id: v.ID.String(), version: v.Version, doc: func() Doc { return docs[v.ID] }}
	}
	js := s.learned(q.Text, corpus.judge(q.Text, candidates), func(j judgement) uuid.UUID { return live[j.at].ID })
	out := make([]found, len(js))
	for i, j := range js {
		out[i] = found{id: live[j.at].ID, score: j.score}
	}
	return s.fuse(out, live, nearest, s.ThresholdsOf(pq.Lang).Good), nil
}

// nearOf lists the hits that an engine found by their meaning, nearest first.
func nearOf(hits []Hit) (ids []string) {
	near := slices.DeleteFunc(slices.Clone(hits), func(h Hit) bool { return h.Near == 0 })
	slices.SortFunc(near, func(a, b Hit) int { return cmp.Compare(a.Near, b.Near) })
	for _, h := range near {
		ids = append(ids, h.ID)
	}
	return ids
}

// wordless is how many articles that share no word with the question are
// shown because their vectors are near.
const wordless = 5

// fuse orders what was judged by the nearness of its vectors, too. Scores stay
// what they are: an article that shares no word with the question has none.
func (s *Service) fuse(judged []found, live []liveVersion, nearest []string, sure float64) []found {
	if len(nearest) == 0 {
		return judged
	}
	at := make(map[string]found, len(judged))
	words := make([]string, len(judged))
	for i, f := range judged {
		words[i] = f.id.String()
		at[words[i]] = f
	}
	near := make([]string, 0, len(nearest))
	for i, id := range nearest {
		_, ok := at[id]
		if k := slices.IndexFunc(live, func(v liveVersion) bool { return v.ID.String() == id }); !ok && k >= 0 && i < wordless {
			at[id], ok = found{id: live[k].ID}, true
		}
		if ok {
			near = append(near, id)
		}
	}
	out := make([]found, 0, len(at))
	for _, id := range Fuse(words, near, len(judged) > 0 && judged[0].score >= sure) {
		out = append(out, at[id])
	}
	return out
}

type liveVersion struct {
	ID      uuid.UUID
	Version int
}

// unknown reads those versions that the corpus does not hold: another node
// has just published them.
func (s *Service) unknown(ctx context.Context, corpus *Corpus, live []liveVersion, staff bool) (map[uuid.UUID]Doc, error) {
	var ids []uuid.UUID
	for _, v := range live {
		if !corpus.holds(v.ID.String(), v.Version) {
			ids = append(ids, v.ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	entries, err := s.Servable(ctx, ids, staff)
	if err != nil {
		return nil, fmt.Errorf("read proposed articles: %w", err)
	}
	docs := make(map[uuid.UUID]Doc, len(entries))
	for _, e := range entries {
		docs[e.Article.ID] = e.Article.doc(e.Version)
	}
	return docs, nil
}

// read gives the articles found as they may be shown now, in order. One that
// was withdrawn since it was judged is left out.
func (s *Service) read(ctx context.Context, fs []found, staff bool) ([]Entry, error) {
	if len(fs) == 0 {
		return nil, nil
	}
	ids := make([]uuid.UUID, len(fs))
	for i, f := range fs {
		ids[i] = f.id
	}
	es, err := s.Servable(ctx, ids, staff)
	if err != nil {
		return nil, fmt.Errorf("read articles found: %w", err)
	}
	return es, nil
}

// Search returns the articles for a question that may be shown to the audience
// now, best first. q.Lang is the reader's language; a question in Chinese
// characters searches Chinese articles whatever it is. Errors: the database's.
func (s *Service) Search(ctx context.Context, q Query) ([]Result, error) {
	if q.Limit <= 0 {
		q.Limit = DefaultLimit
	}
	q.Text = cutQuestion(q.Text)
	fs, err := s.find(ctx, q)
	if err != nil {
		return nil, err
	}
	fs = fs[:min(q.Limit, len(fs))]
	es, err := s.read(ctx, fs, q.Audience == AudienceStaff)
	if err != nil {
		return nil, err
	}
	scores := make(map[uuid.UUID]float64, len(fs))
	for _, f := range fs {
		scores[f.id] = f.score
	}
	out := make([]Result, len(es))
	for i, e := range es {
		out[i] = e.result(q.Text, scores[e.Article.ID])
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
	Lang      string         // of the first article
	Text      string         // of an answer: the article's own words
	Citations []Citation     // one for an answer, up to three choices
	Score     float64        // of the best article, whatever the outcome
	Form      *decision.Form // of an answer: what it lets people find out about themselves; nil when it has none
}

// answerColumns bounds an answer taken from the body; a Han character takes two.
const answerColumns = 600

// Answer answers a citizen's question from public articles. It never fails for
// what was asked: nothing good is outcome none. Errors: the database's.
func (s *Service) Answer(ctx context.Context, text, lang string) (Answer, error) {
	text = cutQuestion(text)
	fs, err := s.find(ctx, Query{Text: text, Lang: lang, Audience: AudiencePublic})
	if err != nil {
		return Answer{}, err
	}
	fs = byScore(fs)
	scores := make([]float64, len(fs))
	for i, f := range fs {
		scores[i] = f.score
	}
	outcome, n := s.ThresholdsOf(questionLang(text, lang)).Decide(scores)
	es, err := s.read(ctx, fs[:n], false)
	if err != nil {
		return Answer{}, err
	}
	if len(es) == 0 {
		outcome, es = None, nil
	}
	a := Answer{Outcome: outcome, Citations: make([]Citation, 0, len(es))}
	if len(fs) > 0 {
		a.Score = math.Round(fs[0].score*1000) / 1000
	}
	for _, e := range es {
		a.Citations = append(a.Citations, e.result(text, 0).Citation())
	}
	if len(es) > 0 {
		a.Lang = es[0].Article.Lang
	}
	if outcome == Answered {
		a.Text, a.Form = AnswerText(es[0].Version), es[0].Version.Form
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
