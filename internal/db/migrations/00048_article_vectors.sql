-- +goose Up
-- What a model for embeddings makes of articles, where one is set up. Vectors of another model or version are stale and made anew in the background; nothing
-- but the order of search results rests on them.
create table article_vectors (
  article_id uuid not null references articles on delete cascade,
  version    int not null,
  model      text not null,
  chunk      int not null,              -- a long article has several
  code       bytea not null,            -- a byte for each dimension, see knowledge/vector
  made_at    timestamptz not null,
  primary key (article_id, version, model, chunk)
);
create index article_vectors_made on article_vectors (model, made_at);
alter table article_vectors enable row level security;
create policy article_vectors_system on article_vectors to hotline_app using ((select actor_kind()) = 'system');

-- +goose Down
drop table article_vectors;
