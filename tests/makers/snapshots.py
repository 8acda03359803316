"""Worlds that were built once are not built again: their databases are kept and cloned.

Most tests begin with the same steps through HTTP: a tender is published, suppliers bid, the panel
scores. A maker that is `remembered` is known by its arguments and by the steps before it, where
those were remembered ones too. What is asked for a second time in one process is kept: the test's
database as it then is, and a copy of what the maker gave. The next test that takes the same steps
is given a copy of the answer, and goes on in a clone of that database.

Nothing else changes for a test: its database is its own, and nobody changes a kept one. As soon as
it did anything of its own (a transaction of the application, a connection beside it), its makers
build as ever, through HTTP. A kept world is `OLDEST` seconds old at most, so that the sign-ins in
it are fresh. Its market has not served since; that is no silence of the service in a clone, for a
kept database does not remember when it last served.

A maker that is to be remembered does all it does through the world it is given as its first
argument, keeps nothing outside the database but in its answer and `World.keeper`, and takes as
further arguments what `comparable` can compare; where a test gives it anything else, it builds.
"""

import copy
import functools
import inspect
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Coroutine, Hashable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextvars import ContextVar
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from types import FunctionType
from typing import Any, Final, TypeVar, cast
from uuid import UUID

import asyncpg
import msgspec

from tests.makers.databases import Databases, WatchedPool
from tests.makers.world import Person, World

MOST: Final = 16
"""How many worlds a process keeps; each takes the room of a database."""
OLDEST: Final = 420.0
"""For how many seconds one is kept: a sign-in counts as fresh for fifteen minutes."""
WORTH_KEEPING: Final = 2
"""What is asked for so often is likely to be asked for again."""

_NO_BEAT = """
SET session_replication_role = replica;
UPDATE service_beat SET beaten_at = NULL
"""
_PLAIN = (type(None), str, int, float, bool, bytes, Decimal, UUID, date, timedelta, Enum)

_WORLD: Final = object()
_CLIENT: Final = object()
"""What stands for a world and its client in what is known of a kept one."""

Made = TypeVar("Made")
Making = Coroutine[Any, Any, Made]
Maker = TypeVar("Maker", bound=Callable[..., Making[Any]])


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A world that was built: its database, and what is known of it outside."""

    database: str
    place: Hashable
    known: Any
    born: float
    """When its first step began, by the process's clock."""


class Incomparable(TypeError):
    """An argument of which nobody can say whether it is the same as another."""


class Kept:
    """The worlds that one process keeps: those asked for most recently, and none for long."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._worlds: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._asked: Counter[Hashable] = Counter()
        self.hits = 0

    def find(self, key: Hashable) -> _Kept | None:
        """What is kept under this key, if it is not too old."""
        found = self._worlds.get(key)
        if found is None or found.born + OLDEST < time.monotonic():
            return None
        self._worlds.move_to_end(key)
        self.hits += 1
        return found

    def is_worth_keeping(self, key: Hashable) -> bool:
        """Count that this was asked for, and say whether to keep it."""
        self._asked[key] += 1
        return self._asked[key] >= WORTH_KEEPING

    def keep(self, key: Hashable, made: _Kept) -> list[str]:
        """Keep one more, and give the databases that are not needed any more."""
        former = [self._worlds.pop(key)] if key in self._worlds else []
        self._worlds[key] = made
        while len(self._worlds) > MOST:
            former.append(self._worlds.popitem(last=False)[1])
        return [world.database for world in former]

    def forget(self) -> list[str]:
        """Keep nothing any more, and give the databases there were."""
        names = [world.database for world in self._worlds.values()]
        self._worlds.clear()
        return names


KEPT: Final = Kept()
_WITHIN: ContextVar[object] = ContextVar("the maker at work", default=None)


class Stage:
    """Where a test's world is played: which remembered steps led there, and nothing else."""

    def __init__(self, pool: WatchedPool, databases: Databases, begun_with: Hashable) -> None:
        """Begin with a fresh database, over which the application has this pool."""
        self._pool = pool
        self._databases = databases
        self._place = begun_with
        self._mark = pool.transactions
        self._born = time.monotonic()
        self._at_work: list[object] = []
        self._spoilt = False

    async def give(self, world: World, step: Hashable, build: Callable[[], Making[Made]]) -> Made:
        """Give what this step makes of the world, from what is kept or else built anew."""
        self._notice_others()
        key = (self._place, step) if self._is_untouched() else None
        kept = None if key is None else KEPT.find(key)
        if kept is not None:
            self._databases.begin_from(kept.database)
            self._place, self._mark = kept.place, self._pool.transactions
            self._born = kept.born
            answer: Made
            answer, world.keeper = _brought_in(kept.known, world)
            return answer
        answer = await self._built(build)
        if key is not None and not self._spoilt and not self._databases.touched:
            self._place, self._mark = object(), self._pool.transactions
            if not self._at_work and KEPT.is_worth_keeping(key):
                await self._keep(key, world, answer)
        return answer

    def _notice_others(self) -> None:
        """Makers that work beside one another leave a world that is nobody's own."""
        if self._at_work and self._at_work[-1] is not _WITHIN.get():
            self._spoilt = True

    def _is_untouched(self) -> bool:
        return not (
            self._spoilt or self._databases.touched or self._pool.transactions != self._mark
        )

    async def _built(self, build: Callable[[], Making[Made]]) -> Made:
        me = object()
        self._at_work.append(me)
        token = _WITHIN.set(me)
        try:
            return await build()
        finally:
            _WITHIN.reset(token)
            self._at_work.remove(me)

    async def _keep(self, key: Hashable, world: World, answer: Any) -> None:
        await self._pool.leave()
        beats = await self._databases.connect_as_keeper()
        await beats.execute(_NO_BEAT)
        await beats.close()
        made = _Kept(
            database=self._databases.give_away(),
            place=self._place,
            known=_taken_out((answer, world.keeper), world),
            born=self._born,
        )
        self._databases.begin_from(made.database)
        await self._databases.remove(KEPT.keep(key, made))


def remembered(maker: Maker) -> Maker:
    """Let what a maker makes of a world be kept, where all that it is given can be compared."""
    asks_for = inspect.signature(maker)

    @functools.wraps(maker)
    async def given(world: World, *args: Any, **kwargs: Any) -> Any:
        if world.stage is None:
            return await maker(world, *args, **kwargs)
        bound = asks_for.bind(world, *args, **kwargs)
        bound.apply_defaults()
        _, *others = bound.arguments.values()
        try:
            step = (maker, comparable(others))
        except Incomparable:
            return await maker(world, *args, **kwargs)
        return await world.stage.give(world, step, lambda: maker(world, *args, **kwargs))

    return cast("Maker", given)


def comparable(value: Any) -> Hashable:
    """The value as something that is equal for equal values, and for nothing else.

    Raises:
        Incomparable: it is, or holds, something that may change or does what cannot be compared.
    """
    if isinstance(value, _PLAIN):
        return (type(value), value)
    if isinstance(value, Mapping):
        return (Mapping, tuple((comparable(k), comparable(v)) for k, v in value.items()))
    if isinstance(value, AbstractSet):
        return (AbstractSet, frozenset(comparable(one) for one in value))
    if isinstance(value, Sequence):
        return (type(value), tuple(comparable(one) for one in value))
    if isinstance(value, Person):
        return (Person, value.id, value.organisation, value.token)
    if isinstance(value, FunctionType) and value.__closure__ is None:
        return value
    raise Incomparable(type(value).__name__)


def _taken_out(known: Any, world: World) -> Any:
    """A copy without the world it came from."""
    return copy.deepcopy(known, {id(world): _WORLD, id(world.client): _CLIENT})


def _brought_in(known: Any, world: World) -> Any:
    """A copy in a present world."""
    return copy.deepcopy(known, {id(_WORLD): world, id(_CLIENT): world.client})


async def forget(server: Mapping[str, Any]) -> None:
    """Remove every database that is kept."""
    connection = await asyncpg.connect(**server)
    for name in KEPT.forget():
        await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await connection.close()
