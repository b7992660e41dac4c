-- +goose Up
-- What the working tools of staff rest on: more views as ranges of indexes, watchers, mentions.

-- A parent that stands for many reports of the same thing.
alter table tickets add column mass_event boolean not null default false;

-- Maintained with the rest of an access row (change.writeAccess), so that these views are ranges like the others.
alter table ticket_access add column supervised boolean not null default false, add column mass boolean not null default false;
update ticket_access a set supervised = true from tickets t where t.id = a.ticket_id and t.supervised;
create index ticket_access_acting on ticket_access (agency_id, due_at, ticket_id) where open and acting;
create index ticket_access_supervised on ticket_access (agency_id, due_at, ticket_id) where open and supervised;
create index ticket_access_mass on ticket_access (agency_id, due_at, ticket_id) where open and mass;

-- Who wants to hear of a ticket. agency_id is the person's own, by which the notice finds out whether the ticket may still be seen.
create table ticket_watchers (
  ticket_id  uuid not null references tickets,
  user_id    uuid not null references users,
  agency_id  uuid not null references agencies,
  by_user_id uuid references users,             -- who put the person there; null: themselves
  since      timestamptz not null,
  changed_at timestamptz not null,              -- of the ticket, for the order of the view
  primary key (ticket_id, user_id)
);
create index ticket_watchers_user on ticket_watchers (user_id, changed_at desc, ticket_id desc);

-- Who was called by name in a note; the newest time counts.
create table ticket_mentions (
  ticket_id    uuid not null references tickets,
  user_id      uuid not null references users,
  agency_id    uuid not null references agencies,
  by_user_id   uuid references users,
  event_seq    int not null,
  mentioned_at timestamptz not null,
  seen_at      timestamptz,                     -- the person opened the ticket since
  primary key (ticket_id, user_id)
);
create index ticket_mentions_user on ticket_mentions (user_id, mentioned_at desc, ticket_id desc);
create index ticket_mentions_unseen on ticket_mentions (user_id, mentioned_at desc, ticket_id desc) where seen_at is null;

-- The second wall: read by the person and by staff whose agency sees the ticket, written by the package alone.
-- +goose StatementBegin
do $$
declare t text;
begin
  foreach t in array array['ticket_watchers', 'ticket_mentions'] loop
    execute format('alter table %I enable row level security', t);
    execute format($p$create policy %I on %I to hotline_app using ((select actor_kind()) = 'system')$p$, t || '_system', t);
    execute format($p$create policy %I on %I for select to hotline_app using (
      (select actor_kind()) = 'staff' and (user_id = (select actor_user()) or exists (select from ticket_access a where a.ticket_id = %I.ticket_id and a.agency_id = (select actor_agency()))))$p$,
      t || '_read', t, t);
  end loop;
end $$;
-- +goose StatementEnd

-- +goose Down
drop table ticket_mentions, ticket_watchers;
drop index ticket_access_mass, ticket_access_supervised, ticket_access_acting;
alter table ticket_access drop column mass, drop column supervised;
alter table tickets drop column mass_event;
