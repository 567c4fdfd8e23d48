"""A gateway without the product: a trivial flow, one transaction for a batch, straight to the wire.

It shows what the machine allows. Everything that waits is answered in one transaction of five
statements, the replies go from memory to the Graph API, and "sent" marks are written 25 ms later
for many messages at once. It knows neither orders nor retries, and after a crash it would send
nothing.
"""

import asyncio
import hmac
import os
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import aiohttp
import orjson

MARK_EVERY: Final = 0.025
TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS contact (wa_id text PRIMARY KEY, name text, state text, seen int)",
    "CREATE TABLE IF NOT EXISTS inbound (id text PRIMARY KEY, wa_id text, body text, status text)",
    "CREATE TABLE IF NOT EXISTS outbound (id text PRIMARY KEY, wa_id text, body text, status text)",
    "CREATE TABLE IF NOT EXISTS status (id text, name text, PRIMARY KEY (id, name))",
)
CHOICES: Final = tuple(
    f"r1:{action}:1" for action in ("raffle", "random", "confirm", "pick", "qty", "others", "mine")
)

type Scope = dict[str, Any]
type Receive = Callable[[], Awaitable[dict[str, Any]]]
type Send = Callable[[dict[str, Any]], Awaitable[None]]
type Message = dict[str, Any]


class FusedGateway:
    """The ASGI application with its batch, its database thread and its connections to Graph."""

    def __init__(self) -> None:
        self._secret = os.environ["META_APP_SECRET"].encode()
        number = os.environ["META_PHONE_NUMBER_ID"]
        self._graph = f"{os.environ['META_GRAPH_URL']}/v26.0/{number}/messages"
        self._thread = ThreadPoolExecutor(1)
        self._connection: Any = None
        self._pending: list[tuple[Message, str, asyncio.Future[None]]] = []
        self._statuses: list[tuple[str, str]] = []
        self._sent: list[tuple[str]] = []
        self._working: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the lifespan and `POST /webhook`."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        body, more = b"", True
        while more:
            part = await receive()
            body += part.get("body", b"")
            more = part.get("more_body", False)
        status = await self._take_webhook(dict(scope["headers"]), body)
        headers = [(b"content-length", b"0")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def _live(self, receive: Receive, send: Send) -> None:
        loop = asyncio.get_running_loop()
        await receive()
        self._connection = await loop.run_in_executor(self._thread, connect)
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=200))
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._http.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _take_webhook(self, headers: dict[bytes, bytes], body: bytes) -> int:
        signature = hmac.digest(self._secret, body, "sha256").hex()
        given = headers.get(b"x-hub-signature-256", b"").decode()
        if not hmac.compare_digest(given, f"sha256={signature}"):
            return 401
        waiting = []
        for entry in orjson.loads(body)["entry"]:
            for change in entry["changes"]:
                value = change["value"]
                for message in value.get("messages", ()):
                    name = value["contacts"][0]["profile"]["name"]
                    done = asyncio.get_running_loop().create_future()
                    self._pending.append((message, name, done))
                    waiting.append(done)
                self._statuses += [
                    (status["id"], status["status"]) for status in value.get("statuses", ())
                ]
        self._wake()
        await asyncio.gather(*waiting)
        return 200

    def _wake(self) -> None:
        if self._working is None:
            self._working = asyncio.create_task(self._work())

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        began = False
        while self._pending or self._statuses or not began:
            began = True
            batch, self._pending = self._pending, []
            statuses, self._statuses = self._statuses, []
            sent, self._sent = self._sent, []
            replies = await loop.run_in_executor(
                self._thread, self._answer, [each[:2] for each in batch], statuses, sent
            )
            for _, _, done in batch:
                done.set_result(None)
            for wa_id, reply_id, reply in replies:
                task = asyncio.create_task(self._send(wa_id, reply_id, reply))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        self._working = None

    def _answer(
        self,
        batch: Sequence[tuple[Message, str]],
        statuses: Sequence[tuple[str, str]],
        sent: Sequence[tuple[str]],
    ) -> list[tuple[str, str, bytes]]:
        cursor = self._connection.cursor()
        replies = [
            (message["from"], "out." + message["id"], encode_reply(message)) for message, _ in batch
        ]
        cursor.execute("BEGIN")
        cursor.executemany(
            "INSERT INTO contact VALUES (%s, %s, 'MENU', 1) ON CONFLICT (wa_id) "
            "DO UPDATE SET seen = contact.seen + 1, name = excluded.name",
            [(message["from"], name) for message, name in batch],
        )
        cursor.executemany(
            "INSERT INTO inbound VALUES (%s, %s, %s, 'PROCESSED') ON CONFLICT DO NOTHING",
            [
                (message["id"], message["from"], orjson.dumps(message).decode())
                for message, _ in batch
            ],
        )
        cursor.executemany(
            "INSERT INTO outbound VALUES (%s, %s, %s, 'SENDING')",
            [(reply_id, wa_id, reply.decode()) for wa_id, reply_id, reply in replies],
        )
        cursor.executemany("UPDATE outbound SET status = 'SENT' WHERE id = %s", sent)
        cursor.executemany("INSERT INTO status VALUES (%s, %s) ON CONFLICT DO NOTHING", statuses)
        cursor.execute("COMMIT")
        return replies

    async def _send(self, wa_id: str, reply_id: str, reply: bytes) -> None:
        async with self._http.post(self._graph, data=reply) as answer:
            await answer.read()
        if not self._sent:
            asyncio.get_running_loop().call_later(MARK_EVERY, self._wake)
        self._sent.append((reply_id,))


def encode_reply(message: Message) -> bytes:
    """Return a list of choices to whatever was written."""
    rows = [{"id": choice, "title": choice} for choice in CHOICES]
    return orjson.dumps(
        {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": "+" + message["from"],
            "type": "interactive",
            "interactive": {
                "type": "list",
                "body": {"text": "Summer Raffle · how many numbers would you like?"},
                "action": {"button": "Choose", "sections": [{"title": "Options", "rows": rows}]},
            },
        }
    )


def connect() -> Any:
    """Connect to the database as the product does, and create the tables."""
    url = os.environ["DATABASE_URL"]
    connection = _connect_sqlite(url) if url.startswith("sqlite") else _connect_postgres(url)
    for statement in TABLES:
        connection.cursor().execute(statement)
    return connection


class _SqliteCursor:
    """A cursor of SQLite that takes the placeholders of PostgreSQL."""

    def __init__(self, connection: Any) -> None:
        self._cursor = connection.cursor()

    def execute(self, statement: str) -> None:
        self._cursor.execute(statement)

    def executemany(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        self._cursor.executemany(statement.replace("%s", "?"), rows)


class _SqliteConnection:
    def __init__(self, file: str) -> None:
        import sqlite3

        self._connection = sqlite3.connect(file, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            self._connection.execute(f"PRAGMA {pragma}")

    def cursor(self) -> _SqliteCursor:
        return _SqliteCursor(self._connection)


def _connect_sqlite(url: str) -> Any:
    return _SqliteConnection(url.removeprefix("sqlite:///"))


def _connect_postgres(url: str) -> Any:
    import psycopg

    return psycopg.connect(url, autocommit=True)


def build_app() -> FusedGateway:
    """Build the application."""
    return FusedGateway()
