-- +goose Up
-- A reviewed text may wait for its day: publish_at is the moment it goes live by itself, expire_at the moment it stops being served.
-- The audience is what a version proposes: that of the published one is the article's.
alter table article_versions
  add publish_at    timestamptz,
  add expire_at     timestamptz,
  add restored_from int,                        -- the version whose text this one began with
  add audience      text not null default 'public' check (audience in ('public', 'staff'));
update article_versions v set audience = a.audience from articles a where a.id = v.article_id and a.audience <> 'public';
alter table article_versions drop constraint article_versions_state_check;
alter table article_versions add constraint article_versions_state_check
  check (state in ('draft', 'in_review', 'scheduled', 'published', 'superseded', 'expired', 'withdrawn'));
create index article_versions_scheduled on article_versions (publish_at) where state = 'scheduled';
create index article_versions_expire on article_versions (expire_at) where state = 'published' and expire_at is not null;
create index article_versions_last_day on article_versions (valid_to) where state = 'published' and valid_to is not null;

-- The second wall: everyone reads articles (who may be shown which is decided by what is asked), the owner agency and the hotline write them. A
-- correction is filed by anybody of the staff under their own name.
-- +goose StatementBegin
do $$
declare t text;
begin
  foreach t in array array['articles', 'article_versions', 'article_corrections', 'article_feedback'] loop
    execute format('alter table %I enable row level security', t);
    execute format('create policy %I on %I for select to hotline_app using (true)', t || '_read', t);
    execute format($p$create policy %I on %I to hotline_app using ((select actor_kind()) = 'system')$p$, t || '_system', t);
  end loop;
  execute $p$create policy articles_owner on articles to hotline_app using (
    (select actor_kind()) = 'staff' and ((select actor_desk()) or owner_id = (select actor_agency())))$p$;
  foreach t in array array['article_versions', 'article_corrections'] loop
    execute format($p$create policy %I on %I to hotline_app using (
      (select actor_kind()) = 'staff' and ((select actor_desk()) or exists (select from articles a where a.id = article_id and a.owner_id = (select actor_agency()))))$p$, t || '_owner', t);
  end loop;
end $$;
-- +goose StatementEnd
create policy article_corrections_file on article_corrections for insert to hotline_app with check ((select actor_kind()) = 'staff' and user_id = (select actor_user()));

-- +goose Down
-- +goose StatementBegin
do $$
declare t text;
begin
  foreach t in array array['articles', 'article_versions', 'article_corrections', 'article_feedback'] loop
    execute format('drop policy %I on %I', t || '_read', t);
    execute format('drop policy %I on %I', t || '_system', t);
    execute format('drop policy if exists %I on %I', t || '_owner', t);
    execute format('alter table %I disable row level security', t);
  end loop;
end $$;
-- +goose StatementEnd
drop policy article_corrections_file on article_corrections;
update article_versions set state = 'draft' where state = 'scheduled';
alter table article_versions drop constraint article_versions_state_check;
alter table article_versions add constraint article_versions_state_check
  check (state in ('draft', 'in_review', 'published', 'superseded', 'expired', 'withdrawn'));
alter table article_versions drop publish_at, drop expire_at, drop restored_from, drop audience;
