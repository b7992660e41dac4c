-- +goose Up
-- A message that is being written locks its conversation against other writers, not against rows that refer to it: with "for update" a suggestion
-- recorded at the same moment held its own row and waited for the conversation, while the message held the conversation and waited for that row.

-- +goose StatementBegin
create or replace function chat_append(
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
  select last_seq, channel, account, thread into c from conversations where id = p_conversation for no key update;
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
-- +goose StatementBegin
create or replace function chat_append(
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
