-- +goose Up
-- Fields that the citizen is asked for, and those that an intake needs.
alter table custom_fields
  add column asked  boolean not null default false,   -- shown to the citizen and asked for
  add column intake boolean not null default false,   -- needed when a ticket is filed
  add constraint custom_fields_intake_is_asked check (asked or not intake);

-- Every node holds the definitions in memory; the revision tells it that they have changed.
create trigger settings_changed after insert or update or delete on custom_fields for each statement execute function settings_changed();

-- The values that come with a filing, behind ticket_open in the same transaction. It runs as the owner for the reason that ticket_open has, and
-- writes for no ticket but one that this very transaction made.
-- +goose StatementBegin
create function ticket_open_fields(p_ticket uuid, p_data jsonb) returns void language plpgsql security definer as $$
begin
  insert into public.ticket_fields (ticket_id, data, updated_at)
    select t.id, p_data, t.opened_at from public.tickets t where t.id = p_ticket and t.xmin = pg_current_xact_id()::xid;
  if not found then
    raise exception 'not a ticket of this transaction' using errcode = 'insufficient_privilege';
  end if;
end $$;
-- +goose StatementEnd
revoke execute on function ticket_open_fields from public;
grant execute on function ticket_open_fields to hotline_app;

-- +goose Down
drop function ticket_open_fields;
drop trigger settings_changed on custom_fields;
alter table custom_fields drop constraint custom_fields_intake_is_asked, drop column asked, drop column intake;
