-- +goose Up
-- Lists, filters and searches at ten million tickets.

-- Search ------------------------------------------------------------------------------------------------------------------
-- What a search is narrowed by inside its own index, so that words which are common in the city and rare in an agency need no look at every hit:
-- the agencies that have an access row, but for the hotline, which has them all, and the span of time in which the ticket was opened. It only
-- narrows: who may see a hit is still asked of ticket_access.
-- A span is twelve days and a half (2^30 ms), written as an id that no agency has (version 0). Stable, as extract is: an immutable function would not be
-- expanded where it is called, and each filing would pay for planning it.
create function search_span(at timestamptz) returns uuid language sql stable parallel safe
  return lpad(to_hex((extract(epoch from at) * 1000)::bigint >> 30), 32, '0')::uuid;

alter table ticket_search add column keys uuid[] not null default '{}';
drop index ticket_search_words;
update ticket_search s set keys = k.keys from (
  select t.id, search_span(t.opened_at) || coalesce(array_agg(a.agency_id) filter (where a.role <> 'desk'), '{}') as keys
  from tickets t left join ticket_access a on a.ticket_id = t.id group by t.id) k where k.id = s.ticket_id;
create index ticket_search_words on ticket_search using gin (words, keys) with (gin_pending_list_limit = 512);

-- As before, the function belongs to the owner and is the policy itself: it joins the access rows of the transaction's actor. Words that few tickets hold (by the
-- planner's estimate, which costs no scan, and when they turn out to be few) are ranked over all of them. Words that many hold are sought among the newest tickets of the
-- agency, which have some soon; where those have less than a page, among those of the newest two spans of time, the newest eight, and all: each step finds few, because the
-- one before found less than a page, and a bound stops what is odd. These steps take the words as they stand, since the beginning of a word makes the index collect all that
-- begin with it; that is left for last. execute plans with the values, so no generic plan creeps in after the fifth call.
-- +goose StatementBegin
create or replace function search_tickets(query tsquery, candidates int, result_limit int)
returns table (ticket_id uuid, rank real) language plpgsql volatile security definer -- volatile: explain is refused otherwise
set search_path = public set enable_seqscan = off set enable_bitmapscan = on set enable_hashjoin = off set enable_mergejoin = off set max_parallel_workers_per_gather = 0 set work_mem = '16MB' as $$
declare
  page constant int := 25;
  bound constant int := 20000;
  agency uuid := actor_agency();
  cleared boolean := actor_cleared();
  desk boolean := actor_desk();
  hits text := 'select m.ticket_id, m.words from ticket_search m where m.words @@ $1' || case when desk then '' else ' and m.keys @> array[$2]' end;
  -- A look for each of them, behind a fence: the planner would else look for the words first.
  newest constant text := 'select s.ticket_id, s.words from (select a.ticket_id from ticket_access a where a.agency_id = $2 and (not a.confidential or $3)
    order by a.opened_at desc, a.ticket_id desc limit $5) n cross join lateral (select m.ticket_id, m.words from ticket_search m where m.ticket_id = n.ticket_id offset 0) s where s.words @@ $1';
  ranked constant text := 'with h as materialized (%s limit $5) select (select count(*) from h), array_agg(x.ticket_id), array_agg(x.rank) from (
    select h.ticket_id, ts_rank(h.words, $1) as rank from h join ticket_access a on a.agency_id = $2 and a.ticket_id = h.ticket_id and (not a.confidential or $3)
    order by 2 desc, 1 desc limit $4) x';
  exact tsquery := replace(query::text, ':*', '')::tsquery;
  span bigint := (extract(epoch from now()) * 1000)::bigint >> 30;
  plan json;
  n bigint;
  ids uuid[];
  ranks real[];
begin
  if actor_kind() = 'system' then
    return query execute
      'select s.ticket_id, ts_rank(s.words, $1) from ticket_search s where s.words @@ $1 order by 2 desc, 1 desc limit $2' using query, result_limit;
    return;
  elsif actor_kind() <> 'staff' or agency is null then
    return;
  end if;
  <<search>> begin
    execute format('explain (format json) select from ticket_search m where m.words @@ %L::tsquery%s', query, case when desk then '' else format(' and m.keys @> array[%L::uuid]', agency) end) into plan;
    if (plan -> 0 -> 'Plan' ->> 'Plan Rows')::numeric <= candidates then
      execute format(ranked, hits) into n, ids, ranks using query, agency, cleared, result_limit, candidates / 2 + 1;
      exit search when n <= candidates / 2;
    end if;
    execute format(ranked, newest) into n, ids, ranks using query, agency, cleared, result_limit, candidates;
    exit search when cardinality(ids) >= page;
    foreach n in array array[2, 8] loop
      execute format(ranked, hits || format(' and m.keys && %L::uuid[]', (select array_agg(search_span(to_timestamp(((span - i) << 30) / 1000.0))) from generate_series(0, n - 1) i)))
        into n, ids, ranks using exact, agency, cleared, result_limit, bound;
      exit search when cardinality(ids) >= page;
    end loop;
    execute format(ranked, hits) into n, ids, ranks using exact, agency, cleared, result_limit, bound;
    exit search when cardinality(ids) >= page or exact::text = query::text; -- = takes no notice of the beginnings
    -- A word that is very frequent as it stands is meant as it stands: to collect all that begin with it would take longer than a search may.
    execute format('explain (format json) select from ticket_search m where m.words @@ %L::tsquery', substring(query::text from $r$('[^']*'):\*$r$)) into plan;
    exit search when (plan -> 0 -> 'Plan' ->> 'Plan Rows')::numeric > 10 * bound;
    execute format(ranked, hits) into n, ids, ranks using query, agency, cleared, result_limit, bound;
  end;
  return query select * from unnest(ids, ranks);
end $$;
-- +goose StatementEnd

-- As in 00008, and the rare words are sought in the spans of the window alone, behind a fence: the planner would rather walk back through all tickets than ask the index of words.
-- +goose StatementBegin
create or replace function duplicate_candidates(p_agency uuid, p_public boolean, p_ticket uuid, p_conversation uuid, p_contact uuid, p_category text,
  p_cells bigint[], p_words text[], p_from timestamptz, p_to timestamptz, p_limit int)
returns table (ticket_id uuid, same_contact boolean, same_conversation boolean)
language plpgsql volatile security definer set search_path = public set enable_seqscan = off set plan_cache_mode = force_custom_plan as $$
#variable_conflict use_column
declare
  agency uuid := p_agency;
  cleared boolean := false;
  kin uuid[] := '{}';
  query tsquery;
  spans uuid[] := array(select lpad(to_hex(n), 32, '0')::uuid from generate_series((extract(epoch from p_from) * 1000)::bigint >> 30, (extract(epoch from p_to) * 1000)::bigint >> 30) n);
  -- Ids are UUIDv7, so those that were made before the window can be skipped without a look at the ticket. What was imported later is looked at.
  floor_id uuid := (lpad(to_hex((extract(epoch from p_from) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;
begin
  if actor_kind() = 'staff' then
    agency := actor_agency();
    cleared := actor_cleared();
  elsif actor_kind() <> 'system' then
    return;
  end if;
  if agency is null then
    return;
  end if;
  if p_contact is not null then
    kin := contact_kin(p_contact);
  end if;
  select string_agg('''' || w || '''', ' | ')::tsquery into query from unnest(rare_words(p_words, 2000, 8)) w;
  return query
    with hits as (
      (select t.id, true as contact, false as conversation from tickets t where cardinality(kin) > 0 and t.contact_id = any(kin)
        order by t.opened_at desc limit 50)
      union all
      (select t.id, false, true from tickets t where p_conversation is not null and t.conversation_id = p_conversation order by t.opened_at desc limit 50)
      union all
      select n.id, false, false from unnest(p_cells) c (cell) cross join lateral (
        select t.id from tickets t where geo_cell(t.lat, t.lon) = c.cell and t.lat is not null and t.opened_at between p_from and p_to
        order by t.opened_at desc limit 30) n
      union all
      (select s.ticket_id, false, false from (select m.ticket_id from ticket_search m where query is not null and m.words @@ query and m.keys && spans offset 0) s where s.ticket_id >= floor_id
        order by s.ticket_id desc limit 150)
      union all
      (select a.ticket_id, false, false from ticket_access a where a.agency_id = agency and a.category = p_category and a.opened_at between p_from and p_to
        order by a.opened_at desc, a.ticket_id desc limit 60)
    ), found as materialized (
      select h.id, bool_or(h.contact) as contact, bool_or(h.conversation) as conversation, count(*) as ways from hits h where h.id is distinct from p_ticket group by h.id
    )
    select f.id, f.contact, f.conversation from found f
      join ticket_access a on a.agency_id = agency and a.ticket_id = f.id and (cleared or not a.confidential) and a.opened_at between p_from and p_to
      where not p_public or (a.open and a.kind <> 'report')
      order by f.contact or f.conversation desc, f.ways desc, f.id desc limit p_limit;
end $$;
-- +goose StatementEnd

-- As in 00013, and the keys of the search row.
-- +goose StatementBegin
create or replace function ticket_open(
  p_id uuid, p_year text, p_code_hash bytea, p_events int, p_head bytea, p_kind text, p_category text, p_category_fixed boolean, p_service_item text, p_area text,
  p_title text, p_description text, p_place text, p_lat double precision, p_lon double precision, p_lang text, p_urgency text, p_channel text,
  p_conversation uuid, p_contact uuid, p_confidential boolean, p_state text, p_lead uuid, p_co uuid[], p_dispatches int,
  p_sign_due timestamptz, p_warn timestamptz, p_due timestamptz, p_promised timestamptz, p_provisional boolean, p_decision jsonb, p_reply text, p_outcome text,
  p_now timestamptz, p_closed timestamptz, p_version int, p_queue text, p_open boolean, p_words tsvector, p_key text, p_policy text, p_link boolean, p_uploads uuid[],
  a_agency uuid[], a_role text[], a_acting boolean[],
  e_type text[], e_actor text[], e_user uuid[], e_agency uuid[], e_from text[], e_to text[], e_public boolean[], e_data text[], e_seal bytea[],
  c_name text[], c_agency uuid[], c_n int[], c_unit text[], c_warn timestamptz[], c_due timestamptz[], c_provisional boolean[], c_next timestamptz[], c_stopped timestamptz[],
  n_id uuid[], n_agency uuid[], n_role text[], n_type text[])
returns text language plpgsql security definer set plan_cache_mode = force_generic_plan as $$
declare
  made text;
begin
  made := nextval('public.ticket_numbers')::text;
  made := p_year || '-' || lpad(made, greatest(6, length(made)), '0');
  with t as (
    insert into public.tickets (id, number, code_hash, events, head, kind, category, category_fixed, service_item, area, title, description, place, lat, lon, lang, urgency,
      channel, conversation_id, contact_id, confidential, state, lead_id, co_ids, dispatches, sign_due_at, warn_at, due_at, promised_at, provisional, decision,
      reply, outcome, opened_at, updated_at, closed_at, version)
    values (p_id, made, p_code_hash, p_events, p_head, p_kind, nullif(p_category, ''), p_category_fixed, nullif(p_service_item, ''), nullif(p_area, ''), p_title,
      p_description, p_place, p_lat, p_lon, p_lang, p_urgency, p_channel, p_conversation, p_contact, p_confidential, p_state, p_lead, p_co, p_dispatches,
      p_sign_due, p_warn, p_due, p_promised, p_provisional, p_decision, p_reply, p_outcome, p_now, p_now, p_closed, p_version)),
  a as (
    insert into public.ticket_access (agency_id, ticket_id, role, state, queue, open, acting, kind, category, urgency, confidential, lead_id, due_at, opened_at, updated_at, area, warn_at)
    select u.agency, p_id, u.role, p_state, case when u.role = 'past' then '' else p_queue end, p_open, u.acting, p_kind, nullif(p_category, ''), p_urgency,
      p_confidential, p_lead, coalesce(p_due, 'infinity'), p_now, p_now, nullif(p_area, ''), coalesce(p_warn, 'infinity')
    from unnest(a_agency, a_role, a_acting) u (agency, role, acting)),
  e as (
    insert into public.ticket_events (ticket_id, seq, type, actor, user_id, agency_id, from_state, to_state, public, data, action_key, at, seal)
    select p_id, u.seq, u.type, u.actor, u.user_id, u.agency_id, u.from_state, u.to_state, u.public, u.data::jsonb, case when u.seq = 1 then nullif(p_key, '') end, p_now, u.seal
    from unnest(e_type, e_actor, e_user, e_agency, e_from, e_to, e_public, e_data, e_seal) with ordinality
      u (type, actor, user_id, agency_id, from_state, to_state, public, data, seal, seq)),
  c as (
    insert into public.ticket_clocks (ticket_id, name, policy, agency_id, n, unit, started_at, warn_at, due_at, provisional, next_fire_at, stopped_at)
    select p_id, u.name, p_policy, u.agency, u.n, u.unit, p_now, u.warn_at, u.due_at, u.provisional, u.next_fire_at, u.stopped_at
    from unnest(c_name, c_agency, c_n, c_unit, c_warn, c_due, c_provisional, c_next, c_stopped)
      u (name, agency, n, unit, warn_at, due_at, provisional, next_fire_at, stopped_at)),
  o as (
    insert into public.notifications (id, agency_id, role, ticket_id, type, created_at)
    select u.id, u.agency, u.role, p_id, u.type, p_now from unnest(n_id, n_agency, n_role, n_type) u (id, agency, role, type))
  insert into public.ticket_search (ticket_id, words, keys) values (p_id, p_words, array_prepend(public.search_span(p_now), array_remove(a_agency, a_agency[array_position(a_role, 'desk')])));
  -- What few intakes need is a statement of its own: a part of the big one that does nothing still costs its start.
  if p_lead is not null then
    insert into public.assignments (ticket_id, seq, lead_id, co, state, dispatched_at, sign_due_at) values (p_id, 1, p_lead, p_co, 'dispatched', p_now, p_sign_due);
  end if;
  if p_link then
    update public.conversations set ticket_id = p_id, confidential = confidential or p_confidential, updated_at = p_now where id = p_conversation;
    if cardinality(p_uploads) > 0 then
      update public.uploads set ticket_id = p_id, conversation_id = p_conversation
        where id = any(p_uploads) and (conversation_id is null or conversation_id = p_conversation) and ticket_id is null;
    end if;
  end if;
  return made;
end $$;
-- +goose StatementEnd

-- Lists -------------------------------------------------------------------------------------------------------------------
-- The queues that views and call lists read; the big ones, of work under way, were read by nobody. What they took goes to the states, which are a facet.
drop index ticket_access_queue;
create index ticket_access_queue on ticket_access (agency_id, queue, due_at, ticket_id) where open and queue in ('dispatch', 'ask', 'revisit');
create index ticket_access_exclusion on ticket_access (agency_id, due_at, ticket_id) where open and queue = 'ask' and state = 'revisiting';
create index ticket_access_state on ticket_access (agency_id, state, due_at, ticket_id) where open;
-- Of kinds and urgencies only those that are rare; the others come soon in any order.
drop index ticket_access_kind;
create index ticket_access_kind on ticket_access (agency_id, kind, opened_at desc, ticket_id desc) where kind in ('report', 'suggestion', 'praise');
create index ticket_access_urgency on ticket_access (agency_id, urgency, opened_at desc, ticket_id desc) where urgency <> 'normal';
-- The hotline has every ticket, so a category or a street that has thousands is still rare in its lists: read in the order of the views, for its rows alone.
create index ticket_access_desk_category on ticket_access (agency_id, category, due_at, ticket_id) where open and role = 'desk';
create index ticket_access_desk_area on ticket_access (agency_id, area, due_at, ticket_id) where open and role = 'desk' and area is not null;
create index ticket_access_desk_closed on ticket_access (agency_id, category, updated_at desc, ticket_id desc) where not open and role = 'desk';
create index ticket_access_desk_lead on ticket_access (agency_id, lead_id, opened_at desc, ticket_id desc) where role = 'desk' and lead_id is not null;
-- The lights' own index serves the hotline's open tickets of one agency too, in the order of the views.
drop index ticket_access_lights;
create index ticket_access_lights on ticket_access (lead_id, due_at, ticket_id) include (agency_id, warn_at, confidential, standing) where open and role = 'desk';
-- Tickets under a supervision order, for those who see few of them.
alter table ticket_access add column ordered boolean not null default false;
update ticket_access a set ordered = true from tickets t where t.id = a.ticket_id and t.supervision <> '' and a.role <> 'past';
create index ticket_access_ordered on ticket_access (agency_id, updated_at, ticket_id) where ordered;
drop index tickets_supervision;

-- Whether few tickets of the actor's agency match a facet: up to p_most, in an index alone. Row-level security would look at each row, for what is confidential in it; this
-- tells less than one bit of that, and only to the program, which chooses its way by it.
-- +goose StatementBegin
create function few_tickets(p_facet text, p_values text[], p_agency uuid, p_most int) returns boolean language plpgsql stable security definer
set search_path = public set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set max_parallel_workers_per_gather = 0 set plan_cache_mode = force_generic_plan as $$
declare
  agency uuid := case when actor_kind() = 'system' then p_agency else actor_agency() end;
  n int;
begin
  case p_facet
    when 'category' then
      select count(*) into n from (select from ticket_access a where a.agency_id = agency and a.category = any(p_values) limit p_most + 1) few;
    when 'area' then
      select count(*) into n from (select from ticket_access a where a.agency_id = agency and a.area is not null and a.area = any(p_values) limit p_most + 1) few;
    when 'kind' then
      select count(*) into n from (select from ticket_access a where a.agency_id = agency and a.kind in ('report', 'suggestion', 'praise') and a.kind = p_values[1] limit p_most + 1) few;
    when 'urgency' then
      select count(*) into n from (select from ticket_access a where a.agency_id = agency and a.urgency <> 'normal' and a.urgency = p_values[1] limit p_most + 1) few;
    when 'state' then
      select count(*) into n from (select from ticket_access a where a.agency_id = agency and a.open and a.state = p_values[1] limit p_most + 1) few;
    when 'lead' then
      select count(*) into n from (select from ticket_access a where a.agency_id = agency and a.role = 'desk' and a.lead_id is not null and a.lead_id = p_values[1]::uuid limit p_most + 1) few;
    when 'tag' then
      select count(*) into n from (select from ticket_tags x where x.tag_id = p_values[1]::uuid limit p_most + 1) few;
    when 'opened' then
      select count(*) into n from (select from ticket_access a where a.agency_id = agency and a.opened_at >= p_values[1]::timestamptz and a.opened_at < p_values[2]::timestamptz limit p_most + 1) few;
  end case;
  return n <= p_most;
end $$;
-- +goose StatementEnd
revoke execute on function few_tickets from public;
grant execute on function few_tickets to hotline_app;

-- +goose Down
drop function few_tickets;
create index tickets_supervision on tickets (updated_at) where supervision <> '';
drop index ticket_access_ordered, ticket_access_exclusion, ticket_access_lights, ticket_access_desk_lead, ticket_access_desk_closed, ticket_access_desk_area, ticket_access_desk_category, ticket_access_urgency, ticket_access_kind,
  ticket_access_state, ticket_access_queue;
alter table ticket_access drop column ordered;
create index ticket_access_lights on ticket_access (lead_id, due_at, warn_at) include (agency_id, confidential, standing) where open and role = 'desk';
create index ticket_access_kind on ticket_access (agency_id, kind, opened_at desc, ticket_id desc);
create index ticket_access_queue on ticket_access (agency_id, queue, due_at, ticket_id) where open;
-- +goose StatementBegin
create or replace function duplicate_candidates(p_agency uuid, p_public boolean, p_ticket uuid, p_conversation uuid, p_contact uuid, p_category text,
  p_cells bigint[], p_words text[], p_from timestamptz, p_to timestamptz, p_limit int)
returns table (ticket_id uuid, same_contact boolean, same_conversation boolean)
language plpgsql volatile security definer set search_path = public set enable_seqscan = off set plan_cache_mode = force_custom_plan as $$
#variable_conflict use_column
declare
  agency uuid := p_agency;
  cleared boolean := false;
  kin uuid[] := '{}';
  query tsquery;
  -- Ids are UUIDv7, so those that were made before the window can be skipped without a look at the ticket. What was imported later is looked at.
  floor_id uuid := (lpad(to_hex((extract(epoch from p_from) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;
begin
  if actor_kind() = 'staff' then
    agency := actor_agency();
    cleared := actor_cleared();
  elsif actor_kind() <> 'system' then
    return;
  end if;
  if agency is null then
    return;
  end if;
  if p_contact is not null then
    kin := contact_kin(p_contact);
  end if;
  select string_agg('''' || w || '''', ' | ')::tsquery into query from unnest(rare_words(p_words, 2000, 8)) w;
  return query
    with hits as (
      (select t.id, true as contact, false as conversation from tickets t where cardinality(kin) > 0 and t.contact_id = any(kin)
        order by t.opened_at desc limit 50)
      union all
      (select t.id, false, true from tickets t where p_conversation is not null and t.conversation_id = p_conversation order by t.opened_at desc limit 50)
      union all
      select n.id, false, false from unnest(p_cells) c (cell) cross join lateral (
        select t.id from tickets t where geo_cell(t.lat, t.lon) = c.cell and t.lat is not null and t.opened_at between p_from and p_to
        order by t.opened_at desc limit 30) n
      union all
      (select s.ticket_id, false, false from ticket_search s where query is not null and s.words @@ query and s.ticket_id >= floor_id
        order by s.ticket_id desc limit 150)
      union all
      (select a.ticket_id, false, false from ticket_access a where a.agency_id = agency and a.category = p_category and a.opened_at between p_from and p_to
        order by a.opened_at desc, a.ticket_id desc limit 60)
    ), found as materialized (
      select h.id, bool_or(h.contact) as contact, bool_or(h.conversation) as conversation, count(*) as ways from hits h where h.id is distinct from p_ticket group by h.id
    )
    select f.id, f.contact, f.conversation from found f
      join ticket_access a on a.agency_id = agency and a.ticket_id = f.id and (cleared or not a.confidential) and a.opened_at between p_from and p_to
      where not p_public or (a.open and a.kind <> 'report')
      order by f.contact or f.conversation desc, f.ways desc, f.id desc limit p_limit;
end $$;
create or replace function ticket_open(
  p_id uuid, p_year text, p_code_hash bytea, p_events int, p_head bytea, p_kind text, p_category text, p_category_fixed boolean, p_service_item text, p_area text,
  p_title text, p_description text, p_place text, p_lat double precision, p_lon double precision, p_lang text, p_urgency text, p_channel text,
  p_conversation uuid, p_contact uuid, p_confidential boolean, p_state text, p_lead uuid, p_co uuid[], p_dispatches int,
  p_sign_due timestamptz, p_warn timestamptz, p_due timestamptz, p_promised timestamptz, p_provisional boolean, p_decision jsonb, p_reply text, p_outcome text,
  p_now timestamptz, p_closed timestamptz, p_version int, p_queue text, p_open boolean, p_words tsvector, p_key text, p_policy text, p_link boolean, p_uploads uuid[],
  a_agency uuid[], a_role text[], a_acting boolean[],
  e_type text[], e_actor text[], e_user uuid[], e_agency uuid[], e_from text[], e_to text[], e_public boolean[], e_data text[], e_seal bytea[],
  c_name text[], c_agency uuid[], c_n int[], c_unit text[], c_warn timestamptz[], c_due timestamptz[], c_provisional boolean[], c_next timestamptz[], c_stopped timestamptz[],
  n_id uuid[], n_agency uuid[], n_role text[], n_type text[])
returns text language plpgsql security definer set plan_cache_mode = force_generic_plan as $$
declare
  made text;
begin
  made := nextval('public.ticket_numbers')::text;
  made := p_year || '-' || lpad(made, greatest(6, length(made)), '0');
  with t as (
    insert into public.tickets (id, number, code_hash, events, head, kind, category, category_fixed, service_item, area, title, description, place, lat, lon, lang, urgency,
      channel, conversation_id, contact_id, confidential, state, lead_id, co_ids, dispatches, sign_due_at, warn_at, due_at, promised_at, provisional, decision,
      reply, outcome, opened_at, updated_at, closed_at, version)
    values (p_id, made, p_code_hash, p_events, p_head, p_kind, nullif(p_category, ''), p_category_fixed, nullif(p_service_item, ''), nullif(p_area, ''), p_title,
      p_description, p_place, p_lat, p_lon, p_lang, p_urgency, p_channel, p_conversation, p_contact, p_confidential, p_state, p_lead, p_co, p_dispatches,
      p_sign_due, p_warn, p_due, p_promised, p_provisional, p_decision, p_reply, p_outcome, p_now, p_now, p_closed, p_version)),
  a as (
    insert into public.ticket_access (agency_id, ticket_id, role, state, queue, open, acting, kind, category, urgency, confidential, lead_id, due_at, opened_at, updated_at, area, warn_at)
    select u.agency, p_id, u.role, p_state, case when u.role = 'past' then '' else p_queue end, p_open, u.acting, p_kind, nullif(p_category, ''), p_urgency,
      p_confidential, p_lead, coalesce(p_due, 'infinity'), p_now, p_now, nullif(p_area, ''), coalesce(p_warn, 'infinity')
    from unnest(a_agency, a_role, a_acting) u (agency, role, acting)),
  e as (
    insert into public.ticket_events (ticket_id, seq, type, actor, user_id, agency_id, from_state, to_state, public, data, action_key, at, seal)
    select p_id, u.seq, u.type, u.actor, u.user_id, u.agency_id, u.from_state, u.to_state, u.public, u.data::jsonb, case when u.seq = 1 then nullif(p_key, '') end, p_now, u.seal
    from unnest(e_type, e_actor, e_user, e_agency, e_from, e_to, e_public, e_data, e_seal) with ordinality
      u (type, actor, user_id, agency_id, from_state, to_state, public, data, seal, seq)),
  c as (
    insert into public.ticket_clocks (ticket_id, name, policy, agency_id, n, unit, started_at, warn_at, due_at, provisional, next_fire_at, stopped_at)
    select p_id, u.name, p_policy, u.agency, u.n, u.unit, p_now, u.warn_at, u.due_at, u.provisional, u.next_fire_at, u.stopped_at
    from unnest(c_name, c_agency, c_n, c_unit, c_warn, c_due, c_provisional, c_next, c_stopped)
      u (name, agency, n, unit, warn_at, due_at, provisional, next_fire_at, stopped_at)),
  o as (
    insert into public.notifications (id, agency_id, role, ticket_id, type, created_at)
    select u.id, u.agency, u.role, p_id, u.type, p_now from unnest(n_id, n_agency, n_role, n_type) u (id, agency, role, type))
  insert into public.ticket_search (ticket_id, words) values (p_id, p_words);
  -- What few intakes need is a statement of its own: a part of the big one that does nothing still costs its start.
  if p_lead is not null then
    insert into public.assignments (ticket_id, seq, lead_id, co, state, dispatched_at, sign_due_at) values (p_id, 1, p_lead, p_co, 'dispatched', p_now, p_sign_due);
  end if;
  if p_link then
    update public.conversations set ticket_id = p_id, confidential = confidential or p_confidential, updated_at = p_now where id = p_conversation;
    if cardinality(p_uploads) > 0 then
      update public.uploads set ticket_id = p_id, conversation_id = p_conversation
        where id = any(p_uploads) and (conversation_id is null or conversation_id = p_conversation) and ticket_id is null;
    end if;
  end if;
  return made;
end $$;
create or replace function search_tickets(query tsquery, candidates int, result_limit int)
returns table (ticket_id uuid, rank real) language plpgsql volatile security definer -- volatile: explain is refused otherwise
set search_path = public set enable_seqscan = off set enable_bitmapscan = on as $$
declare
  agency uuid := actor_agency();
  cleared boolean := actor_cleared();
  plan json;
  ids uuid[] := '{}';
begin
  if actor_kind() = 'system' then
    return query execute
      'select s.ticket_id, ts_rank(s.words, $1) from ticket_search s where s.words @@ $1 order by 2 desc, 1 desc limit $2' using query, result_limit;
    return;
  elsif actor_kind() <> 'staff' or agency is null then
    return;
  end if;
  execute format('explain (format json) select from ticket_search where words @@ %L::tsquery', query) into plan;
  if (plan -> 0 -> 'Plan' ->> 'Plan Rows')::numeric > candidates then
    for ticket_id, rank in execute
      'select s.ticket_id, ts_rank(s.words, $1)
         from (select a.ticket_id from ticket_access a where a.agency_id = $2 and (not a.confidential or $3)
                order by a.opened_at desc, a.ticket_id desc limit $4) newest
         join ticket_search s on s.ticket_id = newest.ticket_id
        where s.words @@ $1 order by 2 desc, 1 desc limit $5' using query, agency, cleared, candidates, result_limit
    loop
      ids := ids || ticket_id;
      return next;
    end loop;
    if cardinality(ids) >= 25 then -- a page
      return;
    end if;
  end if;
  return query execute
    'select s.ticket_id, ts_rank(s.words, $1)
       from (select m.ticket_id, m.words from ticket_search m where m.words @@ $1) s
       join ticket_access a on a.agency_id = $2 and a.ticket_id = s.ticket_id and (not a.confidential or $3)
      where s.ticket_id <> all($5) order by 2 desc, 1 desc limit $4' using query, agency, cleared, result_limit, ids;
end $$;
-- +goose StatementEnd
drop index ticket_search_words;
alter table ticket_search drop column keys;
create index ticket_search_words on ticket_search using gin (words) with (gin_pending_list_limit = 512);
drop function search_span;
