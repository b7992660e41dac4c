package ticketstest

// Marks are the columns that a list of marked tickets is filtered by.
const Marks = `kind, category, urgency, state, area, lead_id, opened_at`

// Fill puts n tickets into the database the short way: a fifth is open, spread over agencies, people and queues.
func (o *Office) Fill(n int) {
	o.Helper()
	conv := o.Conversation()
	exec := func(sql string, args ...any) {
		o.Helper()
		if _, err := o.Owner.Exec(o.Context(), sql, args...); err != nil {
			o.Fatalf("fill: %v", err)
		}
	}
	exec(`insert into tickets (id, number, code_hash, kind, category, title, description, lang, channel, conversation_id, state, lead_id, opened_at, updated_at, due_at)
		select gen_random_uuid(), '2025-' || lpad(i::text, 6, '0'), sha256(i::text::bytea), 'complaint', 'environment.noise', 'case ' || i, 'text', 'en', 'web', $1,
		  case when i % 5 <> 0 then 'closed' when i % 50 = 0 then 'pending_dispatch' when i % 75 = 0 then 'return_requested' else 'in_progress' end,
		  $2, $3::timestamptz - make_interval(mins => i), $3::timestamptz - make_interval(mins => i), $3::timestamptz + make_interval(mins => (i::bigint * 7919 % 20000)::int - 8000)
		from generate_series(1, $4) i`, conv, o.City.Agencies["dept-environment"], o.Clock.Now(), n)
	for agency, role := range map[string]string{"hotline": "desk", "dept-environment": "lead", "city": "ancestor"} {
		exec(`insert into ticket_access (agency_id, ticket_id, role, state, queue, open, acting, kind, category, urgency, confidential, lead_id, assignee_id, due_at, opened_at, updated_at)
			select $1, id, $2, state, case state when 'closed' then '' when 'pending_dispatch' then 'dispatch' when 'return_requested' then 'ask' else 'work' end, state <> 'closed',
			  case when state in ('pending_dispatch', 'return_requested') then $2 = 'desk' else $2 = 'lead' end, kind, category, urgency, false, lead_id,
			  case when right(number, 2)::int < 20 then $3::uuid when right(number, 2)::int < 80 then $4::uuid end, coalesce(due_at, 'infinity'), opened_at, updated_at from tickets`,
			o.City.Agencies[agency], role, o.City.Users["handler-env"], o.City.Users["dispatcher"])
	}
	exec(`update ticket_access a set supervised = a.open and right(t.number, 2)::int % 10 = 5, mass = a.open and right(t.number, 2)::int = 25 from tickets t where t.id = a.ticket_id`)
	for agency, user := range map[string]string{"hotline": "dispatcher", "dept-environment": "handler-env"} {
		exec(`insert into ticket_watchers (ticket_id, user_id, agency_id, since, changed_at, `+Marks+`) select id, $1, $2, updated_at, updated_at, `+Marks+` from tickets where right(number, 1) = '5'`, o.City.Users[user], o.City.Agencies[agency])
		exec(`insert into tags (id, agency_id, name, key, created_at) select gen_random_uuid(), $1, n, n, now() from unnest(array['rare', 'common']) n`, o.City.Agencies[agency])
		exec(`insert into ticket_tags (ticket_id, tag_id, agency_id, at) select t.id, g.id, g.agency_id, now() from tickets t, tags g where g.agency_id = $1 and (g.name = 'common' and t.number < '2025-015000' or g.name = 'rare' and right(t.number, 3) = '777')`, o.City.Agencies[agency])
		exec(`insert into ticket_mentions (ticket_id, user_id, agency_id, event_seq, mentioned_at, seen_at, `+Marks+`) select id, $1, $2, 1, updated_at, case when right(number, 2) <> '07' then updated_at end, `+Marks+`
			from tickets where right(number, 1) = '7'`, o.City.Users[user], o.City.Agencies[agency])
	}
	exec(`insert into ticket_search (ticket_id, words, keys) select id, ('''case'':1A ''w' || right(number, 3) || ''':2')::tsvector, array[search_span(opened_at), $1, $2] from tickets`, o.City.Agencies["dept-environment"], o.City.Agencies["city"])
	exec(`select gin_clean_pending_list('ticket_search_words')`)
	exec(`analyze tickets`)
	exec(`analyze ticket_access`)
	exec(`analyze ticket_search`)
	exec(`analyze ticket_watchers`)
	exec(`analyze ticket_mentions`)
	exec(`analyze ticket_tags`)
}
