"""What the environment may say: one frozen struct, strict about what it does not know."""

import base64
import binascii
import os
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from market.document_settings import ensure_document_settings
from market.web_addresses import is_local, is_protected

PREFIX = "MARKET_"
_HIGHEST_PORT = 65535
_GREATEST_SKEW = 300
_LONGEST_WAIT = 30
_LONGEST_CHECKPOINT_INTERVAL = 60
_LONGEST_TOKEN_LIFETIME = 600
_LONGEST_RETRY_SPAN = 14 * 86400
_MOST_DELIVERIES = 256
_LONGEST_LEASE = 600
_MOST_WAITERS = 10_000
_FEED_SECONDS = {"feed_heartbeat": 60, "feed_stream_lifetime": 3600, "feed_session_check": 60}
_SHORTEST_INTERRUPTION = 6
_LONGEST_TOLERATED = 600
_LONGEST_SMTP_TIMEOUT = 120
_MOST_MAILS = 60_000
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|[0-9A-Fa-f:.]{2,45}")
# plain on purpose: it is the market's own address, in headers and on the way to the server
_MAIL_ADDRESS = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])")
_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_AT = re.compile(r"^(?P<reason>.*?) - at `\$\.(?P<name>\w+)`$", re.DOTALL)


class Environment(StrEnum):
    """What a database is for; written once when it is initialised."""

    SANDBOX = "sandbox"
    PRODUCTION = "production"


class MailSecurity(StrEnum):
    """How the way to the mail server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class BadSettings(ValueError):
    """The environment says something the market does not understand."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every setting, its default, and nothing read from anywhere else.

    Durations are seconds, sizes bytes. Secrets are base64 and never shown by `repr`.
    """

    environment: Environment = Environment.SANDBOX
    home: str = ".market"
    name: str = "market.example"
    database_url: str | None = None
    migration_url: str | None = None
    worker_url: str | None = None
    postgres_programs: str | None = None
    key_encryption_keys: str | None = None
    signing_key: str | None = None
    key_pepper: str | None = None
    keys_passphrase_file: str | None = None
    public_url: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    # All are opened at the start: PostgreSQL works some 50 ms until a new one is as fast as others.
    # With more of them it works more for each request, and a process has but one core.
    pool_minimum: int = 5
    pool_maximum: int = 5
    statement_timeout: float = 15.0
    lock_timeout: float = 5.0
    session_lifetime: int = 8 * 3600
    invitation_lifetime: int = 7 * 24 * 3600
    concurrent_sign_ins: int = 2
    body_limit: int = 2 * 1024 * 1024
    ownership_body_limit: int = 8 * 1024 * 1024
    ownership_file_limit: int = 64 * 1024 * 1024
    requests_per_minute: int = 6000
    credential_requests_per_minute: int = 600
    tender_requests_per_minute: int = 3000
    requests_at_once: int = 64
    kept_for_submissions: int = 16
    # how many seconds without any API process are an interruption, which may extend a tender
    interruption_after: int = 30
    token_lifetime: int = 600
    sign_ins_per_minute: int = 60
    refusals_per_minute: int = 60
    # the change feed: how many requests of a process, and of one reader, wait for events at a time
    feed_waiters: int = 500
    feed_waiters_each: int = 20
    feed_heartbeat: float = 15.0
    feed_stream_lifetime: float = 600.0
    feed_session_check: float = 60.0
    log_level: str = "INFO"
    checkpoint_interval: int = 60
    timestamp_url: str | None = None
    timestamp_roots: str | None = None
    timestamp_interval: int = 3600
    # single sign-on (OpenID Connect): on where issuer, client_id and redirect_uri are set
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: str | None = None
    oidc_redirect_uri: str | None = None
    oidc_scopes: str = "openid profile email"
    oidc_clock_skew: int = 60
    oidc_timeout: float = 5.0
    # webhooks: how the worker delivers. Private targets are this machine and private networks.
    webhook_private_targets: bool = False
    webhook_timeout: float = 10.0
    webhook_lease: float = 60.0
    webhook_first_retry: float = 10.0
    webhook_retry_span: float = 3 * 86400.0
    webhook_deliveries_at_once: int = 32
    # e-mail notices: on where smtp_host and mail_from are set
    smtp_host: str | None = None
    smtp_port: int = 587
    smtp_security: MailSecurity = MailSecurity.STARTTLS
    smtp_user: str | None = None
    smtp_password: str | None = None
    smtp_authorities: str | None = None
    smtp_timeout: float = 30.0
    mail_from: str | None = None
    mails_per_minute: int = 300
    digest_hour: int = 7
    reminder_interval: float = 60.0
    # documents of bids: where they are kept, how large they may be, who looks for malware
    documents_folder: str | None = None
    documents_bucket: str | None = None
    documents_endpoint: str | None = None
    documents_region: str = "us-east-1"
    documents_access_key: str | None = None
    documents_secret_key: str | None = None
    document_sending_limit: int = 8 * 1024 * 1024
    document_limit: int = 100 * 1024 * 1024
    bid_documents_limit: int = 500 * 1024 * 1024
    tender_documents_limit: int = 2 * 1024 * 1024 * 1024
    unused_documents_days: int = 30
    scanner_address: str | None = None
    scanner_timeout: float = 60.0

    @property
    def folder(self) -> Path:
        """The folder for what the market keeps beside its database."""
        return Path(self.home).absolute()

    @property
    def embedded(self) -> bool:
        """True where the market runs its own PostgreSQL."""
        return self.database_url is None

    @property
    def sends_mail(self) -> bool:
        """True where a mail server is set for notices."""
        return self.smtp_host is not None

    @property
    def issuer(self) -> str:
        """Where others reach this market, which is also what it calls itself to their systems."""
        if self.public_url is not None:
            return self.public_url
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def __repr__(self) -> str:
        """Name the settings without their secrets."""
        return f"Settings(environment={self.environment.value!r}, home={self.home!r})"

    def __post_init__(self) -> None:
        """Refuse combinations that could not work.

        Raises:
            ValueError: with the name of the setting and what to do.
        """
        if self.database_url is None and self.migration_url is not None:
            message = (
                "MARKET_MIGRATION_URL is set without MARKET_DATABASE_URL: set both or neither."
            )
            raise ValueError(message)
        if self.database_url is None and self.worker_url is not None:
            message = "MARKET_WORKER_URL is set without MARKET_DATABASE_URL: set both or neither."
            raise ValueError(message)
        if self.environment is Environment.PRODUCTION:
            for setting in ("database_url", "key_encryption_keys", "signing_key"):
                if getattr(self, setting) is None:
                    message = f"{PREFIX}{setting.upper()} must be set in production."
                    raise ValueError(message)
        if not 0 <= self.port <= _HIGHEST_PORT:
            message = f"MARKET_PORT must be from 0 to {_HIGHEST_PORT}."
            raise ValueError(message)
        if self.log_level not in _LOG_LEVELS:
            message = (
                f"MARKET_LOG_LEVEL must be {', '.join(_LOG_LEVELS[:-1])} or {_LOG_LEVELS[-1]}."
            )
            raise ValueError(message)
        if not 1 <= self.pool_minimum <= self.pool_maximum:
            message = "MARKET_POOL_MINIMUM must be at least 1 and at most MARKET_POOL_MAXIMUM."
            raise ValueError(message)
        self._ensure_single_sign_on()
        self._ensure_bounds()
        self._ensure_webhooks()
        self._ensure_public_url()
        self._ensure_log()
        self._ensure_mail()
        ensure_document_settings(self, production=self.environment is Environment.PRODUCTION)

    def _ensure_single_sign_on(self) -> None:
        """Refuse an identity provider that is named in part, or that secrets must not go to."""
        needed = ("oidc_issuer", "oidc_client_id", "oidc_redirect_uri")
        given = [name for name in needed if getattr(self, name) is not None]
        if (given and len(given) < len(needed)) or (self.oidc_client_secret and not given):
            names = ", ".join(PREFIX + name.upper() for name in needed)
            message = f"Single sign-on needs {names}: set all of them or none."
            raise ValueError(message)
        for name in ("oidc_issuer", "oidc_redirect_uri"):
            address = getattr(self, name)
            if address is not None and not is_protected(address):
                message = (
                    f"{PREFIX}{name.upper()} must be an https address (http only on this machine)."
                )
                raise ValueError(message)
        if self.oidc_issuer is not None and "?" in self.oidc_issuer:
            message = "MARKET_OIDC_ISSUER has no query: give it as the provider gives it."
            raise ValueError(message)
        if "openid" not in self.oidc_scopes.split(" "):
            message = "MARKET_OIDC_SCOPES must hold openid, and its scopes are parted by a space."
            raise ValueError(message)
        if not 0 <= self.oidc_clock_skew <= _GREATEST_SKEW:
            message = f"MARKET_OIDC_CLOCK_SKEW must be from 0 to {_GREATEST_SKEW} seconds."
            raise ValueError(message)
        if not 0 < self.oidc_timeout <= _LONGEST_WAIT:
            message = f"MARKET_OIDC_TIMEOUT must be above 0 and at most {_LONGEST_WAIT} seconds."
            raise ValueError(message)

    def _ensure_bounds(self) -> None:
        """Refuse limits under which nobody, or nobody but bidders, would ever be served."""
        for setting in (
            "requests_per_minute",
            "credential_requests_per_minute",
            "tender_requests_per_minute",
        ):
            if getattr(self, setting) < 1:
                message = f"{PREFIX}{setting.upper()} must be at least 1."
                raise ValueError(message)
        if not 0 <= self.kept_for_submissions < self.requests_at_once:
            message = "MARKET_KEPT_FOR_SUBMISSIONS must be from 0 to below MARKET_REQUESTS_AT_ONCE."
            raise ValueError(message)
        if not _SHORTEST_INTERRUPTION <= self.interruption_after <= _LONGEST_TOLERATED:
            message = (
                f"MARKET_INTERRUPTION_AFTER must be from {_SHORTEST_INTERRUPTION} to"
                f" {_LONGEST_TOLERATED} seconds."
            )
            raise ValueError(message)
        if not 1 <= self.feed_waiters_each <= self.feed_waiters <= _MOST_WAITERS:
            message = (
                "MARKET_FEED_WAITERS_EACH must be at least 1 and at most MARKET_FEED_WAITERS, and"
                f" that at most {_MOST_WAITERS}."
            )
            raise ValueError(message)
        for setting, longest in _FEED_SECONDS.items():
            if not 0 < getattr(self, setting) <= longest:
                message = (
                    f"{PREFIX}{setting.upper()} must be above 0 and at most {longest} seconds."
                )
                raise ValueError(message)
        if not 1 <= self.token_lifetime <= _LONGEST_TOKEN_LIFETIME:
            message = f"MARKET_TOKEN_LIFETIME must be from 1 to {_LONGEST_TOKEN_LIFETIME} seconds."
            raise ValueError(message)

    def _ensure_log(self) -> None:
        """Refuse what would leave the log unsigned for longer than is promised."""
        if not 1 <= self.checkpoint_interval <= _LONGEST_CHECKPOINT_INTERVAL:
            message = (
                "MARKET_CHECKPOINT_INTERVAL must be from 1 to"
                f" {_LONGEST_CHECKPOINT_INTERVAL} seconds: a minute is what is promised."
            )
            raise ValueError(message)
        if self.timestamp_interval < self.checkpoint_interval:
            message = "MARKET_TIMESTAMP_INTERVAL must be at least MARKET_CHECKPOINT_INTERVAL."
            raise ValueError(message)
        if (self.timestamp_url is None) != (self.timestamp_roots is None):
            message = (
                "MARKET_TIMESTAMP_URL and MARKET_TIMESTAMP_ROOTS (a PEM file of the authority's"
                " root certificates) go together: set both or neither."
            )
            raise ValueError(message)
        if self.timestamp_url is not None and not self.timestamp_url.startswith(
            ("https://", "http://")
        ):
            message = "MARKET_TIMESTAMP_URL must be an http or https address (RFC 3161)."
            raise ValueError(message)

    def _ensure_webhooks(self) -> None:
        """Refuse waits in which nothing would be delivered, or what is being delivered given on."""
        if not 0 < self.webhook_timeout <= _LONGEST_WAIT:
            message = f"MARKET_WEBHOOK_TIMEOUT must be above 0 and at most {_LONGEST_WAIT} seconds."
            raise ValueError(message)
        if not 2 * self.webhook_timeout <= self.webhook_lease <= _LONGEST_LEASE:
            message = (
                "MARKET_WEBHOOK_LEASE must be at least twice MARKET_WEBHOOK_TIMEOUT, and at most"
                f" {_LONGEST_LEASE} seconds."
            )
            raise ValueError(message)
        if not 0 < self.webhook_first_retry <= self.webhook_retry_span <= _LONGEST_RETRY_SPAN:
            message = (
                "MARKET_WEBHOOK_FIRST_RETRY must be above 0 and at most MARKET_WEBHOOK_RETRY_SPAN,"
                f" which is at most {_LONGEST_RETRY_SPAN} seconds."
            )
            raise ValueError(message)
        if not 1 <= self.webhook_deliveries_at_once <= _MOST_DELIVERIES:
            message = f"MARKET_WEBHOOK_DELIVERIES_AT_ONCE must be from 1 to {_MOST_DELIVERIES}."
            raise ValueError(message)

    def _ensure_public_url(self) -> None:
        """Refuse an address that systems could not prove themselves to (RFC 8414, section 2)."""
        if self.public_url is None:
            return
        parts = urlsplit(self.public_url)
        whole = f"{parts.scheme}://{parts.netloc}"
        schemes = {"https"} if self.environment is Environment.PRODUCTION else {"https", "http"}
        if parts.scheme not in schemes or not parts.netloc or self.public_url != whole:
            message = (
                "MARKET_PUBLIC_URL must be scheme and host alone, such as https://market.example;"
                " in production with https."
            )
            raise ValueError(message)

    def _ensure_mail(self) -> None:
        """Refuse mail that could not be sent, or that would give its password away."""
        given = self.smtp_host is not None
        if given != (self.mail_from is not None) or (self.smtp_user is not None and not given):
            message = "E-mail notices need MARKET_SMTP_HOST and MARKET_MAIL_FROM: set both or none."
            raise ValueError(message)
        if (self.smtp_user is None) != (self.smtp_password is None):
            message = "Set both MARKET_SMTP_USER and MARKET_SMTP_PASSWORD, or none of them."
            raise ValueError(message)
        if self.smtp_host is not None and not _HOST.fullmatch(self.smtp_host):
            message = "MARKET_SMTP_HOST must be the name or the address of a mail server."
            raise ValueError(message)
        if self.mail_from is not None and not _MAIL_ADDRESS.fullmatch(self.mail_from):
            message = "MARKET_MAIL_FROM must be one plain address, such as notices@market.example."
            raise ValueError(message)
        if (
            self.smtp_security is MailSecurity.NONE
            and self.smtp_user is not None
            and not is_local(f"http://{_in_address(self.smtp_host or '')}")
        ):
            message = (
                "MARKET_SMTP_PASSWORD would be sent in clear: set MARKET_SMTP_SECURITY to starttls"
                " or tls (none only for a mail server on this machine)."
            )
            raise ValueError(message)
        if self.smtp_authorities is not None and not Path(self.smtp_authorities).is_file():
            message = "MARKET_SMTP_AUTHORITIES must be a file of certificates in PEM form."
            raise ValueError(message)
        if given and self.environment is Environment.PRODUCTION and self.public_url is None:
            message = "E-mail notices need MARKET_PUBLIC_URL in production: their links lead there."
            raise ValueError(message)
        for setting, least, greatest in (
            ("smtp_port", 1, _HIGHEST_PORT),
            ("smtp_timeout", 1, _LONGEST_SMTP_TIMEOUT),
            ("mails_per_minute", 1, _MOST_MAILS),
            ("digest_hour", 0, 23),
            ("reminder_interval", 1, 3600),
        ):
            if not least <= getattr(self, setting) <= greatest:
                message = f"{PREFIX}{setting.upper()} must be from {least} to {greatest}."
                raise ValueError(message)


def _in_address(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def from_environment(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings.

    Raises:
        BadSettings: an unknown `MARKET_…` name, or a value of the wrong form.
    """
    environ = os.environ if environ is None else environ
    given = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environ.items()
        if name.startswith(PREFIX) and value != ""
    }
    if unknown := sorted(set(given) - set(Settings.__struct_fields__)):
        names = ", ".join(PREFIX + name.upper() for name in unknown)
        message = f"Unknown settings: {names}. Remove them or correct their spelling."
        raise BadSettings(message)
    try:
        return msgspec.convert(given, Settings, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        found = _AT.match(str(error))
        said = f"{PREFIX}{found['name'].upper()}: {found['reason']}" if found else str(error)
        raise BadSettings(said) from None


def decode_secret(name: str, text: str, length: int) -> bytes:
    """Decode a base64 secret of exactly `length` bytes.

    Raises:
        BadSettings: without repeating the secret.
    """
    try:
        secret = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) != length:
        message = f"{name} must be {length} bytes in base64."
        raise BadSettings(message)
    return secret
