-- +goose Up
-- Reference data that administrators change: who may write it, who changed what, and what was missing for keeping it without loss.

-- An administrator of the hotline: set with BEGIN like the rest of the actor.
create function actor_admin() returns boolean language sql stable parallel safe
  return coalesce(current_setting('hotline.admin', true), '') = 't';

-- Office hours are read by citizens, in their language.
alter table agencies alter column hours drop default;
alter table agencies alter column hours type jsonb using case when hours = '' then '{}'::jsonb else jsonb_build_object('en', hours) end;
alter table agencies alter column hours set default '{}';
alter table areas add column version int not null default 1;

-- Every change of reference data, written by triggers so that no way of changing it goes around them.
create table reference_changes (
  id      bigint generated always as identity primary key,
  at      timestamptz not null default clock_timestamp(),
  by_user uuid references users,                 -- null: the command line or the program itself
  thing   text not null,                         -- jurisdiction, agency, area, category, service_item, catalogue
  code    text not null,
  action  text not null check (action in ('created', 'changed', 'removed')),
  before  jsonb,                                 -- of a change: the fields that changed
  after   jsonb
);
create index reference_changes_thing on reference_changes (thing, code, id desc);

-- +goose StatementBegin
create function reference_audit() returns trigger language plpgsql security definer set search_path = public as $$
declare
  was jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
  now_is jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
  b jsonb; a jsonb;
begin
  -- A polygon of thousands of points is told by its digest.
  if was ? 'geometry' then was := jsonb_set(was, '{geometry}', coalesce(to_jsonb(md5(was->>'geometry')), 'null')); end if;
  if now_is ? 'geometry' then now_is := jsonb_set(now_is, '{geometry}', coalesce(to_jsonb(md5(now_is->>'geometry')), 'null')); end if;
  if tg_op = 'UPDATE' then
    select jsonb_object_agg(o.key, o.value), jsonb_object_agg(o.key, now_is->o.key) into b, a
      from jsonb_each(was) o where o.key <> 'version' and o.value is distinct from now_is->o.key;
    if b is null then return null; end if;
  else
    b := was; a := now_is;
  end if;
  insert into reference_changes (by_user, thing, code, action, before, after)
    values (actor_user(), tg_argv[0], coalesce(now_is, was)->>tg_argv[1], case tg_op when 'INSERT' then 'created' when 'UPDATE' then 'changed' else 'removed' end, b, a);
  return null;
end $$;
-- +goose StatementEnd
create trigger reference_audit after insert or update or delete on jurisdictions for each row execute function reference_audit('jurisdiction', 'code');
create trigger reference_audit after insert or update or delete on agencies for each row execute function reference_audit('agency', 'code');
create trigger reference_audit after insert or update or delete on areas for each row execute function reference_audit('area', 'code');
create trigger reference_audit after insert or update or delete on categories for each row execute function reference_audit('category', 'code');
create trigger reference_audit after insert or update or delete on service_items for each row execute function reference_audit('service_item', 'code');
-- The number of a version heads its entries, so it is told as text.
create trigger reference_audit after insert or update or delete on catalogue_versions for each row execute function reference_audit('catalogue', 'version');

revoke insert, update, delete on reference_changes from hotline_app;
create trigger reference_changes_append_only before update or delete or truncate on reference_changes for each statement execute function refuse_change();
alter table reference_changes enable row level security;
create policy reference_changes_read on reference_changes for select to hotline_app
  using ((select actor_kind()) = 'system' or ((select actor_kind()) = 'staff' and (select actor_desk()) and (select actor_admin())));

-- The second wall: everybody reads reference data, the hotline's administrators and the program itself write it.
-- +goose StatementBegin
do $$
declare t text;
begin
  foreach t in array array['jurisdictions', 'agencies', 'areas', 'categories', 'service_items', 'catalogue_versions'] loop
    execute format('alter table %I enable row level security', t);
    execute format($p$create policy %I on %I for select to hotline_app using (true)$p$, t || '_read', t);
    execute format($p$create policy %I on %I for insert to hotline_app with check ((select actor_kind()) = 'system' or ((select actor_kind()) = 'staff' and (select actor_desk()) and (select actor_admin())))$p$, t || '_add', t);
    execute format($p$create policy %I on %I for update to hotline_app using ((select actor_kind()) = 'system' or ((select actor_kind()) = 'staff' and (select actor_desk()) and (select actor_admin())))$p$, t || '_change', t);
    if t = 'catalogue_versions' then
      -- A draft can be dropped; nothing else is ever deleted: tickets name it.
      execute format($p$create policy %I on %I for delete to hotline_app using (state = 'draft' and ((select actor_kind()) = 'system' or ((select actor_kind()) = 'staff' and (select actor_desk()) and (select actor_admin()))))$p$, t || '_drop', t);
    end if;
  end loop;
end $$;
-- +goose StatementEnd
drop policy catalogue_insert on catalogue_entries;
drop policy catalogue_delete on catalogue_entries;
create policy catalogue_insert on catalogue_entries for insert to hotline_app
  with check (((select actor_kind()) = 'system' or ((select actor_kind()) = 'staff' and (select actor_desk()) and (select actor_admin())))
    and exists (select from catalogue_versions v where v.version = catalogue_entries.version and v.state = 'draft'));
create policy catalogue_delete on catalogue_entries for delete to hotline_app
  using (((select actor_kind()) = 'system' or ((select actor_kind()) = 'staff' and (select actor_desk()) and (select actor_admin())))
    and exists (select from catalogue_versions v where v.version = catalogue_entries.version and v.state = 'draft'));

-- The revision moves with every change, whoever is the actor.
-- +goose StatementBegin
create or replace function routing_changed() returns trigger language plpgsql security definer set search_path = public as $$
begin
  update routing_revision set revision = revision + 1;
  return null;
end $$;
-- +goose StatementEnd

-- +goose Down
drop policy catalogue_insert on catalogue_entries;
drop policy catalogue_delete on catalogue_entries;
create policy catalogue_insert on catalogue_entries for insert
  with check (exists (select from catalogue_versions v where v.version = catalogue_entries.version and v.state = 'draft'));
create policy catalogue_delete on catalogue_entries for delete
  using (exists (select from catalogue_versions v where v.version = catalogue_entries.version and v.state = 'draft'));
drop policy catalogue_versions_drop on catalogue_versions;
-- +goose StatementBegin
do $$
declare t text;
begin
  foreach t in array array['jurisdictions', 'agencies', 'areas', 'categories', 'service_items', 'catalogue_versions'] loop
    execute format('drop policy %I on %I', t || '_read', t);
    execute format('drop policy %I on %I', t || '_add', t);
    execute format('drop policy %I on %I', t || '_change', t);
    execute format('alter table %I disable row level security', t);
    execute format('drop trigger reference_audit on %I', t);
  end loop;
end $$;
-- +goose StatementEnd
drop table reference_changes;
drop function reference_audit;
alter table areas drop column version;
alter table agencies alter column hours drop default;
alter table agencies alter column hours type text using coalesce(hours->>'en', '');
alter table agencies alter column hours set default '';
drop function actor_admin;
