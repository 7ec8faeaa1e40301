"""The asynchronous driver on a thread of its own, so that callers of any thread can wait for it."""

import random
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Any, Final, LiteralString, TypeAlias, TypeVar, cast

import anyio
from anyio.from_thread import BlockingPortal, start_blocking_portal
from neo4j import AsyncDriver, AsyncGraphDatabase, AsyncManagedTransaction
from neo4j.exceptions import AuthError, ClientError, ConstraintError, DriverError, Neo4jError, TransientError

from graph.errors import StoreError, StoreRefused, StoreUnavailable
from graph.stores.neo4j.address import Address

CONNECT_S: Final = 5.0
"""A host that does not answer at all is given up after this long."""

FIRST_PAUSE_S: Final = 0.02

T = TypeVar("T")
Transaction: TypeAlias = AsyncManagedTransaction
Row: TypeAlias = dict[str, Any]
Work: TypeAlias = Callable[[Transaction], Awaitable[T]]
"""What is done in one transaction. It may be run again after a failure, so it keeps nothing between runs."""


async def fetch(tx: Transaction, statement: str, **parameters: Any) -> list[Row]:
    """All rows of a statement, which is fixed text: data goes into parameters only."""
    result = await tx.run(cast(LiteralString, statement), parameters)
    return [record.data() async for record in result]


class Bolt:
    """Transactions from any thread. Those that fail in passing (a deadlock, a lost connection) are run again, with the
    driver's growing and jittered pauses, for `retry_s` seconds."""

    def __init__(self, address: Address, retry_s: float) -> None:
        self._address = address
        self._retry_s = retry_s
        self._started = start_blocking_portal("asyncio")
        self._portal: BlockingPortal | None = self._started.__enter__()
        self._driver = self._portal.call(self._connect)

    async def _connect(self) -> AsyncDriver:
        # Nothing is sent before the first transaction. The driver's pools belong to the loop that it was made on.
        return AsyncGraphDatabase.driver(
            self._address.url,
            auth=self._address.auth,
            max_transaction_retry_time=self._retry_s,
            connection_timeout=CONNECT_S,
            connection_acquisition_timeout=CONNECT_S + self._retry_s,
            liveness_check_timeout=30.0,
            notifications_min_severity="OFF",
            user_agent="agent-memory-service",
        )

    def read(self, work: Work[T]) -> T:
        return self._call(work, is_write=False)

    def write(self, work: Work[T]) -> T:
        return self._call(work, is_write=True)

    def server_agent(self) -> str:
        """What the server calls itself."""
        return self.read(_agent)

    def close(self) -> None:
        if self._portal is None:
            return
        portal, self._portal = self._portal, None
        try:
            portal.call(self._driver.close)
        finally:
            self._started.__exit__(None, None, None)

    def _call(self, work: Work[T], is_write: bool) -> T:
        portal = self._portal
        if portal is None:
            raise StoreUnavailable("The graph store is closed")
        with translated(self._address):
            return portal.call(self._run, work, is_write)

    async def _run(self, work: Work[T], is_write: bool) -> T:
        deadline = time.monotonic() + self._retry_s
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                async with self._driver.session(database=self._address.database) as session:
                    run = session.execute_write if is_write else session.execute_read
                    return await run(work)
            except ConstraintError:
                # Two made the same node at once, where a server's MERGE takes no lock: the second finds it next time.
                if time.monotonic() + pause_s > deadline:
                    raise
            await anyio.sleep(pause_s * random.uniform(0.5, 1.5))
            pause_s *= 2


async def _agent(tx: Transaction) -> str:
    result = await tx.run("RETURN 1")
    return (await result.consume()).server.agent


@contextmanager
def translated(address: Address) -> Generator[None]:
    """The driver's errors as the port's, in words that a person can act on. None of them holds a password."""
    try:
        yield
    except AuthError as error:
        who = "one without a name" if address.user is None else f"user {address.user!r}"
        raise StoreRefused(
            f"The graph database at {address.place} refuses {who}: check the name and the password"
        ) from error
    except ClientError as error:
        raise _refusal(address, error) from error
    except (TransientError, DriverError, OSError) as error:
        raise StoreUnavailable(
            f"The graph database at {address.place} cannot be reached, or did not do it in time"
            f" ({type(error).__name__}): is it running, and is the address right?"
        ) from error
    except Neo4jError as error:
        raise StoreUnavailable(
            f"The graph database at {address.place} failed: {error.code}: {error.message}"
        ) from error


def _refusal(address: Address, error: ClientError) -> StoreError:
    code = error.code or ""
    if code.endswith("DatabaseNotFound"):
        return StoreRefused(f"The graph database at {address.place} has no database named {address.database!r}")
    if ".Security." in code:
        return StoreRefused(f"The graph database at {address.place} refuses {address.user!r}: {error.message}")
    return StoreError(f"The graph database at {address.place} refuses a statement: {code}: {error.message}")
