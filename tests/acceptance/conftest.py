"""Houses for the tests here: each module has one a database, whose logs are shown on a failure."""

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from tests.acceptance import house as houses
from tests.acceptance.house import House
from tests.databases import Databases, books


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
) -> Iterator[House]:
    """Give a house with a fresh database and no gateway yet."""
    folder = tmp_path_factory.mktemp("house")
    with (
        django_db_blocker.unblock(),
        Databases(vendor, run_folder).fresh() as address,
        houses.built(vendor=vendor, database=address, folder=folder) as built,
    ):
        with books(address):
            houses.furnish()
        yield built


@pytest.fixture(autouse=True)
def open_books(
    request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Let a test that lives in a house look into its database."""
    if "house" not in request.fixturenames:
        yield
        return
    house: House = request.getfixturevalue("house")
    with django_db_blocker.unblock(), books(house.database):
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show beside a failure what the processes wrote."""
    report = yield
    house = getattr(item, "funcargs", {}).get("house")
    if report.failed and isinstance(house, House):
        report.sections += [(f"log of {name}", words) for name, words in house.logs()]
    return report
