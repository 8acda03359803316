"""The way to the mail server: one connection, used again and again, that never stays half open."""

import asyncio
import contextlib

import aiosmtplib
from aiosmtplib import (
    SMTPDataError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)

from market.mail.rules.answers import Stage, Verdict, verdict
from market.mail.rules.messages import Mail
from market.mail.rules.texts import one_line
from market.settings import MailSecurity, Settings

_LONGEST_REASON = 200
_FAREWELL = 2.0
"""Seconds for saying good-bye: nothing hangs on it."""


class NotDelivered(Exception):
    """The server did not take a mail; `verdict` says what to do with it."""

    def __init__(self, verdict: Verdict, reason: str) -> None:
        """Keep what to do, and why, in one line."""
        self.verdict = verdict
        self.reason = one_line(reason, _LONGEST_REASON)
        super().__init__(self.reason)


def longest_delivery(settings: Settings) -> float:
    """Seconds within which a mail is delivered or given back, its connection included.

    `smtp_timeout` is for each answer of the server; several are waited for.
    """
    return settings.smtp_timeout * 4


class Line:
    """A connection to the mail server, made when it is first needed."""

    def __init__(self, settings: Settings) -> None:
        """Take from the settings where to, how protected, and as whom."""
        self._settings = settings
        self._client: aiosmtplib.SMTP | None = None

    async def deliver(self, mail: Mail) -> None:
        """Hand a mail to the server. After this the server answers for it.

        Raises:
            NotDelivered: it did not take it, or did not say that it had: then it may have it.
        """
        try:
            async with asyncio.timeout(longest_delivery(self._settings)):
                client = await self._connected()
                await _send(client, self._settings.mail_from or "", mail)
        except NotDelivered as refusal:
            if refusal.verdict is Verdict.SERVER:
                self._drop()
            raise
        except TimeoutError:
            self._drop()
            raise NotDelivered(Verdict.SERVER, "The mail server took too long.") from None
        except BaseException:  # stopped half way: the connection cannot be used for another mail
            self._drop()
            raise

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._client is not None and self._client.is_connected:
            return self._client
        self._drop()
        settings = self._settings
        client = aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            # never "if the server offers it": whoever stands in between would take the offer away
            use_tls=settings.smtp_security is MailSecurity.TLS,
            start_tls=settings.smtp_security is MailSecurity.STARTTLS,
            cert_bundle=settings.smtp_authorities,
            username=settings.smtp_user,
            password=settings.smtp_password,
            local_hostname=(settings.mail_from or "").rpartition("@")[2],
            timeout=settings.smtp_timeout,
        )
        try:
            await client.connect()
        except (SMTPException, OSError, ValueError) as error:
            client.close()
            reason = f"The mail server cannot be used: {_told(error)}"
            raise NotDelivered(Verdict.SERVER, reason) from error
        except BaseException:
            client.close()
            raise
        self._client = client
        return client

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    async def close(self) -> None:
        """Say good-bye, and hang up in any case."""
        if self._client is not None and self._client.is_connected:
            with contextlib.suppress(SMTPException, OSError, TimeoutError):
                async with asyncio.timeout(_FAREWELL):
                    await self._client.quit()
        self._drop()


async def _send(client: aiosmtplib.SMTP, sender: str, mail: Mail) -> None:
    """Send one mail over a connection that stands.

    Raises:
        NotDelivered: with the verdict of the server's answer.
    """
    options = ["SMTPUTF8"] if mail.international else []
    try:
        await client.sendmail(sender, [mail.recipient], mail.message, mail_options=options)
    except SMTPRecipientsRefused as error:
        first = error.recipients[0]
        raise NotDelivered(verdict(Stage.RECIPIENT, first.code), _told(first)) from error
    except SMTPSenderRefused as error:
        raise NotDelivered(verdict(Stage.SENDER, error.code), _told(error)) from error
    except SMTPDataError as error:
        raise NotDelivered(verdict(Stage.CONTENT, error.code), _told(error)) from error
    except (SMTPNotSupported, ValueError) as error:  # the address, which will not change
        raise NotDelivered(Verdict.NEVER, _told(error)) from error
    except (SMTPException, OSError) as error:
        raise NotDelivered(Verdict.SERVER, _told(error)) from error


def _told(error: Exception) -> str:
    if isinstance(error, SMTPResponseException):
        return f"{error.code} {error.message}"
    return str(error) or type(error).__name__
