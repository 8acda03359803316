"""The way to the mail server: protected as the settings say, or not used at all."""

import ssl
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from msgspec.structs import replace

from market.actor import Role
from market.background import Workbench, workbench
from market.mail.posting import MailServerDown, Posting
from market.settings import BadSettings, MailSecurity, Settings, from_environment
from tests.conftest import Databases
from tests.makers.notices import happen, notice, post
from tests.makers.post_office import PostOffice, post_office_at_work
from tests.makers.world import World
from tests.market.mail.conftest import KINDS

PASSWORD = "seven lamps over gravel"  # noqa: S105  # of the tests' own server


class Certificate(msgspec.Struct, frozen=True):
    """A certificate for this machine, signed by itself, and a server's context with it."""

    file: str
    server: ssl.SSLContext


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Make one, and put it where a setting can name it."""
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "certificate.pem", folder / "key.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(public, private)
    return Certificate(str(public), server)


@pytest.fixture
def upgraded(certificate: Certificate) -> Iterator[PostOffice]:
    """A server that wants STARTTLS and a password."""
    with post_office_at_work(starttls=certificate.server, password=PASSWORD) as office:
        yield office


@pytest.fixture
async def waiting(world: World, superuser: Any, bench: Workbench) -> AsyncIterator[Any]:
    """A notice that waits."""
    ann = await world.person("Ann Lead", await world.organisation("06F"), Role.COMMISSIONER)
    await happen(superuser, "test.greeted", ann)
    await notice(bench, KINDS)
    yield superuser
    assert await superuser.fetchval("SELECT count(*) FROM notice") == 1


async def _post(databases: Databases, bench: Workbench, settings: Settings) -> None:
    async with workbench(settings, databases.worker, bench.vault) as opened:
        await post(opened, KINDS)


async def test_mail_goes_by_starttls_with_a_password(
    databases: Databases,
    bench: Workbench,
    waiting: Any,
    upgraded: PostOffice,
    certificate: Certificate,
) -> None:
    settings = replace(
        bench.settings,
        smtp_port=upgraded.port,
        smtp_security=MailSecurity.STARTTLS,
        smtp_user="market",
        smtp_password=PASSWORD,
        smtp_authorities=certificate.file,
    )
    await _post(databases, bench, settings)
    [mail] = upgraded.mails
    assert mail.protected
    assert await waiting.fetchval("SELECT state FROM notice") == "sent"


async def test_mail_goes_by_tls_from_the_first_byte(
    databases: Databases, bench: Workbench, waiting: Any, certificate: Certificate
) -> None:
    with post_office_at_work(tls=certificate.server) as office:
        settings = replace(
            bench.settings,
            smtp_port=office.port,
            smtp_security=MailSecurity.TLS,
            smtp_authorities=certificate.file,
        )
        await _post(databases, bench, settings)
    assert len(office.mails) == 1
    assert await waiting.fetchval("SELECT state FROM notice") == "sent"


async def test_a_wrong_password_fails_no_notice(
    databases: Databases,
    bench: Workbench,
    waiting: Any,
    upgraded: PostOffice,
    certificate: Certificate,
) -> None:
    settings = replace(
        bench.settings,
        smtp_port=upgraded.port,
        smtp_security=MailSecurity.STARTTLS,
        smtp_user="market",
        smtp_password="wrong",  # noqa: S106  # on purpose
        smtp_authorities=certificate.file,
    )
    with pytest.raises(MailServerDown, match="535"):
        await _post(databases, bench, settings)
    assert await waiting.fetchval("SELECT state FROM notice") == "waiting"


async def test_nothing_goes_to_a_server_that_nobody_vouches_for(
    databases: Databases, bench: Workbench, waiting: Any, upgraded: PostOffice
) -> None:
    settings = replace(bench.settings, smtp_port=upgraded.port, smtp_security=MailSecurity.STARTTLS)
    with pytest.raises(MailServerDown, match="cannot be used"):
        await _post(databases, bench, settings)
    assert upgraded.mails == []
    assert await waiting.fetchval("SELECT state FROM notice") == "waiting"


async def test_where_the_server_offers_no_protection_nothing_goes_in_clear(
    databases: Databases, bench: Workbench, waiting: Any, post_office: PostOffice
) -> None:
    settings = replace(bench.settings, smtp_security=MailSecurity.STARTTLS)
    async with workbench(settings, databases.worker, bench.vault) as opened:
        with pytest.raises(MailServerDown, match="STARTTLS"):
            await Posting(opened, KINDS).run()
    assert post_office.mails == []
    assert await waiting.fetchval("SELECT state FROM notice") == "waiting"


# -- settings --------------------------------------------------------------------------------------

ON = {"MARKET_SMTP_HOST": "mail.example", "MARKET_MAIL_FROM": "notices@market.example"}


def test_mail_is_off_until_a_server_and_an_address_are_set() -> None:
    assert not from_environment({}).sends_mail
    settings = from_environment(ON)
    assert settings.sends_mail
    assert settings.smtp_security is MailSecurity.STARTTLS
    assert settings.smtp_port == 587


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"MARKET_MAIL_FROM": ""}, "both or none"),
        ({"MARKET_SMTP_HOST": ""}, "both or none"),
        ({"MARKET_SMTP_USER": "market"}, "MARKET_SMTP_PASSWORD"),
        ({"MARKET_SMTP_PASSWORD": "x"}, "MARKET_SMTP_USER"),
        ({"MARKET_SMTP_HOST": "mail.example/path"}, "MARKET_SMTP_HOST"),
        ({"MARKET_SMTP_HOST": "a b"}, "MARKET_SMTP_HOST"),
        ({"MARKET_MAIL_FROM": "Market <a@b.example>"}, "one plain address"),
        ({"MARKET_MAIL_FROM": "a@b\r\nBcc: c@d"}, "one plain address"),
        ({"MARKET_SMTP_PORT": "0"}, "MARKET_SMTP_PORT"),
        ({"MARKET_SMTP_PORT": "65536"}, "MARKET_SMTP_PORT"),
        ({"MARKET_SMTP_TIMEOUT": "0"}, "MARKET_SMTP_TIMEOUT"),
        ({"MARKET_SMTP_TIMEOUT": "121"}, "MARKET_SMTP_TIMEOUT"),
        ({"MARKET_SMTP_TIMEOUT": "nan"}, "MARKET_SMTP_TIMEOUT"),
        ({"MARKET_SMTP_SECURITY": "ssl"}, "MARKET_SMTP_SECURITY"),
        ({"MARKET_MAILS_PER_MINUTE": "0"}, "MARKET_MAILS_PER_MINUTE"),
        ({"MARKET_DIGEST_HOUR": "24"}, "MARKET_DIGEST_HOUR"),
        ({"MARKET_REMINDER_INTERVAL": "0.5"}, "MARKET_REMINDER_INTERVAL"),
        ({"MARKET_SMTP_AUTHORITIES": "no such file"}, "PEM"),
        (
            {
                "MARKET_SMTP_SECURITY": "none",
                "MARKET_SMTP_USER": "market",
                "MARKET_SMTP_PASSWORD": "x",
            },
            "in clear",
        ),
    ],
)
def test_what_could_not_work_is_refused_at_the_start(changes: dict[str, str], said: str) -> None:
    with pytest.raises(BadSettings, match=said):
        from_environment(ON | changes)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_on_this_machine_a_password_may_go_in_clear(host: str) -> None:
    given = {
        "MARKET_SMTP_HOST": host,
        "MARKET_SMTP_SECURITY": "none",
        "MARKET_SMTP_USER": "market",
        "MARKET_SMTP_PASSWORD": PASSWORD,
    }
    settings = from_environment(ON | given)
    assert PASSWORD not in repr(settings)


def test_in_production_links_need_the_public_address(tmp_path: Path) -> None:
    given = ON | {
        "MARKET_HOME": str(tmp_path),
        "MARKET_ENVIRONMENT": "production",
        "MARKET_DATABASE_URL": "postgresql://market_app:x@db/market",
        "MARKET_KEY_ENCRYPTION_KEYS": "first:x",
        "MARKET_SIGNING_KEY": "x",
        "MARKET_DOCUMENTS_FOLDER": str(tmp_path),
    }
    with pytest.raises(BadSettings, match="MARKET_PUBLIC_URL"):
        from_environment(given)
    assert from_environment(given | {"MARKET_PUBLIC_URL": "https://market.example"}).sends_mail
