-- +goose Up
-- How long people waited for a person, for what the next one is told, and what they thought of the chat when they left it.
alter table conversations
  add column taken_at  timestamptz,                                  -- when a person last took it out of the queue
  add column waited    interval,                                     -- how long it had waited then
  add column rating    smallint check (rating between 1 and 5),      -- of the chat itself: 5 very satisfied … 1 very unsatisfied
  add column rated_at  timestamptz,
  add column rated_user_id uuid references users;                    -- the person who held it then; null: the assistant
create index conversations_taken on conversations (taken_at) where taken_at is not null;

-- +goose Down
drop index conversations_taken;
alter table conversations drop column taken_at, drop column waited, drop column rating, drop column rated_at, drop column rated_user_id;
