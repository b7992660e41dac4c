-- +goose Up
-- Areas, categories, service items and the dispatch catalogue: reference data, read by everyone, loaded into memory as one snapshot.
create table areas (
  code       text primary key,
  parent     text references areas,
  level      text not null,
  names      jsonb not null,
  geometry   jsonb,                       -- GeoJSON Polygon or MultiPolygon, WGS 84
  active     boolean not null default true
);

create table categories (
  code         text primary key,
  parent       text references categories,
  names        jsonb not null,
  kinds        text[] not null,
  urgency      text not null default 'normal',
  confidential boolean not null default false,
  description  jsonb not null default '{}',
  keywords     jsonb not null default '{}',
  examples     jsonb not null default '{}',
  active       boolean not null default true,
  version      int not null default 1
);

create table service_items (
  code       text primary key,
  names      jsonb not null,
  agency_id  uuid not null references agencies,
  category   text references categories,
  area       text references areas,
  summary    jsonb not null default '{}',
  channels   text[] not null default '{}',
  life_event text not null default '',
  url        text not null default '',
  active     boolean not null default true,
  version    int not null default 1
);

create table catalogue_versions (
  version      int primary key,
  state        text not null check (state in ('draft', 'published', 'retired')),
  note         text not null default '',
  created_at   timestamptz not null default now(),
  published_at timestamptz,
  published_by uuid references users
);
create unique index catalogue_one_published on catalogue_versions (state) where state = 'published';

create table catalogue_entries (
  version      int not null references catalogue_versions on delete cascade,
  position     int not null,
  category     text not null references categories,
  service_item text references service_items,
  area         text references areas,
  lead         uuid not null references agencies,
  co           uuid[] not null default '{}',
  urgency      text not null default '',
  primary key (version, position)
);

-- A published version never changes: the application may write entries of drafts only. Fill a draft first, publish it then.
alter table catalogue_entries enable row level security;
create policy catalogue_read on catalogue_entries for select using (true);
create policy catalogue_insert on catalogue_entries for insert
  with check (exists (select from catalogue_versions v where v.version = catalogue_entries.version and v.state = 'draft'));
create policy catalogue_delete on catalogue_entries for delete
  using (exists (select from catalogue_versions v where v.version = catalogue_entries.version and v.state = 'draft'));

-- One row that every change of reference data moves on, whoever makes it, so that a node which lost the hint notices on its slow tick.
create table routing_revision (
  singleton boolean primary key default true check (singleton),
  revision  bigint not null default 1
);
insert into routing_revision default values;

-- +goose StatementBegin
create function routing_changed() returns trigger language plpgsql as $$
begin
  update routing_revision set revision = revision + 1;
  return null;
end $$;
-- +goose StatementEnd
create trigger routing_changed after insert or update or delete on jurisdictions for each statement execute function routing_changed();
create trigger routing_changed after insert or update or delete on agencies for each statement execute function routing_changed();
create trigger routing_changed after insert or update or delete on areas for each statement execute function routing_changed();
create trigger routing_changed after insert or update or delete on categories for each statement execute function routing_changed();
create trigger routing_changed after insert or update or delete on service_items for each statement execute function routing_changed();
create trigger routing_changed after insert or update or delete on catalogue_versions for each statement execute function routing_changed();

-- +goose Down
drop trigger routing_changed on agencies;
drop trigger routing_changed on jurisdictions;
drop table routing_revision;
drop table catalogue_entries, catalogue_versions, service_items, categories, areas;
drop function routing_changed;
