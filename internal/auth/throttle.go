package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"net/netip"
	"time"

	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// Throttling: the first few failures are free; each further one doubles the wait, up to a cap; quiet time forgets them. The address is
// allowed more than the account, because an office may share one.
const (
	freeAccount = 5
	freeAddress = 20
	firstWait   = 2 * time.Second
	maxWait     = 5 * time.Minute
	forgetAfter = time.Hour
	// rememberFor is how long an address from which somebody signed in stays known for that account.
	rememberFor = 30 * 24 * time.Hour
)

// attempt names the counters of one try. They are kept as hashes: addresses and e-mails are personal data.
type attempt struct {
	account string
	address string
	known   string // the pair of both; its row exists after a success
}

func newAttempt(email, address string) attempt {
	network := networkOf(address)
	return attempt{account: scope("account", email), address: scope("address", network), known: scope("known", email+"\x00"+network)}
}

// networkOf cuts the port, and an IPv6 address to its /64: that much one subscriber has.
func networkOf(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		withPort, err := netip.ParseAddrPort(address)
		if err != nil {
			return address
		}
		ip = withPort.Addr()
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		if prefix, err := ip.Prefix(64); err == nil {
			return prefix.String()
		}
	}
	return ip.String()
}

func scope(kind, value string) string {
	sum := sha256.Sum256([]byte(kind + "\x00" + value))
	return kind + ":" + hex.EncodeToString(sum[:16])
}

// count notes a try before it is judged, so that many at once cannot slip through between look and note. A try that has to wait is not
// noted: else waiting would never end. Every try takes its rows in the same order, address first. Errors: ErrSlowDown.
func (s *Service) count(ctx context.Context, try attempt) error {
	now := s.clock.Now()
	return db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		var known bool
		err := tx.QueryRow(ctx, `select exists (select from sign_in_failures where scope = $1 and last_at > $2)`, try.known, now.Add(-rememberFor)).Scan(&known)
		if err != nil {
			return err
		}
		if err := countOne(ctx, tx, try.address, freeAddress, now); err != nil || known {
			return err
		}
		return countOne(ctx, tx, try.account, freeAccount, now)
	})
}

func countOne(ctx context.Context, tx db.Tx, name string, free int, now time.Time) error {
	tag, err := tx.Exec(ctx, `
		insert into sign_in_failures as f (scope, failures, last_at) values ($1, 1, $2)
		on conflict (scope) do update set last_at = $2, failures = case when f.last_at <= $2 - $6::interval then 1 else f.failures + 1 end
		where f.failures < $3 or f.last_at <= $2 - $6::interval or f.last_at <= $2 - least($4::interval * power(2, least(f.failures - $3, 30)), $5::interval)`,
		name, now, free, firstWait, maxWait, forgetAfter)
	if err != nil || tag.RowsAffected() == 1 {
		return err
	}
	var failures int
	var last time.Time
	if err := tx.QueryRow(ctx, `select failures, last_at from sign_in_failures where scope = $1`, name).Scan(&failures, &last); err != nil {
		return err
	}
	wait := maxWait
	if over := failures - free; over < 16 {
		wait = min(firstWait<<over, maxWait)
	}
	return ErrSlowDown.With("seconds", max(1, int(math.Ceil(last.Add(wait).Sub(now).Seconds()))))
}

// succeeded forgets the account's failures and takes this try back from the address. The address's other failures stay: else one known
// account would reset the guessing of others.
func (a attempt) succeeded(b *pgx.Batch, now time.Time) {
	b.Queue(`update sign_in_failures set failures = greatest(failures - 1, 0) where scope = $1`, a.address)
	b.Queue(`delete from sign_in_failures where scope = $1`, a.account)
	b.Queue(`insert into sign_in_failures (scope, failures, last_at) values ($1, 0, $2) on conflict (scope) do update set last_at = $2`, a.known, now)
}

// Sweep removes counters that no longer mean anything. Run it now and then.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.clock.Now()
	return db.WithTx(ctx, s.pool, db.System(), func(tx db.Tx) error {
		_, err := tx.Exec(ctx, `delete from sign_in_failures where last_at < $1 or (scope not like 'known:%' and last_at < $2)`,
			now.Add(-rememberFor), now.Add(-forgetAfter))
		return err
	})
}
