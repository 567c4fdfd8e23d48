"""One running back office for all API tests, seeded with data for every URL of the API."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from deploy.child_processes import find_free_ports
from tests.acceptance.api import seed
from tests.acceptance.api.seed import SeededApi
from tests.acceptance.gunicorn_server import run_gunicorn
from tests.databases import DatabaseFactory, use_database


@dataclass
class ApiServer:
    """A running back office and its seeded data."""

    address: str
    seeded: SeededApi


@pytest.fixture(scope="package")
def api_server(
    run_folder: Path, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[ApiServer]:
    with django_db_blocker.unblock(), DatabaseFactory("sqlite", run_folder).fresh() as database:
        folder, [port] = tmp_path_factory.mktemp("api_server"), find_free_ports(0)
        with use_database(database):
            seeded = seed.seed_database()
        environment = {
            **os.environ,  # tests.settings has set it
            "DJANGO_SETTINGS_MODULE": "backoffice.settings",
            "DATABASE_URL": database,
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "API_REQUESTS_PER_MINUTE": "0",
        }
        with run_gunicorn(port, environment=environment, folder=folder):
            yield ApiServer(f"http://127.0.0.1:{port}", seeded)
