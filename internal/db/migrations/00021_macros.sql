-- +goose Up
-- Replies with variables, and what is done together with them. Those of the hotline may be shared with every agency.
create table macros (
  id         uuid primary key,
  agency_id  uuid not null references agencies,
  shared     boolean not null default false,
  names      jsonb not null,                    -- by language
  texts      jsonb not null default '{}',       -- by language, with {{variables}}
  mode       text not null default '',          -- of the composer: '' stays as it is
  outcome    text not null default '',
  resolved   boolean,
  does       jsonb not null default '{}',
  active     boolean not null default true,
  version    int not null default 1,
  created_by uuid references users,
  updated_at timestamptz not null
);
create index macros_agency on macros (agency_id);
create index macros_shared on macros (id) where shared;

alter table macros enable row level security;
create policy macros_system on macros to hotline_app using ((select actor_kind()) = 'system');
create policy macros_read on macros for select to hotline_app using ((select actor_kind()) = 'staff' and (shared or agency_id = (select actor_agency())));
create policy macros_write on macros to hotline_app using ((select actor_kind()) = 'staff' and agency_id = (select actor_agency()))
  with check ((select actor_kind()) = 'staff' and agency_id = (select actor_agency()) and (not shared or (select actor_desk())));

-- +goose Down
drop table macros;
