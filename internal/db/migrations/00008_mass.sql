-- +goose Up
-- Many people and one matter: likely duplicates, mass events with their broadcasts, surges, and flags on contacts.

-- Likely duplicates ---------------------------------------------------------------------------------------------------
-- A cell is about 550 m high; who looks for neighbours asks for nine of them. -1 is "no place".
create function geo_cell(lat double precision, lon double precision) returns bigint language sql immutable parallel safe
  return coalesce(floor((lat + 90) * 200)::bigint * 100000 + floor((lon + 180) * 200)::bigint, -1);
create index tickets_cell on tickets (geo_cell(lat, lon), opened_at desc) where lat is not null;
create index tickets_contact on tickets (contact_id) where contact_id is not null;

-- Every filing makes a contact of its own, so "the same person" is the same telephone or e-mail. The last ten digits: with and without the
-- country's code.
create function phone_key(phone text) returns text language sql immutable parallel safe
  return right(regexp_replace(translate(phone, '０１２３４５６７８９', '0123456789'), '[^0-9]', '', 'g'), 10);
create index contacts_phone on contacts (phone_key(phone)) where phone <> '';
create index contacts_email on contacts (lower(email)) where email <> '';

-- The contacts of one person, the given one included; bounded, because a shared telephone may be anybody's. It belongs to the owner: staff may
-- learn that two cases have one contact without being able to read the other contact.
create function contact_kin(p_contact uuid) returns uuid[] language sql stable security definer set search_path = public as $$
  select coalesce(array_agg(id), '{}') from (
    select p_contact as id where p_contact is not null
    union
    (select k.id from contacts c join contacts k on phone_key(k.phone) = phone_key(c.phone) and k.phone <> ''
      where c.id = p_contact and length(phone_key(c.phone)) >= 6 order by k.created_at desc limit 200)
    union
    (select k.id from contacts c join contacts k on lower(k.email) = lower(c.email) and k.email <> ''
      where c.id = p_contact and c.email <> '' order by k.created_at desc limit 200)) kin
$$;
revoke execute on function contact_kin from public;
grant execute on function contact_kin to hotline_app;

-- The words that say most about a text: the rarest of those given, by the statistics that analyze keeps of ticket_search, and none that more than
-- max_rows tickets hold. Without statistics (a small table) every word is rare.
create function rare_words(p_words text[], max_rows int, max_words int) returns text[] language sql stable security definer set search_path = public, pg_catalog as $$
  with common as materialized (
    select e.word, e.freq from pg_stats s, unnest(s.most_common_elems::text::text[], s.most_common_elem_freqs) e (word, freq)
    where s.schemaname = 'public' and s.tablename = 'ticket_search' and s.attname = 'words' and e.word is not null)
  select coalesce(array_agg(word), '{}') from (
    select w.word from (select distinct u.word from unnest(p_words) u (word)) w left join common c on c.word = w.word
    where coalesce(c.freq, 0) * (select greatest(reltuples, 0) from pg_class where oid = 'ticket_search'::regclass) <= max_rows
    order by coalesce(c.freq, 0), length(w.word) desc, w.word limit max_words) rare
$$;
revoke execute on function rare_words from public;

-- Tickets that may be about the same matter: few, whatever the table holds. Four ways lead to them, each a bounded piece of an index: the same person,
-- the neighbourhood in time and place, the rarest words, and the newest of the category. Row-level security would hide these indexes
-- (their operators are not leak-proof), so the function belongs to the owner and is the policy itself, as search_tickets is: it joins the access
-- rows of the transaction's actor. The system asks for the citizen's eyes with p_public: open, not confidential, no report.
-- +goose StatementBegin
create function duplicate_candidates(p_agency uuid, p_public boolean, p_ticket uuid, p_conversation uuid, p_contact uuid, p_category text,
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
-- +goose StatementEnd
revoke execute on function duplicate_candidates from public;
grant execute on function duplicate_candidates to hotline_app;

-- Mass events ---------------------------------------------------------------------------------------------------------
-- A ticket that stands for many reports. Its reporters are the tickets merged into it.
create table mass_events (
  ticket_id   uuid primary key references tickets,
  title       text not null,                    -- written by staff for citizens: what is known, no one's words
  category    text,                             -- new reports of it or of what lies below are offered to join; null: any
  area        text,                             -- in it or below; null: by distance alone, or everywhere
  lat         double precision,
  lon         double precision,
  radius_m    int,
  public      boolean not null default true,    -- shown to citizens before they file
  marked_by   uuid,
  marked_at   timestamptz not null,
  ended_by    uuid,
  ended_at    timestamptz
);
create index mass_events_open on mass_events (marked_at desc, ticket_id) where ended_at is null;
create index mass_events_all on mass_events (marked_at desc, ticket_id desc);

-- One message to all reporters of a ticket: an update on the way, or its answer.
create table broadcasts (
  id         uuid primary key,
  ticket_id  uuid not null references tickets,
  seq        int not null,                      -- of the entry in the parent's history
  type       text not null check (type in ('update', 'reply')),
  text       text not null,
  outcome    text not null default '',
  resolved   boolean,
  uploads    uuid[] not null default '{}',
  user_id    uuid,
  agency_id  uuid,
  created_at timestamptz not null,
  unique (ticket_id, seq)
);

-- Who is to be told, and who was: written with the broadcast, worked off in small transactions by any node (a sweep, as clocks are), so a node that
-- dies leaves rows and no doubt. No foreign key on the reporter's ticket: its lock would wait for whoever is working on that ticket.
create table broadcast_reporters (
  broadcast_id    uuid not null references broadcasts,
  ticket_id       uuid not null,
  state           text not null default 'pending' check (state in ('pending', 'told', 'left', 'failed')), -- left: no longer merged when its turn came
  conversation_id uuid,
  seq             bigint,                       -- of the message, by which its delivery is found
  attempts        int not null default 0,
  next_at         timestamptz,                  -- not before, after a failed attempt
  told_at         timestamptz,
  primary key (broadcast_id, ticket_id)
);
create index broadcast_reporters_pending on broadcast_reporters (broadcast_id, ticket_id) where state = 'pending';

-- Surges --------------------------------------------------------------------------------------------------------------
-- How many tickets came in a quarter of an hour, confidential ones apart: what the sliding window and the weeks before are summed from.
create table ticket_arrivals (
  bucket   timestamptz not null,
  category text not null,
  area     text not null,                       -- '' where none is known
  n        int not null,
  primary key (bucket, category, area)
);

create table surges (
  id              uuid primary key,
  category        text not null,
  area            text not null,                -- '' is the whole jurisdiction
  state           text not null default 'open' check (state in ('open', 'acknowledged', 'over')),
  began_at        timestamptz not null,         -- begin of the window in which it was first seen
  seen_at         timestamptz not null,         -- last time the window was above the line
  observed        int not null,                 -- in the window, now
  peak            int not null,
  expected        double precision not null,    -- by the weeks before
  score           double precision not null,    -- -log10 of the probability of that many by chance
  opened_at       timestamptz not null,
  acknowledged_by uuid,
  acknowledged_at timestamptz,
  note            text not null default '',
  mass_event      uuid references tickets,
  ended_at        timestamptz
);
create unique index surges_running on surges (category, area) where state <> 'over';
create index surges_list on surges (opened_at desc, id desc);

-- Flags on contacts ---------------------------------------------------------------------------------------------------
-- They inform staff; they block nothing. Who a flag is on is found by contact_kin, so no telephone number is copied.
create table contact_flags (
  id         uuid primary key,
  contact_id uuid not null references contacts,
  type       text not null check (type in ('repeat', 'abusive', 'vexatious', 'vulnerable')),
  reason     text not null,
  set_by     uuid not null,
  set_at     timestamptz not null,
  review_at  timestamptz not null,
  expires_at timestamptz not null,
  ended_at   timestamptz,
  told_at    timestamptz,                       -- when supervisors were told that the review is due
  version    int not null default 1
);
create index contact_flags_contact on contact_flags (contact_id);
create index contact_flags_review on contact_flags (review_at, id) where ended_at is null;
create index contact_flags_expiry on contact_flags (expires_at) where ended_at is null;

-- What was done to a flag: append-only, like the history of tickets.
create table contact_flag_events (
  flag_id uuid not null references contact_flags,
  seq     int not null,
  type    text not null check (type in ('set', 'changed', 'reviewed', 'ended', 'expired')),
  user_id uuid,                                 -- null: the sweep
  data    jsonb not null default '{}',
  at      timestamptz not null,
  primary key (flag_id, seq)
);
revoke update, delete on contact_flag_events from hotline_app;
create trigger contact_flag_events_append_only before update or delete or truncate on contact_flag_events for each statement execute function refuse_change();

-- Contacts that came often: proposed to a supervisor, flagged by nobody but people.
create table flag_proposals (
  id         uuid primary key,
  contact_id uuid not null references contacts,
  ticket_id  uuid not null references tickets,  -- the newest, to look at
  n          int not null,                      -- tickets in the time below
  since      timestamptz not null,
  state      text not null default 'open' check (state in ('open', 'flagged', 'dismissed', 'over')),
  made_at    timestamptz not null,
  decided_by uuid,
  decided_at timestamptz
);
create unique index flag_proposals_open on flag_proposals (contact_id) where state = 'open';
create index flag_proposals_list on flag_proposals (n desc, id) where state = 'open';

-- The second wall -----------------------------------------------------------------------------------------------------
-- +goose StatementBegin
do $$
declare t text;
begin
  foreach t in array array['mass_events', 'broadcasts', 'broadcast_reporters', 'ticket_arrivals', 'surges', 'contact_flags', 'contact_flag_events', 'flag_proposals'] loop
    execute format('alter table %I enable row level security', t);
    execute format($p$create policy %I on %I to hotline_app using ((select actor_kind()) = 'system')$p$, t || '_system', t);
  end loop;
  -- Whoever sees the ticket sees that it is a mass event and what was told.
  foreach t in array array['mass_events', 'broadcasts'] loop
    execute format($p$create policy %I on %I for select to hotline_app using (
      (select actor_kind()) = 'staff' and exists (select from ticket_access a where a.ticket_id = %I.ticket_id and a.agency_id = (select actor_agency())))$p$, t || '_read', t, t);
  end loop;
  -- The hotline's own: what goes on in the city, and what is noted about people. To read; the package writes.
  foreach t in array array['surges', 'contact_flags', 'contact_flag_events', 'flag_proposals'] loop
    execute format($p$create policy %I on %I for select to hotline_app using ((select actor_kind()) = 'staff' and (select actor_desk()))$p$, t || '_read', t);
  end loop;
end $$;
-- +goose StatementEnd

-- +goose Down
drop table flag_proposals, contact_flag_events, contact_flags, surges, ticket_arrivals, broadcast_reporters, broadcasts, mass_events;
drop function duplicate_candidates, rare_words, contact_kin;
drop index contacts_email, contacts_phone, tickets_contact, tickets_cell;
drop function phone_key, geo_cell;
