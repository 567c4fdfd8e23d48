"""Fixtures that run the real gateway on a real database with a fake Meta."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from gateway import app
from gateway.database import Database
from shared.core import config
from shared.whatsapp.services.meta_client import MetaClient
from tests.graph_transports import MockGraphTransport
from tests.integration.gateway.fake_meta import FakeGraph, RunGateway
from tests.waiting import await_until


@pytest.fixture
def graph() -> FakeGraph:
    return FakeGraph()


@pytest.fixture
def gateway(graph: FakeGraph) -> RunGateway:
    """Return a function that runs the gateway and yields a client of it."""

    @asynccontextmanager
    async def run_gateway(*, workers: bool = True) -> AsyncIterator[httpx.AsyncClient]:
        meta_client = MetaClient(
            base_url="http://127.0.0.1:1",
            version="v26.0",
            token="test_access_token",
            transport=MockGraphTransport(graph),
        )
        built = app.build_app(config.get_settings(), client=meta_client, workers=workers)
        transport = httpx.ASGITransport(built)
        async with (
            built.router.lifespan_context(built),
            httpx.AsyncClient(transport=transport, base_url="http://gateway") as client,
        ):
            yield client

    return run_gateway


@pytest.fixture
async def database(vendor: str) -> AsyncIterator[Database]:
    """Open a database lane of the test's own, for queries from the event loop."""
    lanes = Database(lanes=1, ingest_apart=False)
    yield lanes
    await lanes.aclose(timeout_seconds=5)


@pytest.fixture
def eventually(database: Database) -> Callable[..., Any]:
    """Return a function that waits until a query returns a true value."""

    async def wait(question: Callable[[], Any]) -> Any:
        return await await_until(lambda: database.run_unit(question))

    return wait
