"""Houses for the tests here: each module has one a database, whose logs are shown on a failure."""

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Final

import pytest
from pytest_django import DjangoDbBlocker

from tests.acceptance import stack as houses
from tests.acceptance.stack import Stack
from tests.databases import DatabaseFactory, use_database

HERE: Final = f"{Path(__file__).parent}/"
LIMIT: Final = 900
"""Seconds for each test here: processes start slowly, and a slow machine has several at once."""


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None]:
    """Mark every test of this folder, and run those of a module in the order they are written.

    pytest moves tests with parameters of their own behind the others of their module, where they
    would have to start again what those have stopped.
    """
    for item in filter(_is_ours, items):
        item.add_marker(pytest.mark.acceptance)
        item.add_marker(pytest.mark.timeout(LIMIT))
    yield
    ours = sorted(filter(_is_ours, items), key=_place_in_file)
    items[:] = [*ours, *(item for item in items if not _is_ours(item))]


def _is_ours(item: pytest.Item) -> bool:
    return str(item.path).startswith(HERE)


def _place_in_file(item: pytest.Item) -> tuple[str, str, int]:
    assert isinstance(item, pytest.Function)
    callspec = getattr(item, "callspec", None)
    vendor = callspec.params.get("vendor", "") if callspec else ""
    return str(item.path), vendor, item.function.__code__.co_firstlineno


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test that lives in a house on both databases, each module's on one worker."""
    if "vendor" in metafunc.fixturenames:
        module = metafunc.module.__name__.rpartition(".")[2]
        same = metafunc.definition.get_closest_marker("same_everywhere") is not None
        vendors = [
            pytest.param(vendor, marks=pytest.mark.xdist_group(f"{module}-{vendor}"))
            for vendor in (("sqlite",) if same else ("sqlite", "postgresql"))
        ]
        metafunc.parametrize("vendor", vendors, scope="module")


@pytest.fixture(scope="module")
def house(
    vendor: str,
    run_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[Stack]:
    """Give a house with a fresh database and no gateway yet."""
    folder = tmp_path_factory.mktemp("house")
    with (
        django_db_blocker.unblock(),
        DatabaseFactory(vendor, run_folder).fresh() as address,
        houses.run_stack(vendor=vendor, database=address, folder=folder) as built,
    ):
        with use_database(address):
            houses.seed_database()
        yield built


@pytest.fixture(autouse=True)
def open_books(
    request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Let a test that lives in a house look into its database."""
    if "house" not in request.fixturenames:
        yield
        return
    house: Stack = request.getfixturevalue("house")
    with django_db_blocker.unblock(), use_database(house.database):
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show beside a failure what the processes wrote."""
    report = yield
    house = getattr(item, "funcargs", {}).get("house")
    if report.failed and isinstance(house, Stack):
        report.sections += [(f"log of {name}", words) for name, words in house.logs()]
    return report
