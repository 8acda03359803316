#!/usr/bin/env bash
# Copies the primary once, then follows it.
set -euo pipefail

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    mkdir -p -m 0700 "$PGDATA"
    PGPASSWORD=$REPLICATION_PASSWORD pg_basebackup --pgdata="$PGDATA" --write-recovery-conf \
        --checkpoint=fast --dbname="host=primary user=replicator application_name=standby"
fi

# Once promoted it is alone: it must not wait for a standby called standby.
exec postgres -c listen_addresses='*' -c synchronous_standby_names=
