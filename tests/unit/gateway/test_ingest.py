"""Tests of group commit: webhooks that arrive together share a commit."""

import asyncio
from collections.abc import Sequence

import pytest
from django.db import OperationalError

from gateway.fair_share import FairShare
from gateway.ingest import (
    MAX_BYTES_PER_COMMIT,
    MAX_PENDING_BYTES,
    MAX_PENDING_WEBHOOKS,
    MAX_WEBHOOKS_PER_COMMIT,
    Ingest,
    WebhookNotStored,
)
from shared.whatsapp.services.inbox.received_webhooks import SignedBody
from tests.waiting import PATIENCE


def build_webhook(number: int, *, size: int = 0) -> SignedBody:
    """Return a webhook that its correlation id tells apart from others."""
    return SignedBody(b" " * size, str(number))


class FakeStore:
    """Fake store whose speed and failures a test controls."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.failures: list[Exception] = []

    async def __call__(self, batch: Sequence[SignedBody]) -> None:
        await self.open.wait()
        if self.failures:
            raise self.failures.pop(0)
        self.batches.append([int(webhook.correlation_id) for webhook in batch])


@pytest.fixture
def announced() -> list[int]:
    """Return a list with a 1 for each commit that was announced."""
    return []


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def ingest(store: FakeStore, announced: list[int]) -> Ingest:
    share = FairShare(0.5, is_other_work_due=lambda: False)
    return Ingest(store, committed=lambda _: announced.append(1), share=share)


class TestIngest:
    async def test_one_alone_is_stored_at_once(self, ingest: Ingest, store: FakeStore) -> None:
        await asyncio.wait_for(ingest.store(build_webhook(1)), timeout=PATIENCE)

        assert store.batches == [[1]]

    async def test_those_that_arrive_during_a_commit_share_the_next(
        self, ingest: Ingest, store: FakeStore, announced: list[int]
    ) -> None:
        store.open.clear()
        first = asyncio.create_task(ingest.store(build_webhook(0)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        others = [
            asyncio.create_task(ingest.store(build_webhook(number))) for number in range(1, 64)
        ]
        await asyncio.sleep(0)
        store.open.set()

        await asyncio.gather(first, *others)

        assert [len(batch) for batch in store.batches] == [1, 63]
        assert announced == [1, 1]

    async def test_nobody_is_told_before_the_commit(self, ingest: Ingest, store: FakeStore) -> None:
        store.open.clear()
        keeping = asyncio.create_task(ingest.store(build_webhook(1)))
        await asyncio.sleep(0.02)

        assert not keeping.done()
        store.open.set()
        await keeping

    async def test_a_batch_has_a_largest_size(self, ingest: Ingest, store: FakeStore) -> None:
        await asyncio.gather(
            *(ingest.store(build_webhook(number)) for number in range(MAX_WEBHOOKS_PER_COMMIT + 10))
        )

        assert [len(batch) for batch in store.batches] == [MAX_WEBHOOKS_PER_COMMIT, 10]

    async def test_a_failure_refuses_its_whole_batch_and_the_next_one_goes_on(
        self, ingest: Ingest, store: FakeStore, announced: list[int]
    ) -> None:
        store.failures.append(OperationalError("the database is away"))

        refused = await asyncio.gather(
            *(ingest.store(build_webhook(number)) for number in range(3)), return_exceptions=True
        )
        await ingest.store(build_webhook(9))

        assert [type(outcome) for outcome in refused] == [WebhookNotStored] * 3
        assert store.batches == [[9]]
        assert announced == [1]

    async def test_a_client_that_has_gone_neither_loses_nor_wedges_the_batch(
        self, ingest: Ingest, store: FakeStore
    ) -> None:
        store.open.clear()
        before = asyncio.create_task(ingest.store(build_webhook(0)))
        await asyncio.sleep(0.01)
        gone, stays = (
            asyncio.create_task(ingest.store(build_webhook(1))),
            asyncio.create_task(ingest.store(build_webhook(2))),
        )
        await asyncio.sleep(0.01)
        before.cancel()
        gone.cancel()
        await asyncio.sleep(0.01)
        store.open.set()

        await stays
        await ingest.store(build_webhook(3))

        assert store.batches == [[0], [1, 2], [3]]

    async def test_too_many_pending_are_refused_at_once(
        self, ingest: Ingest, store: FakeStore
    ) -> None:
        store.open.clear()
        waiting = [
            asyncio.create_task(ingest.store(build_webhook(number)))
            for number in range(MAX_PENDING_WEBHOOKS)
        ]
        await asyncio.sleep(0.05)
        more = [
            asyncio.create_task(ingest.store(build_webhook(number)))
            for number in range(MAX_WEBHOOKS_PER_COMMIT + 1)
        ]
        await asyncio.sleep(0.05)

        refused = [task for task in more if task.done()]

        assert len(refused) == 1
        with pytest.raises(WebhookNotStored):
            await refused[0]
        store.open.set()
        await asyncio.gather(*waiting, *(task for task in more if task not in refused))

    async def test_large_bodies_share_fewer_commits_and_are_refused_before_memory_ends(
        self, ingest: Ingest, store: FakeStore
    ) -> None:
        store.open.clear()
        size = MAX_BYTES_PER_COMMIT // 2
        room = MAX_PENDING_BYTES // size
        first = asyncio.create_task(ingest.store(build_webhook(0, size=size)))
        await asyncio.sleep(0.01)
        waiting = [
            asyncio.create_task(ingest.store(build_webhook(number, size=size)))
            for number in range(room)
        ]
        await asyncio.sleep(0.01)

        with pytest.raises(WebhookNotStored):
            await ingest.store(build_webhook(99, size=size))
        store.open.set()
        await asyncio.gather(first, *waiting)

        assert [len(batch) for batch in store.batches] == [1, *[2] * (room // 2)]

    async def test_drained_returns_when_nothing_is_pending(
        self, ingest: Ingest, store: FakeStore
    ) -> None:
        keeping = [
            asyncio.create_task(ingest.store(build_webhook(number))) for number in range(300)
        ]
        await asyncio.sleep(0)

        await ingest.drain(timeout_seconds=5)

        assert sum(map(len, store.batches)) == 300
        await asyncio.gather(*keeping)
