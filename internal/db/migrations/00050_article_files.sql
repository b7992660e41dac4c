-- +goose Up
-- Files of articles: a file never changes, a version names the files that belong to it, in order.
create table article_files (
  id           uuid primary key,
  article_id   uuid not null references articles,
  name         text not null,
  content_type text not null,                   -- found in the content
  size         bigint not null,
  width        int not null default 0,
  height       int not null default 0,
  sum          bytea not null,                  -- SHA-256 of the bytes, so that an import knows what it has
  blob         text not null,
  user_id      uuid,
  created_at   timestamptz not null
);
create index article_files_article on article_files (article_id);
alter table article_versions add files uuid[] not null default '{}';

-- Topics are what the portal lists articles under; articles name them by code.
create table knowledge_topics (
  code     text primary key,
  parent   text references knowledge_topics,
  names    jsonb not null,
  position int not null default 0
);
insert into knowledge_topics (code, names) select distinct topic, jsonb_build_object('en', topic) from articles where topic <> '';
create index articles_topic on articles (topic, lang, id);

alter table article_files enable row level security;
create policy article_files_read on article_files for select to hotline_app using (true);
create policy article_files_system on article_files to hotline_app using ((select actor_kind()) = 'system');
create policy article_files_owner on article_files to hotline_app using (
  (select actor_kind()) = 'staff' and ((select actor_desk()) or exists (select from articles a where a.id = article_id and a.owner_id = (select actor_agency()))));
alter table knowledge_topics enable row level security;
create policy knowledge_topics_read on knowledge_topics for select to hotline_app using (true);
create policy knowledge_topics_write on knowledge_topics to hotline_app using ((select actor_kind()) = 'system' or (select actor_kind()) = 'staff' and (select actor_desk()));

-- +goose Down
drop index articles_topic;
drop table knowledge_topics;
alter table article_versions drop files;
drop table article_files;
