"""The seller's work in a real browser, against gunicorn with production's settings."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Page,
    Response,
    StorageState,
    expect,
    sync_playwright,
)

from tests.acceptance.backoffice_seed import PASSWORD
from tests.conftest import unavailable

pytestmark = [pytest.mark.acceptance, pytest.mark.browser, pytest.mark.xdist_group("browser")]

CHROMIUM: Final = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS: Final = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES: Final = {"wide": (1280, 900), "narrow": (390, 844)}
ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass
class Shop:
    """A running back office, and the orders its database was filled with."""

    address: str
    orders: dict[str, int]


@dataclass
class Seller:
    """Somebody at a browser, and everything the browser complained of."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("response", self._note_failure)

    def open(self, path: str) -> Page:
        self.page.goto(self.address + path)
        self.sees_a_page_that_fits()
        return self.page

    def log_in(self) -> None:
        self.open("/")
        self.page.get_by_placeholder("Username").fill("olga")
        self.page.get_by_placeholder("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Log in").click()
        expect(self.page.get_by_text("Payments to review")).to_be_visible()

    def sees_a_page_that_fits(self) -> None:
        """Compare what the page wants with what the window has, in pixels."""
        beyond = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert beyond <= 0, f"{self.page.url} is {beyond} pixels too wide"

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.text} ({self.page.url})")

    def _note_failure(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status} {response.url}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        unavailable("no chromium: install Debian's package of that name")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "tests.acceptance.backoffice_settings",
        "TEST_STATIC_FOLDER": str(folder / "static"),
        "DATABASE_URL": f"sqlite:///{folder}/shop.sqlite3",
        "DJANGO_SECRET_KEY": "only-for-this-test-" + "x" * 40,
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "MEDIA_ROOT": str(folder / "media"),
        "LOG_LEVEL": "WARNING",
    }

    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", *arguments]
        done = subprocess.run(
            command, env=environment, cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("backoffice.manage", "migrate", "--verbosity=0")
    run("backoffice.manage", "collectstatic", "--noinput", "--verbosity=0")
    orders = json.loads(run("tests.acceptance.backoffice_seed"))
    with gunicorn(port, environment=environment, folder=folder):
        yield Shop(f"http://127.0.0.1:{port}", orders)


@contextmanager
def gunicorn(port: int, *, environment: dict[str, str], folder: Path) -> Iterator[None]:
    arguments = ["--bind", f"127.0.0.1:{port}", "--threads", "4", "--no-control-socket"]
    with (folder / "gunicorn.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "backoffice.wsgi:application", *arguments],
            env=environment,
            cwd=folder,
            stdout=log,
            stderr=log,
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/readyz")
            yield
        finally:
            server.terminate()
            server.wait(20)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(address: str) -> None:
    for _ in range(150):
        try:
            if httpx.get(address).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    pytest.fail(f"{address} does not answer")


@pytest.fixture(scope="module")
def logged_in(browser: Browser, shop: Shop) -> StorageState:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    seller = Seller(page, shop.address)
    seller.log_in()
    state = page.context.storage_state()
    page.context.close()
    assert seller.complaints == []
    return state


@pytest.mark.parametrize("size", SIZES)
class TestSeller:
    @pytest.fixture
    def seller(
        self, browser: Browser, shop: Shop, logged_in: StorageState, size: str
    ) -> Iterator[Seller]:
        width, height = SIZES[size]
        page = browser.new_page(
            viewport={"width": width, "height": height}, storage_state=logged_in
        )
        seller = Seller(page, shop.address)
        yield seller
        page.context.close()
        assert seller.complaints == []

    def test_sees_the_picture_and_confirms_the_payment(
        self, seller: Seller, shop: Shop, size: str, tmp_path: Path
    ) -> None:
        page = seller.open(f"/admin/raffles/order/{shop.orders[size]}/change/")
        picture = page.get_by_alt_text("The picture the buyer sent")
        expect(picture).to_be_visible()
        assert picture.evaluate("image => image.naturalWidth") == 720
        page.screenshot(path=tmp_path / f"order-{size}.png", full_page=True)

        page.get_by_role("button", name="Confirm payment of $100.00").click()

        expect(page.get_by_role("alert").first).to_contain_text("are sold")
        expect(page.locator(".decision")).to_contain_text("confirmed by olga")
        expect(page.get_by_role("button", name=re.compile("Confirm"))).to_have_count(0)
        seller.sees_a_page_that_fits()

    def test_is_asked_once_more_before_an_order_is_cancelled(
        self, seller: Seller, size: str
    ) -> None:
        page = seller.open("/admin/raffles/order/?status=PENDING_PAYMENT&review=none")
        page.locator("#result_list .field-code a").first.click()

        page.get_by_role("button", name=re.compile("Cancel the order")).click()
        seller.sees_a_page_that_fits()
        page.get_by_role("button", name="Yes, cancel the order").click()

        expect(page.get_by_role("alert").first).to_contain_text("is cancelled")

    def test_filters_and_searches_the_list_as_jazzmin_draws_it(
        self, seller: Seller, size: str
    ) -> None:
        page = seller.open("/admin/raffles/order/")
        code = page.locator("#result_list .field-code a").last.inner_text()

        page.locator("#searchbar").fill(code.lower().replace("r-", "r "))
        page.get_by_role("button", name="Search").last.click()

        assert page.locator("#result_list .field-code a").all_inner_texts() == [code]
        seller.sees_a_page_that_fits()

    def test_finds_every_page_whole(self, seller: Seller, size: str) -> None:
        for path in (
            "/admin/",
            "/admin/raffles/raffle/",
            "/admin/raffles/raffle/add/",
            "/admin/raffles/raffle/1/change/",
            "/admin/raffles/order/?p=2",
            "/admin/raffles/paymentproof/",
            "/admin/whatsapp/outboundmessage/",
            "/admin/whatsapp/whatsappcontact/1/change/",
            "/admin/whatsapp/alarm/",
            "/admin/auth/user/1/change/",
            "/admin/password_change/",
        ):
            seller.open(path)
