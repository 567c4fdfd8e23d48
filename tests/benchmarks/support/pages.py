"""Measuring of pages with the data of a busy month, cold and warm."""

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
from tests.benchmarks.support.figures import Figure, Options, Results, at_most

if TYPE_CHECKING:
    from django.http import StreamingHttpResponse
    from django.test import Client

COLD_REQUESTS: Final = 3
"""Number of cold requests per page; the median counts."""
WARM_REQUESTS: Final = 7


@dataclass(frozen=True, slots=True)
class Page:
    """A page and its limits.

    Attributes:
        name: name in the table of results.
        path: path of the URL.
        form: data to post; None for a GET request.
        max_queries: limit of database queries.
        max_ms: limit of the median of warm requests in milliseconds.
        max_cold_ms: limit of the median of cold requests in milliseconds.

    """

    name: str
    path: str
    form: dict[str, str] | None = None
    max_queries: int = 12
    max_ms: int = 300
    max_cold_ms: int = 300


@dataclass(slots=True)
class PageTiming:
    """Measurements of a page: queries of a cold request, and milliseconds of all requests."""

    page: Page
    queries: int = 0
    cold: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)

    @property
    def measures(self) -> list[tuple[str, str, float, int]]:
        """Return each measurement: its name, its unit, the median and the limit."""
        return [
            ("warm", "ms", statistics.median(self.warm), self.page.max_ms),
            ("cold", "ms", statistics.median(self.cold), self.page.max_cold_ms),
            ("cold", "queries", self.queries, self.page.max_queries),
        ]

    def format_cells(self) -> list[str]:
        """Return the cells of a table row: the results and the limits."""
        figures = statistics.median(self.cold), statistics.median(self.warm)
        worst = max(self.cold + self.warm)
        most = f"{self.page.max_queries}, {self.page.max_cold_ms}, {self.page.max_ms} ms"
        return [self.page.name, str(self.queries), *(f"{ms:.0f}" for ms in (*figures, worst)), most]


def measure_pages(
    benchmark: str,
    options: Options,
    *,
    visitor: "Callable[[], Client]",
    pages: Callable[[], Sequence[Page]],
) -> list[Figure]:
    """Measure pages with a busy month, print all of them, and return the slowest as figures.

    Args:
        benchmark: name of the benchmark.
        options: options of the command line.
        visitor: returns the client; called after the data is written.
        pages: returns the pages; called after the data is written.

    """
    with databases.create_database(options.database), _use_production_settings():
        began = time.perf_counter()
        seed_busy_month()
        seeded = time.perf_counter() - began
        client = visitor()
        requests = (1, 1) if options.quick else (COLD_REQUESTS, WARM_REQUESTS)
        measured = [
            _measure_page(client, page, cold=requests[0], warm=requests[1]) for page in pages()
        ]
    table.print_table(
        f"{benchmark} over a busy month on {options.database} (written in {seeded:.0f} s)",
        columns=["page", "queries", "cold ms", "warm ms", "worst ms", "at most"],
        rows=[timed.format_cells() for timed in measured],
    )
    results = Results(benchmark, options.database)
    _add_slowest(results, measured)
    return results.figures


def _add_slowest(results: Results, measured: Sequence[PageTiming]) -> None:
    """Add the slowest page of each limit, and by its name each page that exceeds it."""
    groups: dict[tuple[str, str, int], list[tuple[float, str]]] = {}
    for timed in measured:
        for name, unit, value, limit in timed.measures:
            groups.setdefault((name, unit, limit), []).append((value, timed.page.name))
    for (name, unit, limit), found in groups.items():
        words = f"{name}, most of {len(found)} pages"
        results.add(words, max(found)[0], unit, goal=at_most(limit))
        for value, page in found:
            if value > limit:
                results.add(f"{name}: {page}", value, unit, goal=at_most(limit))


def seed_busy_month() -> None:
    """Write a busy month into the default database, which must be empty and migrated."""
    from tests.benchmarks.support.busy_month import Month

    Month(now=datetime.now(UTC)).write()


@contextmanager
def _use_production_settings() -> Iterator[None]:
    """Use production settings: no DEBUG, hashed static files."""
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


def _measure_page(client: "Client", page: Page, *, cold: int, warm: int) -> PageTiming:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    timed = PageTiming(page)
    for _ in range(cold):
        _make_cold()
        timed.cold.append(_measure_ms(lambda: _open_page(client, page)))
    for _ in range(warm):
        timed.warm.append(_measure_ms(lambda: _open_page(client, page)))
    _make_cold()
    with CaptureQueriesContext(connection) as captured:
        _open_page(client, page)
    timed.queries = len(captured)
    return timed


def _make_cold() -> None:
    """Clear caches and reconnect, so that the next request is a cold one."""
    from django.core.cache import cache
    from django.db import connection

    from shared.raffles.services import availability

    cache.clear()
    availability.clear_counts_cache()
    connection.close()
    connection.ensure_connection()


def _measure_ms(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def _open_page(client: "Client", page: Page) -> None:
    """Request a page; of a streamed file read only the first bytes."""
    answer = client.get(page.path) if page.form is None else client.post(page.path, page.form)
    if answer.status_code != 200:
        raise SystemExit(f"{page.name}: {answer.status_code} at {page.path}")
    if answer.streaming:
        _read_first_bytes(answer)  # type: ignore[arg-type]


def _read_first_bytes(answer: "StreamingHttpResponse") -> None:
    parts = iter(answer.streaming_content)  # type: ignore[arg-type]
    assert next(parts)
    answer.close()
