-- +goose Up
-- What citizens asked and what they were told: a row for each thing told or not told, written in the transaction that tells it. It is what
-- gaps, signals and the learning figures are made from, and says who was told which version.
create table answers (
  id              uuid primary key,             -- UUIDv7: its order is the order of telling
  at              timestamptz not null,
  conversation_id uuid references conversations on delete cascade, -- null: a search on the portal, of which no trace of the person is kept
  seq             bigint,                       -- of the message that tells it
  ticket_id       uuid,
  lang            text not null,
  channel         text not null,
  by              text not null check (by in ('bot', 'staff', 'portal')),
  user_id         uuid,                         -- of the staff
  agency_id       uuid,                         -- whose question it is: the owner of the article, or who answers for the matter
  question        text not null,                -- freed of personal data; '' in a confidential conversation
  outcome         text not null check (outcome in ('answer', 'choices', 'none', 'handoff')),
  follows         boolean not null default false, -- goes on with a question that has a row: an article picked from a list, a person asked for after it
  score           real not null default 0,
  article_id      uuid,
  version         int,
  others          uuid[] not null default '{}', -- the articles offered to choose from, or found beside it, in their order
  place           int,                          -- in the list, from 1, of the article that was picked
  helped          boolean,                      -- the citizen's word
  helped_at       timestamptz,
  model_call      uuid,
  looked          boolean not null default false -- the follower has seen it as it is
);
create index answers_new on answers (id) where not looked;
create index answers_conversation on answers (conversation_id, id) where conversation_id is not null;
create index answers_article on answers (article_id, version, id) where article_id is not null;
create index answers_agency on answers (agency_id, id);

alter table answers enable row level security;
create policy answers_system on answers to hotline_app using ((select actor_kind()) = 'system');
create policy answers_read on answers for select to hotline_app using (
  (select actor_kind()) = 'staff' and ((select actor_desk()) or agency_id = (select actor_agency())
    or exists (select from articles a where a.id = answers.article_id and a.owner_id = (select actor_agency())))
);
-- Staff record what they tell, and only that.
create policy answers_tell on answers for insert to hotline_app with check (
  (select actor_kind()) = 'staff' and by = 'staff' and user_id = (select actor_user())
);

-- How the installation learns; one row.
create table learning_settings (
  one         boolean primary key default true check (one),
  keep_months int not null default 24 check (keep_months between 1 and 240) -- of answers
);
insert into learning_settings default values;

-- +goose Down
drop table learning_settings, answers;
