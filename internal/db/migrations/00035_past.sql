-- +goose Up
-- Closed for the agency that gave it back, open for the ticket: few rows, which the list of closed tickets by an open state would else read everything for.
create index ticket_access_past on ticket_access (agency_id, updated_at desc, ticket_id desc) where not open and role = 'past';

-- +goose Down
drop index ticket_access_past;
