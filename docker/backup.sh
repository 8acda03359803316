#!/usr/bin/env bash
# Copies of the database, as README.md says; `make faults` runs this very script.
#
#   backup.sh keep FILE TO                    archive_command: keep one file of the write-ahead log
#   backup.sh standby FOLDER CONNECTION       make FOLDER a standby, named by its application_name
#   backup.sh base FOLDER CONNECTION          a base backup, verified
#   backup.sh restore BACKUP ARCHIVE FOLDER POINT
#                                             make FOLDER a server that follows ARCHIVE up to POINT:
#                                             latest, the name of a restore point, or an instant
set -euo pipefail

keep() { # FILE TO: on disk before it counts, whole or not at all, and never another in its place
    if [ -e "$2" ]; then
        cmp --silent "$1" "$2"
        return
    fi
    cp "$1" "$2.unfinished.$$"
    sync "$2.unfinished.$$"
    mv --no-clobber "$2.unfinished.$$" "$2"
    sync "$(dirname "$2")"
    [ ! -e "$2.unfinished.$$" ]
}

standby() { # FOLDER CONNECTION: with PGPASSWORD set; half a copy never looks like a whole one
    rm -rf "$1.unfinished"
    mkdir -m 0700 -p "$1.unfinished"
    pg_basebackup --pgdata="$1.unfinished" --write-recovery-conf --checkpoint=fast --dbname="$2"
    # Once promoted it is alone, and waits for nobody until somebody says for whom.
    echo "synchronous_standby_names = ''" >> "$1.unfinished/postgresql.auto.conf"
    rmdir "$1" 2> /dev/null || true
    mv --no-target-directory "$1.unfinished" "$1"
}

base() { # FOLDER CONNECTION: with PGPASSWORD, or a passfile, set
    mkdir -m 0700 -p "$1"
    pg_basebackup --pgdata="$1" --wal-method=stream --checkpoint=fast --manifest-checksums=SHA256 \
        --dbname="$2"
    pg_verifybackup --quiet "$1"
}

restore() { # BACKUP ARCHIVE FOLDER POINT: the new server has its own timeline, and waits for nobody
    pg_verifybackup --quiet "$1"
    [ ! -e "$3" ] || { echo "$3 is there already" >&2; exit 1; }
    cp -a "$1" "$3"
    chmod 0700 "$3"
    {
        echo "restore_command = 'cp \"$2/%f\" \"%p\"'"
        echo "recovery_target_timeline = 'latest'"
        echo "recovery_target_action = 'promote'"
        echo "synchronous_standby_names = ''"
        case $4 in
            latest) ;;
            [0-9][0-9][0-9][0-9]-*) echo "recovery_target_time = '$4'" ;;
            *) echo "recovery_target_name = '$4'" ;;
        esac
    } >> "$3/postgresql.auto.conf"
    touch "$3/recovery.signal"
}

command=$1
shift
case $command in
    keep | standby | base | restore) "$command" "$@" ;;
    *) echo "backup.sh keep | standby | base | restore" >&2; exit 2 ;;
esac
