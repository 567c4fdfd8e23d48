"""The limit of durable ingest: plain ASGI applications that store a signed body and nothing else.

`group_commit` is what a single process can do at best: no framework, no parsing, one statement for
all webhooks that arrived meanwhile. `one_commit` is the usual way, a transaction for each.
"""

import asyncio
import hmac
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Final

import psycopg
from starlette.types import ASGIApp, Receive, Scope, Send

TABLE: Final = "benchmark_webhook"
"""Created by the benchmark: `id`, `body`, `received_at`."""

MAX_BATCH: Final = 256

type Row = tuple[bytes, datetime]
type Store = Callable[[Sequence[Row]], None]


def group_commit() -> ASGIApp:
    """Build the application that stores what arrives together in one transaction."""
    return _ByteStore(max_batch=MAX_BATCH)


def one_commit() -> ASGIApp:
    """Build the application that stores each webhook in a transaction of its own."""
    return _ByteStore(max_batch=1)


class _ByteStore:
    def __init__(self, *, max_batch: int) -> None:
        self._secret = os.environ["META_APP_SECRET"].encode()
        self._max_batch = max_batch
        self._pending: list[tuple[Row, asyncio.Future[None]]] = []
        self._committing: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1)
        self._store: Store | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        signature = dict(scope["headers"]).get(b"x-hub-signature-256", b"")
        expected = hmac.digest(self._secret, body, "sha256").hex().encode()
        status = 401
        if hmac.compare_digest(signature, b"sha256=" + expected):
            await self._keep((body, datetime.now(UTC)))
            status = 200
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(b"content-length", b"0")],
            }
        )
        await send({"type": "http.response.body"})

    async def _keep(self, row: Row) -> None:
        committed = asyncio.get_running_loop().create_future()
        self._pending.append((row, committed))
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_all())
        await committed

    async def _commit_all(self) -> None:
        loop = asyncio.get_running_loop()
        while self._pending:
            batch = self._pending[: self._max_batch]
            del self._pending[: self._max_batch]
            await loop.run_in_executor(self._thread, self._commit, [row for row, _ in batch])
            for _, committed in batch:
                committed.set_result(None)
        self._committing = None

    def _commit(self, rows: Sequence[Row]) -> None:
        if self._store is None:
            self._store = _connect(os.environ["DATABASE_URL"])
        self._store(rows)


def _connect(address: str) -> Store:
    if address.startswith("sqlite"):
        return _connect_sqlite(address.removeprefix("sqlite:///"))
    postgres = psycopg.connect(address, autocommit=True)
    statement = (
        f"INSERT INTO {TABLE} (body, received_at) "
        "SELECT * FROM unnest(%b::bytea[], %b::timestamptz[])"
    )

    def store(rows: Sequence[Row]) -> None:
        bodies, times = zip(*rows, strict=True)
        postgres.execute(statement.encode(), [list(bodies), list(times)])

    return store


def _connect_sqlite(path: str) -> Store:
    sqlite = sqlite3.connect(path, isolation_level=None, timeout=20)
    sqlite.execute("PRAGMA journal_mode=WAL")
    sqlite.execute("PRAGMA synchronous=FULL")
    statement = f"INSERT INTO {TABLE} (body, received_at) VALUES (?, ?)"

    def store(rows: Sequence[Row]) -> None:
        values: list[tuple[Any, ...]] = [(body, at.isoformat()) for body, at in rows]
        sqlite.execute("BEGIN IMMEDIATE")
        sqlite.executemany(statement, values)
        sqlite.execute("COMMIT")

    return store
