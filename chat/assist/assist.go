// Package assist is what a language model does for people here: it words answers from articles for citizens, and summaries, drafts, translations,
// questions and facts for staff.
//
// What a model says is never believed. Sentences for citizens, and drafts, pass knowledge/ground or are withheld; a category must be one of those
// offered and a place must stand in the citizen's own words. Texts that come from people or articles are data between marks and are said to be
// so; that a model may obey them all the same is taken for granted, and the checks do not depend on it. Every function returns the id of the
// recorded call, and llm's error when no model is there: every caller has a way without.
//
// It may import knowledge, knowledge/ground, chat/bot and internal/llm. It writes nothing.
package assist

import (
	"context"
	"embed"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"hotline/internal/llm"
	"hotline/internal/redact"
	"hotline/knowledge/ground"
)

// Article is a source as it is served at the moment.
type Article struct {
	ID      uuid.UUID
	Version int
	Lang    string
	Title   string
	URL     string
	Summary string
	Text    string // Markdown
}

// What stands where a Style says nothing.
const (
	DefaultTone      = "friendly and plain"
	DefaultSentences = 6
)

// Style is how answers sound in a jurisdiction; data of the installation.
type Style struct {
	Tone      string // in words, to the model: "formal", "warm and plain"
	Sentences int    // of an answer at most
}

// Deps are what New needs.
type Deps struct {
	LLM *llm.Service
	// Articles gives the published, public, undisputed ones among the ids, in their order.
	Articles func(ctx context.Context, ids []uuid.UUID) ([]Article, error)
	// Style may be nil.
	Style func() Style
}

// Service asks models for people.
type Service struct {
	llm      *llm.Service
	articles func(context.Context, []uuid.UUID) ([]Article, error)
	style    func() Style
}

// New makes a service.
func New(d Deps) *Service {
	if d.Style == nil {
		d.Style = func() Style { return Style{} }
	}
	return &Service{llm: d.LLM, articles: d.Articles, style: d.Style}
}

// Has reports whether a model is set up for a use: whether to offer the button.
func (s *Service) Has(ctx context.Context, u llm.Use) bool { return s.llm.Has(ctx, u) }

//go:embed prompts/*.txt
var promptFiles embed.FS

// prompt gives the instructions of a use with their values. The version is raised with every change of a text: it is in the record.
func prompt(name string, pairs ...string) string {
	raw, err := promptFiles.ReadFile("prompts/" + name + ".txt")
	if err != nil {
		panic(err) // the file is part of the program
	}
	return strings.NewReplacer(pairs...).Replace(string(raw))
}

// versions of the prompts.
const (
	promptAnswer    = "answer/1"
	promptDraft     = "draft/1"
	promptSummary   = "summary/1"
	promptTranslate = "translate/1"
	promptQuestions = "questions/1"
	promptExtract   = "extract/1"
	promptRewrite   = "rewrite/1"
)

// Bounds of what is sent, in characters.
const (
	maxSources    = 4
	maxSourceText = 4000
	maxQuestion   = 2000
	maxEntries    = 12_000
)

// data makes a text harmless as a part of a prompt: it cannot close the mark that it stands in, and nothing in it is invisible.
func data(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '<':
			return '‹'
		case r == '>':
			return '›'
		case r >= 0x200B && r <= 0x200F, r >= 0x202A && r <= 0x202E, r >= 0x2060 && r <= 0x206F, r == 0xFEFF, r >= 0xE0000 && r <= 0xE0FFF, r < 0x20 && r != '\n' && r != '\t':
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return cut(s, limit)
}

func cut(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit])
}

// sources writes articles as data and gives what a sentence about them is checked against: exactly what the model was shown.
func sources(articles []Article) (text string, checked *ground.Text, record []string) {
	var b strings.Builder
	var given []ground.Source
	for i, a := range articles[:min(len(articles), maxSources)] {
		body := a.Text
		if a.Summary != "" {
			body = a.Summary + "\n\n" + body
		}
		body = cut(factual(body), maxSourceText)
		a.Title = factual(a.Title)
		fmt.Fprintf(&b, "<source number=\"%d\">\nTitle: %s\n%s\n</source>\n", i+1, strings.ReplaceAll(data(a.Title, 300), "\n", " "), data(body, maxSourceText))
		given = append(given, ground.Source{Title: a.Title, Text: body})
		record = append(record, fmt.Sprintf("%s@%d", a.ID, a.Version))
	}
	return b.String(), ground.Read(given), record
}

// instruction knows sentences that speak to a model. An article speaks to citizens: what it says to anybody else is neither shown nor proof.
var instruction = regexp.MustCompile(`(?i)\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:instructions?|rules?|prompts?|above|previous)\b|\bsystem prompt|\bsystem\s*:|\bassistant\s*:|\byou are now\b|\bas an ai\b|\bdeveloper mode\b|\bjailbreak|\bnew instructions?\b|<\|?/?(?:im_start|im_end|system|source|question)|忽略.{0,8}(?:指令|规则|提示|以上|之前)|无视.{0,8}(?:指令|规则|提示)|系统提示|提示词|你现在是|开发者模式|新的指令|作为(?:一个|一名)?\s*(?:AI|人工智能)|越狱`)

// factual leaves sentences out that speak to a model, and comments that people do not see.
func factual(s string) string {
	s = hiddenComment.ReplaceAllString(s, " ")
	if !instruction.MatchString(s) {
		return s
	}
	var out []string
	for _, line := range strings.Split(s, "\n") {
		if instruction.MatchString(line) {
			kept := ""
			for _, sentence := range ground.Split(line) {
				if !instruction.MatchString(sentence) {
					kept += sentence + " "
				}
			}
			line = strings.TrimSpace(kept)
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

var hiddenComment = regexp.MustCompile(`(?s)<!--.*?(?:-->|$)`)

// strange reports a placeholder that the model made up.
func strange(s string) bool { return redact.New().Strange(s) }

// language names a language to a model.
func language(lang string) string {
	switch {
	case strings.HasPrefix(lang, "zh"):
		return "Simplified Chinese"
	case lang == "" || strings.HasPrefix(lang, "en"):
		return "English"
	}
	return "the language with the tag " + data(lang, 20)
}
