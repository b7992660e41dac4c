-- +goose Up
-- Links between tickets. from_id is the one that the kind says something about: it blocks, follows up, or is a part of the other.
create table ticket_links (
  from_id    uuid not null references tickets,
  to_id      uuid not null references tickets,
  kind       text not null check (kind in ('related', 'blocks', 'follow_up', 'part')),
  by_user_id uuid references users,
  agency_id  uuid references agencies,
  at         timestamptz not null,
  primary key (from_id, to_id, kind),
  check (from_id <> to_id)
);
create index ticket_links_to on ticket_links (to_id);

alter table ticket_links enable row level security;
create policy ticket_links_system on ticket_links to hotline_app using ((select actor_kind()) = 'system');
-- Who sees both ends sees the link.
create policy ticket_links_read on ticket_links for select to hotline_app using (
  (select actor_kind()) = 'staff'
  and exists (select from ticket_access a where a.ticket_id = from_id and a.agency_id = (select actor_agency()))
  and exists (select from ticket_access a where a.ticket_id = to_id and a.agency_id = (select actor_agency()))
);

-- +goose Down
drop table ticket_links;
