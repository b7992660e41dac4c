-- +goose Up
-- Measures: what is counted of each ticket and each chat, the sums that dashboards read, settings, appeals against a counted failure, and
-- the open-data files. Everything here but settings, appeals and the list of files follows from the rest and can be built again.

-- One row a ticket and agency that worked on it; main is the ticket's own. Counters are those of tickets/measures. No foreign keys: the
-- follower would hold key-share locks on tickets that people are working on.
create table ticket_facts (
  ticket_id    uuid not null,
  agency_id    uuid not null,
  main         boolean not null,
  day          date not null,                     -- of opening, in the jurisdiction's time
  area         text not null default '',
  category     text not null default '',
  channel      text not null,
  kind         text not null,
  confidential boolean not null,
  opened_at    timestamptz not null,
  events       int not null,                      -- entries of the history that this was made from
  recheck_at   timestamptz,                       -- when time alone changes it
  contact_key  bytea,                             -- keyed hash of the contact's telephone or address, to recognize a repeat
  tickets smallint not null default 0, withdrawn smallint not null default 0, merged smallint not null default 0,
  refused smallint not null default 0, transferred smallint not null default 0, worked smallint not null default 0,
  open_now smallint not null default 0, direct smallint not null default 0, dispatch_ok smallint not null default 0,
  dispatch_late smallint not null default 0, dispatch_open smallint not null default 0, assigned smallint not null default 0,
  sign_ok smallint not null default 0, sign_late smallint not null default 0, sign_open smallint not null default 0,
  sign_void smallint not null default 0, sign_excluded smallint not null default 0, returned smallint not null default 0,
  misdirected smallint not null default 0, response_ok smallint not null default 0, response_late smallint not null default 0,
  response_open smallint not null default 0, response_excluded smallint not null default 0, resolve_ok smallint not null default 0,
  resolve_late smallint not null default 0, resolve_open smallint not null default 0, resolve_provisional smallint not null default 0,
  resolve_excluded smallint not null default 0, kept smallint not null default 0, redone smallint not null default 0,
  redone_excluded smallint not null default 0, first_time smallint not null default 0, repeated smallint not null default 0,
  repeat_unknown smallint not null default 0, solved smallint not null default 0, unsolved smallint not null default 0,
  unsolved_excluded smallint not null default 0, unasked smallint not null default 0, grade_1 smallint not null default 0,
  grade_2 smallint not null default 0, grade_3 smallint not null default 0, grade_4 smallint not null default 0, grade_5 smallint not null default 0,
  grade_excluded smallint not null default 0, ungraded smallint not null default 0, rated smallint not null default 0,
  unrated smallint not null default 0, rectify_ok smallint not null default 0, rectify_late smallint not null default 0,
  rectify_open smallint not null default 0, excluded smallint not null default 0, minutes int not null default 0,
  primary key (ticket_id, agency_id)
);
create index ticket_facts_day on ticket_facts (day, ticket_id, agency_id);
create index ticket_facts_agency on ticket_facts (agency_id, day, ticket_id);
create index ticket_facts_category on ticket_facts (category, day, ticket_id, agency_id);
create index ticket_facts_area on ticket_facts (area, day, ticket_id, agency_id);
create index ticket_facts_recheck on ticket_facts (recheck_at) where recheck_at is not null;
create index ticket_facts_contact on ticket_facts (contact_key, opened_at) where contact_key is not null and main;

create table chat_facts (
  conversation_id uuid primary key,
  day             date not null,                  -- of its beginning
  channel         text not null,
  confidential    boolean not null,
  last_seq        bigint not null,
  recheck_at      timestamptz,
  chats smallint not null default 0, chat_bot smallint not null default 0, chat_person smallint not null default 0,
  chat_open smallint not null default 0, queued smallint not null default 0, picked_15 smallint not null default 0,
  picked smallint not null default 0, gave_up smallint not null default 0, queue_open smallint not null default 0, asked smallint not null default 0,
  unanswered smallint not null default 0
);
create index chat_facts_day on chat_facts (day, conversation_id);
create index chat_facts_recheck on chat_facts (recheck_at) where recheck_at is not null;

-- Sums of facts. A slice names which dimensions its rows keep (the others are empty): one dimension a day, or all of them a month. Crossing all
-- of them by day would sum up nothing, because nearly every ticket of a day is alone in its cell.
create table measure_sums (
  slice        text not null check (slice in ('all', 'agency', 'area', 'category', 'channel', 'kind', 'month')),
  period       date not null,                     -- the day, or the first of the month
  agency_id    uuid not null default '00000000-0000-0000-0000-000000000000',
  area         text not null default '',
  category     text not null default '',
  channel      text not null default '',
  kind         text not null default '',
  confidential boolean not null,
  tickets int not null default 0, withdrawn int not null default 0, merged int not null default 0, refused int not null default 0,
  transferred int not null default 0, worked int not null default 0, open_now int not null default 0, direct int not null default 0,
  dispatch_ok int not null default 0, dispatch_late int not null default 0, dispatch_open int not null default 0, assigned int not null default 0,
  sign_ok int not null default 0, sign_late int not null default 0, sign_open int not null default 0, sign_void int not null default 0,
  sign_excluded int not null default 0, returned int not null default 0, misdirected int not null default 0, response_ok int not null default 0,
  response_late int not null default 0, response_open int not null default 0, response_excluded int not null default 0,
  resolve_ok int not null default 0, resolve_late int not null default 0, resolve_open int not null default 0,
  resolve_provisional int not null default 0, resolve_excluded int not null default 0, kept int not null default 0, redone int not null default 0,
  redone_excluded int not null default 0, first_time int not null default 0, repeated int not null default 0, repeat_unknown int not null default 0,
  solved int not null default 0, unsolved int not null default 0, unsolved_excluded int not null default 0, unasked int not null default 0,
  grade_1 int not null default 0, grade_2 int not null default 0, grade_3 int not null default 0, grade_4 int not null default 0,
  grade_5 int not null default 0, grade_excluded int not null default 0, ungraded int not null default 0, rated int not null default 0,
  unrated int not null default 0, rectify_ok int not null default 0, rectify_late int not null default 0, rectify_open int not null default 0,
  excluded int not null default 0, minutes bigint not null default 0, chats int not null default 0, chat_bot int not null default 0,
  chat_person int not null default 0, chat_open int not null default 0, queued int not null default 0, picked_15 int not null default 0,
  picked int not null default 0, gave_up int not null default 0, queue_open int not null default 0, asked int not null default 0,
  unanswered int not null default 0,
  primary key (slice, period, agency_id, category, area, channel, kind, confidential)
);
create index measure_sums_agency on measure_sums (agency_id, period) where slice = 'month';
create index measure_sums_category on measure_sums (category, period) where slice = 'month';
create index measure_sums_area on measure_sums (area, period) where slice = 'month';

-- How far the follower has come. Its row lock is what lets one process work at a time.
create table measure_state (
  singleton      boolean primary key default true check (singleton),
  followed_at    timestamptz not null default 'epoch', -- newest history entry seen
  talked_at      timestamptz not null default 'epoch', -- newest message seen
  widened_at     timestamptz not null default 'epoch', -- last look further back
  checked_at     timestamptz not null default 'epoch', -- last look at everything
  looked_at      timestamptz not null default 'epoch', -- last look at all, to some seconds: how fresh the numbers are
  rebuilding     boolean not null default true,        -- an installation that had tickets before measures builds them at its first start
  rebuild_ticket uuid,
  rebuild_talk   uuid,
  rebuild_done   bigint not null default 0,
  rebuild_total  bigint not null default 0,
  settings       jsonb not null default '{}',
  version        int not null default 1,               -- of the settings
  changed_by     uuid,
  changed_at     timestamptz
);
insert into measure_state default values;

-- What follows changes finds them here. A BRIN costs an intake next to nothing: rows come in the order of their time.
create index ticket_events_at on ticket_events using brin (at) with (pages_per_range = 32, autosummarize = on);
create index messages_at on messages using brin (created_at) with (pages_per_range = 32, autosummarize = on);

-- An agency's appeal against a failure that was counted against it.
create table measure_appeals (
  id          uuid primary key,
  ticket_id   uuid not null references tickets,
  agency_id   uuid not null,
  failure     text not null check (failure in ('late_sign', 'late_response', 'late_resolve', 'negative_rating', 'unsolved', 'redone')),
  reason      text not null,
  state       text not null default 'open' check (state in ('open', 'upheld', 'rejected')),
  filed_by    uuid not null,
  filed_at    timestamptz not null,
  decided_by  uuid,
  decided_at  timestamptz,
  decision    text not null default '',
  unique (ticket_id, agency_id, failure)
);
create index measure_appeals_state on measure_appeals (state, filed_at desc, id desc);
create index measure_appeals_agency on measure_appeals (agency_id, filed_at desc, id desc);

-- Monthly files without personal data; the bytes are in the file store.
create table open_data_files (
  month      date not null,
  format     text not null check (format in ('csv', 'json')),
  blob       text not null,
  rows       int not null,
  left_out   int not null,
  size       bigint not null,
  sha256     text not null,
  created_at timestamptz not null,
  primary key (month, format)
);

-- The second wall. The hotline sees everything but what is confidential and not for this person; an agency sees its own and what is below it.
alter table ticket_facts enable row level security;
create policy ticket_facts_system on ticket_facts to hotline_app using ((select actor_kind()) = 'system');
create policy ticket_facts_read on ticket_facts for select to hotline_app using (
  (select actor_kind()) = 'staff' and (
    ((select actor_desk()) or agency_id = (select actor_agency())) and (not confidential or (select actor_cleared()))
    or not confidential and agency_id in (select g.id from agencies g where (select actor_agency()) = any (g.ancestors)))
);
alter table measure_sums enable row level security;
create policy measure_sums_system on measure_sums to hotline_app using ((select actor_kind()) = 'system');
create policy measure_sums_read on measure_sums for select to hotline_app using (
  (select actor_kind()) = 'staff' and (
    ((select actor_desk()) or agency_id = (select actor_agency())) and (not confidential or (select actor_cleared()))
    or not confidential and agency_id in (select g.id from agencies g where (select actor_agency()) = any (g.ancestors)))
);
alter table chat_facts enable row level security;
create policy chat_facts_system on chat_facts to hotline_app using ((select actor_kind()) = 'system');
create policy chat_facts_read on chat_facts for select to hotline_app using (
  (select actor_kind()) = 'staff' and (select actor_desk()) and (not confidential or (select actor_cleared()))
);
alter table measure_appeals enable row level security;
create policy measure_appeals_system on measure_appeals to hotline_app using ((select actor_kind()) = 'system');
create policy measure_appeals_read on measure_appeals for select to hotline_app using (
  (select actor_kind()) = 'staff' and ((select actor_desk()) or agency_id = (select actor_agency()))
    and exists (select from ticket_access a where a.ticket_id = measure_appeals.ticket_id and a.agency_id = (select actor_agency()))
);
-- How far the follower is and what the settings are is no secret; the files are public.
alter table measure_state enable row level security;
create policy measure_state_read on measure_state for select to hotline_app using (true);
create policy measure_state_write on measure_state to hotline_app using ((select actor_kind()) = 'system');
alter table open_data_files enable row level security;
create policy open_data_read on open_data_files for select to hotline_app using (true);
create policy open_data_write on open_data_files to hotline_app using ((select actor_kind()) = 'system');

-- +goose Down
drop index ticket_events_at, messages_at;
drop table open_data_files, measure_appeals, measure_state, measure_sums, chat_facts, ticket_facts;
