-- +goose Up
-- What became of what was suggested to staff: a row for each article that was put into a composer, refused, reported as wrong, or stood
-- beside an answer that was sent without it. The text is not kept: what was sent is a message.
create table assists (
  id              uuid primary key,             -- UUIDv7, of the suggestion: its acts meet in one row
  at              timestamptz not null,
  conversation_id uuid references conversations on delete cascade,
  ticket_id       uuid,
  user_id         uuid not null references users,
  agency_id       uuid not null references agencies,
  kind            text not null check (kind in ('article', 'draft', 'model')),
  article_id      uuid not null references articles,
  version         int not null,
  place           int not null default 0,       -- in the list, from 1; 0: in a draft, or found by searching
  score           real not null default 0,
  outcome         text not null check (outcome in ('shown', 'inserted', 'sent', 'edited', 'dismissed', 'replaced', 'wrong')),
  changed         real not null default 0,      -- of an edited one: how much of its words did not go out, 0 to 1
  reason          text not null default '',     -- of a dismissed one
  instead_id      uuid references articles,     -- of a replaced one: what went out
  model_call      uuid
);
create index assists_article on assists (article_id, version);
create index assists_recent on assists (at);
create index assists_conversation on assists (conversation_id) where outcome in ('dismissed', 'wrong');
create index assists_ticket on assists (ticket_id) where outcome in ('dismissed', 'wrong');

alter table assists enable row level security;
create policy assists_system on assists to hotline_app using ((select actor_kind()) = 'system');
-- Who sees the talk, or has the ticket, sees what was suggested for it.
create policy assists_read on assists for select to hotline_app using (
  (select actor_kind()) = 'staff' and (user_id = (select actor_user()) or exists (select from conversations c where c.id = assists.conversation_id)
    or exists (select from ticket_access a where a.ticket_id = assists.ticket_id))
);
-- Everybody records their own acts.
create policy assists_write on assists for insert to hotline_app with check (
  (select actor_kind()) = 'staff' and user_id = (select actor_user()) and agency_id = (select actor_agency())
);
create policy assists_change on assists for update to hotline_app
  using ((select actor_kind()) = 'staff' and user_id = (select actor_user()))
  with check (user_id = (select actor_user()) and agency_id = (select actor_agency()));
create policy assists_undo on assists for delete to hotline_app using ((select actor_kind()) = 'staff' and user_id = (select actor_user()));

-- +goose Down
drop table assists;
