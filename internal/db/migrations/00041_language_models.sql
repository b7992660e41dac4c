-- +goose Up
-- Language models that an administrator set up, what they may be used for and how much, and a record of every call.

create table llm_models (
  id               uuid primary key,
  name             text not null unique check (name <> ''),
  base_url         text not null,
  model            text not null,                      -- the vendor's id
  key_sealed       bytea not null default '',          -- AES-GCM under a key derived from the installation's secret; '' is no key
  uses             text[] not null default '{}',
  rank             int not null default 0,             -- lower is asked first where several serve a use
  may_see_personal boolean not null default false,
  keep_texts       boolean not null default false,     -- requests and answers are kept for 30 days, as they were sent
  enabled          boolean not null default true,
  max_tokens       int not null check (max_tokens between 1 and 200000),
  temperature      real not null check (temperature between 0 and 2),
  timeout_ms       int not null check (timeout_ms between 100 and 600000),
  concurrency      int not null check (concurrency between 1 and 1000), -- of each node
  daily_tokens     bigint not null check (daily_tokens >= 0),            -- of all nodes together
  price_in         numeric,                            -- of a million tokens, in whatever the operator pays with
  price_out        numeric,
  version          int not null default 1,
  created_at       timestamptz not null,
  updated_at       timestamptz not null,
  last_ok_at       timestamptz,
  last_error       text not null default '',           -- a code of the catalogue
  last_error_at    timestamptz
);

-- What a model has used on a day of the jurisdiction. reserved is promised to calls that run; a call that was lost gives its part back when
-- the next one finds the day full.
create table llm_budgets (
  model_id uuid not null references llm_models on delete cascade,
  day      date not null,
  used     bigint not null default 0,
  reserved bigint not null default 0,
  calls    bigint not null default 0,
  primary key (model_id, day)
);

-- Every call. No reference to the model: the record outlives it. Texts stay null unless the model keeps them.
create table llm_calls (
  id         uuid primary key,                         -- UUIDv7: the order of time
  model_id   uuid not null,
  model      text not null,                            -- its name and the vendor's id at the time
  use        text not null,
  prompt     text not null,                            -- name and version of the prompt
  user_id    uuid,                                     -- of the member of staff who asked; null: the program
  at         timestamptz not null,
  day        date not null,
  state      text not null default 'running' check (state in ('running', 'ok', 'failed', 'lost')),
  outcome    text not null default '',                 -- code of the failure
  attempts   int not null default 0,
  reserved   bigint not null default 0,
  tokens_in  int not null default 0,
  tokens_out int not null default 0,
  estimated  boolean not null default false,           -- the endpoint did not count the tokens
  latency_ms int not null default 0,
  redacted   boolean not null default true,
  sources    text[] not null default '{}',             -- article@version
  request    text,
  answer     text
);
create index llm_calls_running on llm_calls (model_id, day, at) where state = 'running';
create index llm_calls_failed on llm_calls (id) where state in ('failed', 'lost');
create index llm_calls_model on llm_calls (model_id, id);
create index llm_calls_use on llm_calls (use, id);
create index llm_calls_texts on llm_calls (at) where request is not null;

-- The second wall: the program, and administrators of the hotline.
-- +goose StatementBegin
do $$
declare t text;
begin
  foreach t in array array['llm_models', 'llm_budgets', 'llm_calls'] loop
    execute format('alter table %I enable row level security', t);
    execute format($p$create policy %I on %I to hotline_app using ((select actor_kind()) = 'system')$p$, t || '_system', t);
  end loop;
  execute $p$create policy llm_models_admin on llm_models to hotline_app using ((select actor_kind()) = 'staff' and (select actor_desk()) and (select actor_admin()))$p$;
  foreach t in array array['llm_budgets', 'llm_calls'] loop
    execute format($p$create policy %I on %I for select to hotline_app using ((select actor_kind()) = 'staff' and (select actor_desk()) and (select actor_admin()))$p$, t || '_read', t);
  end loop;
end $$;
-- +goose StatementEnd

-- +goose Down
drop table llm_calls, llm_budgets, llm_models;
