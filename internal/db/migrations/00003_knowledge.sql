-- +goose Up
create table articles (
  id          uuid primary key,
  external_id text unique,                 -- id in the file it was imported from
  key         text not null default '',    -- translations of one another share it
  lang        text not null,
  slug        text not null unique,
  topic       text not null default '',
  owner_id    uuid references agencies,
  audience    text not null default 'public' check (audience in ('public', 'staff')),
  disputed    boolean not null default false,
  services    text[] not null default '{}',
  live        int,                          -- the published version, null when none
  latest      int not null default 1,
  helpful     int not null default 0,
  unhelpful   int not null default 0,
  created_at  timestamptz not null default now(),
  updated_at  timestamptz not null default now()
);
create index articles_key on articles (key) where key <> '';
create index articles_updated on articles (updated_at desc, id);

create table article_versions (
  article_id   uuid not null references articles,
  version      int not null,
  state        text not null check (state in ('draft', 'in_review', 'published', 'superseded', 'expired', 'withdrawn')),
  title        text not null,
  summary      text not null default '',
  body         text not null,               -- Markdown
  keywords     text[] not null default '{}',
  questions    text[] not null default '{}',
  valid_from   date,
  valid_to     date,                        -- last valid day
  edit         int not null default 1,      -- optimistic lock of the draft
  author_id    uuid references users,
  reviewer_id  uuid references users,
  review_note  text not null default '',
  created_at   timestamptz not null default now(),
  published_at timestamptz,
  primary key (article_id, version)
);
create index article_versions_state on article_versions (state, created_at desc, article_id);

create table article_feedback (
  id         uuid primary key,
  article_id uuid not null references articles,
  version    int not null,
  helpful    boolean not null,
  comment    text not null default '',
  source     text not null default '',      -- 'portal', 'chat'
  created_at timestamptz not null default now()
);
create index article_feedback_article on article_feedback (article_id, created_at desc);

create table article_corrections (
  id          uuid primary key,
  article_id  uuid not null references articles,
  version     int not null,
  user_id     uuid not null references users,
  text        text not null,
  state       text not null default 'open' check (state in ('open', 'accepted', 'rejected')),
  created_at  timestamptz not null default now(),
  decided_at  timestamptz
);
create index article_corrections_open on article_corrections (article_id) where state = 'open';

create table synonym_groups (
  id    uuid primary key,
  lang  text not null,
  terms text[] not null
);

-- +goose Down
drop table synonym_groups, article_corrections, article_feedback, article_versions, articles;
