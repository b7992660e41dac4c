-- +goose Up
-- A small decision form that an article's version carries; written, reviewed and served with its text.
alter table article_versions add column form jsonb;

-- +goose Down
alter table article_versions drop column form;
