-- +goose Up
-- Contacts, conversations, messages, receipts, deliveries, uploads.
create table contacts (
  id         uuid primary key,
  name       text not null default '',
  phone      text not null default '',
  email      text not null default '',
  lang       text not null default '',
  created_at timestamptz not null default now()
);

create table conversations (
  id             uuid primary key,
  channel        text not null,                -- adapter: 'web', 'telegram', 'portal', 'api', …
  account        text not null,                -- site key, bot name, …
  thread         text not null,                -- the channel's own name of the thread; for web the SHA-256 of the token
  contact_id     uuid references contacts,
  lang           text not null default 'en',
  holder         text not null default 'bot' check (holder in ('bot', 'queue', 'staff', 'none')),
  holder_user_id uuid references users,
  last_seq       bigint not null default 0,
  answered_seq   bigint not null default 0,
  citizen_seen   bigint not null default 0,
  staff_seen     bigint not null default 0,
  bot_state      jsonb not null default '{}',
  turn_due_at    timestamptz,                  -- when a sweep must answer if the ingesting process has not; null: nothing to answer
  lease_owner    uuid,
  lease_until    timestamptz,
  ticket_id      uuid,                          -- the ticket this conversation is about now
  confidential   boolean not null default false,
  queued_at      timestamptz,
  closed_at      timestamptz,
  created_at     timestamptz not null default now(),
  updated_at     timestamptz not null default now(),
  unique (channel, account, thread)
);
create index conversations_turn_due on conversations (turn_due_at) where turn_due_at is not null;
create index conversations_live on conversations (holder, queued_at, id) where holder in ('queue', 'staff');
create index conversations_ticket on conversations (ticket_id) where ticket_id is not null;

create table messages (
  conversation_id uuid not null references conversations,
  seq             bigint not null,
  id              uuid not null,
  author          text not null check (author in ('citizen', 'bot', 'staff', 'system')),
  author_user_id  uuid references users,
  text            text not null default '',     -- with {tracking_code} as a placeholder, rendered only for the citizen
  payload         jsonb not null default '{}',  -- choices, citations, attachments, ask, event
  ticket_id       uuid,
  created_at      timestamptz not null default now(),
  primary key (conversation_id, seq)
);
create index messages_ticket on messages (ticket_id, created_at) where ticket_id is not null;

-- What a channel has already given us. The same again returns the first result; another body under the same id is a conflict.
create table receipts (
  channel         text not null,
  account         text not null,
  thread          text not null,
  external_id     text not null,
  body_hash       bytea not null,
  conversation_id uuid not null,
  seq             bigint not null,
  created_at      timestamptz not null default now(),
  primary key (channel, account, thread, external_id)
);

create table deliveries (
  id              uuid primary key,
  conversation_id uuid not null references conversations,
  seq             bigint not null,
  channel         text not null,
  account         text not null,
  thread          text not null,
  state           text not null default 'pending' check (state in ('pending', 'sent', 'delivered', 'failed', 'unknown')),
  attempts        int not null default 0,
  error           text not null default '',     -- in words for staff, no personal data
  remote_id       text not null default '',
  created_at      timestamptz not null default now(),
  updated_at      timestamptz not null default now(),
  unique (conversation_id, seq, channel)
);
create index deliveries_failed on deliveries (updated_at desc) where state in ('failed', 'unknown');

create table uploads (
  id              uuid primary key,
  conversation_id uuid references conversations,
  thread_hash     bytea,                        -- uploader before the conversation exists
  ticket_id       uuid,
  blob            text not null,                -- key in the file store
  name            text not null,                -- cleaned file name
  content_type    text not null,                -- sniffed, from the allow-list
  size            bigint not null,
  width           int not null default 0,
  height          int not null default 0,
  created_at      timestamptz not null default now()
);
create index uploads_conversation on uploads (conversation_id) where conversation_id is not null;
create index uploads_ticket on uploads (ticket_id) where ticket_id is not null;

-- +goose Down
drop table uploads, deliveries, receipts, messages, conversations, contacts;
