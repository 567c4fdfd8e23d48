"""Opens pages over a busy month's books, and times each, cold and warm."""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.benchmarks.support import databases, table
from tests.benchmarks.support.databases import Kind

if TYPE_CHECKING:
    from django.http import StreamingHttpResponse
    from django.test import Client

COLD: Final = 3
"""Times a page is opened cold; the median counts."""
WARM: Final = 7
KINDS: Final[tuple[Kind, ...]] = ("sqlite", "postgresql")


@dataclass(frozen=True, slots=True)
class Page:
    """What is opened, and what it may take.

    Attributes:
        name: in the table.
        path: where it is.
        form: what is posted, if it is posted.
        most_queries: queries of the most expensive time.
        most_ms: milliseconds of the median, warm.
        most_cold_ms: the same, cold: over a new connection to the database.

    """

    name: str
    path: str
    form: dict[str, str] | None = None
    most_queries: int = 12
    most_ms: int = 300
    most_cold_ms: int = 300


@dataclass(slots=True)
class Timed:
    """What opening a page took: queries of the most expensive time, and milliseconds."""

    page: Page
    queries: int = 0
    cold: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)

    @property
    def slow(self) -> bool:
        """Whether it is beyond what the page may take."""
        return (
            self.queries > self.page.most_queries
            or statistics.median(self.warm) > self.page.most_ms
            or statistics.median(self.cold) > self.page.most_cold_ms
        )

    def cells(self) -> list[str]:
        """Write the figures, and what they may be."""
        figures = statistics.median(self.cold), statistics.median(self.warm)
        worst = max(self.cold + self.warm)
        most = f"{self.page.most_queries}, {self.page.most_cold_ms}, {self.page.most_ms} ms"
        return [self.page.name, str(self.queries), *(f"{ms:.0f}" for ms in (*figures, worst)), most]


def measure_pages(
    what: str, *, visitor: "Callable[[], Client]", pages: Callable[[], Sequence[Page]]
) -> None:
    """Open the pages over a busy month on both databases, and show what each took.

    Args:
        what: what the table is called.
        visitor: makes who opens them; called once the books are written.
        pages: lists them, with one of what each shows.

    Raises:
        SystemExit: if a page takes more than it may.

    """
    slow = [name for kind in KINDS for name in _measured(kind, what, visitor=visitor, pages=pages)]
    if slow:
        raise SystemExit(f"more than it may take: {', '.join(slow)}")


def seed_busy_month() -> None:
    """Write a busy month into the default database, which is empty and migrated."""
    from tests.benchmarks.support.busy_month import Month

    Month(now=datetime.now(UTC)).write()


def _measured(
    kind: Kind,
    what: str,
    *,
    visitor: "Callable[[], Client]",
    pages: Callable[[], Sequence[Page]],
) -> list[str]:
    with databases.fresh(kind), _production():
        began = time.perf_counter()
        seed_busy_month()
        seeded = time.perf_counter() - began
        client = visitor()
        found = [_timed(client, page) for page in pages()]
    table.print_table(
        f"{what} over a busy month on {kind} (written in {seeded:.0f} s)",
        columns=["page", "queries", "cold ms", "warm ms", "worst ms", "at most"],
        rows=[timed.cells() for timed in found],
    )
    return [f"{timed.page.name} on {kind}" for timed in found if timed.slow]


@contextmanager
def _production() -> Iterator[None]:
    """Serve as in production: no DEBUG, hashed static files."""
    from django.core.management import call_command
    from django.test import override_settings
    from django.test.utils import setup_test_environment, teardown_test_environment

    with (
        tempfile.TemporaryDirectory(prefix="rafflebot-screens-") as folder,
        override_settings(DEBUG=False, STATIC_ROOT=Path(folder), WHITENOISE_USE_FINDERS=False),
    ):
        call_command("collectstatic", interactive=False, verbosity=0)
        setup_test_environment(debug=False)
        try:
            yield
        finally:
            teardown_test_environment()


def _timed(client: "Client", page: Page) -> Timed:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    timed = Timed(page)
    for _ in range(COLD):
        _forget()
        timed.cold.append(_ms(lambda: _open(client, page)))
    for _ in range(WARM):
        timed.warm.append(_ms(lambda: _open(client, page)))
    _forget()
    with CaptureQueriesContext(
        connection,
    ) as captured:
        _open(client, page)
    timed.queries = len(captured)
    return timed


def _forget() -> None:
    """Let the next request find a process as if it had just started."""
    from django.core.cache import cache
    from django.db import connection

    from shared.raffles.services import availability

    cache.clear()
    availability.clear_counts_cache()
    connection.close()
    connection.ensure_connection()


def _ms(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def _open(client: "Client", page: Page) -> None:
    """Open a page to its end; of a file that streams only the first bytes."""
    answer = client.get(page.path) if page.form is None else client.post(page.path, page.form)
    if answer.status_code != 200:
        raise SystemExit(f"{page.name}: {answer.status_code} at {page.path}")
    if answer.streaming:
        _first_bytes(answer)  # type: ignore[arg-type]


def _first_bytes(answer: "StreamingHttpResponse") -> None:
    parts = iter(answer.streaming_content)  # type: ignore[arg-type]
    assert next(parts)
    answer.close()
