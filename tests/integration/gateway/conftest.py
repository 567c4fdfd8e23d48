"""The real gateway on a real database; only Meta is played."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from gateway import app
from gateway.database import Database
from shared.core import config
from shared.whatsapp.services.meta_client import MetaClient
from tests.integration.gateway.fake_meta import FakeGraph, RunGateway
from tests.waiting import await_until


@pytest.fixture
def graph() -> FakeGraph:
    return FakeGraph()


@pytest.fixture
def gateway(graph: FakeGraph) -> RunGateway:
    """Give a function that runs the gateway and knocks at it."""

    @asynccontextmanager
    async def running(*, workers: bool = True) -> AsyncIterator[httpx.AsyncClient]:
        client = MetaClient(
            base_url="http://127.0.0.1:1",
            version="v26.0",
            token="test_access_token",
            transport=httpx.MockTransport(graph),
        )
        built = app.build_app(config.get_settings(), client=client, workers=workers)
        transport = httpx.ASGITransport(built)
        async with (
            built.router.lifespan_context(built),
            httpx.AsyncClient(transport=transport, base_url="http://gateway") as knocking,
        ):
            yield knocking

    return running


@pytest.fixture
async def database(vendor: str) -> AsyncIterator[Database]:
    """Give lanes of the test's own to look into the database from the event loop."""
    lanes = Database(lanes=1, ingest_apart=False)
    yield lanes
    await lanes.aclose(timeout_seconds=5)


@pytest.fixture
def eventually(database: Database) -> Callable[..., Any]:
    """Give a function that waits until a question to the database is answered with true."""

    async def wait(question: Callable[[], Any]) -> Any:
        return await await_until(lambda: database.run_unit(question))

    return wait
