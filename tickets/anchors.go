package tickets

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// Seals make a history tamper-evident to whoever does not hold the installation's key. Anchors do so to outsiders, and against whoever holds
// the key: one signed line a day over the newest seal of every history that grew that day, chained to the line before. Who kept a line can later
// show whether a history is still the one of that day.

// anchorGrace is how long after midnight a day is anchored: an entry carries the time of its node, and nodes' clocks differ.
const anchorGrace = 10 * time.Minute

const (
	buckets     = 256
	anchorTitle = "hotline history anchor 1"
)

// Anchor is the digest of one day.
type Anchor struct {
	Day       string `json:"day"`  // in Zone
	Zone      string `json:"zone"` // IANA name
	Tickets   int64  `json:"tickets"`
	Entries   int64  `json:"entries"`
	Root      string `json:"root"`      // hex
	Previous  string `json:"previous"`  // hex, the digest of the day before; empty on the first day
	Digest    string `json:"digest"`    // hex
	Signature string `json:"signature"` // base64, Ed25519 over the digest's 32 bytes

	buckets []byte
}

// Line is the anchor as it is kept outside: one line of JSON.
func (a Anchor) Line() string {
	b, err := json.Marshal(a)
	if err != nil {
		return "" // strings and numbers
	}
	return string(b)
}

// digest is computed from text, so that anybody can repeat it with a shell.
func (a Anchor) digest() []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n%d\n%d\n%s\n%s\n", anchorTitle, a.Day, a.Zone, a.Tickets, a.Entries, a.Root, a.Previous))
	return sum[:]
}

// check reports whether digest and signature fit the rest.
func (a Anchor) check(key ed25519.PublicKey) bool {
	sum := a.digest()
	signature, err := base64.StdEncoding.DecodeString(a.Signature)
	return err == nil && hex.EncodeToString(sum) == a.Digest && ed25519.Verify(key, sum, signature)
}

// span is when the day began and ended. The first one takes in everything before it.
func (a Anchor) span(before *Anchor) (from, to time.Time, err error) {
	to, err = dayEnd(a.Day, a.Zone)
	if err != nil || before == nil {
		return time.Time{}, to, err
	}
	from, err = dayEnd(before.Day, before.Zone)
	return from, to, err
}

func dayEnd(day, zone string) (time.Time, error) {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return time.Time{}, fmt.Errorf("anchor of %s: zone %q", day, zone)
	}
	d, err := time.ParseInLocation(time.DateOnly, day, loc)
	if err != nil {
		return time.Time{}, fmt.Errorf("anchor: day %q", day)
	}
	return d.AddDate(0, 0, 1), nil
}

// dayDigest takes the newest seals of a day's histories, in the order of the tickets' ids.
type dayDigest struct {
	sums             [buckets][sha256.Size]byte
	tickets, entries int64
}

func (d *dayDigest) add(ticket uuid.UUID, seq int, seal []byte, entries int64) {
	h := sha256.New()
	b := &d.sums[ticket[len(ticket)-1]]
	h.Write(b[:])
	h.Write(ticket[:])
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(seq)))
	h.Write(seal)
	h.Sum(b[:0])
	d.tickets++
	d.entries += entries
}

func (d *dayDigest) bytes() []byte {
	out := make([]byte, 0, buckets*sha256.Size)
	for _, s := range d.sums {
		out = append(out, s[:]...)
	}
	return out
}

func rootOf(buckets []byte) string {
	sum := sha256.Sum256(buckets)
	return hex.EncodeToString(sum[:])
}

// AnchorKey is the public key that anchors are signed with.
func (s *Service) AnchorKey() ed25519.PublicKey { return s.keys.anchors.Public().(ed25519.PublicKey) }

// MakeAnchors anchors the days that are over and have none yet, at most limit of them; a day is over some minutes after its midnight in the
// jurisdiction's zone. It may be called on every node: one of them works, the others find nothing to do.
func (s *Service) MakeAnchors(ctx context.Context, limit int) (made []Anchor, err error) {
	for range limit {
		a, err := s.makeAnchor(ctx)
		if err != nil {
			return made, fmt.Errorf("anchor the history: %w", err)
		}
		if a == nil {
			break
		}
		made = append(made, *a)
	}
	return made, nil
}

func (s *Service) makeAnchor(ctx context.Context) (made *Anchor, err error) {
	now, zone := s.clock.Now(), s.settings.Load().Calendar.Location()
	err = db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		var mine bool
		if err := tx.QueryRow(ctx, `select pg_try_advisory_xact_lock(hashtext('hotline anchors'))`).Scan(&mine); err != nil || !mine {
			return err
		}
		last, err := s.anchors(ctx, tx, `true order by day desc limit 1`)
		if err != nil {
			return err
		}
		a := Anchor{Zone: zone.String()}
		var before *Anchor
		if len(last) > 0 {
			before = &last[0]
			day, err := time.Parse(time.DateOnly, before.Day)
			if err != nil {
				return err
			}
			a.Day, a.Previous = day.AddDate(0, 0, 1).Format(time.DateOnly), before.Digest
		} else {
			var first *time.Time
			if err := tx.QueryRow(ctx, `select min(at) from ticket_events`).Scan(&first); err != nil || first == nil {
				return err
			}
			a.Day = first.In(zone).Format(time.DateOnly)
		}
		from, to, err := a.span(before)
		if err != nil || now.Before(to.Add(anchorGrace)) {
			return err
		}
		d, err := digestDay(ctx, tx, from, to)
		if err != nil {
			return err
		}
		a.Tickets, a.Entries, a.buckets = d.tickets, d.entries, d.bytes()
		a.Root = rootOf(a.buckets)
		sum := a.digest()
		a.Digest, a.Signature = hex.EncodeToString(sum), base64.StdEncoding.EncodeToString(ed25519.Sign(s.keys.anchors, sum))
		root, previous := mustHex(a.Root), mustHex(a.Previous)
		_, err = tx.Exec(ctx, `insert into history_anchors (day, zone, tickets, entries, buckets, root, previous, digest, signature, made_at)
			values ($1::text::date, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, a.Day, a.Zone, a.Tickets, a.Entries, a.buckets, root, previous, sum, ed25519.Sign(s.keys.anchors, sum), now)
		made = &a
		return err
	})
	return made, err
}

func mustHex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil || b == nil {
		return []byte{} // made by this package
	}
	return b
}

// digestDay reads the entries of a day through the index on their time.
func digestDay(ctx context.Context, tx db.Tx, from, to time.Time) (*dayDigest, error) {
	rows, err := tx.Query(ctx, `select ticket_id, seq, seal from ticket_events where at >= $1 and at < $2 order by ticket_id, seq`, from, to)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	d := &dayDigest{}
	var at uuid.UUID
	var seq int
	var newest []byte
	var n int64
	for rows.Next() {
		var ticket uuid.UUID
		var q int
		var sealed []byte
		if err := rows.Scan(&ticket, &q, &sealed); err != nil {
			return nil, err
		}
		if n > 0 && ticket != at {
			d.add(at, seq, newest, n)
			n = 0
		}
		at, seq, newest = ticket, q, sealed
		n++
	}
	if n > 0 {
		d.add(at, seq, newest, n)
	}
	return d, rows.Err()
}

func (s *Service) anchors(ctx context.Context, tx db.Tx, where string, args ...any) ([]Anchor, error) {
	rows, err := tx.Query(ctx, `select day::text, zone, tickets, entries, buckets, root, previous, digest, signature from history_anchors where `+where, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (a Anchor, err error) {
		var root, previous, digest, signature []byte
		err = row.Scan(&a.Day, &a.Zone, &a.Tickets, &a.Entries, &a.buckets, &root, &previous, &digest, &signature)
		a.Root, a.Previous, a.Digest = hex.EncodeToString(root), hex.EncodeToString(previous), hex.EncodeToString(digest)
		a.Signature = base64.StdEncoding.EncodeToString(signature)
		return a, err
	})
}

// Anchors lists anchors from the day after on, the oldest first. They are public.
func (s *Service) Anchors(ctx context.Context, after string, limit int) ([]Anchor, error) {
	if after == "" {
		after = "0001-01-01"
	}
	if _, err := time.Parse(time.DateOnly, after); err != nil {
		return nil, ErrBadField.On("after").With("field", "after")
	}
	var out []Anchor
	err := db.ReadTx(ctx, s.pool, db.System(), func(tx db.Tx) (err error) {
		out, err = s.anchors(ctx, tx, `day > $1::text::date order by day limit $2`, after, limit)
		return err
	})
	return out, wrap("list anchors of", err)
}

// ParseAnchors reads lines that were kept outside. Errors name the line.
func ParseAnchors(b []byte) ([]Anchor, error) {
	var out []Anchor
	for i, line := range bytes.Split(b, []byte("\n")) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		var a Anchor
		if err := json.Unmarshal(line, &a); err != nil || a.Day == "" || a.Digest == "" {
			return nil, fmt.Errorf("line %d is not an anchor: %w", i+1, errors.Join(err, errNoAnchor))
		}
		out = append(out, a)
	}
	return out, nil
}

var errNoAnchor = errors.New("want one JSON object a line, with day, root, digest and signature")
