-- +goose Up
-- E-mail and SMS on which a contact allowed to be written to, in the order in which they are tried; where it was said, and when. Nobody is written to
-- without it.
alter table contacts
  add column allows     text[] not null default '{}' check (allows <@ array['email', 'sms']),
  add column allows_via text not null default '',       -- portal, api, phone, counter, letter, chat; staff, link, sms when it was changed later
  add column allows_at  timestamptz,
  add column failing    text[] not null default '{}';   -- of allows, those that failed for good

-- A message that goes to such an address beside its conversation keeps no address of its own: it is looked up when the message is sent, so that what was
-- withdrawn or erased meanwhile is not written to. person recognizes it again: the keyed hash of channel and address; null on the conversation's own channel.
alter table deliveries add column person bytea;
create index deliveries_person on deliveries (person, created_at desc) where person is not null;

-- +goose Down
drop index deliveries_person;
alter table deliveries drop column person;
alter table contacts drop column allows, drop column allows_via, drop column allows_at, drop column failing;
