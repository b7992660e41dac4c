-- +goose Up
-- What the public was told today: each answer is made once a day and kept, so that nobody sees single cases arrive or change by asking again,
-- and every node says the same. Only a few days are kept.
create table published_figures (
  day     date not null,          -- of the jurisdiction, on which it was made
  key     text not null,          -- period, breakdown and version of the settings
  named   boolean not null,       -- one of the periods of the public page; the others are limited in number
  at      timestamptz not null default now(),
  figures jsonb not null,         -- figures.Public, nothing that is not told
  primary key (day, key)
);
alter table published_figures enable row level security;
create policy published_figures_system on published_figures to hotline_app using ((select actor_kind()) = 'system');

-- +goose Down
drop table published_figures;
