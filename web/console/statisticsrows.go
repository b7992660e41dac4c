package console

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"hotline/tickets/measures"
	"hotline/tickets/statistics"
	"hotline/web/chart"
	"hotline/web/figures"
	"hotline/web/httperr"
)

func (d *statisticsData) table(r figures.Report) {
	for _, group := range measures.Groups() {
		g := statGroup{Name: d.Words.Group(group)}
		for _, p := range r.Values {
			if p.Now.Group == group {
				g.Lines = append(g.Lines, d.line(p))
			}
		}
		if len(g.Lines) > 0 {
			d.Groups = append(d.Groups, g)
		}
	}
}

func (f statFrame) line(p figures.Pair) statLine {
	m := p.Now
	l := statLine{Code: m.Code, Name: f.Words.Name(m.Code), Value: f.Words.Value(m), Known: m.Known, Change: f.Words.Change(p), Tone: tone(p.Good()), Formula: f.Words.Formula(m.Code)}
	if m.Known && m.Unit == measures.Share {
		l.Meter = chart.Meter(m.V, "")
	}
	if m.Unit == measures.Index && m.Known {
		l.Meter = chart.Meter(m.V/100, "")
	}
	if len(m.Of) == 0 && m.Unit == measures.Share {
		l.Part, l.Whole = f.Words.Number(m.Part), f.Words.Number(m.Whole)
	} else if m.Unit == measures.Hours {
		l.Whole = f.Words.Number(m.Whole)
	}
	if m.Part > 0 {
		l.PartURL = behind(f.Q, m.Code, m.PartOf)
	}
	if m.Whole > 0 {
		l.WholeURL = behind(f.Q, m.Code, m.WholeOf)
	}
	for _, out := range m.Left {
		if out.N > 0 {
			l.Left = append(l.Left, statLeft{f.Words.Reason(out.Reason), f.Words.Number(out.N), behind(f.Q, "left."+out.Reason, out.Of)})
		}
	}
	if n := m.LeftTotal(); n > 0 {
		l.LeftTotal = f.Words.Number(n)
	}
	return l
}

// rowName names a row of the breakdown, and gives the query that looks into it.
func (c *Console) rowName(v View, q figures.Query, key string) (string, figures.Query) {
	switch q.By {
	case statistics.ByAgency:
		id, err := uuid.Parse(key)
		if err != nil {
			return v.T("statistics.none"), q
		}
		name := v.Agency(id)
		if name == "" {
			name = v.T("statistics.gone")
		}
		q.Agency = id
		return name, q
	case statistics.ByArea:
		q.Area = key
		return orNone(v, v.Area(key)), q
	case statistics.ByCategory:
		q.Category = key
		if cat, ok := c.Routing.Snapshot().Category(key); ok {
			return cat.Names.In(v.Lang), q
		}
		return orNone(v, key), q
	case statistics.ByChannel:
		q.Channel = key
		return v.Channel(key), q
	case statistics.ByKind:
		q.Kind = key
		return v.Kind(key), q
	}
	day, err := time.Parse(time.DateOnly, key)
	if err != nil {
		return key, q
	}
	words := figures.Words{Bundle: c.words, Lang: v.Lang}
	_, long := words.Piece(q.By, day)
	to := figures.Next(q.By, day)
	q.Preset, q.From, q.To = figures.Custom, maxTime(day, q.From), minTime(to, q.To)
	return long, q
}

func orNone(v View, name string) string {
	if name == "" {
		return v.T("statistics.none")
	}
	return name
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (c *Console) statRow(v View, d *statisticsData, r figures.Report, row figures.Row) statRow {
	name, into := c.rowName(v, d.Q, row.Key)
	out := statRow{Name: name, N: d.Words.Number(row.N[measures.Tickets]), Open: d.Words.Number(row.N[measures.Open]), Growth: figures.Growth(row.N[measures.Tickets], row.Before[measures.Tickets]), Own: row.Own}
	if row.Own {
		out.Name = v.T("statistics.own", "name", name)
	}
	if total := r.N[measures.Tickets]; total > 0 {
		out.Share = chart.Meter(float64(row.N[measures.Tickets])/float64(total), "quiet")
	}
	if row.Key != "" && !row.Own {
		if row.Below || !slices.Contains([]statistics.Dimension{statistics.ByAgency, statistics.ByArea, statistics.ByCategory}, d.Q.By) {
			out.URL = "/console/statistics?" + into.Encode()
		} else {
			deeper := into
			deeper.By = map[statistics.Dimension]statistics.Dimension{statistics.ByAgency: statistics.ByCategory, statistics.ByCategory: statistics.ByAgency, statistics.ByArea: statistics.ByCategory}[d.Q.By]
			out.URL = "/console/statistics?" + deeper.Encode()
		}
	}
	into.Own = row.Own || row.Key == ""
	if row.N[measures.Tickets] > 0 {
		out.TicketsURL = behind(into, "opened", []measures.Counter{measures.Tickets})
	}
	if row.N[measures.Open] > 0 {
		out.OpenURL = behind(into, "open", []measures.Counter{measures.Open})
	}
	for _, code := range d.Columns {
		m, _ := measures.ByCode(code)
		p := figures.Pair{Now: measures.Evaluate(m, row.N, r.Settings), Before: measures.Evaluate(m, row.Before, r.Settings)}
		cell := statCell{Value: "–", Tone: "flat"}
		if p.Now.Known {
			cell.Value, cell.URL = d.Words.Value(p.Now), restsOn(into, p.Now)
		}
		out.Cells = append(out.Cells, cell)
	}
	return out
}

// statCounters reads which counters a list is asked for.
func statCounters(q url.Values, all []measures.Counter) ([]measures.Counter, error) {
	var out []measures.Counter
	for _, name := range strings.Split(q.Get("of"), ",") {
		n, ok := measures.Of(name)
		if !ok || !slices.Contains(all, n) || len(out) > 20 {
			return nil, httperr.ErrMalformed
		}
		out = append(out, n)
	}
	return out, nil
}
