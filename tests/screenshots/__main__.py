"""Takes the pictures of the seller's desk that stand in the documentation.

`uv run python -m tests.screenshots docs/pictures`: a shop is made up in a temporary folder, its
clock stands still, and Debian's chromium looks at it; the same pages give the same pictures.
"""

import argparse
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

NOW: Final = datetime(2026, 11, 22, 15, 42, tzinfo=UTC)
PASSWORD: Final = "correct-horse-battery"


@dataclass(frozen=True, slots=True)
class Picture:
    """A screenshot of a page; `path` may contain keys of the sample data, sizes are in pixels."""

    name: str
    path: str
    width: int = 1280
    height: int = 900


PICTURES: Final = (
    Picture("dashboard", "/admin/"),
    Picture("review", "/admin/queue/{alike}/"),
    Picture("order", "/admin/raffles/order/{told}/change/", height=1050),
    Picture("chat", "/admin/whatsapp/whatsappcontact/{asked}/change/", height=1000),
    Picture("numbers", "/admin/numbers/{raffle}/"),
    Picture("draw-seal", "/admin/draws/{hamper}/seal/", height=1150),
    Picture("draw-result", "/admin/draws/{drawn}/result/?stage=yes", height=720),
)


def main() -> None:
    """Create the sample data, serve it and take every screenshot."""
    parser = argparse.ArgumentParser(prog="python -m tests.screenshots", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the pictures are put")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="rafflebot-pictures-") as home,
        _serve_sample_shop(Path(home)) as (address, keys),
    ):
        _take_pictures(address, keys, folder=folder)


@contextmanager
def _serve_sample_shop(home: Path) -> Iterator[tuple[str, dict[str, int]]]:
    """Fill a database and serve the back office with the clock at `NOW`."""
    os.environ.update(
        DJANGO_SETTINGS_MODULE="tests.acceptance.backoffice_settings",
        TEST_STATIC_FOLDER=str(home / "static"),
        DATABASE_URL=f"sqlite:///{home}/shop.sqlite3",
        DJANGO_SECRET_KEY="only-for-pictures-" + "x" * 40,
        DJANGO_DEBUG="false",
        PUBLIC_URL="http://127.0.0.1",
        MEDIA_ROOT=str(home / "media"),
        TIME_ZONE="America/Bogota",
        LOG_LEVEL="WARNING",
    )
    import django
    from django.utils import timezone

    timezone.now = lambda: (
        NOW
    )  # only entry points read the clock; all other code gets the time as an argument
    django.setup()

    from django.core.management import call_command
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

    from tests.screenshots import sample_shop

    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    keys = sample_shop.seed_database(now=NOW, password=PASSWORD)
    from backoffice.wsgi import application  # it looks for the static files when it is imported

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_: object) -> None:
            """Ignore the log message."""

    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet)
    server.set_app(application)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", keys
    finally:
        server.shutdown()


def _take_pictures(address: str, keys: Mapping[str, int], *, folder: Path) -> None:
    from playwright.sync_api import sync_playwright

    from tests.acceptance.backoffice.browser_user import CHROMIUM, CHROMIUM_FLAGS

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        for picture in PICTURES:
            page = browser.new_page(
                viewport={"width": picture.width, "height": picture.height},
                reduced_motion="reduce",
            )
            page.goto(f"{address}/admin/login/")
            page.get_by_label("Username").fill("sofia")
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Log in").click()
            page.wait_for_url(f"{address}/admin/")
            page.goto(address + picture.path.format(**keys), wait_until="networkidle")
            page.wait_for_timeout(1_000)  # wait for the end of animations
            page.screenshot(path=folder / f"{picture.name}.png", animations="disabled")
            print(folder / f"{picture.name}.png")
            page.context.close()
        browser.close()


if __name__ == "__main__":
    main()
