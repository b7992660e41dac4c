-- +goose Up
-- Intake in one round trip: chat_ingest and ticket_open, sent behind one another, are one transaction.
--
-- Both belong to the owner and run as the owner. What they write is what row-level security lets the system write, which is everything; the rules
-- themselves, each a subquery with rules of its own inside, would be planned and set up for each statement and cost several times the rows.
-- Neither gives anything away: what comes back is where the message is, and the number of a ticket made just now.

-- A filing's message names its ticket before the ticket is there.
alter table conversations alter constraint conversations_ticket_id_fkey deferrable initially deferred;
alter table messages alter constraint messages_ticket_id_fkey deferrable initially deferred;
alter table uploads alter constraint uploads_ticket_id_fkey deferrable initially deferred;

-- Reference columns carry no foreign keys (00005): each intake would lock the rows of the hotline and of the agency, with all others.
alter table notifications drop constraint notifications_agency_id_fkey, drop constraint notifications_user_id_fkey;

-- What a message says of its files; they must be the sender's.
-- +goose StatementBegin
create or replace function chat_files(p_uploads uuid[], p_thread_hash bytea, p_conversation uuid) returns jsonb language plpgsql as $$
declare
  files jsonb;
begin
  select jsonb_agg(jsonb_build_object('id', u.id, 'name', u.name, 'type', u.content_type, 'size', u.size, 'width', u.width, 'height', u.height)
                   order by array_position(p_uploads, u.id))
    into files from public.uploads u where u.id = any(p_uploads) and (u.thread_hash = p_thread_hash or u.conversation_id = p_conversation);
  if coalesce(jsonb_array_length(files), 0) <> cardinality(p_uploads) then
    raise exception 'an upload is unknown' using errcode = 'HL001';
  end if;
  return jsonb_build_object('uploads', files);
end $$;

-- As in 00004, and:
-- With p_ticket, a ticket that is written right behind in the same transaction, a message that was taken before is the error HL002, so that the
-- ticket is not written either.
-- The first message of a conversation, which most are that come through a form or an API, is one statement.
-- Tables are named with their schema instead of setting a search path, which each call would pay for.
create or replace function chat_ingest(
  p_channel text, p_account text, p_thread text, p_external_id text, p_body_hash bytea,
  p_text text, p_payload jsonb, p_uploads uuid[], p_thread_hash bytea,
  p_lang text, p_contact jsonb, p_holder text, p_confidential boolean, p_ticket uuid,
  p_conversation uuid, p_message uuid, p_now timestamptz, p_turn_due timestamptz,
  p_reply uuid, p_reply_text text, p_reply_payload jsonb, p_delivery uuid,
  out outcome text, out conversation uuid, out seq bigint, out last bigint, out holder text, out opened boolean, out ticket uuid)
language plpgsql security definer as $$
#variable_conflict use_column
declare
  n int := case when p_reply is null then 1 else 2 end;
  c record;
  r record;
  body jsonb := p_payload;
  contact uuid := (p_contact->>'id')::uuid;
begin
  opened := false;
  select id, last_seq, holder, ticket_id into c from public.conversations
    where channel = p_channel and account = p_account and thread = p_thread for update;
  if not found then
    if cardinality(p_uploads) > 0 then
      body := body || public.chat_files(p_uploads, p_thread_hash, p_conversation);
    end if;
    with new as (
      insert into public.conversations (id, channel, account, thread, contact_id, lang, holder, confidential, ticket_id, last_seq, turn_due_at, created_at, updated_at)
        values (p_conversation, p_channel, p_account, p_thread, contact, coalesce(nullif(p_lang, ''), 'en'), p_holder, p_confidential, p_ticket, n,
                case when p_holder = 'bot' then p_turn_due end, p_now, p_now)
        on conflict (channel, account, thread) do nothing returning true as made),
    who as (
      insert into public.contacts (id, name, phone, email, lang, created_at)
        select contact, coalesce(p_contact->>'name', ''), coalesce(p_contact->>'phone', ''), coalesce(p_contact->>'email', ''), coalesce(p_lang, ''), p_now
        from new where contact is not null),
    what as (
      insert into public.messages (conversation_id, seq, id, author, text, payload, ticket_id, created_at)
        select p_conversation, 1, p_message, 'citizen', p_text, body, p_ticket, p_now from new),
    once as (
      insert into public.receipts (channel, account, thread, external_id, body_hash, conversation_id, seq, created_at)
        select p_channel, p_account, p_thread, p_external_id, p_body_hash, p_conversation, 1, p_now from new)
    select made into opened from new;
    if opened then
      conversation := p_conversation; seq := 1; holder := p_holder; ticket := p_ticket;
    else -- another connection opened it a moment ago and has committed
      opened := false;
      body := p_payload;
      select id, last_seq, holder, ticket_id into strict c from public.conversations
        where channel = p_channel and account = p_account and thread = p_thread for update;
    end if;
  end if;
  if not opened then
    select body_hash, conversation_id, seq into r from public.receipts
      where channel = p_channel and account = p_account and thread = p_thread and external_id = p_external_id;
    if found then
      if p_ticket is not null then
        raise exception 'taken in before' using errcode = 'HL002';
      end if;
      conversation := r.conversation_id; seq := r.seq; last := c.last_seq; holder := c.holder; ticket := c.ticket_id;
      outcome := case when r.body_hash = p_body_hash then 'duplicate' else 'conflict' end;
      return;
    end if;
    conversation := c.id; seq := c.last_seq + 1; holder := c.holder;
    ticket := coalesce(p_ticket, case when c.holder in ('staff', 'none') then c.ticket_id end);
    update public.conversations set last_seq = c.last_seq + n, updated_at = p_now, closed_at = null,
        turn_due_at = case when c.holder = 'bot' then least(turn_due_at, p_turn_due) end
      where id = c.id;
    if cardinality(p_uploads) > 0 then
      body := body || public.chat_files(p_uploads, p_thread_hash, conversation);
    end if;
    insert into public.messages (conversation_id, seq, id, author, text, payload, ticket_id, created_at)
      values (conversation, seq, p_message, 'citizen', p_text, body, ticket, p_now);
    insert into public.receipts (channel, account, thread, external_id, body_hash, conversation_id, seq, created_at)
      values (p_channel, p_account, p_thread, p_external_id, p_body_hash, conversation, seq, p_now);
  end if;
  last := seq + n - 1;
  if cardinality(p_uploads) > 0 then
    update public.uploads set conversation_id = conversation, ticket_id = coalesce(ticket, ticket_id)
      where id = any(p_uploads) and (thread_hash = p_thread_hash or conversation_id = conversation);
  end if;
  if p_reply is not null then
    insert into public.messages (conversation_id, seq, id, author, text, payload, ticket_id, created_at)
      values (conversation, last, p_reply, 'bot', p_reply_text, p_reply_payload, ticket, p_now);
    if p_delivery is not null then
      insert into public.deliveries (id, conversation_id, seq, channel, account, thread, created_at, updated_at)
        values (p_delivery, conversation, last, p_channel, p_account, p_thread, p_now, p_now);
    end if;
  end if;
  outcome := 'new';
end $$;

-- A new ticket with everything that belongs to it; returns its number. Foreign keys are checked at the end of the one big statement.
-- p_link: the conversation was there before and is to know its ticket. The plan is made once: the arrays are a handful long, yet the planner's guess
-- for arrays that it cannot see is ten times that, so left alone it would plan each call anew, which costs more than the rows.
create function ticket_open(
  p_id uuid, p_year text, p_code_hash bytea, p_events int, p_head bytea, p_kind text, p_category text, p_category_fixed boolean, p_service_item text, p_area text,
  p_title text, p_description text, p_place text, p_lat double precision, p_lon double precision, p_lang text, p_urgency text, p_channel text,
  p_conversation uuid, p_contact uuid, p_confidential boolean, p_state text, p_lead uuid, p_co uuid[], p_dispatches int,
  p_sign_due timestamptz, p_warn timestamptz, p_due timestamptz, p_promised timestamptz, p_provisional boolean, p_decision jsonb, p_reply text, p_outcome text,
  p_now timestamptz, p_closed timestamptz, p_version int, p_queue text, p_open boolean, p_words tsvector, p_key text, p_policy text, p_link boolean, p_uploads uuid[],
  a_agency uuid[], a_role text[], a_acting boolean[],
  e_type text[], e_actor text[], e_user uuid[], e_agency uuid[], e_from text[], e_to text[], e_public boolean[], e_data text[], e_seal bytea[],
  c_name text[], c_agency uuid[], c_n int[], c_unit text[], c_warn timestamptz[], c_due timestamptz[], c_provisional boolean[], c_next timestamptz[], c_stopped timestamptz[],
  n_id uuid[], n_agency uuid[], n_role text[], n_type text[])
returns text language plpgsql security definer set plan_cache_mode = force_generic_plan as $$
declare
  made text;
begin
  made := nextval('public.ticket_numbers')::text;
  made := p_year || '-' || lpad(made, greatest(6, length(made)), '0');
  with t as (
    insert into public.tickets (id, number, code_hash, events, head, kind, category, category_fixed, service_item, area, title, description, place, lat, lon, lang, urgency,
      channel, conversation_id, contact_id, confidential, state, lead_id, co_ids, dispatches, sign_due_at, warn_at, due_at, promised_at, provisional, decision,
      reply, outcome, opened_at, updated_at, closed_at, version)
    values (p_id, made, p_code_hash, p_events, p_head, p_kind, nullif(p_category, ''), p_category_fixed, nullif(p_service_item, ''), nullif(p_area, ''), p_title,
      p_description, p_place, p_lat, p_lon, p_lang, p_urgency, p_channel, p_conversation, p_contact, p_confidential, p_state, p_lead, p_co, p_dispatches,
      p_sign_due, p_warn, p_due, p_promised, p_provisional, p_decision, p_reply, p_outcome, p_now, p_now, p_closed, p_version)),
  a as (
    insert into public.ticket_access (agency_id, ticket_id, role, state, queue, open, acting, kind, category, urgency, confidential, lead_id, due_at, opened_at, updated_at, area, warn_at)
    select u.agency, p_id, u.role, p_state, case when u.role = 'past' then '' else p_queue end, p_open, u.acting, p_kind, nullif(p_category, ''), p_urgency,
      p_confidential, p_lead, coalesce(p_due, 'infinity'), p_now, p_now, nullif(p_area, ''), coalesce(p_warn, 'infinity')
    from unnest(a_agency, a_role, a_acting) u (agency, role, acting)),
  e as (
    insert into public.ticket_events (ticket_id, seq, type, actor, user_id, agency_id, from_state, to_state, public, data, action_key, at, seal)
    select p_id, u.seq, u.type, u.actor, u.user_id, u.agency_id, u.from_state, u.to_state, u.public, u.data::jsonb, case when u.seq = 1 then nullif(p_key, '') end, p_now, u.seal
    from unnest(e_type, e_actor, e_user, e_agency, e_from, e_to, e_public, e_data, e_seal) with ordinality
      u (type, actor, user_id, agency_id, from_state, to_state, public, data, seal, seq)),
  c as (
    insert into public.ticket_clocks (ticket_id, name, policy, agency_id, n, unit, started_at, warn_at, due_at, provisional, next_fire_at, stopped_at)
    select p_id, u.name, p_policy, u.agency, u.n, u.unit, p_now, u.warn_at, u.due_at, u.provisional, u.next_fire_at, u.stopped_at
    from unnest(c_name, c_agency, c_n, c_unit, c_warn, c_due, c_provisional, c_next, c_stopped)
      u (name, agency, n, unit, warn_at, due_at, provisional, next_fire_at, stopped_at)),
  o as (
    insert into public.notifications (id, agency_id, role, ticket_id, type, created_at)
    select u.id, u.agency, u.role, p_id, u.type, p_now from unnest(n_id, n_agency, n_role, n_type) u (id, agency, role, type))
  insert into public.ticket_search (ticket_id, words) values (p_id, p_words);
  -- What few intakes need is a statement of its own: a part of the big one that does nothing still costs its start.
  if p_lead is not null then
    insert into public.assignments (ticket_id, seq, lead_id, co, state, dispatched_at, sign_due_at) values (p_id, 1, p_lead, p_co, 'dispatched', p_now, p_sign_due);
  end if;
  if p_link then
    update public.conversations set ticket_id = p_id, confidential = confidential or p_confidential, updated_at = p_now where id = p_conversation;
    if cardinality(p_uploads) > 0 then
      update public.uploads set ticket_id = p_id, conversation_id = p_conversation
        where id = any(p_uploads) and (conversation_id is null or conversation_id = p_conversation) and ticket_id is null;
    end if;
  end if;
  return made;
end $$;
-- +goose StatementEnd
revoke execute on function chat_ingest, chat_files, ticket_open from public;
grant execute on function chat_ingest, ticket_open to hotline_app;

-- +goose Down
-- chat_ingest, with its chat_files, stays as it is: it does all that the one before did.
drop function ticket_open;
alter table notifications add foreign key (agency_id) references agencies, add foreign key (user_id) references users;
alter table conversations alter constraint conversations_ticket_id_fkey not deferrable;
alter table messages alter constraint messages_ticket_id_fkey not deferrable;
alter table uploads alter constraint uploads_ticket_id_fkey not deferrable;
