"""The process stack of each test module and database, with its logs shown on a failure."""

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Final

import pytest
from pytest_django import DjangoDbBlocker

from tests.acceptance.stack import Stack, run_stack, seed_database
from tests.databases import DatabaseFactory, use_database

HERE: Final = f"{Path(__file__).parent}/"
LONG_STORIES: Final = ("test_operations.py", "backoffice/", "test_demo.py", "api/", "test_image.py")
"""What takes longest begins first, or the run would end with all workers waiting for one."""
LIMIT: Final = 900
"""Seconds per test: starting processes is slow, and several start at once."""


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None]:
    """Mark every test of this folder, and put them first, a module's in the order of the file.

    By default pytest runs parametrized tests after the others of their module, where they would
    have to restart the processes that those have stopped.
    """
    for item in filter(_is_ours, items):
        item.add_marker(pytest.mark.acceptance)
        item.add_marker(pytest.mark.timeout(LIMIT))
    yield
    ours = sorted(filter(_is_ours, items), key=_get_place)
    items[:] = [*ours, *(item for item in items if not _is_ours(item))]


def _is_ours(item: pytest.Item) -> bool:
    return str(item.path).startswith(HERE)


def _get_place(item: pytest.Item) -> tuple[int, str, str, int]:
    """Return where a test stands in the order: long stories first, then as in the files."""
    assert isinstance(item, pytest.Function)
    path = str(item.path)
    rank = next(
        (place for place, story in enumerate(LONG_STORIES) if path.startswith(HERE + story)),
        len(LONG_STORIES),
    )
    callspec = getattr(item, "callspec", None)
    vendor = callspec.params.get("vendor", "") if callspec else ""
    return rank, path, vendor, item.function.__code__.co_firstlineno


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test that uses the stack on both databases, each module on one worker."""
    if "vendor" in metafunc.fixturenames:
        module = metafunc.module.__name__.rpartition(".")[2]
        same = metafunc.definition.get_closest_marker("same_everywhere") is not None
        vendors = [
            pytest.param(vendor, marks=pytest.mark.xdist_group(f"{module}-{vendor}"))
            for vendor in (("sqlite",) if same else ("sqlite", "postgresql"))
        ]
        metafunc.parametrize("vendor", vendors, scope="module")


@pytest.fixture(scope="module")
def stack(
    vendor: str,
    run_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[Stack]:
    """Return a stack with a new database and without a gateway."""
    folder = tmp_path_factory.mktemp("stack")
    with (
        django_db_blocker.unblock(),
        DatabaseFactory(vendor, run_folder).fresh() as address,
        run_stack(vendor=vendor, database=address, folder=folder) as built,
    ):
        with use_database(address):
            seed_database()
        yield built


@pytest.fixture(autouse=True)
def use_stack_database(
    request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Connect the ORM of a test that uses the stack to the stack's database."""
    if "stack" not in request.fixturenames:
        yield
        return
    stack: Stack = request.getfixturevalue("stack")
    with django_db_blocker.unblock(), use_database(stack.database):
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the logs of the processes to the report of a failed test."""
    report = yield
    stack = getattr(item, "funcargs", {}).get("stack")
    if report.failed and isinstance(stack, Stack):
        report.sections += [(f"log of {name}", words) for name, words in stack.logs()]
    return report
