package console

import (
	"context"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"hotline/internal/db"
	"hotline/internal/errs"
	"hotline/knowledge"
)

// suggested is an article, or a draft made of articles, that can be inserted.
type suggested struct {
	Kind       string
	Sources    []knowledge.Entry // one of an article; up to two of a draft
	Uses       []string          // the names of the suggestion in forms, one a source
	Percent    int
	Sure       string   // how sure: answers, may, far
	Why        []string // words of the question that the article has
	Snippet    knowledge.Snippet
	Insert     string // what goes into the composer
	Internal   bool   // for staff only: nothing of it goes to a citizen
	Translated bool   // it stands for the article of another language that was found
}

const maxSuggested = 4

// suggestions are what may answer a matter. What fails is said in the panel: the case beside it is worth more.
func (c *Console) suggestions(ctx context.Context, v View, m matter, query string) assistData {
	d := assistData{matter: m, Query: query}
	question := m.Question
	if query != "" {
		question = query
	}
	if strings.TrimSpace(question) == "" {
		return d
	}
	rows, err := c.findFor(ctx, v, m, question, query == "")
	if err != nil {
		c.Log.WarnContext(ctx, "suggestions", "error", err)
		d.Down = true
		return d
	}
	d.Rows = rows
	d.Draft = c.draftOf(v, m, question, rows)
	d.Model = c.machine(ctx, v, m, rows)
	return d
}

func (c *Console) findFor(ctx context.Context, v View, m matter, question string, own bool) ([]suggested, error) {
	gone := map[uuid.UUID]bool{}
	if own { // who searches for it may have it
		var err error
		if gone, err = c.Knowledge.DismissedFor(ctx, staff(v), m.Conversation, m.Ticket); err != nil {
			return nil, err
		}
	}
	found, err := c.Knowledge.Search(ctx, knowledge.Query{Text: question, Lang: m.Lang, Audience: knowledge.AudienceStaff, Limit: maxSuggested + len(gone)})
	if err != nil && errs.KindOf(err) != errs.Invalid {
		return nil, err
	}
	ids := make([]uuid.UUID, len(found))
	for i, one := range found {
		ids[i] = one.ID
	}
	entries, err := c.Knowledge.Servable(ctx, ids, true)
	if err != nil {
		return nil, err
	}
	at := make(map[uuid.UUID]knowledge.Entry, len(entries))
	for _, e := range entries {
		at[e.Article.ID] = e
	}
	var out []suggested
	seen := map[uuid.UUID]bool{}
	for _, one := range found {
		e, ok := at[one.ID]
		if !ok || len(out) == maxSuggested {
			continue
		}
		s := suggested{Kind: knowledge.AssistArticle, Percent: percent(one.Score), Sure: c.sure(one.Score, knowledge.QuestionLang(question, m.Lang)), Snippet: one.Snippet}
		s.Why = knowledge.Matched(question, e.Version.Title+"\n"+strings.Join(e.Version.Questions, "\n")+"\n"+strings.Join(e.Version.Keywords, "\n")+"\n"+e.Version.Summary+"\n"+knowledge.PlainText(e.Version.Body))
		if e, s.Translated, err = c.inLang(ctx, e, m.Lang); err != nil {
			return nil, err
		}
		if gone[one.ID] || gone[e.Article.ID] || seen[e.Article.ID] {
			continue
		}
		if s.Translated {
			s.Snippet = knowledge.Snippet{{Text: knowledge.AnswerText(e.Version)}}
		}
		seen[e.Article.ID] = true
		s.Sources, s.Internal = []knowledge.Entry{e}, e.Article.Audience == knowledge.AudienceStaff
		s.Uses = []string{use(s.Kind, e, len(out)+1, one.Score)}
		s.Insert = knowledge.AnswerText(e.Version)
		if m.form != formChat { // below a chat's message its source is a card, or a line where there are no cards
			s.Insert += "\n" + c.sourceLine(m.Lang, e)
		}
		out = append(out, s)
	}
	return out, nil
}

// inLang is the translation of an article in the citizen's language, where there is one.
func (c *Console) inLang(ctx context.Context, e knowledge.Entry, lang string) (knowledge.Entry, bool, error) {
	if knowledge.BaseLang(e.Article.Lang) == knowledge.BaseLang(lang) || e.Article.Key == "" {
		return e, false, nil
	}
	all, err := c.Knowledge.Translations(ctx, e.Article.Key, true)
	if err != nil {
		return e, false, err
	}
	for _, one := range all {
		if knowledge.BaseLang(one.Article.Lang) == knowledge.BaseLang(lang) {
			return one, true, nil
		}
	}
	return e, false, nil
}

// sure puts a score into words, by the thresholds of the bot.
func (c *Console) sure(score float64, lang string) string {
	switch t := c.Knowledge.ThresholdsOf(lang); {
	case score >= t.Good:
		return "answers"
	case score >= t.Close:
		return "may"
	}
	return "far"
}

func (c *Console) sourceLine(lang string, es ...knowledge.Entry) string {
	to := View{c: c, Lang: lang}
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = to.T("assist.source", "title", e.Version.Title, "n", e.Version.Number)
	}
	return strings.Join(lines, "\n")
}

// The codes of the ready-made replies that are forms for drafts. An installation without them uses those of the catalogue.
const (
	formTicket = "reply-form"
	formChat   = "chat-form"
)

// isForm: a form is filled by a draft and is no reply by itself.
func isForm(r cannedReply) bool { return r.Code == formTicket || r.Code == formChat }

// draftOf makes a reply of what the best articles say. Nothing is made of an article that is not near enough to be offered to a citizen, or
// that is not for citizens.
func (c *Console) draftOf(v View, m matter, question string, rows []suggested) *suggested {
	var of []suggested
	for _, s := range rows {
		if s.Internal || s.Sure == "far" {
			continue
		}
		// A second article speaks only where it is as sure as an answer, and about words that the first knows nothing of.
		if len(of) == 0 || len(of) == 1 && s.Sure == "answers" && adds(s.Why, of[0].Why) {
			of = append(of, s)
		}
	}
	if len(of) == 0 {
		return nil
	}
	d := &suggested{Kind: knowledge.AssistDraft, Percent: of[0].Percent, Sure: of[0].Sure}
	var parts []string
	for i, s := range of {
		e := s.Sources[0]
		d.Sources = append(d.Sources, e)
		d.Translated = d.Translated || s.Translated
		d.Uses = append(d.Uses, use(d.Kind, e, 0, float64(s.Percent)/100))
		if s.Translated && i == 0 { // its words are not the question's
			question = e.Version.Title
		}
		parts = append(parts, knowledge.Draft(question, e.Version))
	}
	d.Insert = c.fillForm(m, strings.Join(parts, "\n\n"), c.sourceLine(m.Lang, d.Sources...))
	return d
}

// adds reports whether words hold one that others lack.
func adds(words, others []string) bool {
	all := strings.ToLower(strings.Join(others, "\n"))
	for _, w := range words {
		if !strings.Contains(all, strings.ToLower(w)) {
			return true
		}
	}
	return false
}

// fillForm puts an answer into the jurisdiction's reply form, in the citizen's language.
func (c *Console) fillForm(m matter, answer, source string) string {
	words := View{c: c, Lang: m.Lang}.T("assist." + m.form)
	for _, one := range c.cannedReplies() {
		if one.Code == m.form && one.Text[m.Lang] != "" {
			words = one.Text[m.Lang]
		}
	}
	return strings.TrimSpace(strings.NewReplacer("{answer}", answer, "{source}", source, "{number}", m.fill["number"], "{agency}", m.fill["agency"],
		"{officer}", m.fill["officer"], "{due}", m.fill["due"]).Replace(words))
}

// use names a suggestion in a form: what it is, and a fresh id under which its acts are recorded.
func use(kind string, e knowledge.Entry, place int, score float64) string {
	return strings.Join([]string{db.NewID().String(), kind, e.Article.ID.String(), itoa(e.Version.Number), itoa(place), strconv.FormatFloat(score, 'f', 3, 64)}, ":")
}
