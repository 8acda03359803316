import base64

import pytest

from market.settings import BadSettings, Environment, Settings, decode_secret, from_environment

PRODUCTION = {
    "MARKET_ENVIRONMENT": "production",
    "MARKET_DATABASE_URL": "postgresql://market_app:hidden@db/market",
    "MARKET_KEY_ENCRYPTION_KEYS": "one:c2VjcmV0",
    "MARKET_SIGNING_KEY": "c2VjcmV0",
    "MARKET_DOCUMENTS_FOLDER": "/shared/documents",
}


def test_without_any_setting_it_is_a_sandbox_with_its_own_database() -> None:
    settings = from_environment({"HOME": "/nowhere", "MARKET_HOST": ""})
    assert settings.environment is Environment.SANDBOX
    assert settings.embedded
    assert settings.host == "127.0.0.1"


def test_numbers_are_read_from_text() -> None:
    settings = from_environment({"MARKET_PORT": "9000", "MARKET_LOCK_TIMEOUT": "2.5"})
    assert (settings.port, settings.lock_timeout) == (9000, 2.5)


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"MARKET_PROT": "80"}, "Unknown settings: MARKET_PROT."),
        ({"MARKET_PORT": "eighty"}, "MARKET_PORT: Expected `int`"),
        ({"MARKET_PORT": "70000"}, "MARKET_PORT must be from 0 to 65535."),
        ({"MARKET_LOG_LEVEL": "LOUD"}, "MARKET_LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR."),
        ({"MARKET_ENVIRONMENT": "staging"}, "MARKET_ENVIRONMENT: Invalid enum value"),
        ({"MARKET_MIGRATION_URL": "x"}, "MARKET_MIGRATION_URL is set without MARKET_DATABASE_URL"),
        ({"MARKET_POOL_MINIMUM": "30"}, "MARKET_POOL_MINIMUM must be at least 1"),
        ({"MARKET_FEED_WAITERS_EACH": "0"}, "MARKET_FEED_WAITERS_EACH must be at least 1"),
        ({"MARKET_FEED_WAITERS": "20000"}, "MARKET_FEED_WAITERS_EACH must be at least 1"),
        ({"MARKET_FEED_HEARTBEAT": "0"}, "MARKET_FEED_HEARTBEAT must be above 0"),
        ({"MARKET_FEED_SESSION_CHECK": "90"}, "MARKET_FEED_SESSION_CHECK must be above 0"),
        ({"MARKET_FEED_STREAM_LIFETIME": "nan"}, "MARKET_FEED_STREAM_LIFETIME must be above 0"),
        ({"MARKET_DOCUMENT_LIMIT": "9999999999"}, "MARKET_DOCUMENT_LIMIT must be from 1048576 to"),
        ({"MARKET_DOCUMENT_SENDING_LIMIT": "9000000"}, "MARKET_DOCUMENT_SENDING_LIMIT must be"),
        ({"MARKET_BID_DOCUMENTS_LIMIT": "1"}, "MARKET_BID_DOCUMENTS_LIMIT must be from 104857600"),
        ({"MARKET_TENDER_DOCUMENTS_LIMIT": "1"}, "MARKET_TENDER_DOCUMENTS_LIMIT must be from"),
        ({"MARKET_UNUSED_DOCUMENTS_DAYS": "0"}, "MARKET_UNUSED_DOCUMENTS_DAYS must be from 1 to"),
        ({"MARKET_SCANNER_ADDRESS": "clamd"}, "MARKET_SCANNER_ADDRESS must be clamd's socket"),
        ({"MARKET_SCANNER_TIMEOUT": "0"}, "MARKET_SCANNER_TIMEOUT must be above 0"),
        ({"MARKET_DOCUMENTS_ENDPOINT": "http://s3"}, "MARKET_DOCUMENTS_ENDPOINT and keys are of a"),
        (
            {"MARKET_DOCUMENTS_BUCKET": "b", "MARKET_DOCUMENTS_ENDPOINT": "s3.example"},
            "MARKET_DOCUMENTS_ENDPOINT must be an http or https address.",
        ),
        (
            {"MARKET_DOCUMENTS_BUCKET": "b", "MARKET_DOCUMENTS_FOLDER": "f"},
            "Set MARKET_DOCUMENTS_BUCKET or MARKET_DOCUMENTS_FOLDER, not both.",
        ),
        (
            {"MARKET_DOCUMENTS_BUCKET": "b", "MARKET_DOCUMENTS_ACCESS_KEY": "k"},
            "Set both MARKET_DOCUMENTS_ACCESS_KEY and MARKET_DOCUMENTS_SECRET_KEY",
        ),
        ({"MARKET_ENVIRONMENT": "production"}, "MARKET_DATABASE_URL must be set in production."),
    ],
)
def test_what_it_does_not_understand_is_refused_by_name(
    environ: dict[str, str], sentence: str
) -> None:
    with pytest.raises(BadSettings) as refused:
        from_environment(environ)
    assert str(refused.value).startswith(sentence)


@pytest.mark.parametrize("missing", ["MARKET_KEY_ENCRYPTION_KEYS", "MARKET_SIGNING_KEY"])
def test_production_does_not_start_without_its_keys(missing: str) -> None:
    environ = {name: value for name, value in PRODUCTION.items() if name != missing}
    with pytest.raises(BadSettings, match=f"{missing} must be set in production"):
        from_environment(environ)


def test_production_does_not_start_without_a_store_that_every_machine_reaches() -> None:
    bare = {name: value for name, value in PRODUCTION.items() if "DOCUMENTS" not in name}
    with pytest.raises(BadSettings, match="MARKET_DOCUMENTS_BUCKET, or MARKET_DOCUMENTS_FOLDER"):
        from_environment(bare)
    assert from_environment(bare | {"MARKET_DOCUMENTS_BUCKET": "documents"}).documents_bucket


def test_settings_do_not_show_their_secrets() -> None:
    shown = repr(from_environment(PRODUCTION))
    assert "hidden" not in shown
    assert "c2VjcmV0" not in shown


def test_a_secret_of_the_wrong_form_is_refused_without_being_repeated() -> None:
    assert decode_secret("KEY", base64.b64encode(bytes(32)).decode(), 32) == bytes(32)
    for text in ("not base64!", base64.b64encode(bytes(31)).decode(), ""):
        with pytest.raises(BadSettings) as refused:
            decode_secret("KEY", text, 32)
        assert str(refused.value) == "KEY must be 32 bytes in base64."


def test_every_setting_is_a_plain_value_with_a_default() -> None:
    assert Settings() == from_environment({})
