-- +goose Up
-- An import is a job: its file waits in the file store, each batch of articles and what became of them are one transaction, and a node that dies
-- leaves the lease to run out.
alter table knowledge_imports
  add blob          text not null default '',   -- of the file; empty once it is deleted
  add lang          text not null default 'en', -- of the words in lines
  add total         int not null default 0,     -- articles in the file; 0 until they are counted
  add seen          int not null default 0,     -- of them dealt with
  add problem       text not null default '',   -- why it ended early
  add claimed_until timestamptz,
  add finished_at   timestamptz;
update knowledge_imports set claimed_until = at, finished_at = at, seen = created + updated + unchanged + failed, total = created + updated + unchanged + failed;
alter table knowledge_imports alter claimed_until set not null;
create index knowledge_imports_waiting on knowledge_imports (claimed_until) where blob <> '';
create policy knowledge_imports_go_on on knowledge_imports for update to hotline_app using (
  (select actor_kind()) = 'staff' and user_id = (select actor_user()) and agency_id = (select actor_agency()));

-- +goose Down
drop policy knowledge_imports_go_on on knowledge_imports;
drop index knowledge_imports_waiting;
alter table knowledge_imports drop blob, drop lang, drop total, drop seen, drop problem, drop claimed_until, drop finished_at;
