"""One back office under gunicorn with production settings, one browser and logged-in users."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, StorageState, expect, sync_playwright
from pytest_django import DjangoDbBlocker

from deploy.child_processes import find_free_ports
from tests.acceptance.backoffice import seed
from tests.acceptance.backoffice.browser_user import (
    CHROMIUM,
    CHROMIUM_FLAGS,
    HEADLESS_CHROMIUM,
    WINDOW_SIZES,
    BrowserUser,
)
from tests.acceptance.gunicorn_server import run_gunicorn
from tests.conftest import skip_or_fail
from tests.databases import DatabaseFactory, use_database
from tests.waiting import PATIENCE

expect.set_options(timeout=PATIENCE * 1_000)  # milliseconds


@dataclass
class BackOfficeServer:
    """A running back office.

    Attributes:
        address: its URL.
        database: URL of its database.
        keys: the primary keys of its seeded rows by name.

    """

    address: str
    database: str
    keys: dict[str, int]

    def run[**P, T](self, step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `step` with the ORM on the server's database.

        It has a thread of its own: Django refuses database access where an event loop runs, which
        is the browser's in the test's thread.
        """

        def call_connected() -> T:
            with use_database(self.database):
                return step(*args, **kwargs)

        with ThreadPoolExecutor(max_workers=1) as thread:
            return thread.submit(call_connected).result()


type OpenBrowser = Callable[..., BrowserUser]
"""Opens a browser window for a user, by user name and window size."""


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    if not Path(CHROMIUM).exists():
        skip_or_fail("no chromium: install Debian's package of that name")
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    chromium = playwright.chromium.launch(executable_path=HEADLESS_CHROMIUM, args=CHROMIUM_FLAGS)
    yield chromium
    chromium.close()


@pytest.fixture
def full_browser(playwright: Playwright) -> Iterator[Browser]:
    """Start the Chromium that can show notifications."""
    chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
    yield chromium
    chromium.close()


@pytest.fixture(scope="package")
def backoffice_server(
    static_folder: Path,
    run_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[BackOfficeServer]:
    with django_db_blocker.unblock(), DatabaseFactory("sqlite", run_folder).fresh() as database:
        folder, [port] = tmp_path_factory.mktemp("backoffice"), find_free_ports(0)
        environment = {
            **os.environ,  # tests.settings has set it
            "DJANGO_SETTINGS_MODULE": "tests.acceptance.backoffice_settings",
            "TEST_STATIC_FOLDER": str(static_folder),
            "DATABASE_URL": database,
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
        }
        with use_database(database):
            keys = seed.seed_database()
            seed.render_proofs()
        with run_gunicorn(port, environment=environment, folder=folder):
            yield BackOfficeServer(environment["PUBLIC_URL"], database, keys)


@pytest.fixture(scope="package")
def sessions(backoffice_server: BackOfficeServer, browser: Browser) -> dict[str, StorageState]:
    """Log each user in once, in a narrow window."""
    return {name: log_in_once(browser, backoffice_server, name) for name in ("olga", "rita")}


@pytest.fixture
def open_browser(
    request: pytest.FixtureRequest,
    backoffice_server: BackOfficeServer,
    browser: Browser,
    sessions: dict[str, StorageState],
) -> Iterator[OpenBrowser]:
    """Open windows for users; at the end, fail if the browser reported an error.

    A test that also asks for `full_browser` gets its windows.
    The server is started before the browser: Django refuses database access while the browser's
    event loop runs.
    """
    if "full_browser" in request.fixturenames:
        browser = request.getfixturevalue("full_browser")
    users: list[BrowserUser] = []

    def open_window(name: str = "olga", size: str = "wide") -> BrowserUser:
        width, height = WINDOW_SIZES[size]
        page = browser.new_page(
            viewport={"width": width, "height": height}, storage_state=sessions[name]
        )
        users.append(BrowserUser(page, backoffice_server.address))
        return users[-1]

    yield open_window
    for user in users:
        user.page.context.close()
    assert [each for user in users for each in user.complaints] == []


def log_in_once(browser: Browser, backoffice_server: BackOfficeServer, name: str) -> StorageState:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    person = BrowserUser(page, backoffice_server.address)
    person.log_in(name)
    state = page.context.storage_state()
    page.context.close()
    assert person.complaints == []
    return state
