-- +goose Up
-- Cases that staff type for a visitor, a caller or the writer of a letter.
alter table agencies add column counter boolean not null default false;

-- The contacts behind a telephone number or an address, the newest first: before there is a case, staff may learn that somebody was here before. It
-- belongs to the owner for the reason that contact_kin has, and tells ids alone.
create function contacts_of(p_phone text, p_email text) returns uuid[] language sql stable security definer set search_path = public as $$
  select coalesce(array_agg(id order by created_at desc, id), '{}') from (
    (select k.id, k.created_at from contacts k where phone_key(k.phone) = phone_key(p_phone) and k.phone <> '' and length(phone_key(p_phone)) >= 6 order by k.created_at desc limit 200)
    union
    (select k.id, k.created_at from contacts k where lower(k.email) = lower(p_email) and k.email <> '' and p_email <> '' order by k.created_at desc limit 200)) known
$$;
revoke execute on function contacts_of from public;
grant execute on function contacts_of to hotline_app;

-- +goose Down
drop function contacts_of;
alter table agencies drop column counter;
