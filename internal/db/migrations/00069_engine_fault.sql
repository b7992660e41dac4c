-- +goose Up
-- Why the shared engine fails is told in the reader's language, by a code, with the technical cause (error) beside it.
alter table search_engines add error_code text not null default ''; -- '' while error is
update search_engines set error_code = 'knowledge.engine_fails' where error <> '';

-- +goose Down
alter table search_engines drop error_code;
