-- +goose Up
-- Some channels say later whether a message arrived, and name it by their own id.
create index deliveries_remote on deliveries (channel, remote_id) where remote_id <> '';

-- +goose Down
drop index deliveries_remote;
