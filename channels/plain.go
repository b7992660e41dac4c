package channels

import (
	"regexp"
	"strings"
)

var (
	markLink    = regexp.MustCompile(`!?\[([^\]\n]*)\]\(\s*<?((?:https?://|mailto:|tel:|/)[^)\s>]*)>?(?:\s+"[^"\n]*")?\s*\)`)
	markStrong  = regexp.MustCompile(`\*\*([^*\n]+)\*\*`)
	markHeading = regexp.MustCompile(`^ {0,3}#{1,6}\s+(.*?)(?:\s+#+)?\s*$`)
	markRule    = regexp.MustCompile(`^\s*\|?(?:\s*:?-{3,}:?\s*\|)+\s*(?::?-{3,}:?)?\s*$`)
	markEscape  = regexp.MustCompile("\\\\([\\\\`*_{}\\[\\]()#+.!|<>~-])")
)

// Plain writes Markdown for people who read bare text: marks of headings and emphasis go, a link becomes its words and its address, lists and
// everything that is no mark for certain stay as they were typed. Addresses within the site, "/a/passport", begin with base.
func Plain(md, base string) string {
	lines := strings.Split(strings.ReplaceAll(md, "\r\n", "\n"), "\n")
	out := lines[:0]
	code := false
	for _, l := range lines {
		switch {
		case strings.HasPrefix(strings.TrimSpace(l), "```"):
			code = !code
			continue
		case code:
		case markRule.MatchString(l):
			continue
		default:
			l = markHeading.ReplaceAllString(l, "$1")
			l = markLink.ReplaceAllStringFunc(l, func(s string) string {
				m := markLink.FindStringSubmatch(s)
				return link(m[1], Absolute(m[2], base))
			})
			l = markStrong.ReplaceAllString(l, "$1")
			l = markEscape.ReplaceAllString(l, "$1")
		}
		out = append(out, strings.TrimRight(l, " \t"))
	}
	return strings.TrimSpace(strings.Join(out, "\n"))
}

// Absolute gives an address within the site its beginning.
func Absolute(url, base string) string {
	if strings.HasPrefix(url, "/") && !strings.HasPrefix(url, "//") {
		return strings.TrimSuffix(base, "/") + url
	}
	return url
}

func link(words, url string) string {
	bare := strings.TrimPrefix(strings.TrimPrefix(url, "mailto:"), "tel:")
	if words = strings.TrimSpace(words); words == "" || words == url || words == bare {
		return bare
	}
	return words + " (" + bare + ")"
}
