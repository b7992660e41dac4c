-- +goose Up
-- The supervision board at a million tickets: what stands on the upper rungs of the ladder is a column of the access rows, so that the board is a
-- range of an index and its sums are part of the one pass for the lights. Joining clocks, tickets and their policies took minutes.
alter table ticket_access add column standing smallint not null default 0; -- running clocks that are dunned or criticised
update ticket_access a set standing = k.n
  from (select ticket_id, count(*) as n from ticket_clocks where stopped_at is null and stage in ('dunning', 'criticism') group by ticket_id) k where k.ticket_id = a.ticket_id;
create index ticket_access_standing on ticket_access (agency_id, due_at, ticket_id) where standing > 0;
drop index ticket_clocks_ladder;
drop index ticket_access_lights;
create index ticket_access_lights on ticket_access (lead_id, due_at, warn_at) include (agency_id, confidential, standing) where open and role = 'desk';

-- Clocks climb in sweeps, stop in moves and are set back by new rules; a clock begins on no rung.
-- +goose StatementBegin
create function clock_stands() returns trigger language plpgsql as $$
begin
  update public.ticket_access set standing = standing + case when new.stopped_at is null and new.stage in ('dunning', 'criticism') then 1 else -1 end where ticket_id = new.ticket_id;
  return null;
end $$;
-- +goose StatementEnd
create trigger clock_stands after update of stage, stopped_at on ticket_clocks for each row
  when ((old.stopped_at is null and old.stage in ('dunning', 'criticism')) <> (new.stopped_at is null and new.stage in ('dunning', 'criticism')))
  execute function clock_stands();

-- +goose Down
drop trigger clock_stands on ticket_clocks;
drop function clock_stands;
drop index ticket_access_standing, ticket_access_lights;
create index ticket_access_lights on ticket_access (lead_id, due_at, warn_at) include (agency_id, confidential) where open and role = 'desk';
create index ticket_clocks_ladder on ticket_clocks (due_at, ticket_id) where stopped_at is null and stage in ('dunning', 'criticism');
alter table ticket_access drop column standing;
