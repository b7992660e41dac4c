-- +goose Up
-- What a person watches and where they were called by name, by any facet. A list of ten thousand such tickets was read on ticket by ticket where few of them had the facet; with what facets ask
-- about beside the key, it is looked through in one index. The columns are those of the ticket, kept with every change of it, as in ticket_access.
alter table ticket_watchers add column kind text, add column category text, add column urgency text, add column state text, add column area text, add column lead_id uuid, add column opened_at timestamptz;
alter table ticket_mentions add column kind text, add column category text, add column urgency text, add column state text, add column area text, add column lead_id uuid, add column opened_at timestamptz;
update ticket_watchers w set kind = t.kind, category = t.category, urgency = t.urgency, state = t.state, area = t.area, lead_id = t.lead_id, opened_at = t.opened_at from tickets t where t.id = w.ticket_id;
update ticket_mentions w set kind = t.kind, category = t.category, urgency = t.urgency, state = t.state, area = t.area, lead_id = t.lead_id, opened_at = t.opened_at from tickets t where t.id = w.ticket_id;
alter table ticket_watchers alter column kind set not null, alter column urgency set not null, alter column state set not null, alter column opened_at set not null;
alter table ticket_mentions alter column kind set not null, alter column urgency set not null, alter column state set not null, alter column opened_at set not null;
drop index ticket_watchers_user, ticket_mentions_user;
create index ticket_watchers_user on ticket_watchers (user_id, changed_at desc, ticket_id desc) include (kind, category, urgency, state, area, lead_id, opened_at);
create index ticket_mentions_user on ticket_mentions (user_id, mentioned_at desc, ticket_id desc) include (kind, category, urgency, state, area, lead_id, opened_at);

-- +goose Down
drop index ticket_watchers_user, ticket_mentions_user;
alter table ticket_watchers drop column kind, drop column category, drop column urgency, drop column state, drop column area, drop column lead_id, drop column opened_at;
alter table ticket_mentions drop column kind, drop column category, drop column urgency, drop column state, drop column area, drop column lead_id, drop column opened_at;
create index ticket_watchers_user on ticket_watchers (user_id, changed_at desc, ticket_id desc);
create index ticket_mentions_user on ticket_mentions (user_id, mentioned_at desc, ticket_id desc);
