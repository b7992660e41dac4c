-- +goose Up
-- Supervision orders, hand-over inside an agency's tree, revisits that ask by message, exclusion reviews and rectification.
alter table tickets
  add column co_signed    uuid[] not null default '{}',           -- of co_ids, those that have signed for their part
  add column supervision  text not null default '' check (supervision in ('', 'ordered', 'answered')), -- an order of a supervisor, beside the overlay
  add column excluded     boolean not null default false,         -- an exclusion review found the demand unjustified: measures count it apart
  add column satisfaction int not null default 0 check (satisfaction between 0 and 5), -- as said in the revisit; 0: not said
  add column grade        int not null default 0 check (grade between 0 and 5),        -- of the newest assessment; 0: none
  add column rectify      text not null default '' check (rectify in ('', 'open', 'answered', 'done', 'failed'));
alter table tickets drop constraint tickets_ask_check;
alter table tickets add constraint tickets_ask_check check (ask in ('', 'transfer', 'extension', 'exclusion'));
alter table assignments drop constraint assignments_state_check;
alter table assignments add constraint assignments_state_check check (state in ('dispatched', 'signed', 'returned', 'transferred', 'recalled', 'handed', 'done'));

-- The second round is the assessment after a rectification.
alter table ticket_ratings add column round int not null default 1 check (round in (1, 2));
alter table ticket_ratings drop constraint ticket_ratings_pkey;
alter table ticket_ratings add primary key (ticket_id, round);

-- What a negative assessment opens: the agency sets right what was wrong and says so, and the contact rates again.
create table rectifications (
  ticket_id   uuid primary key references tickets,
  agency_id   uuid not null,                    -- who has to act; the hotline itself where it answered
  state       text not null check (state in ('open', 'answered', 'done', 'failed')),
  grade       int not null,                     -- the assessment that opened it
  opened_at   timestamptz not null,
  due_at      timestamptz not null,
  answered_by uuid,
  answered_at timestamptz,
  text        text not null default '',
  ended_at    timestamptz
);
create index rectifications_open on rectifications (due_at, ticket_id) where state in ('open', 'answered');
create index rectifications_agency on rectifications (agency_id, due_at, ticket_id) where state in ('open', 'answered');

-- A link for one assessment, for channels on which nobody can press a button. Only its hash is kept.
create table assessment_links (
  hash       bytea primary key,
  ticket_id  uuid not null references tickets,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at    timestamptz
);
create index assessment_links_ticket on assessment_links (ticket_id);

-- The supervision board reads the tickets that the ladder has reached the upper rungs of.
create index ticket_clocks_ladder on ticket_clocks (due_at, ticket_id) where stopped_at is null and stage in ('dunning', 'criticism');
-- Lights by agency: one pass over the index of open tickets, without a look at the table.
alter table ticket_access add column warn_at timestamptz not null default 'infinity';
update ticket_access a set warn_at = t.warn_at from tickets t where t.id = a.ticket_id and t.warn_at is not null;
-- Of the hotline's own rows, so that no list of an agency is tempted to walk it; the last two columns are what row-level security asks.
create index ticket_access_lights on ticket_access (lead_id, due_at, warn_at) include (agency_id, confidential) where open and role = 'desk';
create index tickets_supervision on tickets (updated_at) where supervision <> '';

alter table rectifications enable row level security;
create policy rectification_system on rectifications to hotline_app using ((select actor_kind()) = 'system');
create policy rectification_read on rectifications for select to hotline_app using (
  (select actor_kind()) = 'staff' and exists (select from ticket_access a where a.ticket_id = rectifications.ticket_id and a.agency_id = (select actor_agency()))
  or (select actor_kind()) = 'citizen' and ticket_id = (select actor_ticket())
);
alter table assessment_links enable row level security;
create policy assessment_link_system on assessment_links to hotline_app using ((select actor_kind()) = 'system');

-- +goose Down
drop table assessment_links, rectifications;
drop index ticket_clocks_ladder, ticket_access_lights, tickets_supervision;
alter table ticket_access drop column warn_at;
delete from ticket_ratings where round = 2;
alter table ticket_ratings drop constraint ticket_ratings_pkey;
alter table ticket_ratings drop column round;
alter table ticket_ratings add primary key (ticket_id);
alter table assignments drop constraint assignments_state_check;
update assignments set state = 'transferred' where state = 'handed';
alter table assignments add constraint assignments_state_check check (state in ('dispatched', 'signed', 'returned', 'transferred', 'recalled', 'done'));
alter table tickets drop constraint tickets_ask_check;
update tickets set ask = '' where ask = 'exclusion';
alter table tickets add constraint tickets_ask_check check (ask in ('', 'transfer', 'extension'));
alter table tickets drop column co_signed, drop column supervision, drop column excluded, drop column satisfaction, drop column grade, drop column rectify;
