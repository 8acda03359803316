"""What the database says about itself, read as the app role for every answer anew."""

import asyncio
from typing import Any

import msgspec
from asyncpg.exceptions import InterfaceError

from market import migrations
from market.database import DB, UNREACHABLE
from market.errors import Fault, MarketError
from market.observation.errors import NotReady
from market.observation.measures import VERSION
from market.problems import known_problems
from market.sealing import ServerCustodian
from market.settings import Settings
from market.status.errors import NoSuchProblem
from market.status.rules import Facts, Setting, lines_of
from market.status.schemas import Health, Mark, ProblemKind, Status
from market.vault import Vault

_PATIENCE = 1.0  # seconds in which a database that can serve answers

_FACTS = """
SELECT (SELECT kind FROM installation) AS environment,
    current_setting('server_version') AS server_version,
    current_setting('fsync') = 'on' AS fsync,
    current_setting('full_page_writes') = 'on' AS full_page_writes,
    current_setting('synchronous_commit') AS synchronous_commit,
    current_setting('synchronous_standby_names') AS synchronous_standbys,
    current_setting('data_checksums') = 'on' AS checksums,
    (SELECT count(*) FROM own_trigger) AS triggers,
    ARRAY(SELECT tgname::text FROM own_trigger WHERE tgenabled <> 'A' ORDER BY 1)
        AS triggers_not_always,
    (SELECT count(*) FROM own_table) AS tables,
    (SELECT count(DISTINCT tgrelid) FROM own_trigger) AS tables_with_trigger,
    ARRAY(SELECT relname::text FROM own_table t
        WHERE NOT EXISTS (SELECT 1 FROM own_trigger g WHERE g.tgrelid = t.oid)
        AND (has_any_column_privilege(role.oid, t.oid, 'UPDATE')
            OR has_table_privilege(role.oid, t.oid, 'DELETE,TRUNCATE')) ORDER BY 1)
        AS open_tables,
    ARRAY(SELECT relname::text FROM own_table WHERE relrowsecurity ORDER BY 1)
        AS row_security_tables,
    (SELECT evtenabled::text FROM pg_event_trigger WHERE evtname = 'guards_stay') AS event_trigger,
    owner.rolname::text AS owner,
    owner.rolcanlogin AS owner_can_log_in,
    ARRAY(SELECT p.proname::text FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef
        AND (pg_get_userbyid(p.proowner) <> 'market_guard'
            AND has_function_privilege(role.oid, p.oid, 'EXECUTE')
            OR NOT coalesce(p.proconfig::text LIKE '%search_path=%', false)) ORDER BY 1)
        AS definers_not_guards,
    role.rolname::text AS role,
    role.rolsuper AS role_is_superuser,
    role.rolbypassrls AS role_bypasses_row_security,
    pg_has_role(role.oid, owner.oid, 'MEMBER') AS role_is_owner,
    (SELECT shift FROM market_clock) AS clock_shift,
    (SELECT extract(epoch FROM clock_timestamp() - passed_at)::float8 FROM sequencer)
        AS numbered_ago,
    (SELECT coalesce(max(size), 0) FROM checkpoint) AS signed_size,
    (SELECT max(done_at) FROM key_act WHERE act = 'backup') AS keys_backed_up_at,
    (SELECT keys FROM key_act WHERE act = 'backup' ORDER BY done_at DESC LIMIT 1) AS keys_backed_up,
    (SELECT max(done_at) FROM key_act WHERE act = 'rehearsal') AS rehearsed_at,
    (SELECT failed FROM key_act WHERE act = 'rehearsal' ORDER BY done_at DESC LIMIT 1)
        AS rehearsal_failed,
    market_now() AS now,
    mail.overdue AS mails_overdue,
    mail.failed AS mails_failed,
    mail.given_up AS notices_given_up
FROM pg_roles role
JOIN pg_roles owner
    ON owner.oid = (SELECT relowner FROM pg_class WHERE oid = 'public.installation'::regclass)
CROSS JOIN mail_standing() mail
WHERE role.rolname = current_user
"""

# `migration` is Piccolo's own list of what has run: only migrations write it
_WITH = """
WITH own_table AS (
    SELECT oid, relname, relrowsecurity FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname <> 'migration'
), own_trigger AS (
    SELECT g.tgrelid, g.tgname, g.tgenabled FROM pg_trigger g
    JOIN own_table t ON t.oid = g.tgrelid WHERE NOT g.tgisinternal
)
"""


def health() -> Health:
    """Say that the process lives, and which version it is."""
    return Health(status="alive", version=VERSION)


async def ensure_ready(vault: object) -> Health:
    """Say that the market can serve.

    Raises:
        NotReady: with what is missing: the database does not answer within a second, migrations
            have not run, or the vault is not open.
    """
    faults: list[Fault] = []
    try:
        async with asyncio.timeout(_PATIENCE):
            pending = await _pending()
    except UNREACHABLE:
        faults.append(
            Fault(field="database", reason="The database does not answer within a second.")
        )
    else:
        if pending:
            reason = f"{len(pending)} migrations have not run. Say `market migrate`."
            faults.append(Fault(field="migrations", reason=reason))
    if not isinstance(vault, Vault):
        faults.append(Fault(field="vault", reason="The vault is not open."))
    if faults:
        raise NotReady(faults[0].reason, faults=faults)
    return Health(status="ready", version=VERSION)


async def _pending() -> list[str]:
    if DB.pool is None:
        message = "The pool is not open."
        raise InterfaceError(message)
    async with DB.pool.acquire() as connection:
        return await migrations.pending(connection)


async def status(settings: Settings, vault: Vault, *, serving: bool = True) -> Status:
    """Compute every line of the status page; `serving` where a market runs, and so must a worker.

    Raises:
        NotReady: the database does not answer.
    """
    try:
        async with asyncio.timeout(_PATIENCE * 3):
            facts = await _facts()
            pending = await _pending()
    except UNREACHABLE as error:
        reason = "The database does not answer, so nothing can be said about it."
        raise NotReady(reason, faults=[Fault(field="database", reason=reason)]) from error
    setting = Setting(
        embedded=settings.embedded,
        custodian="server" if isinstance(vault.custodian, ServerCustodian) else "unknown",
        signing_key=vault.signing_key.key_id,
        keys=1 + len(vault.retired_signing_keys) + _wrapping_keys(vault),
        pending=pending,
        identity_provider=settings.oidc_issuer,
        time_stamps=settings.timestamp_url,
        serving=serving,
        sends_mail=settings.sends_mail,
    )
    lines = lines_of(facts, setting)
    return Status(
        environment=facts.environment,
        version=VERSION,
        complete=all(line.mark is not Mark.MISSING for line in lines),
        lines=lines,
    )


def _wrapping_keys(vault: Vault) -> int:
    return len(vault.custodian.key_ids) if isinstance(vault.custodian, ServerCustodian) else 0


async def _facts() -> Facts:
    if DB.pool is None:
        message = "The pool is not open."
        raise InterfaceError(message)
    row: Any = await DB.pool.fetchrow(_WITH + _FACTS)
    return msgspec.convert(dict(row), Facts)


def problem_kinds() -> list[ProblemKind]:
    """Every kind of refusal the market can give, by name."""
    return [_kind(kind) for kind in known_problems()]


def problem_kind(slug: str) -> ProblemKind:
    """One kind of refusal.

    Raises:
        NoSuchProblem: the market has none of that name.
    """
    for kind in known_problems():
        if kind.slug() == slug:
            return _kind(kind)
    raise NoSuchProblem


def _kind(kind: type[MarketError]) -> ProblemKind:
    meaning = " ".join((kind.__doc__ or kind.title).split())
    return ProblemKind(
        type=f"/problems/{kind.slug()}", status=kind.status, title=kind.title, meaning=meaning
    )
