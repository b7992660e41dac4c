-- +goose Up
-- Policies and calendars that administrators change: versions, drafts, the background recomputation of open clocks, and the daily anchors of
-- the history.

-- Whose rules of time an agency works by; null: those of the agency above it, at the top the hotline's. Names a row of sla_sets.
alter table agencies add column jurisdiction text;

-- What moved a deadline after the clock had started (pauses, extensions), so that it can be computed afresh under new rules.
alter table ticket_clocks add column steps jsonb not null default '[]';
-- A clock is updated for every rung it fires and then never read again through its old entry: with the default fifth of the table dead before a
-- vacuum, a sweep would walk over hundreds of thousands of dead entries at the left end of its index.
alter table ticket_clocks set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);

-- Every version that was ever published. sla_sets and business_calendars hold the ones in force.
create table setting_versions (
  kind       text not null check (kind in ('policies', 'calendar')),
  code       text not null,
  version    int not null,
  body       jsonb not null,
  note       text not null default '',
  changed_by uuid references users,              -- null: found or shipped
  changed_at timestamptz not null,
  primary key (kind, code, version)
);
revoke update, delete on setting_versions from hotline_app;

-- What is being edited and holds for nobody yet.
create table setting_drafts (
  kind      text not null check (kind in ('policies', 'calendar')),
  code      text not null,
  body      jsonb not null,
  base      int not null,                        -- the version it began from; 0: the shipped one
  edit      int not null default 1,              -- optimistic lock
  edited_by uuid references users,
  edited_at timestamptz not null,
  primary key (kind, code)
);

-- One row that every change of policies and calendars moves on, so that a node which lost the hint notices on its slow look.
create table settings_revision (
  singleton boolean primary key default true check (singleton),
  revision  bigint not null default 1
);
insert into settings_revision default values;
-- +goose StatementBegin
create function settings_changed() returns trigger language plpgsql security definer set search_path = public as $$
begin
  update settings_revision set revision = revision + 1;
  return null;
end $$;
-- +goose StatementEnd
create trigger settings_changed after insert or update or delete on sla_sets for each statement execute function settings_changed();
create trigger settings_changed after insert or update or delete on business_calendars for each statement execute function settings_changed();

-- Open clocks are brought under new rules in the background, ticket by ticket in the order of their ids. The row is the work's whole state: whoever locks
-- it does the next batch, and a node that dies leaves it for another.
create table recomputations (
  id           uuid primary key,
  kind         text not null check (kind in ('policies', 'calendar', 'agency')),
  code         text not null,
  version      int not null default 0,
  requested_by uuid references users,
  requested_at timestamptz not null,
  ready_at     timestamptz not null,             -- when every node has the new rules
  state        text not null default 'waiting' check (state in ('waiting', 'running', 'done', 'superseded')),
  at_ticket    uuid not null default '00000000-0000-0000-0000-000000000000',
  busy         uuid[] not null default '{}',     -- tickets that somebody held when their turn came
  total        bigint not null default 0,        -- open clocks at the start
  looked       bigint not null default 0,
  earlier      bigint not null default 0,
  later        bigint not null default 0,
  unchanged    bigint not null default 0,
  held         bigint not null default 0,        -- would be earlier, but was told to the contact or would be over at once
  started_at   timestamptz,
  finished_at  timestamptz
);
create index recomputations_open on recomputations (requested_at) where state in ('waiting', 'running');
create index recomputations_newest on recomputations (requested_at desc);

-- One anchor a day over the seals of every history that grew that day, chained and signed. See docs/operations.md.
create table history_anchors (
  day       date primary key,
  zone      text not null,                       -- where the day begins
  tickets   bigint not null,
  entries   bigint not null,
  buckets   bytea not null,                      -- 256 digests, by the last byte of the ticket's id: they narrow down where a difference is
  root      bytea not null,
  previous  bytea not null,
  digest    bytea not null,
  signature bytea not null,
  made_at   timestamptz not null
);
revoke update, delete on history_anchors from hotline_app;
create trigger history_anchors_append_only before update or delete or truncate on history_anchors for each statement execute function refuse_change();

-- The second wall: everyone may read the rules in force and the anchors; staff of the hotline write rules (which of them, the service decides).
-- +goose StatementBegin
do $$
declare t text;
begin
  foreach t in array array['sla_sets', 'business_calendars', 'setting_versions', 'setting_drafts', 'recomputations'] loop
    execute format('alter table %I enable row level security', t);
    execute format($p$create policy %I on %I to hotline_app using ((select actor_kind()) = 'system' or ((select actor_kind()) = 'staff' and (select actor_desk())))$p$, t || '_desk', t);
  end loop;
  foreach t in array array['sla_sets', 'business_calendars'] loop
    execute format($p$create policy %I on %I for select to hotline_app using ((select actor_kind()) <> '')$p$, t || '_read', t);
  end loop;
end $$;
-- +goose StatementEnd
alter table settings_revision enable row level security;
create policy settings_revision_read on settings_revision for select to hotline_app using ((select actor_kind()) <> '');
alter table history_anchors enable row level security;
create policy history_anchors_system on history_anchors to hotline_app using ((select actor_kind()) = 'system');
create policy history_anchors_read on history_anchors for select to hotline_app using ((select actor_kind()) <> '');

-- +goose Down
drop table history_anchors, recomputations;
drop trigger settings_changed on sla_sets; drop trigger settings_changed on business_calendars;
drop function settings_changed;
drop policy sla_sets_desk on sla_sets; drop policy sla_sets_read on sla_sets; alter table sla_sets disable row level security;
drop policy business_calendars_desk on business_calendars; drop policy business_calendars_read on business_calendars; alter table business_calendars disable row level security;
drop table settings_revision, setting_drafts, setting_versions;
alter table ticket_clocks reset (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold, autovacuum_vacuum_cost_delay);
alter table ticket_clocks drop column steps;
alter table agencies drop column jurisdiction;
