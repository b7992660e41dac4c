-- +goose Up
-- A year by agency, or by two dimensions, is months of these: a tenth of the rows that keep all dimensions. One of them is read where its two dimensions are enough.
alter table measure_sums drop constraint measure_sums_slice_check;
alter table measure_sums add constraint measure_sums_slice_check
  check (slice in ('all', 'agency', 'area', 'category', 'channel', 'kind', 'month', 'agency_category', 'agency_area', 'category_area'));
-- +goose StatementBegin
do $$
declare
  pair text;
  counters text := (select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute where attrelid = 'measure_sums'::regclass and attnum > 0 and not attisdropped
    and attname not in ('slice', 'period', 'agency_id', 'area', 'category', 'channel', 'kind', 'confidential'));
  sums text := (select string_agg(format('sum(%I)', attname), ', ' order by attnum) from pg_attribute where attrelid = 'measure_sums'::regclass and attnum > 0 and not attisdropped
    and attname not in ('slice', 'period', 'agency_id', 'area', 'category', 'channel', 'kind', 'confidential'));
begin
  foreach pair in array array['agency_id, category', 'agency_id, area', 'category, area'] loop
    execute format('insert into measure_sums (slice, period, %1$s, confidential, %2$s) select %3$L, period, %1$s, confidential, %4$s from measure_sums where slice = ''month'' group by period, %1$s, confidential order by period, %1$s',
      pair, counters, replace(replace(pair, '_id', ''), ', ', '_'), sums);
  end loop;
end $$;
-- +goose StatementEnd
-- Their rows of an agency, of a category and of an area, as the slice of all dimensions has them.
create index measure_sums_pair_agency on measure_sums (slice, agency_id, period) where slice in ('agency_category', 'agency_area');
create index measure_sums_pair_category on measure_sums (category, period) where slice = 'category_area';
create index measure_sums_pair_area on measure_sums (area, period) where slice in ('category_area', 'agency_area');
analyze measure_sums;

-- +goose Down
drop index measure_sums_pair_area, measure_sums_pair_category, measure_sums_pair_agency;
delete from measure_sums where slice in ('agency_category', 'agency_area', 'category_area');
alter table measure_sums drop constraint measure_sums_slice_check;
alter table measure_sums add constraint measure_sums_slice_check check (slice in ('all', 'agency', 'area', 'category', 'channel', 'kind', 'month'));
