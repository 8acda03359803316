#!/usr/bin/env bash
# Copies the primary once, then follows it. PRIMARY says where it is, NAME what this standby is called.
set -euo pipefail

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    PGPASSWORD=$REPLICATION_PASSWORD bash /backup.sh standby "$PGDATA" \
        "host=${PRIMARY:-primary} user=replicator application_name=${NAME:-standby}"
fi
exec postgres -c listen_addresses='*'
