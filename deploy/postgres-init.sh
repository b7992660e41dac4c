#!/bin/sh
# First start of the PostgreSQL container: the owner of the tables, the group the application belongs to, and its login.
set -eu
psql -v ON_ERROR_STOP=1 --username postgres \
  -v app="$HOTLINE_DB_PASSWORD" -v owner="$HOTLINE_DB_OWNER_PASSWORD" <<'SQL'
create role hotline_owner login password :'owner';
create role hotline_app nologin;
create role hotline login password :'app' in role hotline_app;
create database hotline owner hotline_owner;
SQL
