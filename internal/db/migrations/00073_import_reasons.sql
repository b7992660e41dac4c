-- +goose Up
-- Why an article was refused, or an import ended, is kept as the code of the error with what belongs to it, so that a report reads in the language of
-- whoever looks. What was kept before are words.
alter table knowledge_imports alter problem drop default;
alter table knowledge_imports alter problem drop not null;
alter table knowledge_imports alter problem type jsonb using case when problem = '' then null else jsonb_build_object('words', problem) end;
alter table knowledge_imports drop lang;
update knowledge_imports set lines = coalesce((select jsonb_agg(case when l->>'Why' <> '' then l || jsonb_build_object('Why', jsonb_build_object('words', l->>'Why')) else l - 'Why' end order by n)
  from jsonb_array_elements(lines) with ordinality x (l, n)), '[]');

-- +goose Down
update knowledge_imports set lines = coalesce((select jsonb_agg(case when jsonb_typeof(l->'Why') = 'object' then l || jsonb_build_object('Why', coalesce(l->'Why'->>'words', l->'Why'->>'code', '')) else l || '{"Why": ""}' end order by n)
  from jsonb_array_elements(lines) with ordinality x (l, n)), '[]');
alter table knowledge_imports add lang text not null default 'en';
alter table knowledge_imports alter problem type text using coalesce(problem->>'words', problem->>'code', '');
update knowledge_imports set problem = '' where problem is null;
alter table knowledge_imports alter problem set default '';
alter table knowledge_imports alter problem set not null;
