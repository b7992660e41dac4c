package city

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"hotline/internal/decision"
)

type frontMatter struct {
	Key       string   `yaml:"key"`
	Lang      string   `yaml:"lang"`
	Title     string   `yaml:"title"`
	Summary   string   `yaml:"summary"`
	Owner     string   `yaml:"owner"`
	Topic     string   `yaml:"topic"`
	Keywords  []string `yaml:"keywords"`
	Questions []string `yaml:"questions"`
	Services  []string `yaml:"services"`
	ValidFrom string   `yaml:"valid_from"`
	ValidTo   string   `yaml:"valid_to"`
	Audience  string   `yaml:"audience"`
	Form      string   `yaml:"form,omitempty"` // a decision form
}

// readArticles reads root/LANG/SLUG.md. Editors' own notes belong elsewhere: a
// file of another kind in there is an error, so that a misnamed article is seen.
func readArticles(folder fs.FS, root string) ([]Article, error) {
	var articles []Article
	var broken []error
	if _, err := fs.Stat(folder, root); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	err := fs.WalkDir(folder, root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		a, err := readArticle(folder, root, name)
		if err != nil {
			broken = append(broken, fmt.Errorf("%s: %w", name, err))
			return nil
		}
		articles = append(articles, a)
		return nil
	})
	return articles, errors.Join(append(broken, err)...)
}

func readArticle(folder fs.FS, root, name string) (Article, error) {
	if path.Ext(name) != ".md" {
		return Article{}, errors.New("not a .md file")
	}
	raw, err := fs.ReadFile(folder, name)
	if err != nil {
		return Article{}, err
	}
	// An editor on another system may have saved CRLF or a byte order mark.
	text := strings.ReplaceAll(strings.TrimPrefix(string(raw), "\ufeff"), "\r\n", "\n")
	rest, ok := strings.CutPrefix(text, "---\n")
	if !ok {
		return Article{}, errors.New("the first line must be ---")
	}
	head, body, ok := strings.Cut(rest, "\n---\n")
	if !ok {
		return Article{}, errors.New("the front matter has no closing --- line")
	}
	var fm frontMatter
	dec := yaml.NewDecoder(bytes.NewReader([]byte(head)))
	dec.KnownFields(true)
	if err := dec.Decode(&fm); err != nil {
		return Article{}, fmt.Errorf("front matter: %w", err)
	}
	if dir := path.Dir(name); dir != path.Join(root, fm.Lang) {
		return Article{}, fmt.Errorf("lang %q does not match the folder %s", fm.Lang, dir)
	}
	a := Article{
		Key: fm.Key, Lang: fm.Lang, Slug: strings.TrimSuffix(path.Base(name), ".md"),
		Title: fm.Title, Summary: fm.Summary, Owner: fm.Owner, Topic: fm.Topic,
		Keywords: fm.Keywords, Questions: fm.Questions, Services: fm.Services,
		Audience: fm.Audience, Body: strings.TrimSpace(body),
	}
	form, problems := decision.Parse(fm.Form)
	if len(problems) > 0 {
		return Article{}, fmt.Errorf("form, line %v: %s", problems[0].Args["line"], problems[0].Message)
	}
	if form != nil {
		a.Form = form.Source
	}
	if fm.ValidFrom != "" {
		if a.ValidFrom, err = day("valid_from", fm.ValidFrom); err != nil {
			return Article{}, err
		}
	}
	if fm.ValidTo != "" {
		if a.ValidTo, err = day("valid_to", fm.ValidTo); err != nil {
			return Article{}, err
		}
		if a.ValidTo.Before(a.ValidFrom) {
			return Article{}, errors.New("valid_to lies before valid_from")
		}
	}
	return a, nil
}

// day parses a calendar day. It carries no zone of its own: the loader reads it
// in the jurisdiction's.
func day(field, s string) (time.Time, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s %q: want YYYY-MM-DD", field, s)
	}
	return t, nil
}
