"""From what was found in the database to what it means: pure, so that every line can be tested."""

from datetime import datetime, timedelta

import msgspec

from market.status.schemas import Mark, StatusLine

_LATE = 60.0
"""After how many seconds without a sign of the worker it is missing."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the catalogue and settings of the database say, as the app role sees them."""

    environment: str
    server_version: str
    fsync: bool
    full_page_writes: bool
    synchronous_commit: str
    synchronous_standbys: str
    checksums: bool
    triggers: int
    triggers_not_always: list[str]
    tables: int
    tables_with_trigger: int
    open_tables: list[str]
    row_security_tables: list[str]
    event_trigger: str | None
    owner: str
    owner_can_log_in: bool
    definers_not_guards: list[str]
    role: str
    role_is_superuser: bool
    role_bypasses_row_security: bool
    role_is_owner: bool
    clock_shift: timedelta
    numbered_ago: float
    signed_size: int
    keys_backed_up_at: datetime | None = None
    keys_backed_up: int | None = None
    rehearsed_at: datetime | None = None
    rehearsal_failed: int | None = None
    now: datetime | None = None
    mails_overdue: int = 0
    mails_failed: int = 0
    notices_given_up: int = 0


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What this process was started with."""

    embedded: bool
    custodian: str
    signing_key: str
    pending: list[str]
    keys: int = 0
    identity_provider: str | None = None
    time_stamps: str | None = None
    serving: bool = True
    sends_mail: bool = False
    documents_in_bucket: bool = False
    scanner: str | None = None


def _line(name: str, *, good: bool, found: str, kept: str, lost: str) -> StatusLine:
    return StatusLine(
        name=name,
        found=found,
        mark=Mark.GOOD if good else Mark.MISSING,
        meaning=kept if good else lost,
    )


def _note(name: str, found: str, meaning: str) -> StatusLine:
    return StatusLine(name=name, found=found, mark=Mark.NOTE, meaning=meaning)


def lines_of(facts: Facts, setting: Setting) -> list[StatusLine]:
    """Say each thing that was found, whether it is as it should be, and what that means."""
    return [
        *_running(facts, setting),
        *_durability(facts),
        *_guards(facts),
        *_roles(facts),
        *_log(facts, setting),
        *_custody(setting),
        *_documents(setting),
        *_tended(facts, setting),
        _mail(facts, setting),
    ]


def _running(facts: Facts, setting: Setting) -> list[StatusLine]:
    sandbox = facts.environment == "sandbox"
    where = "embedded: run by the market itself" if setting.embedded else "a server of its own"
    shifted = facts.clock_shift != timedelta(0)
    return [
        _note(
            "Environment",
            facts.environment,
            "A sandbox: nothing here binds anybody, its clock may be shifted, and its signatures"
            " say so."
            if sandbox
            else "Production: the clock is the real one and cannot be shifted.",
        ),
        _note(
            "Clock",
            f"{facts.clock_shift} ahead of real time" if shifted else "real time",
            "Deadlines are decided by the shifted clock." if shifted else "Deadlines are real.",
        ),
        _note(
            "Database",
            f"PostgreSQL {facts.server_version}, {where}",
            "Good for trying out and for a single machine; production uses a server with a standby."
            if setting.embedded
            else "Availability and backups are that server's.",
        ),
        _line(
            "Migrations",
            good=not setting.pending,
            found="all have run" if not setting.pending else f"missing: {_some(setting.pending)}",
            kept="The schema is the one this version was written for.",
            lost="The database is behind this version: say `market migrate`.",
        ),
    ]


def _durability(facts: Facts) -> list[StatusLine]:
    safe = facts.fsync and facts.full_page_writes and facts.synchronous_commit != "off"
    return [
        _line(
            "Durable commits",
            good=safe,
            found=f"fsync {_on(facts.fsync)}, full_page_writes {_on(facts.full_page_writes)},"
            f" synchronous_commit {facts.synchronous_commit}",
            kept="What was answered is on disk and survives a loss of power.",
            lost="An acknowledged bid can be lost with the power: switch these on.",
        ),
        _line(
            "Checksums",
            good=facts.checksums,
            found=_on(facts.checksums),
            kept="Damage on disk is noticed when it is read.",
            lost="Damage on disk can go unnoticed: enable checksums with pg_checksums.",
        ),
        _note(
            "Synchronous standby",
            facts.synchronous_standbys or "none",
            "What was answered is on another machine too."
            if facts.synchronous_standbys
            else "What was answered is on one machine only: its loss loses what was not backed up.",
        ),
    ]


def _guards(facts: Facts) -> list[StatusLine]:
    switchable, bare = facts.triggers_not_always, facts.open_tables
    return [
        _line(
            "Guards",
            good=facts.triggers > 0 and not switchable,
            found=f"{facts.triggers} triggers, all always enabled"
            if not switchable
            else f"can be switched off: {_some(switchable)}",
            kept="Nothing that writes here, replication and administrators included, passes them.",
            lost="A session can switch these guards off by session_replication_role.",
        ),
        _line(
            "Tables under guard",
            good=not bare,
            found=f"{facts.tables_with_trigger} of {facts.tables} by triggers, the rest by grants"
            if not bare
            else f"neither by triggers nor by grants: {_some(bare)}",
            kept="Every table keeps its promises in the database itself.",
            lost="These tables can be changed without a trace.",
        ),
        _line(
            "Guards against switching off",
            good=facts.event_trigger == "A",
            found={"A": "present, always enabled", None: "missing"}.get(
                facts.event_trigger, "can be switched off"
            ),
            kept="Outside a migration nobody alters tables, triggers or functions by mistake.",
            lost="The owner or a superuser can drop a guard by mistake. Event triggers need a"
            " superuser once; some hostings give none, and the record's checkpoints must do.",
        ),
        _line(
            "Guard functions",
            good=not facts.definers_not_guards,
            found="all pinned, and run as market_guard"
            if not facts.definers_not_guards
            else f"others: {_some(facts.definers_not_guards)}",
            kept="They see what row-level security hides, and can be misled by no search path.",
            lost="These functions run with rights or a search path that were not meant for them.",
        ),
        _line(
            "Row-level security",
            good=bool(facts.row_security_tables),
            found=f"on {len(facts.row_security_tables)} tables",
            kept=f"Rows of others stay unseen in: {', '.join(facts.row_security_tables)}.",
            lost="Nothing but the market's own queries keeps a bidder's rows from others.",
        ),
    ]


def _roles(facts: Facts) -> list[StatusLine]:
    mighty = [
        word
        for word, holds in (
            ("superuser", facts.role_is_superuser),
            ("BYPASSRLS", facts.role_bypasses_row_security),
            (f"member of {facts.owner}", facts.role_is_owner),
        )
        if holds
    ]
    return [
        _line(
            "Owner of the schema",
            good=not facts.owner_can_log_in,
            found=f"{facts.owner}, {'can' if facts.owner_can_log_in else 'cannot'} log in",
            kept="Nobody acts as the owner but a migration.",
            lost="Who logs in as the owner can change the schema and its guards.",
        ),
        _line(
            "Role of the API",
            good=not mighty,
            found=facts.role + (f": {', '.join(mighty)}" if mighty else ", no more than it needs"),
            kept="Grants by column, and row-level security, bind the API.",
            lost="The API's role can do what no request should: use market_app.",
        ),
    ]


def _log(facts: Facts, setting: Setting) -> list[StatusLine]:
    late = facts.numbered_ago > _LATE
    worker = _line(
        "Worker",
        good=not late,
        found=f"at work {facts.numbered_ago:.1f} seconds ago"
        if not late
        else f"not seen for {timedelta(seconds=int(facts.numbered_ago))}",
        kept="What happens is numbered, hashed and signed, and what is due is delivered.",
        lost="Nothing is numbered, signed, delivered or sent: say `market worker`.",
    )
    return [
        worker
        if setting.serving
        else _note(worker.name, worker.found, "It runs beside a market that is served."),
        _note(
            "Log",
            f"{facts.signed_size} events under the newest signed checkpoint",
            "Whoever keeps a checkpoint can prove later that nothing before it was changed.",
        ),
        _note(
            "Time stamps",
            setting.time_stamps or "off",
            "This authority says when a checkpoint was there (RFC 3161)."
            if setting.time_stamps
            else "Nobody outside says when a checkpoint was there. To switch it on, set"
            " MARKET_TIMESTAMP_URL.",
        ),
    ]


def _custody(setting: Setting) -> list[StatusLine]:
    return [
        _note(
            "Custody of sealing keys",
            setting.custodian,
            "Bids are safe from who reads the database, its backups or its standby; not from who"
            " holds both the running process and the key-encryption key. A tender may be published"
            " with its keys kept by officers instead: then from them too.",
        ),
        _note(
            "Signing key",
            setting.signing_key,
            "Receipts and notices are signed with it; compare it with what you were given.",
        ),
        _note(
            "Single sign-on",
            setting.identity_provider or "off",
            "People sign in by this OpenID provider too; who they are here is theirs to link."
            if setting.identity_provider
            else "People sign in by password. To switch it on, set MARKET_OIDC_ISSUER.",
        ),
    ]


def _documents(setting: Setting) -> list[StatusLine]:
    return [
        _note(
            "Store of documents",
            "an S3-compatible bucket" if setting.documents_in_bucket else "a folder",
            "Sealed parts are as safe as the bucket is; back it up with the database."
            if setting.documents_in_bucket
            else "Sealed parts are on the disk of this machine, or of what the folder is shared"
            " from: every process must reach it. Back it up with the database.",
        ),
        _note(
            "Scanner for malware",
            "ClamAV" if setting.scanner else "off",
            "Documents are scanned before they are sealed; what came sealed, after the opening."
            if setting.scanner
            else "Documents are not scanned. To switch it on, set MARKET_SCANNER_ADDRESS.",
        ),
    ]


def _tended(facts: Facts, setting: Setting) -> list[StatusLine]:
    """Whether the keys are backed up and rehearsed: in production both must be."""
    production = facts.environment == "production"
    stale = facts.keys_backed_up is not None and facts.keys_backed_up != setting.keys
    backed_up = _line(
        "Backup of the keys",
        good=facts.keys_backed_up_at is not None and not stale,
        found=f"{_age(facts.keys_backed_up_at, facts.now)}"
        + (", before the keys changed" if stale else ""),
        kept="With it and a backup of the database every bid opens. Keep the two apart.",
        lost="Without these keys no bid opens and no key of this market can be made again: say"
        " `market keys backup --to FILE`.",
    )
    failed = facts.rehearsal_failed or 0
    rehearsed = _line(
        "Rehearsal of the opening",
        good=facts.rehearsed_at is not None and not failed,
        found=_age(facts.rehearsed_at, facts.now)
        + (f", {failed} keys could not be used" if failed else ""),
        kept="Every key that this server keeps opened its canary then.",
        lost="Nobody knows whether every key can be used: say `market keys rehearse`.",
    )
    return [
        line if production or failed or stale else _note(line.name, line.found, line.meaning)
        for line in (backed_up, rehearsed)
    ]


def _age(then: datetime | None, now: datetime | None) -> str:
    if then is None or now is None:
        return "never"
    days = max((now - then).days, 0)
    return {0: "today", 1: "yesterday"}.get(days, f"{days} days ago")


def _mail(facts: Facts, setting: Setting) -> StatusLine:
    """Whether notices get out. Only overdue ones are told of, and of numbers only their size.

    Anybody reads this. Exact numbers of what waits would tell, by being polled, that a bid has
    just arrived and its bidder is about to be told.
    """
    if not setting.sends_mail:
        return _note(
            "E-mail notices",
            "off",
            "Notices are in everybody's list and are not mailed. To switch mail on, set"
            " MARKET_SMTP_HOST and MARKET_MAIL_FROM.",
        )
    return _line(
        "E-mail notices",
        good=not facts.mails_overdue and not facts.notices_given_up,
        found=f"on; waiting for over fifteen minutes: {_size(facts.mails_overdue)}; failed within a"
        f" week: {_size(facts.mails_failed)}; not made for a fault of their kind:"
        f" {_size(facts.notices_given_up)}",
        kept="What people are told goes out at once, or in their digest.",
        lost="Mails do not get out, or a kind of notice is at fault: see the worker's log, and the"
        " columns last_error of notice and notice_fault.",
    )


def _size(number: int) -> str:
    for bound, word in ((0, "none"), (9, "under ten"), (99, "under a hundred")):
        if number <= bound:
            return word
    return "a hundred or more"


def _on(value: bool) -> str:  # noqa: FBT001  # it says the value
    return "on" if value else "off"


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"  # noqa: PLR2004  # a line holds five
