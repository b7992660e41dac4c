-- +goose Up
create sequence ticket_numbers;

create table tickets (
  id               uuid primary key,
  number           text not null unique,
  code_hash        bytea not null unique,       -- keyed hash of the tracking code
  code_issue       int not null default 1,
  version          int not null default 1,
  kind             text not null check (kind in ('consult', 'help', 'complaint', 'report', 'suggestion', 'praise')),
  category         text references categories,
  service_item     text references service_items,
  area             text references areas,
  title            text not null,
  description      text not null,
  place            text not null default '',
  lat              double precision,
  lon              double precision,
  lang             text not null,
  urgency          text not null default 'normal' check (urgency in ('normal', 'urgent')),
  channel          text not null,               -- where it came from
  conversation_id  uuid not null references conversations,
  contact_id       uuid references contacts,    -- null: anonymous
  confidential     boolean not null default false,
  state            text not null,
  lead_id          uuid references agencies,
  assignee_id      uuid references users,
  dispatches       int not null default 0,
  sign_due_at      timestamptz,
  due_at           timestamptz,                 -- the earliest open deadline, for lights
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

-- Who may see a ticket, one row an agency, with the columns that views filter and sort by. Views read this table through its own indexes;
-- row-level security of tickets and of everything below them asks it.
create table ticket_access (
  agency_id    uuid not null references agencies,
  ticket_id    uuid not null references tickets,
  role         text not null check (role in ('desk', 'lead', 'co', 'ancestor', 'past')),
  state        text not null,
  open         boolean not null,
  kind         text not null,
  category     text,
  urgency      text not null,
  confidential boolean not null,
  assignee_id  uuid,
  due_at       timestamptz,
  opened_at    timestamptz not null,
  updated_at   timestamptz not null,
  primary key (agency_id, ticket_id)
);
create index ticket_access_ticket on ticket_access (ticket_id);
create index ticket_access_open on ticket_access (agency_id, due_at, ticket_id) where open;
create index ticket_access_state on ticket_access (agency_id, state, due_at, ticket_id) where open;
create index ticket_access_assignee on ticket_access (agency_id, assignee_id, due_at, ticket_id) where open;
create index ticket_access_all on ticket_access (agency_id, opened_at desc, ticket_id desc);

create table assignments (
  ticket_id     uuid not null references tickets,
  seq           int not null,
  lead_id       uuid not null references agencies,
  co            uuid[] not null default '{}',
  state         text not null check (state in ('dispatched', 'signed', 'returned', 'transferred', 'done')),
  by_user_id    uuid references users,          -- null: dispatched by rule
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
  user_id    uuid references users,
  agency_id  uuid references agencies,
  from_state text not null default '',
  to_state   text not null default '',
  public     boolean not null default false,
  data       jsonb not null default '{}',
  action_key text,                              -- idempotent double submit
  at         timestamptz not null,
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
  name         text not null,                   -- acknowledge, dispatch, sign, first_reply, resolve, return_decision, awaiting, revisit, …
  policy       text not null,
  version      int not null default 1,
  started_at   timestamptz not null,
  due_at       timestamptz not null,
  provisional  boolean not null default false,
  stage        int not null default 0,          -- rung of the ladder that fired last
  next_fire_at timestamptz,                     -- null: nothing more to fire
  paused_at    timestamptz,
  remaining    interval,
  stopped_at   timestamptz,
  primary key (ticket_id, name)
);
create index ticket_clocks_fire on ticket_clocks (next_fire_at) where next_fire_at is not null;

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
create index ticket_search_words on ticket_search using gin (words);

create table sla_policies (
  code     text primary key,
  position int not null,
  policy   jsonb not null,
  version  int not null default 1
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
-- may_see_ticket in words: the system; the citizen who showed the tracking code; staff whose agency has an access row,
-- and for confidential tickets only staff cleared for them.
alter table ticket_access enable row level security;
create policy ticket_access_rows on ticket_access to hotline_app using (
  (select actor_kind()) = 'system'
  or ((select actor_kind()) = 'staff' and agency_id = (select actor_agency()) and (not confidential or (select actor_cleared())))
);

alter table tickets enable row level security;
create policy ticket_rows on tickets to hotline_app using (
  (select actor_kind()) = 'system'
  or ((select actor_kind()) = 'citizen' and id = (select actor_ticket()))
  or ((select actor_kind()) = 'staff' and exists (select from ticket_access a where a.ticket_id = tickets.id and a.agency_id = (select actor_agency())))
);

-- +goose StatementBegin
do $$
declare t text;
begin
  foreach t in array array['assignments', 'ticket_events', 'ticket_clocks', 'ticket_ratings', 'ticket_search'] loop
    execute format('alter table %I enable row level security', t);
    execute format($p$create policy %I on %I to hotline_app using (
      (select actor_kind()) = 'system'
      or ((select actor_kind()) = 'citizen' and ticket_id = (select actor_ticket()))
      or ((select actor_kind()) = 'staff' and exists (select from ticket_access a where a.ticket_id = %I.ticket_id and a.agency_id = (select actor_agency()))))$p$,
      t || '_rows', t, t);
  end loop;
end $$;
-- +goose StatementEnd

alter table notifications enable row level security;
create policy notification_rows on notifications to hotline_app using (
  (select actor_kind()) = 'system'
  or ((select actor_kind()) = 'staff' and agency_id = (select actor_agency()) and (user_id is null or user_id = (select actor_user())))
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
drop table notifications, business_calendars, sla_policies, ticket_search, ticket_ratings, ticket_clocks, ticket_events, assignments, ticket_access, tickets;
drop function refuse_change;
drop sequence ticket_numbers;
