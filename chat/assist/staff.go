package assist

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/google/uuid"

	"hotline/chat/bot"
	"hotline/internal/errs"
	"hotline/internal/llm"
	"hotline/knowledge/ground"
)

// ErrNothing: the model answered, and nothing of it stands in the sources.
var ErrNothing = errs.New(errs.Unavailable, "assist.nothing", "the language model found nothing in the articles that answers this")

// Asker is the member of staff on whose behalf a model is asked, and what must not leave.
type Asker struct {
	User  uuid.UUID
	Known []string // the contact's names and addresses
}

// Entry is one of a ticket's timeline, oldest first.
type Entry struct {
	At   string // as it is shown
	By   string // citizen, bot, staff, agency, system
	Text string
}

// Words is what a model wrote for staff.
type Words struct {
	Text     string
	Sources  []bot.Citation // of a draft: what its marks [1], [2]… count
	Entries  []int          // of a summary: the entries it rests on, from 1
	Withheld int            // sentences that did not stand in the sources and were left out
	Call     uuid.UUID      // in the record
}

// Summarize says in a few sentences what a case is about and where it stands; each sentence rests on an entry, or is left out.
// Errors: ErrNothing, those of llm.
func (s *Service) Summarize(ctx context.Context, by Asker, entries []Entry, lang string) (Words, error) {
	var b strings.Builder
	var given []ground.Source
	left := maxEntries
	// The first entry says what it is about; of a long case the newest say where it stands.
	keep := make([]bool, len(entries))
	for _, i := range order(len(entries)) {
		n := len([]rune(entries[i].Text))
		if n > left {
			continue
		}
		left -= n
		keep[i] = true
	}
	for i, e := range entries {
		given = append(given, ground.Source{Title: e.At + " " + e.By, Text: e.Text})
		if keep[i] {
			fmt.Fprintf(&b, "<entry number=\"%d\" at=\"%s\" by=\"%s\">\n%s\n</entry>\n", i+1, data(e.At, 40), data(e.By, 20), data(e.Text, maxEntries))
		}
	}
	res, err := s.llm.Complete(ctx, llm.Request{Use: llm.UseSummary, Prompt: promptSummary, Known: by.Known, By: by.User, MaxTokens: 500,
		Messages: []llm.Message{{Role: llm.System, Text: prompt("summary", "{language}", language(lang))}, {Role: llm.User, Text: b.String()}}})
	if err != nil {
		return Words{Call: res.Call}, err
	}
	out := Words{Call: res.Call}
	checked := ground.Read(given)
	for _, sentence := range ground.Split(res.Text) {
		v := checked.Check(sentence)
		if !v.Supported || strange(sentence) {
			out.Withheld++
			continue
		}
		out.Text += gap(out.Text, v.Text) + v.Text
		for _, m := range v.Marks {
			if !slices.Contains(out.Entries, m) {
				out.Entries = append(out.Entries, m)
			}
		}
	}
	if out.Text == "" {
		return out, ErrNothing
	}
	return out, nil
}

// order is the first, then from the last backwards.
func order(n int) []int {
	var out []int
	if n > 0 {
		out = append(out, 0)
	}
	for i := n - 1; i > 0; i-- {
		out = append(out, i)
	}
	return out
}

// DraftReply drafts an answer to a ticket's text from articles. A sentence that states something an article does not is left out, and counted.
// Errors: ErrNothing, those of llm and of reading the articles.
func (s *Service) DraftReply(ctx context.Context, by Asker, ticket string, found []bot.Citation, lang string) (Words, error) {
	if !s.llm.Has(ctx, llm.UseDraft) {
		return Words{}, llm.ErrNoModel
	}
	articles, cards, err := s.found(ctx, found)
	if err != nil {
		return Words{}, err
	}
	if len(articles) == 0 {
		return Words{}, ErrNothing
	}
	text, checked, record := sources(articles)
	style := s.style()
	res, err := s.llm.Complete(ctx, llm.Request{Use: llm.UseDraft, Prompt: promptDraft, Known: by.Known, By: by.User, Sources: record,
		Messages: []llm.Message{
			{Role: llm.System, Text: prompt("draft", "{language}", language(lang), "{tone}", cmp.Or(style.Tone, DefaultTone), "{sentences}", strconv.Itoa(max(8, style.Sentences)))},
			{Role: llm.User, Text: text + "<ticket>\n" + data(ticket, maxSourceText) + "\n</ticket>"},
		}})
	if err != nil {
		return Words{Call: res.Call}, err
	}
	w := writer{checked: checked, limit: 20}
	for _, sentence := range ground.Split(res.Text) {
		w.take(sentence)
	}
	out := Words{Text: w.text.String(), Withheld: w.withheld, Call: res.Call}
	for _, n := range w.order {
		out.Sources = append(out.Sources, cards[n-1])
	}
	if w.none || w.told == 0 {
		return Words{Withheld: w.withheld, Call: res.Call}, ErrNothing
	}
	return out, nil
}

// Translate puts a message into another language. What cannot differ (figures, links, addresses) is compared: a translation that lost or
// invented one is refused. Errors: ErrNothing, those of llm.
func (s *Service) Translate(ctx context.Context, by Asker, text, lang string) (Words, error) {
	res, err := s.llm.Complete(ctx, llm.Request{Use: llm.UseTranslate, Prompt: promptTranslate, Known: by.Known, By: by.User,
		Messages: []llm.Message{{Role: llm.System, Text: prompt("translate", "{language}", language(lang))}, {Role: llm.User, Text: "<text>\n" + data(text, maxSourceText) + "\n</text>"}}})
	if err != nil {
		return Words{Call: res.Call}, err
	}
	out := strings.TrimSpace(strings.NewReplacer("<text>", "", "</text>", "").Replace(res.Text))
	if out == "" || !ground.SameFacts(data(text, maxSourceText), out) || strange(out) && !strange(text) {
		return Words{Call: res.Call}, ErrNothing
	}
	return Words{Text: out, Call: res.Call}, nil
}

type questionsShape struct {
	Questions []string `json:"questions" description:"8 questions, each at most 120 characters"`
}

var questionsSchema = llm.SchemaOf[questionsShape]("questions")

// Proposal is a list of questions for an editor to pick from.
type Proposal struct {
	Questions []string
	Call      uuid.UUID
}

// ProposeQuestions gives questions that an article answers, in citizens' words, without those it has. Errors: ErrNothing, those of llm.
func (s *Service) ProposeQuestions(ctx context.Context, by Asker, a Article, have []string) (Proposal, error) {
	text, checked, record := sources([]Article{a})
	res, err := s.llm.Complete(ctx, llm.Request{Use: llm.UseQuestions, Prompt: promptQuestions, By: by.User, Sources: record, Schema: questionsSchema,
		Messages: []llm.Message{{Role: llm.System, Text: prompt("questions", "{language}", language(a.Lang))}, {Role: llm.User, Text: text}}})
	if err != nil {
		return Proposal{Call: res.Call}, err
	}
	out := Proposal{Call: res.Call}
	var shape questionsShape
	if err := json.Unmarshal([]byte(res.Text), &shape); err != nil {
		return out, llm.ErrBadAnswer.Wrap(err)
	}
	known := map[string]bool{}
	for _, q := range append(slices.Clone(have), a.Title) {
		known[key(q)] = true
	}
	for _, q := range shape.Questions {
		q = strings.Join(strings.Fields(data(q, 400)), " ")
		if k := key(q); k == "" || known[k] || len([]rune(q)) > 160 || !checked.About(q) || strange(q) {
			continue
		}
		known[key(q)] = true
		if out.Questions = append(out.Questions, q); len(out.Questions) == 12 {
			break
		}
	}
	if len(out.Questions) == 0 {
		return out, ErrNothing
	}
	return out, nil
}

// key is a question without what does not matter to it.
func key(q string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, q)
}

type extractShape struct {
	Category *string `json:"category" description:"code of the category that fits best"`
	Place    *string `json:"place" description:"where it is, copied from the text word by word"`
	Kind     *string `json:"kind" enum:"consult|help|complaint|report|suggestion|praise"`
	Urgent   bool    `json:"urgent" description:"somebody may come to harm within hours"`
}

var extractSchema = llm.SchemaOf[extractShape]("facts")

// Facts is what a text says about its matter; empty where it says nothing.
type Facts struct {
	Category string // one of those offered
	Place    string // a part of the text, letter by letter
	Kind     string
	Urgent   bool // a hint for a person; the emergency detector does not depend on it
	Call     uuid.UUID
}

// Category is one to choose from.
type Category struct{ Code, Name string }

// Extract reads kind, category and place out of a text. A category that was not offered and a place that does not stand in the text are
// dropped: the citizen's own words are never overruled. Errors: those of llm.
func (s *Service) Extract(ctx context.Context, by Asker, text string, categories []Category) (Facts, error) {
	schema := extractSchema
	var list strings.Builder
	if len(categories) > 0 {
		codes := make([]string, 0, len(categories))
		for _, c := range categories[:min(len(categories), 200)] {
			codes = append(codes, c.Code)
			fmt.Fprintf(&list, "%s: %s\n", data(c.Code, 60), data(c.Name, 80))
		}
		schema = schema.Choose("category", codes)
	}
	res, err := s.llm.Complete(ctx, llm.Request{Use: llm.UseExtract, Prompt: promptExtract, Known: by.Known, By: by.User, Schema: schema, MaxTokens: 300,
		Messages: []llm.Message{{Role: llm.System, Text: prompt("extract") + "\n\nCategories:\n" + list.String()}, {Role: llm.User, Text: "<text>\n" + data(text, maxQuestion) + "\n</text>"}}})
	if err != nil {
		return Facts{Call: res.Call}, err
	}
	out := Facts{Call: res.Call}
	var shape extractShape
	if err := json.Unmarshal([]byte(res.Text), &shape); err != nil {
		return out, llm.ErrBadAnswer.Wrap(err)
	}
	if c := shape.Category; c != nil && slices.ContainsFunc(categories, func(x Category) bool { return x.Code == *c }) {
		out.Category = *c
	}
	if p := shape.Place; p != nil && len([]rune(*p)) >= 2 && strings.Contains(text, *p) {
		out.Place = *p
	}
	if shape.Kind != nil {
		out.Kind = *shape.Kind
	}
	out.Urgent = shape.Urgent
	return out, nil
}
