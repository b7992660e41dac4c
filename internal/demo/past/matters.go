package past

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"hotline/channels"
	"hotline/internal/city"
	"hotline/tickets"
)

// matter is what somebody turns to the city with, and when.
type matter struct {
	at                   time.Time
	kind, category, lang string
	text                 string
	street               string
	number               int // of the house
	who                  int // of words.People; -1: anonymous
	channel              string
}

// favourites are the categories that a city writes about most, with how many of their examples come up; of the others a few do.
var favourites = map[string]int{
	"environment.noise.construction": 20, "environment.noise.social": 16, "urban.parking": 20, "environment.waste.collection": 18, "urban.streetlights": 14,
	"housing.property_management": 16, "market.refund": 14, "utilities.water.outage": 10, "urban.potholes": 14, "social_security.medical_insurance": 10,
	"housing.lift": 10, "transport.bus": 12, "environment.air.cooking": 10,
}

const others = 2

// matters are everything that comes in, in the order of time: more on working days, and a little more every week.
func (p *player) matters() []matter {
	parents := map[string]bool{}
	for _, c := range p.City.Categories {
		parents[c.Parent] = true
	}
	var all []matter
	for _, c := range p.City.Categories {
		if parents[c.Code] || c.Inactive || c.Code == "utilities.gas.leak" { // danger is no routine
			continue
		}
		said := p.said(c)
		n, favourite := favourites[c.Code]
		if !favourite {
			n = others
		}
		for _, m := range said[:min(n, len(said))] {
			m.category, m.street, m.number = c.Code, pick(p, streets), 1+p.rand.IntN(180)
			m.who = p.rand.IntN(len(p.words.People))
			if p.chance(12) || m.who%4 == 0 { // many who use the portal leave no address
				m.who = -1
			}
			m.channel = pick(p, []string{channels.Portal, channels.Portal, channels.Portal, channels.Portal, channels.Phone, channels.Phone, channels.Counter, channels.API})
			if m.kind == "report" {
				m.channel = channels.Portal // on the portal's own pages, nowhere else
			}
			all = append(all, m)
		}
	}
	p.rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	all = all[:min(cases, len(all))]
	for i := range all {
		all[i].at = p.moment()
	}
	slices.SortStableFunc(all, func(a, b matter) int { return a.at.Compare(b.at) })
	return all
}

// moment is when somebody writes.
func (p *player) moment() time.Time {
	for {
		day := p.now.In(p.cal.Location()).AddDate(0, 0, -p.rand.IntN(days))
		age := int(p.now.Sub(day).Hours() / 24)
		weight := 100 - age/2
		if day.Weekday() == time.Saturday || day.Weekday() == time.Sunday {
			weight /= 2
		}
		if !p.chance(weight) {
			continue
		}
		hour := pick(p, []int{7, 8, 8, 9, 9, 9, 10, 10, 10, 11, 11, 12, 13, 14, 14, 15, 15, 16, 17, 18, 19, 20, 20, 21, 22})
		at := time.Date(day.Year(), day.Month(), day.Day(), hour, p.rand.IntN(60), p.rand.IntN(60), 0, p.cal.Location())
		if at.Before(p.now) {
			return at
		}
	}
}

// said are the examples of a category, shuffled, each with the kind that its words speak of.
func (p *player) said(c city.Category) []matter {
	var out []matter
	for _, lang := range []string{"zh-CN", "en"} {
		for _, example := range c.Examples[lang] {
			if kind := kindOf(example, c.Kinds); kind != "" {
				out = append(out, matter{kind: kind, lang: lang, text: example})
			}
		}
	}
	p.rand.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// kindOf is the kind that a sentence is of, by its words; "" where the category does not take it.
func kindOf(s string, allowed []string) string {
	low := strings.ToLower(s)
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(low, w) })
	}
	kind := "complaint"
	switch {
	case has("thank", "praise", "感谢", "表扬", "点赞", "好评"):
		kind = "praise"
	case has("举报", "i report", "want to report"):
		kind = "report"
	case has("建议", "suggest", "希望增", "please add"):
		kind = "suggestion"
	case has("?", "？", "how ", "what ", "where ", "怎么", "如何", "吗", "多少", "哪里", "什么"):
		kind = "consult"
	}
	for _, k := range []string{kind, "complaint", "help"} {
		if slices.Contains(allowed, k) && (kind != "praise" || k == kind) && (kind != "consult" || k != "complaint") {
			return k
		}
	}
	return ""
}

// draft is a matter as intake takes it.
func (p *player) draft(m matter) tickets.Draft {
	at := p.words.Places[m.street]
	name := at.Zh
	if m.lang == "en" {
		name = at.En
	}
	// Within the street's area: its shape is at least twice as wide.
	lat, lon := at.Lat+(p.rand.Float64()-0.5)*0.024, at.Lon+(p.rand.Float64()-0.5)*0.04
	d := tickets.Draft{Kind: m.kind, Category: m.category, Title: m.text, Description: m.text + sep(m.lang) + pick(p, p.words.Details[m.lang]), Place: fmt.Sprintf(name, m.number),
		Lat: &lat, Lon: &lon, Lang: m.lang, Confidential: m.kind == "report"}
	if m.channel == channels.Phone || m.channel == channels.Counter {
		by := p.desk("operator", false)
		d.Author, d.UserID, d.AgencyID = "staff", by.id, by.agency
	}
	return d
}

func sep(lang string) string {
	if lang == "en" {
		return " "
	}
	return ""
}

// contact is who files; people of an even number leave a telephone, the others an address.
func (p *player) contact(m matter) channels.Contact {
	if m.who < 0 {
		return channels.Contact{}
	}
	c := channels.Contact{Name: p.words.People[m.who][m.lang], Phone: fmt.Sprintf("555-01%02d", m.who)}
	if m.who%2 == 1 && m.channel != channels.Phone {
		c.Phone, c.Email = "", fmt.Sprintf("resident%02d@mail.example", m.who)
	}
	return c
}
