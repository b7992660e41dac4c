-- +goose Up
-- What a member of staff is called in other languages: citizens and colleagues read the name in their own script.
alter table users add column names jsonb not null default '{}' check (jsonb_typeof(names) = 'object');

create function staff_name(names jsonb, name text, lang text) returns text language sql immutable parallel safe as $$
  select coalesce(nullif(names ->> lang, ''), name)
$$;

-- +goose Down
drop function staff_name;
alter table users drop column names;
