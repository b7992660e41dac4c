package assist

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"hotline/chat/bot"
	"hotline/internal/llm"
	"hotline/knowledge/ground"
)

// Answer implements bot.LLM: it words an answer from the articles that were found, sentence by sentence; say hears the text so far, which holds
// checked sentences only. No text and no error means that the sources do not answer, or that too little of what the model said stands in them.
// A model that fails is recorded and logged by llm and no error here. Errors: of reading the articles.
func (s *Service) Answer(ctx context.Context, q bot.Grounding, say func(soFar string)) (bot.Grounded, error) {
	if !s.llm.Has(ctx, llm.UseAnswer) {
		return bot.Grounded{}, nil
	}
	articles, cards, err := s.found(ctx, q.Found)
	if err != nil || len(articles) == 0 {
		return bot.Grounded{}, err
	}
	text, checked, record := sources(articles)
	style := s.style()
	style.Tone, style.Sentences = cmp.Or(style.Tone, DefaultTone), cmp.Or(style.Sentences, DefaultSentences)
	w := writer{checked: checked, say: say, limit: style.Sentences + 2}
	var split ground.Splitter
	res, err := s.llm.Stream(ctx, llm.Request{Use: llm.UseAnswer, Prompt: promptAnswer, Sources: record, MaxTokens: 120 * style.Sentences, Known: q.Known,
		Messages: []llm.Message{
			{Role: llm.System, Text: prompt("answer", "{language}", language(q.Lang), "{tone}", style.Tone, "{sentences}", strconv.Itoa(style.Sentences))},
			{Role: llm.User, Text: text + "<question>\n" + data(q.Question, maxQuestion) + "\n</question>"},
		}}, func(piece string) {
		for _, sentence := range split.Push(piece) {
			w.take(sentence)
		}
	})
	if err != nil {
		return bot.Grounded{}, nil
	}
	if res.Full { // the last sentence of an answer that was cut off is half of one
		for _, sentence := range split.Flush() {
			w.take(sentence)
		}
	}
	out := bot.Grounded{Call: res.Call.String()}
	if w.none || w.told == 0 || w.withheld > w.told {
		return out, nil
	}
	out.Text = w.text.String()
	for _, n := range w.order {
		out.Citations = append(out.Citations, cards[n-1])
	}
	return out, nil
}

// found reads the cited articles as they are served now. An article that changed since it was found is taken as it is now.
func (s *Service) found(ctx context.Context, cited []bot.Citation) ([]Article, []bot.Citation, error) {
	var ids []uuid.UUID
	card := map[uuid.UUID]bot.Citation{}
	for _, c := range cited[:min(len(cited), maxSources)] {
		if id, err := uuid.Parse(c.ArticleID); err == nil {
			ids = append(ids, id)
			card[id] = c
		}
	}
	if len(ids) == 0 {
		return nil, nil, nil
	}
	articles, err := s.articles(ctx, ids)
	if err != nil {
		return nil, nil, fmt.Errorf("assist: articles: %w", err)
	}
	var cards []bot.Citation
	for _, a := range articles {
		c := card[a.ID]
		c.ArticleID, c.Version, c.Title = a.ID.String(), a.Version, a.Title
		cards = append(cards, c)
	}
	return articles, cards, nil
}

// writer keeps what passes, with the marks counted anew by the order of their first use: they are the numbers of the cards below the answer.
type writer struct {
	checked  *ground.Text
	say      func(string)
	limit    int
	text     strings.Builder
	order    []int // sources in the order of their first use
	told     int
	withheld int
	none     bool
	why      []string
	held     string // a part that ends in a semicolon and has no mark: the mark of the part behind it is for both
}

// part is a piece of a sentence that goes on behind a semicolon, and has no mark of its own.
var part = regexp.MustCompile(`^[^\[【［]*[;；]\s*$`)

func (w *writer) take(sentence string) {
	if strings.Contains(sentence, "NO_ANSWER") {
		w.none = true
	}
	if w.none || w.told >= w.limit {
		return
	}
	if part.MatchString(sentence) { // half of a sentence is not told without the other half
		if w.held += sentence; strings.HasSuffix(sentence, ";") {
			w.held += " "
		}
		return
	}
	sentence, w.held = w.held+sentence, ""
	v := w.checked.Check(sentence)
	if strange(sentence) {
		v.Supported, v.Why = false, "placeholder"
	}
	if !v.Supported {
		w.withheld++
		w.why = append(w.why, v.Why)
		return
	}
	w.told++
	w.text.WriteString(gap(w.text.String(), v.Text))
	w.text.WriteString(marked(v.Text, w.numbers(v.Marks)))
	if w.say != nil {
		w.say(w.text.String())
	}
}

func (w *writer) numbers(marks []int) []int {
	var out []int
	for _, m := range marks {
		at := -1
		for i, o := range w.order {
			if o == m {
				at = i
			}
		}
		if at < 0 {
			w.order = append(w.order, m)
			at = len(w.order) - 1
		}
		out = append(out, at+1)
	}
	return out
}

// marked puts the marks before the sign that ends the sentence.
func marked(text string, marks []int) string {
	last, size := utf8.DecodeLastRuneInString(text)
	end := ""
	if strings.ContainsRune(".!?。！？；;", last) {
		text, end = text[:len(text)-size], text[len(text)-size:]
	}
	var b strings.Builder
	b.WriteString(text)
	if last < utf8.RuneSelf {
		b.WriteByte(' ')
	}
	for _, m := range marks {
		b.WriteString("[" + strconv.Itoa(m) + "]")
	}
	return b.String() + end
}

// gap is what stands between two sentences: nothing in Chinese, a blank elsewhere.
func gap(before, after string) string {
	last, _ := utf8.DecodeLastRuneInString(before)
	first, _ := utf8.DecodeRuneInString(after)
	if before == "" || strings.ContainsRune("。！？；", last) && unicode.Is(unicode.Han, first) {
		return ""
	}
	return " "
}
