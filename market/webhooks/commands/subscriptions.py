"""Making webhooks, replacing their secrets, pausing, resuming and ending them."""

from urllib.parse import urlsplit
from uuid import UUID, uuid4

import msgspec
from msgspec import UNSET

from market.actor import Actor
from market.command import command
from market.database import execute, fetch_one, fetch_value, reading
from market.errors import Fault, Stale
from market.events.commands import record
from market.vault import Vault
from market.webhooks import credentials
from market.webhooks.errors import (
    AlreadyPaused,
    NotForThisOrganisation,
    NotPaused,
    TargetRefused,
    TooManySecrets,
    TooManyWebhooks,
    WebhookEnded,
)
from market.webhooks.permissions import ensure_may_change, ensure_may_make, ensure_may_rotate
from market.webhooks.queries.subscriptions import webhook_facts, webhook_view
from market.webhooks.rules.subscriptions import (
    MOST_SECRETS,
    MOST_WEBHOOKS,
    WebhookEndReason,
    WebhookPauseReason,
    WebhookRequestKind,
)
from market.webhooks.rules.targets import url_fault
from market.webhooks.schemas import (
    MakeWebhook,
    RotateSecret,
    WebhookGiven,
    WebhookMade,
    WebhookView,
)

_KIND = "webhook_subscription"

_MADE = """
SELECT id, organisation, person, url, types, tender, start_after, version, made_at,
    $2::uuid AS secret_id FROM webhook_subscription WHERE id = $1
"""

_SIGNING = """
SELECT count(*) FROM webhook_secret
WHERE subscription = $1 AND (signs_until IS NULL OR signs_until > clock_timestamp())
"""


async def make_webhook(
    actor: Actor, organisation_id: UUID, given: MakeWebhook, vault: Vault, *, private: bool
) -> WebhookGiven:
    """Make a webhook that shows what the actor may see, and show its secret once.

    Nothing is delivered until the receiver has answered a challenge, which the worker sends at
    once. The secret is read again after the command, so that no stored answer holds it. `private`
    is whether the settings allow private targets.

    Raises:
        Forbidden: the actor is a system.
        NotFound: the organisation is not the one the actor acts for.
        NotForThisOrganisation: the actor is neither administrator nor bid manager of it.
        FreshSignInNeeded: the sign-in is older than fifteen minutes.
        TargetRefused: the URL is none that the market sends to.
        TooManyWebhooks: the organisation has as many as one can have.
    """
    made = await _make(actor, organisation_id, given, vault, private=private)
    return await _with_secret(actor, made, vault)


async def _with_secret(actor: Actor, made: WebhookMade, vault: Vault) -> WebhookGiven:
    async with reading(actor):
        wrapped = await fetch_value(
            "SELECT wrapped FROM webhook_secret WHERE id = $1", made.secret_id
        )
    text = None
    if wrapped is not None:
        text = credentials.written(credentials.recalled(vault, wrapped, made.secret_id, made.id))
    return WebhookGiven(**msgspec.structs.asdict(made), secret=text)


@command
async def _make(
    actor: Actor, organisation_id: UUID, given: MakeWebhook, vault: Vault, *, private: bool
) -> WebhookMade:
    ensure_may_make(actor, organisation_id)
    if (reason := url_fault(given.url, private=private)) is not None:
        raise TargetRefused(reason, faults=[Fault(field="url", reason=reason)])
    present = await fetch_value(
        "SELECT count(*) FROM webhook_subscription WHERE organisation = $1 AND ended_at IS NULL",
        organisation_id,
    )
    if present >= MOST_WEBHOOKS:
        raise TooManyWebhooks
    subscription, types = uuid4(), sorted(set(given.types))
    start = given.after
    if start is UNSET:
        start = await fetch_value("SELECT position FROM sequencer")
    await execute(
        "INSERT INTO webhook_subscription (id, organisation, person, membership, url, types,"
        " tender, start_after) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        subscription,
        organisation_id,
        actor.person,
        await _holding_membership(actor, organisation_id),
        given.url,
        types,
        given.tender,
        start,
    )
    secret = await _add_secret(vault, subscription)
    await execute(
        "INSERT INTO webhook_request (id, subscription, kind) VALUES ($1, $2, $3)",
        uuid4(),
        subscription,
        WebhookRequestKind.VERIFICATION.value,
    )
    made = await fetch_one(WebhookMade, _MADE, subscription, secret)
    if made is None:
        raise NotForThisOrganisation
    await record(
        actor,
        "webhook_subscription.made",
        _KIND,
        subscription,
        private={"host": urlsplit(made.url).hostname},  # the rest of a URL may hold a secret
        types=made.types,
        of_tender=None if made.tender is None else str(made.tender),
        start_after=made.start_after,
    )
    return made


async def _holding_membership(actor: Actor, organisation: UUID) -> UUID:
    """The membership by which somebody answers for a webhook: as bid manager where they are one.

    Raises:
        NotForThisOrganisation: there is none any more.
    """
    found = await fetch_value(
        "SELECT id FROM membership WHERE person = $1 AND organisation = $2 AND ended_at IS NULL"
        " AND role IN ('administrator', 'bid_manager') ORDER BY role DESC LIMIT 1",
        actor.person,
        organisation,
    )
    if found is None:
        raise NotForThisOrganisation
    return UUID(str(found))


async def _add_secret(vault: Vault, subscription: UUID) -> UUID:
    secret = uuid4()
    await execute(
        "INSERT INTO webhook_secret (id, subscription, wrapped) VALUES ($1, $2, $3)",
        secret,
        subscription,
        credentials.kept(vault, credentials.new_secret(), secret, subscription),
    )
    return secret


async def rotate_secret(
    actor: Actor, webhook_id: UUID, version: int, given: RotateSecret, vault: Vault
) -> WebhookGiven:
    """Replace the secret of one's own webhook at once; the former ones sign on for an overlap.

    Raises:
        Forbidden: the actor is a system.
        NotFound: no such webhook, or none that the actor may know of.
        NotYourWebhook: it is somebody else's.
        NotForThisOrganisation: the actor acts for another organisation, or has lost the role.
        FreshSignInNeeded: the sign-in is older than fifteen minutes.
        WebhookEnded: it has ended.
        TooManySecrets: several former secrets still sign.
        Stale: it was changed meanwhile.
    """
    made = await _rotate(actor, webhook_id, version, given, vault)
    return await _with_secret(actor, made, vault)


@command
async def _rotate(
    actor: Actor, webhook_id: UUID, version: int, given: RotateSecret, vault: Vault
) -> WebhookMade:
    facts = await webhook_facts(actor, webhook_id)
    ensure_may_rotate(actor, facts.organisation, facts.person)
    if facts.ended:
        raise WebhookEnded
    await _step(webhook_id, version)
    await execute(
        "UPDATE webhook_secret SET signs_until = least(signs_until, clock_timestamp()"
        " + make_interval(secs => $2)) WHERE subscription = $1"
        " AND (signs_until IS NULL OR signs_until > clock_timestamp())",
        webhook_id,
        float(given.overlap_seconds),
    )
    if await fetch_value(_SIGNING, webhook_id) >= MOST_SECRETS:
        raise TooManySecrets
    secret = await _add_secret(vault, webhook_id)
    made = await fetch_one(WebhookMade, _MADE, webhook_id, secret)
    if made is None:
        raise WebhookEnded
    await record(
        actor,
        "webhook_subscription.rotated",
        _KIND,
        webhook_id,
        overlap_seconds=given.overlap_seconds,
    )
    return made


async def _step(webhook_id: UUID, version: int) -> None:
    """Take the next version, or find that another did.

    Raises:
        Stale: it was changed meanwhile.
    """
    stepped = await execute(
        "UPDATE webhook_subscription SET version = version + 1"
        " WHERE id = $1 AND version = $2 AND ended_at IS NULL",
        webhook_id,
        version,
    )
    if not stepped:
        raise Stale


@command
async def pause_webhook(actor: Actor, webhook_id: UUID, version: int) -> WebhookView:
    """Deliver nothing more for now; what happens meanwhile waits in the log.

    Raises:
        Forbidden: the actor is a system.
        NotFound: no such webhook, or none that the actor may know of.
        WebhookEnded: it has ended.
        AlreadyPaused: it is paused.
        Stale: it was changed meanwhile.
    """
    facts = await webhook_facts(actor, webhook_id)
    if facts.ended:
        raise WebhookEnded
    if facts.paused:
        raise AlreadyPaused
    paused = await execute(
        "UPDATE webhook_subscription SET paused_at = clock_timestamp(), paused_because = $3,"
        " version = version + 1"
        " WHERE id = $1 AND version = $2 AND paused_at IS NULL AND ended_at IS NULL",
        webhook_id,
        version,
        WebhookPauseReason.BY_PERSON.value,
    )
    if not paused:
        raise Stale
    await record(
        actor,
        "webhook_subscription.paused",
        _KIND,
        webhook_id,
        because=WebhookPauseReason.BY_PERSON.value,
    )
    return await webhook_view(webhook_id)


@command
async def resume_webhook(actor: Actor, webhook_id: UUID, version: int) -> WebhookView:
    """Go on delivering where it was paused.

    Raises:
        Forbidden: the actor is a system.
        NotFound: no such webhook, or none that the actor may know of.
        NotYourWebhook: it is somebody else's.
        NotForThisOrganisation: the actor acts for another organisation, or has lost the role.
        WebhookEnded: it has ended.
        NotPaused: it is not paused.
        Stale: it was changed meanwhile.
    """
    facts = await webhook_facts(actor, webhook_id)
    ensure_may_change(actor, facts.organisation, facts.person)
    if facts.ended:
        raise WebhookEnded
    if not facts.paused:
        raise NotPaused
    resumed = await execute(
        "UPDATE webhook_subscription SET paused_at = NULL, paused_because = NULL,"
        " version = version + 1"
        " WHERE id = $1 AND version = $2 AND paused_at IS NOT NULL AND ended_at IS NULL",
        webhook_id,
        version,
    )
    if not resumed:
        raise Stale
    await record(actor, "webhook_subscription.resumed", _KIND, webhook_id)
    return await webhook_view(webhook_id)


@command
async def end_webhook(actor: Actor, webhook_id: UUID) -> None:
    """End a webhook at once and for good; ending an ended one changes nothing.

    Raises:
        Forbidden: the actor is a system.
        NotFound: no such webhook, or none that the actor may know of.
    """
    await webhook_facts(actor, webhook_id)
    await execute(
        "UPDATE webhook_subscription SET ended_at = clock_timestamp(), ended_because = $2,"
        " version = version + 1 WHERE id = $1 AND ended_at IS NULL",
        webhook_id,
        WebhookEndReason.BY_PERSON.value,
    )
    await record(
        actor,
        "webhook_subscription.ended",
        _KIND,
        webhook_id,
        because=WebhookEndReason.BY_PERSON.value,
    )
