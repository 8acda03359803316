#!/usr/bin/env bash
# Runs once, in the new primary: the roles that log in, replication, and the archive.
set -euo pipefail

psql --quiet --set ON_ERROR_STOP=1 --username postgres --dbname market \
    --set app_password="$MARKET_APP_PASSWORD" --set replication_password="$REPLICATION_PASSWORD" <<'SQL'
CREATE ROLE market_app LOGIN PASSWORD :'app_password';
CREATE ROLE replicator LOGIN REPLICATION PASSWORD :'replication_password';
-- Counts from the next start on; set earlier, this very script would wait for a standby.
ALTER SYSTEM SET synchronous_standby_names = 'standby';
-- What happens after a base backup is in the archive within five minutes, in a quiet market too.
ALTER SYSTEM SET archive_mode = 'on';
ALTER SYSTEM SET archive_timeout = '5min';
ALTER SYSTEM SET archive_command = 'bash /backup.sh keep "%p" "/archive/%f"';
-- so that a former primary can follow its successor (pg_rewind)
ALTER SYSTEM SET wal_log_hints = 'on';
SQL

echo "host replication replicator samenet scram-sha-256" >> "$PGDATA/pg_hba.conf"
