-- +goose Up
-- Some channels say later whether a message arrived, and name it by their own id.
create index deliveries_remote on deliveries (channel, remote_id) where remote_id <> '';

-- Parts of messages on channels that have no room for a long one and no ids of their own (SMS): held from when a part comes until the whole is taken in and
-- acknowledged. An equal part that comes again meanwhile is the same one.
create table message_parts (
  channel    text not null,
  account    text not null,
  thread     text not null,
  message    text not null,            -- external id of the message that the part belongs to
  ref        int not null,             -- the sender's name of the message, soon used again
  total      int not null check (total between 1 and 255),
  n          int not null check (n between 1 and total),
  text       text not null,
  created_at timestamptz not null,
  primary key (channel, account, thread, message, n)
);
create index message_parts_age on message_parts (created_at);
alter table message_parts enable row level security;
create policy message_part_rows on message_parts to hotline_app using ((select actor_kind()) = 'system');
grant select, insert, delete on message_parts to hotline_app;

-- +goose Down
drop table message_parts;
drop index deliveries_remote;
