-- +goose Up
-- Fields of a category beside those that every ticket has; what lies below the category has them too.
create table custom_fields (
  id         uuid primary key,
  category   text not null,
  code       text not null check (code ~ '^[a-z][a-z0-9_]{0,39}$'),
  names      jsonb not null,
  type       text not null check (type in ('text', 'number', 'date', 'choice', 'yes_no')),
  choices    jsonb not null default '[]',       -- [{code, names}]
  closing    boolean not null default false,    -- an answer needs it
  position   int not null default 0,
  active     boolean not null default true,
  version    int not null default 1,
  updated_by uuid references users,
  updated_at timestamptz not null,
  unique (category, code)
);
-- The values of a ticket: code → {value, version of the definition that judged it}.
create table ticket_fields (
  ticket_id  uuid primary key references tickets,
  data       jsonb not null,
  updated_at timestamptz not null
);

alter table custom_fields enable row level security;
create policy custom_fields_system on custom_fields to hotline_app using ((select actor_kind()) = 'system');
create policy custom_fields_read on custom_fields for select to hotline_app using ((select actor_kind()) = 'staff');
alter table ticket_fields enable row level security;
create policy ticket_fields_system on ticket_fields to hotline_app using ((select actor_kind()) = 'system');
create policy ticket_fields_read on ticket_fields for select to hotline_app using (
  (select actor_kind()) = 'staff' and exists (select from ticket_access a where a.ticket_id = ticket_fields.ticket_id and a.agency_id = (select actor_agency()))
);

-- +goose Down
drop table ticket_fields, custom_fields;
