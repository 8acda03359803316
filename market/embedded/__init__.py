"""PostgreSQL without an installation: the programs out of a wheel, run by a small supervisor.

`programs` finds and runs PostgreSQL's programs, `connection` says how to reach a database, `server`
is the supervisor.
"""

from market.embedded.connection import Connection, ConnectionParameters
from market.embedded.programs import EmbeddedPostgresError
from market.embedded.server import EmbeddedPostgres

__all__ = ["Connection", "ConnectionParameters", "EmbeddedPostgres", "EmbeddedPostgresError"]
