-- +goose Up
-- Roles, the actor of a transaction, the installation, nodes, agencies, users, sessions, keys.
--
-- hotline_app is a group: the login the application uses is a member of it, owns nothing and cannot bypass row-level security.
-- Every transaction carries its actor in settings that internal/db writes with BEGIN; a transaction without one sees nothing.

-- +goose StatementBegin
do $$ begin
  if not exists (select from pg_roles where rolname = 'hotline_app') then
    create role hotline_app nologin nosuperuser nobypassrls;
  end if;
exception when duplicate_object or unique_violation then null; -- another database of this cluster was faster
end $$;
-- +goose StatementEnd

grant usage on schema public to hotline_app;
alter default privileges in schema public grant select, insert, update, delete on tables to hotline_app;
alter default privileges in schema public grant usage, select on sequences to hotline_app;

-- The actor. Policies call these inside (select …), so each is evaluated once a statement and never hides an index.
create function actor_kind() returns text language sql stable parallel safe
  return coalesce(current_setting('hotline.actor_kind', true), '');
create function actor_user() returns uuid language sql stable parallel safe
  return nullif(current_setting('hotline.user_id', true), '')::uuid;
create function actor_agency() returns uuid language sql stable parallel safe
  return nullif(current_setting('hotline.agency_id', true), '')::uuid;
create function actor_desk() returns boolean language sql stable parallel safe
  return coalesce(current_setting('hotline.desk', true), '') = 't';
create function actor_cleared() returns boolean language sql stable parallel safe
  return coalesce(current_setting('hotline.cleared', true), '') = 't';
create function actor_conversation() returns uuid language sql stable parallel safe
  return nullif(current_setting('hotline.conversation_id', true), '')::uuid;
create function actor_ticket() returns uuid language sql stable parallel safe
  return nullif(current_setting('hotline.ticket_id', true), '')::uuid;

-- One row: what makes this installation itself.
create table installation (
  singleton   boolean primary key default true check (singleton),
  id          uuid not null,
  store_id    text not null,           -- the marker that the shared file store must hold
  key_check   text not null,           -- proves that a node has the same secret key file, without storing it
  created_at  timestamptz not null default now()
);

create table nodes (
  id         uuid primary key,
  address    text not null,
  started_at timestamptz not null default now(),
  seen_at    timestamptz not null default now()
);

create table jurisdictions (
  code       text primary key,
  names      jsonb not null,
  timezone   text not null,
  languages  text[] not null,
  phone      text not null default '',
  settings   jsonb not null default '{}',   -- emergency numbers, hours, thresholds, scope rules
  version    int not null default 1
);

create table agencies (
  id         uuid primary key,
  code       text not null unique,
  parent_id  uuid references agencies,
  ancestors  uuid[] not null default '{}',  -- from the root down to the parent
  names      jsonb not null,
  kind       text not null check (kind in ('hotline', 'nation', 'province', 'city', 'district', 'street', 'department')),
  area_code  text not null default '',
  phone      text not null default '',
  hours      text not null default '',
  active     boolean not null default true,
  version    int not null default 1,
  created_at timestamptz not null default now()
);
create index agencies_parent on agencies (parent_id);

create table users (
  id            uuid primary key,
  email         text not null,
  name          text not null,
  agency_id     uuid not null references agencies,
  roles         text[] not null,
  lang          text not null default 'en',
  cleared       boolean not null default false, -- may see confidential tickets of the own agency
  password_hash text not null default '',
  active        boolean not null default true,
  version       int not null default 1,
  created_at    timestamptz not null default now(),
  signed_in_at  timestamptz
);
create unique index users_email on users (lower(email));
create index users_agency on users (agency_id);

create table sessions (
  token  text primary key,
  data   bytea not null,
  expiry timestamptz not null
);
create index sessions_expiry on sessions (expiry);

create table sign_in_failures (
  scope      text primary key,       -- 'account:<hash>' or 'address:<hash>'
  failures   int not null,
  last_at    timestamptz not null
);

create table api_keys (
  id           uuid primary key,
  name         text not null,
  hash         bytea not null unique,
  agency_id    uuid not null references agencies,
  scopes       text[] not null,
  created_by   uuid references users,
  created_at   timestamptz not null default now(),
  last_used_at timestamptz,
  revoked_at   timestamptz
);

create table idempotency_keys (
  principal    text not null,
  method       text not null,
  route        text not null,
  key          text not null,
  request_hash bytea not null,
  status       int not null,
  response     jsonb not null,        -- without secrets: codes are derived again when it is replayed
  created_at   timestamptz not null default now(),
  primary key (principal, method, route, key)
);
create index idempotency_keys_age on idempotency_keys (created_at);

-- +goose Down
drop table idempotency_keys, api_keys, sign_in_failures, sessions, users, agencies, jurisdictions, nodes, installation;
drop function actor_kind, actor_user, actor_agency, actor_desk, actor_cleared, actor_conversation, actor_ticket;
alter default privileges in schema public revoke select, insert, update, delete on tables from hotline_app;
alter default privileges in schema public revoke usage, select on sequences from hotline_app;
revoke usage on schema public from hotline_app;
