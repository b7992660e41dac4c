-- +goose Up
-- Gaps: questions that found no good answer, those that ask for the same thing together.
create table gaps (
  id            uuid primary key,
  lang          text not null,
  title         text not null,                    -- the question it began with
  state         text not null default 'open' check (state in ('open', 'drafted', 'closed', 'dismissed', 'merged')),
  size          int not null default 0,           -- questions without a good answer
  conversations int not null default 0,           -- distinct ones they came from
  handed_off    int not null default 0,           -- of the questions, those that a person was asked for after
  since         int not null default 0,           -- questions that came after it was closed
  first_at      timestamptz not null,
  last_at       timestamptz not null,
  agency_id     uuid,                             -- who should know: by the dispatch catalogue, or assigned
  assigned      boolean not null default false,
  article_id    uuid,                             -- the draft made of it, or the article that answers it now
  version       int,
  merged_into   uuid references gaps,
  reason        text not null default '',
  decided_by    uuid,
  decided_at    timestamptz,
  closed_at     timestamptz,
  checked_at    timestamptz not null default 'epoch', -- when it was last asked whether it is answered now
  check ((state = 'merged') = (merged_into is not null))
);
create index gaps_list on gaps (state, size desc, id desc);
create index gaps_agency on gaps (agency_id);
create index gaps_check on gaps (checked_at) where state in ('open', 'drafted');
alter table answers add column gap_id uuid references gaps on delete set null;
create index answers_gap on answers (gap_id, id) where gap_id is not null;

-- Answers that people gave and citizens praised, proposed as articles. Freed of personal data.
create table proposals (
  id          uuid primary key,
  source      text not null check (source in ('ticket', 'chat')),
  source_id   uuid not null,                      -- of the ticket or the conversation
  lang        text not null,
  agency_id   uuid,
  question    text not null,
  answer      text not null,
  grade       int not null,
  state       text not null default 'open' check (state in ('open', 'accepted', 'rejected', 'known')),
  article_id  uuid,                               -- the nearest article when it came; the draft once accepted
  score       real not null default 0,            -- how well that one answers the question
  reason      text not null default '',
  created_at  timestamptz not null,
  decided_by  uuid,
  decided_at  timestamptz,
  unique (source, source_id)
);
create index proposals_list on proposals (state, created_at desc, id desc);

-- The installation's own evaluation set: questions whose right article is known.
create table eval_pairs (
  id          uuid primary key,
  lang        text not null,
  question    text not null,
  article_id  uuid not null references articles on delete cascade,
  source      text not null check (source in ('helped', 'editor', 'similar')), -- the citizen said so; an editor did; a similar question that was accepted
  votes       int not null default 1,             -- distinct conversations that say so
  active      boolean not null default true,
  created_by  uuid,
  created_at  timestamptz not null,
  unique (lang, question, article_id)
);
create index eval_pairs_list on eval_pairs (created_at desc, id desc);
create index eval_pairs_article on eval_pairs (article_id);

-- What was known to get worse by a publication, and why it was published all the same.
create table publish_checks (
  article_id  uuid not null references articles on delete cascade,
  version     int not null,
  user_id     uuid not null,
  at          timestamptz not null,
  worse       int not null,
  reason      text not null,
  primary key (article_id, version, at)
);

alter table learning_settings add column preview_days int not null default 28 check (preview_days between 1 and 366);

-- The second wall ------------------------------------------------------------------------------------------------------
-- +goose StatementBegin
do $$
declare t text;
begin
  foreach t in array array['gaps', 'proposals', 'eval_pairs', 'publish_checks'] loop
    execute format('alter table %I enable row level security', t);
    execute format($p$create policy %I on %I to hotline_app using ((select actor_kind()) = 'system')$p$, t || '_system', t);
  end loop;
  -- The hotline's editors see all; an agency sees what it should know.
  foreach t in array array['gaps', 'proposals'] loop
    execute format($p$create policy %I on %I for select to hotline_app using (
      (select actor_kind()) = 'staff' and ((select actor_desk()) or agency_id = (select actor_agency())))$p$, t || '_read', t);
  end loop;
  foreach t in array array['eval_pairs', 'publish_checks'] loop
    execute format($p$create policy %I on %I for select to hotline_app using (
      (select actor_kind()) = 'staff' and ((select actor_desk())
        or exists (select from articles a where a.id = %I.article_id and a.owner_id = (select actor_agency()))))$p$, t || '_read', t, t);
  end loop;
end $$;
-- +goose StatementEnd

-- +goose Down
alter table learning_settings drop column preview_days;
drop index answers_gap;
alter table answers drop column gap_id;
drop table publish_checks, eval_pairs, proposals, gaps;
