package past

import (
	"fmt"
	"time"

	"hotline/channels"
	"hotline/routing"
	"hotline/tickets"
)

// scenes are what a day at the hotline should have seen besides ordinary cases: a mass event, a surge, a supervision order, somebody who writes too often.
func (p *player) scenes() {
	p.outageScene(p.cal.NextOpening(p.now.Add(-10 * 24 * time.Hour)).Add(40 * time.Minute))
	p.darkScene()
	p.fenceScene()
	p.at(p.now.Add(-20*time.Hour), p.order)
}

// outageScene: a water main bursts; many report it, one answer goes to all.
func (p *player) outageScene(at time.Time) {
	dispatcher := p.desk("dispatcher", true)
	var stories []*story
	for i := range 14 {
		lang := []string{"zh-CN", "zh-CN", "en"}[i%3]
		said := p.words.Outage.Reports[lang]
		s := &story{m: matter{kind: "help", category: "utilities.water.outage", lang: lang, text: said[i%len(said)], street: "cuihu", number: 20 + 3*i, who: i, channel: channels.Portal},
			grade: 4, silent: i%2 == 0}
		stories = append(stories, s)
		p.at(at.Add(time.Duration(i)*4*time.Minute), func() error { return p.open(s) })
	}
	parent := func() (tickets.Ticket, error) { return p.Tickets.ByID(p.ctx, tickets.System(), stories[0].id) }
	p.at(at.Add(50*time.Minute), func() error {
		_, err := p.Tickets.MarkMass(p.ctx, dispatcher.actor(), stories[0].id, tickets.MassDraft{Title: p.words.Outage.Title["zh-CN"], Category: "utilities.water.outage", Area: "cuihu", Public: true}, "")
		return err
	})
	for i, s := range stories[1:] {
		p.at(at.Add(time.Duration(60+2*i)*time.Minute), func() error {
			t, err := p.Tickets.ByID(p.ctx, tickets.System(), s.id)
			if err != nil {
				return err
			}
			s.plan++ // it follows its parent from now on
			_, err = p.move(t, dispatcher, tickets.Merge, tickets.Fields{Parent: stories[0].id})
			return err
		})
	}
	p.at(at.Add(95*time.Minute), func() error {
		t, err := parent()
		if err != nil {
			return err
		}
		lead, _ := p.staff.of(t.Lead, "handler", false)
		_, err = p.Tickets.Broadcast(p.ctx, lead.actor(), t.ID, p.words.Outage.Told["zh-CN"], "")
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
		_, err := p.Tickets.SetFlag(p.ctx, p.desk("supervisor", true).actor(), last.id, tickets.FlagDraft{Type: "repeat", Reason: p.words.Flag[1],
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
