-- +goose Up
create sequence ticket_numbers;

-- Columns that name reference data (category, agency, user…) carry no foreign key: such rows are never deleted, the code checks them against
-- the routing snapshot, and a key-share lock of every intake on the one row of the hotline would make it a queue (MultiXact).
create table tickets (
  id               uuid primary key,
  number           text not null unique,
  code_hash        bytea not null unique,       -- keyed hash of the tracking code
  code_issue       int not null default 1,
  version          int not null default 1,      -- of the state: counts moves, not notes and reminders
  events           int not null default 0,      -- entries in the history
  head             bytea not null default '',   -- seal of the newest entry
  kind             text not null check (kind in ('consult', 'help', 'complaint', 'report', 'suggestion', 'praise')),
  category         text,
  category_fixed   boolean not null default false, -- by a person; else routing weighs the text again when it decides again
  service_item     text,
  area             text,
  title            text not null,
  description      text not null,
  place            text not null default '',
  lat              double precision,
  lon              double precision,
  lang             text not null,
  urgency          text not null default 'normal' check (urgency in ('normal', 'urgent', 'complex')),
  channel          text not null,               -- where it came from
  conversation_id  uuid not null references conversations,
  contact_id       uuid references contacts,    -- null: anonymous
  confidential     boolean not null default false,
  state            text not null check (state in ('received', 'answered_directly', 'not_accepted', 'transferred', 'accepted', 'pending_dispatch',
                     'dispatched', 'return_requested', 'in_coordination', 'in_progress', 'awaiting_citizen', 'replied', 'completed', 'revisiting',
                     'reopened', 'merged', 'withdrawn', 'closed')),
  ask              text not null default '' check (ask in ('', 'transfer', 'extension')), -- what the lead asks of the hotline beside the state
  ask_data         jsonb not null default '{}',
  supervised       boolean not null default false,
  lead_id          uuid,
  co_ids           uuid[] not null default '{}',
  past_ids         uuid[] not null default '{}', -- agencies that gave it back: never proposed again
  assignee_id      uuid,
  decided_by       uuid,                         -- who refused it last: an appeal is decided by someone else
  replied_by       uuid,                         -- who answered last: the revisit is made by someone else
  parent_id        uuid references tickets,      -- merged into
  dispatches       int not null default 0,
  designated       boolean not null default false, -- by coordination: this assignment cannot be returned
  sign_due_at      timestamptz,
  warn_at          timestamptz,                 -- when due_at turns yellow
  due_at           timestamptz,                 -- the earliest running deadline, for lights
  promised_at      timestamptz,                 -- the resolution deadline, as told to the contact: never moves earlier
  provisional      boolean not null default false,
  extensions       int not null default 0,
  revisits         int not null default 0,
  decision         jsonb not null default '{}', -- routing: score, explanation, alternatives
  reply            text not null default '',
  outcome          text not null default '',
  agency_resolved  boolean,
  citizen_resolved boolean,
  appealed         boolean not null default false,
  opened_at        timestamptz not null default now(),
  updated_at       timestamptz not null default now(),
  closed_at        timestamptz
);
create index tickets_conversation on tickets (conversation_id);
create index tickets_parent on tickets (parent_id) where parent_id is not null;

-- Who may see a ticket, one row an agency, with the columns that views filter and sort by. Views read this table through its own indexes;
-- row-level security of tickets and of everything below them asks it.
create table ticket_access (
  agency_id    uuid not null,
  ticket_id    uuid not null references tickets,
  role         text not null check (role in ('desk', 'lead', 'co', 'ancestor', 'past')),
  state        text not null,
  queue        text not null,                   -- what the ticket waits for: intake, dispatch, ask, sign, work, citizen, check, revisit; '' when over
  open         boolean not null,
  acting       boolean not null,                -- it is this agency's turn
  kind         text not null,
  category     text,
  urgency      text not null,
  confidential boolean not null,
  lead_id      uuid,
  assignee_id  uuid,
  due_at       timestamptz not null default 'infinity', -- a key of paging, so never null
  opened_at    timestamptz not null,
  updated_at   timestamptz not null,
  primary key (agency_id, ticket_id)
);
create index ticket_access_ticket on ticket_access (ticket_id);
create index ticket_access_open on ticket_access (agency_id, due_at, ticket_id) where open;
create index ticket_access_queue on ticket_access (agency_id, queue, due_at, ticket_id) where open;
create index ticket_access_assignee on ticket_access (agency_id, assignee_id, due_at, ticket_id) where open and assignee_id is not null;
create index ticket_access_unassigned on ticket_access (agency_id, due_at, ticket_id) where open and acting and assignee_id is null;
create index ticket_access_closed on ticket_access (agency_id, updated_at desc, ticket_id desc) where not open;
create index ticket_access_all on ticket_access (agency_id, opened_at desc, ticket_id desc);
-- The facets that may be rare: without these a filter that matches little reads the whole list.
create index ticket_access_category on ticket_access (agency_id, category, opened_at desc, ticket_id desc);
create index ticket_access_kind on ticket_access (agency_id, kind, opened_at desc, ticket_id desc);

create table assignments (
  ticket_id     uuid not null references tickets,
  seq           int not null,
  lead_id       uuid not null,
  co            uuid[] not null default '{}',
  state         text not null check (state in ('dispatched', 'signed', 'returned', 'transferred', 'recalled', 'done')),
  by_user_id    uuid,                           -- null: dispatched by rule
  designated    boolean not null default false,
  explanation   jsonb not null default '[]',
  dispatched_at timestamptz not null,
  sign_due_at   timestamptz,
  signed_at     timestamptz,
  return_code   text not null default '',
  return_basis  text not null default '',
  ended_at      timestamptz,
  primary key (ticket_id, seq)
);

-- The history: append-only. The application may insert and read, never change.
create table ticket_events (
  ticket_id  uuid not null references tickets,
  seq        int not null,
  type       text not null,
  actor      text not null check (actor in ('citizen', 'bot', 'staff', 'system')),
  user_id    uuid,
  agency_id  uuid,
  from_state text not null default '',
  to_state   text not null default '',
  public     boolean not null default false,
  data       jsonb not null default '{}',
  action_key text,                              -- idempotent double submit
  at         timestamptz not null,
  seal       bytea not null default '',         -- keyed hash over this entry and the seal before it
  primary key (ticket_id, seq)
);
create unique index ticket_events_action on ticket_events (ticket_id, action_key) where action_key is not null;
revoke update, delete on ticket_events from hotline_app;
-- +goose StatementBegin
create function refuse_change() returns trigger language plpgsql as $$
begin raise exception 'the history is append-only' using errcode = 'restrict_violation'; end $$;
-- +goose StatementEnd
create trigger ticket_events_append_only before update or delete or truncate on ticket_events for each statement execute function refuse_change();

create table ticket_clocks (
  ticket_id    uuid not null references tickets,
  name         text not null,                   -- of a clock in tickets/sla; co-agencies have co_reply.<agency id>
  policy       text not null,
  agency_id    uuid,                            -- whose clock it is; null: the citizen's
  n            int not null,                    -- the span as the policy wrote it
  unit         text not null,
  started_at   timestamptz not null,
  warn_at      timestamptz not null,
  due_at       timestamptz not null,
  provisional  boolean not null default false,  -- past the last published calendar year
  stage        text not null default '',        -- rung of the ladder that fired last
  next_fire_at timestamptz,                     -- null: nothing more to fire
  paused_at    timestamptz,
  remaining_us bigint not null default 0,       -- of working or elapsed time, by the unit
  stopped_at   timestamptz,
  primary key (ticket_id, name)
);
create index ticket_clocks_fire on ticket_clocks (next_fire_at) where next_fire_at is not null;
create index ticket_clocks_provisional on ticket_clocks (due_at) where provisional and stopped_at is null;

create table ticket_ratings (
  ticket_id  uuid primary key references tickets,
  grade      int not null check (grade between 1 and 5),
  text       text not null default '',
  resolved   boolean,
  created_at timestamptz not null default now()
);

create table ticket_search (
  ticket_id uuid primary key references tickets,
  words     tsvector not null
);
-- A search reads the pending list from end to end: half a megabyte of it costs about a millisecond, the default's four would cost ten.
create index ticket_search_words on ticket_search using gin (words) with (gin_pending_list_limit = 512);

-- Policies and calendars of a jurisdiction where they differ from those in the binary.
create table sla_sets (
  jurisdiction text primary key,
  calendar     text not null,
  set          jsonb not null,
  version      int not null default 1
);
create table business_calendars (
  code     text primary key,
  calendar jsonb not null,
  version  int not null default 1
);

create table notifications (
  id         uuid primary key,
  user_id    uuid references users,             -- null: everyone of the agency with the role
  agency_id  uuid not null references agencies,
  role       text not null default '',
  ticket_id  uuid references tickets,
  type       text not null,
  data       jsonb not null default '{}',
  created_at timestamptz not null default now(),
  read_at    timestamptz
);
create index notifications_agency on notifications (agency_id, created_at desc, id);

alter table conversations add foreign key (ticket_id) references tickets;
alter table messages add foreign key (ticket_id) references tickets;
alter table uploads add foreign key (ticket_id) references tickets;

-- The second wall -----------------------------------------------------------------------------------------------------
-- Who sees a ticket, in words: the system; the citizen who showed the tracking code or holds the conversation it was filed in; staff whose
-- agency has an access row, and for confidential tickets only staff cleared for them.
--
-- Reading and writing are apart. Tickets and what hangs on them are written by the state machine alone, elevated for a moment after it has
-- judged the move (tickets/open.go): to everyone else an insert, a change or a removal is refused. This also keeps the reading rules, each a
-- subquery with its own rules inside, out of the plans of an intake, where they cost more than the rows.
alter table ticket_access enable row level security;
create policy ticket_access_system on ticket_access to hotline_app using ((select actor_kind()) = 'system');
create policy ticket_access_read on ticket_access for select to hotline_app using (
  (select actor_kind()) = 'staff' and agency_id = (select actor_agency()) and (not confidential or (select actor_cleared()))
);

alter table tickets enable row level security;
create policy ticket_system on tickets to hotline_app using ((select actor_kind()) = 'system');
create policy ticket_read on tickets for select to hotline_app using (
  ((select actor_kind()) = 'citizen' and (id = (select actor_ticket()) or conversation_id = (select actor_conversation())))
  or ((select actor_kind()) = 'staff' and exists (select from ticket_access a where a.ticket_id = tickets.id and a.agency_id = (select actor_agency())))
);
-- Whoever may see a ticket may lock it, and nothing more.
create policy ticket_lock on tickets for update to hotline_app using (
  ((select actor_kind()) = 'citizen' and (id = (select actor_ticket()) or conversation_id = (select actor_conversation())))
  or ((select actor_kind()) = 'staff' and exists (select from ticket_access a where a.ticket_id = tickets.id and a.agency_id = (select actor_agency())))
) with check (false);

-- +goose StatementBegin
do $$
declare t text;
begin
  foreach t in array array['assignments', 'ticket_events', 'ticket_clocks', 'ticket_ratings', 'ticket_search'] loop
    execute format('alter table %I enable row level security', t);
    execute format($p$create policy %I on %I to hotline_app using ((select actor_kind()) = 'system')$p$, t || '_system', t);
    execute format($p$create policy %I on %I for select to hotline_app using (
      ((select actor_kind()) = 'citizen' and exists (select from tickets k where k.id = %I.ticket_id))
      or ((select actor_kind()) = 'staff' and exists (select from ticket_access a where a.ticket_id = %I.ticket_id and a.agency_id = (select actor_agency()))))$p$,
      t || '_read', t, t, t);
  end loop;
end $$;
-- +goose StatementEnd

-- Text search. The match operator is not leak-proof, so behind a row-level policy PostgreSQL would test every row instead of using the GIN
-- index. This function therefore belongs to the owner and is the policy itself: it joins the access rows of the transaction's actor. A word
-- that few tickets hold (by the planner's estimate, which costs no scan) is ranked over all of them; one that many hold is sought among the
-- newest of the actor's agency, and over all only when those are not enough. execute plans with the values, so no generic plan creeps in after the
-- fifth call.
-- +goose StatementBegin
create function search_tickets(query tsquery, candidates int, result_limit int)
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
revoke execute on function search_tickets from public;
grant execute on function search_tickets to hotline_app;

alter table notifications enable row level security;
create policy notification_system on notifications to hotline_app using ((select actor_kind()) = 'system');
create policy notification_read on notifications for select to hotline_app using (
  (select actor_kind()) = 'staff' and agency_id = (select actor_agency()) and (user_id is null or user_id = (select actor_user()))
      and (ticket_id is null or exists (select from ticket_access a where a.ticket_id = notifications.ticket_id and a.agency_id = (select actor_agency())))
);
-- To mark as read: who may see it is decided by the rule above, which every update that names a row reads too.
create policy notification_mark on notifications for update to hotline_app using (
  (select actor_kind()) = 'staff' and agency_id = (select actor_agency()) and (user_id is null or user_id = (select actor_user()))
);
create policy notification_insert on notifications for insert to hotline_app with check (
  (select actor_kind()) = 'staff' and agency_id = (select actor_agency())
);

alter table conversations enable row level security;
create policy conversation_rows on conversations to hotline_app using (
  (select actor_kind()) = 'system'
  or ((select actor_kind()) = 'citizen' and (id = (select actor_conversation()) or ticket_id = (select actor_ticket())))
  or ((select actor_kind()) = 'staff' and (
       ((select actor_desk()) and (not confidential or (select actor_cleared())))
       or exists (select from ticket_access a where a.ticket_id = conversations.ticket_id and a.agency_id = (select actor_agency()))))
);

alter table messages enable row level security;
create policy message_rows on messages to hotline_app using (
  (select actor_kind()) = 'system'
  or ((select actor_kind()) = 'citizen' and (conversation_id = (select actor_conversation()) or ticket_id = (select actor_ticket())))
  or ((select actor_kind()) = 'staff' and exists (select from conversations c where c.id = messages.conversation_id))
);

alter table deliveries enable row level security;
create policy delivery_rows on deliveries to hotline_app using (
  (select actor_kind()) = 'system'
  or ((select actor_kind()) = 'staff' and exists (select from conversations c where c.id = deliveries.conversation_id))
);

alter table uploads enable row level security;
create policy upload_rows on uploads to hotline_app using (
  (select actor_kind()) = 'system'
  or ((select actor_kind()) = 'citizen' and (conversation_id = (select actor_conversation()) or ticket_id = (select actor_ticket())))
  or ((select actor_kind()) = 'staff' and exists (select from conversations c where c.id = uploads.conversation_id))
);

alter table contacts enable row level security;
create policy contact_rows on contacts to hotline_app using (
  (select actor_kind()) = 'system'
  or ((select actor_kind()) = 'citizen' and exists (select from conversations c where c.contact_id = contacts.id))
  or ((select actor_kind()) = 'staff' and (exists (select from conversations c where c.contact_id = contacts.id)
                                           or exists (select from tickets k where k.contact_id = contacts.id)))
);

-- +goose Down
drop policy contact_rows on contacts; drop policy upload_rows on uploads; drop policy delivery_rows on deliveries;
drop policy message_rows on messages; drop policy conversation_rows on conversations;
alter table contacts disable row level security; alter table uploads disable row level security; alter table deliveries disable row level security;
alter table messages disable row level security; alter table conversations disable row level security;
alter table conversations drop constraint conversations_ticket_id_fkey;
alter table messages drop constraint messages_ticket_id_fkey;
alter table uploads drop constraint uploads_ticket_id_fkey;
drop function search_tickets;
drop table notifications, business_calendars, sla_sets, ticket_search, ticket_ratings, ticket_clocks, ticket_events, assignments, ticket_access, tickets;
drop function refuse_change;
drop sequence ticket_numbers;
