#!/usr/bin/env bash
# Runs once, in the new primary: the roles that log in, and replication.
set -euo pipefail

psql --quiet --set ON_ERROR_STOP=1 --username postgres --dbname market \
    --set app_password="$MARKET_APP_PASSWORD" --set replication_password="$REPLICATION_PASSWORD" <<'SQL'
CREATE ROLE market_app LOGIN PASSWORD :'app_password';
CREATE ROLE replicator LOGIN REPLICATION PASSWORD :'replication_password';
-- Counts from the next start on; set earlier, this very script would wait for a standby.
ALTER SYSTEM SET synchronous_standby_names = 'standby';
SQL

echo "host replication replicator samenet scram-sha-256" >> "$PGDATA/pg_hba.conf"
