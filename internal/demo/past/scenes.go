package past

import (
	"fmt"
	"strings"
	"time"

	"hotline/channels"
	"hotline/routing"
	"hotline/tickets"
	"hotline/tickets/flags"
)

// scenes are what a day at the hotline should have seen besides ordinary cases: a mass event, a surge, a supervision order, somebody who writes too often.
func (p *player) scenes() {
	// A water main bursts, and is repaired. Something smells at night, and nobody knows yet why.
	p.massScene(p.words.Outage, matter{kind: "help", category: "utilities.water.outage", street: "cuihu"}, p.cal.NextOpening(p.now.Add(-10*24*time.Hour)).Add(40*time.Minute), 14, false)
	p.massScene(p.words.Smell, matter{kind: "complaint", category: "environment.air.dust", street: "qingyun"}, p.cal.NextOpening(p.now.Add(-3*24*time.Hour)).Add(25*time.Minute), 9, true)
	p.darkScene()
	p.fenceScene()
	p.at(p.now.Add(-20*time.Hour), p.order)
	p.at(p.now.Add(-69*24*time.Hour), p.tools)
	p.at(p.now.Add(-30*time.Minute), p.tag)
}

// tools are what the hotline made for itself: replies that fill themselves in, a list under a name.
func (p *player) tools() error {
	by := p.desk("supervisor", true).actor()
	for _, m := range p.words.Macros {
		does := tickets.MacroDeeds{Assign: m.Assign, Watch: m.Watch, Note: m.Note}
		if m.Tag != "" {
			does.Tags = []string{m.Tag}
		}
		if _, err := p.Tickets.SaveMacro(p.ctx, by, tickets.Macro{Names: m.Names, Texts: m.Texts, Mode: m.Mode, Does: does, Active: true, Shared: true}); err != nil {
			return p.failed("save a macro", err)
		}
	}
	_, err := p.Tickets.SaveFilter(p.ctx, by, tickets.SavedFilter{Name: p.words.Filter, View: tickets.ViewOpen, Filter: tickets.Filter{Category: "environment.noise"}, Shared: true})
	return p.failed("save a filter", err)
}

// tag is an operator who gives open cases the hotline's words.
func (p *player) tag() error {
	by := p.desk("operator", false).actor()
	page, err := p.Tickets.List(p.ctx, by, tickets.ViewOpen, tickets.Filter{}, "", 60)
	if err != nil {
		return p.failed("open cases", err)
	}
	for _, row := range page.Rows {
		for category, word := range p.words.Tags {
			if !strings.HasPrefix(row.Category, category+".") {
				continue
			}
			if _, _, err := p.Tickets.AddTag(p.ctx, by, row.ID, word); err != nil {
				return p.failed("tag a case", err)
			}
		}
	}
	return nil
}

// massScene is something that many report at the same time: the first report becomes a mass event, the others join it, one word goes to all. One that stays
// open is not answered yet.
func (p *player) massScene(e event, m matter, at time.Time, reporters int, open bool) {
	dispatcher := p.desk("dispatcher", true)
	var stories []*story
	for i := range reporters {
		m.lang = []string{"zh-CN", "zh-CN", "en"}[i%3]
		said := e.Reports[m.lang]
		m.text, m.number, m.who, m.channel = said[i%len(said)], 20+3*i, i, channels.Portal
		s := &story{m: m, grade: 4, silent: i%2 == 0, stuck: open}
		stories = append(stories, s)
		p.at(at.Add(time.Duration(i)*4*time.Minute), func() error { return p.open(s) })
	}
	first := stories[0]
	at = at.Add(time.Duration(4*reporters) * time.Minute)
	p.at(at, func() error {
		_, err := p.Tickets.MarkMass(p.ctx, dispatcher.actor(), first.id, tickets.MassDraft{Title: e.Title["zh-CN"], Category: m.category, Area: m.street, Public: true}, "")
		return err
	})
	for i, s := range stories[1:] {
		p.at(at.Add(time.Duration(10+2*i)*time.Minute), func() error {
			t, err := p.Tickets.ByID(p.ctx, tickets.System(), s.id)
			if err != nil {
				return err
			}
			s.plan++ // it follows its parent from now on
			_, err = p.move(t, dispatcher, tickets.Merge, tickets.Fields{Parent: first.id})
			return err
		})
	}
	p.at(at.Add(time.Duration(20+2*reporters)*time.Minute), func() error {
		t, err := p.Tickets.ByID(p.ctx, tickets.System(), first.id)
		if err != nil {
			return err
		}
		lead, _ := p.staff.of(t.Lead, "handler", false)
		if _, err = p.Tickets.Broadcast(p.ctx, lead.actor(), t.ID, e.Told["zh-CN"], ""); err != nil || !open {
			return err
		}
		if _, err := p.Tickets.Note(p.ctx, dispatcher.actor(), t.ID, p.words.Mention, ""); err != nil {
			return err
		}
		supervisor := p.desk("supervisor", true)
		_, err = p.Tickets.Watch(p.ctx, supervisor.actor(), t.ID, supervisor.id)
		return err
	})
}

// darkScene: in the last hours the power fails in one street; the lookout sees more reports than chance explains.
func (p *player) darkScene() {
	for i := range 8 {
		lang := []string{"zh-CN", "en"}[i%2]
		said := p.words.Dark[lang]
		s := &story{m: matter{kind: "help", category: "utilities.power.outage", lang: lang, text: said[i/2%len(said)], street: "lianhua", number: 3 + 11*i, who: 8 + i, channel: channels.Portal}, stuck: true}
		p.at(p.now.Add(-time.Duration(70-8*i)*time.Minute), func() error { return p.open(s) })
	}
}

// fenceScene: one person writes about the same fence again and again, and a supervisor notes it.
func (p *player) fenceScene() {
	var last *story
	for i := range 6 {
		s := &story{m: matter{kind: "complaint", category: "housing.title", lang: "zh-CN", text: p.words.Fence["zh-CN"], street: "songlin", number: 41, who: 2, channel: channels.Phone}, grade: 2, silent: i < 4}
		last = s
		p.at(p.cal.NextOpening(p.now.Add(-time.Duration(27-4*i)*24*time.Hour)).Add(90*time.Minute), func() error { return p.open(s) })
	}
	p.at(p.now.Add(-4*24*time.Hour), func() error {
		_, err := p.Flags.Set(p.ctx, p.desk("supervisor", true).actor(), last.id, flags.Draft{Type: "repeat", Reason: p.words.Flag[1],
			ReviewAt: p.now.Add(14 * 24 * time.Hour), ExpiresAt: p.now.Add(90 * 24 * time.Hour)})
		return err
	})
}

// order is a supervisor who orders an answer on the two cases that are overdue longest.
func (p *player) order() error {
	supervisor := p.desk("supervisor", true)
	page, err := p.Tickets.List(p.ctx, supervisor.actor(), tickets.ViewOverdue, tickets.Filter{}, "", 2)
	if err != nil {
		return p.failed("overdue cases", err)
	}
	for _, row := range page.Rows {
		t, err := p.Tickets.ByID(p.ctx, supervisor.actor(), row.ID)
		if err != nil {
			return err
		}
		_, err = p.move(t, supervisor, tickets.Supervise, tickets.Fields{Reason: "overdue", Text: among(p.words.Order, t.Lang)})
		if err := p.allowed(err); err != nil {
			return err
		}
	}
	return nil
}

// appeal is the head of the environment department who disputes a failure that is counted against it.
func (p *player) appeal() error {
	for _, w := range p.staff {
		if len(w.roles) == 0 || w.roles[0] != "head" {
			continue
		}
		page, err := p.Tickets.List(p.ctx, w.actor(), tickets.ViewAll, tickets.Filter{}, "", 100)
		if err != nil {
			return p.failed("a head's cases", err)
		}
		for _, row := range page.Rows {
			failures, err := p.Tickets.Failures(p.ctx, w.actor(), row.ID)
			if err != nil {
				return p.failed("failures", err)
			}
			if len(failures) > 0 {
				return p.allowed(p.Tickets.AppealFailure(p.ctx, w.actor(), row.ID, failures[0], p.words.Appeal[1], ""))
			}
		}
	}
	return fmt.Errorf("the demo's past: no agency has a failure to appeal against")
}

func routingFacts(t tickets.Ticket) routing.Facts {
	return routing.Facts{Kind: t.Kind, Category: t.Category, Text: t.Title + "\n" + t.Description, Lat: t.Lat, Lon: t.Lon, Urgency: t.Urgency, Confidential: t.Confidential, Excluded: t.Past}
}
