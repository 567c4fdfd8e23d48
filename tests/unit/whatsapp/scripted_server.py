"""A real server on loopback that answers each request with the bytes a test chooses."""

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from socket import SO_LINGER, SOL_SOCKET
from typing import Any


@dataclass(frozen=True)
class ServerRequest:
    """A request that the server received."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


type ServerAction = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class ScriptedServer:
    """A running server with its port, its script and the received requests."""

    port: int
    script: list[ServerAction]
    requests: list[ServerRequest] = field(default_factory=list)
    connections: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer each request of a connection with the next action of the script."""
        self.connections += 1
        self.writers.append(writer)
        try:
            while not writer.is_closing() and (request := await _read_request(reader)):
                self.requests.append(request)
                await self.script.pop(0)(writer)
        except ConnectionError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def run_scripted_server(*script: ServerAction) -> AsyncIterator[ScriptedServer]:
    """Run a server on a free port that performs one action of the script per request."""
    made = ScriptedServer(port=0, script=list(script))
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        await asyncio.sleep(0)  # else a connection accepted just now would stay open
        server.close()
        for writer in made.writers:
            writer.transport.abort()
        await server.wait_closed()


def answer_with(
    document: Any = None,
    *,
    status: int = 200,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> ServerAction:
    """Return an action that answers with a JSON document or with bytes."""

    async def act(writer: asyncio.StreamWriter) -> None:
        content = json.dumps(document).encode() if body is None else body
        lines = [f"HTTP/1.1 {status} Words", f"Content-Length: {len(content)}"]
        lines += [f"{name}: {text}" for name, text in (headers or {}).items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + content)
        await writer.drain()

    return act


def write_and_close(*parts: bytes, pause: float = 0) -> ServerAction:
    """Return an action that writes parts, pauses some seconds after each, and then closes."""
    return _write_and_close(parts, pause=pause)


def _write_and_close(parts: Iterable[bytes], *, pause: float) -> ServerAction:
    async def act(writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        writer.close()

    return act


def reset_connection() -> ServerAction:
    """Return an action that closes the connection with a TCP reset."""

    async def act(writer: asyncio.StreamWriter) -> None:
        socket = writer.get_extra_info("socket")
        socket.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        writer.close()

    return act


def stay_silent(seconds: float) -> ServerAction:
    """Return an action that sends nothing for some seconds and then closes the connection."""
    return _write_and_close([b""], pause=seconds)


async def _read_request(reader: asyncio.StreamReader) -> ServerRequest | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    except asyncio.IncompleteReadError:
        return None
    method, path, _ = head[0].split(" ")
    headers = {
        name.lower(): text for name, text in (line.split(": ", 1) for line in head[1:] if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return ServerRequest(method, path, headers, body)
