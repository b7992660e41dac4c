-- +goose Up
-- When the vendor may have had a message first: at the claim, or later where its adapter says when (channels.Announcer), null before that. A worker that died
-- before has sent nothing. What nodes of an earlier version have in hand counts as begun.
alter table deliveries add column begun_at timestamptz default now();

-- +goose Down
alter table deliveries drop column begun_at;
