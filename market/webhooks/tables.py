"""Tables of webhooks: subscriptions and secrets; and the worker's books of what it delivers."""

from piccolo import columns
from piccolo.columns import OnDelete
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from market.database import DB
from market.organisations.tables import OrganisationTable
from market.people.tables import MembershipTable, PersonTable


class WebhookSubscriptionTable(Table, db=DB, tablename="webhook_subscription"):
    """Where whoever made it wants what the feed shows them; it hangs on their membership."""

    id = columns.UUID(primary_key=True)
    organisation = columns.ForeignKey(
        OrganisationTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    person = columns.ForeignKey(
        PersonTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    membership = columns.ForeignKey(
        MembershipTable, default=None, null=False, on_delete=OnDelete.restrict, index=False
    )
    url = columns.Varchar(length=2000, default=None, null=False, secret=True)
    types = columns.Array(base_column=columns.Varchar(length=80), default=None, null=False)
    tender = columns.UUID(default=None, null=True)
    start_after = columns.BigInt(default=None, null=False)
    version = columns.Integer(default=None, null=False)
    made_at = columns.Timestamptz(default=None, null=False)
    verified_at = columns.Timestamptz(default=None, null=True)
    paused_at = columns.Timestamptz(default=None, null=True)
    paused_because = columns.Varchar(length=20, default=None, null=True)
    resumed_at = columns.Timestamptz(default=None, null=True)
    ended_at = columns.Timestamptz(default=None, null=True)
    ended_because = columns.Varchar(length=20, default=None, null=True)

    webhook_subscription_bounds = Check("start_after >= 0 AND cardinality(types) <= 20")
    webhook_subscription_paused = Check(
        "(paused_at IS NULL) = (paused_because IS NULL)"
        " AND paused_because IN ('by_person', 'too_many_dead')"
    )
    webhook_subscription_ended = Check(
        "(ended_at IS NULL) = (ended_because IS NULL)"
        " AND ended_because IN ('by_person', 'membership_ended', 'receiver_gone')"
    )


class WebhookSecretTable(Table, db=DB, tablename="webhook_secret"):
    """What a subscription's deliveries are signed with, wrapped by the custodian.

    The current one signs until it is replaced, a former one as long as the overlap lasts; then its
    bytes are erased.
    """

    id = columns.UUID(primary_key=True)
    subscription = columns.ForeignKey(
        WebhookSubscriptionTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    wrapped = columns.Bytea(default=None, null=True, secret=True)
    made_at = columns.Timestamptz(default=None, null=False)
    signs_until = columns.Timestamptz(default=None, null=True)


class WebhookRequestTable(Table, db=DB, tablename="webhook_request"):
    """What somebody asked of the worker: a verification, or to deliver something again."""

    id = columns.UUID(primary_key=True)
    subscription = columns.ForeignKey(
        WebhookSubscriptionTable, default=None, null=False, on_delete=OnDelete.restrict, index=True
    )
    kind = columns.Varchar(length=20, default=None, null=False)
    delivery = columns.UUID(default=None, null=True)
    after = columns.BigInt(default=None, null=True)
    asked_by = columns.UUID(default=None, null=True)
    asked_at = columns.Timestamptz(default=None, null=False)
    done_at = columns.Timestamptz(default=None, null=True)
    reopened = columns.Integer(default=None, null=True)

    webhook_request_form = Check(
        "kind IN ('verification', 'delivery', 'dead', 'position')"
        " AND (kind = 'delivery') = (delivery IS NOT NULL)"
        " AND (kind = 'position') = (after IS NOT NULL) AND coalesce(after, 0) >= 0"
    )


# What follows are the worker's books, written by no other role. They are no events: they say how
# what is in the log was passed on, change with every attempt, and are kept for thirty days.


class WebhookCursorTable(Table, db=DB, tablename="webhook_cursor"):
    """How far in the log a subscription's events have been looked for, and how many died."""

    subscription = columns.UUID(primary_key=True, default=None)
    fanned_out_to = columns.BigInt(default=None, null=False)
    fanned_out_at = columns.Timestamptz(default=None, null=False)
    claimed_until = columns.Timestamptz(default=None, null=True)
    dead_in_a_row = columns.Integer(default=None, null=False)
    dead_at = columns.Timestamptz(default=None, null=True)


class WebhookDeliveryTable(Table, db=DB, tablename="webhook_delivery"):
    """One event for one subscription, or a challenge: its content is read when it is sent.

    Without `next_attempt_at` it waits for an earlier event of its subject. `claim` is whose it is
    at the moment, until `claimed_until`.
    """

    id = columns.UUID(primary_key=True)
    subscription = columns.ForeignKey(
        WebhookSubscriptionTable, default=None, null=False, on_delete=OnDelete.restrict, index=False
    )
    event = columns.UUID(default=None, null=False)
    position = columns.BigInt(default=None, null=False)
    type = columns.Varchar(length=80, default=None, null=False)
    subject = columns.UUID(default=None, null=False)
    made_at = columns.Timestamptz(default=None, null=False)
    attempts = columns.Integer(default=None, null=False)
    next_attempt_at = columns.Timestamptz(default=None, null=True)
    claim = columns.UUID(default=None, null=True)
    claimed_until = columns.Timestamptz(default=None, null=True)
    outcome = columns.Varchar(length=20, default=None, null=True)
    settled_at = columns.Timestamptz(default=None, null=True)

    webhook_delivery_once = Unique(["subscription", "event"])
    webhook_delivery_outcome = Check(
        "(outcome IS NULL) = (settled_at IS NULL)"
        " AND outcome IN ('delivered', 'dead', 'gone', 'withdrawn')"
    )


class WebhookAttemptTable(Table, db=DB, tablename="webhook_attempt"):
    """One attempt: when, how long it took, and the status or what failed; never a body."""

    id = columns.UUID(primary_key=True)
    delivery = columns.ForeignKey(
        WebhookDeliveryTable, default=None, null=False, on_delete=OnDelete.cascade, index=True
    )
    made_at = columns.Timestamptz(default=None, null=False)
    milliseconds = columns.Integer(default=None, null=False)
    status = columns.SmallInt(default=None, null=True)
    failure = columns.Varchar(length=200, default=None, null=True)
