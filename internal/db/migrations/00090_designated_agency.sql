-- +goose Up
-- Which agency was designated after coordination. It may let its own tree do the work, and what comes back up is its own to handle; that the ticket was
-- designated does not say to whom, once it has been handed down.
alter table tickets add designated_id uuid references agencies;
update tickets t set designated_id = (
  select a.lead_id from assignments a
  where a.ticket_id = t.id and a.designated
    and a.seq > coalesce((select max(b.seq) from assignments b where b.ticket_id = t.id and not b.designated), 0)
  order by a.seq limit 1)
where t.designated;

-- +goose Down
alter table tickets drop designated_id;
