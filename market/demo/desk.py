"""A person's desk in the demonstration: signs in, sends requests, stops at the first refusal."""

from collections import Counter
from typing import Any
from uuid import uuid4

import httpx


class DemonstrationFailed(RuntimeError):
    """The API answered otherwise than the story has it; the message says what it said."""


class Office:
    """Where all desks stand: one client, and a count of what was asked of the API."""

    def __init__(self, client: httpx.AsyncClient, password: str) -> None:
        """Everybody in the demonstration has the same password, made for this market alone."""
        self.client = client
        self.password = password
        self.requests: Counter[str] = Counter()

    async def send(  # noqa: PLR0913  # the parts of one HTTP request, each by its name
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        version: int | None = None,
        body: Any = None,
        expected: tuple[int, ...] = (200, 201, 204),
    ) -> httpx.Response:
        """Send one request.

        Raises:
            DemonstrationFailed: the answer's status is none of those expected.
        """
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        if method != "GET":
            headers["Idempotency-Key"] = str(uuid4())
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        answer = await self.client.request(method, f"/api/v1{path}", headers=headers, json=body)
        self.requests[method] += 1
        if answer.status_code not in expected:
            message = f"{method} {path} was answered {answer.status_code}: {answer.text[:1000]}"
            raise DemonstrationFailed(message)
        return answer

    async def sign_in(self, email: str, organisation: str | None = None) -> "Desk | None":
        """Sit down at somebody's desk; None if nobody of that address is registered."""
        body = {"email": email, "password": self.password}
        if organisation is not None:
            body["organisation"] = organisation
        answer = await self.send("POST", "/sessions", body=body, expected=(200, 201, 401))
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            return None
        session = answer.json()
        return Desk(self, session["token"], session["person"], session["organisation"])

    async def join(self, secret: str, name: str, email: str) -> "Desk":
        """Accept an invitation and sit down."""
        body = {"secret": secret, "name": name, "password": self.password}
        await self.send("POST", "/invitation-acceptances", body=body)
        desk = await self.sign_in(email)
        if desk is None:
            message = f"{email} accepted an invitation and cannot sign in."
            raise DemonstrationFailed(message)
        return desk


class Desk:
    """One person, signed in for one organisation."""

    def __init__(self, office: Office, token: str, person: str, organisation: str) -> None:
        """Keep who sits here."""
        self.office = office
        self.token = token
        self.person = person
        self.organisation = organisation

    async def get(self, path: str) -> Any:
        """Read."""
        return (await self.office.send("GET", path, token=self.token)).json()

    async def download(self, path: str) -> bytes:
        """Read a file."""
        return (await self.office.send("GET", path, token=self.token)).content

    async def post(self, path: str, body: Any = None, *, version: int | None = None) -> Any:
        """Create something, or act on a version of it."""
        answer = await self.office.send(
            "POST", path, token=self.token, version=version, body={} if body is None else body
        )
        return answer.json() if answer.content else None

    async def put(self, path: str, body: Any, *, version: int) -> Any:
        """Replace a version of something."""
        answer = await self.office.send("PUT", path, token=self.token, version=version, body=body)
        return answer.json()

    async def refused(self, method: str, path: str, body: Any = None) -> str:
        """Try what the rules forbid, and give the reason the market names."""
        answer = await self.office.send(
            method, path, token=self.token, body=body, expected=(401, 403, 404, 409)
        )
        problem: dict[str, Any] = answer.json()
        return str(problem["detail"])
