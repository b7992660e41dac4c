-- +goose Up
-- How articles are kept right: when somebody has to look at one again, corrections with a clock, translations that follow their original.
create table knowledge_settings (
  one             boolean primary key default true check (one),
  version         int not null default 1,
  review_months   int not null default 12 check (review_months between 1 and 120),   -- of articles without an interval of their own
  expiring_days   int not null default 30 check (expiring_days between 1 and 365),   -- before the last valid day
  negative_share  int not null default 40 check (negative_share between 1 and 100),  -- percent of the answers to "did this help"
  negative_least  int not null default 5 check (negative_least between 1 and 1000),  -- and at least so many "no"
  correction_days int not null default 5 check (correction_days between 1 and 60),   -- working days
  escalate_days   int not null default 2 check (escalate_days between 1 and 60)      -- working days after the deadline
);
insert into knowledge_settings default values;

alter table articles
  add review_months int check (review_months between 1 and 120),  -- null: by the settings
  add review_by     date,                       -- null: by the interval since it was published or confirmed
  add confirmed_at  timestamptz,                -- somebody said that it is still right
  add source_id     uuid references articles;   -- what it is a translation of
create index articles_source on articles (source_id) where source_id is not null;
alter table article_versions add based_on int;  -- version of the original that a translation says

-- What is wrong or nearly so with a published article, and since when: kept by a look every minute, so that boards read few rows and owners are
-- told once.
create table article_alerts (
  article_id uuid not null references articles on delete cascade,
  reason     text not null check (reason in ('review', 'expiring', 'disputed', 'negative', 'behind')),
  owner_id   uuid,
  since      timestamptz not null,
  primary key (article_id, reason)
);
create index article_alerts_list on article_alerts (since, article_id, reason);
create index article_alerts_owner on article_alerts (owner_id, since, article_id, reason);

-- A correction is settled when it is rejected, or when a text without the error is published, or none is.
alter table article_corrections
  add decided_by   uuid,
  add settled_at   timestamptz,
  add warn_at      timestamptz,
  add due_at       timestamptz,
  add stage        text not null default '' check (stage in ('', 'reminder', 'late', 'escalated')),
  add next_fire_at timestamptz;
update article_corrections set settled_at = decided_at where state = 'rejected';
update article_corrections c set settled_at = decided_at from articles a where a.id = c.article_id and c.state = 'accepted' and not a.disputed;
create index article_corrections_fire on article_corrections (next_fire_at) where next_fire_at is not null;
create index article_corrections_running on article_corrections (due_at, id) where settled_at is null;

alter table knowledge_settings enable row level security;
create policy knowledge_settings_read on knowledge_settings for select to hotline_app using (true);
create policy knowledge_settings_system on knowledge_settings for update to hotline_app using ((select actor_kind()) = 'system');
alter table article_alerts enable row level security;
create policy article_alerts_read on article_alerts for select to hotline_app using ((select actor_kind()) = 'staff' and ((select actor_desk()) or owner_id = (select actor_agency())));
create policy article_alerts_system on article_alerts to hotline_app using ((select actor_kind()) = 'system');

-- +goose Down
drop table article_alerts, knowledge_settings;
alter table article_corrections drop decided_by, drop settled_at, drop warn_at, drop due_at, drop stage, drop next_fire_at;
alter table article_versions drop based_on;
alter table articles drop review_months, drop review_by, drop confirmed_at, drop source_id;
