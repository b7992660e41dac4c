package bot

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"hotline/chat/bot/hear"
)

// A day told in words, "last Friday evening" or 上个月15号, is kept as a date, counted from today where the hotline is. The citizen sees which day was
// understood and can correct it; of two days that the words can mean, the citizen picks one.

// days are the days that a text names, those that the field takes.
func (p *Policy) days(d Field, r *reading) []time.Time {
	found := hear.Days(d.Label, r.text, p.env().Now().In(p.env().Zone))
	return slices.DeleteFunc(found, func(day time.Time) bool {
		_, err := d.Judge(day.Format(time.DateOnly))
		return err != nil
	})
}

// dayTold takes a day told in words, or asks which one is meant. It reports false for a text that names none.
func (p *Policy) dayTold(t *turn, d Field, r *reading) bool {
	var days []time.Time
	var labels []string
	for _, c := range t.st.Offered { // the days to choose from, when that was asked
		if value, ok := strings.CutPrefix(c.ID, optionPrefix); ok {
			if day, err := time.Parse(time.DateOnly, value); err == nil {
				days, labels = append(days, day), append(labels, c.Label)
			}
		}
	}
	found := p.days(d, r)
	if one := whichDay(days, labels, found, r.text); one != nil {
		found = one
	}
	switch {
	case len(found) == 0:
		return false
	case len(found) == 1:
		value := found[0].Format(time.DateOnly)
		if !strings.Contains(r.text, value) {
			t.lead = p.tx.t(t.lang, "date.noted", "date", p.dateWords(t.lang, value))
		}
		p.detail(t, d, value)
	default:
		key := "detail.which_day"
		if len(found) > 2 {
			key = "detail.roughly"
		}
		p.askDetail(t, d, key)
		m := &t.reply.Messages[len(t.reply.Messages)-1]
		var options []Choice
		for _, day := range found {
			value := day.Format(time.DateOnly)
			options = append(options, Choice{ID: optionPrefix + value, Label: p.dateWords(t.lang, value)})
		}
		m.Choices = append(options, m.Choices...)
	}
	return true
}

// whichDay is the day that a text picks of those that were offered, nil when it picks none: the only one of them that it names, "the last one" of the
// list, or the earlier or later one of two.
func whichDay(offered []time.Time, labels []string, named []time.Time, text string) []time.Time {
	if len(offered) < 2 || len(named) == 1 {
		return nil
	}
	both := slices.DeleteFunc(slices.Clone(named), func(d time.Time) bool {
		return !slices.ContainsFunc(offered, func(o time.Time) bool { return o.Format(time.DateOnly) == d.Format(time.DateOnly) })
	})
	if len(both) == 1 {
		return both
	}
	i := hear.Option(labels, text)
	if way := hear.Direction(text); i < 0 && way != 0 && len(offered) == 2 {
		i = (way + 1) / 2
	}
	if i < 0 {
		return nil
	}
	return offered[i : i+1]
}

// fixesDetail takes "no, on the 2nd" as another answer to the detail told last. asked is the detail that is asked for now, nil when it is none: what
// answers that is no correction. It reports false for anything else, and for free text, which would take every word.
func (p *Policy) fixesDetail(t *turn, asked *Field, r *reading) bool {
	f := t.st.Form
	code, ok := strings.CutPrefix(f.Last, detailPrefix)
	rest, fix := r.after("fix.last")
	if !ok || !fix {
		return false
	}
	i := slices.IndexFunc(p.details(f, t.lang), func(d Field) bool { return d.Code == code })
	if i < 0 {
		return false
	}
	d, v := p.details(f, t.lang)[i], p.lex.read(rest)
	if d.Type == FieldText || asked != nil && asked.Type == d.Type {
		return false
	}
	if d.Type == FieldDate && len(p.days(d, &v)) > 1 {
		return p.dayTold(t, d, &v)
	}
	value, err := d.Judge(p.detailValue(t, d, &v))
	if err != nil || value == "" {
		return false
	}
	t.lead = p.tx.t(t.lang, "form.changed")
	if d.Type == FieldDate {
		t.lead = p.tx.t(t.lang, "date.noted", "date", p.dateWords(t.lang, value))
	}
	p.detail(t, d, value)
	return true
}

// namesDay reports whether a text names a day, and so no person.
func (p *Policy) namesDay(text string) bool {
	return len(hear.Days("", text, p.env().Now().In(p.env().Zone))) > 0
}

// dateWords says a date of the form 2026-03-10 with its weekday, by which people notice a mistake.
func (p *Policy) dateWords(lang, value string) string {
	day, err := time.ParseInLocation(time.DateOnly, value, p.env().Zone)
	if err != nil {
		return value
	}
	return p.tx.t(lang, "date.day", "date", p.date(lang, day), "weekday", p.tx.t(lang, "weekday."+strconv.Itoa(int(day.Weekday()))))
}
