-- +goose Up
-- What a failure says about the address it went to: nothing that lasts (a telephone that is off, a full mailbox, a server of ours), perhaps something
-- (the second such failure in a row counts), or that nothing will ever reach it. What failed before was taken for the last, whatever it was.
alter table deliveries add column blames text not null default '' check (blames in ('', 'doubt', 'gone'));
update deliveries set blames = 'gone' where state = 'failed';

-- +goose Down
alter table deliveries drop column blames;
