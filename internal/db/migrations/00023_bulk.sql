-- +goose Up
-- One deed on many tickets, with what came of each. A node that dies leaves the lease to run out, and another goes on where it stopped.
create table bulk_jobs (
  id            uuid primary key,
  agency_id     uuid not null references agencies,
  user_id       uuid not null references users,
  deed          jsonb not null,
  tickets       uuid[] not null,
  results       jsonb not null default '[]',    -- of the first so many tickets, in their order
  undoes        uuid references bulk_jobs,
  created_at    timestamptz not null,
  claimed_until timestamptz not null,
  finished_at   timestamptz
);
create index bulk_jobs_user on bulk_jobs (user_id, created_at desc);
create index bulk_jobs_running on bulk_jobs (claimed_until) where finished_at is null;
create unique index bulk_jobs_undone on bulk_jobs (undoes) where undoes is not null;

alter table bulk_jobs enable row level security;
create policy bulk_jobs_system on bulk_jobs to hotline_app using ((select actor_kind()) = 'system');
create policy bulk_jobs_own on bulk_jobs to hotline_app using (
  (select actor_kind()) = 'staff' and agency_id = (select actor_agency()) and user_id = (select actor_user())
);

-- +goose Down
drop table bulk_jobs;
