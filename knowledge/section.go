package knowledge

import "strings"

// Section is a part of an article under its heading. What stands before the first heading has none.
type Section struct {
	Heading string
	Text    string // Markdown
}

// Sections cuts an article's Markdown at its headings, whatever their level. Headings inside code fences are text.
func Sections(md string) []Section {
	var out []Section
	var heading string
	var text strings.Builder
	flush := func() {
		if t := strings.TrimSpace(text.String()); t != "" {
			out = append(out, Section{Heading: heading, Text: t})
		}
		text.Reset()
	}
	fenced := false
	for line := range strings.Lines(strings.ReplaceAll(md, "\r\n", "\n")) {
		trimmed := strings.TrimSpace(line)
		if strings.HasPrefix(trimmed, "```") || strings.HasPrefix(trimmed, "~~~") {
			fenced = !fenced
		}
		if level := len(trimmed) - len(strings.TrimLeft(trimmed, "#")); !fenced && level >= 1 && level <= 6 && strings.HasPrefix(trimmed[level:], " ") {
			flush()
			heading = strings.Trim(trimmed[level:], " #")
			continue
		}
		text.WriteString(line)
	}
	flush()
	return out
}
