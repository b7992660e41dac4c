package tickets

import "github.com/jackc/pgx/v5"

// tellWatchersSQL moves a ticket to the top of its watchers' lists and tells them, except the one who acted, and whoever may not see it any more.
const tellWatchersSQL = `
with w as (update ticket_watchers set changed_at = $2 where ticket_id = $1 returning user_id, agency_id)
insert into notifications (id, agency_id, user_id, role, ticket_id, type, data, created_at)
select gen_random_uuid(), w.agency_id, w.user_id, '', $1, 'watched', jsonb_build_object('entry', $3::text), $2
from w join users u on u.id = w.user_id and u.active and u.agency_id = w.agency_id
join ticket_access a on a.agency_id = w.agency_id and a.ticket_id = $1 and (not a.confidential or u.cleared)
where w.user_id is distinct from $4`

// tellWatchers queues the notices of the newest entry: public ones and those for staff alike.
func (c *change) tellWatchers(b *pgx.Batch) {
	if len(c.events) == 0 {
		return
	}
	e := c.events[len(c.events)-1]
	b.Queue(tellWatchersSQL, c.t.ID, c.now, e.Type, optional(e.UserID))
}
