package bot

import (
	"slices"
	"strings"
)

// reading is a message with everything the cues and patterns say about it.
type reading struct {
	text     string
	toks     []token
	found    []match
	question bool
	code     codeGuess
	phone    string
	email    string
	place    string
	leaning  bool // "I mean …" stood before it: it goes on with what was told
}

func (l *lexicon) read(text string) reading {
	r := reading{text: clean(text)}
	r.toks = l.tokens(r.text)
	r.found = affirmed(l.find(r.toks))
	r.question = strings.ContainsAny(r.text, "?？") || r.has("question")
	r.code = findCode(r.text)
	r.email = findEmail(r.text)
	r.phone = findPhone(r.text)
	r.place = l.findPlace(r.text)
	return r
}

// affirmed leaves out what a text says that it is not, "this is not a complaint", 我不是要投诉, and question words that ask nothing: 好几天.
func affirmed(found []match) []match {
	denied := map[string][]match{}
	for _, m := range found {
		if m.class == "no_matter" || m.class == "no_question" {
			denied[m.class] = append(denied[m.class], m)
		}
	}
	if len(denied) == 0 {
		return found
	}
	return slices.DeleteFunc(found, func(m match) bool {
		by := ""
		switch {
		case strings.HasPrefix(m.class, "kind."), m.class == "file", m.class == "insist":
			by = "no_matter"
		case m.class == "question", m.class == "aspect.duration":
			by = "no_question"
		}
		return slices.ContainsFunc(denied[by], func(d match) bool { return m.from < d.to && d.from < m.to })
	})
}

// has reports whether a cue of one of the classes occurs.
func (r *reading) has(classes ...string) bool {
	for _, m := range r.found {
		if slices.Contains(classes, m.class) {
			return true
		}
	}
	return false
}

// rest counts the words that neither the classes nor fillers explain.
func (r *reading) rest(classes ...string) int {
	covered := make([]bool, len(r.toks))
	for _, m := range r.found {
		if m.class == "filler" || slices.Contains(classes, m.class) {
			for i := m.from; i < m.to; i++ {
				covered[i] = true
			}
		}
	}
	n := 0
	for _, c := range covered {
		if !c {
			n++
		}
	}
	return n
}

// only reports whether the text is nothing but a cue of the first class, with politeness around it.
func (r *reading) only(class string, also ...string) bool {
	return r.has(class) && r.rest(append(also, class)...) == 0
}

// mostly is only with room for a word or two.
func (r *reading) mostly(class string, also ...string) bool {
	return r.has(class) && r.rest(append(also, class)...) <= r.slack()
}

// slack is what may be left over without changing the meaning: two words, or three Han characters.
func (r *reading) slack() int {
	for _, t := range r.toks {
		if t.han {
			return 3
		}
	}
	return 2
}

// after gives the text behind the longest first match of a class.
func (r *reading) after(class string) (string, bool) {
	best := match{from: -1}
	for _, m := range r.found {
		if m.class == class && (best.from < 0 || m.from < best.from || m.from == best.from && m.to > best.to) {
			best = m
		}
	}
	if best.from < 0 {
		return "", false
	}
	s := r.text[r.toks[best.to-1].end:]
	return strings.Trim(s, " \n,.:;!，。：；！、\"“”"), true
}

// starts reports whether a text begins with a cue of a class.
func (r *reading) starts(class string) bool {
	return slices.ContainsFunc(r.found, func(m match) bool { return m.from == 0 && m.class == class })
}

// empty reports whether there is no word at all.
func (r *reading) empty() bool { return len(r.toks) == 0 }

// suffixed gives the first class with the prefix, without it: "scope." → "litigation".
func (r *reading) suffixed(prefix string) string {
	for _, m := range r.found {
		if s, ok := strings.CutPrefix(m.class, prefix); ok {
			return s
		}
	}
	return ""
}

// lastSuffixed is suffixed for the class that ends last: in "I don't speak Chinese, English please" the wish comes last.
func (r *reading) lastSuffixed(prefix string) string {
	found, end := "", -1
	for _, m := range r.found {
		if s, ok := strings.CutPrefix(m.class, prefix); ok && m.to > end {
			found, end = s, m.to
		}
	}
	return found
}

// kind gives the kind of inquiry that the words name, "" when they name none. Praise of what did not happen is none.
func (r *reading) kind() string {
	if r.has("kind."+Praise) && !r.has("kind."+Report) && r.has("sarcasm", "problem") {
		return Complaint
	}
	for _, k := range []string{Report, Praise, Suggestion, Complaint, Help} {
		if r.has("kind." + k) {
			return k
		}
	}
	return ""
}

// dominant tells the script most words are in: "Han", "Latin" or "" when there is too little to tell.
func (r *reading) dominant(least int) string {
	han, latin := 0, 0
	for _, t := range r.toks {
		switch {
		case t.han:
			han++
		case len(t.text) > 1 && isASCIIWord(t.text):
			latin++
		}
	}
	switch {
	case han > 0 && han >= latin:
		return "Han"
	case latin >= least && han == 0, latin > 2*han && latin >= least:
		return "Latin"
	}
	return ""
}

func isASCIIWord(s string) bool {
	for i := range len(s) {
		if s[i] < 'a' || s[i] > 'z' {
			return false
		}
	}
	return true
}
