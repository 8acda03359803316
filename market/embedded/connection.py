"""How to reach a database of the embedded server."""

from typing import Any, TypedDict
from urllib.parse import quote

from msgspec import Struct


class ConnectionParameters(TypedDict):
    """Keyword arguments of `asyncpg.connect` and `asyncpg.create_pool`."""

    host: str
    port: int
    user: str
    password: str
    database: str


class Connection(Struct, frozen=True, kw_only=True):
    """A way into one database as one user; printing it does not show the password."""

    host: str
    port: int
    user: str
    password: str
    database: str

    def __repr__(self) -> str:
        return f"Connection({self.user}@{self.host}:{self.port}/{self.database})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show rich what `repr` shows: msgspec's own would print the password."""
        return [
            ("host", self.host),
            ("port", self.port),
            ("user", self.user),
            ("database", self.database),
        ]

    def parameters(self) -> ConnectionParameters:
        return ConnectionParameters(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            database=self.database,
        )

    def url(self) -> str:
        """Give the same as a libpq URI, password included."""
        login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
        database = quote(self.database, safe="")
        return f"postgresql://{login}@/{database}?host={quote(self.host, safe='')}&port={self.port}"
