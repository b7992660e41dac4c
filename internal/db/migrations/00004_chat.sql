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
  turn_failures  int not null default 0,       -- turns in a row that failed; too many of them call a person
  ticket_id      uuid,                          -- the ticket this conversation is about now
  confidential   boolean not null default false,
  queued_at      timestamptz,
  closed_at      timestamptz,
  created_at     timestamptz not null default now(),
  updated_at     timestamptz not null default now(),
  unique (channel, account, thread)
) with (fillfactor = 85);                       -- the row changes with every message
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
  claimed_until   timestamptz,                  -- a worker is sending just now
  next_at         timestamptz,                  -- not before, after a failed attempt
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
create index uploads_pending on uploads (thread_hash, created_at) where conversation_id is null;
create index uploads_conversation on uploads (conversation_id) where conversation_id is not null;
create index uploads_ticket on uploads (ticket_id) where ticket_id is not null;

-- Intake is one call and so one round trip: receipt, conversation, message, the reply to an emergency, and the promise of a turn.
-- It runs as the system whoever calls it: a citizen's message is taken in before anybody knows whose conversation it is.
-- The row lock on the conversation orders everything in a thread, so the look at the receipts behind it is final.
-- outcome: 'new', 'duplicate' (first result again), 'conflict' (same id, other body). An upload that is not the sender's raises HL001.
-- +goose StatementBegin
create function chat_ingest(
  p_channel text, p_account text, p_thread text, p_external_id text, p_body_hash bytea,
  p_text text, p_payload jsonb, p_uploads uuid[], p_thread_hash bytea,
  p_lang text, p_contact jsonb, p_holder text, p_confidential boolean, p_ticket uuid,
  p_conversation uuid, p_message uuid, p_now timestamptz, p_turn_due timestamptz,
  p_reply uuid, p_reply_text text, p_reply_payload jsonb, p_delivery uuid,
  out outcome text, out conversation uuid, out seq bigint, out last bigint, out holder text, out opened boolean, out ticket uuid)
language plpgsql as $$
#variable_conflict use_column
declare
  n int := case when p_reply is null then 1 else 2 end;
  c record;
  r record;
  files jsonb;
  body jsonb := p_payload;
  contact uuid;
  was text := coalesce(current_setting('hotline.actor_kind', true), '');
begin
  perform set_config('hotline.actor_kind', 'system', true); -- as the system, until the end of this function
  opened := false;
  select id, last_seq, holder, ticket_id, closed_at into c from conversations
    where channel = p_channel and account = p_account and thread = p_thread for update;
  if not found then
    if p_contact is not null then
      contact := (p_contact->>'id')::uuid;
    end if;
    insert into conversations (id, channel, account, thread, lang, holder, confidential, ticket_id, last_seq, turn_due_at, created_at, updated_at)
      values (p_conversation, p_channel, p_account, p_thread, coalesce(nullif(p_lang, ''), 'en'), p_holder, p_confidential, p_ticket, n,
              case when p_holder = 'bot' then p_turn_due end, p_now, p_now)
      on conflict (channel, account, thread) do nothing;
    if found then
      opened := true;
      conversation := p_conversation; seq := 1; holder := p_holder; ticket := p_ticket;
      if contact is not null then
        insert into contacts (id, name, phone, email, lang, created_at)
          values (contact, coalesce(p_contact->>'name', ''), coalesce(p_contact->>'phone', ''), coalesce(p_contact->>'email', ''), coalesce(p_lang, ''), p_now);
        update conversations set contact_id = contact where id = p_conversation;
      end if;
    else -- another connection opened it a moment ago and has committed
      select id, last_seq, holder, ticket_id, closed_at into strict c from conversations
        where channel = p_channel and account = p_account and thread = p_thread for update;
    end if;
  end if;
  if not opened then
    select body_hash, conversation_id, seq into r from receipts
      where channel = p_channel and account = p_account and thread = p_thread and external_id = p_external_id;
    if found then
      conversation := r.conversation_id; seq := r.seq; last := c.last_seq; holder := c.holder; ticket := c.ticket_id;
      outcome := case when r.body_hash = p_body_hash then 'duplicate' else 'conflict' end;
      perform set_config('hotline.actor_kind', was, true);
      return;
    end if;
    conversation := c.id; seq := c.last_seq + 1; holder := c.holder;
    ticket := coalesce(p_ticket, case when c.holder in ('staff', 'none') then c.ticket_id end);
    update conversations set last_seq = c.last_seq + n, updated_at = p_now, closed_at = null,
        turn_due_at = case when c.holder = 'bot' then least(turn_due_at, p_turn_due) end
      where id = c.id;
  end if;
  last := seq + n - 1;
  if cardinality(p_uploads) > 0 then
    update uploads set conversation_id = conversation, ticket_id = coalesce(ticket, ticket_id)
      where id = any(p_uploads) and (thread_hash = p_thread_hash or conversation_id = conversation);
    select jsonb_agg(jsonb_build_object('id', u.id, 'name', u.name, 'type', u.content_type, 'size', u.size, 'width', u.width, 'height', u.height)
                     order by array_position(p_uploads, u.id))
      into files from uploads u where u.id = any(p_uploads) and u.conversation_id = conversation;
    if coalesce(jsonb_array_length(files), 0) <> cardinality(p_uploads) then
      raise exception 'an upload is unknown' using errcode = 'HL001';
    end if;
    body := body || jsonb_build_object('uploads', files);
  end if;
  insert into messages (conversation_id, seq, id, author, text, payload, ticket_id, created_at)
    values (conversation, seq, p_message, 'citizen', p_text, body, ticket, p_now);
  insert into receipts (channel, account, thread, external_id, body_hash, conversation_id, seq, created_at)
    values (p_channel, p_account, p_thread, p_external_id, p_body_hash, conversation, seq, p_now);
  if p_reply is not null then
    insert into messages (conversation_id, seq, id, author, text, payload, ticket_id, created_at)
      values (conversation, last, p_reply, 'bot', p_reply_text, p_reply_payload, ticket, p_now);
    if p_delivery is not null then
      insert into deliveries (id, conversation_id, seq, channel, account, thread, created_at, updated_at)
        values (p_delivery, conversation, last, p_channel, p_account, p_thread, p_now, p_now);
    end if;
  end if;
  outcome := 'new';
  perform set_config('hotline.actor_kind', was, true);
end $$;

-- One more message in a conversation that exists, as the caller's actor: what row-level security hides is 'absent'.
-- A key makes it idempotent: the same again is 'duplicate' with the first seq. p_push lists the channels that messages are delivered on.
create function chat_append(
  p_conversation uuid, p_message uuid, p_author text, p_user uuid, p_text text, p_payload jsonb, p_uploads uuid[], p_ticket uuid,
  p_key text, p_body_hash bytea, p_push text[], p_delivery uuid, p_now timestamptz,
  out outcome text, out seq bigint, out push boolean)
language plpgsql as $$
#variable_conflict use_column
declare
  c record;
  r record;
  files jsonb;
  body jsonb := p_payload;
begin
  push := false;
  select last_seq, channel, account, thread into c from conversations where id = p_conversation for update;
  if not found then
    outcome := 'absent';
    return;
  end if;
  if p_key <> '' then
    select body_hash, seq into r from receipts
      where channel = '~post' and account = '' and thread = p_conversation::text and external_id = p_key;
    if found then
      seq := r.seq;
      outcome := case when r.body_hash = p_body_hash then 'duplicate' else 'conflict' end;
      return;
    end if;
  end if;
  seq := c.last_seq + 1;
  if cardinality(p_uploads) > 0 then
    update uploads set ticket_id = coalesce(p_ticket, ticket_id) where id = any(p_uploads) and conversation_id = p_conversation;
    select jsonb_agg(jsonb_build_object('id', u.id, 'name', u.name, 'type', u.content_type, 'size', u.size, 'width', u.width, 'height', u.height)
                     order by array_position(p_uploads, u.id))
      into files from uploads u where u.id = any(p_uploads) and u.conversation_id = p_conversation;
    if coalesce(jsonb_array_length(files), 0) <> cardinality(p_uploads) then
      raise exception 'an upload is unknown' using errcode = 'HL001';
    end if;
    body := body || jsonb_build_object('uploads', files);
  end if;
  update conversations set last_seq = seq, updated_at = p_now where id = p_conversation;
  insert into messages (conversation_id, seq, id, author, author_user_id, text, payload, ticket_id, created_at)
    values (p_conversation, seq, p_message, p_author, p_user, p_text, body, p_ticket, p_now);
  if p_key <> '' then
    insert into receipts (channel, account, thread, external_id, body_hash, conversation_id, seq, created_at)
      values ('~post', '', p_conversation::text, p_key, p_body_hash, p_conversation, seq, p_now);
  end if;
  if p_author <> 'citizen' and c.channel = any(p_push) then
    push := true;
    insert into deliveries (id, conversation_id, seq, channel, account, thread, created_at, updated_at)
      values (p_delivery, p_conversation, seq, c.channel, c.account, c.thread, p_now, p_now);
  end if;
  outcome := 'new';
end $$;
-- +goose StatementEnd

-- +goose Down
drop function chat_ingest, chat_append;
drop table uploads, deliveries, receipts, messages, conversations, contacts;
