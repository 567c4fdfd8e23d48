"""Tests of the last day: a draw is moved, a raffle called off, in a wide and a narrow window."""

import re

import pytest
from playwright.sync_api import expect

from tests.acceptance.backoffice import gateway_steps
from tests.acceptance.backoffice.browser_user import WINDOW_SIZES
from tests.acceptance.backoffice.conftest import BackOfficeServer, OpenBrowser

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.mark.parametrize("size", WINDOW_SIZES)
def test_a_draw_is_moved_and_the_raffle_called_off(
    open_browser: OpenBrowser, backoffice_server: BackOfficeServer, size: str
) -> None:
    seller = open_browser("olga", size)
    key = backoffice_server.keys[f"last_day_{size}"]
    page = seller.open_page(f"/admin/raffles/raffle/{key}/change/")

    page.get_by_role("link", name="Move the draw…").click()
    moment = page.get_by_label("Date and time")
    expect(moment).to_be_visible()
    seller.check_accessibility()
    moment.fill("2037-12-20T18:30")
    page.get_by_label("Why").fill("The hall is taken.")
    seller.check_page_fits()
    page.get_by_role("button", name="Move the draw").click()
    seller.expect_message("The draw is moved: 20 Dec 2037, 18:30")
    backoffice_server.run(gateway_steps.follow_raffle_changes)

    page.get_by_role("link", name="Call off…").click()
    expect(page.get_by_text("1 paid order")).to_be_visible()
    page.get_by_label("Why").fill("The prize is broken.")
    page.get_by_role("button", name="Call off the raffle").click()
    expect(page.get_by_text("That is not the title")).to_be_visible()
    seller.check_page_fits()
    seller.check_accessibility()
    page.get_by_label(re.compile("Type the raffle")).fill(f"autumn raffle, {size}")
    page.get_by_role("button", name="Call off the raffle").click()
    seller.expect_message("The raffle is called off.")
    backoffice_server.run(gateway_steps.follow_raffle_changes)

    page.reload()
    expect(page.locator(".follow-up")).to_contain_text("All its orders are worked off.")
    expect(page.get_by_role("link", name=re.compile("Refunds to make: 2 orders"))).to_be_visible()
    page.get_by_text("What happened to it").click()
    expect(page.locator(".raffle-history")).to_contain_text("The prize is broken.")
    seller.check_page_fits()
    seller.check_accessibility()
    page.get_by_role("link", name=re.compile("Buyers to tell by hand")).click()
    expect(page.get_by_role("link", name=re.compile("Send by hand to Greta"))).to_be_visible()
    seller.check_page_fits()
    seller.check_accessibility()


@pytest.mark.parametrize("size", WINDOW_SIZES)
def test_the_dashboard_says_first_that_a_draw_is_due(
    open_browser: OpenBrowser, backoffice_server: BackOfficeServer, size: str
) -> None:
    seller = open_browser("olga", size)
    page = seller.open_page("/admin/")

    due = page.locator(".dash-due", has_text="Autumn Raffle, due")
    expect(due).to_contain_text("1 order to review")
    due.get_by_role("link", name=re.compile("1 order to review")).click()

    expect(page.get_by_role("heading", name="Review queue")).to_be_visible()
    assert f"raffle={backoffice_server.keys['last_day_due']}" in page.url


@pytest.mark.parametrize("size", WINDOW_SIZES)
def test_an_unusual_price_is_asked_about_once(open_browser: OpenBrowser, size: str) -> None:
    seller = open_browser("olga", size)
    page = seller.open_page("/admin/raffles/raffle/add/")
    page.get_by_label("Title").fill(f"Free Raffle {size}")
    page.get_by_label("Prize").fill("a cake")
    page.get_by_label("Price of one number").fill("0")
    page.get_by_label("No date: drawn when sold out").check()
    page.get_by_role("button", name="Save and go on to the numbers").click()

    expect(page.get_by_label("Yes, the numbers are free")).to_be_visible()
    seller.check_page_fits()
    seller.check_accessibility()
    page.get_by_label("Yes, the numbers are free").check()
    page.get_by_role("button", name="Save and go on to the numbers").click()

    expect(page.get_by_role("heading", name=re.compile("100 numbers"))).to_be_visible()
