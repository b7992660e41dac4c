-- +goose Up
-- "Due soon" follows the yellow light: the last column judges it inside the index, in the order of the list.
drop index if exists ticket_access_open;
create index ticket_access_open on ticket_access (agency_id, due_at, ticket_id, warn_at) where open;

-- A notice to a role is read by each person apart; read_at of notifications is that of a notice to one person.
create table notification_reads (
  notification_id uuid not null references notifications on delete cascade,
  user_id         uuid not null,
  read_at         timestamptz not null,
  primary key (notification_id, user_id)
);
alter table notification_reads enable row level security;
create policy notification_reads_system on notification_reads to hotline_app using ((select actor_kind()) = 'system');
create policy notification_reads_own on notification_reads for select to hotline_app using ((select actor_kind()) = 'staff' and user_id = (select actor_user()));
-- Only of a notice that the person may see.
create policy notification_reads_mark on notification_reads for insert to hotline_app with check (
  (select actor_kind()) = 'staff' and user_id = (select actor_user()) and exists (select from notifications n where n.id = notification_id)
);

-- Tickets whose filing lacked details that intake needs, until somebody fills them in. Few tickets are in it, so the filter looks here first.
create table ticket_lacking (
  ticket_id uuid primary key references tickets,
  codes     text[] not null
);
alter table ticket_lacking enable row level security;
create policy ticket_lacking_system on ticket_lacking to hotline_app using ((select actor_kind()) = 'system');
create policy ticket_lacking_read on ticket_lacking for select to hotline_app using (
  (select actor_kind()) = 'staff' and exists (select from ticket_access a where a.ticket_id = ticket_lacking.ticket_id and a.agency_id = (select actor_agency()))
);
-- Behind ticket_open in the same transaction, as ticket_open_fields is and for the same reason.
-- +goose StatementBegin
create function ticket_open_lacking(p_ticket uuid, p_codes text[]) returns void language plpgsql security definer as $$
begin
  insert into public.ticket_lacking (ticket_id, codes) select t.id, p_codes from public.tickets t where t.id = p_ticket and t.xmin = pg_current_xact_id()::xid;
  if not found then
    raise exception 'not a ticket of this transaction' using errcode = 'insufficient_privilege';
  end if;
end $$;
-- +goose StatementEnd
revoke execute on function ticket_open_lacking from public;
grant execute on function ticket_open_lacking to hotline_app;

-- Whether so few tickets lack details that they are looked up first; the rules of row-level security would be asked for each, and this tells the program alone.
create function few_lacking(p_most int) returns boolean language sql stable security definer set search_path = public as $$
  select count(*) <= p_most from (select from ticket_lacking limit p_most + 1) few
$$;
revoke execute on function few_lacking from public;
grant execute on function few_lacking to hotline_app;

-- How a person likes lists: {density, hide}.
alter table users add column display jsonb not null default '{}';

-- +goose Down
alter table users drop column display;
drop function few_lacking, ticket_open_lacking;
drop table ticket_lacking, notification_reads;
drop index ticket_access_open;
create index ticket_access_open on ticket_access (agency_id, due_at, ticket_id) where open;
