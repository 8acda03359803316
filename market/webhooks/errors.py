"""Refusals about webhooks, named by their reason."""

from market.errors import Forbidden, Malformed, MarketError, TooManyRequests, WrongStage, keeps


@keeps("webhook_for_own_organisation")
class NotForThisOrganisation(Forbidden):
    """A webhook was to be made for somebody else, or without the role that answers for it."""

    title = (
        "Administrators and bid managers make webhooks, for themselves and for the organisation"
        " they act for."
    )


@keeps("webhook_of_another")
class NotYourWebhook(Forbidden):
    """Somebody tried with a webhook what is its maker's, or an administrator's, to do."""

    title = (
        "It shows what its maker may see: only they change it. An administrator of the"
        " organisation may pause or end it."
    )


@keeps("webhooks_bounded")
class TooManyWebhooks(MarketError):
    """The organisation has as many webhooks in force as it can have."""

    title = "The organisation has 20 webhooks. End one first."


class TargetRefused(Malformed):
    """The URL is none that the market sends to."""

    title = "The market does not send to this URL."


@keeps("webhook_only_ends")
class WebhookEnded(MarketError):
    """The webhook has ended, or this part of it never changes."""

    title = "This webhook has ended, or this part of it never changes. Make a new one."


class NotPaused(WrongStage):
    """A webhook was to be resumed that is not paused."""

    title = "This webhook is not paused."


class AlreadyPaused(WrongStage):
    """A webhook was to be paused that is paused."""

    title = "This webhook is paused already."


@keeps("webhook_secrets_bounded")
class TooManySecrets(MarketError):
    """Several former secrets of the webhook still sign."""

    title = (
        "Four secrets of this webhook sign at present. Wait until a former one has ended, or"
        " rotate with overlap_seconds 0."
    )


@keeps("webhook_secret_only_ends", "webhook_secret_one_current")
class SecretOnlyEnds(MarketError):
    """A secret was to be changed or brought back, or two to be the current one."""

    title = "A webhook has one current secret; a former one only ends."


@keeps("webhook_requests_bounded")
class TooManyWebhookRequests(TooManyRequests):
    """What was asked of the worker for this webhook has not been carried out yet."""

    title = "Ten verifications or replays of this webhook wait to be carried out."


@keeps("webhook_replay_of_own")
class NotReplayed(MarketError):
    """A delivery was to be replayed that is another webhook's, or waits to be delivered anyway."""

    title = "Only a delivery of this webhook that has ended is delivered again."


@keeps("webhook_verified_by_answer")
class NotVerified(MarketError):
    """A webhook was to count as verified, paused or stopped without what shows it."""

    title = "The deliveries of this webhook do not show that."
