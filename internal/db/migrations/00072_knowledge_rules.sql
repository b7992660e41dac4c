-- +goose Up
-- Rules that were figures in the program, or rows without a page: when a correction's reminder goes out; how long answers are kept and how far back
-- a publication is tried.
alter table knowledge_settings add remind_share int not null default 25 check (remind_share between 1 and 90); -- percent of a correction's time that is left
alter table learning_settings add version int not null default 1;
alter table learning_settings enable row level security;
create policy learning_settings_read on learning_settings for select to hotline_app using (true);
create policy learning_settings_system on learning_settings for update to hotline_app using ((select actor_kind()) = 'system');

-- Words that mean the same to the search are the whole installation's: the hotline's editors keep them.
alter table synonym_groups add version int not null default 1;
alter table synonym_groups enable row level security;
create policy synonym_groups_read on synonym_groups for select to hotline_app using (true);
create policy synonym_groups_write on synonym_groups to hotline_app using (
  (select actor_kind()) = 'system' or (select actor_kind()) = 'staff' and (select actor_desk()));

-- +goose Down
drop policy synonym_groups_read on synonym_groups;
drop policy synonym_groups_write on synonym_groups;
alter table synonym_groups disable row level security;
alter table synonym_groups drop version;
drop policy learning_settings_read on learning_settings;
drop policy learning_settings_system on learning_settings;
alter table learning_settings disable row level security;
alter table learning_settings drop version;
alter table knowledge_settings drop remind_share;
