-- +goose Up
-- As in 00037, and a span of time is asked for before the agency. The index compares its lists in the order of the conditions, so where words and agency never met, as they do not in an
-- agency with none of a word that the city is full of, it went through both to their ends and never came to the spans: each of three steps cost as much as all.
-- +goose StatementBegin
create or replace function search_tickets(query tsquery, candidates int, result_limit int)
returns table (ticket_id uuid, rank real) language plpgsql volatile security definer -- volatile: explain is refused otherwise
set search_path = public set enable_seqscan = off set enable_bitmapscan = on set enable_hashjoin = off set enable_mergejoin = off set max_parallel_workers_per_gather = 0 set work_mem = '16MB' as $$
declare
  page constant int := 25;
  bound constant int := 20000;
  agency uuid := actor_agency();
  cleared boolean := actor_cleared();
  desk boolean := actor_desk();
  hits constant text := 'select m.ticket_id, m.words from ticket_search m where m.words @@ $1';
  own constant text := case when desk then '' else ' and m.keys @> array[$2]' end;
  -- A look for each of them, behind a fence: the planner would else look for the words first.
  newest constant text := 'select s.ticket_id, s.words from (select a.ticket_id from ticket_access a where a.agency_id = $2 and (not a.confidential or $3)
    order by a.opened_at desc, a.ticket_id desc limit $5) n cross join lateral (select m.ticket_id, m.words from ticket_search m where m.ticket_id = n.ticket_id offset 0) s where s.words @@ $1';
  ranked constant text := 'with h as materialized (%s limit $5) select (select count(*) from h), array_agg(x.ticket_id), array_agg(x.rank) from (
    select h.ticket_id, ts_rank(h.words, $1) as rank from h join ticket_access a on a.agency_id = $2 and a.ticket_id = h.ticket_id and (not a.confidential or $3)
    order by 2 desc, 1 desc limit $4) x';
  exact tsquery := replace(query::text, ':*', '')::tsquery;
  span bigint := (extract(epoch from now()) * 1000)::bigint >> 30;
  plan json;
  n bigint;
  ids uuid[];
  ranks real[];
begin
  if actor_kind() = 'system' then
    return query execute
      'select s.ticket_id, ts_rank(s.words, $1) from ticket_search s where s.words @@ $1 order by 2 desc, 1 desc limit $2' using query, result_limit;
    return;
  elsif actor_kind() <> 'staff' or agency is null then
    return;
  end if;
  <<search>> begin
    execute format('explain (format json) select from ticket_search m where m.words @@ %L::tsquery%s', query, case when desk then '' else format(' and m.keys @> array[%L::uuid]', agency) end) into plan;
    if (plan -> 0 -> 'Plan' ->> 'Plan Rows')::numeric <= candidates then
      execute format(ranked, hits || own) into n, ids, ranks using query, agency, cleared, result_limit, candidates / 2 + 1;
      exit search when n <= candidates / 2;
    end if;
    execute format(ranked, newest) into n, ids, ranks using query, agency, cleared, result_limit, candidates;
    exit search when cardinality(ids) >= page;
    foreach n in array array[2, 8] loop
      execute format(ranked, hits || format(' and m.keys && %L::uuid[]', (select array_agg(search_span(to_timestamp(((span - i) << 30) / 1000.0))) from generate_series(0, n - 1) i)) || own)
        into n, ids, ranks using exact, agency, cleared, result_limit, bound;
      exit search when cardinality(ids) >= page;
    end loop;
    execute format(ranked, hits || own) into n, ids, ranks using exact, agency, cleared, result_limit, bound;
    exit search when cardinality(ids) >= page or exact::text = query::text; -- = takes no notice of the beginnings
    -- A word that is very frequent as it stands is meant as it stands: to collect all that begin with it would take longer than a search may.
    execute format('explain (format json) select from ticket_search m where m.words @@ %L::tsquery', substring(query::text from $r$('[^']*'):\*$r$)) into plan;
    exit search when (plan -> 0 -> 'Plan' ->> 'Plan Rows')::numeric > 10 * bound;
    execute format(ranked, hits || own) into n, ids, ranks using query, agency, cleared, result_limit, bound;
  end;
  return query select * from unnest(ids, ranks);
end $$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
create or replace function search_tickets(query tsquery, candidates int, result_limit int)
returns table (ticket_id uuid, rank real) language plpgsql volatile security definer -- volatile: explain is refused otherwise
set search_path = public set enable_seqscan = off set enable_bitmapscan = on set enable_hashjoin = off set enable_mergejoin = off set max_parallel_workers_per_gather = 0 set work_mem = '16MB' as $$
declare
  page constant int := 25;
  bound constant int := 20000;
  agency uuid := actor_agency();
  cleared boolean := actor_cleared();
  desk boolean := actor_desk();
  hits text := 'select m.ticket_id, m.words from ticket_search m where m.words @@ $1' || case when desk then '' else ' and m.keys @> array[$2]' end;
  -- A look for each of them, behind a fence: the planner would else look for the words first.
  newest constant text := 'select s.ticket_id, s.words from (select a.ticket_id from ticket_access a where a.agency_id = $2 and (not a.confidential or $3)
    order by a.opened_at desc, a.ticket_id desc limit $5) n cross join lateral (select m.ticket_id, m.words from ticket_search m where m.ticket_id = n.ticket_id offset 0) s where s.words @@ $1';
  ranked constant text := 'with h as materialized (%s limit $5) select (select count(*) from h), array_agg(x.ticket_id), array_agg(x.rank) from (
    select h.ticket_id, ts_rank(h.words, $1) as rank from h join ticket_access a on a.agency_id = $2 and a.ticket_id = h.ticket_id and (not a.confidential or $3)
    order by 2 desc, 1 desc limit $4) x';
  exact tsquery := replace(query::text, ':*', '')::tsquery;
  span bigint := (extract(epoch from now()) * 1000)::bigint >> 30;
  plan json;
  n bigint;
  ids uuid[];
  ranks real[];
begin
  if actor_kind() = 'system' then
    return query execute
      'select s.ticket_id, ts_rank(s.words, $1) from ticket_search s where s.words @@ $1 order by 2 desc, 1 desc limit $2' using query, result_limit;
    return;
  elsif actor_kind() <> 'staff' or agency is null then
    return;
  end if;
  <<search>> begin
    execute format('explain (format json) select from ticket_search m where m.words @@ %L::tsquery%s', query, case when desk then '' else format(' and m.keys @> array[%L::uuid]', agency) end) into plan;
    if (plan -> 0 -> 'Plan' ->> 'Plan Rows')::numeric <= candidates then
      execute format(ranked, hits) into n, ids, ranks using query, agency, cleared, result_limit, candidates / 2 + 1;
      exit search when n <= candidates / 2;
    end if;
    execute format(ranked, newest) into n, ids, ranks using query, agency, cleared, result_limit, candidates;
    exit search when cardinality(ids) >= page;
    foreach n in array array[2, 8] loop
      execute format(ranked, hits || format(' and m.keys && %L::uuid[]', (select array_agg(search_span(to_timestamp(((span - i) << 30) / 1000.0))) from generate_series(0, n - 1) i)))
        into n, ids, ranks using exact, agency, cleared, result_limit, bound;
      exit search when cardinality(ids) >= page;
    end loop;
    execute format(ranked, hits) into n, ids, ranks using exact, agency, cleared, result_limit, bound;
    exit search when cardinality(ids) >= page or exact::text = query::text; -- = takes no notice of the beginnings
    -- A word that is very frequent as it stands is meant as it stands: to collect all that begin with it would take longer than a search may.
    execute format('explain (format json) select from ticket_search m where m.words @@ %L::tsquery', substring(query::text from $r$('[^']*'):\*$r$)) into plan;
    exit search when (plan -> 0 -> 'Plan' ->> 'Plan Rows')::numeric > 10 * bound;
    execute format(ranked, hits) into n, ids, ranks using query, agency, cleared, result_limit, bound;
  end;
  return query select * from unnest(ids, ranks);
end $$;
-- +goose StatementEnd
