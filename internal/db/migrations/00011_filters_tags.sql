-- +goose Up
-- Tags, saved filters, and the area as a facet.

alter table ticket_access add column area text;
update ticket_access a set area = t.area from tickets t where t.id = a.ticket_id and t.area is not null;
create index ticket_access_area on ticket_access (agency_id, area, opened_at desc, ticket_id desc) where area is not null;

-- An agency's own words for its tickets. A tag that was merged into another stays, so that who types the old word gets the new one.
create table tags (
  id         uuid primary key,
  agency_id  uuid not null references agencies,
  name       text not null,
  key        text not null,                     -- the name as it is compared: normalized, in lower case
  merged_id  uuid references tags,
  created_by uuid references users,
  created_at timestamptz not null,
  unique (agency_id, key)
);
create table ticket_tags (
  ticket_id  uuid not null references tickets,
  tag_id     uuid not null references tags,
  agency_id  uuid not null references agencies,
  by_user_id uuid references users,
  at         timestamptz not null,
  primary key (ticket_id, tag_id)
);
create index ticket_tags_tag on ticket_tags (tag_id, ticket_id);

-- A view with facets under a name: of a person, or of everybody in an agency.
create table saved_filters (
  id         uuid primary key,
  agency_id  uuid not null references agencies,
  user_id    uuid references users,             -- null: shared in the agency
  name       text not null,
  view       text not null,
  filter     jsonb not null,
  created_by uuid not null references users,
  created_at timestamptz not null
);
create index saved_filters_agency on saved_filters (agency_id, user_id);

-- The second wall.
alter table tags enable row level security;
create policy tags_system on tags to hotline_app using ((select actor_kind()) = 'system');
create policy tags_own on tags to hotline_app using ((select actor_kind()) = 'staff' and agency_id = (select actor_agency()));

alter table ticket_tags enable row level security;
create policy ticket_tags_system on ticket_tags to hotline_app using ((select actor_kind()) = 'system');
-- offset 0 keeps the look at the access row one look for each tag: the planner would else read all access rows of the agency into memory.
create policy ticket_tags_own on ticket_tags to hotline_app using (
  (select actor_kind()) = 'staff' and agency_id = (select actor_agency())
  and exists (select from ticket_access a where a.ticket_id = ticket_tags.ticket_id and a.agency_id = (select actor_agency()) offset 0)
);

alter table saved_filters enable row level security;
create policy saved_filters_system on saved_filters to hotline_app using ((select actor_kind()) = 'system');
create policy saved_filters_own on saved_filters to hotline_app using (
  (select actor_kind()) = 'staff' and agency_id = (select actor_agency()) and (user_id is null or user_id = (select actor_user()))
);

-- +goose Down
drop table saved_filters, ticket_tags, tags;
drop index ticket_access_area;
alter table ticket_access drop column area;
