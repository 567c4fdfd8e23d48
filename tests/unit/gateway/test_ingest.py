"""Tests of group commit: webhooks that arrive together share a commit."""

import asyncio
from collections.abc import Sequence

import pytest
from django.db import OperationalError

from gateway.ingest import (
    MAX_PENDING_WEBHOOKS,
    MAX_WEBHOOKS_PER_COMMIT,
    Ingest,
    WebhookNotStored,
)
from tests.waiting import PATIENCE


class FakeStore:
    """Fake store whose speed and failures a test controls."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.failures: list[Exception] = []
        self.bad: set[int] = set()

    async def __call__(self, batch: Sequence[int]) -> int:
        await self.open.wait()
        if self.failures:
            raise self.failures.pop(0)
        if self.bad & set(batch):
            raise ValueError("a bug")
        self.batches.append(list(batch))
        return len(batch)


@pytest.fixture
def announced() -> list[int]:
    """Return the list of the results that were announced after each commit."""
    return []


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def ingest(store: FakeStore, announced: list[int]) -> Ingest[int, int]:
    return Ingest(store, committed=announced.append)


class TestIngest:
    async def test_one_alone_is_stored_at_once(
        self, ingest: Ingest[int, int], store: FakeStore
    ) -> None:
        await asyncio.wait_for(ingest.store(1), timeout=PATIENCE)

        assert store.batches == [[1]]

    async def test_those_that_arrive_during_a_commit_share_the_next(
        self, ingest: Ingest[int, int], store: FakeStore, announced: list[int]
    ) -> None:
        store.open.clear()
        first = asyncio.create_task(ingest.store(0))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        others = [asyncio.create_task(ingest.store(number)) for number in range(1, 64)]
        await asyncio.sleep(0)
        store.open.set()

        await asyncio.gather(first, *others)

        assert [len(batch) for batch in store.batches] == [1, 63]
        assert announced == [1, 63]

    async def test_nobody_is_told_before_the_commit(
        self, ingest: Ingest[int, int], store: FakeStore
    ) -> None:
        store.open.clear()
        keeping = asyncio.create_task(ingest.store(1))
        await asyncio.sleep(0.02)

        assert not keeping.done()
        store.open.set()
        await keeping

    async def test_a_batch_has_a_largest_size(
        self, ingest: Ingest[int, int], store: FakeStore
    ) -> None:
        await asyncio.gather(
            *(ingest.store(number) for number in range(MAX_WEBHOOKS_PER_COMMIT + 10))
        )

        assert [len(batch) for batch in store.batches] == [MAX_WEBHOOKS_PER_COMMIT, 10]

    async def test_a_failure_refuses_its_whole_batch_and_the_next_one_goes_on(
        self, ingest: Ingest[int, int], store: FakeStore, announced: list[int]
    ) -> None:
        store.failures.append(OperationalError("the database is away"))

        refused = await asyncio.gather(
            *(ingest.store(number) for number in range(3)), return_exceptions=True
        )
        await ingest.store(9)

        assert [type(outcome) for outcome in refused] == [WebhookNotStored] * 3
        assert store.batches == [[9]]
        assert announced == [1]

    async def test_one_that_cannot_be_stored_does_not_spoil_the_others(
        self, ingest: Ingest[int, int], store: FakeStore
    ) -> None:
        store.bad.add(2)

        outcomes = await asyncio.gather(
            *(ingest.store(number) for number in range(5)), return_exceptions=True
        )

        assert [type(outcome) for outcome in outcomes] == [
            type(None),
            type(None),
            WebhookNotStored,
            type(None),
            type(None),
        ]
        assert store.batches == [[0], [1], [3], [4]]

    async def test_a_client_that_has_gone_neither_loses_nor_wedges_the_batch(
        self, ingest: Ingest[int, int], store: FakeStore
    ) -> None:
        store.open.clear()
        before = asyncio.create_task(ingest.store(0))
        await asyncio.sleep(0.01)
        gone, stays = asyncio.create_task(ingest.store(1)), asyncio.create_task(ingest.store(2))
        await asyncio.sleep(0.01)
        before.cancel()
        gone.cancel()
        await asyncio.sleep(0.01)
        store.open.set()

        await stays
        await ingest.store(3)

        assert store.batches == [[0], [1, 2], [3]]

    async def test_too_many_pending_are_refused_at_once(
        self, ingest: Ingest[int, int], store: FakeStore
    ) -> None:
        store.open.clear()
        waiting = [
            asyncio.create_task(ingest.store(number)) for number in range(MAX_PENDING_WEBHOOKS)
        ]
        await asyncio.sleep(0.05)
        more = [
            asyncio.create_task(ingest.store(number))
            for number in range(MAX_WEBHOOKS_PER_COMMIT + 1)
        ]
        await asyncio.sleep(0.05)

        refused = [task for task in more if task.done()]

        assert len(refused) == 1
        with pytest.raises(WebhookNotStored):
            await refused[0]
        store.open.set()
        await asyncio.gather(*waiting, *(task for task in more if task not in refused))

    async def test_drained_returns_when_nothing_is_pending(
        self, ingest: Ingest[int, int], store: FakeStore
    ) -> None:
        keeping = [asyncio.create_task(ingest.store(number)) for number in range(300)]
        await asyncio.sleep(0)

        await ingest.drain(timeout_seconds=5)

        assert sum(map(len, store.batches)) == 300
        await asyncio.gather(*keeping)
