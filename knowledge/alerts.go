package knowledge

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// Reason is why somebody has to look at a published article.
type Reason string

// The reasons, in the order of boards.
const (
	ReviewDue Reason = "review"   // nobody has looked at it for too long
	Expiring  Reason = "expiring" // it ends soon
	Disputed  Reason = "disputed" // staff say that it is wrong
	Negative  Reason = "negative" // readers say that it does not help
	Behind    Reason = "behind"   // its original has moved on
)

// sqlAlerting names every published article with a reason. $1 the day, $2 the
// moment, $3 the settings' months, $4 days before the end, $5 share, $6 least,
// $7 seconds that the jurisdiction's clock is ahead.
const sqlAlerting = `select a.id as article_id, r.reason, a.owner_id from articles a join article_versions v on v.article_id = a.id and v.version = a.live
	cross join lateral (
		select 'review' where coalesce(a.review_by, ((greatest(v.published_at, a.confirmed_at) at time zone make_interval(secs => $7)) + make_interval(months => coalesce(a.review_months, $3)))::date) <= $1::date
		union all select 'expiring' where v.valid_to < $1::date + $4::int or v.expire_at < $2::timestamptz + make_interval(days => $4)
		union all select 'disputed' where a.disputed
		union all select 'negative' where a.unhelpful >= $6 and exists (select from (select count(*) filter (where not f.helpful) as no, count(*) as n
			from article_feedback f where f.article_id = a.id and f.version = v.version) f where f.no >= $6 and 100 * f.no >= $5 * f.n)
		union all select 'behind' where a.source_id is not null and v.based_on < (select o.live from articles o where o.id = a.source_id)
	) r (reason) where v.state = 'published'`

const (
	sqlRaise = `with now_on as (` + sqlAlerting + `), fresh as (
			insert into article_alerts (article_id, reason, owner_id, since) select article_id, reason, owner_id, $2 from now_on
			on conflict (article_id, reason) do update set owner_id = excluded.owner_id where article_alerts.owner_id is distinct from excluded.owner_id
			returning article_id, reason, owner_id, xmax = 0 as fresh),
		gone as (delete from article_alerts t where not exists (select from now_on n where n.article_id = t.article_id and n.reason = t.reason))
		select article_id, reason, owner_id from fresh where fresh and reason <> 'disputed' order by article_id, reason`
	sqlOneLooks = `select pg_try_advisory_xact_lock(hashtext('hotline knowledge alerts'))`
	sqlConfirm  = `update articles set confirmed_at = $2, review_by = null, updated_at = $2 where id = $1`
	sqlQuiet    = `delete from article_alerts t where t.article_id = any($8)
		and not exists (select from (` + sqlAlerting + ` and a.id = any($8)) n where n.article_id = t.article_id and n.reason = t.reason)`
)

// sqlNeedsLook are the reasons that make an article stale, on the board and in
// what is published. A translation that is behind is listed for itself.
const sqlNeedsLook = `reason <> 'behind'`

// alerting are the arguments of sqlAlerting.
func (s *Service) alerting(now time.Time, rules Settings) []any {
	_, ahead := now.In(s.Location).Zone()
	return []any{s.today(), now, rules.ReviewMonths, rules.ExpiringDays, rules.NegativeShare, rules.NegativeLeast, ahead}
}

// LookAround finds the articles that somebody has to look at, tells their
// owners' editors of new ones once, and forgets what is settled. A node that
// finds another at it does nothing. It returns how many are new.
func (s *Service) LookAround(ctx context.Context) (fresh int, err error) {
	rules, err := s.Settings(ctx)
	if err != nil {
		return 0, err
	}
	err = s.elevated(ctx, func(tx db.Tx) error {
		var mine bool
		if err := tx.QueryRow(ctx, sqlOneLooks).Scan(&mine); err != nil || !mine {
			return err
		}
		now := s.Clock.Now()
		rows, err := tx.Query(ctx, sqlRaise, s.alerting(now, rules)...)
		if err != nil {
			return err
		}
		var id uuid.UUID
		var reason string
		var owner *uuid.UUID
		type raised struct {
			id, owner uuid.UUID
			reason    string
		}
		var all []raised
		if _, err := pgx.ForEachRow(rows, []any{&id, &reason, &owner}, func() error { all = append(all, raised{id, value(owner), reason}); return nil }); err != nil {
			return err
		}
		fresh = len(all)
		for _, r := range all {
			if err := notify(ctx, tx, r.owner, "editor", NoticeStale, r.id, map[string]string{"reason": r.reason}, now); err != nil {
				return err
			}
		}
		return nil
	})
	return fresh, err
}

// Confirm records that somebody has looked at what is published and found it
// still right: the time until the next look begins anew. Errors: ErrNotEditor,
// ErrNotOwner, ErrNotFound, ErrStale, ErrState when nothing is published.
func (s *Service) Confirm(ctx context.Context, by Staff, ref Ref) (Entry, error) {
	return s.change(ctx, by, ref, by.mayChange, func(tx db.Tx, e *Entry) error {
		if e.Article.Live == 0 {
			return ErrState.With("state", string(e.Version.State))
		}
		if _, err := tx.Exec(ctx, sqlConfirm, e.Article.ID, e.Article.UpdatedAt); err != nil {
			return err
		}
		e.Article.ConfirmedAt, e.Article.ReviewBy = &e.Article.UpdatedAt, nil
		return nil
	})
}

// quiet removes the alerts of articles that a change has answered; the next
// look would.
func (s *Service) quiet(ctx context.Context, articles ...uuid.UUID) error {
	rules, err := s.Settings(ctx)
	if err != nil {
		return err
	}
	return s.elevated(ctx, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, sqlQuiet, append(s.alerting(s.Clock.Now(), rules), articles)...)
		return err
	})
}

// AlertsOf lists the reasons of one article.
func (s *Service) AlertsOf(ctx context.Context, by Staff, article uuid.UUID) (out []Reason, err error) {
	err = db.ReadTx(ctx, s.Pool, by.Actor, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, `select reason from article_alerts where article_id = $1 order by since, reason`, article)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, pgx.RowTo[Reason])
		return err
	})
	return out, err
}

// Alert is an article that somebody has to look at.
type Alert struct {
	Entry
	Reason Reason
	Since  time.Time
}

// AlertCursor is the place of an alert in the list.
type AlertCursor struct {
	Since   time.Time
	Article uuid.UUID
	Reason  Reason
}

const sqlAlerts = `select ` + articleColumns + `, ` + versionColumns + `, t.reason, t.since from article_alerts t join articles a on a.id = t.article_id
	join article_versions v on v.article_id = a.id and v.version = a.live
	where ($1::text = '' and ` + sqlNeedsLook + ` or t.reason = $1) and ($2::uuid is null or t.owner_id = $2) and (t.since, t.article_id, t.reason) > ($3, $4, $5) order by t.since, t.article_id, t.reason limit $6`

// Alerts lists what somebody has to look at, the oldest first; without a reason
// everything but translations that are behind. Row-level
// security shows staff their own agency's, the hotline all; owner narrows.
func (s *Service) Alerts(ctx context.Context, by Staff, reason Reason, owner uuid.UUID, after AlertCursor, limit int) (out []Alert, err error) {
	err = db.ReadTx(ctx, s.Pool, by.Actor, func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlAlerts, string(reason), optional(owner), after.Since, after.Article, string(after.Reason), min(limit, 200))
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (al Alert, err error) {
			var owner, source, author, reviewer *uuid.UUID
			err = row.Scan(append(append(al.Article.fields(&owner, &source), al.Version.fields(&author, &reviewer)...), &al.Reason, &al.Since)...)
			al.Article.Owner, al.Article.Source, al.Version.Author, al.Version.Reviewer = value(owner), value(source), value(author), value(reviewer)
			return al, err
		})
		return err
	})
	return out, err
}

// Counts is the knowledge board in numbers; each stops at CountLimit.
type Counts struct {
	Reviews, Scheduled, Stale, Corrections, Overdue, Behind int
}

// CountLimit is where counting stops: "100+".
const CountLimit = 101

const sqlCounts = `select
	(select count(*) from (select from article_versions v join articles a on a.id = v.article_id where v.state = 'in_review' and ($1::uuid is null or a.owner_id = $1) limit 101) x),
	(select count(*) from (select from article_versions v join articles a on a.id = v.article_id where v.state = 'scheduled' and ($1::uuid is null or a.owner_id = $1) limit 101) x),
	(select count(*) from (select from article_alerts t where ` + sqlNeedsLook + ` and ($1::uuid is null or t.owner_id = $1) limit 101) x),
	(select count(*) from (select from article_corrections c join articles a on a.id = c.article_id where c.settled_at is null and c.due_at is not null and ($1::uuid is null or a.owner_id = $1) limit 101) x),
	(select count(*) from (select from article_corrections c join articles a on a.id = c.article_id where c.settled_at is null and c.due_at <= $2 and ($1::uuid is null or a.owner_id = $1) limit 101) x),
	(select count(*) from (select from article_alerts t where t.reason = 'behind' and ($1::uuid is null or t.owner_id = $1) limit 101) x)`

// Counts counts for one agency, or for all with uuid.Nil.
func (s *Service) Counts(ctx context.Context, by Staff, owner uuid.UUID) (n Counts, err error) {
	err = db.ReadTx(ctx, s.Pool, by.Actor, func(tx db.Tx) error {
		return tx.QueryRow(ctx, sqlCounts, optional(owner), s.Clock.Now()).Scan(&n.Reviews, &n.Scheduled, &n.Stale, &n.Corrections, &n.Overdue, &n.Behind)
	})
	return n, err
}

const sqlNextLook = `select coalesce(a.review_by, ((greatest(v.published_at, a.confirmed_at) at time zone make_interval(secs => $2)) + make_interval(months => coalesce(a.review_months, s.review_months)))::date)
	from articles a join article_versions v on v.article_id = a.id and v.version = a.live cross join knowledge_settings s where a.id = $1`

// NextLook is the day by which somebody looks at a published article again.
// Errors: ErrNotFound when nothing is published.
func (s *Service) NextLook(ctx context.Context, a Article) (time.Time, error) {
	_, ahead := s.Clock.Now().In(s.Location).Zone()
	rows, err := s.Pool.Query(ctx, sqlNextLook, a.ID, ahead)
	return one(rows, err, pgx.RowTo[time.Time])
}
