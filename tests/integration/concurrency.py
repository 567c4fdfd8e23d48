"""Helpers for tests of concurrency: calls on several threads at once, and a locked order."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.db import connection, connections, transaction

from shared.raffles.models import Order
from tests.waiting import PATIENCE


def run_at_once[T](calls: Sequence[Callable[[], T]], *, threads: int | None = None) -> list[T]:
    """Make the calls on several threads that all start together; return their results.

    Each thread has a connection of its own.

    Args:
        threads: how many threads share the calls; one per call unless given.

    """
    threads = threads or len(calls)
    barrier = threading.Barrier(threads)
    shares = [calls[place::threads] for place in range(threads)]

    def run_share(share: Sequence[Callable[[], T]]) -> list[T]:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=PATIENCE)
            return [call() for call in share]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(threads) as pool:
        return [result for results in pool.map(run_share, shares) for result in results]


@contextmanager
def lock_in_another_thread(lock: Callable[[], Any]) -> Iterator[None]:
    """Call `lock` in a transaction of another thread, which stays open until the block ends."""
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                lock()
                held.set()
                done.wait(PATIENCE)
        finally:
            connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert held.wait(PATIENCE)
        yield
    finally:
        done.set()
        thread.join()
        connection.close()


@contextmanager
def make_database_busy(order: Order) -> Iterator[None]:
    """Lock an order in another thread and wait no longer than 50 ms for a lock in this one."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA busy_timeout = 50")
        else:
            cursor.execute("SET lock_timeout = '50ms'")
    with lock_in_another_thread(lambda: Order.objects.select_for_update().get(pk=order.pk)):
        yield


def repeat_at_once[T](times: int, act: Callable[[int], T]) -> list[T]:
    """Call `act(0)` to `act(times - 1)` on a thread each, all at once; return their results."""
    return run_at_once([partial(act, turn) for turn in range(times)])
