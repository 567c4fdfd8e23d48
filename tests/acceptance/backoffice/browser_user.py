"""A back office user in a real browser, with all errors that the browser reports."""

import shutil
from dataclasses import dataclass, field
from typing import Final

from playwright.sync_api import ConsoleMessage, Page, expect

from tests.acceptance.backoffice.accessibility import list_barriers
from tests.acceptance.backoffice.seed import PASSWORD
from tests.waiting import PATIENCE

CHROMIUM: Final = shutil.which("chromium") or "/usr/bin/chromium"
HEADLESS_CHROMIUM: Final = shutil.which("chromium-headless-shell") or CHROMIUM
"""Without windows and notifications it needs a quarter less processor time."""
CHROMIUM_FLAGS: Final = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--renderer-process-limit=1",  # each starts anew for every window otherwise
]
WINDOW_SIZES: Final = {"wide": (1280, 900), "narrow": (390, 844)}
HIDDEN_BY_SCROLLERS: Final = """
[...document.querySelectorAll("#main *")].filter(
  (box) => box.clientWidth > 0 && box.scrollWidth > box.clientWidth + 1
    && /auto|scroll/.test(getComputedStyle(box).overflowX)
    && !box.matches(".list-tabs, pre, textarea")
).map((box) => `${box.className}: ${box.scrollWidth - box.clientWidth} pixels`)
"""
"""Boxes whose content is wider than they are; a row of tabs may be swiped."""


@dataclass
class BrowserUser:
    """A member of staff; `complaints` collects console errors: of scripts, CSP and HTTP.

    Chromium's console names each answer with a status of 400 and above, whatever it was for.
    """

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE * 1_000)  # milliseconds
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open_page(self, path: str) -> Page:
        self.page.goto(self.address + path)
        self.check_page_fits()
        return self.page

    def log_in(self, name: str) -> None:
        self.open_page("/")
        self.page.get_by_label("Username").fill(name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Log in").click()
        expect(self.page.get_by_role("heading", name="Dashboard")).to_be_visible()

    def resize(self, size: str) -> None:
        """Resize the window and check that the page still fits."""
        width, height = WINDOW_SIZES[size]
        self.page.set_viewport_size({"width": width, "height": height})
        self.check_page_fits()

    def check_page_fits(self) -> None:
        """Wait for the page to load and check that it is not wider than the window."""
        self.page.wait_for_load_state()
        beyond = self.page.locator("html").evaluate("page => page.scrollWidth - page.clientWidth")
        assert beyond <= 0, f"{self.page.url} is {beyond} pixels too wide"

    def check_lists_fit(self, width: int) -> None:
        """Check at a width in pixels that neither the page nor a table in it must be scrolled."""
        self.page.set_viewport_size({"width": width, "height": 900})
        self.check_page_fits()
        hidden = self.page.evaluate(HIDDEN_BY_SCROLLERS)
        assert hidden == [], f"{self.page.url} at {width} pixels hides {hidden}"

    def check_accessibility(self, *, within: str | None = None) -> None:
        """Check with axe-core that the page has no serious or critical violation.

        Checks the whole page, or the part `within` a selector. Ignores what the browser reports
        meanwhile: axe causes it, for instance with the styles it tries.
        """
        before = list(self.complaints)
        barriers = list_barriers(self.page, within=within)
        self.complaints[:] = before
        assert not barriers, f"{self.page.url}\n" + "\n".join(barriers)

    def expect_message(self, words: str) -> None:
        """Wait for a message at the top of the page."""
        expect(self.page.locator("#main .alert").first).to_contain_text(words)

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            where = f"{message.location['url']} on {self.page.url}"
            self.complaints.append(f"{message.text} ({where})")
