"""One back office, with a thing for each address of its API, for all tests here."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from tests.acceptance.api import seed
from tests.acceptance.api.seed import Furnished
from tests.acceptance.gunicorn_server import free_port, gunicorn
from tests.databases import Databases, books


@dataclass
class Office:
    """A back office that runs, and what it was furnished with."""

    address: str
    made: Furnished


@pytest.fixture(scope="package")
def office(
    run_folder: Path, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[Office]:
    with django_db_blocker.unblock(), Databases("sqlite", run_folder).fresh() as database:
        folder, port = tmp_path_factory.mktemp("office"), free_port()
        with books(database):
            made = seed.furnish()
        environment = {
            **os.environ,  # tests.settings has set it
            "DJANGO_SETTINGS_MODULE": "backoffice.settings",
            "DATABASE_URL": database,
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "API_REQUESTS_PER_MINUTE": "0",
        }
        with gunicorn(port, environment=environment, folder=folder):
            yield Office(f"http://127.0.0.1:{port}", made)
