-- +goose Up
-- A grade is a message, and a message opens a chat again: what was rated counts as over from then on, too.
drop index conversations_ended;
drop index conversations_ended_grade;
create index conversations_ended on conversations ((coalesce(closed_at, rated_at)) desc, id desc) where holder = 'bot' and (closed_at is not null or rated_at is not null);
create index conversations_ended_grade on conversations (rating, (coalesce(closed_at, rated_at)) desc, id desc) where holder = 'bot' and rating is not null;

-- +goose Down
drop index conversations_ended_grade;
drop index conversations_ended;
create index conversations_ended on conversations (closed_at desc, id desc) where closed_at is not null and holder <> 'none';
create index conversations_ended_grade on conversations (rating, closed_at desc, id desc) where closed_at is not null and rating is not null;
