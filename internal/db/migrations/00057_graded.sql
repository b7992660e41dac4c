-- +goose Up
-- What became of answers is looked for every few minutes by the time of its grade.
create index ticket_ratings_created on ticket_ratings (created_at, ticket_id);

-- +goose Down
drop index ticket_ratings_created;
