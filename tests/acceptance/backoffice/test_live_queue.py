"""Tests of the review queue while it stays open: new proofs, notifications, the end of a session.

The browser's clock is moved on by hand, so no test waits for the next poll.
"""

import re
from typing import Final

import pytest
from playwright.sync_api import Page, Route, expect

from tests.acceptance.backoffice import gateway_steps
from tests.acceptance.backoffice.browser_user import BrowserUser
from tests.acceptance.backoffice.conftest import BackOfficeServer, OpenBrowser

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

ONE_POLL: Final = 15_000
"""Milliseconds after which a page in sight has asked."""
ONE_HIDDEN_POLL: Final = 40_000

RECORD_NOTIFICATIONS: Final = """
window.notes = [];
window.Notification = class extends window.Notification {
  constructor(title, options) { super(title, options); window.notes.push(this); }
};
"""
HIDE: Final = """
Object.defineProperty(document, "hidden", { get: () => true, configurable: true });
document.dispatchEvent(new Event("visibilitychange"));
"""
SHOW: Final = """
delete document.hidden;
document.dispatchEvent(new Event("visibilitychange"));
"""


def open_queue(person: BrowserUser, server: BackOfficeServer, name: str) -> Page:
    """Open the queue of one raffle with a clock that is moved by hand."""
    person.page.clock.install()
    return person.open_page(f"/admin/queue/?raffle={server.keys[name]}")


def receive_proofs(server: BackOfficeServer, name: str, *numbers: int) -> None:
    """Place orders with proofs; those of smaller numbers come first in the queue."""
    server.run(gateway_steps.place_orders, server.keys[name], *numbers)


@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_a_new_proof_appears_without_moving_what_is_in_use(
    open_browser: OpenBrowser, backoffice_server: BackOfficeServer, size: str
) -> None:
    person, name = open_browser("rita", size), f"live_{size}"
    page = open_queue(person, backoffice_server, name)
    expect(page).to_have_title(re.compile(r"^Review queue"))
    expect(page.get_by_text("New proofs appear here")).to_be_visible()

    receive_proofs(backoffice_server, name, 1)
    page.clock.fast_forward(ONE_POLL)

    expect(page.locator(".row-card")).to_have_count(1)
    expect(page).to_have_title(re.compile(r"^\(1\) Review queue"))
    expect(page.get_by_role("status").first).to_have_text("1 new in the list. 1 waits for you.")
    page.locator(".row-card .code").focus()
    before = page.locator(".row-card").bounding_box()

    receive_proofs(backoffice_server, name, 2)
    page.clock.fast_forward(ONE_POLL)

    expect(page.locator(".row-card")).to_have_count(2)
    expect(page).to_have_title(re.compile(r"^\(2\) "))
    expect(page.locator(".row-card").first.locator(".code")).to_be_focused()
    assert page.locator(".row-card").first.bounding_box() == before
    expect(page.get_by_role("link", name=re.compile("Start reviewing"))).to_be_visible()
    person.check_page_fits()
    person.check_accessibility(within="#main")


def test_a_long_list_stays_where_it_is_read(
    open_browser: OpenBrowser, backoffice_server: BackOfficeServer
) -> None:
    receive_proofs(backoffice_server, "live_long", 3, 4, 5, 6, 7, 8, 9, 10)
    person = open_browser("rita", "narrow")
    page = open_queue(person, backoffice_server, "live_long")
    last = page.locator(".row-card").last.locator(".code")
    last.scroll_into_view_if_needed()
    last.focus()
    before = last.bounding_box()

    receive_proofs(backoffice_server, "live_long", 1, 2)  # they go above all others
    page.clock.fast_forward(ONE_POLL)

    expect(page.locator(".row-card")).to_have_count(10)
    expect(last).to_be_focused()
    after = last.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(after["y"] - before["y"]) < 2


@pytest.mark.usefixtures("full_browser")
def test_a_hidden_tab_counts_and_notifies_whoever_asked_for_it(
    open_browser: OpenBrowser, backoffice_server: BackOfficeServer
) -> None:
    person = open_browser("rita")
    person.page.context.grant_permissions(["notifications"])
    person.page.add_init_script(RECORD_NOTIFICATIONS)
    page = open_queue(person, backoffice_server, "live_hidden")
    page.get_by_role("button", name="Notify me of new proofs").click()
    expect(page.get_by_role("button", name="Notifications are on")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Notifications are on")).to_be_visible()
    assert page.evaluate("notes.length") == 0

    page.evaluate(HIDE)
    receive_proofs(backoffice_server, "live_hidden", 1)
    page.clock.fast_forward(ONE_HIDDEN_POLL)

    expect(page).to_have_title(re.compile(r"^\(1\) "))
    assert page.evaluate("notes.map((note) => [note.title, note.body])") == [
        ["A new payment proof waits", "1 waits for you."]
    ]
    expect(page.locator(".row-card")).to_have_count(0)  # nobody looks
    page.evaluate(SHOW)
    expect(page.locator(".row-card")).to_have_count(1)


def test_a_session_that_ends_stops_the_polls_and_leads_to_the_login(
    open_browser: OpenBrowser, backoffice_server: BackOfficeServer
) -> None:
    person = open_browser("rita")
    page = open_queue(person, backoffice_server, "live_hidden")
    polls: list[str] = []
    page.on("request", lambda request: polls.append(request.url))
    [session] = [each for each in page.context.cookies() if each["name"] == "sessionid"]
    page.context.clear_cookies(name="sessionid")

    page.clock.fast_forward(ONE_POLL)

    box = page.locator("[data-news]")
    expect(box).to_contain_text("You are logged out")
    here = f"next=%2Fadmin%2Fqueue%2F%3Fraffle%3D{backoffice_server.keys['live_hidden']}"
    expect(box.get_by_role("link", name="Log in")).to_have_attribute("href", re.compile(here))
    asked = len(polls)
    page.clock.fast_forward(10 * ONE_POLL)
    assert len(polls) == asked

    page.context.add_cookies(  # logged in again in another tab
        [{"name": "sessionid", "value": session["value"], "url": backoffice_server.address}]
    )
    page.evaluate(SHOW)
    expect(box).to_be_empty()


def test_a_review_page_says_that_its_session_has_ended(
    open_browser: OpenBrowser, backoffice_server: BackOfficeServer
) -> None:
    person = open_browser("rita")
    person.page.clock.install()
    page = person.open_page(f"/admin/queue/{backoffice_server.keys['many']}/")
    page.context.clear_cookies(name="sessionid")

    page.clock.fast_forward(ONE_POLL)

    box = page.locator("[data-news]")
    expect(box).to_contain_text("You are logged out. Log in before you decide.")
    expect(box.get_by_role("link", name="Log in")).to_be_visible()


def test_a_server_that_does_not_answer_is_asked_less_and_less(
    open_browser: OpenBrowser, backoffice_server: BackOfficeServer
) -> None:
    person = open_browser("rita")
    page = open_queue(person, backoffice_server, "live_hidden")
    polls: list[str] = []

    def cut_off(route: Route) -> None:
        polls.append(route.request.url)
        route.abort()

    page.route("**/queue/state/**", cut_off)

    for _ in range(20):
        page.clock.run_for(ONE_POLL)

    expect(page.locator("[data-news]")).to_contain_text("does not answer")
    assert 3 <= len(polls) <= 8
    page.unroute("**/queue/state/**")
    page.evaluate(SHOW)
    expect(page.locator("[data-news]")).to_be_empty()
    person.complaints[:] = [each for each in person.complaints if "net::ERR_FAILED" not in each]
