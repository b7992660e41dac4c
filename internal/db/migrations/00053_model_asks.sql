-- +goose Up
-- What staff asked a language model for, while it works and for a day afterwards: any node shows it, a second look costs nothing, and a page
-- can be left and come back to. The record of the call itself is kept by llm_calls; the texts here are the case's and go with them.
create table model_asks (
  id              uuid primary key,             -- UUIDv7
  at              timestamptz not null,
  until           timestamptz not null,         -- when it counts as failed if it has not come back: its node may be gone
  kind            text not null check (kind in ('draft', 'summary', 'translation', 'category', 'questions')),
  about           text not null,                -- what exactly: the newest entry, a message and a language, a version of an article
  conversation_id uuid references conversations on delete cascade,
  ticket_id       uuid references tickets on delete cascade,
  article_id      uuid references articles,
  user_id         uuid not null references users,
  state           text not null default 'running' check (state in ('running', 'done', 'failed')),
  result          jsonb,
  error           text not null default '',     -- a code of the catalogue
  model_call      uuid
);
create index model_asks_ticket on model_asks (ticket_id, kind, about, id) where ticket_id is not null;
create index model_asks_conversation on model_asks (conversation_id, kind, about, id) where conversation_id is not null;
create index model_asks_article on model_asks (article_id, kind, about, id) where article_id is not null;
create index model_asks_old on model_asks (at);

alter table model_asks enable row level security;
create policy model_asks_system on model_asks to hotline_app using ((select actor_kind()) = 'system');
-- Who sees the talk, or has the ticket, sees what a model said of it; of articles nobody keeps secrets from staff.
create policy model_asks_read on model_asks for select to hotline_app using (
  (select actor_kind()) = 'staff' and (user_id = (select actor_user()) or article_id is not null
    or (ticket_id is not null and exists (select from ticket_access a where a.ticket_id = model_asks.ticket_id))
    or (ticket_id is null and exists (select from conversations c where c.id = model_asks.conversation_id)))
);
create policy model_asks_write on model_asks for insert to hotline_app with check ((select actor_kind()) = 'staff' and user_id = (select actor_user()));
create policy model_asks_end on model_asks for update to hotline_app using ((select actor_kind()) = 'staff' and user_id = (select actor_user()));

-- +goose Down
drop table model_asks;
