-- +goose Up
-- Chats that are over, the newest first, and those with one grade.
create index conversations_ended on conversations (closed_at desc, id desc) where closed_at is not null and holder <> 'none';
create index conversations_ended_grade on conversations (rating, closed_at desc, id desc) where closed_at is not null and rating is not null;

-- +goose Down
drop index conversations_ended_grade;
drop index conversations_ended;
