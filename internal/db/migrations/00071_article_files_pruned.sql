-- +goose Up
-- A file that was taken out of a draft which was never published is named by no version any more. It is noticed (unnamed_since), given up after a
-- grace time (given_up_at), its bytes are removed from the file store, and its row last: whoever goes on after a crash finds the row.
alter table article_files add unnamed_since timestamptz, add given_up_at timestamptz;
create index article_files_unnamed on article_files (unnamed_since) where unnamed_since is not null;

-- +goose Down
drop index article_files_unnamed;
alter table article_files drop unnamed_since, drop given_up_at;
