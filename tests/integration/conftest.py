"""Fixtures that run every test of this folder twice: on a SQLite file and on PostgreSQL.

Tests marked `same_everywhere` cannot get different results from the two databases, for example
tests of a page's content. They run on SQLite alone. The second run of pages, API, gateway,
chat and use cases, on PostgreSQL, is left to the whole suite: it is marked `acceptance`.
"""

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Final

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connections
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker

from tests.databases import DatabaseFactory, delete_all_rows, use_database

HERE: Final = f"{Path(__file__).parent}/"
SECOND_RUNS: Final = (
    "backoffice",
    "conversation",
    "gateway",
    "publishing",
    "staff_mail",
    "use_cases",
)
SECOND_RUN_FOLDERS: Final = tuple(f"{HERE}{folder}/" for folder in SECOND_RUNS)
"""Folders whose tests run on PostgreSQL in the whole suite only, not in the inner loop."""

GROUPS_PER_DATABASE: Final = 12
"""Groups of modules per database: small ones, so that all workers are busy to the end."""

_serial = count(1)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test on both databases, or on SQLite alone."""
    same = metafunc.definition.get_closest_marker("same_everywhere") is not None
    vendors = ["sqlite"] if same else ["sqlite", "postgresql"]
    metafunc.parametrize("django_db_setup", vendors, indirect=True, scope="session")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group the tests, so that a worker uses one database at a time."""
    ours = [item for item in items if _is_ours(item)]
    for item in ours:
        if _get_vendor(item) == "postgresql" and str(item.path).startswith(SECOND_RUN_FOLDERS):
            item.add_marker(pytest.mark.acceptance)
    modules = sorted({item.path for item in ours})
    group = {path: place % GROUPS_PER_DATABASE for place, path in enumerate(modules)}
    for item in ours:
        item.add_marker(pytest.mark.xdist_group(f"{_get_vendor(item)}-{group[item.path]}"))


def _is_ours(item: pytest.Item) -> bool:
    return str(item.path).startswith(HERE)


def _get_vendor(item: pytest.Item) -> str:
    assert isinstance(item, pytest.Function)
    return str(item.callspec.params["django_db_setup"])


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker, run_folder: Path
) -> Iterator[None]:
    """Create a migrated database of the parametrised kind and make it the default one."""
    with (
        django_db_blocker.unblock(),
        DatabaseFactory(request.param, run_folder).fresh() as address,
        use_database(address),
        pytest.MonkeyPatch.context() as patched,
    ):
        # Django would empty every table, then have every app fill its own again.
        patched.setattr(TransactionTestCase, "_fixture_teardown", lambda _: delete_all_rows())
        ContentType.objects.clear_cache()  # the other database numbers them differently
        _ = connections["default"].features.supports_json_field  # asks once: tests count queries
        yield


@pytest.fixture(autouse=True)
def on_each_database(django_db_setup: None) -> None:
    """Run every test of this folder on both databases."""


@pytest.fixture
def files_folder(run_folder: Path) -> Path:
    """Return a folder for files of the test; whoever writes the first one makes it.

    `tmp_path` makes a folder for every test and lists all those before, which takes longer than
    many tests do.
    """
    return run_folder / f"files-{os.getpid()}" / str(next(_serial))


@pytest.fixture
def vendor(on_each_database: None) -> str:
    """Return the database that the test runs on: `sqlite` or `postgresql`."""
    return connections["default"].vendor
