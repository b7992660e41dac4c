-- +goose Up
-- A search engine outside the process is shared by all nodes and follows PostgreSQL by an outbox of its own: a row says that an article changed
-- since the engine was given it. Rows are written in the transaction of the change, whether or not the engine can be reached and whether or
-- not any node is set to use it, so that no edit is lost while it is away or another one is in use. At most one row stands for an article.
create table search_engines (
  name       text primary key,
  mark       text not null default '',   -- of the settings and analysis that its index was built with; '' before the first time
  rebuilt_at timestamptz,
  done       int not null default 0,     -- of a rebuild under way
  total      int not null default 0,     -- 0: none is under way
  wanted     boolean not null default false, -- somebody asked for a rebuild
  error      text not null default '',   -- of the last try to reach it; '' when it went well
  failing_since timestamptz
);

create sequence article_outbox_serial;
create table article_outbox (
  engine     text not null references search_engines on delete cascade,
  article_id uuid not null,
  serial     bigint not null default nextval('article_outbox_serial'), -- grows with every change: a row that changed since it was read stays
  changed_at timestamptz not null default now(),
  primary key (engine, article_id)
);

alter table search_engines enable row level security;
create policy search_engines_system on search_engines to hotline_app using ((select actor_kind()) = 'system');
alter table article_outbox enable row level security;
create policy article_outbox_system on article_outbox to hotline_app using ((select actor_kind()) = 'system');

-- Whoever may change an article may not see the outbox; so its owner writes it.
-- +goose StatementBegin
create function article_outbox_note() returns trigger language plpgsql security definer set search_path = public as $$
begin
  insert into article_outbox (engine, article_id) select e.name, new.id from search_engines e
  on conflict (engine, article_id) do update set serial = nextval('article_outbox_serial'), changed_at = now();
  return null;
end $$;
-- +goose StatementEnd
create trigger articles_outbox_new after insert on articles for each row when (new.live is not null) execute function article_outbox_note();
create trigger articles_outbox_changed after update on articles for each row
  when (old.live is distinct from new.live or old.lang <> new.lang or old.audience <> new.audience) execute function article_outbox_note();

-- +goose Down
drop trigger articles_outbox_new on articles;
drop trigger articles_outbox_changed on articles;
drop function article_outbox_note;
drop table article_outbox, search_engines;
drop sequence article_outbox_serial;
