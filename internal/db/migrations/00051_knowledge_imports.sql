-- +goose Up
-- Reports of imports in the console: what became of each article, and why not.
create table knowledge_imports (
  id        uuid primary key,
  user_id   uuid not null,
  agency_id uuid not null,
  name      text not null,                      -- of the file
  mode      text not null check (mode in ('check', 'draft', 'publish')),
  created   int not null,
  updated   int not null,
  unchanged int not null,
  failed    int not null,
  lines     jsonb not null,
  at        timestamptz not null
);
alter table knowledge_imports enable row level security;
create policy knowledge_imports_system on knowledge_imports to hotline_app using ((select actor_kind()) = 'system');
create policy knowledge_imports_read on knowledge_imports for select to hotline_app using (
  (select actor_kind()) = 'staff' and ((select actor_desk()) or agency_id = (select actor_agency())));
create policy knowledge_imports_keep on knowledge_imports for insert to hotline_app with check (
  (select actor_kind()) = 'staff' and user_id = (select actor_user()) and agency_id = (select actor_agency()));

-- +goose Down
drop table knowledge_imports;
