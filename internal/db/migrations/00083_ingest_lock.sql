-- +goose Up
-- A message that comes in locks its conversation as one that goes out does since 00076: against other writers, not against rows that refer to it.

-- +goose StatementBegin
do $$ begin
  execute replace(pg_get_functiondef('chat_ingest'::regproc), ' for update', ' for no key update');
end $$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
do $$ begin
  execute replace(pg_get_functiondef('chat_ingest'::regproc), ' for no key update', ' for update');
end $$;
-- +goose StatementEnd
