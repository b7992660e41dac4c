package bottest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"hotline/chat/bot"
)

// Render writes a reply in the golden format, a line each.
func Render(r bot.Reply) []string {
	var out []string
	for _, m := range r.Messages {
		for i, l := range strings.Split(m.Text, "\n") {
			mark := "< "
			if i > 0 {
				mark = "| "
			}
			out = append(out, mark+l)
		}
		for _, c := range m.Citations {
			out = append(out, fmt.Sprintf("{cites %s v%d}", c.ArticleID, c.Version))
		}
		if m.Ask != "" {
			out = append(out, "? "+m.Ask)
		}
		var labels []string
		for _, c := range m.Choices {
			labels = append(labels, "["+c.ID+": "+c.Label+"]")
		}
		if len(labels) > 0 {
			out = append(out, strings.Join(labels, " "))
		}
	}
	return append(out, acts(r)...)
}

func acts(r bot.Reply) []string {
	var out []string
	if a := r.Alert; a != nil {
		out = append(out, fmt.Sprintf("! alert %s %s%s", a.Service, a.Number, draft(a.Draft)))
	}
	if r.AlertCleared {
		out = append(out, "! alert_cleared")
	}
	if r.Refused != nil {
		out = append(out, "! refused "+string(r.Refused.Scope))
	}
	if r.Open != nil {
		out = append(out, "! open"+draft(*r.Open))
	}
	if h := r.HandOff; h != nil {
		line := "! handoff " + h.Reason
		if h.AfterHours {
			line += " after_hours"
		}
		if h.Draft != nil {
			line += " with" + draft(*h.Draft)
		}
		out = append(out, line)
	}
	if r.Answered != nil {
		out = append(out, fmt.Sprintf("! answered %s v%d", r.Answered.ArticleID, r.Answered.Version))
	}
	if r.NotHelped != nil {
		out = append(out, fmt.Sprintf("! not_helped %s v%d", r.NotHelped.ArticleID, r.NotHelped.Version))
	}
	if r.Unanswered != "" {
		out = append(out, "! unanswered "+strconv.Quote(r.Unanswered))
	}
	if r.Rate != nil {
		out = append(out, fmt.Sprintf("! rate ticket=%s grade=%d comment=%q", r.Rate.TicketID, r.Rate.Grade, r.Rate.Comment))
	}
	if r.Close {
		out = append(out, "! close")
	}
	for range r.Problems {
		out = append(out, "! problem")
	}
	return out
}

func draft(d bot.Draft) string {
	var b strings.Builder
	for _, f := range []struct{ name, value string }{
		{"kind", d.Kind}, {"category", d.Category}, {"title", d.Title}, {"description", d.Description}, {"place", d.Place},
		{"name", d.Name}, {"phone", d.Phone}, {"email", d.Email}, {"lang", d.Lang}, {"urgency", d.Urgency}, {"scope", string(d.Scope)},
	} {
		if f.value == "" || f.name == "title" && f.value == d.Description {
			continue
		}
		if strings.ContainsAny(f.value, " \n\"") {
			f.value = strconv.Quote(f.value)
		}
		b.WriteString(" " + f.name + "=" + f.value)
	}
	if d.Lat != nil && d.Lon != nil {
		fmt.Fprintf(&b, " at=%g,%g", *d.Lat, *d.Lon)
	}
	for _, f := range []struct {
		name string
		on   bool
	}{{"anonymous", d.Anonymous}, {"confidential", d.Confidential}} {
		if f.on {
			b.WriteString(" " + f.name)
		}
	}
	for _, code := range slices.Sorted(maps.Keys(d.Details)) {
		fmt.Fprintf(&b, " %s:%q", code, d.Details[code])
	}
	if d.Attachments > 0 {
		fmt.Fprintf(&b, " files=%d", d.Attachments)
	}
	return b.String()
}

// loose keeps the lines that do not depend on the wording of articles: what is cited, asked for and done.
func loose(lines []string) []string {
	var out []string
	for _, l := range lines {
		if strings.HasPrefix(l, "!") || strings.HasPrefix(l, "?") || strings.HasPrefix(l, "{cites") {
			out = append(out, l)
		}
	}
	return out
}
