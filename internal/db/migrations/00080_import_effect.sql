-- +goose Up
-- What publishing the texts of an import does to the answers of the evaluation set, tried before the first of them is written.
alter table knowledge_imports add effect jsonb;

-- +goose Down
alter table knowledge_imports drop effect;
