-- +goose Up
-- Rules of time are written by administrators of the hotline: the database asks for the same as the service. They could not be told apart when the
-- tables were made.
-- +goose StatementBegin
do $$
declare t text;
begin
  foreach t in array array['sla_sets', 'business_calendars', 'setting_versions', 'setting_drafts', 'recomputations'] loop
    execute format('drop policy %I on %I', t || '_desk', t);
    execute format($p$create policy %I on %I to hotline_app using ((select actor_kind()) = 'system'
      or ((select actor_kind()) = 'staff' and (select actor_desk()) and (select actor_admin())))$p$, t || '_admin', t);
  end loop;
end $$;
-- +goose StatementEnd

-- Who else is the same person is the program's and the staff's to ask, and no citizen's.
create or replace function contact_kin(p_contact uuid) returns uuid[] language sql stable security definer set search_path = public as $$
  select coalesce(array_agg(id), '{}') from (
    select p_contact as id where p_contact is not null
    union
    (select k.id from contacts c join contacts k on phone_key(k.phone) = phone_key(c.phone) and k.phone <> ''
      where c.id = p_contact and length(phone_key(c.phone)) >= 6 order by k.created_at desc limit 200)
    union
    (select k.id from contacts c join contacts k on lower(k.email) = lower(c.email) and k.email <> ''
      where c.id = p_contact and c.email <> '' order by k.created_at desc limit 200)) kin
  where actor_kind() in ('system', 'staff')
$$;

-- +goose Down
create or replace function contact_kin(p_contact uuid) returns uuid[] language sql stable security definer set search_path = public as $$
  select coalesce(array_agg(id), '{}') from (
    select p_contact as id where p_contact is not null
    union
    (select k.id from contacts c join contacts k on phone_key(k.phone) = phone_key(c.phone) and k.phone <> ''
      where c.id = p_contact and length(phone_key(c.phone)) >= 6 order by k.created_at desc limit 200)
    union
    (select k.id from contacts c join contacts k on lower(k.email) = lower(c.email) and k.email <> ''
      where c.id = p_contact and c.email <> '' order by k.created_at desc limit 200)) kin
$$;
-- +goose StatementBegin
do $$
declare t text;
begin
  foreach t in array array['sla_sets', 'business_calendars', 'setting_versions', 'setting_drafts', 'recomputations'] loop
    execute format('drop policy %I on %I', t || '_admin', t);
    execute format($p$create policy %I on %I to hotline_app using ((select actor_kind()) = 'system' or ((select actor_kind()) = 'staff' and (select actor_desk())))$p$, t || '_desk', t);
  end loop;
end $$;
-- +goose StatementEnd
