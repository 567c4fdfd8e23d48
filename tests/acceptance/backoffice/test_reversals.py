"""Tests of undoing a confirmation and refunding an order, on a desk and on a phone."""

import re

import pytest
from playwright.sync_api import expect

from tests.acceptance.backoffice.browser_user import WINDOW_SIZES
from tests.acceptance.backoffice.conftest import BackOfficeServer, OpenBrowser

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.mark.parametrize("size", WINDOW_SIZES)
def test_a_confirmation_is_undone_from_the_review_page_and_the_order_refunded(
    open_browser: OpenBrowser, backoffice_server: BackOfficeServer, size: str
) -> None:
    seller = open_browser("rita", size)
    order_id = backoffice_server.keys[f"undo_{size}"]
    page = seller.open_page(f"/admin/queue/{order_id}/")
    expect(page.locator("[data-armed]")).to_be_visible()
    page.get_by_role("button", name=re.compile("Confirm")).click()
    seller.expect_message("are sold")

    page.locator("#main .alert").get_by_role("link", name="Undo").click()
    reason = page.get_by_label(re.compile("Why it was a mistake"))
    expect(reason).to_be_visible()
    seller.check_page_fits()
    seller.check_accessibility()
    reason.fill("The money is not on the account")
    page.get_by_role("button", name="Undo the confirmation").click()

    seller.expect_message("is undone")
    expect(page.locator(".side")).to_contain_text("The money is not on the account")
    expect(page.locator("[data-armed]")).to_be_visible()
    page.get_by_role("button", name=re.compile("Confirm")).click()
    seller.expect_message("are sold")

    page = seller.open_page(f"/admin/raffles/order/{order_id}/change/")
    page.get_by_role("link", name="Refund…").click()
    reason = page.get_by_label(re.compile("Why and how"))
    expect(reason).to_be_visible()
    seller.check_page_fits()
    reason.fill("Paid twice; sent back to your account")
    page.get_by_label(re.compile("Reference")).fill("TR-7")
    page.get_by_role("button", name=re.compile("Yes, refund")).click()

    seller.expect_message("is refunded")
    expect(page.locator(".ledger")).to_contain_text("TR-7")
    expect(page.locator(".decision .badge")).to_have_text("Refunded")
    seller.check_page_fits()


@pytest.mark.parametrize("size", WINDOW_SIZES)
def test_the_list_of_refunds_leads_to_the_form_and_back(
    open_browser: OpenBrowser, backoffice_server: BackOfficeServer, size: str
) -> None:
    seller = open_browser("rita", size)
    page = seller.open_page(f"/admin/refunds/?raffle={backoffice_server.keys['boat']}")
    expect(page.get_by_role("link", name=re.compile("Write")).first).to_have_attribute(
        "href", re.compile("https://wa.me/")
    )

    page.get_by_role("link", name="Refund…").first.click()
    expect(page.locator(".refund")).to_contain_text("The raffle was called off")
    page.get_by_role("link", name="No, go back").click()

    expect(page).to_have_url(re.compile(f"/admin/refunds/.raffle={backoffice_server.keys['boat']}"))
