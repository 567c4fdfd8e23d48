"""Tests of receipts for a paid order: moved to the order they were meant for, or dismissed."""

import re

import pytest
from playwright.sync_api import expect

from tests.acceptance.backoffice.conftest import BackOfficeServer, OpenBrowser

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.mark.parametrize("width", ["wide", "narrow"])
def test_a_second_receipt_is_moved_to_the_order_it_was_meant_for_and_another_dismissed(
    open_browser: OpenBrowser, backoffice_server: BackOfficeServer, width: str
) -> None:
    reviewer = open_browser("rita", width)
    keys = backoffice_server.keys
    page = reviewer.open_page("/admin/orphans/")
    row = page.locator("li", has=page.locator(f"a[href$='/orphans/{keys[f'moved_{width}']}/']"))
    expect(row).to_contain_text(re.compile(r"R-\w+ is paid already"))
    reviewer.check_page_fits()
    row.get_by_role("link").click()
    expect(page.get_by_role("note").first).to_contain_text("this receipt came besides")
    reviewer.check_page_fits()

    page.get_by_role("button", name=re.compile("Move to")).click()

    reviewer.expect_message("waits for review")
    paid = reviewer.open_page(f"/admin/raffles/order/{keys[f'paid_{width}']}/change/")
    expect(paid.locator(".decision")).to_contain_text("Paid")
    expect(paid.locator("body")).to_contain_text("Proof moved to another order")
    meant = reviewer.open_page(f"/admin/raffles/order/{keys[f'meant_{width}']}/change/")
    expect(meant.locator("body")).to_contain_text(re.compile("Proof waits", re.IGNORECASE))

    page = reviewer.open_page(f"/admin/orphans/{keys[f'dismissed_{width}']}/")
    page.get_by_text("Dismiss it…").click()
    page.get_by_label("Why", exact=True).fill("The same transfer once more")
    page.get_by_role("button", name="Dismiss the proof").click()

    reviewer.expect_message("The proof is dismissed")
    page = reviewer.open_page("/admin/orphans/")
    expect(page.locator(".resting", has_text="The same transfer once more").first).to_be_visible()
