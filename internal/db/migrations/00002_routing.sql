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

-- +goose Down
drop table catalogue_entries, catalogue_versions, service_items, categories, areas;
