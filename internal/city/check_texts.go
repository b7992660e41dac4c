package city

import (
	"net/mail"
	"slices"
	"strings"
)

func (c City) checkUsers(k *checker, agencies map[string]bool) {
	k.open("users.json")
	seen := map[string]bool{}
	for i, u := range c.Users {
		k.at(i)
		if _, err := mail.ParseAddress(u.Email); err != nil {
			k.fail(u.Email, "email: this is no address")
		}
		if at := strings.ToLower(u.Email); seen[at] {
			k.fail(u.Email, "email is used twice")
		} else {
			seen[at] = true
		}
		if strings.TrimSpace(u.Name) == "" {
			k.fail(u.Email, "name is empty")
		}
		k.text(u.Email, "names", u.Names)
		k.eachOf(u.Email, "roles", u.Roles, roles)
		k.known(u.Email, "agency", u.Agency, agencies)
		k.oneOf(u.Email, "lang", u.Lang, k.langs)
	}
}

func (c City) checkCanned(k *checker) {
	k.open("canned.json")
	seen := map[string]bool{}
	for i, r := range c.Canned {
		k.at(i)
		k.text(r.Code, "names", r.Names)
		k.text(r.Code, "text", r.Text)
		var first []string
		form, known := slices.Contains(replyForms, r.Code), placeholders
		if form {
			known = formPlaceholders
		}
		for i, lang := range k.langs {
			used := usedPlaceholders(r.Text[lang])
			for _, name := range used {
				k.oneOf(r.Code, "placeholder in "+lang, name, known)
			}
			if form && !slices.Contains(used, "answer") {
				k.fail(r.Code, "text: %s has no place for {answer}", lang)
			}
			if i == 0 {
				first = used
			} else if !slices.Equal(first, used) {
				k.fail(r.Code, "text: %s uses %v, %s uses %v", k.langs[0], first, lang, used)
			}
		}
		k.add(seen, plainCode, r.Code)
	}
}

func usedPlaceholders(text string) []string {
	var used []string
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		used = append(used, m[1])
	}
	slices.Sort(used)
	return slices.Compact(used)
}

// checkSynonyms wants each term in one set only: an index that expands terms
// cannot tell which of two sets is meant.
func (c City) checkSynonyms(k *checker) {
	k.open("synonyms.json")
	seen := map[string]bool{}
	for i, s := range c.Synonyms {
		k.at(i)
		name := strings.Join(s.Terms, ", ")
		k.oneOf(name, "lang", s.Lang, k.langs)
		if len(s.Terms) < 2 {
			k.fail(name, "a set needs two terms")
		}
		for _, t := range s.Terms {
			if strings.TrimSpace(t) == "" {
				k.fail(name, "an empty term")
			}
			if at := s.Lang + " " + strings.ToLower(t); seen[at] {
				k.fail(name, "%q stands in two sets or twice in one", t)
			} else {
				seen[at] = true
			}
		}
	}
}

// checkArticles wants a translation of each article in every language, with the
// same owner, audience and services: a citizen gets the same answer in each.
func (c City) checkArticles(k *checker, agencies, services map[string]bool) {
	type id struct{ key, lang string }
	first := map[string]Article{}
	seen := map[id]string{}
	for _, a := range c.Articles {
		k.open("articles/" + a.Lang + "/" + a.Slug + ".md")
		if !plainCode.MatchString(a.Key) {
			k.fail(a.Key, "key does not have the form %s", plainCode)
		}
		k.oneOf(a.Key, "lang", a.Lang, k.langs)
		if other := seen[id{a.Key, a.Lang}]; other != "" {
			k.fail(a.Key, "key stands in %s too", other)
		}
		seen[id{a.Key, a.Lang}] = k.file
		for _, f := range [][2]string{{"title", a.Title}, {"body", a.Body}} {
			if strings.TrimSpace(f[1]) == "" {
				k.fail(a.Key, "%s is empty", f[0])
			}
		}
		for _, f := range [][2]string{{"summary", a.Summary}, {"topic", a.Topic}, {"owner", a.Owner}} {
			if strings.TrimSpace(f[1]) == "" {
				k.advise(a.Key, "%s is empty", f[0])
			}
		}
		if a.Owner != "" {
			k.known(a.Key, "owner", a.Owner, agencies)
		}
		k.oneOf(a.Key, "audience", a.Audience, audiences)
		for i, s := range a.Services {
			k.known(a.Key, "services", s, services)
			if slices.Contains(a.Services[:i], s) {
				k.fail(a.Key, "services names %q twice", s)
			}
		}
		other, ok := first[a.Key]
		if !ok {
			first[a.Key] = a
			continue
		}
		if a.Owner != other.Owner || a.Audience != other.Audience || !slices.Equal(a.Services, other.Services) {
			k.fail(a.Key, "owner, audience and services must be the same as in %s", other.Lang)
		}
	}
	for _, a := range c.Articles {
		for _, lang := range k.langs {
			if seen[id{a.Key, lang}] == "" {
				k.open("articles/" + a.Lang + "/" + a.Slug + ".md")
				k.advise(a.Key, "has no translation into %s", lang)
			}
		}
	}
}
