package knowledge

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"hotline/internal/db"
)

// Cleaned is a text as it is kept and shown: without control characters and those that turn text round.
func (t Text) Cleaned() Text {
	t.Title, t.Summary, t.Body = clean(t.Title), clean(t.Summary), cleanText(t.Body)
	t.Keywords, t.Questions = cleanAll(t.Keywords), cleanAll(t.Questions)
	return t
}

// normalize cleans a text and checks it. Errors: ErrTextMissing,
// ErrTextTooLong, ErrAudience, ErrValidity, each naming its field.
func (t Text) normalize() (Text, error) {
	t = t.Cleaned()
	if t.Title == "" {
		return t, ErrTextMissing.On("title")
	}
	if t.Body == "" && t.Summary == "" {
		return t, ErrTextMissing.On("body")
	}
	for _, f := range []struct {
		name, value string
		max         int
	}{{"title", t.Title, MaxTitle}, {"summary", t.Summary, MaxSummary}, {"body", t.Body, MaxBody}} {
		if utf8.RuneCountInString(f.value) > f.max {
			return t, ErrTextTooLong.On(f.name).With("limit", f.max)
		}
	}
	for name, list := range map[string][]string{"keywords": t.Keywords, "questions": t.Questions} {
		limit := MaxKeyword
		if name == "questions" {
			limit = MaxQuestion
		}
		if e := checkList(name, list, limit); e != nil {
			return t, ErrTextTooLong.On(name).With("limit", e.Args["limit"])
		}
	}
	if t.Audience != "" && t.Audience != AudiencePublic && t.Audience != AudienceStaff {
		return t, ErrAudience.On("audience")
	}
	if t.ValidFrom != nil && t.ValidTo != nil && t.ValidTo.Before(*t.ValidFrom) {
		return t, ErrValidity.On("valid_to")
	}
	return t, nil
}

var slugForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

const maxSlug = 80

// normalize cleans an article's head and gives it an address where it has
// none. Errors: ErrLang, ErrAudience, ErrSlug, ErrTextTooLong.
func (a Article) normalize(title string) (Article, error) {
	a.Key, a.Topic, a.ExternalID = clean(a.Key), clean(a.Topic), clean(a.ExternalID)
	a.Lang = strings.TrimSpace(a.Lang)
	if a.Lang == "zh" {
		a.Lang = "zh-CN" // what stored data calls it
	}
	if !langTag.MatchString(a.Lang) {
		return a, ErrLang.On("lang")
	}
	if a.Audience == "" {
		a.Audience = AudiencePublic
	}
	if a.Audience != AudiencePublic && a.Audience != AudienceStaff {
		return a, ErrAudience.On("audience")
	}
	if utf8.RuneCountInString(a.Topic) > maxTopic {
		return a, ErrTextTooLong.On("topic").With("limit", maxTopic)
	}
	if a.ReviewMonths < 0 || a.ReviewMonths > 120 {
		return a, ErrSettings.On("review_months").With("limit", 120)
	}
	if utf8.RuneCountInString(a.Key) > maxImportID {
		return a, ErrTextTooLong.On("key").With("limit", maxImportID)
	}
	a.Services = cleanAll(a.Services)
	if a.Slug == "" {
		a.Slug = newSlug(a.Key, title, a.Lang)
	}
	if len(a.Slug) > maxSlug || !slugForm.MatchString(a.Slug) {
		return a, ErrSlug.On("slug")
	}
	return a, nil
}

// newSlug makes an address out of the key or the title, made unique by the
// random end of an id: Chinese titles have no letters to take.
func newSlug(key, title, lang string) string {
	base := slugWords(key)
	if base == "" {
		base = slugWords(title)
	}
	id := db.NewID().String()
	if base != "" {
		base += "-"
	}
	return base + BaseLang(lang) + "-" + id[len(id)-8:]
}

func slugWords(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case unicode.IsSpace(r) || strings.ContainsRune("-_/.", r):
			if n := b.Len(); n > 0 && b.String()[n-1] != '-' {
				b.WriteByte('-')
			}
		}
		if b.Len() >= 48 {
			break
		}
	}
	return strings.Trim(b.String(), "-")
}
