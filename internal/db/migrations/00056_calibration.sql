-- +goose Up
-- How sure a score is, by language: learned from the installation's own questions, and how sure its administrators want it to be.
create table knowledge_calibrations (
  lang        text primary key,
  version     int not null default 1,             -- of what is wanted
  want_answer numeric(3,2) check (want_answer between 0.5 and 0.99),  -- share of answers that are to be right; null: the program's own threshold
  want_choice numeric(3,2) check (want_choice between 0.05 and 0.95), -- chance from which on articles are offered; null: the program's own threshold
  n           int not null default 0,             -- questions it was learned from
  articles    int not null default 0,             -- that there were when it was learned
  fitted      jsonb not null default '{}',        -- the curve, what every threshold would have done, and how well the curve foretells
  measured_at timestamptz
);
alter table knowledge_calibrations enable row level security;
create policy knowledge_calibrations_read on knowledge_calibrations for select to hotline_app using (true);
create policy knowledge_calibrations_system on knowledge_calibrations to hotline_app using ((select actor_kind()) = 'system');

-- +goose Down
drop table knowledge_calibrations;
