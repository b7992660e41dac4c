package tickets

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// Fault is what is wrong with an entry or an anchor.
type Fault string

// The faults.
const (
	FaultChanged  Fault = "changed"  // the entry is not what was written
	FaultDropped  Fault = "dropped"  // the entry is missing
	FaultInserted Fault = "inserted" // the entry was never written by the program
	FaultHead     Fault = "head"     // the ticket's own mark of its newest entry was changed
	FaultAnchor   Fault = "anchor"   // the day's histories are not those that were anchored
	FaultSigned   Fault = "signature"
	FaultRow      Fault = "row" // the ticket itself says something else than its history
)

// Finding is one thing that does not hold.
type Finding struct {
	Fault  Fault
	Number string // of the ticket; "" when an anchor as a whole is meant
	Seq    int    // of the entry
	Day    string // of the anchor
	Detail string // English, for the operator
}

func (f Finding) String() string {
	var b strings.Builder
	if f.Day != "" {
		fmt.Fprintf(&b, "anchor of %s: ", f.Day)
	}
	if f.Number != "" {
		fmt.Fprintf(&b, "ticket %s, entry %d: ", f.Number, f.Seq)
	}
	b.WriteString(string(f.Fault))
	if f.Detail != "" {
		b.WriteString(" (" + f.Detail + ")")
	}
	return b.String()
}

// VerifyOptions say what VerifyAll looks at.
type VerifyOptions struct {
	From, To string   // days, both included; "" is open
	Anchors  []Anchor // kept outside
	Batch    int      // tickets in one query; 500 when zero
	Progress func(VerifyReport)
	MaxFound int // stop collecting after so many findings; 100 when zero
}

// VerifyReport is how far the verification came and what it found. The first finding is the first broken entry in the order of tickets' ids.
type VerifyReport struct {
	Tickets, Entries int64
	Total            int64 // tickets there are, an estimate
	Anchors          int
	Findings         []Finding
}

// VerifyAll checks the seals of every history and the anchors over them. It streams: its memory grows with the days that are checked (8 KB each), never
// with tickets. It may run beside a serving installation.
// Errors: ErrBadField (a day that is none); the database's.
func (s *Service) VerifyAll(ctx context.Context, o VerifyOptions) (VerifyReport, error) {
	if o.Batch == 0 {
		o.Batch = 500
	}
	if o.MaxFound == 0 {
		o.MaxFound = 100
	}
	v := &verifier{s: s, o: o}
	if err := v.prepare(ctx); err != nil {
		return v.report, wrap("verify the history of", err)
	}
	for after, more := uuid.Nil, true; more; {
		err := db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) (err error) {
			after, more, err = v.batch(ctx, tx, after)
			return err
		})
		if err != nil {
			return v.report, wrap("verify the history of", err)
		}
		if o.Progress != nil {
			o.Progress(v.report)
		}
	}
	return v.report, wrap("verify the anchors of", v.compare(ctx))
}

type verifier struct {
	s      *Service
	o      VerifyOptions
	report VerifyReport
	all    []Anchor     // in the database, in order
	days   []*dayDigest // recomputed, beside all; nil where not asked for
	ends   []time.Time  // of the days
	from   time.Time    // zero: since the beginning
	to     time.Time
}

func (v *verifier) found(f Finding) {
	if len(v.report.Findings) < v.o.MaxFound {
		v.report.Findings = append(v.report.Findings, f)
	}
}

// prepare reads the anchors and checks them among themselves and against those kept outside.
func (v *verifier) prepare(ctx context.Context) error {
	for _, day := range []string{v.o.From, v.o.To} {
		if _, err := time.Parse(time.DateOnly, day); day != "" && err != nil {
			return ErrBadField.On("day").With("field", "day")
		}
	}
	zone := v.s.settings.Load().Calendar.Location()
	if v.o.From != "" {
		v.from, _ = time.ParseInLocation(time.DateOnly, v.o.From, zone) // parsed above
	}
	v.to = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	if v.o.To != "" {
		to, _ := time.ParseInLocation(time.DateOnly, v.o.To, zone) // parsed above
		v.to = to.AddDate(0, 0, 1)
	}
	err := db.ReadTx(ctx, v.s.pool, db.System(), func(tx db.Tx) (err error) {
		if v.all, err = v.s.anchors(ctx, tx, `true order by day`); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `select greatest(reltuples, 0)::bigint from pg_class where oid = 'tickets'::regclass`).Scan(&v.report.Total)
	})
	if err != nil {
		return err
	}
	key, byDay := v.s.AnchorKey(), map[string]Anchor{}
	previous := ""
	for i, a := range v.all {
		byDay[a.Day] = a
		end, err := dayEnd(a.Day, a.Zone)
		if err != nil {
			v.found(Finding{Fault: FaultAnchor, Day: a.Day, Detail: "its day or zone cannot be read"})
			end = time.Time{}
		}
		v.ends = append(v.ends, end)
		var d *dayDigest
		if (v.o.From == "" || a.Day >= v.o.From) && (v.o.To == "" || a.Day <= v.o.To) {
			d = &dayDigest{}
			v.report.Anchors++
		}
		v.days = append(v.days, d)
		switch {
		case !a.check(key):
			v.found(Finding{Fault: FaultSigned, Day: a.Day, Detail: "digest or signature does not fit: the anchor was changed"})
		case rootOf(a.buckets) != a.Root:
			v.found(Finding{Fault: FaultAnchor, Day: a.Day, Detail: "its parts do not give its root: the anchor was changed"})
		case i > 0 && a.Previous != previous, i == 0 && a.Previous != "":
			v.found(Finding{Fault: FaultDropped, Day: a.Day, Detail: "it does not follow the anchor before it: one was dropped or replaced"})
		}
		previous = a.Digest
	}
	for _, a := range v.o.Anchors {
		if v.o.From != "" && a.Day < v.o.From || v.o.To != "" && a.Day > v.o.To {
			continue
		}
		have, ok := byDay[a.Day]
		switch {
		case !a.check(key):
			v.found(Finding{Fault: FaultSigned, Day: a.Day, Detail: "the line kept outside was not signed by this installation, or was changed"})
		case !ok:
			v.found(Finding{Fault: FaultDropped, Day: a.Day, Detail: "the anchor was kept outside and is missing here"})
		case have.Digest != a.Digest:
			v.found(Finding{Fault: FaultAnchor, Day: a.Day, Detail: "the anchor here is not the one kept outside: the history was sealed anew"})
		}
	}
	return nil
}

const verifySQL = `
select t.id, t.number, t.events, t.head, t.state, t.grade, e.seq, e.type, e.actor, e.user_id, e.agency_id, e.from_state, e.to_state, e.public, e.data, e.at, e.seal
from (select id, number, events, head, state, grade from tickets k where k.id > $1
        and ($3::timestamptz is null or exists (select from ticket_events x where x.ticket_id = k.id and x.at >= $3 and x.at < $4))
      order by k.id limit $2) t
left join ticket_events e on e.ticket_id = t.id order by t.id, e.seq`

// batch verifies the next tickets, each as one statement saw it.
func (v *verifier) batch(ctx context.Context, tx db.Tx, after uuid.UUID) (last uuid.UUID, more bool, err error) {
	var from *time.Time
	if v.o.From != "" || v.o.To != "" {
		from = &v.from
	}
	rows, err := tx.Query(ctx, verifySQL, after, v.o.Batch, from, v.to)
	if err != nil {
		return after, false, err
	}
	defer rows.Close()
	var h history
	last, n := after, 0
	for rows.Next() {
		var ticket uuid.UUID
		var next history
		var e storedEntry
		if err := e.scan(rows, &ticket, &next); err != nil {
			return last, false, err
		}
		if ticket != last {
			v.history(h)
			h, last = next, ticket
			n++
		}
		if e.exists {
			h.entries = append(h.entries, e)
		}
	}
	v.history(h)
	return last, n == v.o.Batch, rows.Err()
}

// history is one ticket's history as it is stored.
type history struct {
	id      uuid.UUID
	number  string
	events  int
	head    []byte
	state   State
	grade   int
	entries []storedEntry
}

// storedEntry is a row of ticket_events.
type storedEntry struct {
	Event
	exists bool
	odd    bool // its data holds what the program never writes
}

func (e *storedEntry) scan(row pgx.Row, ticket *uuid.UUID, h *history) error {
	var seq *int
	var kind, actor, from, to *string
	var user, agency *uuid.UUID
	var public *bool
	var data []byte
	var at *time.Time
	if err := row.Scan(&h.id, &h.number, &h.events, &h.head, &h.state, &h.grade, &seq, &kind, &actor, &user, &agency, &from, &to, &public, &data, &at, &e.seal); err != nil {
		return err
	}
	*ticket = h.id
	if e.exists = seq != nil; !e.exists {
		return nil
	}
	e.Event = Event{TicketID: h.id, Seq: *seq, Type: *kind, Actor: *actor, UserID: id(user), AgencyID: id(agency), From: State(*from), To: State(*to), Public: *public, At: *at, seal: e.seal}
	// Strict: what is slipped in beside the known fields is not under the seal.
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	e.odd = dec.Decode(&e.Data) != nil
	return nil
}

func (v *verifier) history(h history) {
	if h.id == uuid.Nil {
		return
	}
	v.report.Tickets++
	v.report.Entries += int64(len(h.entries))
	if fault, seq, detail := v.s.keys.fault(h); fault != "" {
		v.found(Finding{Fault: fault, Number: h.number, Seq: seq, Detail: detail})
	}
	// What the day's anchor took in: the newest seal of the day.
	day, n := -1, int64(0)
	for i, e := range h.entries {
		d, _ := slices.BinarySearchFunc(v.ends, e.At, func(end, at time.Time) int {
			if end.After(at) {
				return 1
			}
			return -1
		})
		if d != day {
			v.put(day, h, i-1, n)
			day, n = d, 0
		}
		n++
	}
	v.put(day, h, len(h.entries)-1, n)
}

func (v *verifier) put(day int, h history, at int, n int64) {
	if n > 0 && day >= 0 && day < len(v.days) && v.days[day] != nil {
		v.days[day].add(h.id, h.entries[at].Seq, h.entries[at].seal, n)
	}
}

// fault finds the first entry of a history that does not hold.
func (k codeKeys) fault(h history) (Fault, int, string) {
	var before []byte
	for i, e := range h.entries {
		seq := i + 1
		if e.Seq > seq {
			return FaultDropped, seq, fmt.Sprintf("entry %d is followed by entry %d", i, e.Seq)
		}
		if e.Seq < seq {
			return FaultInserted, e.Seq, "entries are counted from 1"
		}
		want := k.seal(before, e.Event)
		if bytes.Equal(e.seal, want) && !e.odd {
			before = want
			continue
		}
		return k.blame(h, i, before)
	}
	switch {
	case len(h.entries) < h.events:
		return FaultDropped, len(h.entries) + 1, fmt.Sprintf("the ticket counts %d entries, %d are there", h.events, len(h.entries))
	case len(h.entries) > h.events:
		// Sealed by the program, yet not counted: a backup of the ticket's row was put over a newer one.
		return FaultHead, h.events, fmt.Sprintf("the ticket counts %d entries, %d are there", h.events, len(h.entries))
	case !bytes.Equal(before, h.head):
		return FaultHead, len(h.entries), "the ticket's seal is not that of its newest entry"
	}
	return h.contradicted()
}

// contradicted compares what lists and statistics read of the ticket with what its history says: an intact history is worth little beside a grade or a
// state that somebody improved.
func (h history) contradicted() (Fault, int, string) {
	var state State
	var grade, moved, rated int
	for _, e := range h.entries {
		if e.To != "" {
			state, moved = e.To, e.Seq
		}
		if e.Type == "rated" {
			grade, rated = e.Data.Grade, e.Seq
		}
	}
	switch {
	case moved > 0 && h.state != state:
		return FaultRow, moved, fmt.Sprintf("the ticket is %s, its history says %s", h.state, state)
	case h.grade != grade:
		return FaultRow, max(rated, 1), fmt.Sprintf("the ticket has grade %d, its history says %d", h.grade, grade)
	}
	return "", 0, ""
}

// blame says what happened to entry i, whose seal does not hold.
func (k codeKeys) blame(h history, i int, before []byte) (Fault, int, string) {
	e := h.entries[i]
	if e.odd {
		return FaultChanged, e.Seq, "its data holds fields that the program never writes"
	}
	// The entry without this one's number: those behind a slipped-in entry were counted up.
	if i+1 < len(h.entries) {
		next := h.entries[i+1].Event
		next.Seq = e.Seq
		if bytes.Equal(k.seal(before, next), h.entries[i+1].seal) {
			return FaultInserted, e.Seq, "the next entry follows the one before it"
		}
	}
	switch {
	case len(e.seal) == 0, i >= h.events:
		return FaultInserted, e.Seq, "it bears no seal of this installation"
	case len(h.entries) < h.events:
		return FaultDropped, e.Seq, "an entry is missing and those behind it were counted down"
	}
	return FaultChanged, e.Seq, ""
}

// compare holds the recomputed days against their anchors, and narrows a difference down to tickets.
func (v *verifier) compare(ctx context.Context) error {
	for i, a := range v.all {
		d := v.days[i]
		if d == nil {
			continue
		}
		got := d.bytes()
		if bytes.Equal(got, a.buckets) && d.tickets == a.Tickets && d.entries == a.Entries {
			continue
		}
		if err := v.narrow(ctx, i, got); err != nil {
			return err
		}
	}
	return nil
}

// narrow names the tickets among which the difference lies: those of the first part of the day that differs.
func (v *verifier) narrow(ctx context.Context, i int, got []byte) error {
	a, d := v.all[i], v.days[i]
	f := Finding{Fault: FaultAnchor, Day: a.Day, Detail: fmt.Sprintf("%d tickets and %d entries were anchored, %d and %d are there", a.Tickets, a.Entries, d.tickets, d.entries)}
	bucket := -1
	for b := range buckets {
		part := b * 32
		if part+32 > len(a.buckets) || !bytes.Equal(got[part:part+32], a.buckets[part:part+32]) {
			bucket = b
			break
		}
	}
	if bucket < 0 {
		v.found(f)
		return nil
	}
	var before *Anchor
	if i > 0 {
		before = &v.all[i-1]
	}
	from, to, err := a.span(before)
	if err != nil {
		v.found(f)
		return nil
	}
	err = db.ReadTx(ctx, v.s.pool, db.System(), func(tx db.Tx) error {
		rows, err := tx.Query(ctx, `select t.number, e.seq from (select ticket_id, max(seq) as seq from ticket_events
				where at >= $1 and at < $2 and get_byte(uuid_send(ticket_id), 15) = $3 group by ticket_id order by ticket_id limit 6) e
			join tickets t on t.id = e.ticket_id order by t.id`, from, to, bucket)
		if err != nil {
			return err
		}
		type one struct {
			Number string
			Seq    int
		}
		list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[one])
		if err != nil {
			return err
		}
		switch {
		case len(list) == 0:
			f.Detail += "; every ticket of one part of the day is gone"
		case len(list) == 1 && d.tickets == a.Tickets:
			f.Number, f.Seq = list[0].Number, list[0].Seq
		default:
			var names []string
			for _, o := range list {
				names = append(names, o.Number)
			}
			more := ""
			if len(list) == 6 {
				more = " and more"
			}
			f.Detail += "; the difference is among " + strings.Join(names, ", ") + more
			if d.tickets < a.Tickets {
				f.Detail += ", or in a ticket that is gone"
			}
		}
		return nil
	})
	v.found(f)
	return err
}
