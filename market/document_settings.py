"""What the settings of documents may be: bounds, and the store that production must name."""

import re
from typing import Final, Protocol

_MEGABYTE: Final = 1024 * 1024
LARGEST_SENDING: Final = 8 * _MEGABYTE
"""The most bytes of a document that one request may send, whatever is set."""
LARGEST_DOCUMENT: Final = 2 * 1024 * _MEGABYTE
"""The most bytes of a document, whatever is set; the database holds the same."""
_LARGEST_SUM: Final = 64 * 1024 * _MEGABYTE
_LONGEST_WAIT: Final = 600
_SCANNER = re.compile(r"unix:/\S+|\[?[A-Za-z0-9:._-]+\]?:[1-9][0-9]{0,4}")


class DocumentSettings(Protocol):
    """The settings that concern documents."""

    @property
    def documents_folder(self) -> str | None: ...
    @property
    def documents_bucket(self) -> str | None: ...
    @property
    def documents_endpoint(self) -> str | None: ...
    @property
    def documents_access_key(self) -> str | None: ...
    @property
    def documents_secret_key(self) -> str | None: ...
    @property
    def document_limit(self) -> int: ...
    @property
    def document_sending_limit(self) -> int: ...
    @property
    def bid_documents_limit(self) -> int: ...
    @property
    def tender_documents_limit(self) -> int: ...
    @property
    def unused_documents_days(self) -> int: ...
    @property
    def scanner_address(self) -> str | None: ...
    @property
    def scanner_timeout(self) -> float: ...


def ensure_document_settings(settings: DocumentSettings, *, production: bool) -> None:
    """Refuse stores that could not work, and limits under which nothing or everything fits.

    Raises:
        ValueError: with the name of the setting and what to do.
    """
    _ensure_store(settings, production=production)
    for name, least, greatest in (
        ("document_sending_limit", _MEGABYTE // 16, LARGEST_SENDING),
        ("document_limit", _MEGABYTE, LARGEST_DOCUMENT),
        ("bid_documents_limit", settings.document_limit, _LARGEST_SUM),
        ("tender_documents_limit", settings.bid_documents_limit, _LARGEST_SUM),
        ("unused_documents_days", 1, 3650),
    ):
        if not least <= getattr(settings, name) <= greatest:
            message = f"MARKET_{name.upper()} must be from {least} to {greatest}."
            raise ValueError(message)
    if settings.scanner_address is not None and not _SCANNER.fullmatch(settings.scanner_address):
        message = "MARKET_SCANNER_ADDRESS must be clamd's socket: unix:/path, or host:port."
        raise ValueError(message)
    if not 0 < settings.scanner_timeout <= _LONGEST_WAIT:
        message = f"MARKET_SCANNER_TIMEOUT must be above 0 and at most {_LONGEST_WAIT} seconds."
        raise ValueError(message)


def _ensure_store(settings: DocumentSettings, *, production: bool) -> None:
    bucket = settings.documents_bucket
    if bucket is not None and settings.documents_folder is not None:
        message = "Set MARKET_DOCUMENTS_BUCKET or MARKET_DOCUMENTS_FOLDER, not both."
        raise ValueError(message)
    if production and bucket is None and settings.documents_folder is None:
        message = (
            "In production MARKET_DOCUMENTS_BUCKET, or MARKET_DOCUMENTS_FOLDER, must be set: every"
            " process of the market, on whichever machine, must reach the same documents."
        )
        raise ValueError(message)
    keys = (settings.documents_access_key, settings.documents_secret_key)
    if (keys[0] is None) != (keys[1] is None):
        message = (
            "Set both MARKET_DOCUMENTS_ACCESS_KEY and MARKET_DOCUMENTS_SECRET_KEY, or none of them."
        )
        raise ValueError(message)
    if bucket is None and (keys[0] is not None or settings.documents_endpoint is not None):
        message = "MARKET_DOCUMENTS_ENDPOINT and keys are of a bucket: set MARKET_DOCUMENTS_BUCKET."
        raise ValueError(message)
    endpoint = settings.documents_endpoint
    if endpoint is not None and not endpoint.startswith(("https://", "http://")):
        message = "MARKET_DOCUMENTS_ENDPOINT must be an http or https address."
        raise ValueError(message)
