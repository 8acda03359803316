"""What makes a function a command: one transaction, one event at least, carried out once.

A reading of what is confidential is one too, but that it may record nothing.
"""

import functools
import inspect
import random
import typing
from asyncio import sleep
from collections.abc import Awaitable, Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from asyncpg.exceptions import DeadlockDetectedError, PostgresError, SerializationError

from market import idempotency, refusals
from market.actor import Actor
from market.database import named_refusal, unit_of_work, wait_until_kept
from market.errors import Busy, MarketError

ATTEMPTS = 5
"""How often a command is run before a serialisation failure or deadlock is given up as Busy."""

P = ParamSpec("P")
R = TypeVar("R")
Command = Callable[Concatenate[Actor, P], Awaitable[R]]


class Unrecorded(RuntimeError):
    """A command finished without recording an event: a fault of the programme, never committed."""


def command(function: Command[P, R]) -> Command[P, R]:
    """Make a function one transaction: recorded, rerun whole when PostgreSQL asks for it.

    It is rerun on a serialisation failure (40001) or deadlock (40P01), and never once its outcome
    is unknown. A promise broken in the database becomes the refusal registered for it. A request
    that carries an Idempotency-Key is carried out once: a repetition gets the stored answer. A
    refusal by duty or permission is recorded in a transaction of its own.

    Raises:
        Busy: the database asked for a rerun every time.
        Unrecorded: the function recorded no event.
    """
    return _transaction(function, _once, reading=False)


def confidential_reading(function: Command[P, R]) -> Command[P, R]:
    """Make a function one reading of what is confidential, which is an event.

    One transaction over one snapshot, as a query's, that records what was read and changes nothing
    else; every request is an event of its own. Where somebody reads what is their own, or public,
    the function records nothing. Refusals are recorded as a command's are.

    Raises:
        Busy: the database asked for a rerun every time.
    """
    return _transaction(function, _read, reading=True)


def _transaction(
    function: Command[P, R], once: Callable[..., Awaitable[R]], *, reading: bool
) -> Command[P, R]:
    signature = inspect.signature(function)
    operation = f"{function.__module__.partition('.')[0]}.{function.__name__}"

    @functools.wraps(function)
    async def run(actor: Actor, /, *args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(ATTEMPTS):
            try:
                return await once(function, actor, *args, **kwargs)
            except (SerializationError, DeadlockDetectedError):
                await sleep(random.uniform(0, 0.02) * 2**attempt)  # noqa: S311  # jitter, no secret
            except (MarketError, PostgresError) as error:
                refusal = error if isinstance(error, MarketError) else named_refusal(error)
                if refusal is None:
                    raise
                bound = signature.bind(actor, *args, **kwargs).arguments
                tender = bound.get("tender_id", refusal.tender)
                await refusals.record(actor, operation, refusal, tender, reading=reading)
                raise refusal from (None if refusal is error else error)
        raise Busy

    return run


async def _once(function: Command[P, R], actor: Actor, /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run the command in one transaction, or give the answer its key already has."""
    try:
        async with unit_of_work(actor, writes=True, claims=idempotency.claimed(actor)) as unit:
            result = await function(actor, *args, **kwargs)
            if unit.recorded == 0:
                message = f"{function.__qualname__} recorded no event."
                raise Unrecorded(message)
            if actor.key is not None:
                idempotency.store_answer(actor, actor.key, result)
            return result
    except PostgresError as error:
        if actor.key is None or not idempotency.is_answered(error):
            raise
    async with unit_of_work(actor, writes=True):
        stored = await idempotency.stored_answer(actor, actor.key)
        await wait_until_kept()
    answer: R = idempotency.decode(stored, _answer_type(function))
    return answer


async def _read(function: Command[P, R], actor: Actor, /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Read in one transaction."""
    async with unit_of_work(actor, writes=True, snapshot=True):
        return await function(actor, *args, **kwargs)


@functools.cache
def _answer_type(function: Callable[..., Any]) -> Any:
    return typing.get_type_hints(function)["return"]
